//! Apps, as the API shows them.

use serde::Serialize;

use crate::apps::changes::Wanted;
use crate::apps::manage::Managed;
use crate::apps::model::{Kind, Status};
use crate::apps::reviews::{Review, State};
use crate::base::scope::Scope;
use crate::http::api::error::date;

/// What people say of an app.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct SaidView {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(rename = "type")]
    kind: Kind,
    allowed_scopes: Vec<String>,
    default_scopes: Vec<String>,
    allowed_accounts: AccountsView,
    callback_urls: Vec<String>,
    logout_urls: Vec<String>,
    grant_types: Vec<&'static str>,
    require_pkce: bool,
    access_token_seconds: u32,
    refresh_token_seconds: u32,
    rotate_refresh_tokens: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AccountsView {
    Word(&'static str),
    List(Vec<String>),
}

/// An app.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct AppView {
    id: String,
    account: String,
    status: Status,
    /// Whether the platform switched it off.
    suspended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registered_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<State>,
    #[serde(flatten)]
    said: SaidView,
}

/// What is asked for an app.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http::api) struct ReviewView {
    id: String,
    account: String,
    status: State,
    version: i64,
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the app is to be.
    wanted: SaidView,
}

fn names(scope: &Scope) -> Vec<String> {
    scope.tokens().map(str::to_owned).collect()
}

impl From<Wanted> for SaidView {
    fn from(wanted: Wanted) -> Self {
        let accounts = wanted
            .allowed_accounts
            .map(|these| AccountsView::List(these.iter().map(ToString::to_string).collect()));
        Self {
            title: wanted.title,
            description: wanted.description,
            url: wanted.url,
            kind: wanted.kind,
            allowed_scopes: names(&wanted.allowed_scopes),
            default_scopes: names(&wanted.default_scopes),
            allowed_accounts: accounts.unwrap_or(AccountsView::Word("all")),
            callback_urls: wanted.callback_urls.into_iter().map(String::from).collect(),
            logout_urls: wanted.logout_urls.into_iter().map(String::from).collect(),
            grant_types: wanted.grant_types.iter().map(|grant| grant.as_str()).collect(),
            require_pkce: wanted.require_pkce,
            access_token_seconds: wanted.access_token_seconds,
            refresh_token_seconds: wanted.refresh_token_seconds,
            rotate_refresh_tokens: wanted.rotate_refresh_tokens,
        }
    }
}

impl From<Managed> for AppView {
    fn from(managed: Managed) -> Self {
        let Managed { app, registered_by, is_suspended, disabled_by: _, review } = managed;
        Self {
            id: app.id.to_string(),
            account: app.account.to_string(),
            status: app.status,
            suspended: is_suspended,
            icon_url: app.icon_url.clone(),
            registered_by: registered_by.map(|user| user.to_string()),
            review,
            said: Wanted::of(&app).into(),
        }
    }
}

impl From<Review> for ReviewView {
    fn from(review: Review) -> Self {
        Self {
            id: review.app.to_string(),
            account: review.account.to_string(),
            status: review.state,
            version: review.version,
            note: review.note,
            asked_by: review.asked_by.map(|user| user.to_string()),
            submitted_at: review.submitted_at.map(date),
            decided_by: review.decided_by.map(|user| user.to_string()),
            decided_at: review.decided_at.map(date),
            reason: review.reason,
            wanted: review.wanted.into(),
        }
    }
}
