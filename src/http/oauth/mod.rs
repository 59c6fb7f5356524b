//! The protocol over HTTP.

mod aliases;
mod answer;
mod authorize;
pub(in crate::http) mod form;
mod logout;
mod metadata;
mod par;
mod registration;
mod token;
mod userinfo;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::http::cors;
use crate::http::interaction;
use crate::http::language;
use crate::http::oauth::answer::method_not_allowed;
use crate::http::proof::METADATA_PATH;
use crate::server::Server;

/// What scripts of registered apps may do.
const CORS: cors::Rule = cors::Rule {
    methods: "GET, POST",
    headers: "authorization, content-type, dpop",
    expose: "www-authenticate, dpop-nonce",
};

/// All endpoints of the protocol.
pub fn routes(server: &Server) -> Router<Server> {
    let guard = from_fn_with_state((CORS, server.clone()), cors::guard);
    let for_scripts = aliases::for_scripts(Router::new())
        .route("/token", post(token::token).fallback(method_not_allowed))
        .route("/par", post(par::push).fallback(method_not_allowed))
        .route("/revoke", post(token::revoke).fallback(method_not_allowed))
        .route(
            "/userinfo",
            get(userinfo::handle).post(userinfo::handle).fallback(method_not_allowed),
        )
        .layer(guard);
    let for_people = aliases::for_people(Router::new())
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize/{grant}", get(authorize::resume))
        .route("/logout", get(logout::get).post(logout::post))
        .layer(from_fn_with_state(server.clone(), language::speak))
        .layer(from_fn_with_state(interaction::state(server), interaction::echo));
    let for_registration = Router::new()
        .route("/register", post(registration::register).fallback(method_not_allowed))
        .route(
            "/register/{client_id}",
            get(registration::get)
                .put(registration::put)
                .delete(registration::delete)
                .fallback(method_not_allowed),
        )
        .layer(from_fn_with_state(interaction::state(server), interaction::echo));
    Router::new()
        .route("/introspect", post(token::introspect).fallback(method_not_allowed))
        .route(
            "/bc-authorize",
            post(token::backchannel_authentication).fallback(method_not_allowed),
        )
        .route(
            "/device_authorization",
            post(token::device_authorization).fallback(method_not_allowed),
        )
        .route("/jwks", get(metadata::jwks).fallback(method_not_allowed))
        .route(
            "/.well-known/openid-configuration",
            get(metadata::openid).fallback(method_not_allowed),
        )
        .route(
            "/.well-known/authzen-configuration",
            get(metadata::decision_point).fallback(method_not_allowed),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata::oauth).fallback(method_not_allowed),
        )
        .route(METADATA_PATH, get(metadata::resource).fallback(method_not_allowed))
        .merge(for_people)
        .merge(for_registration)
        .merge(for_scripts)
}
