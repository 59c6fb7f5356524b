//! Tokens that are bound to a key, where they are shown: the negative set of the FAPI 2.0 test
//! plan, at userinfo and at the gate. Source: RFC 9449 section 7.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, VERIFIER};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::proof::{ProofKey, claims, hash};
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks};
use crate::common::world::{ada, backend, portal};

both!(
    case_31_dpop_negative_set_at_the_resource,
    case_31_attacks_on_the_signature_of_a_proof,
    case_31_a_bound_token_is_no_bearer_token,
    a_bound_token_asks_the_decision_point,
    case_31_a_bearer_token_is_no_bound_token,
    access_token_type_header_case_sensitivity,
    nonces_at_the_resource,
    scripts_may_send_proofs_and_read_nonces,
);

/// Changes the header and the claims of a proof.
type Bend<'a> = &'a dyn Fn(&mut Value, &mut Value);

/// A bound token, its key, and who may use it.
struct World {
    server: TestServer,
    app: ClientApp,
    key: ProofKey,
    token: String,
}

impl World {
    async fn new(server: TestServer) -> Self {
        let (app, key) = (portal(&server), ProofKey::new());
        let code = app.code(&server, &ada(&server)).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let proof = key.proof(&server, "POST", "/token");
        let token = app.prove(&[&proof], &fields).await.expect(200).text("access_token");
        Self { server, app, key, token }
    }

    /// The claims of a good proof for `path`.
    fn claims(&self, path: &str) -> Value {
        let mut claims = claims(&self.server, "GET", path);
        claims["ath"] = json!(hash(&self.token));
        claims
    }

    async fn get(&self, path: &str, scheme: &str, proofs: &[&str]) -> Answer {
        let authorization = format!("{scheme} {}", self.token);
        let mut headers = vec![("authorization", &*authorization), ("lifeomic-account", "acme")];
        headers.extend(proofs.iter().map(|proof| ("DPOP", *proof)));
        self.app.http.get_with(path, &headers).await
    }

    /// Asks with a proof whose header and claims `bend` has changed.
    async fn bent(&self, path: &str, bend: Bend<'_>) -> Answer {
        let (mut header, mut claims) = (self.key.header(), self.claims(path));
        bend(&mut header, &mut claims);
        self.get(path, "DPoP", &[&self.key.sign(&header, &claims)]).await
    }

