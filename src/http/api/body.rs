//! Bodies of requests: JSON, bounded, and nothing in it but what is asked for.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
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
    serde_json::from_slice(bytes).map_err(|error| {
        let text: String = error.to_string().chars().take(FAULT_CHARS_MAX).collect();
        ApiError::BadBody(text.into())
    })
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
    fn a_body_that_is_not_what_was_asked_for_is_refused_in_few_words() {
        let long = format!("{{\"{}\":1}}", "x".repeat(100_000));
        for bad in [
            &b""[..],
            b"{",
            b"null",
            b"[]",
            b"{\"name\":1}",
            b"{\"name\":\"a\",\"name\":\"b\"}",
            b"{\"name\":\"a\",\"admin\":true}",
            b"{\"name\":\"\xff\"}",
            b"{\"name\":\"a\0\"}",
            b"{\"name\":\"a\"} trailing",
            "[".repeat(100_000).as_bytes(),
            long.as_bytes(),
        ] {
            let Err(ApiError::BadBody(text)) = parse::<Sample>(bad) else { panic!("{bad:?}") };
            assert!(text.chars().count() <= FAULT_CHARS_MAX);
        }
    }
}
