//! Units of work, caches' counters, migrations.

use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _, testing};

async fn open() -> (testing::Guard, Db) {
    let (folder, db) = testing::open().await;
    db.write((), |tx, ()| {
        Box::pin(async move {
            tx.execute(sql("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)")).await?;
            tx.execute(sql("INSERT INTO t (id, n) VALUES (1, 0)")).await?;
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    (folder, db)
}

async fn count(db: &Db) -> i64 {
    let row = db.fetch_optional(sql("SELECT n FROM t WHERE id = 1")).await.unwrap().unwrap();
    row.get("n").unwrap()
}

#[tokio::test]
async fn migrations_run_once() {
    let (folder, db) = open().await;

    assert_eq!(db.migrate().await.unwrap(), Vec::<&str>::new());

    let again = folder.reopen().await;
    assert_eq!(again.migrate().await.unwrap(), Vec::<&str>::new());
}

#[tokio::test]
async fn a_unit_that_fails_leaves_nothing_and_its_neighbours_stay() {
    let (_folder, db) = open().await;
    let units = (0..50).map(|number: i64| {
        let db = db.clone();
        async move {
            db.write(number, |tx, number| {
                Box::pin(async move {
                    tx.execute(sql("UPDATE t SET n = n + 1 WHERE id = 1")).await?;
                    if number % 5 == 0 { Err(DbError::Closed) } else { Ok(*number) }
                })
            })
            .await
        }
    });

    let answers = futures_util::future::join_all(units).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 40);
    assert_eq!(count(&db).await, 40);
}

#[tokio::test]
async fn a_guarded_statement_has_one_winner() {
    let (_folder, db) = open().await;
    let races =
        (0..64).map(|_| db.write_one(sql("UPDATE t SET n = 1 WHERE id = 1 AND n = 0 RETURNING n")));

    let won = futures_util::future::join_all(races).await;

    assert_eq!(won.iter().map(|w| w.as_ref().unwrap().affected).sum::<u64>(), 1);
    assert_eq!(won.iter().map(|w| w.as_ref().unwrap().rows.len()).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_statement_that_fails_does_not_harm_the_batch() {
    let (_folder, db) = open().await;
    let writes = (0..40).map(|number: i64| {
        // Ids 1 to 4 collide with each other and with the row that is there.
        db.write_one(sql("INSERT INTO t (id, n) VALUES ($1, 0)").bind(if number < 4 {
            1
        } else {
            number
        }))
    });

    let answers = futures_util::future::join_all(writes).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 36);
    assert!(
        answers.iter().take(4).all(|answer| matches!(answer, Err(DbError::Duplicate(_)))),
        "{answers:?}"
    );
}

#[tokio::test]
async fn what_another_process_changed_is_seen_by_polling() {
    let (folder, db) = open().await;
    let other = folder.reopen().await;
    other.poll_changes().await.unwrap();
    let before = other.changes().epoch(Topic::Apps);

    db.write((), |tx, ()| {
        Box::pin(async move {
            tx.touch(Topic::Apps);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    other.poll_changes().await.unwrap();

    assert_eq!(other.changes().epoch(Topic::Apps), before + 1);
    assert_eq!(other.changes().epoch(Topic::Users), 0);
}
