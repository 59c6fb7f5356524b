//! Apps that register themselves. Source: RFC 7591, RFC 7592.

pub mod actor;
mod manage;
mod quota;

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ben, dev};
use crate::registration::actor::{CALLBACK, client, good, open_server, register, with};

both!(
    rfc7591_3_2_an_app_registers_and_signs_people_in,
    rfc7591_2_what_is_left_out_has_a_default,
    rfc7591_2_what_is_not_known_is_passed_over,
    rfc7591_2_1_grants_and_responses_go_together,
    rfc7591_2_2_names_come_in_languages,
    rfc7591_2_3_software_statements_are_refused,
    rfc7591_3_2_2_faults_are_told_by_their_field,
    openid_native_apps_have_schemes_of_their_own,
    case_04_no_url_of_a_registered_app_runs_code,
    case_64_an_app_cannot_give_itself_what_operators_give,
    case_75_bodies_and_lists_are_bounded,
    discovery_tells_where_to_register,
);

async fn rfc7591_3_2_an_app_registers_and_signs_people_in(db: Kind) {
    let server = open_server(db).await;

    let answer = register(&server, &good()).await.expect(201);
    let app = client(&server, &answer.json());
    let tokens = app.tokens(&server, &dev(&server)).await;

    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(app.userinfo(&tokens.access).await.expect(200).json()["sub"], "dev");
    let stranger = ben(&server).authorize(&server, &app.authorize_url()).await;
    assert!(stranger.location_param("code").is_none(), "{stranger:?}");
    let other = client(&server, &register(&server, &good()).await.json());
    assert_ne!(other.id, app.id);
}

