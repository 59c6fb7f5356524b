//! CIBA, by poll and ping: one test for each module of the plan fapi-ciba-id1 that a plain server
//! can be asked. Source: OpenID Connect CIBA Core, FAPI-CIBA.

mod factors;
mod hints;
mod mtls;
mod signed;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::signer::Signer;
use crate::common::world::{ada, backend, ben, eve};
use crate::common::{both, jwt};

const CIBA: &str = "urn:openid:params:grant-type:ciba";
const SECRET: &str = "desk-secret-0123456789-abcdefghijklmnopqrs";
const NOTIFY: &str = "notify-0123456789-abcdefghij";

both!(
    fapi_ciba_id1,
    fapi_ciba_id1_discovery_end_point_verification,
    fapi_ciba_id1_user_rejects_authentication,
    fapi_ciba_id1_multiple_call_to_token_endpoint,
    fapi_ciba_id1_auth_req_id_expired,
    fapi_ciba_id1_ensure_authorization_request_with_multiple_hints_fails,
    fapi_ciba_id1_ensure_authorization_request_with_binding_message_succeeds,
    fapi_ciba_id1_ensure_authorization_request_with_potentially_bad_binding_message,
    fapi_ciba_id1_ensure_other_scope_order_succeeds,
    fapi_ciba_id1_ensure_wrong_authentication_request_id_in_token_endpoint_request,
    fapi_ciba_id1_refresh_token,
    fapi_ciba_id1_ping,
    case_25_who_may_not_use_the_app_is_nobody,
    case_15_an_answer_of_another_user_or_session_is_nothing,
    case_48_guesses_at_users_are_slowed_down,
    ciba_10_2_a_ping_survives_a_client_that_is_down,
);

fn apps(signer: &Signer, endpoint: &str) -> String {
    let jwks = signer.jwks();
    let ping = if endpoint.is_empty() {
        "backchannel_token_delivery_mode: poll".to_owned()
    } else {
        format!(
            "backchannel_token_delivery_mode: ping, backchannel_client_notification_endpoint: '{endpoint}'"
        )
    };
    format!(
        "
apps:
  - id: desk
    account: acme
    title: Help Desk
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, '{CIBA}']
    secrets: [{SECRET}]
    client_metadata: {{ {ping} }}
  - id: signed
    account: acme
    title: Signed Desk
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: ['{CIBA}']
    client_metadata: {{ token_endpoint_auth_method: private_key_jwt, token_endpoint_auth_signing_alg: ES256, backchannel_authentication_request_signing_alg: ES256, {ping}, jwks: {jwks} }}
"
    )
}

fn desk(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "desk",
        secret: Some(SECRET),
        redirect_uri: "",
        scope: "openid project.read",
        http: server.browser(),
    }
}

async fn start(db: Kind) -> (TestServer, ClientApp) {
    let server = TestServer::start(db).await;
    server.apply(&apps(&Signer::new("ES256"), "")).await;
    let app = desk(&server);
    (server, app)
}

async fn begin(app: &ClientApp, more: &[(&str, &str)]) -> Answer {
    let fields = [("scope", app.scope), ("login_hint", "ben")];
    app.authenticated("/bc-authorize", &[&fields[..], more].concat()).await
}

async fn poll(app: &ClientApp, begun: &Answer) -> Answer {
    app.token(&[("grant_type", CIBA), ("auth_req_id", &begun.text("auth_req_id"))]).await
}

/// Opens the page where requests wait, signing in on the way, if need be.
async fn approvals(server: &TestServer, person: &Person) -> Answer {
    let first = person.browser.get("/approvals").await;
    let mut page = person.browser.follow(first).await;
    while Form::all(&page.body).iter().any(|form| form.action.contains("/sign-in")) {
        page = person.answer_page(server, &page).await;
    }
    page
}

async fn decide(person: &Person, page: &Answer, decision: &str) -> Answer {
    let form = Form::of(&page.body, "/approvals");
    person.browser.submit(page, &form, &[("decision", decision)]).await
}

async fn approve(server: &TestServer, person: &Person) {
    let page = approvals(server, person).await;
    let page = decide(person, &page, "allow").await.expect(200);
    assert!(page.body.contains("id=\"approvals-none\""), "{page:?}");
}

