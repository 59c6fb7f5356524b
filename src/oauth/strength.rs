//! Second factors that are demanded: by an account of its members, by the operator of an app.
//! What a request asks for in `acr` is in [`crate::oauth::prompt`].

use crate::apps::model::App;
use crate::db::error::DbError;
use crate::oauth::acr::is_two;
use crate::oauth::service::OAuth;
use crate::users::login::Login;

/// Whether a sign-in shows less than is demanded of its user at this app. Costs nothing for whoever
/// showed two factors, and no query for others whose accounts are in memory.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::oauth) async fn lacks(
    oauth: &OAuth,
    app: &App,
    login: Option<&Login>,
) -> Result<bool, DbError> {
    let Some(login) = login.filter(|login| !is_two(&login.amr)) else { return Ok(false) };
    let accounts = &oauth.parts().accounts;
    Ok(app.metadata.require_second_factor || accounts.require_second_factor(&login.user).await?)
}
