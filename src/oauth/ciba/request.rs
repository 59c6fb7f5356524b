//! What an app asks at `/bc-authorize`. Source: CIBA Core section 7.1.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use crate::apps::metadata::DeliveryMode;
use crate::apps::model::App;
use crate::base::text;
use crate::db::error::DbError;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::oauth::service::OAuth;
use crate::oauth::validity::{LATE_SECONDS_MAX, Validity, audiences};
use crate::oauth::{client_keys, hint, request_object};
use crate::once::service as once;
use crate::users::model::User;

/// How long a request waits unless the app says otherwise, and at most.
const LIFETIME_SECONDS: i64 = 300;
const LIFETIME_SECONDS_MAX: i64 = 600;
/// Longest message, in characters: it is to be compared at a glance.
const MESSAGE_CHARS_MAX: usize = 64;
/// Source: CIBA Core section 7.1.
const NOTIFICATION_TOKEN_BYTES_MAX: usize = 1024;
/// 128 bits in base64.
const NOTIFICATION_TOKEN_BYTES_MIN: usize = 22;
/// Longest hint, in bytes.
const HINT_BYTES_MAX: usize = 4096;
/// How long a signed request may be good at most, and how old it may be.
/// Source: FAPI-CIBA section 5.2.2.
const SIGNED_SECONDS_MAX: i64 = 3_600;

/// What may stand beside a signed request: the app's own credentials.
const BESIDE: [&str; 5] =
    ["request", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// The parameters of a request: those of the form, or of the JWT in it, never of both.
///
/// # Errors
/// `invalid_request` if it is signed and must not be, or the other way round, or not well.
/// Source: CIBA Core section 7.1.1.
pub(in crate::oauth::ciba) async fn read<'a>(
    oauth: &OAuth,
    app: &App,
    params: &'a Params,
) -> Result<Cow<'a, Params>, TokenError> {
    let refused = |text| Err(TokenError::InvalidRequest(text));
    let signs = app.metadata.backchannel_authentication_request_signing_alg.is_some();
    match params.get("request") {
        None if signs || app.metadata.profile.is_some() => refused("the request must be signed"),
        None => Ok(Cow::Borrowed(params)),
        Some(_) if !signs => refused("the app has not registered how it signs its requests"),
        Some(_) if params.pairs().any(|(name, _)| !BESIDE.contains(&name)) => {
            refused("nothing may stand beside a signed request")
        }
        Some(text) => match signed(oauth, app, text).await {
            Ok(Some(params)) => Ok(Cow::Owned(params)),
            Ok(None) => refused("the signed request was used before"),
            Err(Fault::Token(fault)) => {
                tracing::info!(app = %app.id, reason = fault.0, "signed request refused");
                refused("the signed request is not good")
            }
            Err(Fault::Internal(error)) => Err(error.into()),
        },
    }
}

enum Fault {
    Token(TokenFault),
    Internal(DbError),
}

