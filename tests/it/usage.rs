//! What accounts use: counted by day and app, for those who pay, and not lost.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};
use crate::common::program::{Running, apply, flags, free_port, narthex, with_flags};
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, eve};
use crate::gateway;
use crate::tenants::{Desk, each};

both!(
    calls_users_time_and_storage_are_shown_by_day_and_by_app,
    calls_without_a_privilege_and_questions_are_counted_with_their_time,
    case_59_usage_of_another_account_is_not_shown,
    kill_9_loses_at_most_what_was_counted_since_the_last_flush,
);

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    let rules =
        "rules: { billingAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }] }";
    server
        .apply(&format!(
            "accounts:
  - {{ id: acme, name: Acme Hospital, type: ENTERPRISE, policies: [{{ name: Billing, {rules} }}] }}
  - {{ id: beta, name: Beta Clinic, policies: [{{ name: Billing, rules: {{ billingAdmin: true }} }}] }}"
        ))
        .await;
    server
}

async fn lines(desk: &Desk, query: &str) -> Vec<Value> {
    let answer = desk.get(&format!("/v1/usage?{query}"), "acme").await.expect(200);
    answer.json()["items"].as_array().cloned().unwrap()
}

async fn calls_users_time_and_storage_are_shown_by_day_and_by_app(db: Kind) {
    let server = start(db).await;
    let (boss, nurse) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &ben(&server)).await);
    for _ in 0..4 {
        nurse.get("/v1/projects", "acme").await.expect(200);
    }
    nurse.get("/v1/usage", "acme").await.expect(403);
    let tokens = backend(&server).tokens(&server, &ben(&server)).await;
    Desk::holding(&server, &tokens.access).get("/v1/projects", "acme").await.expect(200);

    let today = lines(&boss, "").await;
    assert_eq!(today.len(), 1, "{today:?}");
    assert_eq!((&today[0]["day"], &today[0]["apiCalls"]), (&json!("2026-06-01"), &json!(5)));
    assert_eq!(today[0]["activeUsers"], 1);
    assert!(today[0]["computeSeconds"].as_f64().unwrap() > 0.0, "{today:?}");
    assert!(today[0]["storageBytes"].as_i64().unwrap() > 100, "{today:?}");
    let by_app = lines(&boss, "by=app").await;
    let shown: Vec<_> = by_app
        .iter()
        .map(|l| (l["app"].as_str().unwrap(), l["apiCalls"].as_i64().unwrap()))
        .collect();
    // The look before this one is counted: ada is active by now.
    assert_eq!(shown, [("backend", 1), ("portal", 5)]);
    assert_eq!(by_app[1]["activeUsers"], 2);

    server.advance(TimeDelta::days(1));
    let boss = Desk::of(&server, &ada(&server)).await;
    boss.get("/v1/projects", "acme").await.expect(200);
    let first = boss.get("/v1/usage?pageSize=1&app=portal", "acme").await.expect(200);
    assert_eq!(each(&first, "day"), ["2026-06-02"]);
    let next = first.json()["links"]["next"].as_str().unwrap().to_owned();
    let second = boss.get(&next, "acme").await.expect(200);
    assert_eq!(each(&second, "day"), ["2026-06-01"]);
    let only = lines(&boss, "from=2026-06-02&until=2026-06-02").await;
    assert_eq!(only.len(), 1);
    assert_eq!(lines(&boss, "keys=only").await, Vec::<Value>::new());
    for bad in [
        "keys=no",
        "keys=only&app=portal",
        "from=x",
        "until=2026-02-30",
        "by=user",
        "from=2020-01-01",
        "pageSize=0",
    ] {
        let answer = boss.get(&format!("/v1/usage?{bad}"), "acme").await;
        assert_eq!(answer.refusal(), "400 invalid_query", "{bad}");
    }
}

