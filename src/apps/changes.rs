//! What people say of an app over the API, and who has to agree to it. Without any I/O.
//!
//! An app is *at home* while nobody but members of its own account may use it: then the
//! administrators of that account answer for it. An app that is live beyond its account was looked
//! at by the platform; it is changed by being looked at again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::apps::error::Fault;
use crate::apps::model::{AllowedAccounts, GrantType, Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::base::id::AccountId;
use crate::base::scope::Scope;

/// Grants by which an app gets tokens of users who never saw it: the operator's to give.
const OPERATORS: [GrantType; 3] = [GrantType::TokenExchange, GrantType::JwtBearer, GrantType::Ciba];

/// What people may say of an app; the rest is the operator's. The fields are those of [`NewApp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of NewApp")]
pub struct Wanted {
    pub title: String,
    pub description: Option<String>,
    pub url: Option<String>,
    pub kind: Kind,
    pub allowed_scopes: Scope,
    pub default_scopes: Scope,
    /// `None`: every account.
    pub allowed_accounts: Option<BTreeSet<AccountId>>,
    pub callback_urls: Vec<RedirectUri>,
    pub logout_urls: Vec<RedirectUri>,
    pub grant_types: BTreeSet<GrantType>,
    pub require_pkce: bool,
    pub access_token_seconds: u32,
    pub refresh_token_seconds: u32,
    pub rotate_refresh_tokens: bool,
}

/// Who changes an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An administrator of the account that owns it.
    Administrator,
    /// Whoever registered it.
    Developer,
}

impl Wanted {
    /// What is said of an app now.
    pub fn of(app: &NewApp) -> Self {
        let app = app.clone();
        Self {
            title: app.title,
            description: app.description,
            url: app.url,
            kind: app.kind,
            allowed_scopes: app.allowed_scopes,
            default_scopes: app.default_scopes,
            allowed_accounts: match app.allowed_accounts {
                AllowedAccounts::All => None,
                AllowedAccounts::These(accounts) => Some(accounts),
            },
            callback_urls: app.callback_urls,
            logout_urls: app.logout_urls,
            grant_types: app.grant_types,
            require_pkce: app.require_pkce,
            access_token_seconds: app.access_token_seconds,
            refresh_token_seconds: app.refresh_token_seconds,
            rotate_refresh_tokens: app.rotate_refresh_tokens,
        }
    }

    /// The app of which this is said, with all that is not said as it was.
    #[must_use]
    pub fn over(self, app: NewApp) -> NewApp {
        NewApp {
            title: self.title,
            description: self.description,
            url: self.url,
            kind: self.kind,
            allowed_scopes: self.allowed_scopes,
            default_scopes: self.default_scopes,
            allowed_accounts: self
                .allowed_accounts
                .map_or(AllowedAccounts::All, AllowedAccounts::These),
            callback_urls: self.callback_urls,
            logout_urls: self.logout_urls,
            grant_types: self.grant_types,
            require_pkce: self.require_pkce,
            access_token_seconds: self.access_token_seconds,
            refresh_token_seconds: self.refresh_token_seconds,
            rotate_refresh_tokens: self.rotate_refresh_tokens,
            ..app
        }
    }
}

/// Whether nobody but members of its own account may use it.
pub fn is_at_home(app: &NewApp) -> bool {
    match &app.allowed_accounts {
        AllowedAccounts::All => false,
        AllowedAccounts::These(accounts) => accounts.iter().all(|one| *one == app.account),
    }
}

