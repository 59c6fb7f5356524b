//! Forward authentication, as each of the proxies asks.

use http::Method;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::gateway::{reader, start};
use crate::tenants::Desk;

both!(
    each_proxy_is_answered_with_what_services_expect,
    case_61_the_account_is_checked_and_what_came_from_outside_is_replaced,
    case_67_only_one_reading_of_a_path_passes,
    case_68_the_token_comes_in_one_header,
    case_59_an_api_is_for_the_accounts_that_it_names,
    case_61_fields_that_services_may_take_for_ours_are_refused,
    case_79_only_trusted_proxies_are_heard,
    what_the_gate_refuses_stands_in_the_record,
    case_69_tokens_for_the_api_alone_pass_and_tokens_for_others_do_not,
);

struct Ask<'a> {
    http: Browser,
    token: &'a str,
}

impl Ask<'_> {
    async fn nginx(&self, method: &str, uri: &str, more: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let own = [
            ("authorization", bearer.as_str()),
            ("lifeomic-account", "acme"),
            ("x-original-method", method),
            ("x-original-uri", uri),
        ];
        let replaced = |name: &str| more.iter().any(|(other, _)| *other == name);
        let kept = own.into_iter().filter(|(name, _)| !replaced(name));
        let given = more.iter().copied().filter(|(_, value)| !value.is_empty());
        let headers: Vec<_> = kept.chain(given).collect();
        self.http.send(Method::GET, "/gateway/nginx/handbook", &headers, "").await
    }
}

async fn token(server: &TestServer, person: &crate::common::actors::Person) -> String {
    reader(server).tokens(server, person).await.access
}

fn policy(answer: &Answer) -> Value {
    serde_json::from_str(answer.header("lifeomic-policy")).expect("a policy")
}

async fn each_proxy_is_answered_with_what_services_expect(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ben(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };
    let bearer = format!("Bearer {token}");
    let own = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let forwarded = [("x-forwarded-method", "HEAD"), ("x-forwarded-uri", "/book/a/b?page=2")];

    let nginx = ask.nginx("GET", "/book/a/b", &[]).await;
    let headers = [own, forwarded].concat();
    let traefik = ask.http.send(Method::GET, "/gateway/traefik/handbook", &headers, "").await;
    let path = "/gateway/envoy/handbook/book/studies/heart?x=1";
    let envoy = ask.http.send(Method::GET, path, &own, "").await;

    let rest = json!([{"resource.dataset": {"comparison": "in", "value": ["heart"]}}]);
    for answer in [&nginx, &traefik, &envoy] {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("lifeomic-account"), "acme");
        assert_eq!(answer.header("lifeomic-user"), "ben");
        assert_eq!(policy(answer), json!({"rules": {"readData": rest}}));
        assert!(!answer.header("lifeomic-request-id").is_empty());
        assert!(!answer.header("lifeomic-correlation-id").is_empty());
    }
    let refused = async |method, uri| ask.nginx(method, uri, &[]).await.refusal();
    assert_eq!(refused("GET", "/book/studies/liver").await, "403 policy_denies");
    assert_eq!(refused("PUT", "/book/studies/heart").await, "403 policy_denies");
    assert_eq!(refused("POST", "/book/studies/heart").await, "403 not_found");
    assert_eq!(refused("get", "/book/index").await, "403 not_found");
    assert_eq!(refused("OPTIONS", "/book/index").await, "403 not_found");
    for nowhere in [
        "/gateway/nginx/nothing",
        "/gateway/nginx/",
        "/gateway/nginx/a/b",
        "/gateway/x",
        "/gateway/envoy/handbook",
        "/gateway/envoy/handbook/",
    ] {
        let unknown = ask.http.send(Method::GET, nowhere, &own, "").await;
        assert!(
            matches!(&*unknown.refusal(), "403 not_found" | "403 invalid_request"),
            "{nowhere}"
        );
        assert_eq!(format!("403 {}", unknown.header("narthex-reason")), unknown.refusal());
    }
}

