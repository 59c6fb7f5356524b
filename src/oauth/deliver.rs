//! What has to be delivered: jobs of the queue, by their kind.

use crate::accounts::leaving::LEFT;
use crate::apps::narrowing::NARROWED;
use crate::oauth::service::OAuth;
use crate::oauth::store_waiting::PING;
use crate::oauth::{backchannel, ciba, ending, standing};
use crate::queue::model::{Job, Undelivered};
use crate::users::ending::ENDED;

/// Makes one attempt to deliver a job. May happen twice for one job, if a node dies in between.
///
/// # Errors
/// [`Undelivered`]: whether another attempt makes sense.
pub async fn deliver(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    match job.kind.as_str() {
        LEFT => standing::left(oauth, job).await,
        NARROWED => standing::narrowed(oauth, job).await,
        ENDED => ending::deliver(oauth, job).await,
        backchannel::LOGOUT => backchannel::deliver(oauth, job).await,
        PING => ciba::deliver(oauth, job).await,
        // A newer node may know it.
        _ => Err(Undelivered::Again("nobody here delivers this kind of job")),
    }
}
