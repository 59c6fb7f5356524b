//! A client as FAPI 2.0 wants it: pushes its requests, signs who it is, holds the key of its
//! tokens; and, for Message Signing, signs its requests and gets signed answers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::common::actors::{CHALLENGE, Person, VERIFIER};
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::jwt;
use crate::common::proof::ProofKey;
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer, bent};

/// Fields of a form, or claims, changed; `null` leaves one out.
pub type Changed<'a> = &'a [(&'a str, Value)];

/// A registered client.
pub struct Fapi<'a> {
    pub server: &'a TestServer,
    pub id: String,
    pub callback: String,
    pub key: Signer,
    pub proof: ProofKey,
    pub http: Browser,
    signs_requests: bool,
}

impl<'a> Fapi<'a> {
    /// Registers a client of the Security Profile.
    pub async fn security(server: &'a TestServer, id: &str) -> Self {
        Self::register(server, id, Signer::new("ES256"), false).await
    }

    /// Registers a client of Message Signing.
    pub async fn signing(server: &'a TestServer, id: &str) -> Self {
        Self::register(server, id, Signer::new("ES256"), true).await
    }

    /// Registers a client with a key of one's own.
    pub async fn register(server: &'a TestServer, id: &str, key: Signer, signs: bool) -> Self {
        let callback = format!("https://{id}.example/callback");
        let profile = if signs { "fapi2_message_signing" } else { "fapi2_security" };
        let metadata = json!({
            "profile": profile, "token_endpoint_auth_method": "private_key_jwt",
            "jwks": key.jwks(), "dpop_bound_access_tokens": true,
        });
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
        let (proof, http) = (ProofKey::new(), server.browser());
        Self { server, id: id.to_owned(), callback, key, proof, http, signs_requests: signs }
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

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str, proof: Option<&str>) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", proof, &fields).await
    }

    /// Asks the resource API, with `Authorization: SCHEME token` and a good proof.
    pub async fn resource(&self, scheme: &str, token: &str) -> Answer {
        let path = "/v1/projects";
        let proof = self.proof.proof_with(self.server, "GET", path, token);
        let field = format!("{scheme} {token}");
        let account = ("lifeomic-account", "acme");
        self.http.get_with(path, &[("authorization", &field), ("dpop", &proof), account]).await
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
