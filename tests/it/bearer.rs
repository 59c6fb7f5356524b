//! How access tokens may be sent, and how paths and methods are read.

use reqwest::Method;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(
    userinfo_tells_what_the_scope_allows,
    case_67_no_spelling_of_a_path_slips_past_its_scope,
    case_67_only_the_methods_of_the_table_exist,
    case_68_a_token_comes_in_one_header_once,
);

async fn userinfo_tells_what_the_scope_allows(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let of = async |scope: &str| {
        let url = app.authorize_url_with(&[("scope", scope)]);
        let code = app.code_for(&server, &ada, &url).await;
        app.userinfo(&app.exchange(&code).await.text("access_token")).await
    };

    let bare = of("openid").await.expect(200).json();
    let email = of("openid email").await.expect(200).json();
    let profile = of("openid profile").await.expect(200).json();
    let none = of("project.read").await;

    assert_eq!(bare, serde_json::json!({"sub": "ada"}));
    assert_eq!(
        (&email["email"], &email["email_verified"]),
        (&"ada@acme.example".into(), &true.into())
    );
    assert_eq!((&profile["name"], &profile["given_name"]), (&"Ada Alvarez".into(), &"Ada".into()));
    assert!(profile.get("email").is_none() && email.get("name").is_none());
    assert_eq!(none.refusal(), "403 insufficient_scope");
    let challenge = none.header("www-authenticate");
    assert!(challenge.starts_with("Bearer") && challenge.contains("insufficient_scope"));
}

async fn case_67_no_spelling_of_a_path_slips_past_its_scope(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let url = app.authorize_url_with(&[("scope", "openid account.read")]);
    let code = app.code_for(&server, &ben, &url).await;
    let token = app.exchange(&code).await.text("access_token");
    let paths = [
        "/v1/projects",
        "/v1/projects/",
        "//v1/projects",
        "/v1//projects",
        "/v1/./projects",
        "/v1/accounts/../projects",
        "/v1/%70rojects",
        "/v1%2Fprojects",
        "/V1/Projects",
        "/v1/projects;x=1",
        "/v1/projects%00",
        "/v1/projects%20",
        "/v1/projects?/v1/accounts",
        "/v1/projects#/v1/accounts",
        "/v1/accounts;/../projects",
        "/v1/accounts/..%2fprojects",
        "http://other.example/v1/projects",
        "/v1/projects/heart",
        "/v1/projects/%2e%2e/accounts",
    ];

    for path in paths {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nlifeomic-account: acme\r\nx-http-method-override: GET\r\nx-original-url: /v1/accounts\r\nx-rewrite-url: /v1/accounts\r\nconnection: close\r\n\r\n"
        );
        let answer = server.raw(request.as_bytes()).await;
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert!(["400", "403", "404"].contains(&status), "{path}: {answer}");
        assert!(!answer.contains("Heart study"), "{path}: {answer}");
    }
    let unknown = app.api("/v1/no-such-thing", &token, "acme").await;
    assert_eq!(unknown.status, 404);
    app.api("/v1/accounts", &token, "acme").await.expect(200);
}

async fn case_67_only_the_methods_of_the_table_exist(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let token = app.tokens(&server, &ada).await.access;
    let bearer = format!("Bearer {token}");
    let reads = "openid project.read";
    let code = app.code_for(&server, &ada, &app.authorize_url_with(&[("scope", reads)])).await;
    let reader = format!("Bearer {}", app.exchange(&code).await.text("access_token"));
    let http = server.browser();
    let send = async |method: Method, token: &str, extra: (&str, &str)| {
        let headers = [
            ("authorization", token),
            ("lifeomic-account", "acme"),
            ("content-type", "application/json"),
            extra,
        ];
        http.send(method, "/v1/projects", &headers, r#"{"name":"X"}"#).await
    };

    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
        let answer = send(method.clone(), &bearer, ("x-a", "b")).await;
        assert_eq!(answer.status, 405, "{method}: {answer:?}");
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let answer = send(Method::GET, &reader, (name, "POST")).await;
        assert_eq!(answer.status, 200, "{name}: it stays a GET: {answer:?}");
        assert!(answer.json().get("items").is_some(), "{name}: {answer:?}");
        let answer = send(Method::POST, &reader, (name, "GET")).await;
        assert_eq!(answer.refusal(), "403 insufficient_scope", "{name}");
    }
    // HEAD needs what GET needs.
    let head = http.send(Method::HEAD, "/v1/projects", &[], "").await;
    assert_eq!(head.status, 401);
    let forms = http.post("/userinfo", &[("_method", "GET")]).await;
    assert_eq!(forms.status, 401);
}

async fn case_68_a_token_comes_in_one_header_once(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let token = app.tokens(&server, &ben).await.access;
    let bearer = format!("Bearer {token}");
    let account = ("lifeomic-account", "acme");
    let http = server.browser();

    for scheme in ["bearer", "BEARER", "bEaReR"] {
        let header = format!("{scheme} {token}");
        for path in ["/userinfo", "/v1/projects"] {
            http.get_with(path, &[("authorization", &header), account]).await.expect(200);
        }
    }
    for path in ["/userinfo", "/v1/projects"] {
        let in_query = format!("{path}?access_token={token}");
        let query = http.get_with(&in_query, &[account]).await;
        assert!([400, 401].contains(&query.status), "{path}: {query:?}");
        let both = http.get_with(&in_query, &[account, ("authorization", &bearer)]).await;
        assert_eq!(both.refusal(), "400 invalid_request", "{path}: {both:?}");
        let twice = [account, ("authorization", &*bearer), ("authorization", &*bearer)];
        let twice = http.get_with(path, &twice).await;
        assert_eq!(twice.refusal(), "400 invalid_request", "{path}: {twice:?}");
        let none = http.get_with(path, &[account]).await;
        assert_eq!(none.status, 401, "{path}");
        // RFC 6750 section 3.1: without a token no error code in the challenge.
        let challenge = none.header("www-authenticate");
        assert!(challenge.starts_with("Bearer") && !challenge.contains("error"), "{challenge}");
        for odd in ["Bearer", "Bearer ", "Basic abc", "Token x", &format!("Bearer  {token} x")] {
            let answer = http.get_with(path, &[account, ("authorization", odd)]).await;
            assert!([400, 401].contains(&answer.status), "{path} {odd}: {answer:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "{path} {odd}");
        }
        let bad = http.get_with(path, &[account, ("authorization", "Bearer x")]).await;
        assert!(bad.header("www-authenticate").contains("error=\"invalid_token\""), "{bad:?}");
    }
}