impl From<TokenFault> for Fault {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

impl From<DbError> for Fault {
    fn from(error: DbError) -> Self {
        Self::Internal(error)
    }
}

/// The parameters of a signed request; `None` if it was used before.
async fn signed(oauth: &OAuth, app: &App, text: &str) -> Result<Option<Params>, Fault> {
    let jws = Jws::parse(text)?;
    let is_typed = ["JWT", "oauth-authz-req+jwt"].iter().any(|typ| jws.is_typed(typ));
    if jws.header.contains_key("typ") && !is_typed {
        return Err(TokenFault("the request is a token of another kind").into());
    }
    let registered = app.metadata.backchannel_authentication_request_signing_alg;
    let allowed = app.signing_algorithms(registered);
    let claims = client_keys::verified(oauth, app, jws, &allowed).await?;
    let (jti, exp) = check(&claims, app.id.as_str(), oauth.issuer(), oauth.now().timestamp())?;
    let end = DateTime::from_timestamp(exp.saturating_add(LATE_SECONDS_MAX), 0);
    let end = end.ok_or(TokenFault("exp is out of range"))?;
    if !once::first_seen(oauth.ctx(), "ciba_request", (app.id.as_str(), &jti), end).await? {
        return Ok(None);
    }
    Ok(Some(request_object::parameters(&claims)?))
}

/// The name and the end of a good one. Source: CIBA Core section 7.1.1, FAPI-CIBA section 5.2.2.
fn check(
    claims: &Map<String, Value>,
    app: &str,
    issuer: &str,
    now: i64,
) -> Result<(String, i64), TokenFault> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(app) {
        return Err(TokenFault("iss is not the app"));
    }
    if claims.contains_key("client_id") && text("client_id") != Some(app) {
        return Err(TokenFault("client_id is not the app"));
    }
    if !audiences(claims)?.contains(&issuer) {
        return Err(TokenFault("aud is not this server"));
    }
    let validity = Validity::read(claims)?;
    validity.check(now)?;
    let (Some(exp), Some(nbf), Some(_)) = (validity.exp, validity.nbf, validity.iat) else {
        return Err(TokenFault("exp, nbf or iat is missing"));
    };
    if nbf < now.saturating_sub(SIGNED_SECONDS_MAX) {
        return Err(TokenFault("nbf is too long ago"));
    }
    if exp > nbf.saturating_add(SIGNED_SECONDS_MAX) {
        return Err(TokenFault("exp is too far from nbf"));
    }
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(TokenFault("jti is missing"))?;
    Ok((jti.to_owned(), exp))
}

/// Whom the app means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::oauth::ciba) enum Hint<'a> {
    /// What the user signs in with.
    Login(&'a str),
    /// An ID token that the app once got.
    IdToken(&'a str),
}

impl Hint<'_> {
    /// The user, if there is one.
    pub(in crate::oauth::ciba) async fn user(
        self,
        oauth: &OAuth,
        app: &App,
    ) -> Result<Option<Arc<User>>, DbError> {
        let users = &oauth.parts().users;
        match self {
            Self::Login(name) => users.find_by_name(name).await,
            Self::IdToken(token) => {
                match hint::read(oauth, token).and_then(|hint| hint.user(oauth, app)) {
                    Some(id) => users.find(&id).await,
                    None => Ok(None),
                }
            }
        }
    }
}

/// What is asked beside scope and reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::oauth::ciba) struct Wanted<'a> {
    pub(in crate::oauth::ciba) hint: Hint<'a>,
    pub(in crate::oauth::ciba) binding_message: Option<&'a str>,
    pub(in crate::oauth::ciba) notification_token: Option<&'a str>,
    pub(in crate::oauth::ciba) lifetime: TimeDelta,
}

impl<'a> Wanted<'a> {
    /// Parses it.
    ///
    /// # Errors
    /// `invalid_request` or `invalid_binding_message`. Source: CIBA Core sections 7.1 and 13.
    pub(in crate::oauth::ciba) fn parse(params: &'a Params, app: &App) -> Result<Self, TokenError> {
        // Who sends it believes that it is checked. Source: CIBA Core section 7.1.
        if params.has("user_code") {
            return Err(TokenError::InvalidRequest("user_code is not supported"));
        }
        Ok(Self {
            hint: hint(params)?,
            binding_message: params.get("binding_message").map(message).transpose()?,
            notification_token: notification_token(params, app)?,
            lifetime: lifetime(params.get("requested_expiry"))?,
        })
    }
}

fn hint(params: &Params) -> Result<Hint<'_>, TokenError> {
    if params.has("login_hint_token") {
        return Err(TokenError::InvalidRequest("login_hint_token is not supported"));
    }
    let hint = match (params.get("login_hint"), params.get("id_token_hint")) {
        (Some(name), None) => Hint::Login(name),
        (None, Some(token)) => Hint::IdToken(token),
        _ => return Err(TokenError::InvalidRequest("exactly one hint is needed")),
    };
    let (Hint::Login(hinted) | Hint::IdToken(hinted)) = hint;
    if hinted.len() > HINT_BYTES_MAX {
        return Err(TokenError::InvalidRequest("the hint is too long"));
    }
    Ok(hint)
}

