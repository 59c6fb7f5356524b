//! Issuing tokens: the one place where every grant type ends.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::apps::model::{App, GrantType, Kind, Status};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::oauth::binding::Binding;
use crate::oauth::eligibility;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::{Approval, CODE_TTL, Grant, LastAccess, Stage};
use crate::oauth::mint::{Minted, Order, Person, mint};
use crate::oauth::reach::Reach;
use crate::oauth::refresh::{RefreshState, RefreshToken, Use};
use crate::oauth::service::OAuth;
use crate::oauth::store::{self, Given};
use crate::oauth::store_tokens;
use crate::oauth::strength;
use crate::users::model::User;

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
    /// What the access token allows in detail. Source: RFC 9396 section 7.
    pub authorization_details: Vec<Value>,
    /// What a token was exchanged for. Source: RFC 8693 section 2.2.1.
    pub issued_token_type: Option<&'static str>,
}

/// What tokens are asked for, and on what ground.
#[derive(Clone, Debug)]
pub(in crate::oauth) struct IssueRequest<'a> {
    /// The app, authenticated.
    pub(in crate::oauth) app: &'a App,
    /// What the access token is to be used for.
    pub(in crate::oauth) scope: &'a Scope,
    /// What it reaches beside that.
    pub(in crate::oauth) reach: Reach,
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
    /// A request that the user approved elsewhere: by the device grant, or CIBA.
    Waiting { grant: &'a Grant, by: &'a Approval, code: Digest, grant_type: GrantType },
    /// The app's own word for the user.
    Assertion { grant: &'a Grant, by: &'a Approval, code: Digest },
    /// A token of the user's that the app was given.
    Exchange { grant: &'a Grant, by: &'a Approval, act: Option<&'a Value>, end: DateTime<Utc> },
}

/// The token type of what [`Ground::Exchange`] gives. Source: RFC 8693 section 3.
pub(in crate::oauth) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl<'a> Ground<'a> {
    fn grant_type(self) -> GrantType {
        match self {
            Self::Code { .. } => GrantType::AuthorizationCode,
            Self::Refresh { .. } => GrantType::RefreshToken,
            Self::App => GrantType::ClientCredentials,
            Self::Waiting { grant_type, .. } => grant_type,
            Self::Assertion { .. } => GrantType::JwtBearer,
            Self::Exchange { .. } => GrantType::TokenExchange,
        }
    }

    /// The grant, and whose yes it carries.
    fn approval(self) -> Option<(&'a Grant, &'a Approval)> {
        match self {
            Self::Code { grant, by, .. }
            | Self::Refresh { grant, by, .. }
            | Self::Waiting { grant, by, .. }
            | Self::Assertion { grant, by, .. }
            | Self::Exchange { grant, by, .. } => Some((grant, by)),
            Self::App => None,
        }
    }

    /// Whose yes it carries, if they signed in for it.
    fn sign_in(self) -> Option<&'a Approval> {
        let is_signed_in = !matches!(self, Self::Assertion { .. } | Self::Exchange { .. });
        self.approval().map(|(_, by)| by).filter(|_| is_signed_in)
    }

    fn person(self, user: Option<&'a User>) -> Option<Person<'a>> {
        let (grant, by) = self.approval()?;
        let nonce = match self {
            Self::Code { .. } => grant.request.nonce.as_deref(),
            _ => None,
        };
        let is_signed_in = self.sign_in().is_some();
        // What was asked for another app, or by nobody, does not count.
        let asked = is_signed_in.then_some(&grant.request);
        Some(Person { user: user?, grant: grant.id, by, is_signed_in, nonce, asked })
    }
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
    let IssueRequest { app, ground, binding, .. } = *request;
    check_app(app, ground)?;
    let user = match ground.approval() {
        Some((_, by)) => Some(eligibility::check(oauth, app, &by.user, by.auth_time).await?),
        None => None,
    };
    check_sign_in(oauth, app, ground).await?;
    let scope = request.scope.intersection(&app.allowed_scopes);
    if scope.is_empty() {
        return Err(TokenError::InvalidScope);
    }
    let now = oauth.now();
    let person = ground.person(user.as_deref());
    let (act, ends_by) = match ground {
        Ground::Exchange { act, end, .. } => (act, Some(end)),
        _ => (None, None),
    };
    let reach = &request.reach;
    let order = Order { app, scope: &scope, reach, person, binding, act, ends_by, now };
    let Minted { access_token, id_token, access } = mint(oauth, &order).await?;
    let expires_in = u32::try_from((access.expires_at - now).num_seconds()).unwrap_or_default();
    let kept = match ground {
        Ground::Code { grant, by, code }
        | Ground::Waiting { grant, by, code, .. }
        | Ground::Assertion { grant, by, code } => {
            let first = First { app, grant, by, code, until: refreshable_until(app, ground) };
            first.spend(oauth, (access, binding), now).await?
        }
        Ground::Refresh { grant, token, usage, .. } => {
            use_up(oauth, grant, (token, usage), access, now).await?
        }
        Ground::App | Ground::Exchange { .. } => Kept::Won(None),
    };
    let Kept::Won(refresh_token) = kept else { return Ok(None) };
    Ok(Some(Issued {
        access_token,
        expires_in,
        scope,
        token_type: Binding::token_type(binding),
        refresh_token,
        id_token,
        authorization_details: request.reach.details.clone(),
        issued_token_type: matches!(ground, Ground::Exchange { .. }).then_some(ACCESS_TOKEN),
    }))
}

