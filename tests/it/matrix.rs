//! The whole matrix: every kind of caller, with every privilege, at every route, held against a
//! file that is made by running it (`WRITE_GOLDEN=1`); and every route with every wrong tenant.
//!
//! Nothing is changed by it: ids lead nowhere and bodies are empty, so whoever passes the gate is
//! told 404 or 400 where others are refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use narthex::db::Fetch as _;
use narthex::db::query::sql;
use narthex::gate::routes::{Route, scopes, table};
use narthex::policy::privilege;
use reqwest::Method;

use crate::bad_input::endpoint::of_api;
use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev, eve};

both!(every_privilege_and_kind_of_caller_at_every_route, case_59_no_route_takes_a_wrong_tenant,);

const GOLDEN: &str = "tests/it/who_may_what.txt";

/// Somebody who asks, and what they show.
struct Caller {
    name: String,
    authorization: String,
}

/// Apps with every scope there is: live, and what becomes of two others once tokens are given out: one
/// is in development, one is for another account only.
fn apps(status: &str, elsewhere: &str) -> String {
    let all: Vec<&str> = scopes().map(|scope| scope.name).collect();
    let app = |id: &str, status: &str, accounts: &str| {
        format!(
            "  - {{ id: {id}, account: acme, title: {id}, status: {status}, type: public,
      allowed_accounts: {accounts}, allowed_scopes: [openid, {}],
      callback_urls: ['https://{id}.example/callback'] }}\n",
            all.join(", ")
        )
    };
    format!(
        "apps:\n{}{}{}  - {{ id: m-alone, account: acme, title: Alone, status: live,
      type: confidential, allowed_accounts: all, allowed_scopes: [{}],
      callback_urls: ['https://m-alone.example/callback'],
      grant_types: [authorization_code, refresh_token, client_credentials],
      secrets: [alone-secret-0123456789-abcdefghijklmnop] }}\n",
        app("m-live", "live", "all"),
        app("m-developing", status, "all"),
        app("m-elsewhere", "live", elsewhere),
        all.join(", ")
    )
}

/// Somebody for each privilege who holds that one alone, and a stranger to all accounts.
fn people() -> String {
    let mut users =
        String::from("users:\n  - { id: sam, username: sam, password: sam-correct-horse }\n");
    let (mut groups, mut policies) = (String::new(), String::new());
    for name in privilege::NAMES {
        let id = name.to_lowercase();
        let _ = writeln!(users, "  - {{ id: {id}, username: {id}, password: {id}-correct-horse }}");
        let _ = writeln!(groups, "      - {{ id: g-{id}, name: {name}, members: [{id}] }}");
        let _ = writeln!(
            policies,
            "      - {{ name: {name}, rules: {{ {name}: [{{ user.groups: {{ comparison: includes, value: g-{id} }} }}] }} }}"
        );
    }
    format!(
        "{users}accounts:\n  - id: acme\n    name: Acme Hospital\n    groups:\n{groups}    policies:\n{policies}"
    )
}

fn app(server: &TestServer, id: &'static str, uri: &'static str, scope: &'static str) -> ClientApp {
    ClientApp { id, secret: None, redirect_uri: uri, scope, http: server.browser() }
}

async fn callers(server: &TestServer) -> Vec<Caller> {
    let all: Vec<&str> = scopes().map(|scope| scope.name).collect();
    let scope: &'static str = String::leak(format!("openid {}", all.join(" ")));
    let live = app(server, "m-live", "https://m-live.example/callback", scope);
    let developing = app(server, "m-developing", "https://m-developing.example/callback", scope);
    let elsewhere = app(server, "m-elsewhere", "https://m-elsewhere.example/callback", scope);
    let somebody = |username: &'static str| {
        let password = String::leak(format!("{username}-correct-horse"));
        Person { username, password, totp: None, browser: server.browser() }
    };
    let mut callers = vec![Caller { name: "nobody".to_owned(), authorization: String::new() }];
    let mut add = async |name: &str, app: &ClientApp, person: &Person| {
        let token = app.tokens(server, person).await.access;
        callers.push(Caller { name: name.to_owned(), authorization: format!("Bearer {token}") });
    };
    add("stranger", &live, &somebody("sam")).await;
    add("other account's administrator", &live, &eve(server)).await;
    add("member", &live, &ben(server)).await;
    add("administrator", &live, &ada(server)).await;
    add("administrator by an app in development", &developing, &ada(server)).await;
    add("developer by an app in development", &developing, &dev(server)).await;
    add("administrator by an app not allowed", &elsewhere, &ada(server)).await;
    for name in privilege::NAMES {
        add(name, &live, &somebody(String::leak(name.to_lowercase()))).await;
    }
    let alone = ClientApp {
        secret: Some("alone-secret-0123456789-abcdefghijklmnop"),
        ..app(server, "m-alone", "https://m-alone.example/callback", scope)
    };
    let token = alone.client_credentials(&all.join(" ")).await.expect(200).text("access_token");
    callers.push(Caller { name: "app alone".to_owned(), authorization: format!("Bearer {token}") });
    callers
}

