//! Everybody who asks, and what they show.

use std::fmt::Write as _;

use narthex::gate::routes::scopes;
use narthex::policy::privilege;
use serde_json::json;

use crate::common::actors::{ClientApp, Person};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev, eve};
use crate::tenants::Desk;

/// Somebody who asks, and what they show.
pub struct Caller {
    pub name: String,
    pub authorization: String,
    /// The account that they ask about.
    pub account: &'static str,
}

/// All scopes, as one text.
pub fn all_scopes() -> &'static str {
    let all: Vec<&str> = scopes().map(|scope| scope.name).collect();
    String::leak(all.join(" "))
}

/// Apps with every scope there is: live, and what becomes of two others once tokens are given out: one
/// is in development, one is for another account only. And two that act by themselves.
fn apps(status: &str, elsewhere: &str) -> String {
    let all = all_scopes().replace(' ', ", ");
    let app = |id: &str, status: &str, accounts: &str| {
        format!(
            "  - {{ id: {id}, account: acme, title: {id}, status: {status}, type: public,
      allowed_accounts: {accounts}, allowed_scopes: [openid, {all}],
      callback_urls: ['https://{id}.example/callback'] }}\n"
        )
    };
    let machine = |id: &str, account: &str| {
        format!(
            "  - {{ id: {id}, account: {account}, title: {id}, status: live,
      type: confidential, allowed_accounts: all, allowed_scopes: [{all}],
      callback_urls: ['https://{id}.example/callback'],
      grant_types: [authorization_code, refresh_token, client_credentials],
      secrets: [{id}-secret-0123456789-abcdefghijklmnop] }}\n"
        )
    };
    format!(
        "apps:\n{}{}{}{}{}",
        app("m-live", "live", "all"),
        app("m-developing", status, "all"),
        app("m-elsewhere", "live", elsewhere),
        machine("m-alone", "acme"),
        machine("m-bound", "fresh"),
    )
}

/// An account as it begins, and who is in which of its groups. Two of them may use keys besides.
const FRESH: &str = "
  - id: fresh
    name: Fresh Start
    default_groups: true
    groups:
      - { id: fresh-administrators, name: Administrators, members: [fay, kim] }
      - { id: fresh-users, name: Users, members: [uma, kai] }
      - { id: fresh-subjects, name: Subjects, members: [sue] }
      - { id: fresh-keys, name: Keys, members: [kim, kai] }
    policies:
      - { name: Keys, rules: { apiKeyUser: [{ user.groups: { comparison: includes, value: fresh-keys } }] } }
  - id: beta
    name: Beta Clinic
    policies: [{ name: Keys, rules: { apiKeyUser: true } }]
  - id: platform
    name: The platform itself
    default_groups: true
    groups: [{ id: platform-administrators, name: Administrators, members: [pat] }]
";

/// Somebody for each privilege who holds that one alone, people of an account as it begins, and a
/// stranger to all accounts.
fn people() -> String {
    let mut users = String::from("users:\n");
    for id in ["sam", "fay", "uma", "sue", "kim", "kai", "pat"] {
        let _ = writeln!(
            users,
            "  - {{ id: {id}, username: {id}, password: {id}-correct-horse, email: {id}@fresh.example, email_verified: true }}"
        );
    }
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
        "{users}accounts:{FRESH}  - id: acme\n    name: Acme Hospital\n    groups:\n{groups}    policies:\n{policies}"
    )
}

/// An app of [`apps`], with every scope.
pub fn app(server: &TestServer, id: &'static str) -> ClientApp {
    let redirect_uri = String::leak(format!("https://{id}.example/callback"));
    let scope = String::leak(format!("openid {}", all_scopes()));
    ClientApp { id, secret: None, redirect_uri, scope, http: server.browser() }
}

/// Somebody of [`people`].
pub fn somebody(server: &TestServer, username: &'static str) -> Person {
    let password = String::leak(format!("{username}-correct-horse"));
    Person { username, password, totp: None, browser: server.browser() }
}

/// A server with accounts, people and apps, of which none is restricted yet.
pub async fn world(db: Kind) -> TestServer {
    let platform = "platform".parse().expect("an account");
    let server =
        TestServer::start_with(db, |config| config.registration.platform_account = Some(platform))
            .await;
    server.apply(include_str!("../common/world.yaml")).await;
    server.apply(&people()).await;
    server.apply(&apps("live", "all")).await;
    server
}

