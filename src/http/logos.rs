//! The pictures of apps, from here and from nowhere else.
//!
//! Their bytes were checked when they came, and a browser that thinks otherwise runs nothing of
//! them: no type but the one that is said, no script, no request, even when opened by itself.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, StatusCode};

use crate::apps::model::App;
use crate::base::id::AppId;
use crate::config::model::Issuer;
use crate::http::pages::broken;
use crate::server::Server;

const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
/// A picture has a name of its own, so nobody has to ask for it twice.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Where they are.
pub fn routes() -> Router<Server> {
    Router::new().route("/logos/{app}/{name}", get(show))
}

/// The path of an app's own picture; `None` if it has none here.
pub fn path_of(app: &App, issuer: &Issuer) -> Option<String> {
    let path = app.icon_url.as_deref()?.strip_prefix(issuer.as_str())?;
    let name = path.strip_prefix(&format!("/logos/{}/", app.id))?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| path.to_owned())
}

async fn show(State(server): State<Server>, Path((app, name)): Path<(String, String)>) -> Response {
    let Ok(app) = app.parse::<AppId>() else { return StatusCode::NOT_FOUND.into_response() };
    match server.apps.logo(&app, &name).await {
        Ok(Some(logo)) => {
            let resource = HeaderName::from_static("cross-origin-resource-policy");
            let headers = [
                (CONTENT_TYPE, logo.media_type.as_str()),
                (CONTENT_SECURITY_POLICY, POLICY),
                (CACHE_CONTROL, FOREVER),
                (resource, "cross-origin"),
            ];
            (StatusCode::OK, headers, logo.image).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(&error),
    }
}
