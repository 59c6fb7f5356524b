//! What clients send to register and change apps.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::apps::edit::Edit;
use crate::apps::error::{AppError, Fault};
use crate::apps::model::{AllowedAccounts, GrantType, Kind};
use crate::apps::redirect::RedirectUri;
use crate::base::id::AccountId;
use crate::base::scope::Scope;
use crate::gate::routes;
use crate::http::api::body::Given;
use crate::http::api::error::ApiError;
use crate::oauth::standard_claims::SCOPES as OPENID_SCOPES;
use crate::server::Server;

/// What is to be said of an app; what is not named stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(in crate::http::api) struct AppBody {
    title: Option<String>,
    description: Given,
    url: Given,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    allowed_scopes: Option<Vec<String>>,
    default_scopes: Option<Vec<String>>,
    allowed_accounts: Option<AccountsBody>,
    callback_urls: Option<Vec<RedirectUri>>,
    logout_urls: Option<Vec<RedirectUri>>,
    grant_types: Option<BTreeSet<GrantType>>,
    require_pkce: Option<bool>,
    access_token_seconds: Option<u32>,
    refresh_token_seconds: Option<u32>,
    rotate_refresh_tokens: Option<bool>,
}

/// The word `all`, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AccountsBody {
    Word(All),
    List(BTreeSet<AccountId>),
}

#[derive(Debug, Deserialize)]
enum All {
    #[serde(rename = "all")]
    All,
}

impl AppBody {
    /// What it asks for.
    ///
    /// # Errors
    /// [`ApiError::InvalidApp`] for scopes that nobody knows.
    pub(in crate::http::api) async fn edit(self, server: &Server) -> Result<Edit, ApiError> {
        Ok(Edit {
            title: self.title,
            description: self.description.change(),
            url: self.url.change(),
            kind: self.kind,
            allowed_scopes: scopes(server, "allowed_scopes", self.allowed_scopes).await?,
            default_scopes: scopes(server, "default_scopes", self.default_scopes).await?,
            allowed_accounts: self.allowed_accounts.map(|accounts| match accounts {
                AccountsBody::Word(All::All) => AllowedAccounts::All,
                AccountsBody::List(these) => AllowedAccounts::These(these),
            }),
            callback_urls: self.callback_urls,
            logout_urls: self.logout_urls,
            grant_types: self.grant_types,
            require_pkce: self.require_pkce,
            access_token_seconds: self.access_token_seconds,
            refresh_token_seconds: self.refresh_token_seconds,
            rotate_refresh_tokens: self.rotate_refresh_tokens,
        })
    }
}

/// Scopes of the published table, those of OpenID Connect, and those of other people's APIs that are
/// registered here.
async fn scopes(
    server: &Server,
    field: &str,
    names: Option<Vec<String>>,
) -> Result<Option<Scope>, ApiError> {
    let Some(names) = names else { return Ok(None) };
    let invalid = |index: Option<usize>| {
        let field = index.map_or_else(|| field.to_owned(), |index| format!("{field}[{index}]"));
        ApiError::from(AppError::Invalid(vec![Fault::new(field, "is no scope of GET /v1/scopes")]))
    };
    for (index, name) in names.iter().enumerate() {
        let is_ours = OPENID_SCOPES.contains(&name.as_str())
            || routes::scopes().any(|scope| scope.name == name.as_str());
        if !is_ours && !server.apis.has_scope(name).await? {
            return Err(invalid(Some(index)));
        }
    }
    Scope::parse(&names.join(" ")).map(Some).map_err(|_| invalid(None))
}
