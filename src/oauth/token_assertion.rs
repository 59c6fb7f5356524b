//! `grant_type` of JWT bearer: an app speaks for a user, in its own name. Source: RFC 7523
//! sections 2.1 and 3.
//!
//! Whoever may do this may be any user of the app: the operator says which apps may.

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::apps::model::{App, GrantType};
use crate::base::id::UserId;
use crate::base::scope::Scope;
use crate::base::secret::Digest;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::Approval;
use crate::oauth::issue::{Ground, IssueRequest, Issued, issue_tokens};
use crate::oauth::reach::Reach;
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::service::OAuth;
use crate::oauth::token::TokenRequest;
use crate::oauth::validity::{LATE_SECONDS_MAX, Validity, audiences};
use crate::oauth::{client_keys, eligibility, store};
use crate::once::service as once;

/// How far ahead an assertion may end, in seconds: its `jti` is remembered that long.
const LIFE_SECONDS_MAX: i64 = 300;
/// Longest `jti`, in bytes.
const JTI_BYTES_MAX: usize = 256;

/// What a good assertion says.
struct Statement {
    user: UserId,
    jti: String,
    exp: i64,
}

/// Gives an app a token for the user that its assertion names.
///
/// # Errors
/// [`TokenError::UnauthorizedClient`] for an app that may not, [`TokenError::InvalidGrant`] for an
/// assertion that is not good, and what [`issue_tokens`] answers.
pub(in crate::oauth) async fn exchange(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
) -> Result<Issued, TokenError> {
    let (app, params) = (&*request.app, request.params);
    if !app.grant_types.contains(&GrantType::JwtBearer) || !app.metadata.may_impersonate {
        return Err(TokenError::UnauthorizedClient("the app may not speak for users"));
    }
    let text = params.get("assertion").ok_or(TokenError::InvalidRequest("assertion is missing"))?;
    let scope = match params.get("scope") {
        Some(text) => Scope::parse(text).map_err(|_| TokenError::InvalidScope)?,
        None => app.default_scopes.clone(),
    };
    if scope.is_empty() || !scope.is_within(&app.allowed_scopes) {
        return Err(TokenError::InvalidScope);
    }
    let reach = Reach::asked(params, app, oauth.issuer())?;
    let statement = read(oauth, app, text).await.map_err(|fault| {
        tracing::info!(app = %app.id, reason = fault.0, "assertion refused");
        TokenError::InvalidGrant(Refusal::BadAssertion)
    })?;
    let end = statement.exp.saturating_add(LATE_SECONDS_MAX);
    let end = DateTime::from_timestamp(end, 0).ok_or(TokenError::Bug("an end out of range"))?;
    if !once::first_seen(oauth.ctx(), "assertion", (app.id.as_str(), &statement.jti), end).await? {
        return Err(TokenError::InvalidGrant(Refusal::AlreadySpent));
    }
    // Before the row is written, which needs a user who is there.
    eligibility::check(oauth, app, &statement.user, oauth.now()).await?;
    issue(oauth, request, statement.user, scope, reach).await
}

async fn issue(
    oauth: &OAuth,
    request: &TokenRequest<'_>,
    user: UserId,
    scope: Scope,
    reach: Reach,
) -> Result<Issued, TokenError> {
    let (app, now) = (&*request.app, oauth.now());
    let random = || Digest(oauth.ctx().entropy().bytes::<32>());
    // Nobody signed in: no session ends it, and it says nothing of how somebody showed who they are.
    let by =
        Approval { user, session: random(), auth_time: now, amr: Vec::new(), scope: scope.clone() };
    let asked = AuthorizeRequest {
        scope,
        resource: reach.audience.clone(),
        authorization_details: reach.details.clone(),
        ..AuthorizeRequest::default()
    };
    let code = random();
    let id = store::insert_approved(&oauth.ctx().db, &app.id, &asked, &by, code, now).await?;
    let grant = oauth.read_grant(id).await?.ok_or(TokenError::InvalidGrant(Refusal::Revoked))?;
    let issue = IssueRequest {
        app,
        scope: &by.scope,
        reach,
        ground: Ground::Assertion { grant: &grant, by: &by, code },
        binding: request.binding.as_ref(),
    };
    issue_tokens(oauth, &issue).await?.ok_or(TokenError::InvalidGrant(Refusal::Revoked))
}

/// What the assertion says, if the app signed it, for this server and for now.
async fn read(oauth: &OAuth, app: &App, text: &str) -> Result<Statement, TokenFault> {
    let jws = Jws::parse(text)?;
    if jws.header.contains_key("typ") && !jws.is_typed("JWT") {
        return Err(TokenFault("the assertion is a token of another kind"));
    }
    let is_allowed = |one: &Algorithm| app.metadata.profile.is_none() || *one != Algorithm::RS256;
    let allowed: Vec<Algorithm> = Algorithm::ALL.into_iter().filter(is_allowed).collect();
    let claims = client_keys::verified(oauth, app, jws, &allowed).await?;
    let issuer = &oauth.parts().issuer;
    let ours = [issuer.as_str().to_owned(), issuer.url("/token")];
    check(&claims, app.id.as_str(), &ours, oauth.now().timestamp())
}

/// Source: RFC 7523 section 3.
fn check(
    claims: &Map<String, Value>,
    app: &str,
    ours: &[String],
    now: i64,
) -> Result<Statement, TokenFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(app) {
        return Err(TokenFault("iss is not the app"));
    }
    let user = text("sub").and_then(|sub| sub.parse().ok());
    let user = user.ok_or(TokenFault("sub is missing or malformed"))?;
    if !audiences(claims)?.iter().all(|one| ours.iter().any(|our| our == one)) {
        return Err(TokenFault("aud is not this server alone"));
    }
    let validity = Validity::read(claims)?;
    validity.check(now)?;
    let exp = validity.exp.ok_or(TokenFault("exp is missing"))?;
    if exp > now.saturating_add(LIFE_SECONDS_MAX + LATE_SECONDS_MAX) {
        return Err(TokenFault("exp is too far ahead"));
    }
    let is_good = |jti: &&str| !jti.is_empty() && jti.len() <= JTI_BYTES_MAX;
    let jti = text("jti").filter(is_good).ok_or(TokenFault("jti is missing or too long"))?;
    Ok(Statement { user, jti: jti.to_owned(), exp })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn verdict(claims: &Value) -> Result<UserId, TokenFault> {
        let ours = ["https://id.example".to_owned(), "https://id.example/token".to_owned()];
        check(claims.as_object().unwrap(), "robot", &ours, 1_000).map(|statement| statement.user)
    }

    proptest! {
        #[test]
        fn odd_claims_are_refused(name in "(iss|sub|aud|exp|jti)", text in "\\PC{0,30}") {
            let mut claims = json!({
                "iss": "robot", "sub": "ada", "aud": "https://id.example", "exp": 1_060, "jti": "1",
            });
            prop_assert!(verdict(&claims).is_ok());
            claims[name.as_str()] = json!({ "odd": text });
            prop_assert!(verdict(&claims).is_err());
            claims.as_object_mut().unwrap().remove(&name);
            prop_assert!(verdict(&claims).is_err());
        }
    }
}
