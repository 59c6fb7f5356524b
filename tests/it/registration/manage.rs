//! What a registered app does with its registration. Source: RFC 7592.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::dev;
use crate::registration::actor::{CALLBACK, client, good, manage, open_server, register, token};
use crate::registration::greedy;

both!(
    rfc7592_2_1_an_app_reads_its_registration,
    rfc7592_2_2_an_app_replaces_its_registration,
    rfc7592_2_2_names_and_secrets_stay,
    rfc7592_2_2_another_method_has_other_secrets,
    rfc7592_2_3_a_deleted_app_and_its_tokens_are_gone,
    rfc7592_2_a_foreign_token_and_an_unknown_app_look_alike,
    case_64_an_update_is_validated_like_a_registration,
    what_the_operator_decided_stays,
);

/// What an update begins with: all that was told, without what may not be sent.
fn update(told: &Value) -> Value {
    let mut all = told.as_object().expect("an object").clone();
    for name in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        all.remove(name);
    }
    Value::Object(all)
}

async fn put(told: &Value, asked: &Value) -> Answer {
    manage(Method::PUT, told, token(told), Some(asked)).await
}

async fn rfc7592_2_1_an_app_reads_its_registration(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();

    let read = manage(Method::GET, &told, token(&told), None).await.expect(200);

    let mut expected = told.clone();
    for secret in ["client_secret", "client_secret_expires_at"] {
        expected.as_object_mut().unwrap().remove(secret);
    }
    assert_eq!(read.json(), expected, "the secret itself is nowhere any more");
    assert_eq!(read.header("cache-control"), "no-store");
}

async fn rfc7592_2_2_an_app_replaces_its_registration(db: Kind) {
    let server = open_server(db).await;
    let mut asked = good();
    asked["client_uri"] = json!("https://app.example/");
    asked["contacts"] = json!(["ops@app.example"]);
    let told = register(&server, &asked).await.expect(201).json();
    let app = client(&server, &told);

    let mut next = update(&told);
    next["client_name"] = json!("Notebook 2");
    next["redirect_uris"] = json!(["https://app.example/other"]);
    next.as_object_mut().unwrap().remove("contacts");
    next["client_uri"] = Value::Null;
    let answer = put(&told, &next).await.expect(200).json();

    assert_eq!(answer["client_name"], "Notebook 2");
    assert!(answer.get("contacts").is_none() && answer.get("client_uri").is_none());
    assert_eq!(token(&answer), token(&told), "the token stays");
    let old = dev(&server).authorize(&server, &app.authorize_url()).await;
    assert_eq!(old.refusal(), "400 page", "the old address is none any more");
    let moved = crate::common::actors::ClientApp {
        redirect_uri: "https://app.example/other",
        ..app.clone()
    };
    moved.tokens(&server, &dev(&server)).await;
}

async fn rfc7592_2_2_names_and_secrets_stay(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let other = register(&server, &good()).await.expect(201).json();
    let bent = |name: &str, value: Value| {
        let mut next = update(&told);
        next[name] = value;
        next
    };

    for (name, value) in [
        ("client_id", other["client_id"].clone()),
        ("client_id", Value::Null),
        ("client_id", json!(1)),
        ("client_secret", json!("another-secret-0123456789-abcdefghijklm")),
        ("client_secret", other["client_secret"].clone()),
        ("client_secret", json!(1)),
        ("registration_access_token", told["registration_access_token"].clone()),
        ("registration_client_uri", told["registration_client_uri"].clone()),
        ("client_secret_expires_at", json!(0)),
        ("client_id_issued_at", json!(0)),
    ] {
        let answer = put(&told, &bent(name, value)).await;
        assert_eq!(answer.refusal(), "400 invalid_client_metadata", "{name}");
    }
    put(&told, &update(&told)).await.expect(200);
    client(&server, &told).tokens(&server, &dev(&server)).await;
}

async fn rfc7592_2_2_another_method_has_other_secrets(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let mut next = update(&told);
    next["token_endpoint_auth_method"] = json!("none");

    let public = put(&told, &next).await.expect(200).json();
    next.as_object_mut().unwrap().remove("client_secret");
    next["token_endpoint_auth_method"] = json!("client_secret_post");
    let confidential = put(&told, &next).await.expect(200).json();

    assert!(public.get("client_secret").is_none());
    let fresh = confidential["client_secret"].as_str().unwrap();
    assert_ne!(fresh, told["client_secret"]);
    let id = told["client_id"].as_str().unwrap();
    let old = told["client_secret"].as_str().unwrap();
    for (secret, error) in [(old, "401 invalid_client"), (fresh, "400 invalid_grant")] {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", id),
            ("client_secret", secret),
            ("code", "1.x"),
            ("redirect_uri", CALLBACK),
        ];
        assert_eq!(server.browser().post("/token", &fields).await.refusal(), error);
    }
}

