//! What stays of the record: without what it told of people who are gone, for as long as the operator
//! says; and what the log has of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use narthex::audit::verify::verify;
use narthex::db::Fetch as _;
use narthex::db::query::sql;
use narthex::users::deletion::GRACE;
use narthex::worker::{deletion, recorder};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::account::send;
use crate::audit::{entries, written};
use crate::common::actors::Person;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::ada;
use crate::tenants::Desk;

both!(
    of_somebody_who_is_gone_the_record_tells_ids_alone,
    what_is_older_than_the_record_is_kept_goes_and_the_chain_holds,
    the_keys_of_who_left_do_not_come_back_with_them,
);

async fn is_whole(server: &TestServer) {
    let ctx = &server.server.ctx;
    let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();
    assert!(found.iter().all(|one| one.fault.is_none()), "{found:?}");
}

async fn of_somebody_who_is_gone_the_record_tells_ids_alone(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply(
            "users: [{ id: lea-0123456789, username: lea, email: lea@acme.example, email_verified: true,
               password: lea-correct-horse }]
accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE, groups: [
  { id: acme-guests, name: Guests, members: [lea] }] }]",
        )
        .await;
    let (username, password) = ("lea", "lea-correct-horse");
    let lea = Person { username, password, totp: None, browser: server.browser() };
    lea.sign_in(&server).await;
    send(&lea.browser, "/account/profile", |_| true, &[("name", "Lea L.")]).await.expect(200);
    written(&server).await;
    let of_lea = async |what: &str| {
        let query = "SELECT chain, seq, user_id, request_id, detail, origin FROM audit_entries
                      WHERE (user_id = 'lea-0123456789' OR target = 'lea-0123456789')
                        AND action <> 'D' ORDER BY chain, seq";
        let rows = server.server.ctx.db.fetch_all(sql(query)).await.unwrap();
        let rows = rows.iter().filter(|row| row.get::<Option<String>>(what).unwrap().is_some());
        rows.count()
    };
    let (before, origins) = (of_lea("chain").await, of_lea("origin").await);
    assert!(before >= 3 && origins >= 2, "{before} {origins}");

    let is_asked = |form: &Form| form.has("password");
    let shown = [("password", password)];
    send(&lea.browser, "/account/deletion", is_asked, &shown).await.expect(200);
    server.advance(GRACE + TimeDelta::minutes(1));
    deletion::run_due(&server.server).await;

    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM users WHERE id = 'lea-0123456789'").await,
        0
    );
    assert!(of_lea("chain").await >= before, "entries stay");
    assert_eq!(of_lea("origin").await, 0);
    let desk = Desk::of(&server, &ada(&server)).await;
    let told = entries(&desk, "user=lea-0123456789").await;
    assert!(!told.is_empty());
    for entry in &told {
        assert!(entry.get("ip").is_none(), "{entry}");
    }
    let seen = desk.get("/v1/audit?pageSize=500", "acme").await.expect(200);
    assert!(!seen.body.contains("Lea L.") && !seen.body.contains("lea@acme"), "{seen:?}");
    is_whole(&server).await;
}

async fn what_is_older_than_the_record_is_kept_goes_and_the_chain_holds(db: Kind) {
    let server = TestServer::start_with(db, |config| config.audit_retention_days = 30).await;
    server.apply(include_str!("../common/world.yaml")).await;
    let count = "SELECT COUNT(*) AS n FROM audit_entries WHERE chain = 'acme'";
    assert!(server.count(count).await > 5);
    recorder::sweep(&server.server).await;
    assert!(server.count(count).await > 5, "nothing is old yet");

    server.advance(TimeDelta::days(31));
    let desk = Desk::of(&server, &ada(&server)).await;
    desk.post("/v1/account/groups", "acme", json!({"name": "New"})).await.expect(201);
    written(&server).await;
    recorder::sweep(&server.server).await;

    let kinds = entries(&desk, "").await;
    let kinds: Vec<_> = kinds.iter().map(|entry| entry["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["sign-in", "group"]);
    is_whole(&server).await;
}

async fn the_keys_of_who_left_do_not_come_back_with_them(db: Kind) {
    let server = TestServer::start(db).await;
    let world = |members: &str| {
        format!(
            "accounts: [{{ id: acme, name: Acme Hospital, type: ENTERPRISE,
               groups: [{{ id: acme-guests, name: Guests, members: [{members}] }}],
               policies: [{{ name: Keys, rules: {{ apiKeyUser: true }} }}] }}]"
        )
    };
    server.apply(&world("eve")).await;
    let eve = crate::common::world::eve(&server);
    let desk = Desk::of(&server, &eve).await;
    let body = json!({"name": "K", "expireInDays": 30});
    let made = desk.post("/v1/api-keys", "acme", body).await.expect(201).json();
    let by_key = Desk::holding(&server, made["apiKey"].as_str().unwrap());
    by_key.get("/v1/projects", "acme").await.expect(403);
    by_key.get("/v1/accounts", "").await.expect(200);

    server.apply(&world("")).await;
    assert_eq!(by_key.get("/v1/accounts", "").await.refusal(), "403 not_a_member");
    server.deliver().await;
    server.apply(&world("eve")).await;

    assert_eq!(by_key.get("/v1/accounts", "").await.refusal(), "401 invalid_token");
    let told = entries(&Desk::of(&server, &ada(&server)).await, "type=apiKey&action=delete").await;
    assert_eq!((&told[0]["target"], &told[0]["before"]["name"]), (&made["id"], &json!("K")));
}

/// Everything that this thread logs of the record.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn case_74_the_log_has_one_line_for_each_entry_and_no_secret() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::INFO)
        .with_writer(lines.clone())
        .finish();
    // Beside a second one: while there is just one, a thread of another test that comes by a line
    // first decides for all threads that nobody listens to it.
    let _second =
        tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let _listening = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let (rows, secrets) = runtime.block_on(async {
        let server = TestServer::start(Kind::Sqlite).await;
        let desk = Desk::of(&server, &ada(&server)).await;
        desk.post("/v1/account/groups", "acme", json!({"name": "Night shift"})).await.expect(201);
        desk.get("/v1/usage", "acme").await.expect(403);
        written(&server).await;
        let query = sql("SELECT * FROM audit_entries WHERE chain = 'acme' ORDER BY seq");
        let rows = server.server.ctx.db.fetch_all(query).await.unwrap();
        let rows: Vec<(i64, BTreeMap<&str, Value>)> = rows
            .iter()
            .map(|row| {
                let columns = [
                    ("user", "user_id"),
                    ("app", "app_id"),
                    ("request", "request_id"),
                    ("action", "action"),
                    ("kind", "kind"),
                    ("outcome", "outcome"),
                    ("reason", "reason"),
                ];
                let told = columns.into_iter().filter_map(|(field, column)| {
                    Some((field, json!(row.get::<Option<String>>(column).unwrap()?)))
                });
                (row.get("seq").unwrap(), told.collect())
            })
            .collect();
        (rows, vec![desk.token, "ada-correct-horse".to_owned(), "Night shift".to_owned()])
    });

    let log = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}");
    }
    let told: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "narthex::audit" && line["account"] == "acme")
        .collect();
    assert!(rows.len() > 5 && told.len() == rows.len(), "{} {}\n{log}", rows.len(), told.len());
    for (seq, row) in rows {
        let line = told.iter().find(|line| line["seq"] == seq).expect("a line");
        for (field, value) in row {
            assert_eq!(line[field], value, "{line}");
        }
    }
}
