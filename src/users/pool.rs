//! The threads that hash: so many at once, so many waiting, the rest sent away.
//!
//! They are their own and run at a lower priority than the rest of the process: while all of them
//! hash, a request that needs a core for a moment gets it at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use tokio::sync::{Semaphore, oneshot};

/// How much the threads stand back. Source: `nice(2)`.
const NICENESS: i32 = 10;

type Work = Box<dyn FnOnce() + Send>;

/// Threads and their queue. Cheap to clone; the threads end with the last clone.
#[derive(Clone, Debug)]
pub(in crate::users) struct Pool {
    threads: usize,
    /// One permit for each piece of work that runs or waits.
    places: Arc<Semaphore>,
    queue: Arc<OnceLock<Sender<Work>>>,
}

/// There is no place, or no thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) struct NoPlace;

impl Pool {
    /// So many threads, and places for so many who wait. The threads begin with the first work.
    pub(in crate::users) fn new(threads: usize, waiting: usize) -> Self {
        let half = Semaphore::MAX_PERMITS / 2;
        let threads = threads.clamp(1, half);
        let places = Arc::new(Semaphore::new(threads + waiting.min(half)));
        Self { threads, places, queue: Arc::default() }
    }

    /// Whether there is no place left.
    pub(in crate::users) fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Does some work on one of the threads, in the order of asking.
    ///
    /// # Errors
    /// [`NoPlace`] if too many wait already.
    pub(in crate::users) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoPlace> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NoPlace)?;
        let (answer, done) = oneshot::channel();
        let work: Work = Box::new(move || {
            // The place stays with the work, even if whoever asked goes away while it is done. If
            // they went before, nobody needs it.
            let place = place;
            if !answer.is_closed() {
                let done = work();
                drop(place);
                let _ = answer.send(done);
            }
        });
        self.queue.get_or_init(|| start(self.threads)).send(work).map_err(|_| NoPlace)?;
        done.await.map_err(|_| NoPlace)
    }
}

fn start(threads: usize) -> Sender<Work> {
    let (sender, receiver) = channel::<Work>();
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..threads {
        let receiver = receiver.clone();
        let thread = std::thread::Builder::new().name("hash".to_owned());
        if let Err(error) = thread.spawn(move || serve(&receiver)) {
            tracing::error!(%error, "there are fewer threads for passwords than wanted");
        }
    }
    sender
}

fn serve(queue: &Mutex<Receiver<Work>>) {
    if let Err(error) = setpriority_process(Some(gettid()), NICENESS) {
        tracing::warn!(%error, "passwords are hashed at the priority of everything else");
    }
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A fault in one piece of work must not take the thread from all others.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn work_is_done_at_a_lower_priority_and_a_fault_stays_alone() {
        let pool = Pool::new(1, 4);

        assert_eq!(pool.run(|| -> i32 { panic!("a fault") }).await, Err(NoPlace));
        let there = pool.run(|| getpriority_process(Some(gettid())).unwrap()).await.unwrap();
        // The tests themselves may run at a low priority already.
        assert!(there >= NICENESS, "{there}");
    }

    #[tokio::test]
    async fn whoever_goes_away_while_waiting_costs_nothing() {
        let pool = Pool::new(1, 1);
        let (go, wait) = channel::<()>();
        let first = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(move || wait.recv().is_ok()).await }
        });
        while pool.places.available_permits() == 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let second = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|| panic!("nobody waits for it")).await }
        });
        while !pool.is_full() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }

        assert_eq!(pool.run(|| ()).await, Err(NoPlace));
        second.abort();
        let _ = second.await;
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(true));
        while pool.places.available_permits() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(pool.run(|| 7).await, Ok(7));
        assert!(!pool.is_full());
    }
}
