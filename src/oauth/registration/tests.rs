//! What an app says of itself, bent.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::apps::model::{AllowedAccounts, Status};
use crate::apps::new_app::NewApp;
use crate::base::scope::Scope;
use crate::oauth::registration::RegistrationError;
use crate::oauth::registration::read::{Rules, read};

fn start() -> NewApp {
    NewApp::new("fresh".parse().unwrap(), "acme".parse().unwrap(), "fresh")
}

fn register(asked: &Map<String, Value>) -> Result<NewApp, RegistrationError> {
    let algorithms = json!(["RS256", "ES256"]);
    let offered = json!({
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_jwt"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "request_object_signing_alg_values_supported": algorithms,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "backchannel_logout_supported": true,
    });
    let scopes = Scope::parse("openid profile").unwrap();
    read(asked, &Rules { offered: &offered, scopes }, start())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

#[test]
fn fields_of_what_is_not_offered_are_passed_over() {
    let offered = json!({ "grant_types_supported": ["authorization_code"] });
    let rules = Rules { offered: &offered, scopes: Scope::default() };
    let asked = object(json!({
        "redirect_uris": ["https://a.example/cb"],
        "dpop_bound_access_tokens": true,
        "backchannel_logout_uri": "https://a.example/out",
        "userinfo_signed_response_alg": "RS256",
    }));

    let app = read(&asked, &rules, start()).unwrap();

    assert!(!app.metadata.dpop_bound_access_tokens);
    assert!(app.metadata.backchannel_logout_uri.is_none());
    assert!(app.metadata.userinfo_signed_response_alg.is_none());
}

#[test]
fn case_64_grants_without_the_user_are_the_operators() {
    let types: Vec<String> = ["token-exchange", "jwt-bearer"]
        .map(|name| format!("urn:ietf:params:oauth:grant-type:{name}"))
        .to_vec();
    let offered = json!({ "grant_types_supported": types });
    let rules = Rules { offered: &offered, scopes: Scope::default() };
    for one in &types {
        let asked = object(json!({ "grant_types": [one] }));

        let refused = read(&asked, &rules, start()).map(drop).unwrap_err();
        let held = NewApp { grant_types: [one.parse().unwrap()].into(), ..start() };

        assert_eq!(refused.code(), "invalid_client_metadata");
        assert!(read(&asked, &rules, held).is_ok(), "an operator allowed it");
    }
}

#[test]
fn what_the_operator_says_stays_with_the_app() {
    let mut held = start();
    held.status = Status::Live;
    held.metadata.may_impersonate = true;
    held.access_token_seconds = 60;
    let offered = json!({});
    let rules = Rules { offered: &offered, scopes: Scope::default() };
    let asked = object(json!({ "status": "developing", "may_impersonate": false }));

    let app = read(&asked, &rules, held.clone()).unwrap();

    assert_eq!((app.status, app.access_token_seconds), (Status::Live, 60));
    assert!(app.metadata.may_impersonate);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
        "(RS256|none|HS256|code|openid|live|all|client_secret_jwt)".prop_map(Value::from),
        "https://a\\.example/[a-z]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn names() -> impl Strategy<Value = String> {
    let known = "(client_name|client_uri|logo_uri|redirect_uris|post_logout_redirect_uris|scope\
                 |grant_types|response_types|jwks|jwks_uri|contacts|default_max_age|tos_uri\
                 |token_endpoint_auth_method|id_token_signed_response_alg|subject_type|request_uris\
                 |status|allowed_accounts|allowed_scopes|custom_claims|profile|may_impersonate\
                 |resources|account|client_name#de|localized|software_statement)";
    prop_oneof![4 => known, 1 => "[ -~]{0,12}"]
}

proptest! {
    /// Whatever is asked for, nothing panics, and nothing is taken that only operators give.
    #[test]
    fn case_64_nobody_registers_more_than_they_may(
        asked in proptest::collection::hash_map(names(), values(), 0..8),
    ) {
        let asked: Map<String, Value> = asked.into_iter().collect();
        let Ok(app) = register(&asked) else { return Ok(()) };
        let scopes = Scope::parse("openid profile").unwrap();
        prop_assert_eq!(app.status, Status::Developing);
        prop_assert_eq!(app.account.as_str(), "acme");
        prop_assert_eq!(app.id.as_str(), "fresh");
        prop_assert!(matches!(&app.allowed_accounts, AllowedAccounts::These(own) if own.len() == 1));
        prop_assert!(app.allowed_scopes.is_within(&scopes));
        prop_assert!(app.custom_claims.is_empty());
        prop_assert!(app.metadata.profile.is_none() && !app.metadata.may_impersonate);
    }

    /// What a refusal says names fields of ours, and nothing that came in.
    #[test]
    fn refusals_do_not_repeat_what_came_in(name in names(), secret in "zq[0-9a-f]{16}") {
        for value in [json!(secret), json!([secret]), json!({ &secret: secret })] {
            let asked = object(json!({ &name: value }));
            if let Err(error) = register(&asked) {
                prop_assert!(!error.description().contains(&secret), "{}", error.description());
            }
        }
    }
}