async fn case_61_the_account_is_checked_and_what_came_from_outside_is_replaced(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ben(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };
    let forged = [
        ("lifeomic-user", "ada"),
        ("lifeomic-policy", r#"{"rules":{"readData":true}}"#),
        ("lifeomic-request-id", "mine"),
        ("lifeomic-correlation-id", "trace-7"),
    ];

    let answer = ask.nginx("GET", "/book/index", &forged).await.expect(200);

    assert_eq!(answer.header("lifeomic-user"), "ben");
    assert_ne!(policy(&answer), json!({"rules": {"readData": true}}));
    assert_ne!(answer.header("lifeomic-request-id"), "mine");
    assert_eq!(answer.header("lifeomic-correlation-id"), "trace-7");
    let account = async |name| ask.nginx("GET", "/book/index", &[("lifeomic-account", name)]).await;
    assert_eq!(account("").await.refusal(), "403 account_required");
    assert_eq!(account("beta").await.refusal(), "403 not_a_member");
    assert_eq!(account("gamma").await.refusal(), "403 app_not_allowed");
    assert_eq!(account("Acme").await.refusal(), "403 invalid_account");
    let strangers = self::token(&server, &eve(&server)).await;
    let stranger = Ask { http: server.browser(), token: &strangers };
    assert_eq!(stranger.nginx("GET", "/book/index", &[]).await.refusal(), "403 not_a_member");
    let long = "x\r\ny".replace("\r\n", "_");
    let kept = ask.nginx("GET", "/book/index", &[("lifeomic-correlation-id", &long)]).await;
    assert_ne!(kept.header("lifeomic-correlation-id"), long);
}

async fn case_67_only_one_reading_of_a_path_passes(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ada(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };

    assert_eq!(ask.nginx("GET", "/book/index", &[]).await.status, 200);
    for uri in [
        "/book//index",
        "/book/../index",
        "/book/./index",
        "/book/%2e%2e/index",
        "/book/a%2Fb",
        "/book/a%5Cb",
        "/book/index;x=1",
        "/book/%69ndex",
        "/book/a%00",
        "//book/index",
        "http://handbook.example/book/index",
        "*",
        "book/index",
    ] {
        assert_eq!(ask.nginx("GET", uri, &[]).await.refusal(), "403 invalid_request", "{uri}");
    }
    for uri in ["/index", "/Book/index", "/book", "/bookindex"] {
        assert_eq!(ask.nginx("GET", uri, &[]).await.refusal(), "403 not_found", "{uri}");
    }
    // What a service that makes nothing of case or of the last slash would take to a closer route.
    for uri in ["/book/studies/liver/", "/book/Studies/liver", "/book/INDEX", "/book/index/"] {
        assert_eq!(ask.nginx("GET", uri, &[]).await.refusal(), "403 not_found", "{uri}");
    }
    assert_eq!(ask.nginx("GET", "/book/chapter/", &[]).await.status, 200);
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let answer = ask.nginx("GET", "/book/index", &[(name, "DELETE")]).await;
        assert_eq!(answer.refusal(), "403 invalid_request", "{name}");
    }
    // What other proxies would say is nobody's word here.
    let twice = [("x-forwarded-method", "GET"), ("x-original-method", "")];
    assert_eq!(ask.nginx("GET", "/book/index", &twice).await.refusal(), "403 invalid_request");
    let raw = ask.http.send(Method::GET, "/gateway/envoy/handbook//book/index", &[], "").await;
    assert_eq!(raw.refusal(), "403 invalid_request");
}

