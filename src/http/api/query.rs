//! The query of a request: bounded, clean text.
//!
//! Parameters that an operation does not know are left alone, because the platform's clients send
//! some; those that it knows come at most once, except for lists.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode;

use crate::http::api::error::ApiError;

/// Most parameters of one request.
const PARAMS_MAX: usize = 128;
/// Longest name or value, in bytes.
const TEXT_BYTES_MAX: usize = 1024;
/// Most values of a parameter that is a list.
const LIST_MAX: usize = 100;

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http::api) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    /// Parses the text after the `?`.
    ///
    /// # Errors
    /// [`ApiError::BadQuery`] for what is not plain text in UTF-8, too long, or too much.
    pub(in crate::http::api) fn parse(text: &str) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() >= PARAMS_MAX {
                return Err(ApiError::BadQuery("there are too many parameters".into()));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The value called `name`, if there is one that is not empty.
    ///
    /// # Errors
    /// [`ApiError::BadQuery`] if there are two.
    pub(in crate::http::api) fn one<'q>(
        &'q self,
        name: &'q str,
    ) -> Result<Option<&'q str>, ApiError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
            (_, Some(_)) => Err(ApiError::BadQuery(format!("`{name}` is repeated").into())),
        }
    }

    /// Whether something is called `name`, be it empty.
    pub(in crate::http::api) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// All values called `name`, parsed. Empty ones count as absent.
    ///
    /// # Errors
    /// [`ApiError::BadQuery`] if one does not parse, or there are too many.
    pub(in crate::http::api) fn list<T: FromStr>(&self, name: &str) -> Result<Vec<T>, ApiError> {
        let texts = self.all(name).filter(|text| !text.is_empty());
        let values = texts
            .map(|text| text.parse().map_err(|_| bad(name)))
            .collect::<Result<Vec<T>, ApiError>>()?;
        if values.len() > LIST_MAX {
            return Err(ApiError::BadQuery(
                format!("there are too many values of `{name}`").into(),
            ));
        }
        Ok(values)
    }

    /// Whether `include` names `part`.
    pub(in crate::http::api) fn includes(&self, part: &str) -> bool {
        self.all("include").flat_map(|value| value.split(',')).any(|name| name == part)
    }

    /// The pairs whose names begin with `prefix`, without it.
    pub(in crate::http::api) fn below<'q>(
        &'q self,
        prefix: &'q str,
    ) -> impl Iterator<Item = (&'q str, &'q str)> {
        let pairs = self.0.iter();
        pairs.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    /// All pairs but those called `left_out`.
    pub(in crate::http::api) fn pairs_without<'q>(
        &'q self,
        left_out: &'q str,
    ) -> impl Iterator<Item = &'q (String, String)> {
        self.0.iter().filter(move |(name, _)| name != left_out)
    }

    fn all<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Says that a parameter has no sensible value.
pub(in crate::http::api) fn bad(name: &str) -> ApiError {
    ApiError::BadQuery(format!("`{name}` is invalid").into())
}

fn decode(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8().ok();
    decoded
        .filter(|text| text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control))
        .map(std::borrow::Cow::into_owned)
        .ok_or(ApiError::BadQuery("a parameter is too long, or not plain text in UTF-8".into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_parameters_come_once_and_unknown_ones_do_not_matter() {
        let query = Query::parse("a=1&b=x+y%2B&c=&d&&x=1&x=2&include=a,count&id=p&id=q").unwrap();

        assert_eq!(query.one("a").unwrap(), Some("1"));
        assert_eq!(query.one("b").unwrap(), Some("x y+"));
        assert_eq!(query.one("c").unwrap(), None);
        assert_eq!(query.one("d").unwrap(), None);
        assert!(query.one("x").is_err());
        assert!(query.includes("count") && !query.includes("co"));
        assert_eq!(query.list::<String>("id").unwrap(), ["p", "q"]);
        assert!(query.list::<u8>("id").is_err());
        assert!(Query::parse("a=1&a=").unwrap().one("a").is_err());
    }

    #[test]
    fn floods_and_bytes_that_are_not_text_are_refused() {
        for bad in ["a=%ff", "a=%00", "%0a=1", "a=%C3", "a=%1b[0m"] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
        assert!(Query::parse(&format!("a={}", "x".repeat(TEXT_BYTES_MAX + 1))).is_err());
        assert!(Query::parse(&"a=1&".repeat(PARAMS_MAX + 1)).is_err());
        let many = Query::parse(&"id=1&".repeat(LIST_MAX + 1)).unwrap();
        assert!(many.list::<String>("id").is_err());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused(text in "[ -~]{0,200}") {
            let _ = Query::parse(&text);
        }
    }
}
