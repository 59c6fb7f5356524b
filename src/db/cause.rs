//! The request that something is done for: its number, and where it comes from.
//!
//! It goes along with the task that answers the request, and the database hands it to its writer, so
//! that whatever is recorded meanwhile says in which request it was done, however deep it was.

use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use tokio::task::futures::TaskLocalFuture;

use crate::base::id::{ApiKeyId, AppId};

tokio::task_local! {
    static CAUSE: Option<Arc<Cause>>;
}

/// By what somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// An app.
    App(AppId),
    /// A key.
    Key(ApiKeyId),
}

/// A request.
#[derive(Debug)]
pub struct Cause {
    /// Where it comes from, if that is known.
    pub ip: Option<IpAddr>,
    /// Its number, by which logs are searched.
    pub number: Arc<str>,
    /// By what it is asked, once that has shown itself.
    pub means: OnceLock<Means>,
}

impl Cause {
    /// A request of which no more is known yet.
    pub fn new(ip: Option<IpAddr>, number: impl Into<Arc<str>>) -> Arc<Self> {
        Arc::new(Self { ip, number: number.into(), means: OnceLock::new() })
    }
}

/// Says by what the request of this task is asked. What was said first holds.
pub fn asked_by(means: impl FnOnce() -> Means) {
    if let Some(cause) = current() {
        cause.means.get_or_init(means);
    }
}

/// The request that this task answers; `None` in what the server does by itself.
pub fn current() -> Option<Arc<Cause>> {
    CAUSE.try_with(Clone::clone).ok().flatten()
}

/// Does `work` because of `cause`.
pub fn within<F: Future>(
    cause: Option<Arc<Cause>>,
    work: F,
) -> TaskLocalFuture<Option<Arc<Cause>>, F> {
    CAUSE.scope(cause, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_with_its_work_and_another_task_has_its_own() {
        let cause = |number: &str| Some(Cause::new(None, number));
        let number = || current().map(|cause| cause.number.to_string());

        assert_eq!(number(), None);
        let inside = within(cause("a"), async {
            let other = tokio::spawn(async move { number() }).await.unwrap();
            let deeper = within(cause("b"), async { number() }).await;
            (number(), other, deeper)
        });

        assert_eq!(inside.await, (Some("a".to_owned()), None, Some("b".to_owned())));
        assert_eq!(number(), None);
    }
}
