//! An app that signs a statement of who it is. Source: RFC 7523 section 3, OpenID Connect Core
//! section 9, FAPI 2.0 Security Profile section 5.3.2.1.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::apps::metadata::AuthMethod;
use crate::apps::model::App;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::oauth::client_auth::{find, may_use};
use crate::oauth::client_keys;
use crate::oauth::error::TokenError;
use crate::oauth::service::OAuth;
use crate::oauth::validity::{LATE_SECONDS_MAX, Validity, audiences};
use crate::once::service as once;

/// How far ahead an assertion may end, in seconds: its `jti` is remembered that long.
const LIFE_SECONDS_MAX: i64 = 300;

/// What `typ` may say. Source: RFC 7515 section 4.1.9.
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

const INVALID: TokenError = TokenError::InvalidClient { basic: false };

/// The app that signed `text`, for this server and for this one time.
///
/// # Errors
/// [`TokenError::InvalidClient`]; why is for our log.
pub(in crate::oauth::client_auth) async fn authenticate(
    oauth: &OAuth,
    path: &str,
    text: &str,
    name: Option<&str>,
) -> Result<Arc<App>, TokenError> {
    let jws = Jws::parse(text).map_err(refused)?;
    let subject = jws.unverified.get("sub").and_then(Value::as_str);
    let app = find(oauth, subject.ok_or(INVALID)?).await?.ok_or(INVALID)?;
    if name.is_some_and(|name| name != app.id.as_str()) {
        return Err(refused(TokenFault("client_id names another app")));
    }
    let claims = signed(oauth, &app, jws).await.map_err(refused)?;
    let now = oauth.now().timestamp();
    let seen = Statement { app: &app, ours: &ours(oauth, path), now }.check(&claims);
    let (jti, exp) = seen.map_err(refused)?;
    let end = DateTime::from_timestamp(exp.saturating_add(LATE_SECONDS_MAX), 0).ok_or(INVALID)?;
    if !once::first_seen(oauth.ctx(), "client_assertion", (app.id.as_str(), &jti), end).await? {
        return Err(refused(TokenFault("the assertion was used before")));
    }
    Ok(app)
}

fn refused(fault: TokenFault) -> TokenError {
    tracing::info!(reason = fault.0, "client assertion refused");
    INVALID
}

/// By which names an assertion may call this server: its issuer first.
fn ours(oauth: &OAuth, path: &str) -> [String; 3] {
    let issuer = &oauth.parts().issuer;
    [issuer.as_str().to_owned(), issuer.url("/token"), issuer.url(path)]
}

/// The claims, if they are signed as the app registered.
async fn signed(oauth: &OAuth, app: &App, jws: Jws<'_>) -> Result<Map<String, Value>, TokenFault> {
    if jws.header.contains_key("typ") && !TYPES.iter().any(|typ| jws.is_typed(typ)) {
        return Err(TokenFault("the assertion is a token of another kind"));
    }
    if may_use(app, AuthMethod::PrivateKeyJwt) {
        let registered = app.metadata.token_endpoint_auth_signing_alg;
        let allowed = app.signing_algorithms(registered);
        return client_keys::verified(oauth, app, jws, &allowed).await;
    }
    if may_use(app, AuthMethod::ClientSecretJwt) {
        for secret in oauth.parts().apps.signing_secrets(app) {
            if let Ok(claims) = jws.clone().verify_hs256(&secret) {
                return Ok(claims);
            }
        }
        return Err(TokenFault("no secret verifies it"));
    }
    Err(TokenFault("the app does not sign assertions"))
}

/// What a statement is measured by.
struct Statement<'a> {
    app: &'a App,
    ours: &'a [String],
    now: i64,
}

impl Statement<'_> {
    /// The name and the end of a good statement. Source: RFC 7523 section 3.
    fn check(&self, claims: &Map<String, Value>) -> Result<(String, i64), TokenFault> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let id = Some(self.app.id.as_str());
        if text("iss") != id || text("sub") != id {
            return Err(TokenFault("iss and sub are not the app"));
        }
        self.check_audience(claims)?;
        let validity = Validity::read(claims)?;
        validity.check(self.now)?;
        let exp = validity.exp.ok_or(TokenFault("exp is missing"))?;
        if exp > self.now.saturating_add(LIFE_SECONDS_MAX + LATE_SECONDS_MAX) {
            return Err(TokenFault("exp is too far ahead"));
        }
        let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(TokenFault("jti is missing"))?;
        Ok((jti.to_owned(), exp))
    }

    /// An app with a profile must name the issuer, as text: an assertion for any other URL could
    /// have been meant for another server that says this URL is its own. Of the others our
    /// endpoints are taken, too, because OpenID Connect Core section 9 told them so, but nobody
    /// else's URL beside them.
    fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), TokenFault> {
        let named = audiences(claims)?;
        let is_good = if self.app.is_fapi() {
            let only = claims.get("aud").and_then(Value::as_str);
            only.is_some() && only == self.ours.first().map(String::as_str)
        } else {
            named.iter().all(|one| self.ours.iter().any(|our| our == one))
        };
        if is_good { Ok(()) } else { Err(TokenFault("aud is not this server alone")) }
    }
}
