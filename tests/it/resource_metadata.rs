//! What the resource API says of itself, and signed answers about tokens. Source: RFC 9728,
//! RFC 9701.

use narthex::keys::algorithm::Algorithm;
use narthex::keys::foreign::{Jws, KeySet};
use serde_json::{Value, json};

use crate::common::actors::{ClientApp, basic};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, portal};

both!(
    rfc9728_the_resource_names_its_authorization_server,
    rfc9728_5_1_a_refusal_names_the_metadata,
    rfc9701_5_an_answer_about_a_token_is_signed_if_asked_for,
    rfc9701_6_the_app_chooses_the_algorithm,
);

const SIGNED: &str = "application/token-introspection+jwt";

async fn rfc9728_the_resource_names_its_authorization_server(db: Kind) {
    let server = TestServer::start(db).await;

    let answer = server.browser().get("/.well-known/oauth-protected-resource").await.expect(200);
    let document = answer.json();

    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(document["resource"], server.url);
    assert_eq!(document["authorization_servers"], json!([server.url]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], false);
    let scopes: Vec<_> = document["scopes_supported"].as_array().expect("scopes").iter().collect();
    assert!(scopes.contains(&&json!("project.read")));
    let discovered = server.browser().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(discovered["protected_resources"], json!([server.url]));
    assert_eq!(
        discovered["dpop_signing_alg_values_supported"],
        document["dpop_signing_alg_values_supported"]
    );
}

async fn rfc9728_5_1_a_refusal_names_the_metadata(db: Kind) {
    let server = TestServer::start(db).await;
    let named =
        format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", server.url);

    for path in ["/userinfo", "/v1/projects"] {
        let http = server.browser();
        let none = http.get(path).await.expect(401);
        let bad = http.get_with(path, &[("authorization", "Bearer x")]).await.expect(401);
        let all: Vec<_> = none.headers.get_all("www-authenticate").iter().collect();
        assert!(none.header("www-authenticate").contains(&named), "{path}: {none:?}");
        assert!(bad.header("www-authenticate").contains(&named), "{path}: {bad:?}");
        assert_eq!(all.len(), 2, "{path}: Bearer or DPoP");
        assert!(all[1].to_str().expect("text").starts_with("DPoP "), "{path}");
        let url = named.trim_start_matches("resource_metadata=").trim_matches('"');
        assert_eq!(http.get(url).await.status, 200);
    }
}

/// Asks about a token, for an answer of this type.
async fn ask(app: &ClientApp, accept: &str, token: &str) -> Answer {
    let basic = basic(app.id, app.secret.expect("a secret"));
    let headers = [("authorization", &*basic), ("accept", accept)];
    app.http.post_with("/introspect", &headers, &[("token", token)]).await
}

/// The claims of a signed answer, verified by the published keys.
async fn verified(server: &TestServer, answer: &Answer, algorithm: Algorithm) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), SIGNED);
    assert_eq!(jwt::header(&answer.body)["typ"], "token-introspection+jwt");
    let keys = KeySet::from_json(&server.browser().get("/jwks").await.json()).expect("keys");
    let jws = Jws::parse(&answer.body).expect("a JWS");
    Value::Object(jws.verify(&keys, &[algorithm]).expect("a good signature"))
}

async fn rfc9701_5_an_answer_about_a_token_is_signed_if_asked_for(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, tokens) = (backend(&server), portal(&server).tokens(&server, &ada(&server)).await);

    let plain = ask(&app, "application/json", &tokens.access).await.expect(200).json();
    for accept in [SIGNED, &format!("application/json;q=0.5, {SIGNED}")] {
        let answer = ask(&app, accept, &tokens.access).await;
        let claims = verified(&server, &answer, Algorithm::RS256).await;
        assert_eq!(claims["iss"], server.url);
        assert_eq!(claims["aud"], "backend");
        assert_eq!(claims["iat"], server.now());
        assert_eq!(claims["token_introspection"], plain);
        assert!(claims.get("sub").is_none() && claims.get("exp").is_none());
        assert_eq!(plain["active"], true);
        // Whoever takes it for an access token is mistaken.
        let misused = portal(&server).userinfo(&answer.body).await;
        assert_eq!(misused.refusal(), "401 invalid_token");
    }
    let dead = ask(&app, SIGNED, "x").await;
    let claims = verified(&server, &dead, Algorithm::RS256).await;
    assert_eq!(claims["token_introspection"], json!({"active": false}));
    let nobody = server.browser();
    let headers = [("accept", SIGNED)];
    let refused = nobody.post_with("/introspect", &headers, &[("token", &tokens.access)]).await;
    assert_eq!(refused.refusal(), "401 invalid_client");
    for plain in ["", "*/*", "application/*", "text/html"] {
        let answer = ask(&app, plain, &tokens.access).await;
        assert_eq!(answer.header("content-type"), "application/json", "{plain:?}");
    }
}

async fn rfc9701_6_the_app_chooses_the_algorithm(db: Kind) {
    let server = TestServer::start(db).await;
    let document = server.browser().get("/.well-known/openid-configuration").await.json();
    let offered =
        document["introspection_signing_alg_values_supported"].as_array().expect("a list");
    assert_eq!(offered.len(), 4);

    for alg in offered {
        let name = alg.as_str().expect("a name");
        let lines = format!(
            "type: confidential\n    client_metadata: {{ introspection_signed_response_alg: {name} }}"
        );
        server.change_app("backend", "type: confidential", &lines).await;
        let answer = ask(&backend(&server), SIGNED, "x").await;
        verified(&server, &answer, name.parse().expect("an algorithm")).await;
        assert_eq!(jwt::header(&answer.body)["alg"], *alg);
    }
}
