//! What has to be delivered to apps: jobs of the queue, by their kind.

use crate::oauth::service::OAuth;
use crate::queue::model::{Job, Undelivered};

/// Makes one attempt to deliver a job. May happen twice for one job, if a node dies in between.
///
/// # Errors
/// [`Undelivered`]: whether another attempt makes sense.
pub async fn deliver(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    tracing::warn!(issuer = oauth.issuer(), kind = job.kind, "a job of an unknown kind");
    // A newer node may know it.
    Err(Undelivered::Again("nobody here delivers this kind of job"))
}
