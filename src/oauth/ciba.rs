//! Asking a user who is somewhere else: CIBA, by poll and ping.
//! Source: OpenID Connect Client-Initiated Backchannel Authentication Core 1.0.

mod ping;
mod request;

use std::sync::Arc;

use serde::Serialize;

use crate::apps::metadata::DeliveryMode;
use crate::apps::model::{App, GrantType};
use crate::base::id::UserId;
use crate::base::secret::Secret;
use crate::oauth::ciba::request::Wanted;
use crate::oauth::client_auth::authenticate;
use crate::oauth::error::TokenError;
use crate::oauth::presented::Presented;
use crate::oauth::request::acr_wish;
use crate::oauth::service::OAuth;
use crate::oauth::store_waiting::{self, Opened};
use crate::oauth::waiting::{self, Ask, AskError, INTERVAL_SECONDS, Kind, Ticket};
use crate::users::error::SignInError;
use crate::users::login::Login;
use crate::users::model::User;

pub(in crate::oauth) use ping::deliver;

const UNKNOWN_USER: TokenError =
    TokenError::Named("unknown_user_id", "the hint names no user of this app");
const TOO_MANY: TokenError =
    TokenError::Named("access_denied", "too many hints named nobody: try again later");

/// The answer of `/bc-authorize`. Source: CIBA Core section 7.3.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What the app asks for tokens with.
    pub auth_req_id: Secret,
    /// How long it is good, in seconds.
    pub expires_in: i64,
}

/// The body of that answer.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    auth_req_id: &'a str,
    expires_in: i64,
    interval: i64,
}

impl Begun {
    /// As JSON has it.
    pub fn body(&self) -> Body<'_> {
        Body {
            auth_req_id: self.auth_req_id.reveal(),
            expires_in: self.expires_in,
            interval: INTERVAL_SECONDS,
        }
    }
}

/// Begins to ask a user.
///
/// # Errors
/// [`TokenError`]. Source: CIBA Core section 13.
pub async fn begin(oauth: &OAuth, presented: &Presented<'_>) -> Result<Begun, TokenError> {
    let app = authenticate(oauth, presented).await?;
    if !app.grant_types.contains(&GrantType::Ciba) {
        return Err(TokenError::UnauthorizedClient("the app may not use this grant type"));
    }
    let params = request::read(oauth, &app, presented.params).await?;
    let wanted = Wanted::parse(&params, &app)?;
    let mut asked = waiting::asked(&params, &app, oauth.issuer())?;
    if !asked.scope.contains("openid") {
        return Err(TokenError::InvalidScope);
    }
    let user = hinted(oauth, &app, &wanted).await?;
    let secret = Secret::generate(oauth.ctx().entropy());
    asked.acr = acr_wish(&params, &app);
    asked.binding_message = wanted.binding_message.map(str::to_owned);
    if app.metadata.backchannel_token_delivery_mode == Some(DeliveryMode::Ping) {
        let token = wanted.notification_token.unwrap_or_default();
        asked.notice = Some(ping::seal(oauth, &secret, token));
    }
    let now = oauth.now();
    let opened = Opened {
        kind: Kind::Ciba,
        app: app.id.clone(),
        secret: secret.digest(),
        user_code: None,
        user: Some(user),
        asked,
        now,
        end: now + wanted.lifetime,
    };
    let id = store_waiting::open(&oauth.ctx().db, opened).await?;
    let auth_req_id = Ticket { id, secret }.to_text();
    Ok(Begun { auth_req_id, expires_in: wanted.lifetime.num_seconds() })
}

/// The user whom the one hint names. An app that only guesses has to wait: the answer tells who
/// has an account. Source: CIBA Core sections 7.2 and 13.
async fn hinted(oauth: &OAuth, app: &App, wanted: &Wanted<'_>) -> Result<UserId, TokenError> {
    let users = &oauth.parts().users;
    let guess = match users.guess_names(app.id.as_str()).await {
        Ok(guess) => guess,
        Err(SignInError::Internal(error)) => return Err(error.into()),
        Err(_) => return Err(TOO_MANY),
    };
    let found = wanted.hint.user(oauth, app).await?;
    let user: Option<Arc<User>> = found.filter(|user| user.is_active());
    // Whether the user may use the app is the same secret as whether there is such a user.
    let user = match user {
        Some(user) => waiting::eligible(oauth, app, &user.id, oauth.now()).await,
        None => Err(AskError::Over),
    };
    match user {
        Ok(user) => {
            users.guessed(guess).await?;
            Ok(user.id.clone())
        }
        Err(AskError::Internal(error)) => Err(error.into()),
        Err(_) => Err(UNKNOWN_USER),
    }
}

/// All that waits for the answer of `login`'s user.
///
/// # Errors
/// [`AskError::NotSure`] if none of them can be answered for want of a second factor,
/// [`AskError::Internal`] if storage fails.
pub async fn approvals(oauth: &OAuth, login: &Login) -> Result<Vec<Ask>, AskError> {
    let mut asks = Vec::new();
    let mut is_sure = true;
    for waiting in store_waiting::list_for(&oauth.ctx().db, &login.user, oauth.now()).await? {
        match waiting::ask(oauth, waiting, login).await {
            Ok(ask) => asks.push(ask),
            Err(AskError::Internal(error)) => return Err(error.into()),
            // Not theirs to answer any more.
            Err(AskError::Over | AskError::NotAllowed) => {}
            Err(AskError::NotSure) => is_sure = false,
        }
    }
    if asks.is_empty() && !is_sure {
        return Err(AskError::NotSure);
    }
    Ok(asks)
}

/// Takes the user's answer to one of them.
///
/// # Errors
/// [`AskError`]; [`AskError::Over`] also for a request to somebody else.
pub async fn answer(oauth: &OAuth, login: &Login, id: i64, approve: bool) -> Result<(), AskError> {
    let found = store_waiting::find(&oauth.ctx().db, Kind::Ciba, id).await?;
    let mine = found.filter(|waiting| waiting.user.as_ref() == Some(&login.user));
    let waiting = mine.ok_or(AskError::Over)?;
    waiting::answer(oauth, Kind::Ciba, waiting, login, approve).await
}
