//! A client as FAPI 2.0 wants it: pushes its requests, shows who it is by a key or a certificate,
//! to which its tokens are bound; and, for Message Signing, signs its requests and gets signed
//! answers.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::common::actors::{CHALLENGE, Person, VERIFIER};
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::proof::ProofKey;
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer, bent};
use crate::common::tls::{Authority, TlsServer};

/// Fields of a form, or claims, changed; `null` leaves one out.
pub type Changed<'a> = &'a [(&'a str, Value)];

/// How a client shows who it is, and that its tokens are its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// `private_key_jwt`, and DPoP.
    Key,
    /// `tls_client_auth`, and tokens bound to the certificate.
    Certificate,
}

/// What a module is run with.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub db: Kind,
    pub by: By,
}

/// Runs each of the named modules with both kinds of clients, on both databases.
macro_rules! by_key_and_certificate {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::common::database::Kind;
            use crate::common::fapi::{By, Case};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(Case { db: Kind::Sqlite, by: By::Key }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                super::$name(Case { db: Kind::Postgres, by: By::Key }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_by_certificate() {
                super::$name(Case { db: Kind::Sqlite, by: By::Certificate }).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_by_certificate() {
                super::$name(Case { db: Kind::Postgres, by: By::Certificate }).await;
            }
        }
    )+};
}
pub(crate) use by_key_and_certificate;

/// A server for clients of one kind.
pub enum Site {
    Key(TestServer),
    Certificate(Box<(TlsServer, Authority)>),
}

impl Site {
    /// A server with the world of `world.yaml`; over TLS, if its clients have certificates.
    pub async fn start(case: Case) -> Self {
        match case.by {
            By::Key => Self::Key(TestServer::start(case.db).await),
            By::Certificate => {
                let authority = Authority::new("Clients");
                let tls = TlsServer::start(case.db, |config| authority.trusted_by(config)).await;
                Self::Certificate(Box::new((tls, authority)))
            }
        }
    }

    /// An HTTP client for the app of this name, with a certificate if it needs one.
    fn http(&self, id: &str) -> Browser {
        match self {
            Self::Key(server) => server.browser(),
            Self::Certificate(both) => both.0.client(Some(&both.1.client(id, &[]))),
        }
    }

    /// An HTTP client that holds nothing.
    fn stranger(&self) -> Browser {
        match self {
            Self::Key(server) => server.browser(),
            Self::Certificate(both) => both.0.client(None),
        }
    }
}

impl Deref for Site {
    type Target = TestServer;

    fn deref(&self) -> &TestServer {
        match self {
            Self::Key(server) => server,
            Self::Certificate(both) => &both.0.server,
        }
    }
}

/// A registered client.
pub struct Fapi<'a> {
    pub server: &'a Site,
    pub id: String,
    pub callback: String,
    pub key: Signer,
    pub proof: ProofKey,
    pub http: Browser,
    signs_requests: bool,
}

impl<'a> Fapi<'a> {
    /// Registers a client of the Security Profile.
    pub async fn security(server: &'a Site, id: &str) -> Self {
        Self::register(server, id, Signer::new("ES256"), false).await
    }

    /// Registers a client of Message Signing.
    pub async fn signing(server: &'a Site, id: &str) -> Self {
        Self::register(server, id, Signer::new("ES256"), true).await
    }

