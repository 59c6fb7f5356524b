//! What `/authorize` refuses, and how.

use crate::common::actors::ClientApp;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben, dev, legacy, portal, workbench};
use crate::registration::actor::{client, good, open_server, register};

both!(
    case_01_redirect_uri_is_matched_character_by_character,
    case_02_on_loopback_addresses_only_the_port_may_vary,
    case_03_no_pattern_is_a_redirect_uri,
    case_05_before_the_redirect_is_verified_nothing_redirects_and_nothing_is_reflected,
    case_06_errors_go_to_registered_places_only,
    case_06_a_wrong_request_of_an_app_that_nobody_looked_at_redirects_nobody,
    case_08_only_modes_for_codes_are_there,
    case_09_a_repeated_parameter_is_refused,
    case_11_bad_request_objects_are_refused_and_never_fetched,
    case_13_only_the_code_is_a_response_and_only_for_apps_that_may,
    case_14_no_page_can_be_framed,
    case_22_pkce_cannot_be_left_out_or_weakened,
    case_45_the_host_header_is_not_believed,
    case_75_floods_are_cut_off_early,
);

async fn case_01_redirect_uri_is_matched_character_by_character(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let bent = [
        "https://portal.example/callback?x=1",
        "https://portal.example/callback?",
        "https://portal.example/callback/",
        "https://portal.example/callback#",
        "https://portal.example/callback#x",
        "https://portal.example/Callback",
        "https://PORTAL.example/callback",
        "HTTPS://portal.example/callback",
        "https://portal.example:443/callback",
        "https://portal.example:8443/callback",
        "https://portal.example/./callback",
        "https://portal.example/x/../callback",
        "https://portal.example/%2e%2e/callback",
        "https://portal.example/..;/callback",
        "https://portal.example//callback",
        "https://portal.example/c%61llback",
        "https://portal.example\\callback",
        "https://portal.example\\@evil.example/callback",
        "https://user@portal.example/callback",
        "https://portal.example@evil.example/callback",
        "https://portal.example@portal.example@evil.example/callback",
        "https://evil.example/callback",
        "https://evil.example/https://portal.example/callback",
        "https://portal.example.evil.example/callback",
        "https://xn--prtal-jua.example/callback",
        "https://pörtal.example/callback",
        "http://portal.example/callback",
        "//portal.example/callback",
        "/callback",
        "https://portal.example",
        " https://portal.example/callback",
        "https://portal.example/callback ",
        "https://portal.example/callback\0",
        "https://portal.example/callback\r\nx: y",
        "javascript:alert(1)",
        "data:text/html,x",
    ];

    for uri in bent {
        let url = app.authorize_url_with(&[("redirect_uri", uri)]);
        let answer = server.browser().get(&url).await;
        assert_eq!(answer.refusal(), "400 page", "{uri}: {answer:?}");
        assert_eq!(answer.location(), "", "{uri}");
    }
    let exact = server.browser().get(&app.authorize_url()).await;
    assert_eq!(exact.status, 303);
}

async fn case_02_on_loopback_addresses_only_the_port_may_vary(db: Kind) {
    let server = TestServer::start(db).await;
    let app = legacy(&server);
    // Registered: http://localhost:8787, http://127.0.0.1/cb, http://[::1]/cb
    let good = [
        "http://localhost:8787",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:49152/cb",
        "http://[::1]:49152/cb",
    ];
    let bad = [
        "http://localhost:9999",
        "http://localhost",
        "http://localhost.evil.test:8787",
        "http://localhost:8787.evil.test",
        "http://localhost:8787@evil.test",
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.2:49152/cb",
        "http://2130706433:49152/cb",
        "http://127.1:49152/cb",
        "http://0x7f.0.0.1:49152/cb",
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0x50/cb",
        "http://127.0.0.1:99999/cb",
        "https://127.0.0.1:49152/cb",
        "http://[::2]:49152/cb",
        "http://localhost:49152/cb",
    ];

    for uri in good {
        let answer = server.browser().get(&app.authorize_url_with(&[("redirect_uri", uri)])).await;
        assert_eq!(answer.status, 303, "{uri}: {answer:?}");
    }
    for uri in bad {
        let answer = server.browser().get(&app.authorize_url_with(&[("redirect_uri", uri)])).await;
        assert_eq!(answer.refusal(), "400 page", "{uri}: {answer:?}");
    }
}

async fn case_03_no_pattern_is_a_redirect_uri(db: Kind) {
    let server = TestServer::start(db).await;
    for pattern in ["https://*.example/cb", "https://portal.example/*", "https://p.example/.*"] {
        let yaml = format!(
            "apps:\n  - id: patterns\n    account: acme\n    title: Patterns\n    type: public\n    callback_urls: [\"{pattern}\"]\n"
        );
        // Refused at registration, or taken literally: never a pattern.
        let _ = server.try_apply(&yaml).await;
        for uri in ["https://evil.example/cb", "https://portal.example/evil", "https://p.example/x"]
        {
            let url = portal(&server)
                .authorize_url_with(&[("client_id", "patterns"), ("redirect_uri", uri)]);
            assert_eq!(server.browser().get(&url).await.refusal(), "400 page", "{pattern} {uri}");
        }
    }
}

