//! APIs of others in a declaration.

use crate::apis::model::{ApiRoute, ApiScope, Definition, Everybody, NewApi, Served};
use crate::apis::path::Pattern;
use crate::apis::service::ApisError;
use crate::base::id::{AccountId, ApiId};
use crate::base::method::Method;
use crate::db::error::DbError;
use crate::setup::declaration::{ApiEntry, list};
use crate::setup::difference::Change;
use crate::setup::plan::{Act, Planner};
use crate::setup::problem::Problem;
use crate::setup::read::{Notes, Object, Part, any};
use crate::setup::tree::Item;

const KEYS: &[&str] =
    &["id", "account", "title", "identifier", "base_path", "allowed_accounts", "scopes", "routes"];
const ROUTE_KEYS: &[&str] = &["method", "path", "scope", "privilege", "sensitive", "summary"];

/// Reads an API.
pub(in crate::setup) fn read(part: &Part<'_>, notes: &mut Notes) -> Option<ApiEntry> {
    let object = part.object(KEYS, notes)?;
    let id = object.need_text("id", str::parse::<ApiId>, notes);
    let account = object.need_text("account", str::parse::<AccountId>, notes);
    let title = object.need_text("title", any, notes);
    let identifier = object.need_text("identifier", any, notes);
    let base_path = match object.get("base_path") {
        Some(part) => part.parse(str::parse::<Pattern>, notes).map(|at| at.value),
        None => "/".parse().ok(),
    };
    let allowed_accounts = read_accounts(&object, notes);
    let scopes = list(&object, "scopes", notes, read_scope);
    let routes = list(&object, "routes", notes, read_route);
    let account = account?;
    let definition = Definition {
        title: title?.value,
        identifier: identifier?.value,
        base_path: base_path?,
        allowed_accounts,
        scopes,
        routes,
    };
    let new = NewApi { id: id?.value, account: account.value.clone(), definition };
    Some(ApiEntry { api: part.at(new), account })
}

/// `all`, or a list.
fn read_accounts(object: &Object<'_>, notes: &mut Notes) -> Served {
    let item = object.get("allowed_accounts").map(|part| &part.node().item);
    if matches!(item, Some(Item::Text(text)) if text == "all") {
        return Served::Everybody(Everybody::All);
    }
    let named = object.texts("allowed_accounts", str::parse::<AccountId>, notes);
    Served::These(named.unwrap_or_default().into_iter().map(|at| at.value).collect())
}

fn read_scope(part: &Part<'_>, notes: &mut Notes) -> Option<ApiScope> {
    let object = part.object(&["name", "description"], notes)?;
    let name = object.need_text("name", any, notes);
    let description = object.need_text("description", any, notes);
    Some(ApiScope { name: name?.value, description: description?.value })
}

fn read_route(part: &Part<'_>, notes: &mut Notes) -> Option<ApiRoute> {
    let object = part.object(ROUTE_KEYS, notes)?;
    let method = object.need_text("method", str::parse::<Method>, notes);
    let path = object.need_text("path", str::parse::<Pattern>, notes);
    let scope = object.need_text("scope", any, notes);
    let privilege = object.text("privilege", any, notes);
    let sensitive = object.flag("sensitive", notes).unwrap_or(false);
    let summary = object.text("summary", any, notes).unwrap_or_default();
    Some(ApiRoute {
        method: method?.value,
        path: path?.value,
        scope: scope?.value,
        privilege,
        sensitive,
        summary,
    })
}

impl<'a> Planner<'a> {
    /// Plans an API.
    pub(in crate::setup) async fn api(&mut self, entry: &'a ApiEntry) -> Result<(), DbError> {
        self.known_account(&entry.account).await?;
        let compared = self.setup.apis.compare(&entry.api.value).await;
        if let Some(declared) = self.noted(&entry.api, compared)? {
            let change = Change::new(declared, &format!("API {}", entry.api.value.id));
            self.add(change, Act::Api(entry));
        }
        Ok(())
    }
}

impl From<ApisError> for Problem {
    fn from(error: ApisError) -> Self {
        match error {
            ApisError::Internal(error) => Self::Internal(error),
            ApisError::UnknownAccount => Self::refused("account", &error),
            other => Self::refused("", &other),
        }
    }
}
