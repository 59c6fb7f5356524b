//! Where one is signed in, and the end of it.

use chrono::TimeDelta;
use serde_json::json;

use crate::account::{FORMS, held, send, text_of};
use crate::common::actors::{ClientApp, Tokens};
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(
    sessions_say_from_where_and_since_when,
    ending_a_session_is_signing_out_there,
    all_other_sessions_end_at_once,
    case_24_apps_are_told_of_a_session_that_ended_elsewhere,
    case_43_whoever_signs_in_next_sees_nothing_of_before,
    case_44_forms_of_the_account_need_their_own_token,
    case_59_nobody_ends_the_session_of_somebody_else,
    whoever_is_not_signed_in_comes_back_after_it,
);

const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

/// Signs ben in with a browser that says what it is.
async fn sign_in_with(browser: &Browser, agent: &str) {
    let page = browser.get("/sign-in").await.expect(200);
    let csrf = held(&Form::of(&page.body, "/sign-in"), "csrf");
    let fields = [("csrf", &*csrf), ("username", "ben"), ("password", "ben-correct-horse")];
    browser.post_with("/sign-in", &[("user-agent", agent)], &fields).await.expect(303);
}

fn is_one(form: &Form) -> bool {
    form.has("session")
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

async fn sessions_say_from_where_and_since_when(db: Kind) {
    let server = TestServer::start(db).await;
    let (first, second) = (ben(&server), ben(&server));
    sign_in_with(&first.browser, FIREFOX).await;
    server.advance(TimeDelta::minutes(30));
    sign_in_with(&second.browser, "").await;

    let page = second.browser.get("/account/sessions").await.expect(200);

    assert_eq!(text_of(&page, "session-device-1"), "Unknown device This one");
    assert_eq!(text_of(&page, "session-device-2"), "Firefox on Windows");
    assert_eq!(text_of(&page, "session-place-2"), "network 127.0.0.0/24");
    assert!(page.body.contains("1 June 2026, 12:00 UTC"), "{page:?}");
    assert!(page.body.contains("1 June 2026, 12:30 UTC"), "{page:?}");
    let german = [("accept-language", "de")];
    let page = second.browser.get_with("/account/sessions", &german).await;
    assert_eq!(text_of(&page, "session-device-2"), "Firefox auf Windows");
}

async fn ending_a_session_is_signing_out_there(db: Kind) {
    let server = TestServer::start(db).await;
    let (lost, here, app) = (ben(&server), ben(&server), portal(&server));
    let given = app.tokens(&server, &lost).await;
    here.sign_in(&server).await;
    assert_eq!(app.userinfo(&given.access).await.status, 200);

    send(&here.browser, "/account/sessions", is_one, &[]).await.expect(200);

    assert!(!is_signed_in(&lost.browser).await);
    assert!(is_signed_in(&here.browser).await);
    assert_eq!(app.refresh(&given.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&given.access).await.status, 401);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM sessions").await, 1);
}

async fn all_other_sessions_end_at_once(db: Kind) {
    let server = TestServer::start(db).await;
    let others = [ben(&server), ben(&server), ben(&server)];
    for other in &others {
        other.sign_in(&server).await;
    }
    let (here, stranger) = (ben(&server), ada(&server));
    here.sign_in(&server).await;
    stranger.sign_in(&server).await;

    let page = send(&here.browser, "/account/sessions", |form| !is_one(form), &[]).await;

    assert_eq!(Form::all(&page.expect(200).body).len(), 0, "nothing is left to end");
    for other in &others {
        assert!(!is_signed_in(&other.browser).await);
    }
    assert!(is_signed_in(&here.browser).await && is_signed_in(&stranger.browser).await);
}

async fn case_24_apps_are_told_of_a_session_that_ended_elsewhere(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let host = Host::start().await;
    host.put("/out", "text/plain", "");
    let metadata = json!({ "backchannel_logout_uri": host.at("/out") });
    server
        .apply(&format!(
            "apps: [{{ id: told, account: acme, title: Told, status: live, type: public,
               allowed_accounts: all, allowed_scopes: [openid],
               callback_urls: [https://told.example/cb], client_metadata: {metadata} }}]"
        ))
        .await;
    let redirect_uri = "https://told.example/cb";
    let http = server.browser();
    let app = ClientApp { id: "told", secret: None, redirect_uri, scope: "openid", http };
    let (lost, here) = (ben(&server), ben(&server));
    app.tokens(&server, &lost).await;
    here.sign_in(&server).await;

    send(&here.browser, "/account/sessions", is_one, &[]).await.expect(200);
    server.deliver().await;
    server.deliver().await;

    assert_eq!(host.visits("/out").len(), 1);
}

async fn case_43_whoever_signs_in_next_sees_nothing_of_before(db: Kind) {
    let server = TestServer::start(db).await;
    let (ada, mut ben) = (ada(&server), ben(&server));
    ada.sign_in(&server).await;
    ada.browser.get("/account/sessions").await.expect(200);
    ben.browser = ada.browser.clone();
    server.advance(TimeDelta::minutes(6));

    // The page for a fresh sign-in asks for ada, and takes whoever it gets.
    let page = ben.browser.get("/sign-in/again").await.expect(200);
    let home = ben.answer_page(&server, &page).await.expect(200);

    assert_eq!(text_of(&home, "home-username"), "ben");
    let page = ben.browser.get("/account/sessions").await.expect(200);
    assert!(!page.body.contains("Ada"), "{page:?}");
    assert_eq!(Form::all(&page.body).len(), 0, "ada's session in this browser has ended");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM sessions").await, 1);
}

async fn case_44_forms_of_the_account_need_their_own_token(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, ada, other) = (ben(&server), ada(&server), ben(&server));
    let app = portal(&server);
    let given: Tokens = app.tokens(&server, &ben).await;
    ada.sign_in(&server).await;
    other.sign_in(&server).await;

    for path in FORMS {
        let page = ben.browser.get(path).await.expect(200);
        let form = Form::of(&page.body, path);
        let own = held(&form, "csrf");
        let hers = ada.browser.get("/account/profile").await.expect(200);
        let foreign = held(&Form::of(&hers.body, "/account/profile"), "csrf");
        for (headers, csrf) in [
            (&[][..], ""),
            (&[][..], "AAAA"),
            (&[][..], &*foreign),
            (&[("sec-fetch-site", "cross-site")][..], &*own),
            (&[("origin", "https://evil.test")][..], &*own),
        ] {
            let fields = [("csrf", csrf), ("app", "portal"), ("name", "Eve")];
            let answer = ben.browser.post_with(path, headers, &fields).await;
            assert_eq!(answer.status, 403, "{path} {headers:?} {csrf}");
        }
        // Nor is the token of one form good for another.
        for elsewhere in FORMS.iter().filter(|other| **other != path) {
            let answer = ben.browser.post(elsewhere, &[("csrf", &*own)]).await;
            assert_eq!(answer.status, 403, "{path} at {elsewhere}");
        }
    }
    assert_eq!(app.refresh(&given.refresh).await.status, 200);
    assert!(is_signed_in(&other.browser).await);
}

async fn case_59_nobody_ends_the_session_of_somebody_else(db: Kind) {
    let server = TestServer::start(db).await;
    let (ada, ada_too, ben, ben_too) = (ada(&server), ada(&server), ben(&server), ben(&server));
    for person in [&ada, &ada_too, &ben, &ben_too] {
        person.sign_in(&server).await;
    }
    let page = ada.browser.get("/account/sessions").await.expect(200);
    let hers = held(&Form::of(&page.body, "/account/sessions"), "session");

    for name in [&*hers, "AAAA", "../ada", &"A".repeat(4000)] {
        let answer = send(&ben.browser, "/account/sessions", is_one, &[("session", name)]).await;
        assert_eq!(answer.status, 200, "{name}");
    }

    for person in [&ada, &ada_too, &ben, &ben_too] {
        assert!(is_signed_in(&person.browser).await, "{}", person.username);
    }
}

async fn whoever_is_not_signed_in_comes_back_after_it(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);

    for path in FORMS {
        let page = ben.browser.get(path).await;
        assert_eq!(page.line(), "303 -> /sign-in");
        assert_eq!(ben.browser.post(path, &[]).await.line(), "303 -> /sign-in");
    }
    let page = ben.browser.get("/sign-in").await.expect(200);
    let page = ben.answer_page(&server, &page).await.expect(200);
    assert_eq!(page.url, format!("{}/account/apps", server.url));
    assert_eq!(text_of(&page, "apps-none"), "No app has access to your account.");
}
