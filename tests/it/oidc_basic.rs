//! The official plans `oidcc-basic-certification-test-plan` and
//! `oidcc-config-certification-test-plan`, each module a test of the same name.

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::oidc::basic_plan;

basic_plan!("");

both!(oidcc_discovery_endpoint_verification);

/// The configuration plan's only module. Source: OpenID Connect Discovery sections 3 and 4.
async fn oidcc_discovery_endpoint_verification(db: Kind) {
    let server = TestServer::start_empty(db).await;

    let answer = server.browser().get("/.well-known/openid-configuration").await.expect(200);
    let document = answer.json();

    assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
    assert_eq!(document["issuer"], server.url);
    let has = |name: &str, value: &str| {
        let values = document[name].as_array().unwrap_or_else(|| panic!("no {name}"));
        assert!(values.contains(&value.into()), "{name} lacks {value}: {values:?}");
    };
    has("response_types_supported", "code");
    has("response_modes_supported", "form_post");
    has("subject_types_supported", "public");
    has("id_token_signing_alg_values_supported", "RS256");
    has("scopes_supported", "openid");
    has("claims_supported", "sub");
    has("token_endpoint_auth_methods_supported", "client_secret_basic");
    has("token_endpoint_auth_methods_supported", "client_secret_post");
    assert_eq!(document["claims_parameter_supported"], true);
    assert!(document["request_uri_parameter_supported"].is_boolean(), "the default is true");
    for name in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        let url = document[name].as_str().unwrap_or_else(|| panic!("no {name}"));
        assert!(url.starts_with(&server.url), "{name}: {url}");
    }
    let jwks = server.browser().get(document["jwks_uri"].as_str().unwrap()).await.expect(200);
    for key in jwks.json()["keys"].as_array().unwrap() {
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private}");
        }
    }
}
