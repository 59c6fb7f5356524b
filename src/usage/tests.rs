//! What is counted: once, by day and app, and not another account's.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::base::id::AccountId;
use crate::db::ctx::Ctx;
use crate::db::query::sql;
use crate::db::testing;
use crate::usage::model::{Day, Wanted, Whose};
use crate::usage::service::Usage;

fn wanted(by_app: bool, limit: u32) -> Wanted {
    Wanted { from: Day(0), until: Day(50_000), app: None, by_app, after: None, limit }
}

fn count(usage: &Usage, account: &str, app: &str, user: &str) {
    let whose =
        Whose { account: account.parse().unwrap(), day: usage.today(), app: app.parse().ok() };
    usage.counters().count(whose, Some(&user.parse().unwrap()), 10);
}

#[tokio::test]
async fn calls_are_counted_once_by_day_and_app() {
    let (_guard, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_700_000_000_000_000)));
    let ctx = Ctx { db, clock: clock.clone(), entropy: Arc::new(OsEntropy::default()), seal: None };
    for account in ["acme", "other"] {
        let insert = sql("INSERT INTO accounts (id, name, type, status, created_at, updated_at)
                          VALUES ($1, $1, 'FREE', 'ACTIVE', 0, 0)");
        ctx.db.write_one(insert.bind(&account.parse::<AccountId>().unwrap())).await.unwrap();
    }
    let (usage, second_node) = (Usage::new(&ctx), Usage::new(&ctx));
    for node in [&usage, &second_node] {
        for (app, user) in [("a", "u1"), ("a", "u2"), ("b", "u1"), ("", "u3"), ("a", "u1")] {
            count(node, "acme", app, user);
        }
        count(node, "gone", "a", "u1");
        node.flush().await.unwrap();
        node.flush().await.unwrap();
    }
    clock.advance(TimeDelta::days(1));
    count(&usage, "acme", "a", "u1");
    usage.weigh().await.unwrap();

    let acme = "acme".parse().unwrap();
    let days = usage.lines(&acme, &wanted(false, 10)).await.unwrap();
    let shown: Vec<_> = days.iter().map(|l| (l.count.calls, l.count.micros, l.users)).collect();
    assert_eq!(shown, [(1, 10, 1), (10, 100, 3)]);
    assert_eq!((days[0].day.0, days[0].bytes), (days[1].day.0 + 1, Some(0)));

    let apps = usage.lines(&acme, &wanted(true, 10)).await.unwrap();
    let shown: Vec<_> =
        apps.iter().map(|l| (l.app.as_deref().unwrap(), l.count.calls, l.users)).collect();
    assert_eq!(shown, [("a", 1, 1), ("", 2, 1), ("a", 6, 2), ("b", 2, 1)]);
    let mut walked = Vec::new();
    let mut page = wanted(true, 1);
    while let [line] = usage.lines(&acme, &page).await.unwrap().as_slice() {
        page.after = line.app.clone().map(|app| (line.day, app));
        walked.push(line.clone());
    }
    assert_eq!(walked, apps);
    let only = Wanted { app: Some("b".to_owned()), ..wanted(false, 10) };
    let only = usage.lines(&acme, &only).await.unwrap();
    assert_eq!(only.iter().map(|l| (l.count.calls, l.users)).collect::<Vec<_>>(), [(2, 1)]);
    let after = Wanted { after: Some((days[0].day, String::new())), ..wanted(false, 10) };
    assert_eq!(usage.lines(&acme, &after).await.unwrap(), days[1..]);
    assert_eq!(usage.lines(&"other".parse().unwrap(), &wanted(true, 10)).await.unwrap(), []);
}
