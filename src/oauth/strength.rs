//! Second factors that are demanded: by an account of its members, by the operator of an app.
//! What a request asks for in `acr` is in [`crate::oauth::prompt`].

use crate::apps::model::App;
use crate::base::id::{GrantId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::acr::{AcrRequest, is_two};
use crate::oauth::grant::Stage;
use crate::oauth::service::OAuth;
use crate::oauth::store;

/// Whether a sign-in, told by its user and its `amr`, shows less than is demanded at this app.
/// Costs nothing for whoever showed two factors, and no query for others whose accounts are in
/// memory.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn lacks(
    oauth: &OAuth,
    app: &App,
    (user, amr): (&UserId, &[String]),
) -> Result<bool, DbError> {
    if is_two(amr) {
        return Ok(false);
    }
    let accounts = &oauth.parts().accounts;
    Ok(app.metadata.require_second_factor || accounts.require_second_factor(user).await?)
}

/// Whether a request of this browser's demands a second factor of whoever signs in for it: the
/// app's operator says so, or the request itself, as essential. One that is over demands nothing:
/// it is told so at its next step.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn is_demanded_by(
    oauth: &OAuth,
    grant: GrantId,
    browser: Digest,
) -> Result<bool, DbError> {
    let found = store::find(&oauth.ctx().db, grant).await?;
    let is_theirs =
        |stage: &Stage| matches!(stage, Stage::Pending { browser: owner, .. } if *owner == browser);
    let Some(grant) = found.filter(|grant| is_theirs(&grant.stage)) else { return Ok(false) };
    let essential = grant.request.acr.as_ref().is_some_and(AcrRequest::demands_second);
    let app = oauth.parts().apps.find(&grant.app).await?;
    Ok(essential || app.is_some_and(|app| app.metadata.require_second_factor))
}
