//! `/v1/api-keys`: one's own keys in an account.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::apis::service::{Catalogue, scope_of};
use crate::base::id::ApiKeyId;
use crate::base::scope::Scope;
use crate::base::secret::Secret;
use crate::gate::routes::scopes;
use crate::http::api::body::Body;
use crate::http::api::error::{ApiError, answer, date, no_content};
use crate::http::api::guard::{Id, Permitted};
use crate::http::api::paging::Paging;
use crate::http::api::query::Query;
use crate::policy::privilege::ApiKeyUser;
use crate::programs::model::{ApiKey, NewKey, ProgramError};
use crate::server::Server;

/// What no key opens: making more of them, or other ways in, that would outlive it. Apps are among
/// them: each has secrets, and whoever lets one in lets in what it holds.
/// Nor what users gave apps: that is theirs in all accounts, and a key is for one.
const NEVER: [&str; 7] = [
    "apiKey.write",
    "serviceAccount.write",
    "client-token.write",
    "app.write",
    "review.write",
    "consent.read",
    "consent.write",
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct KeyView {
    id: String,
    name: String,
    account: String,
    user: String,
    scopes: Vec<String>,
    created_timestamp: String,
    expiration_timestamp: String,
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name,
            account: key.account.to_string(),
            user: key.user.to_string(),
            scopes: key.scope.tokens().map(str::to_owned).collect(),
            created_timestamp: date(key.created_at),
            expiration_timestamp: date(key.expires_at),
            api_key: None,
        }
    }
}

impl KeyView {
    /// The one time that the text of a key is shown.
    pub(in crate::http::api) fn made((key, text): (ApiKey, Secret)) -> Self {
        Self { api_key: Some(text.reveal().to_owned()), ..Self::from(key) }
    }
}

/// What a client sends to make a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::http::api) struct KeyBody {
    name: String,
    expire_in_days: u32,
    /// What it opens; all that the token opens, if left out.
    scopes: Option<Vec<String>>,
}

impl KeyBody {
    /// The key that is asked for by whoever holds `held`: it opens nothing that `held` does not, of
    /// our own API and of those of others.
    pub(in crate::http::api) fn wanted(
        self,
        held: &Scope,
        others: &Catalogue,
    ) -> Result<NewKey, ApiError> {
        let is_ours =
            |name: &str| scopes().any(|scope| scope.name == name) && !NEVER.contains(&name);
        let opens = |name: &&str| is_ours(name) || scope_of(others, name).is_some();
        let all = held.tokens().filter(opens).collect::<Vec<_>>().join(" ");
        let all = Scope::parse(&all).unwrap_or_default();
        let scope = match self.scopes {
            None => all,
            Some(wanted) => {
                let wanted = Scope::parse(&wanted.join(" "))
                    .map_err(|_| ApiError::BadBody("`scopes` are malformed".into()))?;
                if !wanted.is_within(&all) {
                    return Err(ProgramError::MoreThanHeld.into());
                }
                wanted
            }
        };
        Ok(NewKey { name: self.name, days: self.expire_in_days, scope })
    }
}

/// `GET /v1/api-keys`.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ApiKeyUser>,
    query: Query,
) -> Result<Response, ApiError> {
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/api-keys")?;
    let after: Option<ApiKeyId> = paging.after()?;
    let rows = server.programs.own_keys(&permit, after.as_ref(), paging.limit()).await?;
    Ok(answer(StatusCode::OK, paging.list(rows, |key| key.id.as_str(), KeyView::from)))
}

/// `POST /v1/api-keys`.
pub(in crate::http::api) async fn create(
    State(server): State<Server>,
    Permitted { permit, scope, .. }: Permitted<ApiKeyUser>,
    Body(body): Body<KeyBody>,
) -> Result<Response, ApiError> {
    let new = body.wanted(scope.scope(), &*server.apis.all().await?)?;
    let made = server.programs.make_own_key(&permit, &new).await?;
    Ok(answer(StatusCode::CREATED, KeyView::made(made)))
}

/// `DELETE /v1/api-keys/{id}`.
pub(in crate::http::api) async fn delete(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<ApiKeyUser>,
    Id(id): Id<ApiKeyId>,
) -> Result<Response, ApiError> {
    server.programs.revoke_own_key(&permit, &id).await?;
    Ok(no_content())
}
