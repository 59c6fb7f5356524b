//! Each route of the API that changes something leaves an entry: who, by which app, in which account,
//! in which request, from where. A new route without one fails here.

use std::collections::BTreeSet;

use narthex::db::Fetch as _;
use narthex::db::query::sql;
use narthex::gate::routes::{Method as RouteMethod, table};
use reqwest::Method;
use serde_json::{Value, json};

use crate::apps::logos::png;
use crate::audit::written;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::tenants::Desk;

both!(every_route_that_changes_something_is_in_the_record,);

/// Routes that are asked by POST because the question is long, and change nothing.
const QUESTIONS: [&str; 6] = [
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/access/v1/search/subject",
    "/access/v1/search/resource",
    "/access/v1/search/action",
    "/v1/policy-simulations",
];

/// ada may do anything in acme; the platform is beta, whose administrator is eve.
const WORLD: &str = "
accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    default_groups: true
    policies:
      - name: Everything
        rules:
          accountAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }]
          apiKeyUser: [{ user.groups: { comparison: includes, value: acme-admins } }]
          developApps: [{ user.groups: { comparison: includes, value: acme-admins } }]
          createData: [{ user.groups: { comparison: includes, value: acme-admins } }]
          updateData: [{ user.groups: { comparison: includes, value: acme-admins } }]
          deleteData: [{ user.groups: { comparison: includes, value: acme-admins } }]
  - { id: beta, name: Beta Clinic, policies: [{ name: Account Access, rules: { accountAdmin: true } }] }
apps:
  - { id: inner, account: acme, title: Inner, status: live, type: public, allowed_accounts: all,
      allowed_scopes: [openid], callback_urls: ['https://inner.example/cb'],
      client_metadata: { embedded_in: [portal] } }
";

struct Walk {
    server: TestServer,
    ada: Desk,
    eve: Desk,
    ben: Desk,
    walked: BTreeSet<String>,
}

