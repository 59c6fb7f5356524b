//! The gate of the resource API: what it refuses, in which order, and with which reason.

use narthex::gate::routes::{scopes as known_scopes, table};
use reqwest::Method;

use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, betaware, dev, eve, portal};

both!(
    each_gate_is_asked_before_the_next,
    case_61_the_account_header_is_never_believed_by_itself,
    case_62_accounts_are_those_of_the_user_and_of_the_app,
    an_app_in_development_is_for_its_developers,
    an_app_alone_is_a_member_of_nothing,
    what_changes_is_in_force_at_once,
    each_scope_opens_what_the_table_says_and_nothing_else,
    what_is_not_in_the_table_does_not_exist,
    case_73_scripts_of_registered_origins_may_read_answers,
);

/// An app that every gate refuses, until it is changed.
fn gauntlet(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "gauntlet",
        secret: None,
        redirect_uri: "https://gauntlet.example/cb",
        scope: "openid account.read project.read",
        http: server.browser(),
    }
}

async fn declare_gauntlet(server: &TestServer, status: &str, accounts: &str) {
    let yaml = format!(
        "apps:\n  - id: gauntlet\n    account: acme\n    title: Gauntlet\n    status: {status}\n    type: public\n    allowed_accounts: {accounts}\n    allowed_scopes: [openid, account.read, project.read]\n    callback_urls: [https://gauntlet.example/cb]\n"
    );
    server.apply(&yaml).await;
}

async fn token_with(server: &TestServer, app: &ClientApp, person: &Person, scope: &str) -> String {
    let url = app.authorize_url_with(&[("scope", scope)]);
    let code = app.code_for(server, person, &url).await;
    app.exchange(&code).await.expect(200).text("access_token")
}