async fn case_68_the_token_comes_in_one_header(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ada(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };

    let none = ask.nginx("GET", "/book/index", &[("authorization", "")]).await;
    let bent = ask.nginx("GET", "/book/index", &[("authorization", "Bearer x.y.z")]).await;
    let query = format!("/book/index?access_token={token}");
    let in_query = ask.nginx("GET", &query, &[]).await;

    assert_eq!(none.refusal(), "401 missing_token");
    assert!(none.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(bent.refusal(), "401 invalid_token");
    assert_eq!(in_query.refusal(), "403 invalid_request");
}

/// beta's policies say nothing about what is acme's, unless acme lets them.
async fn case_59_an_api_is_for_the_accounts_that_it_names(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &eve(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };
    let of_beta = async || {
        let answer = ask.nginx("GET", "/book/index", &[("lifeomic-account", "beta")]).await;
        (answer.refusal(), answer.header("narthex-reason").to_owned())
    };
    let open_to = async |accounts: &str| {
        let base = "    base_path: /book\n";
        let opened = format!("{base}    allowed_accounts: {accounts}\n");
        server.apply(&crate::gateway::WORLD.replace(base, &opened)).await;
    };

    let refused = ("403 api_not_allowed".to_owned(), "api_not_allowed".to_owned());
    assert_eq!(of_beta().await, refused);
    open_to("[beta]").await;
    assert_eq!(of_beta().await.0, "200 ");
    open_to("all").await;
    assert_eq!(of_beta().await.0, "200 ");
    open_to("[gamma]").await;
    assert_eq!(of_beta().await, refused);
}

/// Traefik and Envoy hand them on, and CGI reads `_` and `-` alike.
async fn case_61_fields_that_services_may_take_for_ours_are_refused(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ben(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };

    for name in [
        "lifeomic_user",
        "lifeomic_policy",
        "lifeomic_account",
        "lifeomic-correlation_id",
        "lifeomic_request_id",
        "x_http_method_override",
        "x-method_override",
    ] {
        let answer = ask.nginx("GET", "/book/index", &[(name, "ada")]).await;
        assert_eq!(answer.refusal(), "403 invalid_request", "{name}");
    }
    assert_eq!(ask.nginx("GET", "/book/index", &[("x_other", "ada")]).await.status, 200);
}

async fn what_the_gate_refuses_stands_in_the_record(db: Kind) {
    let server = start(db).await;
    let token = token(&server, &ben(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };
    for uri in ["/book/studies/liver", "/book/studies/liver", "/elsewhere", "/book//index"] {
        assert_eq!(ask.nginx("GET", uri, &[]).await.status, 403, "{uri}");
    }
    assert_eq!(ask.nginx("GET", "/book/index", &[("authorization", "")]).await.status, 401);
    narthex::worker::recorder::write_seen(&server.server, true).await;

    let desk = Desk::of(&server, &ada(&server)).await;
    let told = desk.get("/v1/audit?type=gate&user=ben", "acme").await.expect(200).json();
    let mut told: Vec<String> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            assert!(!entry["request"].as_str().unwrap().is_empty(), "{entry}");
            let told = ["target", "reason", "app", "times"].map(|name| entry[name].to_string());
            told.join(" ").replace('"', "")
        })
        .collect();
    told.sort();
    let expected = [
        "handbook invalid_request reader 1",
        "handbook not_found reader 1",
        "handbook.read policy_denies reader 2",
    ];
    assert_eq!(told, expected);
}

async fn case_79_only_trusted_proxies_are_heard(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(crate::gateway::WORLD).await;
    let token = token(&server, &ada(&server)).await;
    let ask = Ask { http: server.browser(), token: &token };

    let answer = ask.nginx("GET", "/book/index", &[("x-forwarded-for", "127.0.0.1")]).await;

    assert_eq!(answer.refusal(), "403 invalid_request");
    assert_eq!(answer.header("lifeomic-policy"), "");
}

async fn case_69_tokens_for_the_api_alone_pass_and_tokens_for_others_do_not(db: Kind) {
    let server = start(db).await;
    let mut claims = jwt::claims(&token(&server, &ada(&server)).await);
    claims["aud"] = "https://handbook.example/".into();
    let good = server.sign("at+jwt", &claims);
    claims["aud"] = "https://elsewhere.example".into();
    let foreign = server.sign("at+jwt", &claims);

    let ask = async |token: &str| {
        Ask { http: server.browser(), token }.nginx("GET", "/book/index", &[]).await
    };
    assert_eq!(ask(&good).await.status, 200);
    assert_eq!(ask(&foreign).await.refusal(), "401 invalid_token");
    let own = server.browser();
    let bearer = format!("Bearer {good}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let at_home = own.send(Method::GET, "/v1/projects", &headers, "").await;
    assert_eq!(at_home.refusal(), "401 invalid_token");
}
