//! What the server says of itself is true, all of it.

use serde_json::Value;

use crate::common::actors::{Tokens, basic};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, portal};
use crate::common::{both, jwt};

both!(
    both_documents_agree_and_may_be_cached,
    everything_that_is_advertised_works,
    every_claim_that_is_advertised_comes,
    every_algorithm_that_is_advertised_signs,
    what_is_not_advertised_is_refused,
);

/// Somebody of whom every standard claim is known.
pub const WHOLE_ADA: &str = r#"users:
  - id: ada
    username: ada
    email: ada@acme.example
    email_verified: true
    name: Ada Alvarez
    given_name: Ada
    family_name: Alvarez
    profile:
      middle_name: Augusta
      nickname: adi
      profile: https://ada.example/me
      picture: https://ada.example/me.png
      website: https://ada.example
      gender: female
      birthdate: "1985-12-10"
      zoneinfo: Europe/Madrid
      locale: es-ES
      phone_number: "+34 91 123 45 67"
      phone_number_verified: true
      address: { formatted: "Calle Mayor 1\nMadrid", street_address: Calle Mayor 1, locality: Madrid, region: Madrid, postal_code: "28013", country: Spain }
"#;

async fn documents(server: &TestServer) -> (Value, Value) {
    let openid = server.browser().get("/.well-known/openid-configuration").await.expect(200);
    let oauth = server.browser().get("/.well-known/oauth-authorization-server").await.expect(200);
    for answer in [&openid, &oauth] {
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer:?}");
    }
    (openid.json(), oauth.json())
}

fn list(document: &Value, name: &str) -> Vec<String> {
    let values = document[name].as_array().unwrap_or_else(|| panic!("no {name}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

async fn both_documents_agree_and_may_be_cached(db: Kind) {
    let server = TestServer::start(db).await;

    let (openid, oauth) = documents(&server).await;

    assert_eq!(openid["issuer"], server.url);
    for (name, value) in oauth.as_object().unwrap() {
        assert_eq!(&openid[name], value, "{name}");
    }
    // Required by OpenID Connect Discovery section 3.
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(openid.get(name).is_some(), "{name}");
    }
    assert!(list(&openid, "id_token_signing_alg_values_supported").contains(&"RS256".to_owned()));
    let jwks = server.browser().get("/jwks").await.expect(200);
    assert_eq!(jwks.header("access-control-allow-origin"), "*");
}

/// Every endpoint is where it says, and does what it says.
async fn everything_that_is_advertised_works(db: Kind) {
    let server = TestServer::start(db).await;
    let (document, _) = documents(&server).await;
    for (name, value) in document.as_object().unwrap() {
        let Some(url) = value.as_str().filter(|url| url.starts_with("http")) else { continue };
        if name == "issuer" {
            continue;
        }
        let answer = server.browser().get(url).await;
        let posted = server.browser().post(url, &[]).await;
        assert!(answer.status != 404 && posted.status != 404, "{name}: {answer:?} {posted:?}");
    }
    let app = portal(&server);
    for grant in list(&document, "grant_types_supported") {
        let answer = backend(&server).token(&[("grant_type", &grant)]).await;
        assert_ne!(answer.refusal(), "400 unsupported_grant_type", "{grant}");
    }
    for prompt in list(&document, "prompt_values_supported") {
        let url = app.authorize_url_with(&[("prompt", &prompt)]);
        assert_ne!(server.browser().get(&url).await.refusal(), "303 invalid_request", "{prompt}");
    }
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = list(&document, &format!("{endpoint}_endpoint_auth_methods_supported"));
        let url = document[format!("{endpoint}_endpoint")].as_str().unwrap();
        for method in methods {
            let (id, secret) = ("backend", backend(&server).secret.unwrap());
            let fields = [("token", "x"), ("grant_type", "refresh_token"), ("refresh_token", "x")];
            let answer = match &*method {
                "client_secret_basic" => {
                    let header = basic(id, secret);
                    server.browser().post_with(url, &[("authorization", &header)], &fields).await
                }
                "client_secret_post" => {
                    let own = [("client_id", id), ("client_secret", secret)];
                    server.browser().post(url, &[&own[..], &fields].concat()).await
                }
                "none" => {
                    let own = [("client_id", "portal")];
                    server.browser().post(url, &[&own[..], &fields].concat()).await
                }
                // See client_assertion.rs.
                "private_key_jwt" | "client_secret_jwt" => continue,
                other => panic!("{endpoint}: {other} is advertised and not known here"),
            };
            assert_ne!(answer.status, 401, "{endpoint} {method}: {answer:?}");
        }
    }
}

/// Every scope can be asked for, every claim comes.
async fn every_claim_that_is_advertised_comes(db: Kind) {
    let server = TestServer::start(db).await;
    let (document, _) = documents(&server).await;
    server.apply(WHOLE_ADA).await;
    server
        .change_app(
            "portal",
            "email, account.read",
            "email, address, phone, offline_access, account.read",
        )
        .await;
    let (app, ada) = (portal(&server), ada(&server));
    let scope = list(&document, "scopes_supported").join(" ");
    let code = app.code_for(&server, &ada, &app.authorize_url_with(&[("scope", &scope)])).await;
    let tokens = Tokens::of(&app.exchange(&code).await);
    let mut seen = app.userinfo(&tokens.access).await.expect(200).json();
    for part in [jwt::claims(&tokens.id), jwt::claims(&tokens.access)] {
        seen.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    for claim in list(&document, "claims_supported") {
        assert!(seen.get(&claim).is_some(), "{claim} is advertised and does not come: {seen}");
    }
}

async fn every_algorithm_that_is_advertised_signs(db: Kind) {
    let server = TestServer::start(db).await;
    let (document, _) = documents(&server).await;
    let jwks = server.browser().get("/jwks").await.json();

    for alg in list(&document, "id_token_signing_alg_values_supported") {
        let lines = format!(
            "type: public\n    id_token_algorithm: {alg}\n    access_token_algorithm: {alg}"
        );
        server.change_app("portal", "type: public", &lines).await;
        let tokens = portal(&server).tokens(&server, &ada(&server)).await;
        for token in [&tokens.id, &tokens.access] {
            let header = jwt::header(token);
            assert_eq!(header["alg"], *alg);
            let keys = jwks["keys"].as_array().unwrap();
            let key = keys.iter().find(|key| key["kid"] == header["kid"]);
            let key = key.unwrap_or_else(|| panic!("no key for {header}"));
            assert_eq!((&key["alg"], &key["use"]), (&header["alg"], &"sig".into()));
        }
        portal(&server).userinfo(&tokens.access).await.expect(200);
    }
}

async fn what_is_not_advertised_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);

    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer", "x", "é"]
    {
        let answer = app.token(&[("grant_type", grant)]).await;
        assert_eq!(answer.refusal(), "400 unsupported_grant_type", "{grant}");
    }
    assert_eq!(app.token(&[]).await.refusal(), "400 invalid_request");
    assert_eq!(server.browser().get("/.well-known/webfinger").await.status, 404);
}
