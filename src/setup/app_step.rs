//! Comparing apps with the registry.

use crate::apis::check::api_of;
use crate::apps::error::AppError;
use crate::apps::new_app::NewApp;
use crate::db::error::DbError;
use crate::gate::routes;
use crate::setup::declaration::AppEntry;
use crate::setup::difference::Change;
use crate::setup::plan::{Act, Planner};
use crate::setup::problem::{Problem, differing};

impl<'a> Planner<'a> {
    /// Plans an app, and its secrets if the file says any.
    pub(in crate::setup) async fn app(&mut self, entry: &'a AppEntry) -> Result<(), DbError> {
        self.known_account(&entry.account).await?;
        for account in &entry.accounts {
            self.known_account(account).await?;
        }
        self.known_scopes(entry).await?;
        let (apps, id) = (&self.setup.apps, &entry.id.value);
        let found = apps.find(id).await?;
        let compared = apps.compare(&entry.app).await;
        if let Some(declared) = self.noted(&entry.id, compared)? {
            let fields = found.map(|app| app_fields(&NewApp::of(&app), &entry.app));
            let change = Change::new(declared, &format!("app {id}"));
            self.add(change.with_fields(fields.unwrap_or_default()), Act::App(entry));
        }
        if let Some(digests) = &entry.secrets {
            let compared = self.setup.apps.compare_secrets(id, (digests, &entry.app)).await;
            if let Some(declared) = self.noted(&entry.id, compared)? {
                let change = Change::new(declared, &format!("secrets of app {id}"));
                self.add(change, Act::Secrets(entry, digests));
            }
        }
        Ok(())
    }

    /// Scopes of APIs of others are those that the file or the server knows.
    async fn known_scopes(&mut self, entry: &'a AppEntry) -> Result<(), DbError> {
        for scope in entry.app.allowed_scopes.tokens() {
            let is_own = routes::scopes().any(|own| own.name == scope);
            if is_own || api_of(scope).is_none() || self.declares_scope(scope) {
                continue;
            }
            if !self.setup.apis.has_scope(scope).await? {
                let problem = format!("there is no scope {scope}");
                let fault = self.declaration.fault(&entry.id, "allowed_scopes", &problem);
                self.faults.push(fault);
            }
        }
        Ok(())
    }

    fn declares_scope(&self, scope: &str) -> bool {
        let apis = self.declaration.apis.iter().map(|entry| &entry.api.value.definition);
        apis.flat_map(|api| &api.scopes).any(|one| one.name == scope)
    }
}

fn app_fields(app: &NewApp, wanted: &NewApp) -> Vec<&'static str> {
    differing!(app, wanted; account, title, description, icon_url, url, status, kind,
        allowed_scopes, default_scopes, allowed_accounts, callback_urls, logout_urls, grant_types,
        require_pkce, access_token_seconds, refresh_token_seconds, rotate_refresh_tokens,
        access_token_algorithm, id_token_algorithm, custom_claims)
}

impl From<AppError> for Problem {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Db(error) => Self::Internal(error),
            AppError::UnknownAccount => Self::refused("account", &error),
            other => Self::refused("", &other),
        }
    }
}
