//! Bodies of requests: JSON, bounded, and nothing in it but what is asked for.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::http::api::error::ApiError;
use crate::server::Server;

/// Largest body, in bytes.
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Longest text about what is wrong with a body, in characters.
const FAULT_CHARS_MAX: usize = 200;

/// The body of a request. Comes last in a handler, so that nobody is heard before the gate.
pub(in crate::http::api) struct Body<T>(pub(in crate::http::api) T);

/// A text in a body that changes something: what is left out stays, `null` goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::http::api) enum Given {
    /// It is left out.
    #[default]
    Absent,
    /// It is `null`.
    Null,
    /// It is there.
    Text(String),
}

impl Given {
    /// The change that it asks for, if it is there.
    #[expect(clippy::option_option, reason = "`null` says something else than nothing")]
    pub(in crate::http::api) fn change(self) -> Option<Option<String>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Text(text) => Some(Some(text)),
        }
    }

    /// What becomes of what is there now.
    pub(in crate::http::api) fn or(self, now: Option<&String>) -> Option<String> {
        match self {
            Self::Absent => now.cloned(),
            Self::Null => None,
            Self::Text(text) => Some(text),
        }
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|text| text.map_or(Self::Null, Self::Text))
    }
}

/// A struct from an object alone: serde takes an array for one, too, member by position, which
/// would get past the check of names.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// A member that is an object (`deserialize_with`).
///
/// # Errors
/// Whatever else it is.
pub(in crate::http::api) fn object<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Object::deserialize(deserializer).map(|Object(found)| found)
}

/// A member that is a list of objects (`deserialize_with`).
///
/// # Errors
/// Whatever else it is.
pub(in crate::http::api) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let found = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(found.into_iter().map(|Object(found)| found).collect())
}

impl<T: DeserializeOwned> FromRequest<Server> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Server) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(ApiError::UnsupportedMediaType);
        }
        parse(&whole(body).await?).map(Self)
    }
}

/// The body of a request, whatever it is.
pub(in crate::http::api) struct Raw(pub(in crate::http::api) Bytes);

impl FromRequest<Server> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Server) -> Result<Self, ApiError> {
        whole(request.into_body()).await.map(Self)
    }
}

async fn whole(body: axum::body::Body) -> Result<Bytes, ApiError> {
    let read = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ApiError::TooLarge
        } else {
            ApiError::BadBody("the body could not be read".into())
        }
    })?;
    Ok(read.to_bytes())
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if has_nul(bytes) {
        return Err(ApiError::BadBody("a text holds the character U+0000".into()));
    }
    match serde_json::from_slice(bytes) {
        Ok(Object(found)) => Ok(found),
        Err(error) => Err(ApiError::BadBody(plain(&error.to_string()).into())),
    }
}

/// What serde says, in words of whoever wrote the body.
fn plain(fault: &str) -> String {
    let mut text: String = fault.chars().take(FAULT_CHARS_MAX).collect();
    for ours in ["i64", "u64", "u32", "u16", "u8"] {
        text = text.replace(&format!("expected {ours}"), "expected a whole number");
    }
    text
}

/// Whether a text in this JSON holds U+0000, which JSON knows, and databases do not.
fn has_nul(json: &[u8]) -> bool {
    const NUL: &[u8] = b"\\u0000";
    let is_begun = |at: usize| {
        // Behind another backslash it is that one's: two stand for one that begins nothing.
        let before = json.get(..at).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
    };
    json.windows(NUL.len()).enumerate().any(|(at, found)| found == NUL && is_begun(at))
}

/// `application/json`, whatever its parameters, or a type with the suffix `+json` (RFC 6839).
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only its shape matters")]
        name: String,
        #[expect(dead_code, reason = "only its shape matters")]
        #[serde(default)]
        days: u32,
    }

    #[derive(Debug, Deserialize)]
    struct Holder {
        #[expect(dead_code, reason = "only its shape matters")]
        #[serde(deserialize_with = "object")]
        one: Sample,
        #[expect(dead_code, reason = "only its shape matters")]
        #[serde(deserialize_with = "objects")]
        all: Vec<Sample>,
    }

    #[test]
    fn an_array_is_no_object() {
        let fault = |bytes: &[u8]| match parse::<Holder>(bytes) {
            Err(ApiError::BadBody(text)) => text.into_owned(),
            other => panic!("{other:?}"),
        };

        assert!(parse::<Holder>(br#"{"one": {"name": "a"}, "all": [{"name": "b"}]}"#).is_ok());
        for bad in [
            &br#"[{"name": "a"}, []]"#[..],
            br#"{"one": ["a", 1], "all": []}"#,
            br#"{"one": {"name": "a"}, "all": [["b", 1]]}"#,
        ] {
            let text = fault(bad);
            assert!(text.starts_with("invalid type: sequence, expected an object"), "{text}");
        }
        let text = fault(br#"{"one": {"name": "a", "days": -1}, "all": []}"#);
        assert!(text.contains("expected a whole number"), "{text}");
    }

    #[test]
    fn only_json_is_read() {
        let is = |text: &'static str| {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static(text))];
            is_json(&headers.into_iter().collect())
        };

        for good in ["application/json", "Application/JSON; charset=utf-8", "application/x+json"] {
            assert!(is(good), "{good}");
        }
        for bad in ["", "text/plain", "text/json", "application/x-www-form-urlencoded", "json"] {
            assert!(!is(bad), "{bad}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }

    #[test]
    fn a_backslash_before_letters_is_no_nul() {
        for good in [r#"{"name":"\\u0000"}"#, r#"{"name":"\\\\u0000"}"#, r#"{"name":"u0000"}"#] {
            assert!(parse::<Sample>(good.as_bytes()).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_body_that_is_not_what_was_asked_for_is_refused_in_few_words() {
        let long = format!("{{\"{}\":1}}", "x".repeat(100_000));
        for bad in [
            &b""[..],
            b"{",
            b"null",
            b"[]",
            b"[\"a\", 1]",
            b"{\"name\":1}",
            b"{\"name\":\"a\",\"name\":\"b\"}",
            b"{\"name\":\"a\",\"admin\":true}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"a\0\"}",
            b"{\"name\":\"a\\u0000\"}",
            b"{\"name\":\"\\\\\\u0000\"}",
            b"{\"name\":\"a\\ud800\"}",
            b"{\"name\":\"a\"} trailing",
            "[".repeat(100_000).as_bytes(),
            long.as_bytes(),
        ] {
            let Err(ApiError::BadBody(text)) = parse::<Sample>(bad) else { panic!("{bad:?}") };
            assert!(text.chars().count() <= FAULT_CHARS_MAX);
        }
    }
}