/// Each line mends one fault of the request, and the next one shows.
async fn each_gate_is_asked_before_the_next(db: Kind) {
    let server = TestServer::start(db).await;
    declare_gauntlet(&server, "live", "all").await;
    let (app, eve) = (gauntlet(&server), eve(&server));
    let narrow = token_with(&server, &app, &eve, "openid").await;
    let token = token_with(&server, &app, &eve, "openid project.read").await;
    declare_gauntlet(&server, "developing", "[beta]").await;
    let http = server.browser();
    let get =
        async |headers: &[(&str, &str)]| http.get_with("/v1/projects", headers).await.refusal();
    let (narrow, bearer) = (format!("Bearer {narrow}"), format!("Bearer {token}"));
    let (narrow, bearer) = (("authorization", &*narrow), ("authorization", &*bearer));
    let acme = ("lifeomic-account", "acme");

    assert_eq!(get(&[]).await, "401 missing_token");
    assert_eq!(get(&[("authorization", "Bearer x")]).await, "401 invalid_token");
    assert_eq!(get(&[narrow]).await, "403 insufficient_scope");
    assert_eq!(get(&[narrow, ("lifeomic-account", "A C M E")]).await, "403 insufficient_scope");
    assert_eq!(get(&[bearer]).await, "400 account_required");
    assert_eq!(get(&[bearer, ("lifeomic-account", "A C M E")]).await, "400 invalid_account");
    assert_eq!(get(&[bearer, acme, acme]).await, "400 invalid_account");
    assert_eq!(get(&[bearer, acme]).await, "403 app_in_development");
    declare_gauntlet(&server, "live", "[beta]").await;
    assert_eq!(get(&[bearer, acme]).await, "403 app_not_allowed");
    declare_gauntlet(&server, "live", "[beta, acme]").await;
    assert_eq!(get(&[bearer, acme]).await, "403 not_a_member");
    let group = "{ id: acme-guests, name: Guests, members: [eve] }";
    let account =
        format!("accounts:\n  - id: acme\n    name: Acme Hospital\n    groups: [{group}]\n");
    server.apply(&account).await;
    assert_eq!(get(&[bearer, acme]).await, "403 policy_denies");
    let policy = "{ name: Guests, rules: { readData: [{ user.groups: { comparison: includes, value: acme-guests }, resource.dataset: { comparison: equals, value: lung } }] } }";
    server.apply(&format!("{account}    policies: [{policy}]\n")).await;
    let seen = http.get_with("/v1/projects", &[bearer, acme]).await.expect(200).json();
    assert_eq!(seen["items"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(seen["items"][0]["id"], "lung");
}

async fn case_61_the_account_header_is_never_believed_by_itself(db: Kind) {
    let server = TestServer::start(db).await;
    let (portal, betaware) = (portal(&server), betaware(&server));
    let (ada, eve) = (ada(&server), eve(&server));
    let of_ada = portal.tokens(&server, &ada).await.access;
    let of_eve = portal.tokens(&server, &eve).await.access;
    let of_betaware = betaware.tokens(&server, &eve).await.access;
    let ask = async |path: &str, token: &str, account: &str| {
        portal.api(path, token, account).await.refusal()
    };

    for path in ["/v1/projects", "/v1/policies", "/v1/account/groups", "/v1/accounts/acme"] {
        assert_eq!(ask(path, &of_eve, "acme").await, "403 not_a_member", "{path}");
        assert_eq!(ask(path, &of_ada, "beta").await, "403 not_a_member", "{path}");
        assert_eq!(ask(path, &of_ada, "nowhere").await, "403 not_a_member", "{path}");
        assert_eq!(ask(path, &of_ada, "").await, "400 account_required", "{path}");
    }
    assert_eq!(ask("/v1/projects", &of_betaware, "acme").await, "403 app_not_allowed");
    // Where the header is not needed, it is checked all the same.
    assert_eq!(ask("/v1/accounts", &of_ada, "beta").await, "403 not_a_member");
    assert_eq!(ask("/v1/accounts", &of_ada, "Acme").await, "400 invalid_account");
    assert_eq!(ask("/v1/accounts/beta", &of_ada, "acme").await, "400 invalid_account");
    let allowed = portal.api("/v1/accounts/acme", &of_ada, "acme").await.expect(200);
    assert_eq!(allowed.text("name"), "Acme Hospital");
}

async fn case_62_accounts_are_those_of_the_user_and_of_the_app(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts:\n  - id: gamma\n    name: Gamma\n    groups: [{ id: gamma-all, name: All, members: [ada] }]\n")
        .await;
    declare_gauntlet(&server, "live", "[gamma, beta]").await;
    let (portal, gauntlet, ada) = (portal(&server), gauntlet(&server), ada(&server));
    let wide = portal.tokens(&server, &ada).await.access;
    let narrow = gauntlet.tokens(&server, &ada).await.access;
    let ids = |answer: &Answer| {
        let list = answer.json()["accounts"].as_array().cloned().unwrap_or_default();
        list.iter().map(|account| account["id"].to_string()).collect::<Vec<_>>().join(" ")
    };

    let all = portal.api("/v1/accounts", &wide, "").await.expect(200);
    let one = gauntlet.api("/v1/accounts", &narrow, "").await.expect(200);

    assert_eq!(ids(&all), r#""acme" "gamma""#);
    assert_eq!(ids(&one), r#""gamma""#, "what else the user belongs to is not the app's business");
    assert_eq!(
        all.json()["accounts"][0],
        serde_json::json!({
            "id": "acme", "name": "Acme Hospital", "type": "ENTERPRISE", "status": "ACTIVE",
            "products": [], "features": [], "trialActive": false,
        })
    );
}

async fn an_app_in_development_is_for_its_developers(db: Kind) {
    let server = TestServer::start(db).await;
    declare_gauntlet(&server, "live", "all").await;
    let app = gauntlet(&server);
    let of_dev = app.tokens(&server, &dev(&server)).await.access;
    let of_ben = app.tokens(&server, &ben(&server)).await.access;
    let of_eve = app.tokens(&server, &eve(&server)).await.access;
    declare_gauntlet(&server, "developing", "all").await;

    app.api("/v1/projects", &of_dev, "acme").await.expect(200);
    // Without a header the account that owns the app says who its developers are.
    app.api("/v1/accounts", &of_dev, "").await.expect(200);
    for path in ["/v1/projects", "/v1/accounts"] {
        let answer = app.api(path, &of_ben, "acme").await;
        assert_eq!(answer.refusal(), "403 app_in_development", "{path}");
        let answer = app.api(path, &of_eve, "acme").await;
        assert_eq!(answer.refusal(), "403 app_in_development", "{path}");
    }
    assert_eq!(app.api("/v1/accounts", &of_ben, "").await.refusal(), "403 app_in_development");
    // eve holds every privilege in beta that is asked for, but not developApps.
    assert_eq!(app.api("/v1/projects", &of_eve, "beta").await.refusal(), "403 app_in_development");
}

async fn an_app_alone_is_a_member_of_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);
    let token = app.client_credentials("project.read").await.expect(200).text("access_token");

    let answer = app.api("/v1/projects", &token, "acme").await;

    assert_eq!(answer.refusal(), "403 not_a_member");
    assert!(answer.text("error").contains("does not act for a user"), "{answer:?}");
}

async fn what_changes_is_in_force_at_once(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let token = app.tokens(&server, &ben).await.access;
    let count = async || {
        let answer = app.api("/v1/projects?include=count&pageSize=1", &token, "acme").await;
        if answer.status == 200 { answer.json()["count"].to_string() } else { answer.refusal() }
    };
    let declare = async |members: &str, dataset: &str| {
        let yaml = format!(
            "accounts:\n  - id: acme\n    name: Acme Hospital\n    groups: [{{ id: acme-nurses, name: Nurses, members: [{members}] }}]\n    policies: [{{ name: Nurse Access, rules: {{ readData: [{{ user.groups: {{ comparison: includes, value: acme-nurses }}, resource.dataset: {{ comparison: in, value: [{dataset}] }} }}] }} }}]\n"
        );
        server.apply(&yaml).await;
    };

    assert_eq!(count().await, "1");
    declare("ben", "heart, lung").await;
    assert_eq!(count().await, "2");
    declare("", "heart, lung").await;
    assert_eq!(count().await, "403 not_a_member");
    declare("ben", "").await;
    assert_eq!(count().await, "0");
}

async fn each_scope_opens_what_the_table_says_and_nothing_else(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    for scope in known_scopes() {
        let token = token_with(&server, &app, &ada, scope.name).await;
        for route in table() {
            let path = route.path.replace("{id}", "acme").replace("{user}", "acme");
            let path = path.replace("{name}", "no such");
            let method = Method::from_bytes(route.method.as_str().as_bytes()).unwrap();
            let bearer = format!("Bearer {token}");
            let headers = [
                ("authorization", &*bearer),
                ("lifeomic-account", "acme"),
                ("content-type", "application/json"),
            ];
            let path = path.replace(' ', "%20");
            let answer = app.http.send(method, &path, &headers, "{}").await;
            let opens = route.lock.is_none_or(|lock| lock.scope == scope.name);
            let refused = answer.refusal() == "403 insufficient_scope";
            assert_eq!(refused, !opens, "{} {:?}: {answer:?}", scope.name, route.operation);
            assert!(answer.status < 500, "{answer:?}");
        }
    }

    let listed = app.http.get("/v1/scopes").await.expect(200).json();
    let opens = |scope: &serde_json::Value| scope["opens"].as_array().map_or(0, Vec::len);
    let scopes = listed["scopes"].as_array().unwrap();
    assert_eq!(scopes.len(), known_scopes().count());
    assert_eq!(scopes.iter().map(opens).sum::<usize>(), table().count() - 1);
    assert_eq!(listed["public"][0]["path"], "/v1/scopes");
}

async fn what_is_not_in_the_table_does_not_exist(db: Kind) {
    let server = TestServer::start(db).await;
    let token = portal(&server).tokens(&server, &ada(&server)).await.access;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let http = server.browser();

    for path in ["/v1", "/v1/", "/v1/x", "/v1/projects/heart/x", "/v1/account", "/v1/scopes/x"] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS] {
            let answer = http.send(method.clone(), path, &headers, "").await;
            assert_eq!(answer.refusal(), "404 not_found", "{method} {path}");
            assert_eq!(answer.header("content-type"), "application/json", "{path}");
        }
    }
    for route in table() {
        // No line answers this method.
        let path = route.path.replace("{id}", "heart").replace("{name}", "x");
        let path = path.replace("{user}", "x").replace("{key}", "x");
        let answer = http.send(Method::TRACE, &path, &headers, "").await;
        assert_eq!(answer.refusal(), "405 method_not_allowed", "{path}");
        assert!(answer.header("allow").contains(route.method.as_str()), "{path}: {answer:?}");
    }
    let head = http.send(Method::HEAD, "/v1/projects", &headers, "").await.expect(200);
    assert_eq!(head.body, "");
}

