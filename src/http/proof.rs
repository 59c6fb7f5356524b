//! What a request shows of the keys that its sender holds.

use axum::response::Response;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};

use crate::config::model::Issuer;
use crate::keys::algorithm::Algorithm;
use crate::oauth::possession::{ProofFault, ProofField};

/// Where the resource API describes itself. Source: RFC 9728 section 3.
pub(in crate::http) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";
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

/// What a proof may be signed with. Source: RFC 9449 section 7.1.
fn algorithms() -> String {
    Algorithm::ALL.map(Algorithm::as_str).join(" ")
}

/// Says what a bound token needs, and gives the nonce that is asked for.
pub(in crate::http) fn challenge(response: &mut Response, fault: &ProofFault) {
    let code = fault.code();
    let challenge = match fault {
        ProofFault::Certificate => {
            format!("Bearer realm=\"narthex\", error=\"{code}\", error_description=\"{fault}\"")
        }
        _ => format!(
            "DPoP realm=\"narthex\", error=\"{code}\", error_description=\"{fault}\", algs=\"{}\"",
            algorithms()
        ),
    };
    if let Ok(challenge) = HeaderValue::try_from(challenge) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let ProofFault::Nonce(nonce) = fault {
        set_nonce(response, nonce);
    }
}

/// A challenge that says nothing of an error: there was no token.
const BARE: &str = "Bearer realm=\"narthex\"";

/// Says where the resource describes itself, and, to those who came without a token, that a bound
/// one will do. Source: RFC 9728 section 5.1, RFC 9449 section 7.1.
pub(in crate::http) fn name_resource(response: &mut Response, issuer: &Issuer) {
    let headers = response.headers_mut();
    let Some(told) = headers.get(WWW_AUTHENTICATE).and_then(|told| told.to_str().ok()) else {
        return;
    };
    let is_bare = told == BARE;
    let named = format!("{told}, resource_metadata=\"{}\"", issuer.url(METADATA_PATH));
    if let Ok(named) = HeaderValue::try_from(named) {
        headers.insert(WWW_AUTHENTICATE, named);
    }
    let bound = format!("DPoP realm=\"narthex\", algs=\"{}\"", algorithms());
    if let (true, Ok(bound)) = (is_bare, HeaderValue::try_from(bound)) {
        headers.append(WWW_AUTHENTICATE, bound);
    }
}