async fn case_05_before_the_redirect_is_verified_nothing_redirects_and_nothing_is_reflected(
    db: Kind,
) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let evil = "<script>alert(1)</script>";
    let requests = [
        app.authorize_url_with(&[("client_id", "nobody"), ("state", evil)]),
        app.authorize_url_with(&[("client_id", evil)]),
        app.authorize_url_with(&[("client_id", "")]),
        app.authorize_url_with(&[("redirect_uri", evil)]),
        app.authorize_url_with(&[("client_id", "nobody"), ("error_description", evil)]),
        app.authorize_url_with(&[("client_id", "backend")]),
        format!("/authorize?error={evil}&error_description={evil}"),
        "/authorize".to_owned(),
    ];

    for url in requests {
        let answer = server.browser().get(&url).await;
        assert_eq!(answer.refusal(), "400 page", "{url}: {answer:?}");
        assert!(!answer.body.contains("<script>alert"), "{answer:?}");
        assert!(!answer.body.contains("alert(1)"), "not even escaped: {answer:?}");
    }
}

/// Apps are registered by an operator, and by themselves only where the operator lets them, so a
/// redirect with an error can only go to a place that somebody answers for.
async fn case_06_errors_go_to_registered_places_only(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let bent = [("scope", "no.such"), ("prompt", "none")];

    let registered = server.browser().get(&app.authorize_url_with(&bent)).await;
    let elsewhere = [bent[0], bent[1], ("redirect_uri", "https://evil.example/callback")];
    let elsewhere = server.browser().get(&app.authorize_url_with(&elsewhere)).await;
    let registration = server.browser().post_json("/register", &[], "{}".to_owned()).await;

    assert_eq!(registered.refusal(), "303 invalid_scope");
    assert!(registered.location().starts_with("https://portal.example/callback?"));
    assert_eq!(elsewhere.refusal(), "400 page");
    assert_eq!(registration.status, 403);
}

async fn case_06_a_wrong_request_of_an_app_that_nobody_looked_at_redirects_nobody(db: Kind) {
    let server = open_server(db).await;
    let told = register(&server, &good()).await.expect(201).json();
    let registered = client(&server, &told);
    let (dev, in_development) = (dev(&server), workbench(&server));
    let wrong =
        |app: &ClientApp| app.authorize_url_with(&[("scope", "no.such"), ("prompt", "none")]);
    let silent = |app: &ClientApp| app.authorize_url_with(&[("prompt", "none")]);

    for app in [&registered, &in_development] {
        let answer = server.browser().get(&wrong(app)).await;
        assert_eq!((answer.refusal().as_str(), answer.location()), ("400 page", ""), "{}", app.id);
        // Who asks in silence has to be told that nobody is signed in.
        assert_eq!(server.browser().get(&silent(app)).await.refusal(), "303 login_required");
    }
    dev.sign_in(&server).await;
    for app in [&registered, &in_development] {
        assert_eq!(dev.browser.get(&wrong(app)).await.refusal(), "303 invalid_scope", "{}", app.id);
    }
}

async fn case_08_only_modes_for_codes_are_there(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    for mode in ["fragment", "fragment.jwt", "web_message", "Query", "x"] {
        let url = app.authorize_url_with(&[("response_mode", mode)]);
        let answer = server.browser().get(&url).await;
        assert_eq!(answer.refusal(), "303 invalid_request", "{mode}");
        assert!(!answer.location().contains('#'), "{answer:?}");
    }
    let url = app.authorize_url_with(&[("response_mode", "query")]);
    let answer = ben.authorize(&server, &url).await;

    let query = answer.location().split_once('?').unwrap().1;
    assert!(query.contains("code=") && !query.contains("token"), "{answer:?}");
    assert!(!answer.location().contains('#'), "{answer:?}");
}

async fn case_09_a_repeated_parameter_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);

    for (name, value) in app.request() {
        let pair =
            form_urlencoded::Serializer::new(String::new()).append_pair(name, &value).finish();
        let url = format!("{}&{pair}", app.authorize_url());
        let answer = server.browser().get(&url).await;
        assert!(
            ["400 page", "303 invalid_request"].contains(&&*answer.refusal()),
            "{name}: {answer:?}"
        );
        let posted = server.browser().post("/token", &[(name, &value), (name, &value)]).await;
        assert_eq!(posted.refusal(), "400 invalid_request", "{name}: {posted:?}");
    }
    for path in ["/token", "/revoke", "/introspect"] {
        let fields = [("token", "x"), ("token", "x"), ("grant_type", "x"), ("grant_type", "x")];
        let answer = backend(&server).authenticated(path, &fields).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{path}: {answer:?}");
    }
}

