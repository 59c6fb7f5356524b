//! Making and signing tokens, when all is decided.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::accounts::model::Membership;
use crate::apps::claims::{ClaimSource, CustomClaim};
use crate::apps::model::App;
use crate::base::id::{AccountId, GrantId};
use crate::base::scope::Scope;
use crate::base::secret::Secret;
use crate::db::error::DbError;
use crate::keys::algorithm::at_hash;
use crate::oauth::acr;
use crate::oauth::binding::Binding;
use crate::oauth::claims::{
    ACCESS_TOKEN_TYPE, AccessClaims, Audience, ID_TOKEN_TYPE, IdClaims, custom,
};
use crate::oauth::claims_request;
use crate::oauth::error::TokenError;
use crate::oauth::grant::{Approval, LastAccess};
use crate::oauth::reach::Reach;
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::sealing::{SealingFault, seal_id};
use crate::oauth::service::OAuth;
use crate::oauth::sid;
use crate::oauth::subject;
use crate::users::model::User;

/// What the tokens are to say.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) struct Order<'a> {
    pub(in crate::oauth) app: &'a App,
    pub(in crate::oauth) scope: &'a Scope,
    /// What the access token reaches beside its scope.
    pub(in crate::oauth) reach: &'a Reach,
    /// On whose behalf; `None` for the app itself.
    pub(in crate::oauth) person: Option<Person<'a>>,
    /// What the access token is bound to.
    pub(in crate::oauth) binding: Option<&'a Binding>,
    /// Who acts for the user, if it is not the app alone. Source: RFC 8693 section 4.1.
    pub(in crate::oauth) act: Option<&'a Value>,
    /// The last instant that the tokens may be good at, whatever the app's lifetime is.
    pub(in crate::oauth) ends_by: Option<DateTime<Utc>>,
    pub(in crate::oauth) now: DateTime<Utc>,
}

impl Order<'_> {
    /// When the tokens end.
    fn end(&self) -> DateTime<Utc> {
        let end = self.now + TimeDelta::seconds(i64::from(self.app.access_token_seconds));
        self.ends_by.map_or(end, |limit| limit.min(end))
    }
}

/// On whose behalf.
#[derive(Clone, Copy, Debug)]
pub(in crate::oauth) struct Person<'a> {
    pub(in crate::oauth) user: &'a User,
    pub(in crate::oauth) grant: GrantId,
    pub(in crate::oauth) by: &'a Approval,
    /// Whether the user signed in for this app, so that an ID token may say so.
    pub(in crate::oauth) is_signed_in: bool,
    /// Only in the ID token of the first exchange. Source: OpenID Connect Core section 12.2.
    pub(in crate::oauth) nonce: Option<&'a str>,
    /// What the app asked at the authorization endpoint, if that is where it came from.
    pub(in crate::oauth) asked: Option<&'a AuthorizeRequest>,
}

/// Tokens, signed but not given out.
#[derive(Debug)]
pub(in crate::oauth) struct Minted {
    pub(in crate::oauth) access_token: Secret,
    pub(in crate::oauth) id_token: Option<Secret>,
    pub(in crate::oauth) access: LastAccess,
}

/// What accounts know of the user, as far as custom claims want it.
type Members = Vec<(AccountId, Arc<Membership>)>;

/// Makes an access token and, for the scope `openid`, an ID token.
///
/// # Errors
/// [`TokenError::Internal`] if storage fails, [`TokenError::Keys`] if signing does.
pub(in crate::oauth) async fn mint(oauth: &OAuth, order: &Order<'_>) -> Result<Minted, TokenError> {
    let members = members(oauth, order).await?;
    let random = URL_SAFE_NO_PAD.encode(oauth.ctx().entropy().bytes::<16>());
    let jti = match &order.person {
        Some(person) => format!("{}.{random}", person.grant),
        None => random,
    };
    let claims = access_claims(oauth.issuer(), order, &members, &jti);
    let keys = &oauth.parts().keys;
    let access_token = keys.sign(order.app.access_token_algorithm, ACCESS_TOKEN_TYPE, &claims)?;
    let id_token = match &order.person {
        Some(person) if person.is_signed_in && order.scope.contains("openid") => {
            let sub = subject::of(&oauth.parts().vault, order.app, &person.user.id);
            let about = (person, &*sub);
            let claims = id_claims(oauth, order, about, &members, &access_token);
            let token = keys.sign(order.app.id_token_algorithm, ID_TOKEN_TYPE, &claims)?;
            Some(sealed(oauth, order.app, token).await?)
        }
        _ => None,
    };
    Ok(Minted {
        access_token: Secret::presented(access_token),
        id_token: id_token.map(Secret::presented),
        access: LastAccess { jti, expires_at: order.end(), seen: false },
    })
}

