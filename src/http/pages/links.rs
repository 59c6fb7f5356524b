//! Where a developer says more about an app: shown as links, never loaded.

use crate::apps::model::App;
use crate::words::Language;

/// An app as a page names it.
#[derive(Clone, Debug)]
pub struct AppShown {
    /// The developer's words.
    pub title: String,
    /// The account that answers for it: ours, not the developer's word.
    pub account: String,
    /// What its developer says about it elsewhere.
    pub links: Links,
}

/// What a developer says about an app. Every URL was checked when it was registered.
#[derive(Clone, Debug, Default)]
pub struct Links(Vec<Link>);

/// One of them.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its id on the page.
    pub id: &'static str,
    /// The words that it says.
    pub text: &'static str,
    /// Where it leads.
    pub href: String,
    /// The host that it leads to: what its text cannot fake.
    pub host: String,
}

impl Links {
    /// Those of an app. Source: OpenID Connect Registration section 2.
    pub fn of(app: &App, language: Language) -> Self {
        let all = [
            ("app-site", "links-site", "client_uri", &app.url),
            ("app-policy", "links-policy", "policy_uri", &app.metadata.policy_uri),
            ("app-terms", "links-terms", "tos_uri", &app.metadata.tos_uri),
            ("app-logo", "links-logo", "logo_uri", &app.icon_url),
        ];
        let link = |(id, text, name, url): (_, _, &str, &Option<String>)| {
            let href = app.metadata.localized_in(name, language).or(url.as_deref())?.to_owned();
            let host = url::Url::parse(&href).ok()?.host_str()?.to_owned();
            Some(Link { id, text, href, host })
        };
        Self(all.into_iter().filter_map(link).collect())
    }

    /// All of them.
    pub fn all(&self) -> &[Link] {
        &self.0
    }

    /// For the tests of templates.
    #[cfg(test)]
    pub fn sample(text: &str) -> Self {
        let href = format!("https://portal.example.org/{text}");
        let link = |id| Link { id, text: "links-terms", href: href.clone(), host: text.to_owned() };
        Self(["app-site", "app-policy", "app-terms", "app-logo"].map(link).to_vec())
    }
}
