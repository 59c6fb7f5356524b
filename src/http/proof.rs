//! What a request shows of the keys that its sender holds.

use axum::response::Response;
use http::{HeaderMap, HeaderValue};

use crate::oauth::possession::ProofField;

/// The header field `DPoP`. Source: RFC 9449 section 4.1.
const DPOP: &str = "dpop";
/// The header field `DPoP-Nonce`. Source: RFC 9449 section 8.
const DPOP_NONCE: &str = "dpop-nonce";

/// The proof of a request.
pub(in crate::http) fn proof(headers: &HeaderMap) -> ProofField<'_> {
    let mut fields = headers.get_all(DPOP).iter();
    match (fields.next(), fields.next()) {
        (None, _) => ProofField::Absent,
        (Some(one), None) => one.to_str().map_or(ProofField::Malformed, ProofField::Once),
        (Some(_), Some(_)) => ProofField::Malformed,
    }
}

/// Gives the client the nonce for its next proof.
pub(in crate::http) fn set_nonce(response: &mut Response, nonce: &str) {
    if let Ok(nonce) = HeaderValue::from_str(nonce) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}