    /// Registers a client with a key of one's own.
    pub async fn register(server: &'a Site, id: &str, key: Signer, signs: bool) -> Self {
        let callback = format!("https://{id}.example/callback");
        let profile = if signs { "fapi2_message_signing" } else { "fapi2_security" };
        let own = match server {
            Site::Key(_) => json!({
                "token_endpoint_auth_method": "private_key_jwt", "dpop_bound_access_tokens": true,
            }),
            Site::Certificate(..) => json!({
                "token_endpoint_auth_method": "tls_client_auth",
                "tls_client_auth_subject_dn": format!("CN={id},O=Acme\\, Inc.,C=DE"),
                "tls_client_certificate_bound_access_tokens": true,
            }),
        };
        let metadata = bent(&own, &[("profile", json!(profile)), ("jwks", key.jwks())]);
        let yaml = format!(
            "apps:
  - id: {id}
    account: acme
    title: {id}
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, profile, email, project.read, account.read]
    callback_urls: [{callback}]
    grant_types: [authorization_code, refresh_token, client_credentials]
    client_metadata: {metadata}"
        );
        server.apply(&yaml).await;
        let (proof, http) = (ProofKey::new(), server.http(id));
        Self { server, id: id.to_owned(), callback, key, proof, http, signs_requests: signs }
    }

    /// Whether it has a certificate.
    fn has_certificate(&self) -> bool {
        matches!(self.server, Site::Certificate(..))
    }

    /// The scheme by which it shows its tokens, which is also their type.
    pub fn scheme(&self) -> &'static str {
        if self.has_certificate() { "Bearer" } else { "DPoP" }
    }

    /// The same client with another key or certificate, which its tokens are not bound to.
    pub fn with_another_key(self) -> Self {
        Self { proof: ProofKey::new(), http: self.server.http("another"), ..self }
    }

    /// The claims of a good client assertion.
    pub fn statement(&self) -> Value {
        let (now, id) = (self.server.now(), &self.id);
        json!({"iss": id, "sub": id, "aud": self.server.url, "iat": now, "exp": now + 60,
               "jti": name()})
    }

    /// The parameters of a good request.
    pub fn request(&self) -> Value {
        let mut request = json!({
            "client_id": self.id, "response_type": "code", "redirect_uri": self.callback,
            "scope": "openid project.read", "state": "st", "nonce": "no",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        });
        if self.signs_requests {
            request["response_mode"] = json!("jwt");
        }
        request
    }

    /// The claims of a good request object.
    pub fn object(&self) -> Value {
        let now = self.server.now();
        let own = [
            ("iss", json!(self.id)),
            ("aud", json!(self.server.url)),
            ("nbf", json!(now)),
            ("exp", json!(now + 300)),
        ];
        bent(&self.request(), &own)
    }

    /// Posts a form with an assertion, and a proof if there is one.
    pub async fn post_as(
        &self,
        assertion: &str,
        path: &str,
        proof: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Answer {
        let own = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        let headers: Vec<_> = proof.iter().map(|proof| ("dpop", *proof)).collect();
        self.http.post_with(path, &headers, &[&own[..], fields].concat()).await
    }

    /// Posts a form, well authenticated.
    pub async fn post(&self, path: &str, proof: Option<&str>, fields: &[(&str, &str)]) -> Answer {
        if self.has_certificate() {
            let is_named = fields.iter().any(|(name, _)| *name == "client_id");
            let name = if is_named { &[][..] } else { &[("client_id", &*self.id)] };
            return self.http.post(path, &[name, fields].concat()).await;
        }
        self.post_as(&self.key.sign("JWT", &self.statement()), path, proof, fields).await
    }

    /// Pushes the good request with changes.
    pub async fn push(&self, changed: Changed<'_>) -> Answer {
        if self.signs_requests {
            let object = self.key.sign("oauth-authz-req+jwt", &bent(&self.object(), changed));
            return self.push_object(&object).await;
        }
        self.push_proven(changed, None).await
    }

    /// Pushes a request object.
    pub async fn push_object(&self, object: &str) -> Answer {
        self.post("/par", None, &[("client_id", &self.id), ("request", object)]).await
    }

    /// Pushes the good request with changes and a proof, unsigned.
    pub async fn push_proven(&self, changed: Changed<'_>, proof: Option<&str>) -> Answer {
        let fields = texts(&bent(&self.request(), changed));
        self.post("/par", proof, &borrowed(&fields)).await
    }

    /// The URL that the browser is sent to with a pushed request.
    pub fn url(&self, request_uri: &str) -> String {
        format!("/authorize?client_id={}&request_uri={}", self.id, request_uri.replace(':', "%3A"))
    }

    /// Pushes a changed request and lets somebody answer it; the last answer leads to the client.
    pub async fn ask(&self, person: &Person, changed: Changed<'_>) -> Answer {
        let pushed = self.push(changed).await;
        assert_eq!(pushed.status, 201, "{pushed:?}");
        person.authorize(self.server, &self.url(&pushed.text("request_uri"))).await
    }

    /// A parameter of the answer that the browser brings, from inside if it is signed.
    pub fn told(&self, answer: &Answer, name: &str) -> Option<String> {
        match answer.location_param("response") {
            Some(response) => {
                let claims = jwt::claims(&response);
                assert_eq!(claims["aud"], *self.id);
                claims.get(name).and_then(Value::as_str).map(str::to_owned)
            }
            None => answer.location_param(name),
        }
    }

    /// A good code.
    pub async fn code(&self, person: &Person) -> String {
        let answer = self.ask(person, &[]).await;
        self.told(&answer, "code").unwrap_or_else(|| panic!("no code: {answer:?}"))
    }

    /// Posts a form to the token endpoint without what tokens could be bound to.
    pub async fn post_unbound(&self, fields: &[(&str, &str)]) -> Answer {
        if self.has_certificate() {
            let fields = [&[("client_id", &*self.id)], fields].concat();
            return self.server.stranger().post("/token", &fields).await;
        }
        self.post("/token", None, fields).await
    }

    /// What [`Self::post_unbound`] is refused with: the certificate is also who the client is.
    pub fn unbound(&self) -> &'static str {
        if self.has_certificate() { "401 invalid_client" } else { "400 invalid_dpop_proof" }
    }

    /// A good proof for the token endpoint.
    pub fn at_token(&self) -> String {
        self.proof.proof(self.server, "POST", "/token")
    }

    /// The fields of a good exchange, changed.
    pub fn redeeming(&self, code: &str, changed: Changed<'_>) -> Vec<(String, String)> {
        let good = json!({"grant_type": "authorization_code", "code": code,
                          "redirect_uri": self.callback, "code_verifier": VERIFIER});
        texts(&bent(&good, changed))
    }

    /// Exchanges a code, with changes.
    pub async fn exchange(&self, code: &str, changed: Changed<'_>) -> Answer {
        let fields = self.redeeming(code, changed);
        self.post("/token", Some(&self.at_token()), &borrowed(&fields)).await
    }

    /// The fields that use a refresh token.
    pub fn refreshing(token: &str) -> [(&'static str, &str); 2] {
        [("grant_type", "refresh_token"), ("refresh_token", token)]
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.post("/token", Some(&self.at_token()), &Self::refreshing(token)).await
    }

    /// Asks the resource API, by its own scheme.
    pub async fn resource(&self, token: &str) -> Answer {
        self.resource_as(self.scheme(), token).await
    }

    /// Asks the resource API, with `Authorization: SCHEME token`, and a good proof if the scheme
    /// or the client wants one.
    pub async fn resource_as(&self, scheme: &str, token: &str) -> Answer {
        let path = "/v1/projects";
        let proof = self.proof.proof_with(self.server, "GET", path, token);
        let field = format!("{scheme} {token}");
        let proof = Some(("dpop", &*proof)).filter(|_| !self.has_certificate());
        let headers = [("authorization", &*field), ("lifeomic-account", "acme")];
        let headers: Vec<_> = headers.into_iter().chain(proof).collect();
        self.http.get_with(path, &headers).await
    }
}

/// A name that was never used.
pub fn name() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("name-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn texts(fields: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = fields.as_object().expect("an object");
    fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// Fields as forms take them.
pub fn borrowed(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
