//! Issuing tokens: the one place where every grant type ends.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::model::{App, GrantType, Kind, Status};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::oauth::binding::Binding;
use crate::oauth::eligibility;
use crate::oauth::error::TokenError;
use crate::oauth::grant::{Approval, CODE_TTL, Grant, LastAccess, Stage};
use crate::oauth::mint::{Minted, Order, Person, mint};
use crate::oauth::refresh::{RefreshState, RefreshToken, Use};
use crate::oauth::service::OAuth;
use crate::oauth::store::{self, Given};
use crate::oauth::store_tokens;

/// Tokens that were issued, and are durable.
#[derive(Clone, Debug)]
pub struct Issued {
    /// A JWT.
    pub access_token: Secret,
    /// How long it is good, in seconds.
    pub expires_in: u32,
    /// What it may be used for.
    pub scope: Scope,
    /// `Bearer`, or `DPoP`.
    pub token_type: &'static str,
    /// Good for the next tokens, if the app may refresh.
    pub refresh_token: Option<Secret>,
    /// Who signed in, if the app asked for `openid`.
    pub id_token: Option<Secret>,
}

/// What tokens are asked for, and on what ground.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) struct IssueRequest<'a> {
    /// The app, authenticated.
    pub(in crate::oauth) app: &'a App,
    /// What the access token is to be used for.
    pub(in crate::oauth) scope: &'a Scope,
    /// On what ground.
    pub(in crate::oauth) ground: Ground<'a>,
    /// What the tokens are bound to.
    pub(in crate::oauth) binding: Option<&'a Binding>,
}

/// On what ground tokens are asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) enum Ground<'a> {
    /// A code that may be redeemed.
    Code { grant: &'a Grant, by: &'a Approval, code: Digest },
    /// A refresh token that may be used.
    Refresh { grant: &'a Grant, by: &'a Approval, token: &'a RefreshToken, usage: &'a Use },
    /// The app itself.
    App,
}

/// Checks everything that holds for every grant type, signs, and makes durable.
///
/// `None` means that another request used the same code or refresh token meanwhile: look again.
///
/// # Errors
/// [`TokenError`] for the first rule that is broken.
pub(in crate::oauth) async fn issue_tokens(
    oauth: &OAuth,
    request: &IssueRequest<'_>,
) -> Result<Option<Issued>, TokenError> {
    let IssueRequest { app, ground, .. } = *request;
    check_app(app, ground)?;
    let user = match ground {
        Ground::Code { by, .. } | Ground::Refresh { by, .. } => {
            Some(eligibility::check(oauth, app, &by.user, by.auth_time).await?)
        }
        Ground::App => None,
    };
    let scope = request.scope.intersection(&app.allowed_scopes);
    if scope.is_empty() {
        return Err(TokenError::InvalidScope);
    }
    let now = oauth.now();
    let person = match (ground, user.as_deref()) {
        (Ground::Code { grant, by, .. }, Some(user)) => {
            let (asked, nonce) = (Some(&grant.request), grant.request.nonce.as_deref());
            Some(Person { user, grant: grant.id, by, nonce, asked })
        }
        (Ground::Refresh { grant, by, .. }, Some(user)) => {
            let asked = Some(&grant.request);
            Some(Person { user, grant: grant.id, by, nonce: None, asked })
        }
        _ => None,
    };
    let binding = request.binding;
    let minted = mint(oauth, &Order { app, scope: &scope, person, binding, now }).await?;
    let Minted { access_token, id_token, access } = minted;
    let kept = match ground {
        Ground::Code { grant, by, code } => {
            spend(oauth, (app, grant), (by, code), (access, binding), now).await?
        }
        Ground::Refresh { grant, token, usage, .. } => {
            use_up(oauth, grant, (token, usage), access, now).await?
        }
        Ground::App => Kept::Won(None),
    };
    let Kept::Won(refresh_token) = kept else { return Ok(None) };
    let expires_in = app.access_token_seconds;
    let token_type = Binding::token_type(binding);
    Ok(Some(Issued { access_token, expires_in, scope, token_type, refresh_token, id_token }))
}

/// What the app may do at all, apart from any user.
fn check_app(app: &App, ground: Ground<'_>) -> Result<(), TokenError> {
    let grant_type = match ground {
        Ground::Code { .. } => GrantType::AuthorizationCode,
        Ground::Refresh { .. } => GrantType::RefreshToken,
        Ground::App => GrantType::ClientCredentials,
    };
    if !app.grant_types.contains(&grant_type) {
        return Err(TokenError::UnauthorizedClient("the app may not use this grant type"));
    }
    if grant_type == GrantType::ClientCredentials {
        if app.kind == Kind::Public {
            return Err(TokenError::UnauthorizedClient("a public app cannot act for itself"));
        }
        if app.status == Status::Developing {
            return Err(TokenError::UnauthorizedClient("the app is in development"));
        }
    }
    Ok(())
}

