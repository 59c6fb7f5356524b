//! Who is asking at the token endpoint and its neighbours. Source: RFC 6749 sections 2.3 and 3.2.1.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::apps::model::{App, Kind};
use crate::base::id::AppId;
use crate::base::secret::Secret;
use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::oauth::presented::Presented;
use crate::oauth::service::OAuth;

/// Longest `Authorization` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 4096;

/// Finds out which app is asking, and that it is who it says: exactly one method, and the one of
/// its kind. A public app names itself; a confidential one shows a secret.
///
/// # Errors
/// [`TokenError::InvalidRequest`] for two methods at once or two names,
/// [`TokenError::InvalidClient`] for everything that does not convince.
/// Source: RFC 6749 sections 2.3.1 and 5.2.
pub async fn authenticate(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<Arc<App>, TokenError> {
    let Presented { params, authorization, .. } = *presented;
    let shown = Shown::read(params, authorization)?;
    let invalid = TokenError::InvalidClient { basic: authorization.is_some() };
    let now = oauth.now();
    match &shown {
        Shown::Name(name) => {
            let app = find(oauth, name).await?;
            app.filter(|app| app.kind == Kind::Public).ok_or(invalid)
        }
        Shown::Secrets(spellings) => {
            for (name, secret) in spellings {
                if let Some(app) = find(oauth, name).await?
                    && app.kind == Kind::Confidential
                    && app.secret_matches(&Secret::presented(secret.as_ref()), now)
                {
                    return Ok(app);
                }
            }
            Err(invalid)
        }
    }
}

async fn find(oauth: &OAuth, name: &str) -> Result<Option<Arc<App>>, TokenError> {
    match name.parse::<AppId>() {
        Ok(id) => Ok(oauth.parts().apps.find(&id).await?),
        Err(_) => Ok(None),
    }
}

/// What a client presents. `Debug` shows no secrets.
#[derive(PartialEq, Eq)]
enum Shown<'a> {
    /// Only its name.
    Name(&'a str),
    /// Name and secret, in the spellings that they may be meant in.
    Secrets(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "Name({name:?})"),
            Self::Secrets(_) => f.write_str("Secrets(..)"),
        }
    }
}

impl<'a> Shown<'a> {
    fn read(params: &'a Params, authorization: Option<&str>) -> Result<Self, TokenError> {
        let (id, secret) = (params.get("client_id"), params.get("client_secret"));
        let assertion = params.has("client_assertion") || params.has("client_assertion_type");
        let methods = [authorization.is_some(), secret.is_some(), assertion];
        if methods.into_iter().filter(|used| *used).count() > 1 {
            return Err(TokenError::InvalidRequest("use one method of client authentication"));
        }
        if assertion {
            return Err(TokenError::InvalidClient { basic: false });
        }
        match (authorization, id, secret) {
            (Some(header), id, _) => Self::read_basic(header, id),
            (None, Some(id), Some(secret)) => {
                Ok(Self::Secrets(vec![(Cow::Borrowed(id), Cow::Borrowed(secret))]))
            }
            (None, Some(id), None) => Ok(Self::Name(id)),
            (None, None, Some(_)) => Err(TokenError::InvalidRequest("client_id is missing")),
            (None, None, None) => Err(TokenError::InvalidClient { basic: false }),
        }
    }

    /// Name and secret are form-encoded before they are joined, says RFC 6749 section 2.3.1; many
    /// clients do not, so both readings are tried. A `client_id` in the body must say the same.
    fn read_basic(header: &str, id: Option<&str>) -> Result<Self, TokenError> {
        let invalid = || TokenError::InvalidClient { basic: true };
        if header.len() > HEADER_BYTES_MAX {
            return Err(invalid());
        }
        let (scheme, encoded) = header.split_once(' ').ok_or_else(invalid)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(invalid());
        }
        let bytes = STANDARD.decode(encoded.trim()).map_err(|_| invalid())?;
        let pair = String::from_utf8(bytes).map_err(|_| invalid())?;
        let (name, secret) = pair.split_once(':').ok_or_else(invalid)?;
        let mut spellings = Vec::with_capacity(1);
        if let (Some(name), Some(secret)) = (form_decoded(name), form_decoded(secret)) {
            spellings.push((Cow::Owned(name), Cow::Owned(secret)));
        }
        let raw = (Cow::Owned(name.to_owned()), Cow::Owned(secret.to_owned()));
        if !spellings.contains(&raw) {
            spellings.push(raw);
        }
        if let Some(id) = id {
            spellings.retain(|(name, _)| name == id);
            if spellings.is_empty() {
                return Err(TokenError::InvalidRequest("client_id names another client"));
            }
        }
        Ok(Self::Secrets(spellings))
    }
}

fn form_decoded(text: &str) -> Option<String> {
    percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    fn secrets<'a>(pairs: &[(&'a str, &'a str)]) -> Shown<'a> {
        Shown::Secrets(pairs.iter().map(|(a, b)| (Cow::Borrowed(*a), Cow::Borrowed(*b))).collect())
    }

    #[test]
    fn rfc6749_2_3_1_one_method_is_read() {
        let body = Params::from([("client_id", "app"), ("client_secret", "s")]);
        assert_eq!(Shown::read(&body, None).unwrap(), secrets(&[("app", "s")]));

        let name = Params::from([("client_id", "app")]);
        assert_eq!(Shown::read(&name, None).unwrap(), Shown::Name("app"));

        let header = basic("app:s");
        assert_eq!(
            Shown::read(&Params::default(), Some(&header)).unwrap(),
            secrets(&[("app", "s")])
        );
        let lower = header.replace("Basic", "bAsIc");
        assert_eq!(Shown::read(&name, Some(&lower)).unwrap(), secrets(&[("app", "s")]));
    }

    #[test]
    fn case_28_basic_may_be_form_encoded_or_not() {
        assert_eq!(
            Shown::read(&Params::default(), Some(&basic("a%2Db:p%25+q"))).unwrap(),
            secrets(&[("a-b", "p% q"), ("a%2Db", "p%25+q")])
        );
        assert_eq!(
            Shown::read(&Params::default(), Some(&basic("app:s:t"))).unwrap(),
            secrets(&[("app", "s:t")])
        );
    }

    #[test]
    fn case_28_two_methods_or_two_names_are_refused() {
        let header = basic("app:s");
        for body in [
            Params::from([("client_id", "app"), ("client_secret", "s")]),
            Params::from([("client_secret", "s")]),
            Params::from([("client_id", "other")]),
            Params::from([("client_assertion", "x")]),
        ] {
            let refused = Shown::read(&body, Some(&header)).unwrap_err();
            assert_eq!(refused.code(), "invalid_request", "{body:?}");
        }
        let lonely = Params::from([("client_secret", "s")]);
        assert_eq!(Shown::read(&lonely, None).unwrap_err().code(), "invalid_request");
    }

    #[test]
    fn case_28_headers_that_are_not_basic_are_refused() {
        for bad in ["", "Basic", "Basic %%%", "Bearer abc", "Basic YXBw", "Basic /w=="] {
            let refused = Shown::read(&Params::default(), Some(bad)).unwrap_err();
            assert!(matches!(refused, TokenError::InvalidClient { basic: true }), "{bad}");
        }
        let nobody = Shown::read(&Params::default(), None).unwrap_err();
        assert!(matches!(nobody, TokenError::InvalidClient { basic: false }));
        let assertion = Params::from([("client_id", "app"), ("client_assertion", "x")]);
        assert_eq!(Shown::read(&assertion, None).unwrap_err().code(), "invalid_client");
    }
}