/// The rules of [`NewApp::check`], and those that hold for everybody but operators.
///
/// # Errors
/// All rules that it breaks, each with its field.
pub fn check(before: &NewApp, after: &NewApp, is_new: bool) -> Result<(), Vec<Fault>> {
    let mut faults = after.check().err().unwrap_or_default();
    let is_given = |one: &&GrantType| OPERATORS.contains(one) && !before.grant_types.contains(one);
    if let Some(grant) = after.grant_types.iter().find(is_given) {
        let problem = format!("{grant} has to be allowed by an operator");
        faults.push(Fault::new("grant_types", problem));
    }
    if before.kind != after.kind && !is_new {
        faults.push(Fault::new("type", "cannot be changed: register another app"));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether somebody else has to agree before an app becomes so, its status apart.
///
/// `is_beyond` tells the scopes that whoever asks does not give by themselves.
pub fn needs_review(
    (before, after): (&NewApp, &NewApp),
    role: Role,
    is_beyond: impl Fn(&str) -> bool,
) -> bool {
    if reaches_further(before, after) {
        return true;
    }
    let gained = after.allowed_scopes.tokens().filter(|one| !before.allowed_scopes.contains(one));
    let is_gained =
        |grant| after.grant_types.contains(&grant) && !before.grant_types.contains(&grant);
    let becomes_a_machine = is_gained(GrantType::ClientCredentials);
    let gains_beyond = gained.into_iter().any(&is_beyond)
        || (becomes_a_machine && after.allowed_scopes.tokens().any(&is_beyond));
    match (before.status, role) {
        (Status::Live, Role::Administrator) => {
            gains_beyond || (!is_at_home(before) && says_more(before, after))
        }
        (Status::Live, Role::Developer) => says_more(before, after),
        (Status::Developing | Status::Disabled, Role::Administrator) => gains_beyond,
        (Status::Developing | Status::Disabled, Role::Developer) => {
            gains_beyond || becomes_a_machine
        }
    }
}

/// Whether somebody else has to agree before an app gets a status. `is_own`: it was they who switched
/// it off.
pub fn status_needs_review(app: &NewApp, wanted: Status, role: Role, is_own: bool) -> bool {
    match (wanted, role) {
        (Status::Live, Role::Administrator) => app.status != Status::Live && !is_at_home(app),
        (Status::Live, Role::Developer) => app.status != Status::Live,
        // What somebody else switched off, its developer does not switch on.
        (Status::Developing, Role::Developer) => app.status == Status::Disabled && !is_own,
        (Status::Developing, Role::Administrator) | (Status::Disabled, _) => false,
    }
}

/// Whether the app may be used for an account for which it could not, its own apart.
fn reaches_further(before: &NewApp, after: &NewApp) -> bool {
    match (&before.allowed_accounts, &after.allowed_accounts) {
        (AllowedAccounts::All, _) => false,
        (AllowedAccounts::These(_), AllowedAccounts::All) => true,
        (AllowedAccounts::These(known), AllowedAccounts::These(wanted)) => {
            wanted.iter().any(|one| !known.contains(one) && *one != after.account)
        }
    }
}

/// Whether the app says something of itself, or may do something, that was not looked at.
fn says_more(before: &NewApp, after: &NewApp) -> bool {
    let within = |old: &[RedirectUri], new: &[RedirectUri]| new.iter().all(|one| old.contains(one));
    let is_same = before.title == after.title
        && before.url == after.url
        && before.description == after.description;
    let is_within = after.allowed_scopes.is_within(&before.allowed_scopes)
        && after.grant_types.is_subset(&before.grant_types)
        && within(&before.callback_urls, &after.callback_urls)
        && within(&before.logout_urls, &after.logout_urls);
    let is_strict = after.require_pkce >= before.require_pkce
        && after.rotate_refresh_tokens >= before.rotate_refresh_tokens
        && after.access_token_seconds <= before.access_token_seconds
        && after.refresh_token_seconds <= before.refresh_token_seconds;
    !(is_same && is_within && is_strict)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYBODY: [Role; 2] = [Role::Administrator, Role::Developer];

    fn app(status: Status, accounts: &[&str]) -> NewApp {
        NewApp {
            status,
            allowed_scopes: Scope::parse("openid project.read").unwrap(),
            allowed_accounts: these(accounts),
            callback_urls: vec![url("https://a.example/cb")],
            ..NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A")
        }
    }

    fn these(accounts: &[&str]) -> AllowedAccounts {
        AllowedAccounts::These(accounts.iter().map(|one| one.parse().unwrap()).collect())
    }

    fn url(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    fn reviewed(before: &NewApp, role: Role, bend: impl Fn(&mut NewApp)) -> bool {
        let mut after = before.clone();
        bend(&mut after);
        let is_beyond = |scope: &str| match role {
            Role::Developer => scope == "policy.write",
            Role::Administrator => scope == "decision.ask",
        };
        needs_review((before, &after), role, is_beyond)
    }

    #[test]
    fn case_64_nobody_lets_their_app_into_other_accounts() {
        for status in [Status::Developing, Status::Live, Status::Disabled] {
            let before = app(status, &["acme"]);
            for role in EVERYBODY {
                assert!(reviewed(&before, role, |app| app.allowed_accounts = AllowedAccounts::All));
                assert!(reviewed(&before, role, |app| app.allowed_accounts = these(&["beta"])));
            }
        }
        let wide = app(Status::Live, &["acme", "beta"]);
        assert!(
            !reviewed(&wide, Role::Administrator, |app| app.allowed_accounts = these(&["acme"]))
        );
    }

    #[test]
    fn case_64_a_live_app_says_nothing_new_unseen() {
        type Bend = fn(&mut NewApp);
        let more: [Bend; 6] = [
            |app| app.title = "B".to_owned(),
            |app| app.callback_urls.push(url("https://b.example/cb")),
            |app| app.logout_urls.push(url("https://b.example/")),
            |app| app.allowed_scopes = Scope::parse("openid project.read project.write").unwrap(),
            |app| app.require_pkce = false,
            |app| app.refresh_token_seconds += 1,
        ];
        let less: [Bend; 3] = [
            |app| app.allowed_scopes = Scope::parse("openid").unwrap(),
            |app| app.callback_urls = vec![url("https://a.example/cb")],
            |app| app.access_token_seconds -= 1,
        ];
        let (home, wide) = (app(Status::Live, &["acme"]), app(Status::Live, &["acme", "beta"]));
        for bend in more {
            assert!(reviewed(&wide, Role::Administrator, bend));
            assert!(reviewed(&wide, Role::Developer, bend));
            assert!(reviewed(&home, Role::Developer, bend));
            assert!(!reviewed(&home, Role::Administrator, bend));
            assert!(!reviewed(&app(Status::Developing, &["acme"]), Role::Developer, bend));
        }
        for bend in less {
            assert!(!reviewed(&wide, Role::Developer, bend));
        }
    }

    #[test]
    fn case_64_developers_give_no_administrative_scopes() {
        let before = app(Status::Developing, &["acme"]);
        let admin = |app: &mut NewApp| app.allowed_scopes = Scope::parse("policy.write").unwrap();
        let alone = |app: &mut NewApp| {
            app.grant_types.insert(GrantType::ClientCredentials);
        };

        assert!(reviewed(&before, Role::Developer, admin));
        assert!(reviewed(&before, Role::Developer, alone));
        assert!(!reviewed(&before, Role::Administrator, admin));
        let mut exchanging = before.clone();
        exchanging.kind = Kind::Confidential;
        exchanging.grant_types.insert(GrantType::TokenExchange);
        assert_eq!(check(&before, &exchanging, true).unwrap_err()[0].field, "grant_types");
        assert!(check(&exchanging, &exchanging, false).is_ok());
    }

    #[test]
    fn case_65_what_administrators_may_not_do_they_have_no_machine_do() {
        let ask = |app: &mut NewApp| app.allowed_scopes = Scope::parse("decision.ask").unwrap();
        let alone = |app: &mut NewApp| {
            app.grant_types.insert(GrantType::ClientCredentials);
        };

        for status in [Status::Developing, Status::Live, Status::Disabled] {
            let before = app(status, &["acme"]);
            assert!(reviewed(&before, Role::Administrator, ask));
            assert!(!reviewed(&before, Role::Administrator, alone));
            let mut asking = before.clone();
            ask(&mut asking);
            assert!(reviewed(&asking, Role::Administrator, alone));
        }
    }

    #[test]
    fn who_may_switch_an_app_on() {
        use Status::{Developing, Disabled, Live};
        let needs = |from, accounts: &[&str], to, role| {
            status_needs_review(&app(from, accounts), to, role, false)
        };

        for from in [Developing, Disabled] {
            assert!(!needs(from, &["acme"], Live, Role::Administrator));
            assert!(needs(from, &["acme", "beta"], Live, Role::Administrator));
            assert!(needs(from, &["acme"], Live, Role::Developer));
        }
        assert!(needs(Disabled, &["acme"], Developing, Role::Developer));
        let own = app(Disabled, &["acme"]);
        assert!(!status_needs_review(&own, Developing, Role::Developer, true));
        assert!(status_needs_review(&own, Live, Role::Developer, true));
        for role in EVERYBODY {
            assert!(!needs(Live, &["acme", "beta"], Disabled, role));
            assert!(!needs(Live, &["acme", "beta"], Developing, role));
        }
    }
}