async fn calls_without_a_privilege_and_questions_are_counted_with_their_time(db: Kind) {
    let server = gateway::start(db).await;
    let rules = "rules: { billingAdmin: true, developApps: true }";
    let acme = "{ id: acme, name: Acme Hospital, type: ENTERPRISE";
    server.apply(&format!("accounts: [{acme}, policies: [{{ name: Billing, {rules} }}] }}]")).await;
    let boss = Desk::of(&server, &ada(&server)).await;
    let reader = gateway::reader(&server).tokens(&server, &ben(&server)).await.access;
    let nurse = Desk::of(&server, &ben(&server)).await;

    nurse.get("/v1/accounts", "acme").await.expect(200);
    nurse.get("/v1/accounts", "").await.expect(200);
    let machine = gateway::authzen::a_machine(&server).await;
    for _ in 0..2 {
        machine
            .ask("evaluation", &gateway::authzen::question("ben", "readData", "p"))
            .await
            .expect(200);
    }
    let bearer = format!("Bearer {reader}");
    let fields = [
        ("authorization", &*bearer),
        ("lifeomic-account", "acme"),
        ("x-original-method", "GET"),
        ("x-original-uri", "/book/index"),
    ];
    server.browser().get_with("/gateway/nginx/handbook", &fields).await.expect(200);
    boss.get("/v1/apps", "acme").await.expect(200);

    let by_app = lines(&boss, "by=app").await;
    let shown: Vec<_> = by_app
        .iter()
        .map(|l| (l["app"].as_str(), l["apiCalls"].as_i64(), l["activeUsers"].as_i64()))
        .collect();
    assert_eq!(
        shown,
        [
            // Nobody acts but the app.
            (Some("machine"), Some(2), Some(0)),
            (Some("portal"), Some(2), Some(2)),
            (Some("reader"), Some(1), Some(1)),
        ]
    );
    assert!(by_app.iter().all(|l| l["computeSeconds"].as_f64() > Some(0.0)), "{by_app:?}");
}

async fn case_59_usage_of_another_account_is_not_shown(db: Kind) {
    let server = start(db).await;
    let (boss, stranger) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    boss.get("/v1/projects", "acme").await.expect(200);

    assert_eq!(stranger.get("/v1/usage", "acme").await.refusal(), "403 not_a_member");
    assert!(each(&stranger.get("/v1/usage?by=app", "beta").await.expect(200), "day").is_empty());
}

const DECLARED: &str = "
accounts:
  - id: acme
    name: Acme
    groups: [{ id: acme-staff, name: Staff }]
    policies: [{ name: All, rules: { readData: true, billingAdmin: true } }]
users: [{ id: ben, username: ben }]
apps:
  - { id: robot, account: acme, title: Robot, status: live, type: confidential, allowed_accounts: all,
      allowed_scopes: [project.read, usage.read], callback_urls: [],
      grant_types: [client_credentials], secrets: [robot-secret-0123456789-abcdefghijklmnopq] }
";

struct Site {
    database: TestDatabase,
    http: Browser,
    port: u16,
}

impl Site {
    fn serve(&self) -> Running {
        let (flags, address) = (flags(&self.database), format!("127.0.0.1:{}", self.port));
        let args = with_flags(&["serve", "--listen", &address], &flags);
        Running::start(narthex(self.database.folder.path(), &args), "Narthex serves")
    }

    async fn calls(&self) -> i64 {
        let open = self.database.open().await;
        let query = narthex::db::query::sql(
            "SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) AS n FROM usage_calls",
        );
        let row = narthex::db::Fetch::fetch_optional(&open, query).await.unwrap().unwrap();
        row.get("n").unwrap()
    }
}

/// An app bound to a service account, put there as the API would put it.
async fn bind(database: &TestDatabase) {
    let open = database.open().await;
    for statement in [
        "INSERT INTO service_accounts (user_id, account_id, name, app_id, created_at, updated_at)
         VALUES ('ben', 'acme', 'Robot', 'robot', 0, 0)",
        "INSERT INTO group_members (account_id, group_id, user_id, joined_at)
         VALUES ('acme', 'acme-staff', 'ben', 0)",
    ] {
        open.write_one(narthex::db::query::sql(statement)).await.unwrap();
    }
}

async fn kill_9_loses_at_most_what_was_counted_since_the_last_flush(db: Kind) {
    let database = TestDatabase::empty(db).await;
    apply(&database, DECLARED);
    bind(&database).await;
    let port = free_port();
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let http = Browser::over(client, &format!("http://127.0.0.1:{port}"));
    let site = Site { database, http, port };
    let mut running = site.serve();
    let basic = crate::common::actors::basic("robot", "robot-secret-0123456789-abcdefghijklmnopq");
    let token = site
        .http
        .post_with("/token", &[("authorization", &basic)], &[("grant_type", "client_credentials")])
        .await
        .expect(200)
        .text("access_token");
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let call = async |times: usize| {
        for _ in 0..times {
            site.http.get_with("/v1/projects", &headers).await.expect(200);
        }
    };

    call(20).await;
    for wait in 0.. {
        if site.calls().await == 20 {
            break;
        }
        assert!(wait < 100, "what was counted is not written");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    call(5).await;
    running.kill();
    let after = site.calls().await;
    assert!((20..=25).contains(&after), "{after}");

    // Whoever is asked to stop writes what is left.
    let mut running = site.serve();
    call(7).await;
    assert_eq!(running.stop(), Some(0));
    assert_eq!(site.calls().await, after + 7);
}
