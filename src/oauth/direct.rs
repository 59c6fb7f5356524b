//! Signing in without our pages: for the few apps that their operator trusts with what people type.
//!
//! Such an app is public and the operator's own: its users are not asked for consent. What its
//! pages cannot do they are not let past: whoever has a second factor, or is to come from their
//! own provider, signs in at our pages.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::apps::model::App;
use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::base::clock::{from_micros, micros};
use crate::base::id::{AppId, GrantId, UserId};
use crate::base::secret::{Digest, Secret};
use crate::db::cause::{self, Means};
use crate::db::error::DbError;
use crate::oauth::eligibility;
use crate::oauth::error::TokenError;
use crate::oauth::grant::Approval;
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::provenance::demanded;
use crate::oauth::reach::Reach;
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::service::OAuth;
use crate::oauth::store;
use crate::once::model::{Kind, Owner};
use crate::once::service as once;
use crate::users::model::User;

/// How long a code waits that signs somebody in at another app.
const CLIENT_TOKEN_TTL: chrono::TimeDelta = chrono::TimeDelta::seconds(60);

/// Why somebody is not signed in so.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// There is no such app, or it may not; told before anything of the user is looked at.
    #[error("the app may not sign people in by itself")]
    NotTrusted,
    /// A second factor is due, which only our pages ask for.
    #[error("a second factor is needed: sign in at the pages of the server")]
    SecondFactor,
    /// The user is to come from a provider of their account.
    #[error("the account demands another way of signing in")]
    Elsewhere,
    /// The user may not use the app.
    #[error("the user may not use this app")]
    NotAllowed,
    /// The code was used, is over, or never was one.
    #[error("the code is not good")]
    BadCode,
    /// Our fault.
    #[error("the server failed")]
    Internal(#[from] DbError),
    /// Our fault, too.
    #[error("the server failed")]
    Tokens(#[source] TokenError),
}

impl From<TokenError> for DirectError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::InvalidGrant(_) | TokenError::UnauthorizedClient(_) => Self::NotAllowed,
            TokenError::Internal(error) => Self::Internal(error),
            other => Self::Tokens(other),
        }
    }
}

/// The app of this id, if its operator lets it take what people type.
///
/// # Errors
/// [`DirectError::NotTrusted`], the same for apps that are not there.
pub async fn trusted(oauth: &OAuth, id: &str) -> Result<Arc<App>, DirectError> {
    let id: AppId = id.parse().map_err(|_| DirectError::NotTrusted)?;
    let app = oauth.parts().apps.find(&id).await?;
    let is_trusted = |app: &Arc<App>| app.is_enabled() && app.metadata.may_take_passwords;
    let app = app.filter(is_trusted).ok_or(DirectError::NotTrusted)?;
    cause::asked_by(|| Means::App(app.id.clone()));
    Ok(app)
}

/// Signs in a user who showed what `amr` names, and nothing else. Whoever showed what is right and
/// is stopped here is noted.
///
/// # Errors
/// [`DirectError`].
pub async fn sign_in(
    oauth: &OAuth,
    app: &App,
    user: &User,
    amr: &[&str],
) -> Result<Issued, DirectError> {
    let signed_in = signed_in(oauth, app, user, amr).await;
    if let Err(error) = &signed_in {
        let why = match error {
            DirectError::SecondFactor => "second_factor_required",
            DirectError::Elsewhere => "sign_in_elsewhere",
            DirectError::NotAllowed => "access_denied",
            _ => return signed_in,
        };
        let (actor, trail) = (Actor::user(&user.id).by(&app.id), oauth.parts().users.trail());
        trail.note_sign_in(actor, &user.id, Outcome::Refused(why), oauth.now());
    }
    signed_in
}

async fn signed_in(
    oauth: &OAuth,
    app: &App,
    user: &User,
    amr: &[&str],
) -> Result<Issued, DirectError> {
    let is_due = user.has_second_factor()
        || app.metadata.require_second_factor
        || oauth.parts().accounts.require_second_factor(&user.id).await?;
    if is_due {
        return Err(DirectError::SecondFactor);
    }
    if !demanded(oauth, app, &user.id).await?.is_empty() {
        return Err(DirectError::Elsewhere);
    }
    let by = Approval {
        user: user.id.clone(),
        // No browser of ours: no session of ours ends it.
        session: Digest(oauth.ctx().entropy().bytes::<32>()),
        auth_time: oauth.now(),
        amr: amr.iter().map(|method| (*method).to_owned()).collect(),
        scope: app.default_scopes.clone(),
    };
    issue(oauth, app, by).await
}