async fn case_11_bad_request_objects_are_refused_and_never_fetched(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}/request.jwt", trap.local_addr().unwrap());

    let by_value = app.authorize_url_with(&[("request", "eyJhbGciOiJFUzI1NiJ9.e30.eA")]);
    let by_reference = app.authorize_url_with(&[("request_uri", &target)]);
    let by_value = server.browser().get(&by_value).await;
    let by_reference = server.browser().get(&by_reference).await;

    assert_eq!(by_value.refusal(), "303 invalid_request_object");
    assert_eq!(by_reference.refusal(), "303 invalid_request_uri");
    let knock = tokio::time::timeout(std::time::Duration::from_millis(100), trap.accept()).await;
    assert!(knock.is_err(), "nobody came to fetch it");
}

async fn case_13_only_the_code_is_a_response_and_only_for_apps_that_may(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    for kind in ["token", "id_token", "code token", "code id_token", "none", "x"] {
        let answer =
            server.browser().get(&app.authorize_url_with(&[("response_type", kind)])).await;
        assert_eq!(answer.refusal(), "303 unsupported_response_type", "{kind}");
    }
    server
        .apply(
            "apps:\n  - id: machine\n    account: acme\n    title: Machine\n    status: live\n    type: confidential\n    callback_urls: [https://machine.example/cb]\n    allowed_scopes: [project.read]\n    grant_types: [client_credentials]\n    secrets: [machine-secret-0123456789-abcdefghijklmnop]\n",
        )
        .await;
    let url = app.authorize_url_with(&[
        ("client_id", "machine"),
        ("redirect_uri", "https://machine.example/cb"),
        ("scope", "project.read"),
    ]);
    assert_eq!(server.browser().get(&url).await.refusal(), "303 unauthorized_client");

    // What was asked for cannot be changed while the pages are shown.
    ben.sign_in(&server).await;
    let page = ben.browser.follow(ben.browser.get(&app.authorize_url()).await).await;
    let resume = page.url.replace("/consent?grant=", "/authorize/");
    let bent = format!("{resume}?response_type=token&response_mode=fragment&scope=x");
    let answer = ben.browser.follow(ben.browser.get(&bent).await).await;
    let answer = ben.decide(&answer, true).await;
    assert!(answer.location().starts_with("https://portal.example/callback?code="), "{answer:?}");
}

async fn case_14_no_page_can_be_framed(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let sign_in = ben.browser.follow(ben.browser.get(&app.authorize_url()).await).await;
    let after = ben.answer_page(&server, &sign_in).await;
    let pages = [
        sign_in,
        after,
        ben.browser.get("/authorize").await,
        ben.browser.get("/").await,
        ben.browser.get("/logout").await,
        ben.browser.get("/signed-out").await,
        ben.browser.get("/no/such/page").await,
    ];

    for page in pages {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{page:?} {policy}");
        assert!(policy.contains("default-src 'none'"), "{page:?} {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{page:?}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{page:?}");
    }
}

async fn case_22_pkce_cannot_be_left_out_or_weakened(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let plain = "x".repeat(43);
    let bent: &[&[(&str, &str)]] = &[
        &[("code_challenge", ""), ("code_challenge_method", "")],
        &[("code_challenge", "")],
        &[("code_challenge_method", "")],
        &[("code_challenge_method", "plain"), ("code_challenge", &plain)],
        &[("code_challenge_method", "s256")],
        &[("code_challenge", "short")],
        &[("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")],
    ];

    for changed in bent {
        let answer = server.browser().get(&app.authorize_url_with(changed)).await;
        assert_eq!(answer.refusal(), "303 invalid_request", "{changed:?}");
    }
}

async fn case_45_the_host_header_is_not_believed(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
    ];

    let discovery = server.browser().get_with("/.well-known/openid-configuration", &evil).await;
    let begun = server.browser().get_with(&app.authorize_url(), &evil).await;
    let error = server.browser().get_with("/authorize", &evil).await;

    assert_eq!(discovery.json()["issuer"], server.url);
    for answer in [discovery, begun, error] {
        assert!(!answer.body.contains("evil.example"), "{answer:?}");
        assert!(!answer.location().contains("evil.example"), "{answer:?}");
    }
}

async fn case_75_floods_are_cut_off_early(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let huge = "x".repeat(3 * 1024 * 1024);
    let many: Vec<(String, &str)> = (0..2_000).map(|n| (format!("p{n}"), "1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (&**name, *value)).collect();

    for path in ["/token", "/revoke", "/introspect", "/sign-in", "/consent", "/authorize"] {
        // It may hang up while the flood is still coming: that is an answer, too.
        if let Some(answer) = server.browser().try_post(path, &[], &[("token", &huge)]).await {
            assert!([400, 403, 413].contains(&answer.status), "{path}: {}", answer.status);
        }
        let answer = server.browser().post(path, &many).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let long_head = format!(
        "GET /authorize?state={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    let answer = server.raw(long_head.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");

    // Strangers leave no sessions behind, and unfinished requests go away by themselves.
    for _ in 0..5 {
        server.browser().get(&app.authorize_url()).await;
    }
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM sessions").await, 0);
}
