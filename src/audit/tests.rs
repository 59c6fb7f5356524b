//! Entries: with the act or not at all, numbered without gaps, each covering the one before.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::{forget, record, seal_all, stretch, sweep};
use crate::audit::verify::{Fault, verify};
use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::base::mac::MacKey;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::{built_sql, sql};
use crate::db::testing::{self, Guard};

async fn bench() -> (Guard, Ctx) {
    let (guard, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_700_000_000_000_000)));
    (
        guard,
        Ctx {
            db,
            clock,
            entropy: Arc::new(OsEntropy::default()),
            seal: Some(MacKey::new(&[7; 32])),
        },
    )
}

/// Takes away what keeps the record as it is: whoever owns the database can.
async fn disarm(ctx: &Ctx) {
    for (trigger, table) in [
        ("audit_entries_stay", "audit_entries"),
        ("audit_entries_unchanged", "audit_entries"),
        ("audit_heads_stay", "audit_heads"),
        ("audit_heads_go_on", "audit_heads"),
    ] {
        let drop = format!("DROP TRIGGER {trigger}");
        if ctx.db.write_one(built_sql(drop.clone())).await.is_err() {
            ctx.db.write_one(built_sql(format!("{drop} ON {table}"))).await.unwrap();
        }
    }
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

    let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();
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
        ("DELETE FROM audit_heads WHERE chain = 'acme'", 1, Fault::Outside),
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
        ("UPDATE audit_heads SET chain = 'x' WHERE chain = 'acme'", 1, Fault::Outside),
    ] {
        let (_guard, ctx) = bench().await;
        for n in 0..3 {
            add(&ctx, "acme", &format!("g{n}"), false).await.unwrap();
        }
        assert!(ctx.db.write_one(sql(statement)).await.is_err(), "{statement}");
        disarm(&ctx).await;
        ctx.db.write_one(sql(statement)).await.unwrap();

        let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();

        let acme = found.iter().find(|one| one.chain == "acme").unwrap();
        assert_eq!(acme.fault, Some((seq, fault)), "{statement}");
    }
}

/// One who can do anything to the database, and knows how digests are made, but not the key.
#[tokio::test]
async fn a_chain_that_is_written_anew_is_not_sealed() {
    for (statement, seq, fault) in [
        ("UPDATE audit_heads SET mac = NULL WHERE chain = 'acme'", 3, Fault::Unsealed),
        (
            "UPDATE audit_heads SET mac = (SELECT mac FROM audit_heads WHERE chain = '')
               WHERE chain = 'acme'",
            3,
            Fault::Unsealed,
        ),
        (
            "INSERT INTO audit_entries (chain, seq, at, action, kind, target, outcome, times, digest)
             SELECT chain, 1000, at, action, kind, target, outcome, times, digest
               FROM audit_entries WHERE chain = 'acme' AND seq = 3",
            1000,
            Fault::Outside,
        ),
        (
            "INSERT INTO audit_entries (chain, seq, at, action, kind, target, outcome, times, digest)
             SELECT chain, 0, at, action, kind, target, outcome, times, digest
               FROM audit_entries WHERE chain = 'acme' AND seq = 3",
            0,
            Fault::Outside,
        ),
        ("UPDATE audit_entries SET detail = NULL WHERE chain = 'acme' AND seq = 2", 2, Fault::Blank),
        ("UPDATE audit_entries SET origin = NULL WHERE chain = 'acme' AND seq = 1", 1, Fault::Blank),
    ] {
        let (_guard, ctx) = bench().await;
        for n in 0..3 {
            add(&ctx, "acme", &format!("g{n}"), false).await.unwrap();
        }
        ctx.db.write_one(sql(statement)).await.unwrap();

        let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();

        let acme = found.iter().find(|one| one.chain == "acme").unwrap();
        assert_eq!(acme.fault, Some((seq, fault)), "{statement}");
    }
}

