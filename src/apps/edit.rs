//! A change of an app, as somebody asks for it: what they do not name stays as it is.

use std::collections::BTreeSet;

use crate::apps::model::{AllowedAccounts, GrantType, Kind};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::base::scope::Scope;

/// What is to be said of an app. The fields are those of [`NewApp`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of NewApp")]
pub struct Edit {
    pub title: Option<String>,
    /// `Some(None)`: none any more.
    pub description: Option<Option<String>>,
    /// `Some(None)`: none any more.
    pub url: Option<Option<String>>,
    pub kind: Option<Kind>,
    pub allowed_scopes: Option<Scope>,
    /// Absent: what is still allowed of those of before; all, for a new app.
    pub default_scopes: Option<Scope>,
    pub allowed_accounts: Option<AllowedAccounts>,
    pub callback_urls: Option<Vec<RedirectUri>>,
    pub logout_urls: Option<Vec<RedirectUri>>,
    pub grant_types: Option<BTreeSet<GrantType>>,
    pub require_pkce: Option<bool>,
    pub access_token_seconds: Option<u32>,
    pub refresh_token_seconds: Option<u32>,
    pub rotate_refresh_tokens: Option<bool>,
}

impl Edit {
    /// The app, changed so.
    #[must_use]
    pub fn over(self, app: NewApp) -> NewApp {
        let allowed_scopes = self.allowed_scopes.unwrap_or(app.allowed_scopes);
        let is_new = app.default_scopes.is_empty();
        let default_scopes = match self.default_scopes {
            Some(scopes) => scopes,
            None if is_new => allowed_scopes.clone(),
            None => app.default_scopes.intersection(&allowed_scopes),
        };
        NewApp {
            title: self.title.unwrap_or(app.title),
            description: self.description.unwrap_or(app.description),
            url: self.url.unwrap_or(app.url),
            kind: self.kind.unwrap_or(app.kind),
            allowed_scopes,
            default_scopes,
            allowed_accounts: self.allowed_accounts.unwrap_or(app.allowed_accounts),
            callback_urls: self.callback_urls.unwrap_or(app.callback_urls),
            logout_urls: self.logout_urls.unwrap_or(app.logout_urls),
            grant_types: self.grant_types.unwrap_or(app.grant_types),
            require_pkce: self.require_pkce.unwrap_or(app.require_pkce),
            access_token_seconds: self.access_token_seconds.unwrap_or(app.access_token_seconds),
            refresh_token_seconds: self.refresh_token_seconds.unwrap_or(app.refresh_token_seconds),
            rotate_refresh_tokens: self.rotate_refresh_tokens.unwrap_or(app.rotate_refresh_tokens),
            ..app
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_and_defaults_never_outgrow_what_is_allowed() {
        let scope = |text| Scope::parse(text).unwrap();
        let app = NewApp {
            allowed_scopes: scope("openid project.read"),
            default_scopes: scope("openid project.read"),
            description: Some("x".to_owned()),
            ..NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A")
        };

        assert_eq!(Edit::default().over(app.clone()), app);
        let less = Edit { allowed_scopes: Some(scope("openid")), ..Edit::default() };
        assert_eq!(less.over(app.clone()).default_scopes, scope("openid"));
        let bare = Edit { description: Some(None), ..Edit::default() };
        assert_eq!(bare.over(app.clone()).description, None);
        let fresh = NewApp { default_scopes: Scope::default(), ..app };
        assert_eq!(Edit::default().over(fresh).default_scopes, scope("openid project.read"));
    }
}
