//! The device grant. Source: RFC 8628.

use chrono::TimeDelta;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve, portal};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SECRET: &str = "kiosk-secret-0123456789-abcdefghijklmnopq";

const APPS: &str = "
apps:
  - id: tv
    account: acme
    title: Living Room TV
    status: live
    type: public
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, 'urn:ietf:params:oauth:grant-type:device_code']
  - id: kiosk
    account: acme
    title: Kiosk
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, 'urn:ietf:params:oauth:grant-type:device_code']
    secrets: [kiosk-secret-0123456789-abcdefghijklmnopq]
";

both!(
    rfc8628_a_device_gets_tokens_once_its_user_said_yes,
    rfc8628_3_5_the_device_is_told_to_wait_and_to_slow_down,
    rfc8628_3_5_a_no_and_an_end_are_told,
    case_26_a_code_is_for_the_app_that_asked_and_good_once,
    case_26_a_confidential_app_shows_its_secret_at_both_endpoints,
    case_26_a_link_fills_in_and_approves_nothing,
    case_26_guesses_at_codes_are_slowed_down,
    case_26_an_answer_of_another_browser_or_session_is_nothing,
    case_21_a_device_code_is_no_authorization_code,
    case_25_who_may_not_use_the_app_cannot_connect_a_device,
    case_32_a_device_asks_for_no_more_than_its_app_may,
    case_50_a_demand_for_two_factors_holds_for_devices,
    the_page_comes_back_after_signing_in,
    signing_out_ends_what_the_device_has,
);

fn tv(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "tv",
        secret: None,
        redirect_uri: "",
        scope: "openid project.read",
        http: server.browser(),
    }
}

fn kiosk(server: &TestServer) -> ClientApp {
    ClientApp { id: "kiosk", secret: Some(SECRET), ..tv(server) }
}

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    server
}

async fn begin(app: &ClientApp) -> Answer {
    app.authenticated("/device_authorization", &[("scope", app.scope)]).await
}

async fn poll(app: &ClientApp, begun: &Answer) -> Answer {
    app.token(&[("grant_type", DEVICE), ("device_code", &begun.text("device_code"))]).await
}

/// Opens the page, signed in, and types a code.
async fn type_code(server: &TestServer, person: &Person, code: &str) -> Answer {
    let page = person.authorize_page(server, "/device").await;
    let form = Form::of(&page.body, "/device");
    person.browser.submit(&page, &form, &[("user_code", code)]).await
}

async fn decide(person: &Person, page: &Answer, decision: &str) -> Answer {
    let form = Form::of(&page.body, "/device");
    person.browser.submit(page, &form, &[("decision", decision)]).await
}

impl Person {
    /// Goes to a page of ours, signing in on the way, if need be.
    async fn authorize_page(&self, server: &TestServer, url: &str) -> Answer {
        let first = self.browser.get(url).await;
        let mut page = self.browser.follow(first).await;
        while Form::all(&page.body).iter().any(|form| form.action.contains("/sign-in")) {
            page = self.answer_page(server, &page).await;
        }
        page
    }
}