async fn ask(http: &Browser, route: &Route, path: &str, who: (&str, &str), body: &str) -> Answer {
    let method = Method::from_bytes(route.method.as_str().as_bytes()).unwrap();
    let mut headers = vec![("content-type", "application/json")];
    for (name, value) in [("authorization", who.0), ("lifeomic-account", who.1)] {
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    http.send(method, path, &headers, body.to_owned()).await
}

/// The path of a route with ids that lead nowhere, but for the account, which the header names.
fn nowhere(route: &Route) -> String {
    let path = route.path.replace("/v1/accounts/{id}", "/v1/accounts/acme");
    path.split('/')
        .map(|part| if part.starts_with('{') { "no-such" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

async fn every_privilege_and_kind_of_caller_at_every_route(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(&people()).await;
    server.apply(&apps("live", "all")).await;
    let callers = callers(&server).await;
    server.apply(&apps("developing", "[beta]")).await;
    let http = server.browser();
    let mut lines = Vec::new();
    for route in table() {
        let path = nowhere(route);
        let mut verdicts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for caller in &callers {
            // Nobody has an account deleted here.
            let path = if path == "/v1/accounts/acme" && route.method.as_str() == "DELETE" {
                "/v1/accounts/nosuch"
            } else {
                &path
            };
            let answer = ask(&http, route, path, (&caller.authorization, "acme"), "").await;
            assert!(answer.status < 500, "{} {path}: {answer:?}", caller.name);
            let verdict =
                if answer.status < 300 { answer.status.to_string() } else { answer.refusal() };
            verdicts.entry(verdict).or_default().push(&caller.name);
        }
        lines.push(format!("{} {}", route.method.as_str(), route.path));
        for (verdict, names) in verdicts {
            lines.push(format!("  {verdict}: {}", names.join(", ")));
        }
    }
    let found = lines.join("\n") + "\n";
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "WRITE_GOLDEN=1 writes {GOLDEN} anew");
    }
    assert_eq!(found.len(), expected.len(), "WRITE_GOLDEN=1 writes {GOLDEN} anew");
}

/// All that acme has, as text.
async fn contents(server: &TestServer) -> String {
    let mut found = String::new();
    for query in [
        "SELECT name || type || status AS t FROM accounts WHERE id = 'acme'",
        "SELECT id || name AS t FROM account_groups WHERE account_id = 'acme' ORDER BY id",
        "SELECT group_id || user_id AS t FROM group_members WHERE account_id = 'acme' ORDER BY group_id, user_id",
        "SELECT user_id || attributes AS t FROM member_attributes WHERE account_id = 'acme' ORDER BY user_id",
        "SELECT name || document AS t FROM policies WHERE account_id = 'acme' ORDER BY name",
        "SELECT id || name || status AS t FROM projects WHERE account_id = 'acme' ORDER BY id",
        "SELECT id || title || status AS t FROM apps WHERE account_id = 'acme' ORDER BY id",
    ] {
        for row in server.server.ctx.db.fetch_all(sql(query)).await.unwrap() {
            found += &row.get::<String>("t").unwrap();
            found.push('\n');
        }
    }
    found
}

/// The path of a route with ids that are there, in acme.
fn theirs(route: &Route) -> String {
    let first = match route.path {
        path if path.starts_with("/v1/accounts") => "acme",
        path if path.starts_with("/v1/account/groups") => "acme-nurses",
        path if path.contains("users") => "ben",
        path if path.starts_with("/v1/apps") => "portal",
        _ => "heart",
    };
    let path = route.path.replace("{id}", first).replace("{name}", "Nurse%20Access");
    path.replace("{user}", "ben")
}

/// eve administers beta; ids of acme are to her what ids of nobody are.
async fn case_59_no_route_takes_a_wrong_tenant(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(&apps("live", "all")).await;
    let all: Vec<&str> = scopes().map(|scope| scope.name).collect();
    let scope: &'static str = String::leak(format!("openid {}", all.join(" ")));
    let live = app(&server, "m-live", "https://m-live.example/callback", scope);
    let bearer = format!("Bearer {}", live.tokens(&server, &eve(&server)).await.access);
    let http = server.browser();
    let before = contents(&server).await;
    for route in table().filter(|route| route.lock.is_some()) {
        let good = of_api(route, &[]);
        let body = good.json.unwrap_or_default();
        let what = format!("{} {}", route.method.as_str(), route.path);
        let mut answers = Vec::new();
        // An account that one is no member of, and one that is not there.
        for account in ["acme", "nowhere"] {
            let answer = ask(&http, route, &theirs(route), (&bearer, account), body).await;
            assert_eq!(answer.refusal(), "403 not_a_member", "{what}");
            answers.push(answer.body);
        }
        assert_eq!(answers[0], answers[1], "{what}");
        if !route.path.contains('{') {
            continue;
        }
        // One's own account, and ids of another.
        let there = ask(&http, route, &theirs(route), (&bearer, "beta"), body).await;
        let no_such = nowhere(route).replace("/v1/accounts/acme", "/v1/accounts/nosuch");
        let nowhere = ask(&http, route, &no_such, (&bearer, "beta"), body).await;
        assert!(matches!(there.status, 400..=404), "{what}: {there:?}");
        assert_eq!((there.status, &there.body), (nowhere.status, &nowhere.body), "{what}");
    }
    assert_eq!(contents(&server).await, before);
}
