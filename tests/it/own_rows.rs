//! Among many accounts, a list of one reads the rows of that one alone: counted by PostgreSQL, which
//! counts every row that it looks at. How SQLite plans them is looked at beside the stores.

use std::time::Duration;

use narthex::cli::bench::store_accounts::fill;
use narthex::db::Fetch as _;
use narthex::db::query::sql;
use narthex::gate::routes::{Method, table};

use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::Session;
use crate::common::world::ada;

/// Accounts beside those of the world, with 50 groups, 20 policies and projects, 100 users each.
const ACCOUNTS: i64 = 200;
const ROUNDS: i64 = 25;
/// Most rows of one table that all lists together may look at in one round; acme has fewer than
/// twenty of any kind.
const ROWS_MAX: i64 = 250;

const TABLES: [&str; 6] =
    ["account_groups", "group_members", "policies", "policy_versions", "projects", "users"];

async fn rows_read(server: &TestServer) -> Vec<i64> {
    let query = sql("SELECT t.relname AS name,
               CAST(COALESCE(t.seq_tup_read, 0) + COALESCE(SUM(i.idx_tup_read), 0) AS BIGINT) AS n
          FROM pg_stat_user_tables t LEFT JOIN pg_stat_user_indexes i ON i.relid = t.relid
         GROUP BY t.relname, t.seq_tup_read");
    let rows = server.server.ctx.db.fetch_all(query).await.unwrap();
    let of = |table: &&str| {
        let row = rows.iter().find(|row| row.get::<String>("name").unwrap() == **table);
        row.unwrap().get::<i64>("n").unwrap()
    };
    TABLES.iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_59_no_list_reads_the_rows_of_another_account() {
    let server = TestServer::start(Kind::Postgres).await;
    let db = &server.server.ctx.db;
    fill(db, (0, ACCOUNTS)).await.unwrap();
    let everywhere = sql("INSERT INTO group_members (account_id, group_id, user_id, joined_at)
        SELECT a.id, a.id || '-g0', u.id, 0 FROM accounts a, users u
         WHERE a.name = 'Neighbour' AND u.username_key = 'ada'");
    assert_eq!(db.write_one(everywhere).await.unwrap().affected, ACCOUNTS.unsigned_abs());
    db.write_one(sql("ANALYZE")).await.unwrap();
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let lists: Vec<String> = table()
        .filter(|route| route.method == Method::Get)
        .map(|route| route.path.replace("/accounts/{id}", "/accounts/acme"))
        .map(|path| {
            path.replace("{name}", "Nurse%20Access").replace("groups/{id}", "groups/acme-nurses")
        })
        .map(|path| {
            path.replace("users/{id}", "users/ben")
                .replace("{id}", "heart")
                .replace("{user}", "ben")
        })
        .map(|path| match path.as_str() {
            "/v1/policy-holders" => format!("{path}?operation=readData"),
            "/v1/policy-explanation" => format!("{path}?operation=readData&user=ben"),
            "/v1/projects" => format!("{path}?include=count&name=H&id=heart"),
            _ => path,
        })
        .collect();
    for path in &lists {
        assert!(ada.get(path).await.status < 500, "{path}");
    }
    let before = rows_read(&server).await;

    for _ in 0..ROUNDS {
        for path in &lists {
            ada.get(path).await;
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    ada.get("/v1/projects").await;

    let after = rows_read(&server).await;
    for ((table, before), after) in TABLES.iter().zip(before).zip(after) {
        assert!(after - before < ROUNDS * ROWS_MAX, "{table}: {} rows", after - before);
    }
}