async fn rfc8628_a_device_gets_tokens_once_its_user_said_yes(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (tv(&server), ben(&server));
    let begun = begin(&app).await.expect(200);
    assert_eq!(begun.header("cache-control"), "no-store");
    let json = begun.json();
    assert_eq!((&json["interval"], &json["expires_in"]), (&5.into(), &600.into()));
    assert_eq!(json["verification_uri"], format!("{}/device", server.url));
    let code = begun.text("user_code");
    let complete = format!("{}/device?user_code={code}", server.url);
    assert_eq!(json["verification_uri_complete"], complete);

    let page = type_code(&server, &ben, &code.to_lowercase().replace('-', " ")).await;
    for text in ["Living Room TV", "Acme Hospital (acme)", "See your projects", "Ben Brandt"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    let done = decide(&ben, &page, "allow").await;
    assert!(done.body.contains("id=\"device-done\""), "{done:?}");

    let tokens = Tokens::of(&poll(&app, &begun).await);
    assert_eq!(app.userinfo(&tokens.access).await.expect(200).text("sub"), "ben");
    assert!(!tokens.id.is_empty());
    app.api("/v1/projects", &tokens.access, "acme").await.expect(200);
    let next = Tokens::of(&app.refresh(&tokens.refresh).await);
    app.revoke(&next.refresh).await.expect(200);
    assert_eq!(app.userinfo(&next.access).await.status, 401);
}

async fn rfc8628_3_5_the_device_is_told_to_wait_and_to_slow_down(db: Kind) {
    let server = start(db).await;
    let app = tv(&server);
    let begun = begin(&app).await;
    let after = async |seconds: i64| {
        server.advance(TimeDelta::seconds(seconds));
        poll(&app, &begun).await.refusal()
    };

    assert_eq!(after(0).await, "400 authorization_pending");
    assert_eq!(after(5).await, "400 authorization_pending");
    assert_eq!(after(4).await, "400 slow_down");
    assert_eq!(after(9).await, "400 slow_down");
    assert_eq!(after(15).await, "400 authorization_pending");
    let (one, two) = tokio::join!(poll(&app, &begun), poll(&app, &begun));
    assert_eq!([one.refusal(), two.refusal()], ["400 slow_down", "400 slow_down"]);
}

async fn rfc8628_3_5_a_no_and_an_end_are_told(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (tv(&server), ben(&server));
    let (denied, late) = (begin(&app).await, begin(&app).await);

    let page = type_code(&server, &ben, &denied.text("user_code")).await;
    let done = decide(&ben, &page, "deny").await;
    assert!(done.body.contains("id=\"device-refused\""), "{done:?}");
    assert_eq!(poll(&app, &denied).await.refusal(), "400 access_denied");
    assert_eq!(decide(&ben, &page, "allow").await.refusal(), "400 page");

    let page = type_code(&server, &ben, &late.text("user_code")).await;
    server.advance(TimeDelta::minutes(10));
    assert_eq!(poll(&app, &late).await.refusal(), "400 expired_token");
    assert_eq!(decide(&ben, &page, "allow").await.refusal(), "400 page");
    assert_eq!(poll(&app, &late).await.refusal(), "400 expired_token");
}

async fn case_26_a_code_is_for_the_app_that_asked_and_good_once(db: Kind) {
    let server = start(db).await;
    let (app, other, ben) = (tv(&server), kiosk(&server), ben(&server));
    let begun = begin(&app).await;
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    decide(&ben, &page, "allow").await.expect(200);

    assert_eq!(poll(&other, &begun).await.refusal(), "400 invalid_grant");
    let (one, two) = tokio::join!(poll(&app, &begun), poll(&app, &begun));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 400]);
    assert_eq!(poll(&app, &begun).await.refusal(), "400 invalid_grant");
    for bad in ["", "1", "1.x", "99.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "☃"] {
        let answer = app.token(&[("grant_type", DEVICE), ("device_code", bad)]).await;
        let expected = if bad.is_empty() { "400 invalid_request" } else { "400 invalid_grant" };
        assert_eq!(answer.refusal(), expected, "{bad}");
    }
}

async fn case_26_a_confidential_app_shows_its_secret_at_both_endpoints(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (kiosk(&server), ben(&server));
    let nameless = ClientApp { secret: None, ..app.clone() };
    assert_eq!(begin(&nameless).await.refusal(), "401 invalid_client");
    assert_eq!(begin(&portal(&server)).await.refusal(), "400 unauthorized_client");
    let begun = begin(&app).await.expect(200);
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    decide(&ben, &page, "allow").await.expect(200);

    assert_eq!(poll(&nameless, &begun).await.refusal(), "401 invalid_client");
    poll(&app, &begun).await.expect(200);
}

