//! The number under which an app or a browser and we both find one request again in our logs, and
//! in the record of who did what. Source: FAPI 1.0 Baseline section 6.2.1 point 11.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::clock::Clock;
use crate::base::id::uuid_v7_of;
use crate::db::cause::{self, Cause};
use crate::http::api::refused::Passage;
use crate::http::api::usage::metered;
use crate::http::client_ip::client_ip;
use crate::server::Server;

const HEADER: HeaderName = HeaderName::from_static("x-fapi-interaction-id");
/// The same of whoever asks the decision point. Source: AuthZEN Authorization API 1.0.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes numbers of our own. Cheap to clone.
///
/// They have to be unlike each other, no more: the system's generator costs more than all else about
/// them. So they are hashes of a count, which nobody without the key reads off them.
#[derive(Clone, Debug)]
pub(in crate::http) struct Numbers {
    clock: Arc<dyn Clock>,
    key: RandomState,
    count: Arc<AtomicU64>,
}

impl Numbers {
    /// Those of this process.
    fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { clock: Arc::clone(clock), key: RandomState::new(), count: Arc::default() }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let [high, low] = [0_u8, 1].map(|half| u128::from(self.key.hash_one((half, count))));
        uuid_v7_of(self.clock.now(), high << 64 | low)
    }
}

/// What [`echo`] needs.
pub(in crate::http) fn state(server: &Server) -> (Server, Numbers) {
    (server.clone(), Numbers::new(&server.ctx.clock))
}

/// The middleware: gives back what the app sent, if it is a UUID, or else one of our own. What the
/// request does is done under that number, and is counted.
pub(in crate::http) async fn echo(
    State((server, numbers)): State<(Server, Numbers)>,
    mut request: Request,
    next: Next,
) -> Response {
    let sent = request.headers().get(HEADER).filter(|id| is_uuid(id)).cloned();
    let id = sent.or_else(|| {
        let made = HeaderValue::try_from(numbers.next()).ok()?;
        request.headers_mut().insert(HEADER, made.clone());
        Some(made)
    });
    let trusted = &server.config.trusted_proxies;
    let ip = client_ip(request.headers(), request.extensions(), trusted);
    let cause = number(request.headers()).map(|number| Cause::new(ip, number));
    let asked = request.headers().get(REQUEST_ID).cloned();
    let passage = Passage::default();
    request.extensions_mut().insert(passage.clone());
    let mut response = cause::within(cause, metered(next.run(request))).await;
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
    use std::collections::HashSet;

    use super::*;
    use crate::base::clock::SystemClock;

    #[test]
    fn rfc9562_5_7_numbers_of_our_own_are_uuids_and_differ() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (one, other) = (Numbers::new(&clock), Numbers::new(&clock));

        let made: HashSet<String> = (0..500).flat_map(|_| [one.next(), other.next()]).collect();

        assert_eq!(made.len(), 1_000);
        for id in made {
            assert!(is_uuid(&HeaderValue::try_from(&id).unwrap()), "{id}");
            assert_eq!(id.as_bytes()[14], b'7', "{id}");
            assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
        }
    }

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