/// What the app may do at all, apart from any user.
fn check_app(app: &App, ground: Ground<'_>) -> Result<(), TokenError> {
    let grant_type = ground.grant_type();
    if !app.grant_types.contains(&grant_type) {
        return Err(TokenError::UnauthorizedClient("the app may not use this grant type"));
    }
    if grant_type.needs_secret() && app.kind == Kind::Public {
        return Err(TokenError::UnauthorizedClient("a public app may not use this grant type"));
    }
    match app.status {
        Status::Disabled => Err(TokenError::UnauthorizedClient("the app is disabled")),
        Status::Developing if grant_type == GrantType::ClientCredentials => {
            Err(TokenError::UnauthorizedClient("the app is in development"))
        }
        Status::Developing | Status::Live => Ok(()),
    }
}

/// Whether the sign-in behind the tokens shows all that is demanded of it by now.
async fn check_sign_in(oauth: &OAuth, app: &App, ground: Ground<'_>) -> Result<(), TokenError> {
    let Some(by) = ground.sign_in() else { return Ok(()) };
    if strength::lacks(oauth, app, (&by.user, &by.amr)).await? {
        return Err(TokenError::InvalidGrant(Refusal::SecondFactor));
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

fn seconds(seconds: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(seconds))
}

/// When the refresh tokens of a first exchange end, if it gives any: counted from the user's yes,
/// whenever the code is exchanged. An app that speaks for a user can do so again.
/// Source: RFC 7521 section 4.1.
fn refreshable_until(app: &App, ground: Ground<'_>) -> Option<DateTime<Utc>> {
    let approved_at = match ground {
        Ground::Code { grant, .. } => grant.expires_at - CODE_TTL,
        Ground::Waiting { grant, .. } => grant.created_at,
        _ => return None,
    };
    let refreshes = app.grant_types.contains(&GrantType::RefreshToken);
    refreshes.then(|| approved_at + seconds(app.refresh_token_seconds))
}

/// The first exchange of a grant.
struct First<'a> {
    app: &'a App,
    grant: &'a Grant,
    by: &'a Approval,
    code: Digest,
    /// When its refresh tokens end; `None`: it has none.
    until: Option<DateTime<Utc>>,
}

impl First<'_> {
    /// Makes it durable: the code is spent, and the grant has its tokens.
    async fn spend(
        &self,
        oauth: &OAuth,
        (access, binding): (LastAccess, Option<&Binding>),
        now: DateTime<Utc>,
    ) -> Result<Kept, DbError> {
        let Self { app, grant, by, code, until } = *self;
        let token = until.map(|end| (RefreshToken::generate(grant.id, oauth.ctx().entropy()), end));
        let given = Given {
            expires_at: match token {
                Some((_, end)) => end + seconds(app.access_token_seconds),
                None => access.expires_at,
            },
            refresh: token.as_ref().map(|(token, end)| RefreshState {
                family: token.family.digest(),
                current: token.secret.digest(),
                previous: None,
                expires_at: *end,
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
        Ok(Kept::Won(token.map(|(token, _)| token.to_text())))
    }
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
        Use::Forgive { lost } => {
            Box::pin(change.replace_successor(oauth, lost.clone(), now)).await?
        }
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
                    tx.touch(Topic::Grants);
                    Ok(true)
                })
            })
            .await
    }
}
