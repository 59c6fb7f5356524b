//! Checking access tokens at our own endpoints. Source: RFC 9068 section 4.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::base::id::{AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::oauth::binding::Binding;
use crate::oauth::claims::read_access;
use crate::oauth::grant::{Grant, LastAccess};
use crate::oauth::service::OAuth;
use crate::oauth::{store, store_tokens};

/// Longest token that is looked at, in bytes: a longer one is refused unread.
pub const TOKEN_BYTES_MAX: usize = 8192;

/// An access token that was checked: signed by us, for us, alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The user it acts for; `None` for an app that acts for itself.
    pub sub: Option<UserId>,
    /// The app it was issued to.
    pub client: AppId,
    /// What it may be used for.
    pub scope: Scope,
    /// When the user signed in.
    pub auth_time: Option<DateTime<Utc>>,
    /// The grant it belongs to; `None` for an app that acts for itself.
    pub grant: Option<GrantId>,
    /// Its own name.
    pub jti: String,
    /// When it was issued.
    pub iat: DateTime<Utc>,
    /// When it ends.
    pub exp: DateTime<Utc>,
    /// How the user signed in. Source: RFC 8176.
    pub amr: Vec<String>,
    /// What it is bound to: whoever shows it must hold the key, too.
    pub binding: Option<Binding>,
    /// Whether claims were asked for by name, for userinfo.
    pub claims_requested: bool,
    /// For whom it is. Source: RFC 8707.
    pub audience: Vec<String>,
    /// Who acts for the user. Source: RFC 8693 section 4.1.
    pub act: Option<Value>,
    /// What it allows in detail. Source: RFC 9396.
    pub details: Vec<Value>,
}

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum TokenFault {
    /// Not a token of ours, expired, revoked, or its user is gone: one answer for all of them.
    /// The text is for our log.
    #[error("the access token is invalid: {0}")]
    Invalid(&'static str),
    /// We could not find out.
    #[error("the access token could not be checked")]
    Internal(#[from] DbError),
}

/// Checks an access token: signature, type, issuer, audience, times, grant, user, app.
///
/// Both halves of the check are held in memory, so that a token costs its signature once, and a
/// look into storage only when some grant was revoked since the last time.
///
/// # Errors
/// [`TokenFault::Invalid`] for anything that is not good, [`TokenFault::Internal`] if storage
/// does not answer.
pub async fn verify(oauth: &OAuth, token: &str) -> Result<Arc<AccessToken>, TokenFault> {
    verify_for(oauth, token, None).await
}

/// As [`verify`], where a token for `other` is as good as one for us: for an API of others whose
/// gateway we are.
///
/// # Errors
/// As [`verify`].
pub(in crate::oauth) async fn verify_for(
    oauth: &OAuth,
    token: &str,
    other: Option<&str>,
) -> Result<Arc<AccessToken>, TokenFault> {
    let access = verify_for_any(oauth, token).await?;
    if access.audience.iter().any(|one| one == oauth.issuer() || Some(one.as_str()) == other) {
        Ok(access)
    } else {
        Err(TokenFault::Invalid("it is for another audience"))
    }
}

/// As [`verify`], for a token that may be for other resource servers alone.
///
/// # Errors
/// As [`verify`].
pub(in crate::oauth) async fn verify_for_any(
    oauth: &OAuth,
    token: &str,
) -> Result<Arc<AccessToken>, TokenFault> {
    let (key, access) = signed(oauth, token)?;
    check_people(oauth, &access).await?;
    oauth.caches().alive.get_or_load(&key, async || check_alive(oauth, &access).await).await?;
    Ok(access)
}

/// Reads a token that we signed and that has not expired, dead or alive.
pub(in crate::oauth) fn signed(
    oauth: &OAuth,
    token: &str,
) -> Result<([u8; 32], Arc<AccessToken>), TokenFault> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenFault::Invalid("it is too long"));
    }
    let now = oauth.now();
    let Digest(key) = Digest::of(token.as_bytes());
    let held = &oauth.caches().signed;
    if let Some(access) = held.get(&key) {
        if now < access.exp {
            return Ok((key, access));
        }
        held.forget(&key);
        return Err(TokenFault::Invalid("it has expired"));
    }
    let stamp = held.stamp();
    let is_fresh = oauth.parts().keys.is_fresh();
    let verified =
        oauth.parts().keys.verify(token).map_err(|fault| TokenFault::Invalid(fault.0))?;
    let access = read_access(verified.typ.as_deref(), &verified.claims, oauth.issuer(), now)
        .map_err(TokenFault::Invalid)?;
    let access = Arc::new(access);
    if is_fresh {
        held.insert_as_of(stamp, key, access.clone());
    }
    Ok((key, access))
}

/// The app and the user are looked at each time: they are held by those who know them.
async fn check_people(oauth: &OAuth, access: &AccessToken) -> Result<(), TokenFault> {
    let app = oauth.parts().apps.find(&access.client).await?;
    if !app.is_some_and(|app| app.is_enabled()) {
        return Err(TokenFault::Invalid("its app is disabled or gone"));
    }
    let Some(user) = &access.sub else { return Ok(()) };
    let user = oauth.parts().users.find(user).await?.filter(|user| user.is_active());
    let Some(user) = user else { return Err(TokenFault::Invalid("its user is disabled or gone")) };
    match (access.auth_time, user.void_before()) {
        // Tokens count whole seconds, so the second of the end is the user's.
        (Some(signed_in), Some(end)) if signed_in.timestamp() < end.timestamp() => {
            Err(TokenFault::Invalid("its user was signed out everywhere"))
        }
        _ => Ok(()),
    }
}

/// Neither the token nor its grant was revoked; and the grant learns that it was seen.
async fn check_alive(oauth: &OAuth, access: &AccessToken) -> Result<(), TokenFault> {
    let db = &oauth.ctx().db;
    if let Some(id) = access.grant {
        // What is held may be from before a refresh by another process: this token tells.
        let knows =
            |grant: &Arc<Grant>| grant.access.as_ref().is_some_and(|last| last.jti == access.jti);
        let grant = match oauth.caches().grants.get(&id.0).filter(knows) {
            Some(grant) => Some(grant),
            None => oauth.read_grant(id).await?,
        };
        let grant = grant.ok_or(TokenFault::Invalid("its grant is over"))?;
        if grant.revoked_at.is_some() {
            return Err(TokenFault::Invalid("its grant was revoked"));
        }
        note_seen(oauth, &grant, access).await?;
    }
    // After the note: a token that was replaced before it is in this table.
    if store_tokens::is_revoked(db, &access.jti).await? {
        return Err(TokenFault::Invalid("it was revoked"));
    }
    Ok(())
}

/// Tells the grant that its last access token reached its app, durably, before anybody acts on
/// it: from now on the refresh token before it is not forgiven.
async fn note_seen(oauth: &OAuth, grant: &Grant, access: &AccessToken) -> Result<(), TokenFault> {
    let Some(last) = &grant.access else { return Ok(()) };
    let rotates = grant.refresh.as_ref().is_some_and(|state| state.previous.is_some());
    if last.seen || last.jti != access.jti || !rotates {
        return Ok(());
    }
    let stamp = oauth.caches().grants.stamp();
    if store::mark_seen(&oauth.ctx().db, grant.id, &access.jti).await? {
        let seen = LastAccess { seen: true, ..last.clone() };
        let grant = Grant { access: Some(seen), ..grant.clone() };
        oauth.caches().grants.insert_as_of(stamp, grant.id.0, Arc::new(grant));
    }
    Ok(())
}
