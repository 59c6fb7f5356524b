//! Whose an arrival is: linked by the user who has the address, after signing in here; never
//! silently, and never instead of a second factor.

use serde_json::{Value, json};

use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};
use crate::upstream::op::{Op, id_claims, is_signed_in, world};

both!(
    case_54_an_address_is_linked_by_whose_it_is_alone,
    case_54_an_unverified_address_links_nobody,
    case_54_who_says_no_stays_apart,
    case_54_a_question_is_asked_in_one_browser_and_once,
    case_50_a_second_factor_is_asked_for_after_a_provider_too,
    a_user_who_was_disabled_does_not_come_in,
    identities_are_listed_and_taken_away_by_their_owner,
);

fn verified(address: &str) -> Vec<(&'static str, Value)> {
    vec![("email", json!(address)), ("email_verified", json!(true))]
}

/// The button of a page's form.
async fn press(browser: &Browser, page: &Answer, button: &str) -> Answer {
    let form = Form::of(&page.body, "/upstream/link");
    browser.submit(page, &form, &[("answer", button)]).await
}

/// Arrives with an address that somebody has here: the page that asks.
async fn asked(server: &TestServer, op: &Op, browser: &Browser, address: &str) -> Answer {
    let app = portal(server);
    let said = verified(address);
    let answer = op.arrive(server, browser, &app.authorize_url(), ("x-1", &said)).await;
    browser.follow(answer.expect(303)).await.expect(200)
}

/// Signs in with what a person has here, as far as the pages ask.
async fn sign_in_here(server: &TestServer, person: &Person, mut page: Answer) -> Answer {
    for _ in 0..2 {
        let form = Form::all(&page.body).into_iter().next().expect("a form");
        if !form.has("password") && !form.has("code") {
            break;
        }
        page = person.answer_page(server, &page).await;
    }
    page
}

