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
use crate::upstream::model::Provider;

/// A provider where people may sign in.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MethodView {
    #[serde(rename = "type")]
    kind: &'static str,
    account: String,
    account_name: String,
}

/// `GET /auth/v1/api/login-methods`: where people may sign in beside here: members of the app's
/// account, or, if no app is named, whoever has an address of the login's domain.
///
/// The answer does not depend on whether there is such a user: only on the part of the address that
/// everybody knows.
pub(in crate::http::api::direct) async fn list(
    State(server): State<Server>,
    query: Query,
) -> Result<Response, Refused> {
    let login = query.one("login")?.unwrap_or_default();
    let domain = login.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
    let accounts = match query.one("clientId")? {
        Some(client) => {
            let app = trusted(&server.oauth, client).await?;
            let providers =
                server.providers.of(Some(&app.account)).await.map_err(ApiError::from)?;
            let fits = |domains: &[String]| domains.is_empty() || domains.contains(&domain);
            let offers = |one: &Provider| one.enabled && fits(&one.settings.email_domains);
            if providers.iter().any(offers) { vec![app.account.clone()] } else { Vec::new() }
        }
        None => server.providers.accounts_for(&domain).await.map_err(ApiError::from)?,
    };
    let mut methods = Vec::with_capacity(accounts.len());
    for account in accounts {
        let found = server.accounts.find(&account).await.map_err(ApiError::from)?;
        let Some(found) = found.filter(|found| !found.is_over(server.ctx.now())) else { continue };
        let (account, account_name) = (account.to_string(), found.name.clone());
        methods.push(MethodView { kind: "OIDC", account, account_name });
    }
    Ok(answer(StatusCode::OK, methods))
}
