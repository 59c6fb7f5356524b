//! The files that pages need: one stylesheet, one logo, a few scripts.
//!
//! They are part of the binary. Pages name them with a fingerprint, so that browsers keep them
//! until a new build has new ones.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::base::secret::Digest;
use crate::server::Server;

/// A file.
#[derive(Debug)]
pub struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    fingerprint: LazyLock<String>,
}

/// `static/style.css`
pub static STYLE: Asset = Asset {
    path: "/assets/style.css",
    kind: "text/css; charset=utf-8",
    bytes: include_bytes!("../../static/style.css"),
    fingerprint: LazyLock::new(|| fingerprint(STYLE.bytes)),
};

/// `static/logo.svg`
pub static LOGO: Asset = Asset {
    path: "/assets/logo.svg",
    kind: "image/svg+xml",
    bytes: include_bytes!("../../static/logo.svg"),
    fingerprint: LazyLock::new(|| fingerprint(LOGO.bytes)),
};

/// `static/form_post.js`: sends the form of an authorization response.
pub static FORM_POST: Asset = Asset {
    path: "/assets/form_post.js",
    kind: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../static/form_post.js"),
    fingerprint: LazyLock::new(|| fingerprint(FORM_POST.bytes)),
};

/// `static/check_session.js`: answers apps that ask whether a session goes on.
pub static CHECK_SESSION: Asset = Asset {
    path: "/assets/check_session.js",
    kind: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../static/check_session.js"),
    fingerprint: LazyLock::new(|| fingerprint(CHECK_SESSION.bytes)),
};

/// `static/passkeys.js`: asks the browser for a passkey or a security key.
pub static PASSKEYS: Asset = Asset {
    path: "/assets/passkeys.js",
    kind: "text/javascript; charset=utf-8",
    bytes: include_bytes!("../../static/passkeys.js"),
    fingerprint: LazyLock::new(|| fingerprint(PASSKEYS.bytes)),
};

fn fingerprint(bytes: &[u8]) -> String {
    let digest = Digest::of(bytes).0;
    digest.iter().take(6).fold("v=".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

impl Asset {
    /// Where pages find it.
    pub fn href(&self) -> String {
        format!("{}?{}", self.path, *self.fingerprint)
    }

    /// The path alone.
    pub fn path(&self) -> &'static str {
        self.path
    }

    fn answer(&self, query: Option<&str>) -> Response {
        let is_current = query == Some(self.fingerprint.as_str());
        let cache = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
        ([(CONTENT_TYPE, self.kind), (CACHE_CONTROL, cache)], self.bytes).into_response()
    }
}

/// The files' routes.
pub fn routes() -> Router<Server> {
    let serve = |asset: &'static Asset| {
        get(move |RawQuery(query): RawQuery| async move { asset.answer(query.as_deref()) })
    };
    Router::new()
        .route(STYLE.path, serve(&STYLE))
        .route(LOGO.path, serve(&LOGO))
        .route(FORM_POST.path, serve(&FORM_POST))
        .route(CHECK_SESSION.path, serve(&CHECK_SESSION))
        .route(PASSKEYS.path, serve(&PASSKEYS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_only_under_its_fingerprint() {
        let cache = |query: Option<&str>| STYLE.answer(query).headers()[CACHE_CONTROL].clone();
        let href = STYLE.href();
        let query = href.split_once('?').unwrap().1;

        assert_eq!(cache(Some(query)), "public, max-age=31536000, immutable");
        assert_eq!(cache(Some("v=000000000000")), "no-cache");
        assert_eq!(cache(None), "no-cache");
        assert_ne!(STYLE.href(), LOGO.href());
    }
}