/// Gives an app the tokens of a user who signed in, in place of a code by redirect.
async fn issue(oauth: &OAuth, app: &App, by: Approval) -> Result<Issued, DirectError> {
    if by.scope.is_empty() {
        return Err(DirectError::NotAllowed);
    }
    // Before the row is written, which needs a user who is there.
    eligibility::check(oauth, app, &by.user, by.auth_time).await?;
    let asked = AuthorizeRequest { scope: by.scope.clone(), ..AuthorizeRequest::default() };
    let code = Digest(oauth.ctx().entropy().bytes::<32>());
    let (db, now) = (&oauth.ctx().db, oauth.now());
    let id = store::insert_approved(db, &app.id, &asked, &by, code, now).await?;
    let grant = oauth.read_grant(id).await?.ok_or(DirectError::NotAllowed)?;
    let request = IssueRequest {
        app,
        scope: &by.scope,
        reach: Reach::default(),
        ground: Ground::Code { grant: &grant, by: &by, code },
        binding: None,
    };
    issue_tokens(oauth, &request).await?.ok_or(DirectError::NotAllowed)
}

/// What a code stands for that signs a user in at another app.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Carried {
    /// What it comes from, and ends with.
    grant: i64,
    user: UserId,
    session: Digest,
    auth_time: i64,
    amr: Vec<String>,
}

/// Makes a code with which `target` signs in whoever gave `client` this grant, if the operator said
/// that users of `client` are let in there.
///
/// # Errors
/// [`DirectError::NotTrusted`], [`DirectError::NotAllowed`].
pub async fn client_token(
    oauth: &OAuth,
    (client, grant): (&AppId, GrantId),
    target: &AppId,
    actor: &Actor,
) -> Result<Secret, DirectError> {
    let app = oauth.parts().apps.find(target).await?.filter(|app| app.is_enabled());
    let lets_in = |app: &Arc<App>| app.metadata.embedded_in.contains(client);
    let app = app.filter(lets_in).ok_or(DirectError::NotTrusted)?;
    let grant = oauth.read_grant(grant).await?.ok_or(DirectError::NotAllowed)?;
    let by = grant.approval().ok_or(DirectError::NotAllowed)?;
    let is_due = oauth.parts().accounts.require_second_factor(&by.user).await?
        || app.metadata.require_second_factor;
    if is_due && !by.amr.iter().any(|method| method == "mfa") {
        return Err(DirectError::SecondFactor);
    }
    if !demanded(oauth, &app, &by.user).await?.is_empty() {
        return Err(DirectError::Elsewhere);
    }
    eligibility::check(oauth, &app, &by.user, by.auth_time).await?;
    let carried = Carried {
        grant: grant.id.0,
        user: by.user.clone(),
        session: by.session,
        auth_time: micros(by.auth_time),
        amr: by.amr.clone(),
    };
    let owner = Owner::App(target);
    let made = once::give_out(oauth.ctx(), Kind::ClientToken, owner, &carried, CLIENT_TOKEN_TTL);
    let secret = made.await?;
    let event = Event::new(Action::Create, "client-token", target.as_str()).of(&app.account);
    oauth.parts().users.trail().note(actor.clone(), event, oauth.now());
    Ok(secret)
}

/// Redeems such a code, once.
///
/// # Errors
/// [`DirectError::BadCode`] whatever is wrong with it.
pub async fn redeem(oauth: &OAuth, app: &str, code: &str) -> Result<Issued, DirectError> {
    let app: AppId = app.parse().map_err(|_| DirectError::BadCode)?;
    let found = once::find::<Carried>(oauth.ctx(), Kind::ClientToken, code).await?;
    let found = found.filter(|found| found.app.as_ref() == Some(&app));
    let found = found.ok_or(DirectError::BadCode)?;
    let app = oauth.parts().apps.find(&app).await?.filter(|app| app.is_enabled());
    let app = app.ok_or(DirectError::BadCode)?;
    if !once::consume(oauth.ctx(), found.id).await? {
        return Err(DirectError::BadCode);
    }
    let Carried { grant, user, session, auth_time, amr } = found.data;
    let origin = oauth.read_grant(GrantId(grant)).await?;
    if origin.is_none_or(|origin| origin.revoked_at.is_some()) {
        return Err(DirectError::BadCode);
    }
    let scope = app.default_scopes.clone();
    let actor = Actor::user(&user).by(&app.id);
    let by = Approval { user, session, auth_time: from_micros(auth_time), amr, scope };
    let issued = issue(oauth, &app, by.clone()).await?;
    // They are where they signed in to the other app: nobody has to tell them.
    let trail = oauth.parts().users.trail();
    trail.note_sign_in(actor, &by.user, Outcome::Success, oauth.now());
    Ok(issued)
}