async fn case_73_scripts_of_registered_origins_may_read_answers(db: Kind) {
    let server = TestServer::start(db).await;
    let http = server.browser();
    let ask = async |method: Method, origin: &str| {
        let wanted = ("access-control-request-method", "GET");
        let headers = [("origin", origin), wanted];
        http.send(method, "/v1/projects", &headers, "").await
    };

    let preflight = ask(Method::OPTIONS, "https://portal.example").await.expect(204);
    let answer = ask(Method::GET, "https://portal.example").await.expect(401);

    let header = |answer: &Answer, name: &str| {
        answer.header(&format!("access-control-{name}")).to_lowercase()
    };
    assert_eq!(header(&preflight, "allow-origin"), "https://portal.example");
    for name in ["authorization", "content-type", "lifeomic-account"] {
        assert!(header(&preflight, "allow-headers").contains(name), "{preflight:?}");
    }
    assert_eq!(header(&answer, "allow-origin"), "https://portal.example");
    assert!(header(&answer, "expose-headers").contains("www-authenticate"));
    for answer in [&preflight, &answer] {
        assert_eq!(header(answer, "allow-credentials"), "");
        assert_eq!(answer.header("vary"), "origin");
    }
    for origin in ["null", "https://evil.example", "https://portal.example.evil.example", "*", ""] {
        for method in [Method::OPTIONS, Method::GET] {
            let answer = ask(method, origin).await;
            assert_eq!(header(&answer, "allow-origin"), "", "{origin}");
        }
    }
}