    async fn good(&self, path: &str) {
        let answer = self.bent(path, &|_, _| ()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

#[track_caller]
fn refused(answer: &Answer, what: &str) {
    assert_eq!(answer.refusal(), "401 invalid_dpop_proof", "{what}: {answer:?}");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("DPoP "), "{what}: {challenge}");
    assert!(challenge.contains("error=\"invalid_dpop_proof\""), "{what}: {challenge}");
    assert!(challenge.contains("algs=\"RS256 PS256 ES256 EdDSA\""), "{what}: {challenge}");
}

fn remove(part: &mut Value, name: &str) {
    part.as_object_mut().expect("an object").remove(name);
}

async fn case_31_dpop_negative_set_at_the_resource(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    for path in ["/userinfo", "/v1/projects"] {
        world.good(path).await;
        let mixed = world.get(path, "DPoP", &[]).await;
        refused(&mixed, "no proof");
        for name in ["typ", "alg", "jwk"] {
            refused(&world.bent(path, &|header, _| remove(header, name)).await, name);
        }
        for name in ["jti", "htm", "htu", "iat", "ath"] {
            refused(&world.bent(path, &|_, claims| remove(claims, name)).await, name);
        }
        refused(&world.bent(path, &|header, _| header["typ"] = json!("JWT")).await, "typ");
        refused(&world.bent(path, &|header, _| header["alg"] = json!("RS256")).await, "RS256");
        refused(&world.bent(path, &|header, _| header["alg"] = json!("none")).await, "none");
        let private = world.bent(path, &|header, _| header["jwk"]["d"] = json!("AAAA")).await;
        refused(&private, "a private key");
        refused(&world.bent(path, &|_, claims| claims["htm"] = json!("PUT")).await, "htm");
        let other = json!("https://other.example/userinfo");
        refused(&world.bent(path, &|_, claims| claims["htu"] = other.clone()).await, "htu");
        let ath = json!(hash("other"));
        refused(&world.bent(path, &|_, claims| claims["ath"] = ath.clone()).await, "ath");
        for seconds in [-3_600, 3_600] {
            let at = json!(world.server.now() + seconds);
            let answer = world.bent(path, &|_, claims| claims["iat"] = at.clone()).await;
            refused(&answer, "iat an hour away");
        }
        let stranger = ProofKey::new();
        let proof = stranger.sign(&stranger.header(), &world.claims(path));
        refused(&world.get(path, "DPoP", &[&proof]).await, "another key");
        let good = || world.key.sign(&world.key.header(), &world.claims(path));
        refused(&world.get(path, "DPoP", &[&good(), &good()]).await, "two headers");
        refused(&world.get(path, "DPoP", &[&format!("{}x", good())]).await, "bad signature");
        refused(&world.get(path, "DPoP", &["not-a-jwt"]).await, "not a JWT");
        // The name of a proof is good once.
        let proof = good();
        assert_eq!(world.get(path, "DPoP", &[&proof]).await.status, 200);
        refused(&world.get(path, "DPoP", &[&proof]).await, "the same jti");
        // What must not matter.
        let (url, query) = (format!("{}{path}", world.server.url), "?a=b#c");
        let upper = url.replace("http://", "HTTP://");
        for htu in [format!("{url}{query}"), url.clone(), upper] {
            let answer = world.bent(path, &|_, claims| claims["htu"] = json!(htu)).await;
            assert_eq!(answer.status, 200, "{htu}: {answer:?}");
        }
        let queried = format!("{path}?x=1");
        assert_eq!(world.get(&queried, "DPoP", &[&good()]).await.status, 200);
        for seconds in [-10, 10] {
            let at = json!(world.server.now() + seconds);
            let answer = world.bent(path, &|_, claims| claims["iat"] = at.clone()).await;
            assert_eq!(answer.status, 200, "{seconds}: {answer:?}");
        }
        let now = world.server.now();
        let more: Bend<'_> = &|header, claims| {
            (header["x"], claims["y"]) = (json!("x"), json!({"z": 1}));
            (claims["nbf"], claims["exp"]) = (json!(now), json!(now + 300));
        };
        assert_eq!(world.bent(path, more).await.status, 200);
        world.good(path).await;
    }
}

/// A proof is good once, and this is one request.
async fn a_bound_token_asks_the_decision_point(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    let path = "/access/v1/evaluation";
    let mut claims = world.claims(path);
    claims["htm"] = json!("POST");
    let proof = world.key.sign(&world.key.header(), &claims);
    let authorization = format!("DPoP {}", world.token);
    let headers = [
        ("authorization", &*authorization),
        ("lifeomic-account", "acme"),
        ("content-type", "application/json"),
        ("dpop", &proof),
    ];
    let question = json!({
        "subject": {"type": "user", "id": "ada"},
        "action": {"name": "readData"},
        "resource": {"type": "project", "id": "heart"},
    });
    let ask =
        async || world.app.http.send(Method::POST, path, &headers, question.to_string()).await;

    assert_eq!(ask().await.expect(200).json(), json!({"decision": true}));
    refused(&ask().await, "the proof again");
}

async fn case_31_attacks_on_the_signature_of_a_proof(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    let (thief, path) = (Signer::new("ES256"), "/userinfo");
    for (what, attack) in attacks(&thief, &world.key.jwk, "dpop+jwt", &world.claims(path)) {
        let answer = world.get(path, "DPoP", &[&attack]).await;
        refused(&answer, &what);
    }
    let long = "x".repeat(9_000);
    refused(&world.get(path, "DPoP", &[&long]).await, "too long");
    refused(&world.get(path, "DPoP", &[&world.token]).await, "an access token");
    world.good(path).await;
}

async fn case_31_a_bound_token_is_no_bearer_token(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    for path in ["/userinfo", "/v1/projects"] {
        let proof = world.key.sign(&world.key.header(), &world.claims(path));
        for proofs in [&[][..], &[&*proof]] {
            let answer = world.get(path, "Bearer", proofs).await;
            assert_eq!(answer.refusal(), "401 invalid_token", "{path}: {answer:?}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.starts_with("DPoP ") && challenge.contains("algs="), "{challenge}");
        }
        world.good(path).await;
    }
    let body = world.app.http.post("/userinfo", &[("access_token", &world.token)]).await;
    assert_eq!(body.refusal(), "401 invalid_token", "{body:?}");
}

async fn case_31_a_bearer_token_is_no_bound_token(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, key) = (portal(&server), ProofKey::new());
    let token = app.tokens(&server, &ada(&server)).await.access;
    let world = World { server, app, key, token };

    for path in ["/userinfo", "/v1/projects"] {
        let proof = world.key.sign(&world.key.header(), &world.claims(path));
        let answer = world.get(path, "DPoP", &[&proof]).await;
        assert_eq!(answer.refusal(), "401 invalid_token", "{path}: {answer:?}");
        assert_eq!(world.get(path, "Bearer", &[]).await.status, 200, "{path}");
    }
}

async fn access_token_type_header_case_sensitivity(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    for path in ["/userinfo", "/v1/projects"] {
        for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
            let proof = world.key.sign(&world.key.header(), &world.claims(path));
            let answer = world.get(path, scheme, &[&proof]).await;
            assert_eq!(answer.status, 200, "{path} {scheme}: {answer:?}");
        }
    }
}