async fn fapi_ciba_id1(db: Kind) {
    let (server, app) = start(db).await;
    let ben = ben(&server);
    let begun = begin(&app, &[("binding_message", "W4SCT")]).await.expect(200);
    let json = begun.json();
    assert_eq!((&json["interval"], &json["expires_in"]), (&json!(5), &json!(300)));
    assert_eq!(begun.header("cache-control"), "no-store");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");

    let page = approvals(&server, &ben).await;
    for text in ["Help Desk", "Acme Hospital (acme)", "W4SCT", "See your projects", "Ben Brandt"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    assert_eq!(poll(&app, &begun).await.refusal(), "400 slow_down");
    decide(&ben, &page, "allow").await.expect(200);

    let tokens = Tokens::of(&poll(&app, &begun).await);
    assert_eq!(app.userinfo(&tokens.access).await.expect(200).text("sub"), "ben");
    assert_eq!(jwt::claims(&tokens.id)["aud"], "desk");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 invalid_grant");
    assert_eq!(decide(&ben, &page, "deny").await.refusal(), "400 page");
}

async fn fapi_ciba_id1_discovery_end_point_verification(db: Kind) {
    let (server, _) = start(db).await;
    let json = server.browser().get("/.well-known/openid-configuration").await.json();
    let endpoint = format!("{}/bc-authorize", server.url);
    assert_eq!(json["backchannel_authentication_endpoint"], endpoint);
    assert_eq!(json["backchannel_token_delivery_modes_supported"], json!(["poll", "ping"]));
    assert_eq!(json["backchannel_user_code_parameter_supported"], false);
    assert!(json["grant_types_supported"].as_array().unwrap().contains(&json!(CIBA)));
    let algs = json["backchannel_authentication_request_signing_alg_values_supported"].clone();
    assert!(algs.as_array().unwrap().contains(&json!("PS256")), "{algs}");
}

async fn fapi_ciba_id1_user_rejects_authentication(db: Kind) {
    let (server, app) = start(db).await;
    let begun = begin(&app, &[]).await.expect(200);
    let ben = ben(&server);

    decide(&ben, &approvals(&server, &ben).await, "deny").await.expect(200);

    assert_eq!(poll(&app, &begun).await.refusal(), "400 access_denied");
}

async fn fapi_ciba_id1_multiple_call_to_token_endpoint(db: Kind) {
    let (server, app) = start(db).await;
    let begun = begin(&app, &[]).await.expect(200);
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 slow_down");
    server.advance(TimeDelta::seconds(10));
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
    approve(&server, &ben(&server)).await;

    let (one, two) = tokio::join!(poll(&app, &begun), poll(&app, &begun));

    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 400]);
}

async fn fapi_ciba_id1_auth_req_id_expired(db: Kind) {
    let (server, app) = start(db).await;
    let begun = begin(&app, &[("requested_expiry", "30")]).await.expect(200);
    assert_eq!(begun.json()["expires_in"], 30);
    let ben = ben(&server);
    let page = approvals(&server, &ben).await;
    server.advance(TimeDelta::seconds(30));
    assert_eq!(poll(&app, &begun).await.refusal(), "400 expired_token");
    assert_eq!(decide(&ben, &page, "allow").await.refusal(), "400 page");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 expired_token");
}

async fn fapi_ciba_id1_ensure_authorization_request_with_multiple_hints_fails(db: Kind) {
    let (server, app) = start(db).await;
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;
    let ask = async |fields: &[(&str, &str)]| {
        let all = [&[("scope", "openid")], fields].concat();
        app.authenticated("/bc-authorize", &all).await.refusal()
    };
    assert_eq!(ask(&[]).await, "400 invalid_request");
    assert_eq!(
        ask(&[("login_hint", "ben"), ("id_token_hint", &tokens.id)]).await,
        "400 invalid_request"
    );
    assert_eq!(ask(&[("login_hint_token", "x")]).await, "400 invalid_request");
    assert_eq!(ask(&[("id_token_hint", &tokens.id)]).await, "400 unknown_user_id", "another app's");
    assert_eq!(ask(&[("id_token_hint", "x")]).await, "400 unknown_user_id");
    assert_eq!(ask(&[("login_hint", "nobody")]).await, "400 unknown_user_id");
}