#[tokio::test]
async fn the_newest_entries_cannot_be_cut_off() {
    let (_guard, ctx) = bench().await;
    for n in 0..3 {
        add(&ctx, "acme", &format!("g{n}"), false).await.unwrap();
    }
    disarm(&ctx).await;
    for statement in [
        "DELETE FROM audit_entries WHERE chain = 'acme' AND seq = 3",
        "UPDATE audit_heads SET seq = 2, digest = (SELECT digest FROM audit_entries
           WHERE chain = 'acme' AND seq = 2) WHERE chain = 'acme'",
    ] {
        ctx.db.write_one(sql(statement)).await.unwrap();
    }

    let faults = async |key| {
        let found = verify(&ctx.db, key).await.unwrap();
        found.iter().find(|one| one.chain == "acme").unwrap().fault
    };
    assert_eq!(faults(None).await, None);
    assert_eq!(faults(ctx.seal.as_ref()).await, Some((2, Fault::Unsealed)));
}

#[tokio::test]
async fn what_was_written_before_there_were_seals_is_sealed_once() {
    let (_guard, ctx) = bench().await;
    let old = Ctx { seal: None, ..ctx.clone() };
    add(&old, "acme", "g", false).await.unwrap();
    let is_whole = async || {
        let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();
        found.iter().all(|one| one.fault.is_none())
    };
    assert!(!is_whole().await);

    seal_all(&ctx).await.unwrap();

    assert!(is_whole().await);
}

#[tokio::test]
async fn what_is_old_is_removed_and_the_chain_goes_on() {
    let (_guard, mut ctx) = bench().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_700_000_000_000_000)));
    ctx.clock = clock.clone();
    for n in 0..6 {
        add(&ctx, "acme", &format!("g{n}"), false).await.unwrap();
        clock.advance(TimeDelta::days(1));
    }

    assert_eq!(sweep(&ctx, TimeDelta::days(3)).await.unwrap(), 3);

    let left = async || {
        let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();
        assert!(found.iter().all(|one| one.fault.is_none()), "{found:?}");
        found.iter().find(|one| one.chain == "acme").unwrap().entries
    };
    assert_eq!(left().await, 3);
    assert_eq!(sweep(&ctx, TimeDelta::days(3)).await.unwrap(), 0);
    clock.advance(TimeDelta::days(100));
    assert_eq!(sweep(&ctx, TimeDelta::days(3)).await.unwrap(), 2, "the last stays");
    add(&ctx, "acme", "later", false).await.unwrap();
    assert_eq!(left().await, 2);
    // What is swept too early shows.
    let early = "UPDATE audit_heads SET swept_seq = 6 WHERE chain = 'acme'";
    ctx.db.write_one(sql(early)).await.unwrap();
    let gone = "DELETE FROM audit_entries WHERE chain = 'acme' AND seq = 6";
    ctx.db.write_one(sql(gone)).await.unwrap();
    let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();
    assert!(found.iter().any(|one| one.fault.is_some()), "{found:?}");
}

#[tokio::test]
async fn a_chain_that_is_gone_is_missed() {
    let (_guard, ctx) = bench().await;
    for account in ["acme", "other"] {
        add(&ctx, account, "g", false).await.unwrap();
    }
    disarm(&ctx).await;
    for statement in [
        "DELETE FROM audit_entries WHERE chain = 'acme'",
        "DELETE FROM audit_heads WHERE chain = 'acme'",
    ] {
        ctx.db.write_one(sql(statement)).await.unwrap();
    }

    let found = verify(&ctx.db, ctx.seal.as_ref()).await.unwrap();

    let faults: Vec<_> = found.into_iter().map(|one| one.fault).collect();
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
    let unit = ctx.db.write((ctx.clone(), gone), |tx, (ctx, gone)| {
        Box::pin(async move {
            let event =
                Event::new(Action::Delete, "user", "u1").after(json!({ "changed": "user" }));
            record(tx, ctx, &Actor::operator(), &event);
            forget(tx, gone).await
        })
    });
    unit.await.unwrap();

    let own = stretch(&ctx.db, None, 0, 10).await.unwrap();
    let about = own.iter().find(|entry| entry.target == "u1").unwrap();
    assert_eq!((about.user.as_deref(), about.detail.text.as_deref()), (Some("u1"), None));
    let acme = stretch(&ctx.db, Some(&"acme".parse().unwrap()), 0, 10).await.unwrap();
    assert_eq!((acme[0].user.as_deref(), acme[0].origin.text.as_deref()), (Some("u1"), None));
    assert_eq!(acme[0].detail.member("after"), Some(json!({ "name": "g" })));
    assert!(
        verify(&ctx.db, ctx.seal.as_ref()).await.unwrap().iter().all(|one| one.fault.is_none())
    );
}