async fn rfc7591_2_what_is_left_out_has_a_default(db: Kind) {
    let server = open_server(db).await;

    let told = register(&server, &json!({ "redirect_uris": [CALLBACK] })).await.expect(201).json();

    assert_eq!(told["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(told["grant_types"], json!(["authorization_code"]));
    assert_eq!(told["response_types"], json!(["code"]));
    assert_eq!(told["application_type"], "web");
    assert_eq!(told["id_token_signed_response_alg"], "RS256");
    assert_eq!(told["subject_type"], "public");
    assert_eq!(told["client_name"], told["client_id"]);
    assert_eq!(told["client_secret_expires_at"], 0);
    assert_eq!(told["client_secret"].as_str().unwrap().len(), 43);
    assert_eq!(told["client_id_issued_at"], server.now());
    assert_eq!(told["scope"], "address email offline_access openid phone profile");
    let public = with("token_endpoint_auth_method", json!("none"));
    let told = register(&server, &public).await.expect(201).json();
    assert!(told.get("client_secret").is_none() && told.get("client_secret_expires_at").is_none());
}

async fn rfc7591_2_what_is_not_known_is_passed_over(db: Kind) {
    let server = open_server(db).await;

    let told = register(&server, &with("x_colour", json!({ "red": 1 }))).await.expect(201).json();
    let null = register(&server, &with("client_uri", Value::Null)).await.expect(201).json();

    assert!(told.get("x_colour").is_none());
    assert!(null.get("client_uri").is_none());
}

async fn rfc7591_2_1_grants_and_responses_go_together(db: Kind) {
    let server = open_server(db).await;
    let refusal = |name: &'static str, value: Value| {
        let server = &server;
        async move { register(server, &with(name, value)).await.expect(400).text("error_description") }
    };

    assert_eq!(
        refusal("response_types", json!([])).await,
        "response_types: must be code with the grant type authorization_code"
    );
    for types in [json!(["token"]), json!(["code id_token"]), json!(["code", "token"])] {
        assert_eq!(refusal("response_types", types).await, "response_types: is not supported here");
    }
    for types in [json!(["implicit"]), json!(["password"]), json!(["authorization_code", "x"])] {
        assert_eq!(refusal("grant_types", types).await, "grant_types: is not supported here");
    }
    for bad in [json!("code"), json!(1), json!({}), json!([1])] {
        assert!(refusal("response_types", bad.clone()).await.starts_with("response_types: "));
        assert!(refusal("grant_types", bad).await.starts_with("grant_types: "));
    }
    let own = json!({ "grant_types": ["client_credentials"] });
    let told = register(&server, &own).await.expect(201).json();
    assert_eq!(told["response_types"], json!([]));
}

async fn rfc7591_2_2_names_come_in_languages(db: Kind) {
    let server = open_server(db).await;
    let mut asked = with("client_name#de", json!("Anmeldung"));
    asked["tos_uri#fr-CA"] = json!("https://app.example/fr");

    let told = register(&server, &asked).await.expect(201).json();
    let bad = register(&server, &with("client_name#", json!("A"))).await;

    assert_eq!(told["client_name#de"], "Anmeldung");
    assert_eq!(told["tos_uri#fr-CA"], "https://app.example/fr");
    assert!(told.get("localized").is_none());
    assert_eq!(bad.refusal(), "400 invalid_client_metadata");
}

async fn rfc7591_2_3_software_statements_are_refused(db: Kind) {
    let server = open_server(db).await;
    let with_statement = |value| with("software_statement", value);

    let signed = register(&server, &with_statement(json!("eyJhbGciOiJub25lIn0.e30."))).await;
    let nonsense = register(&server, &with_statement(json!("nonsense"))).await;
    let number = register(&server, &with_statement(json!(1))).await;

    assert_eq!(signed.refusal(), "400 unapproved_software_statement");
    assert_eq!(nonsense.refusal(), "400 invalid_software_statement");
    assert_eq!(number.refusal(), "400 invalid_software_statement");
}

async fn rfc7591_3_2_2_faults_are_told_by_their_field(db: Kind) {
    let server = open_server(db).await;
    let metadata = "400 invalid_client_metadata";
    for (name, value, refusal) in [
        ("redirect_uris", json!([]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!(null), "400 invalid_redirect_uri"),
        ("redirect_uris", json!("https://app.example/cb"), "400 invalid_redirect_uri"),
        ("redirect_uris", json!([1]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!(["https://app.example/cb#x"]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!(["http://app.example/cb"]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!(["com.example.app:/cb"]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!(["https://app.example/*"]), "400 invalid_redirect_uri"),
        ("redirect_uris", json!([CALLBACK, CALLBACK]), "400 invalid_redirect_uri"),
        ("client_name", json!(1), metadata),
        ("client_name", json!(""), metadata),
        ("client_name", json!("a\nb"), metadata),
        ("scope", json!("a\"b"), metadata),
        ("scope", json!(["openid"]), metadata),
        ("scope", json!("project.read"), metadata),
        ("token_endpoint_auth_method", json!("password"), metadata),
        ("token_endpoint_auth_method", json!(["none"]), metadata),
        ("id_token_signed_response_alg", json!("none"), metadata),
        ("id_token_signed_response_alg", json!("HS256"), metadata),
        ("subject_type", json!("secret"), metadata),
        ("jwks", json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }), metadata),
        ("jwks", json!("https://app.example/jwks"), metadata),
        ("contacts", json!("a@app.example"), metadata),
        ("default_max_age", json!(-1), metadata),
        ("require_auth_time", json!("yes"), metadata),
        ("initiate_login_uri", json!("http://127.0.0.1/login"), metadata),
        ("application_type", json!("desktop"), metadata),
    ] {
        let answer = register(&server, &with(name, value.clone())).await;
        assert_eq!(answer.refusal(), refusal, "{name} {value}");
        let told = answer.text("error_description");
        assert!(told.starts_with(name), "{name}: {told}");
        assert!(!told.contains("app.example"), "what came in does not come back: {told}");
    }
}

async fn openid_native_apps_have_schemes_of_their_own(db: Kind) {
    let server = open_server(db).await;
    let native = json!({
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb", "https://app.example/cb"],
    });

    let told = register(&server, &native).await.expect(201).json();

    assert_eq!(told["redirect_uris"], native["redirect_uris"]);
    assert_eq!(told["application_type"], "native");
}

async fn case_04_no_url_of_a_registered_app_runs_code(db: Kind) {
    let server = open_server(db).await;
    for scheme in ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "VBSCRIPT:x"] {
        for name in
            ["client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "jwks_uri"]
        {
            let answer = register(&server, &with(name, json!(scheme))).await;
            assert_eq!(answer.refusal(), "400 invalid_client_metadata", "{name} {scheme}");
        }
        for name in ["redirect_uris", "post_logout_redirect_uris"] {
            let answer = register(&server, &with(name, json!([scheme]))).await;
            assert_eq!(answer.status, 400, "{name} {scheme}");
        }
        let answer = register(&server, &with("logo_uri#de", json!(scheme))).await;
        assert_eq!(answer.status, 400, "{scheme}");
    }
}

/// What a developer would like to have: none of it is theirs to take.
pub fn greedy() -> Value {
    let mut asked = good();
    for (name, value) in [
        ("status", json!("live")),
        ("account", json!("beta")),
        ("allowed_accounts", json!("all")),
        ("allowed_scopes", json!("openid project.write policy.write")),
        ("default_scopes", json!("project.write")),
        ("scope", json!("openid project.write policy.write account.read")),
        ("custom_claims", json!([{ "name": "sub", "value": "ada", "in_access_token": true }])),
        ("profile", json!("fapi2_security")),
        ("may_impersonate", json!(true)),
        ("client_metadata", json!({ "may_impersonate": true })),
        ("resources", json!(["https://api.example"])),
        ("localized", json!({ "status#de": "live" })),
        ("require_pkce", json!(false)),
        ("access_token_seconds", json!(86_400)),
        ("client_id", json!("portal")),
        ("client_secret", json!("chosen-by-the-developer")),
        ("id", json!("portal")),
    ] {
        asked[name] = value;
    }
    asked
}

async fn case_64_an_app_cannot_give_itself_what_operators_give(db: Kind) {
    let server = open_server(db).await;

    let told = register(&server, &greedy()).await.expect(201).json();
    let app = client(&server, &told);

    let stored = server.server.apps.find(&app.id.parse().unwrap()).await.unwrap().unwrap();
    assert_ne!(app.id, "portal");
    assert_ne!(told["client_secret"], "chosen-by-the-developer");
    assert_eq!(told["scope"], "openid");
    assert_eq!(stored.allowed_scopes.to_string(), "openid");
    assert_eq!(stored.status.as_str(), "developing");
    assert_eq!(stored.account.as_str(), "acme");
    assert!(!stored.allowed_accounts.contains(&"beta".parse().unwrap()));
    assert!(stored.custom_claims.is_empty());
    assert!(!stored.metadata.may_impersonate && stored.metadata.profile.is_none());
    assert_eq!(stored.access_token_seconds, 3_600);
    for name in
        ["resources", "status", "allowed_accounts", "may_impersonate", "profile", "custom_claims"]
    {
        assert!(told.get(name).is_none(), "{name}");
    }
}

async fn case_75_bodies_and_lists_are_bounded(db: Kind) {
    let server = open_server(db).await;
    let many: Vec<String> = (0..33).map(|at| format!("https://app.example/{at}")).collect();
    let long = "a".repeat(70_000);

    let urls = register(&server, &with("redirect_uris", json!(many))).await;
    let body = register(&server, &with("x", json!(long))).await;
    let deep = server.browser().post_json("/register", &[], "[".repeat(60_000)).await;
    let form = server.browser().post("/register", &[("client_name", "a")]).await;
    let list = server.browser().post_json("/register", &[], "[]".to_owned()).await;

    assert_eq!(urls.refusal(), "400 invalid_redirect_uri");
    for answer in [body, deep, form, list] {
        assert_eq!(answer.refusal(), "400 invalid_client_metadata");
    }
}

async fn discovery_tells_where_to_register(db: Kind) {
    let open = open_server(db).await;
    let closed = TestServer::start(db).await;
    let metadata = "/.well-known/openid-configuration";

    let told = open.browser().get(metadata).await.json();
    let silent = closed.browser().get(metadata).await.json();

    assert_eq!(told["registration_endpoint"], format!("{}/register", open.url));
    assert!(silent.get("registration_endpoint").is_none());
    assert_eq!(register(&closed, &good()).await.refusal(), "403 access_denied");
}
