//! Entries: with the act or not at all, numbered without gaps, each covering the one before.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::{forget, record, stretch};
use crate::audit::verify::{Fault, verify};
use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::testing::{self, Guard};

async fn bench() -> (Guard, Ctx) {
    let (guard, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_700_000_000_000_000)));
    (guard, Ctx { db, clock, entropy: Arc::new(OsEntropy::default()) })
}

async fn add(ctx: &Ctx, account: &str, target: &str, fails: bool) -> Result<(), DbError> {
    let event = Event::new(Action::Create, "group", target).of(&account.parse().unwrap());
    let event = event.after(json!({ "name": target }));
    ctx.db
        .write((ctx.clone(), event, fails), |tx, (ctx, event, fails)| {
            Box::pin(async move {
                let actor = Actor::user(&"u1".parse().unwrap()).from(Some([192, 0, 2, 1].into()));
                record(tx, ctx, &actor, event);
                if *fails { Err(DbError::Closed) } else { Ok(()) }
            })
        })
        .await
}

#[tokio::test]
async fn an_entry_lives_and_dies_with_its_act_and_covers_the_one_before() {
    let (_guard, ctx) = bench().await;

    assert!(add(&ctx, "acme", "lost", true).await.is_err());
    let many = (0..20).map(|n| {
        let (ctx, account) = (ctx.clone(), if n % 2 == 0 { "acme" } else { "other" });
        async move { add(&ctx, account, &format!("g{n}"), n % 5 == 4).await }
    });
    assert_eq!(join_all(many).await.iter().filter(|one| one.is_ok()).count(), 16);

    let found = verify(&ctx.db).await.unwrap();
    let names: Vec<_> = found.iter().map(|one| (one.chain.as_str(), one.entries)).collect();
    assert_eq!(names, [("", 2), ("acme", 8), ("other", 8)]);
    assert!(found.iter().all(|one| one.fault.is_none()), "{found:?}");
}

#[tokio::test]
async fn whatever_is_changed_or_removed_shows() {
    for (statement, seq, fault) in [
        ("DELETE FROM audit_entries WHERE chain = 'acme' AND seq = 2", 2, Fault::Missing),
        ("DELETE FROM audit_entries WHERE chain = 'acme' AND seq = 3", 3, Fault::Missing),
        ("DELETE FROM audit_entries WHERE chain = 'acme'", 1, Fault::Missing),
        ("DELETE FROM audit_heads WHERE chain = 'acme'", 0, Fault::Head),
        ("UPDATE audit_heads SET seq = 2 WHERE chain = 'acme'", 2, Fault::Head),
        (
            "UPDATE audit_entries SET user_id = 'u2' WHERE chain = 'acme' AND seq = 1",
            1,
            Fault::Changed,
        ),
        (
            "UPDATE audit_entries SET at = at + 1 WHERE chain = 'acme' AND seq = 2",
            2,
            Fault::Changed,
        ),
        (
            "UPDATE audit_entries SET reason = '' WHERE chain = 'acme' AND seq = 2",
            2,
            Fault::Changed,
        ),
        (
            "UPDATE audit_entries SET detail_digest = NULL, detail = NULL
           WHERE chain = 'acme' AND seq = 2",
            2,
            Fault::Changed,
        ),
        (
            "UPDATE audit_entries SET detail = '{}' WHERE chain = 'acme' AND seq = 2",
            2,
            Fault::DetailChanged,
        ),
        (
            "UPDATE audit_entries SET origin = '{}' WHERE chain = 'acme' AND seq = 2",
            2,
            Fault::DetailChanged,
        ),
    ] {
        let (_guard, ctx) = bench().await;
        for n in 0..3 {
            add(&ctx, "acme", &format!("g{n}"), false).await.unwrap();
        }
        ctx.db.write_one(sql(statement)).await.unwrap();

        let found = verify(&ctx.db).await.unwrap();

        let acme = found.iter().find(|one| one.chain == "acme").unwrap();
        assert_eq!(acme.fault, Some((seq, fault)), "{statement}");
    }
}

#[tokio::test]
async fn a_chain_that_is_gone_is_missed_and_an_erased_detail_is_not() {
    let (_guard, ctx) = bench().await;
    for account in ["acme", "other"] {
        add(&ctx, account, "g", false).await.unwrap();
    }
    for statement in [
        "DELETE FROM audit_entries WHERE chain = 'acme'",
        "DELETE FROM audit_heads WHERE chain = 'acme'",
        "UPDATE audit_entries SET origin = NULL, detail = NULL",
    ] {
        ctx.db.write_one(sql(statement)).await.unwrap();
    }

    let faults: Vec<_> = verify(&ctx.db).await.unwrap().into_iter().map(|one| one.fault).collect();

    assert_eq!(faults, [None, None, Some((1, Fault::Gone))]);
}

#[tokio::test]
async fn of_somebody_who_is_gone_ids_are_left_and_the_chain_holds() {
    let (_guard, ctx) = bench().await;
    add(&ctx, "acme", "g", false).await.unwrap();
    let event = Event::new(Action::Update, "user", "u1").after(json!({ "changed": "email" }));
    let unit = ctx.db.write((ctx.clone(), event), |tx, (ctx, event)| {
        Box::pin(async move {
            record(tx, ctx, &Actor::user(&"u1".parse().unwrap()), event);
            Ok::<(), DbError>(())
        })
    });
    unit.await.unwrap();

    let gone = "u1".parse().unwrap();
    ctx.db.write(gone, |tx, gone| Box::pin(forget(tx, gone))).await.unwrap();

    let own = stretch(&ctx.db, None, 0, 10).await.unwrap();
    let about = own.iter().find(|entry| entry.target == "u1").unwrap();
    assert_eq!((about.user.as_deref(), about.detail.text.as_deref()), (Some("u1"), None));
    let acme = stretch(&ctx.db, Some(&"acme".parse().unwrap()), 0, 10).await.unwrap();
    assert_eq!((acme[0].user.as_deref(), acme[0].origin.text.as_deref()), (Some("u1"), None));
    assert_eq!(acme[0].detail.member("after"), Some(json!({ "name": "g" })));
    assert!(verify(&ctx.db).await.unwrap().iter().all(|one| one.fault.is_none()));
}
