//! The checks of the gate, each by itself and without any I/O. `service` asks them in the order
//! in which they stand here.

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::model::{App, Status};
use crate::base::id::AccountId;
use crate::base::scope::Scope;
use crate::config::step_up::StepUp;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{AccountNeed, Demand};
use crate::oauth::access_token::AccessToken;
use crate::oauth::acr::AcrRequest;
use crate::oauth::possession::Scheme;

/// Longest access token that is looked at, in bytes: a longer one is refused unread.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// A header of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header<'r> {
    /// It is not there.
    Absent,
    /// It is there once; the bytes may be anything.
    Once(&'r [u8]),
    /// It is there twice or more often.
    Repeated,
}

/// The access token of the request: in the header `Authorization`, and nowhere else.
///
/// # Errors
/// [`Refusal::InvalidRequest`] for a token in the query or two headers,
/// [`Refusal::MissingToken`] for none or another scheme, [`Refusal::InvalidToken`] for text that
/// is no token. Source: RFC 6750 sections 2 and 3.1; the scheme is case-insensitive (RFC 9110
/// section 11.1).
pub fn bearer(authorization: Header<'_>, in_query: bool) -> Result<(Scheme, &str), Refusal> {
    if in_query {
        return Err(Refusal::InvalidRequest("send the access token in a header, not in the URL"));
    }
    let value = match authorization {
        Header::Absent => return Err(Refusal::MissingToken),
        Header::Repeated => return Err(Refusal::InvalidRequest("send one Authorization header")),
        Header::Once(value) => value,
    };
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    let scheme = Scheme::parse(scheme).ok_or(Refusal::MissingToken)?;
    let token = rest.trim_ascii();
    let is_token = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX || !token.iter().all(is_token) {
        return Err(Refusal::InvalidToken);
    }
    let token = std::str::from_utf8(token).map_err(|_| Refusal::InvalidToken)?;
    Ok((scheme, token))
}

/// Whether the token is for this method and path.
///
/// # Errors
/// [`Refusal::InsufficientScope`]. Source: RFC 6750 section 3.1.
pub fn scope(demand: &Demand<'_>, granted: &Scope) -> Result<(), Refusal> {
    if granted.contains(demand.scope) {
        return Ok(());
    }
    Err(Refusal::InsufficientScope { needed: demand.scope.to_owned().into() })
}

/// Whether the user signed in surely and lately enough. An app that acts for itself never signed
/// in; it is refused elsewhere.
///
/// # Errors
/// [`Refusal::SignIn`]. Source: RFC 9470 section 3.
pub fn sign_in(
    demand: &Demand<'_>,
    rules: &StepUp,
    token: &AccessToken,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    if !demand.sensitive || token.sub.is_none() {
        return Ok(());
    }
    let wanted = AcrRequest::wish(rules.acr_values.iter().map(String::as_str));
    let is_sure = wanted.is_none_or(|wanted| wanted.met_by(&token.amr).is_some());
    let is_recent = rules.max_age_seconds.is_none_or(|seconds| {
        let oldest = now - TimeDelta::seconds(i64::from(seconds));
        token.auth_time.is_some_and(|at| at >= oldest)
    });
    if is_sure && is_recent { Ok(()) } else { Err(Refusal::SignIn(rules.clone())) }
}

/// Which account the request is about.
///
/// # Errors
/// [`Refusal::AccountRequired`] if it must say so and does not, [`Refusal::InvalidAccount`] if
/// what it says names none.
pub fn account(need: AccountNeed, header: Header<'_>) -> Result<Option<AccountId>, Refusal> {
    match (header, need) {
        (Header::Absent, AccountNeed::Optional) => Ok(None),
        (Header::Absent, AccountNeed::Required) => Err(Refusal::AccountRequired),
        (Header::Repeated, _) => Err(Refusal::InvalidAccount("name one account")),
        (Header::Once(value), _) => {
            std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).map(Some).ok_or(
                Refusal::InvalidAccount("an account id has 1 to 16 small letters and digits"),
            )
        }
    }
}

/// Whether the app is ready for this user: while it is in development, only for those who
/// develop apps; once it is disabled, for nobody.
///
/// # Errors
/// [`Refusal::AppInDevelopment`], [`Refusal::InvalidToken`].
pub fn app_status(app: &App, develops_apps: bool) -> Result<(), Refusal> {
    match app.status {
        Status::Live => Ok(()),
        Status::Developing if develops_apps => Ok(()),
        Status::Developing => Err(Refusal::AppInDevelopment),
        // Its tokens were refused as such already.
        Status::Disabled => Err(Refusal::InvalidToken),
    }
}

/// Whether the app may be used for the account, if the request is about one.
///
/// # Errors
/// [`Refusal::AppNotAllowed`].
pub fn app_allowed(app: &App, account: Option<&AccountId>) -> Result<(), Refusal> {
    if account.is_none_or(|account| app.is_for(account)) {
        return Ok(());
    }
    Err(Refusal::AppNotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reason<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> &'static str {
        answer.unwrap_err().reason()
    }

    #[test]
    fn case_68_only_one_header_carries_the_token() {
        let once = |text: &'static str| Header::Once(text.as_bytes());

        for good in ["Bearer abc.d-e_f", "bearer abc.d-e_f", "BEARER  abc.d-e_f"] {
            let found = bearer(once(good), false).unwrap();
            assert_eq!(found, (Scheme::Bearer, "abc.d-e_f"), "{good}");
        }
        assert_eq!(bearer(once("dPoP abc"), false).unwrap(), (Scheme::Dpop, "abc"));
        assert_eq!(reason(bearer(once("Bearer abc"), true)), "invalid_request");
        assert_eq!(reason(bearer(Header::Absent, true)), "invalid_request");
        assert_eq!(reason(bearer(Header::Repeated, false)), "invalid_request");
        assert_eq!(reason(bearer(Header::Absent, false)), "missing_token");
        assert_eq!(reason(bearer(once("Basic abc"), false)), "missing_token");
        assert_eq!(reason(bearer(once("Bearerabc"), false)), "missing_token");
        for bad in
            ["Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "Bearer a\0", "Bearer ä"]
        {
            assert_eq!(reason(bearer(once(bad), false)), "invalid_token", "{bad}");
        }
        let long = format!("Bearer {}", "a".repeat(TOKEN_BYTES_MAX + 1));
        assert_eq!(reason(bearer(Header::Once(long.as_bytes()), false)), "invalid_token");
    }

    #[test]
    fn case_61_the_account_header_names_one_account() {
        use AccountNeed::{Optional, Required};

        assert_eq!(reason(account(Required, Header::Absent)), "account_required");
        assert_eq!(account(Optional, Header::Absent).unwrap(), None);
        for need in [Required, Optional] {
            let good = account(need, Header::Once(b"acme")).unwrap().unwrap();
            assert_eq!(good.as_str(), "acme");
            assert_eq!(reason(account(need, Header::Repeated)), "invalid_account");
            for bad in [&b""[..], b"ACME", b"acme,other", b" acme", b"acme/x", b"\xff", b"a\0"] {
                assert_eq!(reason(account(need, Header::Once(bad))), "invalid_account", "{bad:?}");
            }
        }
    }
}
