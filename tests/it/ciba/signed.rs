//! CIBA with signed requests, by an app that signs who it is, too: the modules of fapi-ciba-id1 that
//! are about signatures. Source: CIBA Core section 7.1.1, FAPI-CIBA section 5.2.2.

use serde_json::{Value, json};

use crate::ciba::{CIBA, approve, apps, begin, desk, poll};
use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::signer::{JWT_BEARER, Signer, attacks, bent, strange_headers};
use crate::common::world::ben;

both!(
    fapi_ciba_id1_ensure_requested_expiry_as_string_succeeds,
    fapi_ciba_id1_ensure_wrong_client_id_in_token_endpoint_request,
    fapi_ciba_id1_ensure_wrong_client_id_in_backchannel_authorization_request,
    fapi_ciba_id1_ensure_without_client_assertion_fails,
    fapi_ciba_id1_ensure_client_assertion_with_iss_aud_succeeds,
    fapi_ciba_id1_ensure_client_assertion_signature_algorithm_is_rs256_fails,
    fapi_ciba_id1_ensure_invalid_client_assertions_fail,
    fapi_ciba_id1_ensure_backchannel_authorization_request_without_request_fails,
    fapi_ciba_id1_ensure_request_object_claims_are_checked,
    fapi_ciba_id1_ensure_request_object_signature_algorithm_is_bad_fails,
    fapi_ciba_id1_ensure_request_object_signed_by_other_client_fails,
    ciba_7_1_a_signed_request_is_good_once,
);

/// An app that signs: who it is, and what it asks.
struct Desk {
    signer: Signer,
    app: ClientApp,
    url: String,
}

impl Desk {
    async fn start(db: Kind) -> (TestServer, Self) {
        let server = TestServer::start(db).await;
        let signer = Signer::new("ES256");
        server.apply(&apps(&signer, "")).await;
        let app = ClientApp { id: "signed", secret: None, ..desk(&server) };
        let url = server.url.clone();
        (server, Self { signer, app, url })
    }

    fn assertion(&self, server: &TestServer) -> Value {
        json!({
            "iss": "signed", "sub": "signed", "aud": self.url, "exp": server.now() + 60,
            "jti": format!("{:?}", std::time::Instant::now()),
        })
    }

    fn request(&self, server: &TestServer) -> Value {
        let now = server.now();
        json!({
            "iss": "signed", "aud": self.url, "iat": now, "nbf": now, "exp": now + 300,
            "jti": format!("{:?}", std::time::Instant::now()), "scope": "openid",
            "login_hint": "ben", "client_id": "signed",
        })
    }

    async fn post(&self, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Answer {
        let own = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)];
        self.app.http.post(path, &[&own[..], fields].concat()).await
    }

    async fn begin(&self, server: &TestServer, request: &str) -> Answer {
        let assertion = self.signer.sign("JWT", &self.assertion(server));
        self.post("/bc-authorize", &assertion, &[("request", request)]).await
    }
}

async fn fapi_ciba_id1_ensure_requested_expiry_as_string_succeeds(db: Kind) {
    let (server, own) = Desk::start(db).await;
    for (value, seconds) in [(json!("30"), 30), (json!(30), 30), (json!(86_400), 600)] {
        let request = bent(&own.request(&server), &[("requested_expiry", value)]);
        let begun = own.begin(&server, &own.signer.sign("JWT", &request)).await.expect(200);
        assert_eq!(begun.json()["expires_in"], seconds);
    }
    for bad in [json!(0), json!(-1), json!("x"), json!(1.5), json!([])] {
        let request = bent(&own.request(&server), &[("requested_expiry", bad.clone())]);
        let begun = own.begin(&server, &own.signer.sign("JWT", &request)).await;
        assert_eq!(begun.refusal(), "400 invalid_request", "{bad}");
    }
}

async fn fapi_ciba_id1_ensure_wrong_client_id_in_token_endpoint_request(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let plain = desk(&server);
    let begun = own.begin(&server, &own.signer.sign("JWT", &own.request(&server))).await;
    assert_eq!(poll(&plain, &begun.expect(200)).await.refusal(), "400 invalid_grant");
    let wrong =
        plain.token(&[("grant_type", CIBA), ("auth_req_id", "x"), ("client_id", "signed")]).await;
    assert_eq!(wrong.refusal(), "400 invalid_request");
}

async fn fapi_ciba_id1_ensure_wrong_client_id_in_backchannel_authorization_request(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let request = bent(&own.request(&server), &[("client_id", json!("desk"))]);
    let answer = own.begin(&server, &own.signer.sign("JWT", &request)).await;
    assert_eq!(answer.refusal(), "400 invalid_request");
    let (assertion, request) = (own.assertion(&server), own.request(&server));
    let (assertion, request) =
        (own.signer.sign("JWT", &assertion), own.signer.sign("JWT", &request));
    let fields = [("request", &*request), ("client_id", "desk")];
    let answer = own.post("/bc-authorize", &assertion, &fields).await;
    assert_eq!(answer.status / 100, 4, "{answer:?}");
}

