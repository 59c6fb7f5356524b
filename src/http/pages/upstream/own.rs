//! `/account/providers`: where else somebody signs in from, and that they no longer want to.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::base::id::ProviderId;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, see_other};

/// An identity as its owner sees it.
#[derive(Clone, Debug)]
pub struct Connected {
    /// The provider's id.
    pub id: String,
    /// What the provider is called.
    pub title: String,
    /// What they are known by there.
    pub shown: String,
    /// Since when.
    pub since: String,
    /// When it was last used.
    pub used: String,
}

/// `templates/account/providers.html`: the identities of whoever is signed in.
#[derive(Debug, Template)]
#[template(path = "account/providers.html")]
pub struct ProvidersPage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// Where they come from.
    pub connected: Vec<Connected>,
    /// Why nothing was changed.
    pub fault: Option<String>,
}

const ACT: &str = "unlink";

async fn page(
    visit: &Visit,
    status: StatusCode,
    fault: Option<String>,
) -> Result<Response, Response> {
    let providers = &visit.server.providers;
    let identities = providers.identities(&visit.user.id).await.map_err(|e| broken(&e))?;
    let mut connected = Vec::new();
    for identity in identities {
        let id = &identity.name.provider;
        let provider = providers.find(id).await.map_err(|error| broken(&error))?;
        connected.push(Connected {
            id: id.to_string(),
            title: provider.map_or_else(|| id.to_string(), |provider| provider.title.clone()),
            shown: identity.shown,
            since: visit.language.day(identity.linked_at),
            used: visit.language.day(identity.used_at),
        });
    }
    let (site, shell, csrf) = (visit.site(), visit.shell(), visit.csrf(ACT));
    Ok(visit.page(status, &ProvidersPage { site, shell, csrf, connected, fault }))
}

/// `GET /account/providers`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    page(&guest.fresh(Section::Providers)?, StatusCode::OK, None).await
}

/// `POST /account/providers`: takes one away, unless nothing else would let its owner in.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.answered(Section::Providers)?;
    visit.check(&form, ACT)?;
    let Some(id) = form.get("provider").and_then(|text| text.parse::<ProviderId>().ok()) else {
        return Ok(see_other(Section::Providers.path()));
    };
    let providers = &visit.server.providers;
    let identities = providers.identities(&visit.user.id).await.map_err(|e| broken(&e))?;
    let is_last = identities.iter().all(|identity| identity.name.provider == id);
    if is_last && visit.user.password_changed_at.is_none() {
        let fault = visit.language.say("providers-last");
        return page(&visit, StatusCode::CONFLICT, Some(fault)).await;
    }
    providers.unlink(&visit.user.id, &id).await.map_err(|error| broken(&error))?;
    Ok(see_other(Section::Providers.path()))
}