/// Somebody with a token of the live app, with every scope.
pub async fn desk(server: &TestServer, person: &Person) -> Desk {
    let token = app(server, "m-live").tokens(server, person).await.access;
    Desk::holding(server, &token)
}

/// The world, and everybody in it with what they show.
pub async fn everybody(db: Kind) -> (TestServer, Vec<Caller>) {
    let server = world(db).await;
    let mut callers = people_with_apps(&server).await;
    callers.extend(programs(&server).await);
    server.apply(&apps("developing", "[beta]")).await;
    (server, callers)
}

async fn people_with_apps(server: &TestServer) -> Vec<Caller> {
    let [live, developing, elsewhere] =
        ["m-live", "m-developing", "m-elsewhere"].map(|id| app(server, id));
    let nobody = Caller { name: "nobody".into(), authorization: String::new(), account: "acme" };
    let mut callers = vec![nobody];
    let mut add = async |name: &str, app: &ClientApp, person: &Person, account| {
        let token = app.tokens(server, person).await.access;
        let authorization = format!("Bearer {token}");
        callers.push(Caller { name: name.to_owned(), authorization, account });
    };
    let of = |name| somebody(server, name);
    add("stranger", &live, &of("sam"), "acme").await;
    add("other account's administrator", &live, &eve(server), "acme").await;
    add("the platform's administrator elsewhere", &live, &of("pat"), "acme").await;
    add("the platform's administrator", &live, &of("pat"), "platform").await;
    add("member", &live, &ben(server), "acme").await;
    add("administrator", &live, &ada(server), "acme").await;
    add("administrator of a new account", &live, &of("fay"), "fresh").await;
    add("user of a new account", &live, &of("uma"), "fresh").await;
    add("subject of a new account", &live, &of("sue"), "fresh").await;
    add("administrator by an app in development", &developing, &ada(server), "acme").await;
    add("developer by an app in development", &developing, &dev(server), "acme").await;
    add("administrator by an app not allowed", &elsewhere, &ada(server), "acme").await;
    for name in privilege::NAMES {
        add(name, &live, &of(String::leak(name.to_lowercase())), "acme").await;
    }
    callers
}

/// API keys, service accounts, and apps that act by themselves.
async fn programs(server: &TestServer) -> Vec<Caller> {
    let mut callers = Vec::new();
    let mut add = |name: &str, text: &str, account| {
        let authorization = format!("Bearer {text}");
        callers.push(Caller { name: name.to_owned(), authorization, account });
    };
    let of_key = json!({"name": "A key", "expireInDays": 30});
    let kim = desk(server, &somebody(server, "kim")).await;
    let kai = desk(server, &somebody(server, "kai")).await;
    let other = desk(server, &eve(server)).await;
    for (name, whose, account) in [
        ("key of an administrator", &kim, "fresh"),
        ("key of a user", &kai, "fresh"),
        ("key of another account", &other, "beta"),
    ] {
        let made = whose.post("/v1/api-keys", account, of_key.clone()).await.expect(201);
        add(name, &made.text("apiKey"), "fresh");
    }
    for (name, group) in [
        ("service account that administers", "fresh-administrators"),
        ("service account that is a user", "fresh-users"),
    ] {
        let body = json!({"name": name, "groups": [group]});
        let id = kim.post("/v1/service-accounts", "fresh", body).await.expect(201).text("id");
        let keys = format!("/v1/service-accounts/{id}/api-keys");
        let made = kim.post(&keys, "fresh", of_key.clone()).await.expect(201);
        add(name, &made.text("apiKey"), "fresh");
        if group == "fresh-administrators" {
            let path = format!("/v1/service-accounts/{id}");
            kim.patch(&path, "fresh", json!({"app": "m-bound"})).await.expect(200);
        }
    }
    for (name, id, account) in [
        ("app alone", "m-alone", "acme"),
        ("app that acts for a service account", "m-bound", "fresh"),
        ("app that acts for a service account elsewhere", "m-bound", "acme"),
    ] {
        let secret = String::leak(format!("{id}-secret-0123456789-abcdefghijklmnop"));
        let machine = ClientApp { secret: Some(secret), ..app(server, id) };
        let token = machine.client_credentials(all_scopes()).await.expect(200);
        add(name, &token.text("access_token"), account);
    }
    callers
}
