//! An OpenID Provider that says whatever a test wants it to, and a browser's way there and back.

use narthex::keys::algorithm::{Algorithm, at_hash};
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, bent};

/// What the provider knows us by.
pub const CLIENT_ID: &str = "narthex";
pub const CLIENT_SECRET: &str = "upstream-secret-0123456789";

/// A provider that runs until it is dropped.
pub struct Op {
    pub host: Host,
    pub signer: Signer,
}

/// A browser on its way: what it was sent with.
#[derive(Clone, Debug)]
pub struct Trip {
    pub url: url::Url,
    pub state: String,
    pub nonce: String,
}

impl Trip {
    fn of(location: &str) -> Self {
        let url = url::Url::parse(location).unwrap_or_else(|_| panic!("no URL: {location:?}"));
        let mut trip = Self { url, state: String::new(), nonce: String::new() };
        trip.state = trip.param("state");
        trip.nonce = trip.param("nonce");
        trip
    }

    /// A parameter of the authorization request.
    pub fn param(&self, name: &str) -> String {
        let found = self.url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    }
}

impl Op {
    /// A provider with metadata and a key.
    pub async fn start() -> Self {
        let (host, signer) = (Host::start().await, Signer::new("ES256"));
        let op = Self { host, signer };
        op.describes(&[]);
        op.host.put("/jwks", "application/json", op.signer.jwks().to_string());
        op
    }

    /// Its metadata, with members changed; `null` leaves one out.
    pub fn describes(&self, changed: &[(&str, Value)]) {
        let metadata = json!({
            "issuer": self.host.url,
            "authorization_endpoint": self.host.at("/authorize"),
            "token_endpoint": self.host.at("/token"),
            "userinfo_endpoint": self.host.at("/userinfo"),
            "jwks_uri": self.host.at("/jwks"),
            "authorization_response_iss_parameter_supported": true,
        });
        let text = bent(&metadata, changed).to_string();
        self.host.put("/.well-known/openid-configuration", "application/json", text);
    }

    /// The lines that declare it as `id`, with more of them.
    pub fn declaration(&self, id: &str, more: &str) -> String {
        format!(
            "providers:\n  - id: {id}\n    kind: oidc\n    title: The {id}\n    \
             issuer: {}\n    client_id: {CLIENT_ID}\n    client_secret: {CLIENT_SECRET}\n    {more}\n",
            self.host.url
        )
    }

    /// The claims of a good ID token about `subject`.
    pub fn claims(&self, server: &TestServer, trip: &Trip, subject: &str) -> Value {
        json!({
            "iss": self.host.url, "sub": subject, "aud": CLIENT_ID, "nonce": trip.nonce,
            "iat": server.now(), "exp": server.now() + 300,
            "at_hash": at_hash(Algorithm::ES256, "at-1"),
        })
    }

    /// Has the token endpoint answer with this ID token.
    pub fn gives(&self, id_token: &str) {
        let tokens = json!({
            "access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
        });
        self.host.put("/token", "application/json", tokens.to_string());
    }

    /// Brings the browser back with a code.
    pub async fn send_back(&self, browser: &Browser, trip: &Trip) -> Answer {
        self.send_back_with(browser, &trip.state, &[("iss", &self.host.url)]).await
    }

    /// Brings the browser back with a code and these parameters.
    pub async fn send_back_with(
        &self,
        browser: &Browser,
        state: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", "c-1").append_pair("state", state).extend_pairs(more);
        browser.get(&format!("/upstream/callback?{}", query.finish())).await
    }

    /// The whole way of whom the provider knows as `subject`, with claims changed: what the browser
    /// is answered when it comes back.
    pub async fn arrive(
        &self,
        server: &TestServer,
        browser: &Browser,
        start: &str,
        (subject, changed): (&str, &[(&str, Value)]),
    ) -> Answer {
        let trip = leave(browser, start, "op").await;
        let claims = bent(&self.claims(server, &trip, subject), changed);
        self.gives(&self.signer.sign("JWT", &claims));
        self.send_back(browser, &trip).await
    }
}

/// A server that may ask sites on the loopback address, and a provider of it called `op`.
pub async fn world(db: Kind, more: &str) -> (TestServer, Op) {
    let server = TestServer::start_reaching_loopback(db).await;
    let op = Op::start().await;
    server.apply(&op.declaration("op", more)).await;
    (server, op)
}

/// Opens a page and follows it to where somebody is to sign in.
pub async fn sign_in_page(browser: &Browser, start: &str) -> Answer {
    let first = browser.get(start).await;
    browser.follow(first).await
}

/// Opens a page and leaves for a provider by its button.
pub async fn leave(browser: &Browser, start: &str, provider: &str) -> Trip {
    let page = sign_in_page(browser, start).await;
    let form = Form::of(&page.body, &format!("/upstream/{provider}/start"));
    let answer = browser.submit(&page, &form, &[]).await;
    Trip::of(answer.location())
}

/// Goes on to the app, consents if asked to, and answers the code.
pub async fn code(browser: &Browser, answer: Answer) -> String {
    let page = browser.follow(answer).await;
    if let Some(code) = page.location_param("code") {
        return code;
    }
    let form = Form::of(&page.body, "/consent");
    let yes = form.buttons.iter().find(|(_, value)| value == "allow").expect("a button");
    let answer = browser.submit(&page, &form, &[(&yes.0, &yes.1)]).await;
    answer.location_param("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
}

/// Whose tokens an app gets at the end, by the ID token.
pub async fn id_claims(browser: &Browser, app: &ClientApp, answer: Answer) -> Value {
    let code = code(browser, answer).await;
    let tokens = crate::common::actors::Tokens::of(&app.exchange(&code).await);
    crate::common::jwt::claims(&tokens.id)
}

/// Whether this browser is signed in.
pub async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/").await.status == 200
}
