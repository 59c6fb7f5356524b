//! What a client presents of itself, taken apart but not believed.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::oauth::error::TokenError;
use crate::oauth::params::Params;

/// Longest `Authorization` header that is looked at, in bytes.
const HEADER_BYTES_MAX: usize = 4096;
/// The one kind of assertion. Source: RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a client presents. `Debug` shows no secrets.
#[derive(PartialEq, Eq)]
pub(in crate::oauth::client_auth) enum Shown<'a> {
    /// Only its name.
    Name(&'a str),
    /// Name and secret in the body.
    Post(&'a str, &'a str),
    /// Name and secret in the header, in the spellings that they may be meant in.
    Basic(Vec<(Cow<'a, str>, Cow<'a, str>)>),
    /// A signed statement of who it is, and the name beside it.
    Assertion(&'a str, Option<&'a str>),
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "Name({name:?})"),
            Self::Post(name, _) => write!(f, "Post({name:?}, ..)"),
            Self::Basic(_) => f.write_str("Basic(..)"),
            Self::Assertion(..) => f.write_str("Assertion(..)"),
        }
    }
}

impl<'a> Shown<'a> {
    /// Exactly one method is read. Source: RFC 6749 section 2.3.
    pub(in crate::oauth::client_auth) fn read(
        params: &'a Params,
        authorization: Option<&str>,
    ) -> Result<Self, TokenError> {
        let (id, secret) = (params.get("client_id"), params.get("client_secret"));
        let assertion = params.has("client_assertion") || params.has("client_assertion_type");
        let methods = [authorization.is_some(), secret.is_some(), assertion];
        if methods.into_iter().filter(|used| *used).count() > 1 {
            return Err(TokenError::InvalidRequest("use one method of client authentication"));
        }
        if assertion {
            let is_known = params.get("client_assertion_type") == Some(JWT_BEARER);
            let text = params.get("client_assertion").filter(|_| is_known);
            let text = text.ok_or(TokenError::InvalidClient { basic: false })?;
            return Ok(Self::Assertion(text, id));
        }
        match (authorization, id, secret) {
            (Some(header), id, _) => Self::read_basic(header, id),
            (None, Some(id), Some(secret)) => Ok(Self::Post(id, secret)),
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
        Ok(Self::Basic(spellings))
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

    fn spelled<'a>(pairs: &[(&'a str, &'a str)]) -> Shown<'a> {
        Shown::Basic(pairs.iter().map(|(a, b)| (Cow::Borrowed(*a), Cow::Borrowed(*b))).collect())
    }

    #[test]
    fn rfc6749_2_3_1_one_method_is_read() {
        let body = Params::from([("client_id", "app"), ("client_secret", "s")]);
        assert_eq!(Shown::read(&body, None).unwrap(), Shown::Post("app", "s"));

        let name = Params::from([("client_id", "app")]);
        assert_eq!(Shown::read(&name, None).unwrap(), Shown::Name("app"));

        let header = basic("app:s");
        assert_eq!(
            Shown::read(&Params::default(), Some(&header)).unwrap(),
            spelled(&[("app", "s")])
        );
        let lower = header.replace("Basic", "bAsIc");
        assert_eq!(Shown::read(&name, Some(&lower)).unwrap(), spelled(&[("app", "s")]));
    }

    #[test]
    fn case_28_basic_may_be_form_encoded_or_not() {
        assert_eq!(
            Shown::read(&Params::default(), Some(&basic("a%2Db:p%25+q"))).unwrap(),
            spelled(&[("a-b", "p% q"), ("a%2Db", "p%25+q")])
        );
        assert_eq!(
            Shown::read(&Params::default(), Some(&basic("app:s:t"))).unwrap(),
            spelled(&[("app", "s:t")])
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
        for kind in ["", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"] {
            let strange =
                Params::from([("client_assertion", "x"), ("client_assertion_type", kind)]);
            assert_eq!(Shown::read(&strange, None).unwrap_err().code(), "invalid_client", "{kind}");
        }
        let good = Params::from([("client_assertion", "x"), ("client_assertion_type", JWT_BEARER)]);
        assert_eq!(Shown::read(&good, None).unwrap(), Shown::Assertion("x", None));
    }
}
