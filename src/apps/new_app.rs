//! An app as somebody registers or declares it, and the rules that it must keep.

use std::collections::BTreeSet;

use crate::apps::check::Around;
use crate::apps::claims::CustomClaim;
use crate::apps::error::Fault;
use crate::apps::metadata::ClientMetadata;
use crate::apps::model::{AllowedAccounts, App, GrantType, Kind, SecretDigest, Status};
use crate::apps::redirect::RedirectUri;
use crate::apps::url::{self, Schemes};
use crate::base::id::{AccountId, AppId};
use crate::base::scope::{SCOPE_BYTES_MAX, Scope};
use crate::base::text;
use crate::keys::algorithm::Algorithm;

/// Longest title, in bytes.
pub const TITLE_BYTES_MAX: usize = 200;
/// Longest description, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 2000;
/// Most callback URLs, and most logout URLs.
pub const URLS_MAX: usize = 32;
/// Most accounts on an allow-list.
pub const ACCOUNTS_MAX: usize = 1000;
/// Most custom claims.
pub const CLAIMS_MAX: usize = 32;
/// Longest life of any token: keys that were retired stay published a little longer than that.
pub const TOKEN_SECONDS_MAX: u32 = 86_400;

/// An app to be. The fields are those of [`App`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of App")]
pub struct NewApp {
    pub id: AppId,
    pub account: AccountId,
    pub title: String,
    pub description: Option<String>,
    pub icon_url: Option<String>,
    pub url: Option<String>,
    pub status: Status,
    pub kind: Kind,
    pub allowed_scopes: Scope,
    pub default_scopes: Scope,
    pub allowed_accounts: AllowedAccounts,
    pub callback_urls: Vec<RedirectUri>,
    pub logout_urls: Vec<RedirectUri>,
    pub grant_types: BTreeSet<GrantType>,
    pub require_pkce: bool,
    pub access_token_seconds: u32,
    pub refresh_token_seconds: u32,
    pub rotate_refresh_tokens: bool,
    pub access_token_algorithm: Algorithm,
    pub id_token_algorithm: Algorithm,
    pub custom_claims: Vec<CustomClaim>,
    pub metadata: ClientMetadata,
}

impl NewApp {
    /// A public app in development for users of its own account, which signs people in with PKCE.
    pub fn new(id: AppId, account: AccountId, title: impl Into<String>) -> Self {
        Self {
            id,
            allowed_accounts: AllowedAccounts::These(BTreeSet::from([account.clone()])),
            account,
            title: title.into(),
            description: None,
            icon_url: None,
            url: None,
            status: Status::Developing,
            kind: Kind::Public,
            allowed_scopes: Scope::default(),
            default_scopes: Scope::default(),
            callback_urls: Vec::new(),
            logout_urls: Vec::new(),
            grant_types: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
            require_pkce: true,
            access_token_seconds: 3_600,
            refresh_token_seconds: 86_400,
            rotate_refresh_tokens: true,
            access_token_algorithm: Algorithm::ES256,
            id_token_algorithm: Algorithm::RS256,
            custom_claims: Vec::new(),
            metadata: ClientMetadata::default(),
        }
    }

    /// The registration of an app that exists.
    pub fn of(app: &App) -> Self {
        let app = app.clone();
        Self {
            id: app.id,
            account: app.account,
            title: app.title,
            description: app.description,
            icon_url: app.icon_url,
            url: app.url,
            status: app.status,
            kind: app.kind,
            allowed_scopes: app.allowed_scopes,
            default_scopes: app.default_scopes,
            allowed_accounts: app.allowed_accounts,
            callback_urls: app.callback_urls,
            logout_urls: app.logout_urls,
            grant_types: app.grant_types,
            require_pkce: app.require_pkce,
            access_token_seconds: app.access_token_seconds,
            refresh_token_seconds: app.refresh_token_seconds,
            rotate_refresh_tokens: app.rotate_refresh_tokens,
            access_token_algorithm: app.access_token_algorithm,
            id_token_algorithm: app.id_token_algorithm,
            custom_claims: app.custom_claims,
            metadata: app.metadata,
        }
    }