async fn fapi_ciba_id1_ensure_without_client_assertion_fails(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let request = own.signer.sign("JWT", &own.request(&server));
    let fields = [("request", &*request), ("client_id", "signed")];
    let answer = own.app.http.post("/bc-authorize", &fields).await;
    assert_eq!(answer.refusal(), "401 invalid_client");
    let fields = [("grant_type", CIBA), ("auth_req_id", "x"), ("client_id", "signed")];
    assert_eq!(own.app.http.post("/token", &fields).await.refusal(), "401 invalid_client");
    let public = crate::common::world::portal(&server);
    let fields = [("scope", "openid"), ("login_hint", "ben")];
    let answer = public.authenticated("/bc-authorize", &fields).await;
    assert_eq!(answer.refusal(), "400 unauthorized_client");
}

async fn fapi_ciba_id1_ensure_client_assertion_with_iss_aud_succeeds(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let begun = own.begin(&server, &own.signer.sign("JWT", &own.request(&server))).await;
    let begun = begun.expect(200);
    approve(&server, &ben(&server)).await;
    let assertion = own.signer.sign("JWT", &own.assertion(&server));
    let id = begun.text("auth_req_id");
    let fields = [("grant_type", CIBA), ("auth_req_id", &*id)];
    own.post("/token", &assertion, &fields).await.expect(200);
}

async fn fapi_ciba_id1_ensure_client_assertion_signature_algorithm_is_rs256_fails(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let other = Signer::new("RS256").named(&own.signer.kid);
    let request = own.signer.sign("JWT", &own.request(&server));
    let assertion = other.sign("JWT", &own.assertion(&server));
    let answer = own.post("/bc-authorize", &assertion, &[("request", &request)]).await;
    assert_eq!(answer.refusal(), "401 invalid_client");
    let answer = own.post("/token", &assertion, &[("grant_type", CIBA)]).await;
    assert_eq!(answer.refusal(), "401 invalid_client");
}

async fn fapi_ciba_id1_ensure_invalid_client_assertions_fail(db: Kind) {
    let (server, own) = Desk::start(db).await;
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("aud", Value::Null),
        ("sub", Value::Null),
        ("iss", json!("desk")),
        ("exp", json!(server.now() - 300)),
        ("exp", Value::Null),
        ("jti", Value::Null),
    ] {
        let request = own.signer.sign("JWT", &own.request(&server));
        let assertion = bent(&own.assertion(&server), &[(name, value.clone())]);
        let assertion = own.signer.sign("JWT", &assertion);
        let answer = own.post("/bc-authorize", &assertion, &[("request", &request)]).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{name} {value}");
    }
}

async fn fapi_ciba_id1_ensure_backchannel_authorization_request_without_request_fails(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let plain = [("scope", "openid"), ("login_hint", "ben")];
    let assertion = own.signer.sign("JWT", &own.assertion(&server));
    let answer = own.post("/bc-authorize", &assertion, &plain).await;
    assert_eq!(answer.refusal(), "400 invalid_request");
    let request = own.signer.sign("JWT", &own.request(&server));
    let assertion = own.signer.sign("JWT", &own.assertion(&server));
    let beside = [&plain[..], &[("request", &*request)]].concat();
    let answer = own.post("/bc-authorize", &assertion, &beside).await;
    assert_eq!(answer.refusal(), "400 invalid_request", "nothing stands beside");
    let answer = begin(&desk(&server), &[("request", &request)]).await;
    assert_eq!(answer.refusal(), "400 invalid_request", "the app has not said that it signs");
}

async fn fapi_ciba_id1_ensure_request_object_claims_are_checked(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let now = server.now();
    let bad = [
        ("aud", json!("https://other.example")),
        ("aud", Value::Null),
        ("aud", json!(1)),
        ("iss", json!("desk")),
        ("iss", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", Value::Null),
        ("exp", json!(now + 70 * 60)),
        ("exp", json!("soon")),
        ("iat", Value::Null),
        ("jti", Value::Null),
        ("nbf", Value::Null),
        ("nbf", json!(now + 600)),
        ("nbf", json!(now - 70 * 60)),
    ];
    for (name, value) in bad {
        let request = bent(&own.request(&server), &[(name, value.clone())]);
        let answer = own.begin(&server, &own.signer.sign("JWT", &request)).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{name} {value}");
    }
}

async fn fapi_ciba_id1_ensure_request_object_signature_algorithm_is_bad_fails(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let claims = own.request(&server);
    let mut all = attacks(&Signer::new("ES256"), &own.signer.jwk(), "JWT", &claims);
    all.extend(strange_headers(&own.signer, "JWT", &claims));
    let rsa = Signer::new("RS256").named(&own.signer.kid);
    all.push(("RS256".to_owned(), rsa.sign("JWT", &claims)));
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt"] {
        all.push((typ.to_owned(), own.signer.sign(typ, &claims)));
    }
    for (name, request) in all {
        let answer = own.begin(&server, &request).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{name}");
    }
    own.begin(&server, &own.signer.sign("JWT", &claims)).await.expect(200);
}

async fn fapi_ciba_id1_ensure_request_object_signed_by_other_client_fails(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let other = Signer::new("ES256");
    let request = other.sign("JWT", &own.request(&server));
    assert_eq!(own.begin(&server, &request).await.refusal(), "400 invalid_request");
}

async fn ciba_7_1_a_signed_request_is_good_once(db: Kind) {
    let (server, own) = Desk::start(db).await;
    let request = own.signer.sign("JWT", &own.request(&server));
    own.begin(&server, &request).await.expect(200);
    assert_eq!(own.begin(&server, &request).await.refusal(), "400 invalid_request");
}