async fn case_26_a_link_fills_in_and_approves_nothing(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (tv(&server), ben(&server));
    ben.sign_in(&server).await;
    let begun = begin(&app).await;

    let page = ben.browser.get(&begun.text("verification_uri_complete")).await;

    let form = Form::of(&page.body, "/device");
    assert!(form.fields.contains(&("user_code".to_owned(), begun.text("user_code"))), "{page:?}");
    assert!(form.buttons.is_empty(), "one click is not enough: {form:?}");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
    let page = ben.browser.get("/device?user_code=%22%3E%3Cscript%3E").await.expect(200);
    assert!(!page.body.contains("<script"));
    assert_eq!(page.header("x-frame-options"), "DENY");
}

async fn case_26_guesses_at_codes_are_slowed_down(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (tv(&server), ben(&server));
    let begun = begin(&app).await;
    let mut refusals = Vec::new();
    for _ in 0..7 {
        refusals.push(type_code(&server, &ben, "BCDF-BCDF").await.status);
    }

    assert_eq!(refusals, [403, 403, 403, 403, 403, 403, 429]);
    let right = type_code(&server, &ben, &begun.text("user_code")).await;
    assert_eq!(right.status, 429, "the right one waits, too: {right:?}");
    assert!(!right.header("retry-after").is_empty());
    server.advance(TimeDelta::seconds(2));
    type_code(&server, &ben, &begun.text("user_code")).await.expect(200);
    // A code of one's own that is right gives back itself alone.
    assert_eq!(type_code(&server, &ben, "BCDF-BCDF").await.status, 403);
    assert_eq!(type_code(&server, &ben, "BCDF-BCDF").await.status, 429);
}

async fn case_26_an_answer_of_another_browser_or_session_is_nothing(db: Kind) {
    let server = start(db).await;
    let (app, ben, ada) = (tv(&server), ben(&server), ada(&server));
    ada.sign_in(&server).await;
    let begun = begin(&app).await;
    let page = type_code(&server, &ben, &begun.text("user_code")).await;

    assert_eq!(decide(&ada, &page, "allow").await.refusal(), "403 page");
    let code = begun.text("user_code");
    let bare = ben.browser.post("/device", &[("user_code", &code), ("decision", "allow")]).await;
    assert_eq!(bare.refusal(), "403 page");
    let form = Form::of(&page.body, "/device");
    let other = [("user_code", "BCDF-BCDF"), ("decision", "allow")];
    assert_eq!(ben.browser.submit(&page, &form, &other).await.refusal(), "403 page");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
}

async fn case_21_a_device_code_is_no_authorization_code(db: Kind) {
    let server = start(db).await;
    let app = ClientApp { redirect_uri: "https://tv.example/cb", ..tv(&server) };
    let both = APPS
        .replace("[refresh_token, ", "[authorization_code, refresh_token, ")
        .replace("    type: public\n", "    type: public\n    require_pkce: false\n    callback_urls: [https://tv.example/cb]\n")
        .replace("    type: confidential\n", "    type: confidential\n    callback_urls: [https://tv.example/cb]\n");
    server.apply(&both).await;
    let ben = ben(&server);
    let begun = begin(&app).await;
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    decide(&ben, &page, "allow").await.expect(200);
    let grant = server.count("SELECT MAX(id) AS n FROM grants").await;
    let secret = begun.text("device_code");
    let secret = secret.split_once('.').unwrap().1;

    let code = format!("{grant}.{secret}");
    let taken = app.token(&[("grant_type", "authorization_code"), ("code", &code)]).await;

    assert_eq!(taken.refusal(), "400 invalid_grant");
    let code = app.code(&server, &ben).await;
    let taken = app.token(&[("grant_type", DEVICE), ("device_code", &code)]).await;
    assert_eq!(taken.refusal(), "400 invalid_grant");
    poll(&app, &begun).await.expect(200);
}

