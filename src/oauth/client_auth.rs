//! Who is asking at the token endpoint and its neighbours. Source: RFC 6749 sections 2.3 and 3.2.1.

mod assertion;
mod certificate;
mod shown;

use std::sync::Arc;

use crate::apps::metadata::AuthMethod;
use crate::apps::model::{App, Kind, Status};
use crate::audit::model::{Action, Actor, Event, Outcome};
use crate::audit::trail::APP_SIGN_IN;
use crate::base::id::AppId;
use crate::base::secret::Secret;
use crate::oauth::client_auth::shown::Shown;
use crate::oauth::error::TokenError;
use crate::oauth::presented::Presented;
use crate::oauth::service::OAuth;

/// Finds out which app is asking, and that it is who it says: by exactly one method, the one that
/// it registered. An app that registered none names itself if it is public, and shows a secret if
/// it is confidential. What plain requests do not need stands in futures of its own.
///
/// # Errors
/// [`TokenError::InvalidRequest`] for two methods at once or two names,
/// [`TokenError::InvalidClient`] for everything that does not convince.
/// Source: RFC 6749 sections 2.3.1 and 5.2.
pub async fn authenticate(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<Arc<App>, TokenError> {
    let app = match recognize(oauth, presented).await {
        Ok(app) => app,
        Err(refusal) => {
            Box::pin(note(oauth, presented, &refusal)).await;
            return Err(refusal);
        }
    };
    match app.status {
        Status::Disabled => Err(TokenError::UnauthorizedClient("the app is disabled")),
        Status::Developing | Status::Live => Ok(app),
    }
}

/// Notes that somebody tried to be an app that is there.
async fn note(oauth: &OAuth, presented: &Presented<'_>, refusal: &TokenError) {
    let TokenError::InvalidClient { .. } = refusal else { return };
    let name = match Shown::read(presented.params, presented.authorization) {
        Ok(Shown::Name(name) | Shown::Post(name, _)) => name.to_owned(),
        Ok(Shown::Basic(spellings)) => {
            spellings.first().map(|(name, _)| name.to_string()).unwrap_or_default()
        }
        Ok(Shown::Assertion(_, name)) => name.unwrap_or_default().to_owned(),
        Err(_) => return,
    };
    let Ok(Some(app)) = find(oauth, &name).await else { return };
    note_app(oauth, &app, Actor::default(), Outcome::Failed("invalid_client"));
}

/// Notes that an app signed in for itself, or that somebody tried to be it.
pub(in crate::oauth) fn note_app(oauth: &OAuth, app: &App, actor: Actor, outcome: Outcome) {
    let event = Event::new(Action::Execute, APP_SIGN_IN, app.id.as_str()).of(&app.account);
    oauth.parts().users.trail().note(actor, event.outcome(outcome), oauth.now());
}

/// Which app it is that shows who it is.
async fn recognize(oauth: &OAuth, presented: &Presented<'_>) -> Result<Arc<App>, TokenError> {
    let Presented { params, authorization, .. } = *presented;
    let invalid = TokenError::InvalidClient { basic: authorization.is_some() };
    match &Shown::read(params, authorization)? {
        Shown::Name(name) => {
            let app = find(oauth, name).await?;
            let app = app.ok_or(invalid)?;
            let is_known = match presented.certificate {
                _ if may_use(&app, AuthMethod::None) => true,
                Some(certificate) => Box::pin(certificate::shows(oauth, &app, certificate)).await,
                None => false,
            };
            if is_known { Ok(app) } else { Err(TokenError::InvalidClient { basic: false }) }
        }
        Shown::Post(name, secret) => {
            let app = by_secret(oauth, name, secret, AuthMethod::ClientSecretPost).await?;
            app.ok_or(invalid)
        }
        Shown::Basic(spellings) => {
            for (name, secret) in spellings {
                let method = AuthMethod::ClientSecretBasic;
                if let Some(app) = by_secret(oauth, name, secret, method).await? {
                    return Ok(app);
                }
            }
            Err(invalid)
        }
        Shown::Assertion(text, name) => {
            Box::pin(assertion::authenticate(oauth, presented.path, text, *name)).await
        }
    }
}

/// Whether `method` is the one that the app is to use.
fn may_use(app: &App, method: AuthMethod) -> bool {
    let registered = app.metadata.token_endpoint_auth_method;
    match (app.kind, method) {
        (Kind::Public, AuthMethod::None) => registered.is_none_or(|one| one == method),
        (Kind::Confidential, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) => {
            registered.is_none_or(|one| one == method)
        }
        (Kind::Confidential, _) => registered == Some(method),
        (Kind::Public, _) => false,
    }
}

async fn by_secret(
    oauth: &OAuth,
    name: &str,
    secret: &str,
    method: AuthMethod,
) -> Result<Option<Arc<App>>, TokenError> {
    let app = find(oauth, name).await?.filter(|app| may_use(app, method));
    let secret = Secret::presented(secret);
    Ok(app.filter(|app| app.secret_matches(&secret, oauth.now())))
}

async fn find(oauth: &OAuth, name: &str) -> Result<Option<Arc<App>>, TokenError> {
    match name.parse::<AppId>() {
        Ok(id) => Ok(oauth.parts().apps.find(&id).await?),
        Err(_) => Ok(None),
    }
}
