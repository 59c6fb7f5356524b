//! Providers that others wrote: npm's oidc-provider and Debian's pysaml2, with signing in at both.

use narthex::base::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::clients::node::Node;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::portal;
use crate::upstream::idp::{Idp, PySaml};
use crate::upstream::op::{CLIENT_ID, CLIENT_SECRET, id_claims, is_signed_in, leave, sign_in_page};

both!(
    node_oidc_provider_signs_people_in,
    pysaml2_signs_people_in_by_redirect_and_by_form,
    pysaml2_encrypts_what_it_says,
);

/// A server whose clock is that of the machine: peers have no other.
async fn server_now(db: Kind) -> TestServer {
    let server = TestServer::start_reaching_loopback(db).await;
    be_now(&server);
    server
}

/// Sets the clock once more: peers take their time.
fn be_now(server: &TestServer) {
    server.advance(SystemClock.now() - server.clock.now());
}

/// Goes through the provider's own pages, as a person does, until it sends the browser away.
async fn sign_in_there(op: &Browser, url: &str, login: &str) -> Answer {
    let first = op.get(url).await;
    let mut page = op.follow(first).await;
    for _ in 0..4 {
        if page.status != 200 {
            return page;
        }
        let form = Form::all(&page.body).into_iter().next().expect("a form");
        let fields = [("login", login), ("password", "any")];
        let fields = if form.has("login") { &fields[..] } else { &[] };
        page = op.submit(&page, &form, fields).await;
    }
    panic!("the provider's pages do not end: {page:?}");
}

async fn node_oidc_provider_signs_people_in(db: Kind) {
    let server = server_now(db).await;
    for (login, method) in [
        ("ada", "client_secret_basic"),
        ("grace", "client_secret_post"),
        ("mary", "private_key_jwt"),
    ] {
        let mut client = json!({
            "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "token_endpoint_auth_method": method,
        });
        if method == "private_key_jwt" {
            client["jwks"] =
                serde_json::from_str(&server.browser().get("/jwks").await.body).expect("keys");
            client["token_endpoint_auth_signing_alg"] = json!("RS256");
        }
        let redirect_uri = format!("{}/upstream/callback", server.url);
        let told = json!({ "redirect_uri": redirect_uri, "client": client }).to_string();
        let mut node = Node::start("oidc-provider.mjs", &[&told]).await;
        let issuer = node.asks().await.expect("where it is")["issuer"].as_str().unwrap().to_owned();
        server
            .apply(&format!(
                "providers:\n  - id: node\n    kind: oidc\n    title: Node\n    issuer: {issuer}\n    \
                 client_id: {CLIENT_ID}\n    client_secret: {CLIENT_SECRET}\n    client_auth: {method}\n    \
                 userinfo: true\n    creates_users: true\n"
            ))
            .await;
        let (app, browser, there) = (portal(&server), server.browser(), Browser::new(&issuer));

        let trip = leave(&browser, &app.authorize_url(), "node").await;
        let away = sign_in_there(&there, trip.url.as_str(), login).await;
        be_now(&server);
        let back = browser.get(away.location()).await;

        if login == "ada" {
            // Her address is somebody's here: she is asked.
            assert!(back.location().starts_with("/upstream/link"), "{back:?}");
            continue;
        }
        let claims = id_claims(&browser, &app, back.expect(303)).await;
        assert_eq!(claims["amr"], json!(["fed"]), "{method}");
    }
}

/// A whole sign-in at pysaml2's provider.
async fn by_saml(server: &TestServer, idp: &PySaml, more: &str, told: &Value) -> Value {
    server.apply(&idp.declaration(more)).await;
    let (app, browser) = (portal(server), server.browser());
    let page = sign_in_page(&browser, &app.authorize_url()).await;
    let form = Form::of(&page.body, "/upstream/idp/start");
    let away = browser.submit(&page, &form, &[]).await;
    let response = idp.answers(server, &away, told).await;
    be_now(server);
    let posted = idp.post_back(server, &response, &away).await.expect(303);
    let back = browser.get(posted.location()).await.expect(303);
    id_claims(&browser, &app, back).await
}

async fn pysaml2_signs_people_in_by_redirect_and_by_form(db: Kind) {
    let server = server_now(db).await;
    let idp = PySaml::new();
    let usual = "creates_users: true\n    email_domains: [navy.example]";
    let key = idp.own_key_lines();
    let mut subjects = Vec::new();
    for (more, signs) in [
        (usual.to_owned(), false),
        (format!("{usual}\n    {key}"), true),
        (format!("{usual}\n    {key}\n    request_binding: post"), true),
    ] {
        let told = json!({ "signed": signs, "sign_response": true, "sign_assertion": false });
        let claims = by_saml(&server, &idp, &more, &told).await;
        subjects.push(claims["sub"].as_str().unwrap().to_owned());
    }
    let told = json!({ "signed": false, "sign_response": false, "sign_assertion": true });
    let more = format!("{usual}\n    acr_means: {{ '{}': [pwd] }}", Idp::CONTEXT);
    let claims = by_saml(&server, &idp, &more, &told).await;

    assert_eq!(claims["amr"], json!(["fed", "pwd"]));
    assert!(subjects.iter().all(|subject| claims["sub"] == **subject), "{subjects:?}");
    let user = server.server.users.find(&subjects[0].parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(user.email.as_deref(), Some("grace@navy.example"));
    assert_eq!((user.email_verified, user.given_name.as_deref()), (true, Some("Grace")));
}

async fn pysaml2_encrypts_what_it_says(db: Kind) {
    let server = server_now(db).await;
    let idp = PySaml::new();
    let more = format!("creates_users: true\n    {}", idp.own_key_lines());
    for (response, assertion) in [(true, true), (false, true), (true, false)] {
        let told = json!({
            "signed": true, "sign_response": response, "sign_assertion": assertion,
            "encrypted": true,
        });
        let claims = by_saml(&server, &idp, &more, &told).await;
        assert_eq!(claims["amr"], json!(["fed"]), "{told}");
    }
    let browser = server.browser();
    assert!(!is_signed_in(&browser).await);
}