/// How the write ended.
enum Kept {
    /// It is durable; this is the refresh token to give out.
    Won(Option<Secret>),
    /// Another request was faster.
    Lost,
}

/// Makes the first exchange durable: the code is spent, and the grant has its tokens.
async fn spend(
    oauth: &OAuth,
    (app, grant): (&App, &Grant),
    (by, code): (&Approval, Digest),
    (access, binding): (LastAccess, Option<&Binding>),
    now: DateTime<Utc>,
) -> Result<Kept, DbError> {
    let seconds = |seconds: u32| TimeDelta::seconds(i64::from(seconds));
    let refreshes = app.grant_types.contains(&GrantType::RefreshToken);
    let token = refreshes.then(|| RefreshToken::generate(grant.id, oauth.ctx().entropy()));
    // Counted from the user's yes, whenever the code is exchanged.
    let refresh_ends = grant.expires_at - CODE_TTL + seconds(app.refresh_token_seconds);
    let given = Given {
        expires_at: match token {
            Some(_) => refresh_ends + seconds(app.access_token_seconds),
            None => access.expires_at,
        },
        refresh: token.as_ref().map(|token| RefreshState {
            family: token.family.digest(),
            current: token.secret.digest(),
            previous: None,
            expires_at: refresh_ends,
        }),
        access,
        binding: binding.cloned(),
    };
    let stamp = oauth.caches().grants.stamp();
    if !store::spend(&oauth.ctx().db, grant.id, code, &given, now).await? {
        return Ok(Kept::Lost);
    }
    let spent = Grant {
        stage: Stage::Spent { by: by.clone(), code, at: now },
        refresh: given.refresh,
        access: Some(given.access),
        binding: given.binding,
        expires_at: given.expires_at,
        ..grant.clone()
    };
    oauth.caches().grants.insert_as_of(stamp, grant.id.0, Arc::new(spent));
    Ok(Kept::Won(token.map(|token| token.to_text())))
}

/// Makes a refresh durable: the token is replaced, unless the app does not rotate.
async fn use_up(
    oauth: &OAuth,
    grant: &Grant,
    (token, usage): (&RefreshToken, &Use),
    access: LastAccess,
    now: DateTime<Utc>,
) -> Result<Kept, TokenError> {
    if *usage == Use::Keep {
        return Ok(Kept::Won(Some(token.to_text())));
    }
    let before = grant.refresh.as_ref().ok_or(TokenError::Bug("a grant without refresh tokens"))?;
    let successor = token.successor(oauth.ctx().entropy());
    let presented = token.secret.digest();
    let state = RefreshState {
        current: successor.secret.digest(),
        previous: Some(presented),
        ..before.clone()
    };
    let change =
        Rotation { grant: grant.clone(), presented, unused: before.current, state, access };
    let won = match usage {
        Use::Forgive { lost } => change.replace_successor(oauth, lost.clone(), now).await?,
        Use::Rotate | Use::Keep => change.rotate(oauth, now).await?,
    };
    Ok(if won { Kept::Won(Some(successor.to_text())) } else { Kept::Lost })
}

/// A change of a grant's refresh token that is about to be written.
#[derive(Clone)]
struct Rotation {
    grant: Grant,
    presented: Digest,
    unused: Digest,
    state: RefreshState,
    access: LastAccess,
}

impl Rotation {
    async fn rotate(self, oauth: &OAuth, now: DateTime<Utc>) -> Result<bool, DbError> {
        let stamp = oauth.caches().grants.stamp();
        let id = self.grant.id;
        let next = (self.state.current, &self.access);
        if !store::rotate(&oauth.ctx().db, id, self.presented, next, now).await? {
            return Ok(false);
        }
        let grant = Grant { refresh: Some(self.state), access: Some(self.access), ..self.grant };
        oauth.caches().grants.insert_as_of(stamp, id.0, Arc::new(grant));
        Ok(true)
    }

    /// Replaces tokens whose answer was lost; they die in the same transaction.
    async fn replace_successor(
        self,
        oauth: &OAuth,
        lost: Option<LastAccess>,
        now: DateTime<Utc>,
    ) -> Result<bool, DbError> {
        oauth
            .ctx()
            .db
            .write((self, lost, now), |tx, (change, lost, now)| {
                Box::pin(async move {
                    let tokens = (change.presented, change.unused);
                    let next = (change.state.current, &change.access);
                    let id = change.grant.id;
                    if !store::replace_successor(tx, id, tokens, next, *now).await? {
                        return Ok(false);
                    }
                    if let Some(lost) = lost {
                        store_tokens::insert_revoked(tx, &lost.jti, lost.expires_at).await?;
                    }
                    tx.touch(Topic::Grants).await?;
                    Ok(true)
                })
            })
            .await
    }
}
