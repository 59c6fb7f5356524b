//! Tokens as an attacker or a resource server handles them: taken apart and put together by hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// One part of a token (0: header, 1: claims) as JSON.
#[track_caller]
pub fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap_or_else(|| panic!("not a token: {token}"));
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

/// The claims of a token, unverified.
#[track_caller]
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a token, unverified.
#[track_caller]
pub fn header(token: &str) -> Value {
    part(token, 0)
}

/// The text of base64url.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token with another header and claims, under the signature of `token`.
pub fn forged(token: &str, header: &Value, claims: &Value) -> String {
    let signature = token.rsplit('.').next().unwrap_or_default();
    format!("{}.{}.{signature}", encode(header.to_string()), encode(claims.to_string()))
}
