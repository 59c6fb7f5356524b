//! The parameters of a request: each at most once, bounded, clean text. Only what names the
//! targets of a token may come more often.
//!
//! Queries and form bodies have the same grammar (RFC 6749 appendix B), so this one parser reads
//! them all. It knows nothing of what the parameters mean.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode;

/// Most parameters of one request.
pub const PARAMS_MAX: usize = 48;
/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// Longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 16 * 1024;
/// What may come more than once. Source: RFC 8707 section 2, RFC 8693 section 2.1.
const REPEATABLE: [&str; 2] = ["resource", "audience"];

/// The parameters of one request. `Debug` shows names only: values may be secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Why a query or form body is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadParams {
    /// One name twice. Source: RFC 6749 section 3.1.
    #[error("a parameter is repeated")]
    Repeated,
    /// More than [`PARAMS_MAX`].
    #[error("there are too many parameters")]
    TooMany,
    /// A name or value beyond its limit.
    #[error("a parameter is too long")]
    TooLong,
    /// Not UTF-8, or with control characters such as NUL.
    #[error("a parameter is not plain text in UTF-8")]
    NotText,
}

impl BadParams {
    /// What to tell the client.
    pub fn description(self) -> &'static str {
        match self {
            Self::Repeated => "a parameter is repeated",
            Self::TooMany => "there are too many parameters",
            Self::TooLong => "a parameter is too long",
            Self::NotText => "a parameter is not plain text in UTF-8",
        }
    }
}

impl Params {
    /// Parses `application/x-www-form-urlencoded` text. Empty values count as absent.
    ///
    /// # Errors
    /// The first rule of [`BadParams`] that the text breaks. Source: RFC 6749 section 3.1.
    pub fn parse(text: &[u8]) -> Result<Self, BadParams> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if pairs.len() >= PARAMS_MAX {
                return Err(BadParams::TooMany);
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default(), NAME_BYTES_MAX)?;
            let value = decode(halves.next().unwrap_or_default(), VALUE_BYTES_MAX)?;
            let repeated = pairs.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&name.as_str()) {
                return Err(BadParams::Repeated);
            }
            pairs.push((name, value));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    /// Parameters that did not come as a form, under the same limits.
    ///
    /// # Errors
    /// As [`Params::parse`].
    pub fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, BadParams> {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            if kept.len() >= PARAMS_MAX {
                return Err(BadParams::TooMany);
            }
            if name.len() > NAME_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
                return Err(BadParams::TooLong);
            }
            if name.chars().chain(value.chars()).any(char::is_control) {
                return Err(BadParams::NotText);
            }
            let repeated = kept.iter().any(|(known, _)| *known == name);
            if repeated && !REPEATABLE.contains(&name.as_str()) {
                return Err(BadParams::Repeated);
            }
            kept.push((name, value));
        }
        kept.retain(|(_, value)| !value.is_empty());
        Ok(Self(kept))
    }

    /// The value called `name`, if there is one that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values called `name`, for a name that may come more than once.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether there is a value called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// All pairs, in their order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Params {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

fn decode(text: &[u8], bytes_max: usize) -> Result<String, BadParams> {
    if text.len() > bytes_max.saturating_mul(3) {
        return Err(BadParams::TooLong);
    }
    let spaced: Cow<'_, [u8]> = if text.contains(&b'+') {
        Cow::Owned(text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect())
    } else {
        Cow::Borrowed(text)
    };
    let decoded = percent_decode(&spaced).decode_utf8().map_err(|_| BadParams::NotText)?;
    if decoded.len() > bytes_max {
        return Err(BadParams::TooLong);
    }
    if decoded.chars().any(char::is_control) {
        return Err(BadParams::NotText);
    }
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc6749_3_1_a_parameter_comes_once_and_empty_counts_as_absent() {
        let params = Params::parse(b"a=1&b=x+y%2Bz&c=&d&&e=%C3%A4").unwrap();

        assert_eq!(params.get("a"), Some("1"));
        assert_eq!(params.get("b"), Some("x y+z"));
        assert_eq!(params.get("e"), Some("ä"));
        assert!(!params.has("c") && !params.has("d"));
        assert_eq!(Params::parse(b"a=1&a=1"), Err(BadParams::Repeated));
        assert_eq!(Params::parse(b"a=&a=1"), Err(BadParams::Repeated));
        assert_eq!(Params::parse(b"%61=1&a=2"), Err(BadParams::Repeated));
    }

    #[test]
    fn rfc8707_2_a_resource_may_come_more_than_once() {
        let params = Params::parse(b"resource=a&resource=b&resource=&x=1").unwrap();

        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(params.all("audience").count(), 0);
    }

    #[test]
    fn bytes_that_are_not_text_and_floods_are_refused() {
        for bad in [&b"a=%ff"[..], b"a=\xff", b"a=%00", b"a=1%0d%0a", b"%00=1"] {
            assert_eq!(Params::parse(bad), Err(BadParams::NotText), "{bad:?}");
        }
        let long = format!("a={}", "x".repeat(VALUE_BYTES_MAX + 1));
        assert_eq!(Params::parse(long.as_bytes()), Err(BadParams::TooLong));
        let many: Vec<String> = (0..=PARAMS_MAX).map(|n| format!("p{n}=1")).collect();
        let many = many.join("&");
        assert_eq!(Params::parse(many.as_bytes()), Err(BadParams::TooMany));
    }

    #[test]
    fn debug_output_shows_no_values() {
        let params = Params::from([("client_secret", "s3cret")]);

        assert_eq!(format!("{params:?}"), r#"["client_secret"]"#);
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Params::parse(&bytes);
        }

        #[test]
        fn what_was_encoded_comes_back(
            pairs in proptest::collection::btree_map("[a-z_]{1,12}", "[ -~äß€]{1,40}", 0..10),
        ) {
            let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
            let params = Params::parse(text.as_bytes()).unwrap();
            for (name, value) in &pairs {
                prop_assert_eq!(params.get(name), Some(value.as_str()));
            }
            prop_assert_eq!(params.pairs().count(), pairs.len());
        }
    }
}