fn access_claims<'a>(
    issuer: &'a str,
    order: &Order<'a>,
    members: &Members,
    jti: &'a str,
) -> AccessClaims<'a> {
    let person = order.person.as_ref();
    let user = person.map(|person| person.user);
    AccessClaims {
        sub: user.map_or(order.app.id.as_str(), |user| user.id.as_str()),
        token_use: "access",
        scope: order.scope.to_string(),
        // A user in whose name an app spoke has shown nothing.
        auth_time: person
            .filter(|person| !person.by.amr.is_empty())
            .map(|person| person.by.auth_time.timestamp()),
        amr: person.map_or(&[], |person| person.by.amr.as_slice()),
        acr: person.filter(|person| !person.by.amr.is_empty()).map(acr_of),
        iss: issuer,
        aud: Audience::of(&order.reach.audience, issuer),
        exp: order.end().timestamp(),
        iat: order.now.timestamp(),
        version: 2,
        jti,
        client_id: order.app.id.as_str(),
        // A name would tell what a pairwise subject hides.
        username: user
            .filter(|_| !subject::is_pairwise(order.app))
            .map(|user| user.username.as_str()),
        deletion_date: user.and_then(|user| user.deletion_at).map(|at| at.timestamp()),
        claims_requested: person
            .and_then(|person| person.asked?.claims.as_ref())
            .is_some_and(|claims| !claims.userinfo.is_empty()),
        cnf: order.binding,
        act: order.act,
        authorization_details: &order.reach.details,
        custom: custom_claims(order, members, |claim| claim.in_access_token),
    }
}

fn id_claims<'a>(
    oauth: &'a OAuth,
    order: &Order<'a>,
    (person, sub): (&Person<'a>, &'a str),
    members: &Members,
    access_token: &str,
) -> IdClaims<'a> {
    let app = order.app;
    let mut custom = custom_claims(order, members, |claim| claim.in_id_token);
    if let Some(asked) = person.asked.and_then(|asked| asked.claims.as_deref()) {
        claims_request::add(&mut custom, person.user, &asked.id_token);
    }
    IdClaims {
        iss: oauth.issuer(),
        sub,
        aud: app.id.as_str(),
        azp: app.id.as_str(),
        exp: order.end().timestamp(),
        iat: order.now.timestamp(),
        auth_time: person.by.auth_time.timestamp(),
        amr: &person.by.amr,
        acr: acr_of(person),
        nonce: person.nonce,
        at_hash: at_hash(app.id_token_algorithm, access_token),
        sid: sid::of(oauth, &app.id, person.by.session),
        jti: subject::reference(oauth, app, &person.user.id),
        custom,
    }
}

/// An ID token as its app wants it: encrypted, perhaps.
async fn sealed(oauth: &OAuth, app: &App, token: String) -> Result<String, TokenError> {
    match seal_id(oauth, app, token).await {
        Ok(sealed) => Ok(sealed),
        Err(SealingFault::Keys(error)) => Err(error.into()),
        Err(SealingFault::NoKey(reason)) => {
            tracing::info!(app = %app.id, reason, "an ID token could not be encrypted");
            Err(TokenError::InvalidRequest(
                "the app has no key to which an ID token can be encrypted",
            ))
        }
    }
}

fn acr_of<'a>(person: &Person<'a>) -> &'a str {
    acr::shown(&person.by.amr, person.asked.and_then(|asked| asked.acr.as_ref()))
}

fn custom_claims(
    order: &Order<'_>,
    members: &Members,
    wanted: impl Fn(&CustomClaim) -> bool,
) -> Map<String, Value> {
    let user = order.person.map(|person| person.user);
    custom(&order.app.custom_claims, wanted, user, |account| {
        let found = members.iter().find(|(id, _)| id == account);
        found.map(|(_, membership)| &membership.attributes)
    })
}

async fn members(oauth: &OAuth, order: &Order<'_>) -> Result<Members, DbError> {
    let mut members = Members::new();
    let Some(person) = &order.person else { return Ok(members) };
    for claim in &order.app.custom_claims {
        if let ClaimSource::MemberAttribute { account, .. } = &claim.source
            && !members.iter().any(|(known, _)| known == account)
            && let Some(membership) =
                oauth.parts().accounts.membership(account, &person.user.id).await?
        {
            members.push((account.clone(), membership));
        }
    }
    Ok(members)
}