    /// The app with its secrets, which no account keeps out.
    #[must_use]
    pub fn with_secrets(self, secrets: Vec<SecretDigest>) -> App {
        App {
            id: self.id,
            account: self.account,
            title: self.title,
            description: self.description,
            icon_url: self.icon_url,
            url: self.url,
            status: self.status,
            kind: self.kind,
            allowed_scopes: self.allowed_scopes,
            default_scopes: self.default_scopes,
            allowed_accounts: self.allowed_accounts,
            callback_urls: self.callback_urls,
            logout_urls: self.logout_urls,
            grant_types: self.grant_types,
            require_pkce: self.require_pkce,
            access_token_seconds: self.access_token_seconds,
            refresh_token_seconds: self.refresh_token_seconds,
            rotate_refresh_tokens: self.rotate_refresh_tokens,
            access_token_algorithm: self.access_token_algorithm,
            id_token_algorithm: self.id_token_algorithm,
            custom_claims: self.custom_claims,
            metadata: self.metadata,
            blocked_by: BTreeSet::new(),
            secrets,
        }
    }

    /// Checks every rule. Whether scopes and accounts exist is for the caller to know.
    ///
    /// # Errors
    /// All rules that it breaks, each with its field.
    pub fn check(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        self.check_texts(&mut faults);
        self.check_scopes(&mut faults);
        self.check_lists(&mut faults);
        self.check_grants(&mut faults);
        self.check_claims(&mut faults);
        let around = Around { kind: self.kind, callback_urls: &self.callback_urls };
        faults.extend(self.metadata.check(around).err().unwrap_or_default());
        self.check_profile(&mut faults);
        self.check_direct(&mut faults);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    fn check_texts(&self, faults: &mut Vec<Fault>) {
        if let Err(error) = text::line(&self.title, TITLE_BYTES_MAX) {
            faults.push(Fault::new("title", error));
        }
        let description = self.description.as_deref().unwrap_or_default();
        if let Err(error) = text::optional_line(description, DESCRIPTION_BYTES_MAX) {
            faults.push(Fault::new("description", error));
        }
        for (field, url) in [("icon_url", &self.icon_url), ("url", &self.url)] {
            if let Some(Err(error)) = url.as_deref().map(|url| url::check(url, Schemes::Web)) {
                faults.push(Fault::new(field, error));
            }
        }
    }

    fn check_scopes(&self, faults: &mut Vec<Fault>) {
        if self.allowed_scopes.to_string().len() > SCOPE_BYTES_MAX {
            let problem = format!("must have at most {SCOPE_BYTES_MAX} bytes");
            faults.push(Fault::new("allowed_scopes", problem));
        }
        let stranger = self.default_scopes.tokens().find(|one| !self.allowed_scopes.contains(one));
        if let Some(stranger) = stranger {
            let problem = format!("{stranger} is not among the allowed scopes");
            faults.push(Fault::new("default_scopes", problem));
        }
    }

    fn check_lists(&self, faults: &mut Vec<Fault>) {
        for (field, urls) in
            [("callback_urls", &self.callback_urls), ("logout_urls", &self.logout_urls)]
        {
            if urls.len() > URLS_MAX {
                faults.push(Fault::new(field, format!("must be at most {URLS_MAX}")));
            }
            let mut seen = BTreeSet::new();
            for (index, url) in urls.iter().enumerate() {
                if !seen.insert(url) {
                    faults.push(Fault::new(format!("{field}[{index}]"), "is there already"));
                }
            }
        }
        if let AllowedAccounts::These(accounts) = &self.allowed_accounts
            && accounts.len() > ACCOUNTS_MAX
        {
            let problem = format!("must be at most {ACCOUNTS_MAX}");
            faults.push(Fault::new("allowed_accounts", problem));
        }
    }

    fn check_grants(&self, faults: &mut Vec<Fault>) {
        let has = |grant: GrantType| self.grant_types.contains(&grant);
        if self.grant_types.is_empty() {
            faults.push(Fault::new("grant_types", "must not be empty"));
        }
        let gives_first =
            [GrantType::AuthorizationCode, GrantType::DeviceCode, GrantType::Ciba].map(has);
        if has(GrantType::RefreshToken) && !gives_first.contains(&true) {
            let problem = "refresh_token needs a grant type that gives the first one: \
                           authorization_code, device_code or ciba";
            faults.push(Fault::new("grant_types", problem));
        }
        let secret = self.grant_types.iter().find(|grant| grant.needs_secret());
        if let (Some(grant), Kind::Public) = (secret, self.kind) {
            let problem = format!("{grant} needs the type confidential: a public app has none");
            faults.push(Fault::new("grant_types", problem));
        }
        if has(GrantType::JwtBearer) && !self.metadata.may_impersonate {
            let problem = "jwt-bearer needs may_impersonate: the app would speak for any user";
            faults.push(Fault::new("grant_types", problem));
        }
        if has(GrantType::AuthorizationCode) && self.callback_urls.is_empty() {
            let problem = "must not be empty for an app with the grant type authorization_code";
            faults.push(Fault::new("callback_urls", problem));
        }
        for (field, seconds) in [
            ("access_token_seconds", self.access_token_seconds),
            ("refresh_token_seconds", self.refresh_token_seconds),
        ] {
            if !(1..=TOKEN_SECONDS_MAX).contains(&seconds) {
                faults.push(Fault::new(field, format!("must be from 1 to {TOKEN_SECONDS_MAX}")));
            }
        }
    }

    fn check_claims(&self, faults: &mut Vec<Fault>) {
        if self.custom_claims.len() > CLAIMS_MAX {
            faults.push(Fault::new("custom_claims", format!("must be at most {CLAIMS_MAX}")));
        }
        let mut seen = BTreeSet::new();
        for (index, claim) in self.custom_claims.iter().enumerate() {
            let field = || format!("custom_claims[{index}]");
            if let Err(error) = claim.check() {
                faults.push(Fault::new(field(), error));
            } else if !seen.insert(&claim.name) {
                faults.push(Fault::new(field(), "there is a claim of this name already"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::claims::ClaimSource;

    /// A good app, bent by `bend`, must be refused for `field`, and for nothing else.
    #[track_caller]
    fn refused(bend: impl FnOnce(&mut NewApp), field: &str) {
        let mut app = NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A");
        app.callback_urls = vec![RedirectUri::parse("https://a.example/cb").unwrap()];
        app.allowed_scopes = Scope::parse("openid email").unwrap();
        assert_eq!(app.check(), Ok(()));
        bend(&mut app);
        let faults = app.check().expect_err(field);
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, [field], "{faults:?}");
    }

    fn claim(name: &str) -> CustomClaim {
        CustomClaim {
            name: name.to_owned(),
            source: ClaimSource::UserAttribute("x".to_owned()),
            in_access_token: true,
            in_id_token: true,
        }
    }

    #[test]
    fn every_rule_names_its_field() {
        refused(|app| app.title = " ".to_owned(), "title");
        refused(|app| app.title = "a\u{1b}[31m".to_owned(), "title");
        refused(|app| app.title = "a".repeat(TITLE_BYTES_MAX + 1), "title");
        refused(|app| app.description = Some("a\0".to_owned()), "description");
        refused(|app| app.default_scopes = Scope::parse("openid x").unwrap(), "default_scopes");
        refused(|app| app.callback_urls.clear(), "callback_urls");
        refused(|app| app.callback_urls.extend(app.callback_urls.clone()), "callback_urls[1]");
        refused(|app| app.grant_types.clear(), "grant_types");
        refused(|app| app.grant_types = [GrantType::RefreshToken].into(), "grant_types");
        refused(|app| app.grant_types = [GrantType::ClientCredentials].into(), "grant_types");
        refused(|app| app.access_token_seconds = 0, "access_token_seconds");
        refused(|app| app.access_token_seconds = 86_401, "access_token_seconds");
        refused(|app| app.refresh_token_seconds = 86_401, "refresh_token_seconds");
        refused(|app| app.custom_claims = vec![claim("a"), claim("iss")], "custom_claims[1]");
        refused(|app| app.custom_claims = vec![claim("a"), claim("a")], "custom_claims[1]");
    }

    #[test]
    fn case_04_pictures_and_links_follow_the_rules_of_callbacks() {
        for bad in ["javascript:alert(1)", "DATA:image/svg+xml,x", "com.example.app:/x", "/x"] {
            refused(|app| app.icon_url = Some(bad.to_owned()), "icon_url");
            refused(|app| app.url = Some(bad.to_owned()), "url");
        }
        assert!(RedirectUri::parse("vbscript:x").is_err(), "logout URLs are of this type");
    }

    #[test]
    fn case_75_lists_are_bounded() {
        let url = |at: usize| RedirectUri::parse(&format!("https://a.example/{at}")).unwrap();
        refused(|app| app.callback_urls = (0..=URLS_MAX).map(url).collect(), "callback_urls");
        refused(|app| app.logout_urls = (0..=URLS_MAX).map(url).collect(), "logout_urls");
        let account = |at: usize| format!("a{at}").parse().unwrap();
        let many = AllowedAccounts::These((0..=ACCOUNTS_MAX).map(account).collect());
        refused(|app| app.allowed_accounts = many, "allowed_accounts");
        let claims = (0..=CLAIMS_MAX).map(|at| claim(&format!("c{at}"))).collect();
        refused(|app| app.custom_claims = claims, "custom_claims");
        let half = |letter: &str| Scope::parse(&letter.repeat(SCOPE_BYTES_MAX)).unwrap();
        refused(|app| app.allowed_scopes = half("a").union(&half("b")), "allowed_scopes");
    }
}
