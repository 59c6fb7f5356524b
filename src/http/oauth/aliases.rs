//! The URLs that the platform's clients have built in, beside our own: the same handlers, the same
//! issuer. What is published is our own.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};

use crate::http::oauth::answer::method_not_allowed;
use crate::http::oauth::form::AppForm;
use crate::http::oauth::{authorize, token};
use crate::server::Server;

/// Of the command-line tool, of app-tools, of the mobile SDK.
const AUTHORIZE: [&str; 3] = ["/v1/oauth/authorize", "/oauth2/authorize", "/oidc-provider/auth"];
const TOKEN: [&str; 3] = ["/v1/oauth/token", "/oauth2/token", "/oidc-provider/token"];
const REVOKE: &str = "/oidc-provider/token/revocation";

/// Where apps ask.
pub(in crate::http::oauth) fn for_scripts(router: Router<Server>) -> Router<Server> {
    let revoke = |server: State<Server>, form: AppForm| token::revoke_at(REVOKE, server, form);
    let router = router.route(REVOKE, post(revoke).fallback(method_not_allowed));
    TOKEN.into_iter().fold(router, |router, path| {
        let token = move |server: State<Server>, form: AppForm| token::token_at(path, server, form);
        router.route(path, post(token).fallback(method_not_allowed))
    })
}

/// Where browsers are sent.
pub(in crate::http::oauth) fn for_people(router: Router<Server>) -> Router<Server> {
    AUTHORIZE
        .into_iter()
        .fold(router, |router, path| router.route(path, get(authorize::get).post(authorize::post)))
}