async fn fapi_ciba_id1_ensure_authorization_request_with_binding_message_succeeds(db: Kind) {
    let (server, app) = start(db).await;
    begin(&app, &[("binding_message", "1234")]).await.expect(200);
    let page = approvals(&server, &ben(&server)).await;
    assert!(page.body.contains(">1234<"), "{page:?}");
}

async fn fapi_ciba_id1_ensure_authorization_request_with_potentially_bad_binding_message(db: Kind) {
    let (server, app) = start(db).await;
    for bad in ["x".repeat(65), "a\u{202e}b".to_owned()] {
        let answer = begin(&app, &[("binding_message", &bad)]).await;
        assert_eq!(answer.refusal(), "400 invalid_binding_message", "{bad}");
    }
    begin(&app, &[("binding_message", "<script>1 &amp; 2</script>")]).await.expect(200);
    let page = approvals(&server, &ben(&server)).await;
    assert!(!page.body.contains("<script"), "{page:?}");
}

async fn fapi_ciba_id1_ensure_other_scope_order_succeeds(db: Kind) {
    let (_server, app) = start(db).await;
    let ask = async |scope: &str| {
        let fields = [("scope", scope), ("login_hint", "ben")];
        app.authenticated("/bc-authorize", &fields).await.refusal()
    };
    assert_eq!(ask("project.read openid").await, "200 ");
    assert_eq!(ask("project.read").await, "400 invalid_scope", "openid is needed");
    assert_eq!(ask("openid project.write").await, "400 invalid_scope");
}

async fn fapi_ciba_id1_ensure_wrong_authentication_request_id_in_token_endpoint_request(db: Kind) {
    let (server, app) = start(db).await;
    let begun = begin(&app, &[]).await.expect(200);
    let id = begun.text("auth_req_id");
    for bad in ["x", "1.x", &format!("{id}x"), &id[..id.len() - 1], &format!("9{id}")] {
        let answer = app.token(&[("grant_type", CIBA), ("auth_req_id", bad)]).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{bad}");
    }
    assert_eq!(app.token(&[("grant_type", CIBA)]).await.refusal(), "400 invalid_request");
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let answer = app.token(&[("grant_type", device), ("device_code", &id)]).await;
    assert_eq!(answer.refusal(), "400 invalid_grant", "one kind is not another");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM grants").await, 0);
}

async fn fapi_ciba_id1_refresh_token(db: Kind) {
    let (server, app) = start(db).await;
    let begun = begin(&app, &[]).await.expect(200);
    approve(&server, &ben(&server)).await;
    let tokens = Tokens::of(&poll(&app, &begun).await);

    let next = Tokens::of(&app.refresh(&tokens.refresh).await);

    app.userinfo(&next.access).await.expect(200);
    assert_eq!(backend(&server).refresh(&next.refresh).await.refusal(), "400 invalid_grant");
}

async fn start_ping(db: Kind) -> (TestServer, ClientApp, Host) {
    let server = TestServer::start_reaching_loopback(db).await;
    let host = Host::start().await;
    server.apply(&apps(&Signer::new("ES256"), &host.at("/notify"))).await;
    let app = desk(&server);
    (server, app, host)
}

async fn fapi_ciba_id1_ping(db: Kind) {
    let (server, app, host) = start_ping(db).await;
    host.put("/notify", "text/plain", "");
    assert_eq!(begin(&app, &[]).await.refusal(), "400 invalid_request", "the token is missing");
    let short = [("client_notification_token", "short")];
    assert_eq!(begin(&app, &short).await.refusal(), "400 invalid_request");
    let begun = begin(&app, &[("client_notification_token", NOTIFY)]).await.expect(200);
    server.deliver().await;
    assert!(host.visits("/notify").is_empty(), "nobody has decided");
    approve(&server, &ben(&server)).await;

    server.deliver().await;

    let visits = host.visits("/notify");
    assert_eq!(visits.len(), 1);
    assert_eq!(visits[0].authorization, format!("Bearer {NOTIFY}"));
    let told: Value = serde_json::from_str(&visits[0].body).expect("JSON");
    assert_eq!(told, json!({ "auth_req_id": begun.text("auth_req_id") }));
    poll(&app, &begun).await.expect(200);
    // A no is told, too.
    let begun = begin(&app, &[("client_notification_token", NOTIFY)]).await.expect(200);
    let ben = ben(&server);
    decide(&ben, &approvals(&server, &ben).await, "deny").await.expect(200);
    server.deliver().await;
    assert_eq!(host.visits("/notify").len(), 2);
    assert_eq!(poll(&app, &begun).await.refusal(), "400 access_denied");
    let jobs = server.count("SELECT COUNT(*) AS n FROM jobs").await;
    assert_eq!(jobs, 0);
}

