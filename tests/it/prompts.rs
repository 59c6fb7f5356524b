//! `prompt`, `max_age` and their kin, through the pages.

use chrono::TimeDelta;

use crate::common::actors::{Person, Tokens};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, eve, portal};
use crate::common::{both, jwt};

both!(
    select_account_goes_on_as_who_is_signed_in,
    case_18_another_account_signs_in_and_cancelling_keeps_the_old_one,
    case_44_a_choice_cannot_be_forged,
    a_user_who_just_signed_in_is_not_asked_again,
    prompt_create_is_not_there,
    the_default_max_age_counts,
);

async fn select_page(server: &TestServer, person: &Person) -> Answer {
    let url = portal(server).authorize_url_with(&[("prompt", "select_account")]);
    let page = person.browser.follow(person.browser.get(&url).await).await.expect(200);
    assert!(page.body.contains("id=\"select-account-form\""), "{page:?}");
    page
}

async fn choose(person: &Person, page: &Answer, choice: &str) -> Answer {
    let form = Form::of(&page.body, "/select-account");
    let button = form.buttons.iter().find(|(_, value)| value == choice).expect("a button");
    person.browser.submit(page, &form, &[(&*button.0, &*button.1)]).await
}

async fn select_account_goes_on_as_who_is_signed_in(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    app.tokens(&server, &ben).await;
    server.advance(TimeDelta::seconds(60));

    let page = select_page(&server, &ben).await;
    let answer = choose(&ben, &page, "current").await;

    assert!(page.body.contains("Ben Brandt") && page.body.contains("Patient Portal"), "{page:?}");
    let code = answer.location_param("code").expect("a code");
    let tokens = Tokens::of(&app.exchange(&code).await);
    let claims = jwt::claims(&tokens.id);
    assert_eq!(
        (&claims["sub"], claims["auth_time"].as_i64()),
        (&"ben".into(), Some(server.now() - 60))
    );
}

async fn case_18_another_account_signs_in_and_cancelling_keeps_the_old_one(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    app.tokens(&server, &ben).await;
    server.advance(TimeDelta::seconds(60));

    let page = select_page(&server, &ben).await;
    let sign_in = choose(&ben, &page, "another").await;
    assert!(sign_in.body.contains("id=\"sign-in-form\""), "{sign_in:?}");
    // Whoever goes away here is still who they were.
    let quiet = ben.browser.get(&app.authorize_url_with(&[("prompt", "none")])).await;
    assert!(quiet.location_param("code").is_some(), "{quiet:?}");
    // The page cannot be gone around by its address.
    let resume = sign_in.url.replace("/sign-in?grant=", "/authorize/");
    let back = ben.browser.follow(ben.browser.get(&resume).await).await;
    assert!(back.body.contains("id=\"sign-in-form\""), "{back:?}");

    let eve = Person { browser: ben.browser.clone(), ..eve(&server) };
    let consent = eve.answer_page(&server, &sign_in).await;
    let answer = eve.decide(&consent, true).await;
    let tokens = Tokens::of(&app.exchange(&answer.location_param("code").unwrap()).await);
    assert_eq!(jwt::claims(&tokens.id)["sub"], "eve");
}

async fn case_44_a_choice_cannot_be_forged(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben, other) = (portal(&server), ben(&server), ben(&server));
    app.tokens(&server, &ben).await;
    app.tokens(&server, &other).await;
    let page = select_page(&server, &ben).await;
    let form = Form::of(&page.body, "/select-account");

    let bent = ben.browser.submit(&page, &form, &[("csrf", "x"), ("choice", "current")]).await;
    let elsewhere = other.browser.submit(&page, &form, &[("choice", "current")]).await;
    let nonsense = ben.browser.submit(&page, &form, &[("choice", "x")]).await;

    assert_eq!(bent.refusal(), "403 page");
    assert_eq!(elsewhere.refusal(), "403 page");
    assert_eq!(nonsense.refusal(), "400 page");
    for path in ["/select-account", "/select-account?grant=999", "/select-account?grant=x"] {
        assert_eq!(ben.browser.get(path).await.refusal(), "400 page", "{path}");
    }
}

async fn a_user_who_just_signed_in_is_not_asked_again(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    let url = app.authorize_url_with(&[("prompt", "select_account consent")]);
    let answer = ben.authorize(&server, &url).await;

    assert!(answer.location_param("code").is_some(), "{answer:?}");
}

/// Source: Initiating User Registration via OpenID Connect section 4.
async fn prompt_create_is_not_there(db: Kind) {
    let server = TestServer::start(db).await;
    let discovery = server.browser().get("/.well-known/openid-configuration").await.json();

    for prompt in ["create", "login create", "x", "none login"] {
        let url = portal(&server).authorize_url_with(&[("prompt", prompt)]);
        assert_eq!(server.browser().get(&url).await.refusal(), "303 invalid_request", "{prompt}");
    }
    let prompts = discovery["prompt_values_supported"].as_array().unwrap();
    assert!(!prompts.contains(&"create".into()), "{prompts:?}");
}

async fn the_default_max_age_counts(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let line =
        "type: public\n    client_metadata: { default_max_age: 100, require_auth_time: true }";
    server.change_app("portal", "type: public", line).await;
    app.tokens(&server, &ben).await;

    server.advance(TimeDelta::seconds(100));
    let young = ben.browser.get(&app.authorize_url()).await;
    server.advance(TimeDelta::seconds(1));
    let old = ben.browser.get(&app.authorize_url()).await;
    let wanted = ben.browser.get(&app.authorize_url_with(&[("max_age", "1000")])).await;

    assert!(young.location_param("code").is_some(), "{young:?}");
    assert!(old.location().starts_with("/sign-in"), "{old:?}");
    assert!(wanted.location_param("code").is_some(), "{wanted:?}");
}