async fn rfc7592_2_3_a_deleted_app_and_its_tokens_are_gone(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let app = client(&server, &told);
    let tokens = app.tokens(&server, &dev(&server)).await;

    let gone = manage(Method::DELETE, &told, token(&told), None).await;

    assert_eq!((gone.status, gone.body.as_str()), (204, ""));
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "401 invalid_client");
    assert_eq!(app.http.get(&app.authorize_url()).await.refusal(), "400 page");
    for method in [Method::GET, Method::DELETE] {
        let again = manage(method, &told, token(&told), None).await;
        assert_eq!(again.refusal(), "401 invalid_token");
    }
    let left = server.count("SELECT COUNT(*) AS n FROM registrations").await
        + server.count("SELECT COUNT(*) AS n FROM grants").await
        + server.count("SELECT COUNT(*) AS n FROM app_secrets WHERE app_id <> 'backend'").await;
    assert_eq!(left, 0);
}

async fn rfc7592_2_a_foreign_token_and_an_unknown_app_look_alike(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let other = register(&server, &good()).await.expect(201).json();
    let place = |client: &str| json!({ "registration_client_uri": format!("{}/register/{client}", server.url) });
    let own = told["client_id"].as_str().unwrap();

    let mut lines = Vec::new();
    for (client, bearer) in [
        (own, token(&other)),
        (own, "nonsense"),
        (own, told["client_secret"].as_str().unwrap()),
        (own, ""),
        ("portal", token(&told)),
        ("no-such-app", token(&told)),
        ("a%20b", token(&told)),
        ("%FF", token(&told)),
    ] {
        for (method, body) in
            [(Method::GET, None), (Method::PUT, Some(update(&told))), (Method::DELETE, None)]
        {
            lines.push(manage(method, &place(client), bearer, body.as_ref()).await.line());
        }
    }

    assert!(lines.iter().all(|line| *line == lines[0]), "{lines:#?}");
    assert!(lines[0].starts_with("401 [Bearer"), "{}", lines[0]);
    manage(Method::GET, &told, token(&told), None).await.expect(200);
}

async fn case_64_an_update_is_validated_like_a_registration(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let mut wanted = greedy();
    wanted["client_id"] = told["client_id"].clone();
    wanted.as_object_mut().unwrap().remove("client_secret");

    let answer = put(&told, &wanted).await.expect(200).json();
    let mut evil = update(&told);
    evil["logo_uri"] = json!("javascript:alert(1)");
    let refused = put(&told, &evil).await;

    let id = told["client_id"].as_str().unwrap().parse().unwrap();
    let stored = server.server.apps.find(&id).await.unwrap().unwrap();
    assert_eq!(answer["scope"], "openid");
    assert_eq!((stored.status.as_str(), stored.account.as_str()), ("developing", "acme"));
    assert!(!stored.allowed_accounts.contains(&"beta".parse().unwrap()));
    assert!(stored.custom_claims.is_empty());
    assert!(!stored.metadata.may_impersonate && stored.metadata.profile.is_none());
    assert_eq!(refused.refusal(), "400 invalid_client_metadata");
}

async fn what_the_operator_decided_stays(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let id = told["client_id"].as_str().unwrap();
    server
        .apply(&format!(
            "apps: [{{ id: {id}, account: acme, title: Notebook, status: live, type: confidential, \
             allowed_accounts: all, allowed_scopes: [openid, project.read], \
             callback_urls: ['{CALLBACK}'], custom_claims: [{{ name: x, value: 1 }}], \
             client_metadata: {{ may_impersonate: true, tos_uri: 'https://app.example/old' }} }}]"
        ))
        .await;

    let mut next = update(&told);
    next["scope"] = json!("openid project.read project.write");
    let answer = put(&told, &next).await.expect(200).json();

    let stored = server.server.apps.find(&id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(answer["scope"], "openid project.read");
    assert_eq!(stored.status.as_str(), "live");
    assert!(stored.allowed_accounts.contains(&"beta".parse().unwrap()));
    assert_eq!(stored.custom_claims.len(), 1);
    assert!(stored.metadata.may_impersonate, "the operator's word");
    assert!(stored.metadata.tos_uri.is_none(), "the app's word, which it took back");
    assert!(answer.get("may_impersonate").is_none());
}