async fn case_25_who_may_not_use_the_app_cannot_connect_a_device(db: Kind) {
    let server = start(db).await;
    let (app, eve, ben) = (tv(&server), eve(&server), ben(&server));
    let begun = begin(&app).await;

    let page = type_code(&server, &eve, &begun.text("user_code")).await;

    assert_eq!(page.refusal(), "403 page");
    assert!(page.body.contains("You may not use this app"), "{page:?}");
    // Between the answer and the tokens the app is taken away.
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    decide(&ben, &page, "allow").await.expect(200);
    server.apply(&APPS.replace("allowed_accounts: [acme]", "allowed_accounts: [beta]")).await;
    assert_eq!(poll(&app, &begun).await.refusal(), "400 invalid_grant");
}

async fn case_32_a_device_asks_for_no_more_than_its_app_may(db: Kind) {
    let server = start(db).await;
    let app = tv(&server);

    for scope in ["openid project.write", "\u{e4}"] {
        let app = ClientApp { scope, ..app.clone() };
        assert_eq!(begin(&app).await.refusal(), "400 invalid_scope", "{scope}");
    }
}

async fn case_50_a_demand_for_two_factors_holds_for_devices(db: Kind) {
    let server = start(db).await;
    let (app, ben, ada) = (tv(&server), ben(&server), ada(&server));
    let begun = begin(&app).await;
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    let line = "client_metadata: { require_second_factor: true }\n    type: public";
    server.apply(&APPS.replacen("type: public", line, 1)).await;

    let allowed = decide(&ben, &page, "allow").await;
    let shown = type_code(&server, &ben, &begun.text("user_code")).await;

    for page in [allowed, shown] {
        assert_eq!(page.status, 403);
        assert!(page.body.contains("href=\"/account/factors\""), "{page:?}");
    }
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
    let page = type_code(&server, &ada, &begun.text("user_code")).await;
    decide(&ada, &page, "allow").await.expect(200);
    server.advance(TimeDelta::seconds(10));
    Tokens::of(&poll(&app, &begun).await);
}

async fn the_page_comes_back_after_signing_in(db: Kind) {
    let server = start(db).await;
    let (app, ada) = (tv(&server), ada(&server));
    let begun = begin(&app).await;

    let page = ada.authorize_page(&server, &begun.text("verification_uri_complete")).await;

    assert!(page.body.contains(&begun.text("user_code")), "{page:?}");
    let home = ada.browser.get("/").await;
    assert_eq!(home.status, 200, "once: {home:?}");
}

async fn signing_out_ends_what_the_device_has(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (tv(&server), ben(&server));
    let begun = begin(&app).await;
    let page = type_code(&server, &ben, &begun.text("user_code")).await;
    decide(&ben, &page, "allow").await.expect(200);
    let tokens = Tokens::of(&poll(&app, &begun).await);

    let page = ben.browser.get("/logout").await;
    let form = Form::of(&page.body, "/logout");
    ben.browser.submit(&page, &form, &[]).await;

    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser() {
    let server = start(Kind::Sqlite).await;
    let begun = begin(&tv(&server)).await;
    for look in [Look::Desktop, Look::Phone, Look::NoScripts] {
        let chromium = Chromium::start(look).await;
        chromium.open(&format!("{}/device", server.url)).await;
        chromium.type_into("username", "ben").await;
        chromium.type_into("password", "ben-correct-horse").await;
        chromium.click("sign-in").await;
        chromium.element("user-code").await;
        chromium.look_at("device").await;
        chromium.type_into("user-code", &begun.text("user_code")).await;
        chromium.click("device-continue").await;
        chromium.element("device-allow").await;
        chromium.look_at("device-confirm").await;
        if look == Look::NoScripts {
            chromium.click("device-allow").await;
            chromium.element("device-done").await;
            chromium.look_at("device-done").await;
        }
    }
    poll(&tv(&server), &begun).await.expect(200);
}
