//! Clients of others against a real server: npm's openid-client and oidc-client-ts, and the crate
//! openidconnect.

mod app_tools;
mod lo;
pub mod node;
mod phc;
mod rust;
mod spa;

use axum::Router;
use narthex::base::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clients::node::Node;
use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, dev};
use crate::registration::actor::open_server;

both!(openid_client_goes_through_every_flow);

/// Private half of the key that the app `signs` has, made for these tests.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","kid":"c1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const SECRET: &str = "client-secret-0123456789-abcdefghijklmnop";

/// What openid-client is driven through.
const STEPS: &[&str] = &[
    "code",
    "refresh",
    "introspection_and_revocation",
    "end_session",
    "client_credentials",
    "private_key_jwt",
    "jarm",
    "dpop",
    "par",
    "jar",
    "device",
    "ciba",
    "registration",
];

/// An app of these tests, with some of its lines replaced.
fn declared(id: &str, more: &str) -> String {
    format!(
        "  - id: {id}
    account: acme
    title: Client
    status: live
    allowed_accounts: all
    allowed_scopes: [openid, profile, email, offline_access, project.read]
    callback_urls: [https://client.example/callback]
    logout_urls: [https://client.example/bye]
    {more}
"
    )
}

/// Serves an app, and answers its origin.
async fn on_an_origin_of_its_own(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A server whose clock is that of the machine: clients have no other.
pub async fn server_now(db: Kind) -> TestServer {
    let server = open_server(db).await;
    server.advance(SystemClock.now() - server.clock.now());
    let key: Value = serde_json::from_str(KEY).expect("a key");
    let mut public = key;
    public.as_object_mut().expect("an object").remove("d");
    let grants = "[authorization_code, refresh_token, client_credentials, \
                  'urn:ietf:params:oauth:grant-type:device_code']";
    let confidential =
        format!("type: confidential\n    grant_types: {grants}\n    secrets: [{SECRET}]");
    let by_keys = "type: confidential\n    grant_types: [authorization_code, refresh_token, \
                   'urn:openid:params:grant-type:ciba']";
    let signs = json!({
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": { "keys": [public] },
        "backchannel_token_delivery_mode": "poll",
    });
    let yaml = [
        "apps:\n".to_owned(),
        declared("basic", &confidential),
        declared("basic-post", &confidential),
        declared("public", "type: public"),
        declared("signs", &format!("{by_keys}\n    client_metadata: {signs}")),
    ];
    server.apply(&yaml.concat()).await;
    server
}

/// Confirms a sign-out, if asked to, and answers where the browser is led to.
async fn sign_out(person: &Person, url: &str) -> Answer {
    let page = person.browser.get(url).await;
    if page.status != 200 {
        return page;
    }
    let form = Form::of(&page.body, "/logout");
    person.browser.submit(&page, &form, &[]).await
}

/// Goes through the pages from a URL on, and allows whatever they ask.
async fn allow(person: &Person, server: &TestServer, url: &str) -> Answer {
    let first = person.browser.get(url).await;
    let mut page = person.browser.follow(first).await;
    for _ in 0..6 {
        let Some(form) = Form::all(&page.body).into_iter().next() else { return page };
        page = if form.has("password") || form.has("code") {
            person.answer_page(server, &page).await
        } else {
            let is_yes = |button: &&(String, String)| button.1 == "allow";
            let yes = form.buttons.iter().find(is_yes).map(|(name, value)| (&**name, &**value));
            person.browser.submit(&page, &form, yes.as_slice()).await
        };
    }
    panic!("the pages do not end: {page:?}");
}

async fn openid_client_goes_through_every_flow(db: Kind) {
    let server = server_now(db).await;
    let (user, developer) = (ben(&server), dev(&server));
    let apps = json!({ "basic": SECRET, "basic-post": SECRET });
    let key: Value = serde_json::from_str(KEY).expect("a key");
    let told = json!({ "apps": apps, "key": key }).to_string();
    let arguments = [&[server.url.as_str(), &told], STEPS].concat();
    let mut node = Node::start("openid-client.mjs", &arguments).await;

    while let Some(request) = node.asks().await {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let person = if text("as") == "dev" { &developer } else { &user };
        let answer = if request.get("open").is_some() {
            person.authorize(&server, &text("open")).await
        } else if request.get("sign_out").is_some() {
            sign_out(person, &text("sign_out")).await
        } else if request.get("device").is_some() {
            allow(person, &server, &text("device")).await
        } else if request.get("ciba").is_some() {
            allow(person, &server, "/approvals").await
        } else {
            panic!("nobody knows how to do {request}");
        };
        node.answer(&json!({ "location": answer.location() })).await;
    }

    node.expect_success().await;
}
