//! Jobs: never lost, never at two nodes at once, not for ever.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use serde_json::json;

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::db::Db;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::testing::{self, Guard};
use crate::queue::model::{ATTEMPTS_MAX, DEAD_KEPT, Fate, Job, LEASE, Lane, Undelivered};
use crate::queue::service::{Queue, push};

const ALL: Lane = Lane::Except("other");
const AGAIN: Result<(), Undelivered> = Err(Undelivered::Again("nobody answers"));

struct Bench {
    guard: Guard,
    clock: Arc<ManualClock>,
    queue: Queue,
    db: Db,
}

fn queue_on(db: &Db, clock: &Arc<ManualClock>) -> Queue {
    let (clock, entropy) = (clock.clone(), Arc::new(OsEntropy::default()));
    Queue::new(&Ctx { db: db.clone(), clock, entropy, seal: None })
}

fn start() -> DateTime<Utc> {
    from_micros(1_700_000_000_000_000)
}

async fn bench() -> Bench {
    let (guard, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(start()));
    Bench { queue: queue_on(&db, &clock), guard, clock, db }
}

impl Bench {
    async fn push(&self, numbers: std::ops::Range<i32>) {
        let unit = self.db.write(numbers, |tx, numbers| {
            Box::pin(async move {
                for number in numbers.clone() {
                    push(tx, "test", &json!({ "n": number }), start()).await?;
                }
                Ok::<(), DbError>(())
            })
        });
        unit.await.unwrap();
    }

    async fn take_one(&self) -> Option<Job> {
        self.queue.lease(ALL, 1).await.unwrap().into_iter().next()
    }
}

#[tokio::test]
async fn a_job_lives_and_dies_with_the_act_that_causes_it() {
    let bench = bench().await;
    let unit = bench.db.write((), |tx, ()| {
        Box::pin(async move {
            push(tx, "test", &json!(1), start()).await?;
            Err::<(), DbError>(DbError::Closed)
        })
    });
    assert!(unit.await.is_err());
    assert_eq!(bench.take_one().await, None);

    bench.push(0..1).await;

    bench.queue.pushed().await;
    let job = bench.take_one().await.unwrap();
    assert_eq!((job.kind.as_str(), &job.payload, job.attempt), ("test", &json!({ "n": 0 }), 1));
    assert_eq!(bench.queue.settle(&job, Ok(())).await.unwrap(), Fate::Done);
    bench.clock.advance(TimeDelta::days(2));
    assert_eq!(bench.take_one().await, None);
}

#[tokio::test]
async fn several_nodes_never_hold_the_same_job() {
    let bench = bench().await;
    bench.push(0..60).await;
    let other = queue_on(&bench.guard.reopen().await, &bench.clock);

    let nodes = (0..20).map(|turn| if turn % 2 == 0 { &bench.queue } else { &other });
    let taken = join_all(nodes.map(|queue| queue.lease(ALL, 5))).await;

    let taken: Vec<Job> = taken.into_iter().flat_map(Result::unwrap).collect();
    let different: BTreeSet<i64> = taken.iter().map(|job| job.id).collect();
    assert_eq!(taken.len(), different.len());
    assert!(taken.iter().all(|job| job.attempt == 1));
}

#[tokio::test]
async fn a_node_that_dies_leaves_its_jobs_to_others_and_has_no_say_any_more() {
    let bench = bench().await;
    bench.push(0..1).await;
    let lost = bench.take_one().await.unwrap();
    assert_eq!(bench.take_one().await, None);

    bench.clock.advance(LEASE);

    let taken = bench.take_one().await.unwrap();
    assert_eq!((taken.id, taken.attempt), (lost.id, 2));
    // The first one comes back late: the job is not its own.
    bench.queue.settle(&lost, Ok(())).await.unwrap();
    bench.queue.settle(&taken, AGAIN).await.unwrap();
    bench.clock.advance(TimeDelta::days(1));
    assert_eq!(bench.take_one().await.unwrap().attempt, 3);
}

#[tokio::test]
async fn what_fails_is_tried_again_ever_later_and_then_given_up() {
    let bench = bench().await;
    bench.push(0..1).await;
    let mut waited = TimeDelta::zero();

    for attempt in 1..=ATTEMPTS_MAX {
        let job = bench.take_one().await.unwrap();
        assert_eq!(job.attempt, attempt);
        match bench.queue.settle(&job, AGAIN).await.unwrap() {
            Fate::Later(wait) => {
                bench.clock.advance(wait - TimeDelta::seconds(1));
                assert_eq!(bench.take_one().await, None);
                bench.clock.advance(TimeDelta::seconds(1));
                waited += wait;
            }
            fate => assert_eq!((fate, attempt), (Fate::Dead, ATTEMPTS_MAX)),
        }
    }

    assert!(waited > TimeDelta::hours(20) && waited < TimeDelta::hours(30), "{waited}");
    bench.clock.advance(DEAD_KEPT - TimeDelta::seconds(1));
    assert_eq!((bench.take_one().await, bench.queue.sweep().await.unwrap()), (None, 0));
    bench.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bench.queue.sweep().await.unwrap(), 1);
}

#[tokio::test]
async fn what_can_never_work_is_given_up_at_once() {
    let bench = bench().await;
    bench.push(0..1).await;
    let job = bench.take_one().await.unwrap();

    let fate = bench.queue.settle(&job, Err(Undelivered::Never("it is gone"))).await.unwrap();

    assert_eq!(fate, Fate::Dead);
    bench.clock.advance(TimeDelta::days(1));
    assert_eq!(bench.take_one().await, None);
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_can_be_tried_again() {
    let bench = bench().await;
    bench.push(0..3).await;
    for _ in 0..3 {
        let job = bench.take_one().await.unwrap();
        let outcome = Err(Undelivered::Never("nobody is there"));
        assert_eq!(bench.queue.settle(&job, outcome).await.unwrap(), Fate::Dead);
    }
    let dead = bench.queue.dead().await.unwrap();
    let shown: Vec<_> = dead.iter().map(|dead| (&*dead.kind, dead.attempts)).collect();
    assert_eq!(shown, [("test", 1); 3]);

    assert_eq!(bench.queue.revive(Some(dead[1].id)).await.unwrap(), 1);
    assert_eq!(bench.queue.revive(Some(dead[1].id)).await.unwrap(), 0);
    let job = bench.take_one().await.unwrap();
    assert_eq!((job.id, job.attempt), (dead[1].id, 1));
    assert_eq!(bench.queue.revive(None).await.unwrap(), 2);
    assert_eq!(bench.queue.dead().await.unwrap(), []);
}

#[tokio::test]
async fn a_lane_does_not_wait_for_the_other() {
    let bench = bench().await;
    bench.push(0..2).await;

    assert!(bench.queue.lease(Lane::Only("other"), 9).await.unwrap().is_empty());
    assert!(bench.queue.lease(Lane::Except("test"), 9).await.unwrap().is_empty());
    assert_eq!(bench.queue.lease(Lane::Only("test"), 9).await.unwrap().len(), 2);
}
