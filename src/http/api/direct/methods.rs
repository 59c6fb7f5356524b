//! `GET /auth/v1/api/login-methods`.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::http::api::direct::Refused;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::query::Query;
use crate::oauth::direct::trusted;
use crate::server::Server;

/// A provider where people may sign in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodView {
    #[serde(rename = "type")]
    kind: &'static str,
    account: String,
    account_name: String,
}

/// `GET /auth/v1/api/login-methods`: where members of the app's account may sign in beside here.
///
/// The answer does not depend on whether there is such a user: only on the part of the address that
/// everybody knows. A client that does not say which app it is learns nothing.
pub(in crate::http::api::direct) async fn list(
    State(server): State<Server>,
    query: Query,
) -> Result<Response, Refused> {
    let login = query.one("login")?.unwrap_or_default();
    let Some(client) = query.one("clientId")? else {
        return Ok(answer(StatusCode::OK, Vec::<MethodView>::new()));
    };
    let app = trusted(&server.oauth, client).await?;
    let domain = login.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
    let providers = server.providers.of(Some(&app.account)).await.map_err(ApiError::from)?;
    let account = server.accounts.find(&app.account).await.map_err(ApiError::from)?;
    let name = account.map_or_else(String::new, |account| account.name.clone());
    let fits = |domains: &[String]| domains.is_empty() || domains.contains(&domain);
    let offered = providers.iter().filter(|one| one.enabled && fits(&one.settings.email_domains));
    let methods: Vec<MethodView> = offered
        .take(1)
        .map(|_| MethodView {
            kind: "OIDC",
            account: app.account.to_string(),
            account_name: name.clone(),
        })
        .collect();
    Ok(answer(StatusCode::OK, methods))
}