async fn case_54_an_address_is_linked_by_whose_it_is_alone(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let person = ada(&server);
    let stranger = ben(&server);

    // Somebody else who signs in is not taken for ada, and is asked nothing.
    let page = asked(&server, &op, &stranger.browser, "ada@acme.example").await;
    assert!(page.body.contains("Do you have an account here already?"), "{page:?}");
    assert!(!is_signed_in(&stranger.browser).await, "an address opens nothing");
    let page = press(&stranger.browser, &page, "sign-in").await;
    let page = sign_in_here(&server, &stranger, page).await;
    assert!(page.body.contains("prove-sign-in") && !page.body.contains("id=\"connect\""));
    let forced = press(&stranger.browser, &page, "connect").await;
    assert!(!forced.body.contains("id=\"connect\""), "{forced:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);

    // Whose it is signs in, with both factors, and says yes.
    let page = asked(&server, &op, &person.browser, "ADA@acme.example").await;
    let page = press(&person.browser, &page, "sign-in").await;
    let page = sign_in_here(&server, &person, page).await;
    assert!(page.body.contains("Connect the two accounts?"), "{page:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
    let end = press(&person.browser, &page, "connect").await;
    let claims = id_claims(&person.browser, &portal(&server), end).await;
    assert_eq!(claims["sub"], "ada");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 1);
}

async fn case_54_an_unverified_address_links_nobody(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let app = portal(&server);
    for (at, said) in [
        vec![("email", json!("ada@acme.example"))],
        vec![("email", json!("ada@acme.example")), ("email_verified", json!(false))],
        vec![("email", json!("ada@acme.example")), ("email_verified", json!("true"))],
        vec![("email", json!("ada@acme.example")), ("email_verified", json!(1))],
        // Nobody has proved this one here.
        verified("ben@acme.example"),
        verified("nobody@acme.example"),
        vec![("email", json!("ada@acme.example\u{0}")), ("email_verified", json!(true))],
        vec![("email", json!(["ada@acme.example"])), ("email_verified", json!(true))],
    ]
    .into_iter()
    .enumerate()
    {
        let browser = server.browser();
        let subject = format!("u-{at}");
        let answer = op.arrive(&server, &browser, &app.authorize_url(), (&subject, &said)).await;
        let claims = id_claims(&browser, &app, answer).await;
        let sub = claims["sub"].as_str().unwrap();
        assert!(!["ada", "ben"].contains(&sub), "{said:?}");
    }
}

async fn case_54_who_says_no_stays_apart(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let person = ada(&server);

    let page = asked(&server, &op, &person.browser, "ada@acme.example").await;
    let page = press(&person.browser, &page, "sign-in").await;
    let page = sign_in_here(&server, &person, page).await;
    press(&person.browser, &page, "apart").await;

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
    let late = press(&person.browser, &page, "connect").await;
    assert_eq!(late.refusal(), "400 page");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
}

async fn case_54_a_question_is_asked_in_one_browser_and_once(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (attacker, victim) = (server.browser(), ada(&server));
    victim.sign_in(&server).await;

    // The attacker arrives with ada's address, and sends her the link.
    let page = asked(&server, &op, &attacker, "ada@acme.example").await;
    let planted = victim.browser.get(&page.url).await;
    assert_eq!(planted.refusal(), "400 page");
    let form = Form::of(&page.body, "/upstream/link");
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let forged = [&fields[..], &[("answer", "connect")]].concat();
    assert_eq!(victim.browser.post("/upstream/link", &forged).await.refusal(), "400 page");
    // A session of before is no answer to a question of now.
    let own = asked_signed_in(&server, &op, &victim).await;
    assert!(own.body.contains("prove-sign-in"), "{own:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
}

/// The question to somebody who is signed in already, and a while ago.
async fn asked_signed_in(server: &TestServer, op: &Op, person: &Person) -> Answer {
    server.advance(chrono::TimeDelta::minutes(1));
    let app = portal(server);
    let said = [verified("ada@acme.example"), vec![("auth_time", json!(server.now()))]].concat();
    let start = app.authorize_url_with(&[("prompt", "login")]);
    let answer = op.arrive(server, &person.browser, &start, ("x-1", &said)).await;
    person.browser.follow(answer.expect(303)).await.expect(200)
}

async fn case_50_a_second_factor_is_asked_for_after_a_provider_too(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (app, person) = (portal(&server), ada(&server));
    let page = asked(&server, &op, &person.browser, "ada@acme.example").await;
    let page = press(&person.browser, &page, "sign-in").await;
    let page = sign_in_here(&server, &person, page).await;
    press(&person.browser, &page, "connect").await;

    let fresh = ada(&server);
    let said = [("amr", json!(["pwd", "otp", "mfa"])), ("acr", json!("urn:narthex:acr:2"))];
    let answer =
        op.arrive(&server, &fresh.browser, &app.authorize_url(), ("x-1", &said)).await.expect(303);

    assert!(answer.location().starts_with("/sign-in/totp"), "{answer:?}");
    assert!(!is_signed_in(&fresh.browser).await, "half a sign-in");
    let page = fresh.browser.follow(answer).await;
    let done = fresh.answer_page(&server, &page).await;
    let claims = id_claims(&fresh.browser, &app, done).await;
    assert_eq!((&claims["sub"], &claims["amr"]), (&json!("ada"), &json!(["fed", "otp", "mfa"])));
    assert_eq!(claims["acr"], "urn:narthex:acr:2");
}

async fn a_user_who_was_disabled_does_not_come_in(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let app = portal(&server);
    let browser = server.browser();
    let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &[])).await;
    let id = id_claims(&browser, &app, answer).await["sub"].as_str().unwrap().parse().unwrap();
    let user = server.server.users.find(&id).await.unwrap().unwrap();
    let disabled = narthex::users::model::NewUser {
        status: narthex::users::model::Status::Disabled,
        ..(&*user).into()
    };
    server.server.users.update(&id, disabled).await.unwrap();

    let again = server.browser();
    let answer = op.arrive(&server, &again, &app.authorize_url(), ("g-1", &[])).await;

    assert_eq!(answer.refusal(), "403 page");
    assert!(!is_signed_in(&again).await);
}

async fn identities_are_listed_and_taken_away_by_their_owner(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let person = ada(&server);
    let page = asked(&server, &op, &person.browser, "ada@acme.example").await;
    let page = press(&person.browser, &page, "sign-in").await;
    let page = sign_in_here(&server, &person, page).await;
    press(&person.browser, &page, "connect").await;

    // What came from elsewhere does not do for this page: its owner has a password here.
    let page = person.browser.get("/account/providers").await;
    let page = person.browser.follow(page).await;
    assert!(page.body.contains("id=\"password\"") && !page.body.contains("/upstream/"), "{page:?}");
    let page = sign_in_here(&server, &person, page).await;
    assert!(page.body.contains("connected-op") && page.body.contains("The op"), "{page:?}");
    let form = Form::of(&page.body, "/account/providers");
    let after = person.browser.submit(&page, &form, &[]).await;
    assert!(after.body.contains("providers-none"), "{after:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);

    // Whoever has nothing else keeps it.
    let browser = server.browser();
    op.arrive(&server, &browser, "/sign-in", ("g-1", &[])).await.expect(303);
    let page = browser.get("/account/providers").await.expect(200);
    let form = Form::of(&page.body, "/account/providers");
    let kept = browser.submit(&page, &form, &[]).await.expect(409);
    assert!(kept.body.contains("the only way you can sign in"), "{kept:?}");
    let forged = browser.submit(&page, &form, &[("csrf", "x")]).await;
    assert_eq!(forged.refusal(), "403 page");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 1);
}