/// Who asks, about which account, and in whose record it is to stand: empty for one's own things.
type Who = (&'static str, &'static str, &'static str);

const ADA: Who = ("ada", "acme", "acme");

impl Walk {
    /// Asks at a route of the table, whose parameters `ids` fill in, and looks into the record.
    async fn ask(
        &mut self,
        (user, account, chain): Who,
        (method, route): (Method, &str),
        ids: &[&str],
        body: Value,
    ) -> Value {
        let mut path = String::new();
        let mut ids = ids.iter();
        for part in route.split('/').skip(1) {
            path.push('/');
            path += if part.starts_with('{') { ids.next().expect("an id") } else { part };
        }
        let desk = match user {
            "eve" => &self.eve,
            "ben" => &self.ben,
            _ => &self.ada,
        };
        let what = format!("{method} {route}");
        let answer = if route.ends_with("/logo") && method == Method::PUT {
            let bearer = format!("Bearer {}", desk.token);
            let headers = [
                ("authorization", &*bearer),
                ("lifeomic-account", account),
                ("content-type", "image/png"),
            ];
            desk.app.http.send(method, &path, &headers, png(b"a note")).await
        } else {
            desk.ask(method, &path, account, &body).await
        };
        assert!(answer.status < 300, "{what}: {answer:?}");
        written(&self.server).await;
        let request = answer.header("x-fapi-interaction-id");
        let query = sql("SELECT chain, user_id, app_id, origin FROM audit_entries
                          WHERE request_id = $1 ORDER BY chain, seq");
        let rows = self.server.server.ctx.db.fetch_all(query.bind(request)).await.unwrap();
        let told = rows.iter().map(|row| {
            let text = |column| row.get::<Option<String>>(column).unwrap().unwrap_or_default();
            assert!(text("origin").contains("127.0.0.1"), "{what}: from where?");
            [text("chain"), text("user_id"), text("app_id")].join(" ")
        });
        let told: Vec<String> = told.collect();
        let wanted = [chain, user, "portal"].join(" ");
        assert!(told.contains(&wanted), "{what}: {wanted:?} is not in {told:?}");
        self.walked.insert(what);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    async fn post(&mut self, route: &str, ids: &[&str], body: Value) -> Value {
        self.ask(ADA, (Method::POST, route), ids, body).await
    }

    async fn put(&mut self, route: &str, ids: &[&str], body: Value) -> Value {
        self.ask(ADA, (Method::PUT, route), ids, body).await
    }

    async fn patch(&mut self, route: &str, ids: &[&str], body: Value) -> Value {
        self.ask(ADA, (Method::PATCH, route), ids, body).await
    }

    async fn delete(&mut self, route: &str, ids: &[&str]) -> Value {
        self.ask(ADA, (Method::DELETE, route), ids, Value::Null).await
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap_or_else(|| panic!("no id in {made}")).to_owned()
}

async fn start(db: Kind) -> Walk {
    let beta = "beta".parse().expect("an account");
    let server =
        TestServer::start_with(db, |config| config.registration.platform_account = Some(beta));
    let server = server.await;
    server.apply(include_str!("../common/world.yaml")).await;
    server.apply(WORLD).await;
    let ada = Desk::of(&server, &ada(&server)).await;
    let eve = Desk::of(&server, &eve(&server)).await;
    let ben = Desk::of(&server, &ben(&server)).await;
    Walk { server, ada, eve, ben, walked: BTreeSet::new() }
}

async fn projects_and_policies(walk: &mut Walk) {
    let project = id(&walk.post("/v1/projects", &[], json!({"name": "A"})).await);
    walk.patch("/v1/projects/{id}", &[&project], json!({"name": "B"})).await;
    walk.delete("/v1/projects/{id}", &[&project]).await;
    let policy = |privilege: &str| json!({"name": "P", "policy": {"rules": {privilege: true}}});
    walk.post("/v1/policies", &[], policy("readData")).await;
    walk.put("/v1/policies/{name}", &["P"], policy("projectAdmin")).await;
    walk.post("/v1/policies/{name}/restore", &["P"], json!({"version": 1})).await;
    walk.delete("/v1/policies/{name}", &["P"]).await;
    let attributes = json!({"attributes": {"ward": "W2"}});
    walk.put("/v1/policy-attributes/users/{id}", &["ben"], attributes).await;
    let api = |title: &str| {
        json!({"id": "books", "title": title, "identifier": "https://books.example", "basePath": "/",
               "scopes": [], "routes": []})
    };
    walk.post("/v1/apis", &[], api("A")).await;
    walk.put("/v1/apis/{id}", &["books"], api("B")).await;
    walk.delete("/v1/apis/{id}", &["books"]).await;
}

async fn people(walk: &mut Walk) {
    let group = id(&walk.post("/v1/account/groups", &[], json!({"name": "Night"})).await);
    let named = json!({"id": group, "name": "Day"});
    walk.put("/v1/account/groups/{id}", &[&group], named).await;
    let member = "/v1/account/groups/{id}/members/{user}";
    walk.put(member, &[&group, "ben"], Value::Null).await;
    walk.delete(member, &[&group, "ben"]).await;
    let invitations = "/v1/account/invitations";
    let invited = |email: &str| json!({"email": email, "groupId": group});
    let one = id(&walk.post(invitations, &[], invited("new@x.example")).await);
    walk.post("/v1/account/invitations/{id}/resend", &[&one], Value::Null).await;
    walk.delete("/v1/account/invitations/{id}", &[&one]).await;
    walk.server
        .apply("users: [{ username: ben, email: ben@acme.example, email_verified: true }]")
        .await;
    let other = id(&walk.post(invitations, &[], invited("ben@acme.example")).await);
    walk.ben = Desk::of(&walk.server, &ben(&walk.server)).await;
    let answer = (Method::PATCH, "/v1/invitations/{id}");
    let accepted = json!({"status": "ACCEPTED"});
    walk.ask(("ben", "", "acme"), answer.clone(), &[&other], accepted.clone()).await;
    let patient = json!({"email": "ben@acme.example", "projectId": "heart", "patientId": "p-1"});
    let patient = id(&walk.post(invitations, &[], patient).await);
    walk.ask(("ben", "", "acme"), answer, &[&patient], accepted).await;
    walk.delete("/v1/account/users/{id}/patients/{patient}", &["ben", "p-1"]).await;
    let own = ("ben", "", "");
    let profile = json!({"profile": {"displayName": "Benedikt"}});
    walk.ask(own, (Method::PATCH, "/v1/user"), &[], profile).await;
    let target = json!({"targetClientId": "inner"});
    walk.ask(("ben", "", "acme"), (Method::POST, "/v1/client-tokens"), &[], target).await;
    walk.delete("/v1/account/groups/{id}", &[&group]).await;
}

async fn programs(walk: &mut Walk) {
    let key = json!({"name": "K", "expireInDays": 1});
    let own = id(&walk.post("/v1/api-keys", &[], key.clone()).await);
    walk.delete("/v1/api-keys/{id}", &[&own]).await;
    let service = id(&walk.post("/v1/service-accounts", &[], json!({"name": "Robot"})).await);
    walk.patch("/v1/service-accounts/{id}", &[&service], json!({"name": "Bot"})).await;
    let made = id(&walk.post("/v1/service-accounts/{id}/api-keys", &[&service], key).await);
    walk.delete("/v1/service-accounts/{id}/api-keys/{key}", &[&service, &made]).await;
    walk.delete("/v1/service-accounts/{id}", &[&service]).await;
}

async fn apps(walk: &mut Walk) {
    let app = json!({"title": "Notes", "type": "confidential",
        "callbackUrls": ["https://notes.example/cb"], "allowedScopes": ["openid"]});
    let app = id(&walk.post("/v1/apps", &[], app).await);
    walk.patch("/v1/apps/{id}", &[&app], json!({"title": "More"})).await;
    walk.put("/v1/apps/{id}/status", &[&app], json!({"status": "live"})).await;
    walk.post("/v1/apps/{id}/secrets", &[&app], json!({"overlapSeconds": 60})).await;
    let secrets = walk.ada.get(&format!("/v1/apps/{app}/secrets"), "acme").await.json();
    let name = secrets["items"][0]["name"].as_str().unwrap().to_owned();
    walk.delete("/v1/apps/{id}/secrets/{name}", &[&app, &name]).await;
    walk.put("/v1/apps/{id}/logo", &[&app], Value::Null).await;
    walk.delete("/v1/apps/{id}/logo", &[&app]).await;
    let review = "/v1/apps/{id}/review";
    let wanted = json!({"note": "For both", "app": {"allowedAccounts": ["acme", "beta"]}});
    walk.put(review, &[&app], wanted.clone()).await;
    walk.delete(review, &[&app]).await;
    walk.put(review, &[&app], wanted).await;
    let asked = walk.post(review, &[&app], Value::Null).await;
    let no = json!({"status": "rejected", "version": asked["version"], "reason": "no"});
    let platform = ("eve", "beta", "acme");
    walk.ask(platform, (Method::PATCH, "/v1/reviews/{id}"), &[&app], no).await;
    walk.delete("/v1/apps/{id}", &[&app]).await;
    walk.put("/v1/account/apps/{id}/block", &["inner"], Value::Null).await;
    walk.delete("/v1/account/apps/{id}/block", &["inner"]).await;
}

async fn accounts(walk: &mut Walk) {
    // Whoever makes an account is told of it in the account's own record.
    let maker = ("ada", "acme", "gamma");
    let new = json!({"id": "gamma", "name": "Gamma"});
    walk.ask(maker, (Method::POST, "/v1/accounts"), &[], new).await;
    walk.patch("/v1/accounts/{id}", &["acme"], json!({"name": "Acme 2"})).await;
    walk.put("/v1/accounts/{id}", &["acme"], json!({"name": "Acme 3"})).await;
    walk.delete("/v1/accounts/{id}", &["acme"]).await;
    walk.post("/v1/accounts/{id}/restore", &["acme"], Value::Null).await;
    walk.delete("/v1/account/users/{id}", &["dev"]).await;
    let own = ("ada", "", "");
    walk.ask(own, (Method::DELETE, "/v1/consents/{id}"), &["portal"], Value::Null).await;
}

async fn every_route_that_changes_something_is_in_the_record(db: Kind) {
    let mut walk = start(db).await;

    projects_and_policies(&mut walk).await;
    people(&mut walk).await;
    programs(&mut walk).await;
    apps(&mut walk).await;
    accounts(&mut walk).await;

    let all: BTreeSet<String> = table()
        .filter(|route| route.method != RouteMethod::Get && !QUESTIONS.contains(&route.path))
        .map(|route| format!("{} {}", route.method.as_str(), route.path))
        .collect();
    let missing: Vec<_> = all.difference(&walk.walked).collect();
    assert!(missing.is_empty(), "what do these leave in the record? {missing:?}");
}
