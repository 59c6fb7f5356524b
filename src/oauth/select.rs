//! The answer to `prompt=select_account`. Source: OpenID Connect Core section 3.1.2.1.

use crate::base::id::GrantId;
use crate::base::secret::Digest;
use crate::oauth::authorize::{Step, over, resume};
use crate::oauth::error::AuthorizeError;
use crate::oauth::service::OAuth;
use crate::oauth::{store, store_prompt};
use crate::users::login::Login;

/// As whom to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// As who is signed in.
    Current,
    /// As somebody else, who signs in for it; until then nobody is signed out.
    Another,
}

/// Takes the user's choice, and goes on with the request.
///
/// # Errors
/// As [`resume`].
pub async fn select(
    oauth: &OAuth,
    grant: GrantId,
    browser: Digest,
    login: &Login,
    choice: Choice,
) -> Result<Step, AuthorizeError> {
    let db = &oauth.ctx().db;
    let mut request = store::find(db, grant).await?.ok_or_else(over)?.request;
    request.prompt.select_account = false;
    request.prompt.login |= choice == Choice::Another;
    if !store_prompt::replace(db, grant, browser, &request, oauth.now()).await? {
        return Err(over());
    }
    resume(oauth, grant, browser, Some(login)).await
}
