//! The providers that a sign-in page offers.

use crate::apps::model::App;
use crate::base::id::GrantId;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::server::Server;
use crate::upstream::model::Provider;
use crate::users::model::User;

/// A provider on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderButton {
    /// Its id, in the form's action.
    pub id: String,
    /// What it is called.
    pub title: String,
}

/// The buttons of a page, and what their forms bring back.
#[derive(Clone, Debug, Default)]
pub struct ProviderButtons {
    /// One form each.
    pub all: Vec<ProviderButton>,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
}

impl ProviderButtons {
    /// For the tests of templates.
    #[cfg(test)]
    pub fn sample(title: &str) -> Self {
        let all = vec![ProviderButton { id: "op".to_owned(), title: title.to_owned() }];
        Self { all, csrf: "token".to_owned(), grant: "17".to_owned() }
    }
}

/// Who asks for the sign-in.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::pages) enum Asks<'a> {
    /// An app.
    App(&'a App),
    /// A page of ours, of whoever is signed in and is to sign in again.
    Again(&'a User),
    /// A page of ours.
    Nobody,
}

pub(in crate::http::pages) fn csrf_purpose(grant: Option<GrantId>) -> String {
    grant.map_or_else(|| "upstream".to_owned(), |grant| format!("upstream/{grant}"))
}

/// The providers for a sign-in: those of the whole server, and those of the account whose app asks.
/// Whoever signs in again for a page of ours is offered where they are known, instead.
///
/// # Errors
/// [`DbError`] if storage fails.
pub(in crate::http::pages) async fn offered(
    server: &Server,
    asks: Asks<'_>,
) -> Result<Vec<Provider>, DbError> {
    let mut all = match asks {
        Asks::App(app) => {
            let own = server.providers.of(Some(&app.account)).await?;
            let common = server.providers.of(None).await?;
            [own.to_vec(), common.to_vec()].concat()
        }
        Asks::Nobody => server.providers.of(None).await?.to_vec(),
        // Whoever has a password here signs in anew with that: see `fresh`.
        Asks::Again(user) if user.password_changed_at.is_some() => Vec::new(),
        Asks::Again(user) => {
            let mut known = Vec::new();
            for identity in server.providers.identities(&user.id).await? {
                if let Some(provider) = server.providers.find(&identity.name.provider).await? {
                    known.push(Provider::clone(&provider));
                }
            }
            known
        }
    };
    all.retain(|provider| provider.enabled);
    Ok(all)
}

/// Their buttons; none if storage fails, for the password works without them.
pub(in crate::http::pages) async fn of(
    server: &Server,
    browser: &Browser,
    asks: Asks<'_>,
    grant: Option<GrantId>,
) -> ProviderButtons {
    let offered = offered(server, asks).await.unwrap_or_else(|error| {
        tracing::error!(?error, "the providers cannot be read");
        Vec::new()
    });
    let button =
        |provider: Provider| ProviderButton { id: provider.id.to_string(), title: provider.title };
    ProviderButtons {
        all: offered.into_iter().map(button).collect(),
        csrf: browser.csrf(&server.vault, &csrf_purpose(grant)),
        grant: grant.map(|grant| grant.to_string()).unwrap_or_default(),
    }
}