async fn ciba_10_2_a_ping_survives_a_client_that_is_down(db: Kind) {
    let (server, app, host) = start_ping(db).await;
    begin(&app, &[("client_notification_token", NOTIFY)]).await.expect(200);
    host.answer_with("/notify", 503, "text/plain", "");
    approve(&server, &ben(&server)).await;
    server.deliver().await;
    assert_eq!(host.visits("/notify").len(), 1);

    host.put("/notify", "text/plain", "");
    server.advance(TimeDelta::minutes(5));
    server.deliver().await;

    assert_eq!(host.visits("/notify").len(), 2);
}

async fn case_25_who_may_not_use_the_app_is_nobody(db: Kind) {
    let (server, app) = start(db).await;
    let ask = async |name: &str| {
        app.authenticated("/bc-authorize", &[("scope", "openid"), ("login_hint", name)]).await
    };
    let (stranger, nobody) = (ask("eve").await, ask("nobody").await);
    assert_eq!(stranger.line(), nobody.line());
    assert_eq!(stranger.refusal(), "400 unknown_user_id");
    let begun = ask("ben").await.expect(200);
    approve(&server, &ben(&server)).await;
    server.apply(&apps(&Signer::new("ES256"), "").replace("[acme]", "[beta]")).await;
    assert_eq!(poll(&app, &begun).await.refusal(), "400 invalid_grant");
}

async fn case_15_an_answer_of_another_user_or_session_is_nothing(db: Kind) {
    let (server, app) = start(db).await;
    let (ben, ada, eve) = (ben(&server), ada(&server), eve(&server));
    let begun = begin(&app, &[]).await.expect(200);
    let page = approvals(&server, &ben).await;

    for other in [&ada, &eve] {
        let own = approvals(&server, other).await;
        assert!(own.body.contains("id=\"approvals-none\""), "{own:?}");
        assert_eq!(decide(other, &page, "allow").await.refusal(), "403 page");
    }
    let form = Form::of(&page.body, "/approvals");
    let bare: Vec<_> = form.fields.iter().filter(|(name, _)| name != "csrf").cloned().collect();
    let mut fields: Vec<_> = bare.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.push(("decision", "allow"));
    assert_eq!(ben.browser.post("/approvals", &fields).await.refusal(), "403 page");
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
    assert_eq!(page.header("x-frame-options"), "DENY");
}

async fn case_48_guesses_at_users_are_slowed_down(db: Kind) {
    let (server, app) = start(db).await;
    let ask = async |name: &str| {
        app.authenticated("/bc-authorize", &[("scope", "openid"), ("login_hint", name)]).await
    };
    for at in 0..51 {
        assert_eq!(ask(&format!("nobody{at}")).await.refusal(), "400 unknown_user_id");
    }
    assert_eq!(ask("ben").await.refusal(), "400 access_denied");
    server.advance(TimeDelta::seconds(2));
    ask("ben").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser() {
    let (server, app) = start(Kind::Sqlite).await;
    let begun = begin(&app, &[("binding_message", "W4SCT")]).await.expect(200);
    begin(&app, &[]).await.expect(200);
    for look in [Look::Desktop, Look::Phone, Look::NoScripts] {
        let chromium = Chromium::start(look).await;
        chromium.open(&format!("{}/approvals", server.url)).await;
        chromium.type_into("username", "ben").await;
        chromium.type_into("password", "ben-correct-horse").await;
        chromium.click("sign-in").await;
        chromium.element("approvals-user").await;
        chromium.look_at("approvals").await;
    }
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");
}