async fn nonces_at_the_resource(db: Kind) {
    let world = World::new(TestServer::start(db).await).await;
    let lines = "type: public\n    client_metadata: { require_dpop_nonce: true }";
    world.server.change_app("portal", "type: public", lines).await;
    for path in ["/userinfo", "/v1/projects"] {
        let first = world.bent(path, &|_, _| ()).await;
        assert_eq!(first.refusal(), "401 use_dpop_nonce", "{path}: {first:?}");
        let challenge = first.header("www-authenticate");
        assert!(challenge.contains("error=\"use_dpop_nonce\""), "{challenge}");
        let nonce = json!(first.header("dpop-nonce"));
        let good = world.bent(path, &|_, claims| claims["nonce"] = nonce.clone()).await;
        assert_eq!(good.status, 200, "{path}: {good:?}");
        world.server.advance(TimeDelta::seconds(600));
        let old = world.bent(path, &|_, claims| claims["nonce"] = nonce.clone()).await;
        assert_eq!(old.refusal(), "401 use_dpop_nonce", "{path}: {old:?}");
    }
}

async fn scripts_may_send_proofs_and_read_nonces(db: Kind) {
    let server = TestServer::start(db).await;
    let http = server.browser();
    let origin = ("origin", "https://portal.example");
    for path in ["/token", "/userinfo", "/v1/projects"] {
        let ask = [origin, ("access-control-request-method", "POST")];
        let preflight = http.send(Method::OPTIONS, path, &ask, "").await;
        let headers = preflight.header("access-control-allow-headers");
        assert!(headers.contains("dpop"), "{path}: {headers}");
        let answer = http.send(Method::GET, path, &[origin], "").await;
        let exposed = answer.header("access-control-expose-headers");
        assert!(exposed.contains("dpop-nonce"), "{path}: {exposed}");
    }
    // Nobody is asked for a proof who did not send one.
    let plain = backend(&server).client_credentials("project.read").await;
    assert_eq!(plain.header("dpop-nonce"), "");
}
