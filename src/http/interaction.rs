//! The number under which an app or a browser and we both find one request again in our logs, and
//! in the record of who did what. Source: FAPI 1.0 Baseline section 6.2.1 point 11.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::id::uuid_v7;
use crate::db::cause::{self, Cause};
use crate::http::api::refused::Passage;
use crate::http::client_ip::client_ip;
use crate::server::Server;

const HEADER: HeaderName = HeaderName::from_static("x-fapi-interaction-id");
/// The same of whoever asks the decision point. Source: AuthZEN Authorization API 1.0.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware: gives back what the app sent, if it is a UUID, or else one of our own. What the
/// request does is done under that number.
pub(in crate::http) async fn echo(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    let sent = request.headers().get(HEADER).filter(|id| is_uuid(id)).cloned();
    let id = sent.or_else(|| {
        let made = HeaderValue::from_str(&uuid_v7(server.ctx.now(), server.ctx.entropy())).ok()?;
        request.headers_mut().insert(HEADER, made.clone());
        Some(made)
    });
    let trusted = &server.config.trusted_proxies;
    let ip = client_ip(request.headers(), request.extensions(), trusted);
    let cause = number(request.headers()).map(|number| Cause::new(ip, number));
    let asked = request.headers().get(REQUEST_ID).cloned();
    let passage = Passage::default();
    request.extensions_mut().insert(passage.clone());
    let mut response = cause::within(cause, next.run(request)).await;
    passage.note(&server, &response);
    if let Some(asked) = asked {
        response.headers_mut().insert(REQUEST_ID, asked);
    }
    if let Some(id) = id {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

/// The number of the request that has passed [`echo`].
pub(in crate::http) fn number(headers: &HeaderMap) -> Option<&str> {
    headers.get(HEADER)?.to_str().ok()
}

/// Whether it is a UUID in its usual spelling. Source: RFC 9562 section 4.
fn is_uuid(value: &HeaderValue) -> bool {
    let text = value.as_bytes();
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_given_back() {
        let is = |text: &'static str| is_uuid(&HeaderValue::from_static(text));

        assert!(is("c770aef3-6784-41f7-8e0e-ff5f97bddb3a"));
        assert!(is("cD979616-f950-4109-9EaD-1fD2dA97b202"));
        for bent in [
            "",
            "1",
            "c770aef3-6784-41f7-8e0e-ff5f97bddb3",
            "c770aef3-6784-41f7-8e0e-ff5f97bddb3a0",
            "c770aef3_6784-41f7-8e0e-ff5f97bddb3a",
            "c770aef3-6784-41f7-8e0e-ff5f97bddb3g",
        ] {
            assert!(!is(bent), "{bent}");
        }
    }
}
