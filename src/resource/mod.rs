//! For services in Rust: a layer that lets only those requests through which Narthex would.
//!
//! It checks access tokens by the published keys (RFC 9068 section 4) and asks the decision point
//! (AuthZEN Authorization API 1.0) about each request, so that a service holds no policies of its
//! own. It works wherever `tower` does: in axum as `Router::layer`.
//!
//! ```text
//! let settings = Settings::new("https://id.example", "https://files.example", "acme".parse()?);
//! let guard = Guard::new(&settings, &Outbound::default(), Arc::new(SystemClock))?
//!     .asking("files-service".parse()?, secret);
//! let layer = guard.layer(|parts: &Parts| match (parts.method.as_str(), parts.uri.path()) {
//!     ("GET", path) => Some(Need::scope("files.read").and(Ask::new("readData", "file", path))),
//!     _ => None,
//! });
//! let app = Router::new().route("/{*file}", get(download)).layer(layer);
//! ```
//!
//! - What the rule has no answer for is refused: a route that was forgotten is closed.
//! - A handler finds who it is in the request's extensions, as [`token::Verified`].
//! - `LifeOmic-Account` must name the account of the service; `LifeOmic-User` is written anew, and
//!   `LifeOmic-Policy` taken away: nothing of these comes from outside.
//! - Keys are fetched when they are needed, held for a quarter of an hour, and fetched again for a
//!   name that is not among them, but not more often than once a minute.
//! - Tokens that are bound to a key are refused: who holds the key cannot be told from here. A
//!   service that takes those stands behind a proxy that asks `/gateway/…`.
//! - A token that was revoked is good here until it ends, as with every check by keys alone; whether
//!   its user is still there, and may, the decision point says each time.
//! - Whatever cannot be found out is a refusal: 503, and the request goes nowhere.

mod ask;
pub mod layer;
mod token_checks;

pub mod token;