fn message(message: &str) -> Result<&str, TokenError> {
    const BAD: TokenError = TokenError::Named(
        "invalid_binding_message",
        "binding_message must be plain text of at most 64 characters",
    );
    let is_good =
        message.chars().count() <= MESSAGE_CHARS_MAX && !message.chars().any(is_invisible);
    match text::line(message, MESSAGE_CHARS_MAX * 4) {
        Ok(line) if is_good => Ok(line),
        _ => Err(BAD),
    }
}

/// What would make a message look like another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Needed for ping, where it is a bearer token of the app's. Source: CIBA Core section 7.1.
fn notification_token<'a>(params: &'a Params, app: &App) -> Result<Option<&'a str>, TokenError> {
    if app.metadata.backchannel_token_delivery_mode != Some(DeliveryMode::Ping) {
        return Ok(None);
    }
    let token = params
        .get("client_notification_token")
        .ok_or(TokenError::InvalidRequest("client_notification_token is missing"))?;
    let is_good = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    let length = NOTIFICATION_TOKEN_BYTES_MIN..=NOTIFICATION_TOKEN_BYTES_MAX;
    if !length.contains(&token.len()) || !token.bytes().all(is_good) {
        return Err(TokenError::InvalidRequest("client_notification_token is no bearer token"));
    }
    Ok(Some(token))
}

fn lifetime(requested: Option<&str>) -> Result<TimeDelta, TokenError> {
    const BAD: TokenError = TokenError::InvalidRequest("requested_expiry must be seconds");
    let Some(text) = requested else { return Ok(TimeDelta::seconds(LIFETIME_SECONDS)) };
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD);
    }
    match text.parse::<i64>() {
        Ok(seconds) if seconds > 0 => Ok(TimeDelta::seconds(seconds.min(LIFETIME_SECONDS_MAX))),
        _ => Err(BAD),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: i64 = 100_000;

    fn verdict(changed: &[(&str, Value)]) -> Result<(), TokenFault> {
        let mut claims = json!({
            "iss": "a", "aud": "https://id.example", "jti": "1",
            "iat": NOW, "nbf": NOW, "exp": NOW + 300,
        });
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|_, value| !value.is_null());
        check(&claims, "a", "https://id.example", NOW).map(drop)
    }

    #[test]
    fn ciba_7_1_1_a_signed_request_says_who_for_whom_and_when() {
        assert_eq!(verdict(&[]), Ok(()));
        assert_eq!(verdict(&[("nbf", json!(NOW + 8))]), Ok(()));
        assert_eq!(verdict(&[("aud", json!(["https://id.example"]))]), Ok(()));
        for (name, value) in [
            ("iss", json!("b")),
            ("client_id", json!("b")),
            ("aud", json!("https://other.example")),
            ("exp", json!(NOW - 60)),
            ("exp", json!(NOW + 70 * 60)),
            ("nbf", json!(NOW + 600)),
            ("nbf", json!(NOW - 70 * 60)),
        ] {
            assert!(verdict(&[(name, value.clone())]).is_err(), "{name} {value}");
        }
        for name in ["iss", "aud", "exp", "nbf", "iat", "jti"] {
            assert!(verdict(&[(name, Value::Null)]).is_err(), "{name}");
        }
    }

    #[test]
    fn ciba_7_1_the_app_asks_for_a_time_and_gets_at_most_ours() {
        let seconds = |text| lifetime(Some(text)).ok().map(|time| time.num_seconds());

        assert_eq!(lifetime(None).ok().map(|time| time.num_seconds()), Some(LIFETIME_SECONDS));
        assert_eq!([seconds("30"), seconds("86400")], [Some(30), Some(LIFETIME_SECONDS_MAX)]);
        for bad in ["", "0", "-1", "1.5", "1e3", "x", "99999999999999999999"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn ciba_7_1_a_message_is_short_and_plain() {
        assert_eq!(message("W4SCT").ok(), Some("W4SCT"));
        assert!(message(&"ä".repeat(64)).is_ok());
        for bad in [&*"x".repeat(65), "a\u{202e}b", "a\nb", " "] {
            assert!(message(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_message_and_a_time_or_is_not(text in "\\PC{0,80}") {
            let _ = (message(&text), lifetime(Some(&text)));
        }
    }
}
