//! What the templates show. One struct for each, fields ready to show; askama escapes them.

use askama::Template;

use crate::config::model::Config;
use crate::http::assets::{LOGO, STYLE};
use crate::http::pages::key_form::KeyForm;
use crate::http::pages::leaving::Leaving;
use crate::http::pages::links::{AppShown, Links};
use crate::http::pages::teller::Face;
use crate::http::pages::upstream::buttons::ProviderButtons;
use crate::words::Language;

/// Where a variable was: a character that no text of ours has.
const GAP: &str = "\u{fffc}";

/// What every page shows around its own part.
#[derive(Clone, Debug)]
pub struct Site {
    /// Host and port of this server, so that people see where they are; may be empty.
    pub host: String,
    /// Where the stylesheet is.
    pub style: String,
    /// Where the logo is.
    pub logo: String,
    /// What it is written in.
    pub language: Language,
    /// The warning of who asked to be deleted.
    pub leaving: Option<Leaving>,
}

impl Site {
    /// The surroundings of a page of this server.
    pub fn of(config: &Config, language: Language) -> Self {
        let url = config.issuer.as_str();
        let host = url.split_once("://").map_or(url, |(_, host)| host).to_owned();
        Self { host, ..Self::plain(language) }
    }

    /// The surroundings of a page that does not know its server.
    pub fn plain(language: Language) -> Self {
        let (style, logo) = (STYLE.href(), LOGO.href());
        Self { host: String::new(), style, logo, language, leaving: None }
    }

    /// The words with this id.
    pub fn say(&self, id: &str) -> String {
        self.language.say(id)
    }

    /// Words with a text in place of their one variable.
    pub fn say_with(&self, id: &str, name: &'static str, value: &str) -> String {
        self.language.say_with(id, &[(name, value.into())])
    }

    /// Words with a number in place of their one variable, in singular or plural.
    pub fn count(&self, id: &str, name: &'static str, number: i64) -> String {
        self.language.say_with(id, &[(name, number.into())])
    }

    /// What stands before and after the one variable of these words, so that a template can put
    /// an element of its own in its place.
    pub fn around(&self, id: &str, name: &'static str) -> (String, String) {
        let text = self.language.say_with(id, &[(name, GAP.into())]);
        let (before, after) = text.split_once(GAP).unwrap_or((&text, ""));
        (before.to_owned(), after.to_owned())
    }

    /// What stands before, between and after two variables, which come in this order.
    pub fn around_two(
        &self,
        id: &str,
        first: &'static str,
        second: &'static str,
    ) -> (String, String, String) {
        let text = self.language.say_with(id, &[(first, GAP.into()), (second, GAP.into())]);
        let mut parts = text.splitn(3, GAP).map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }

    /// For the tests of templates.
    #[cfg(test)]
    pub fn sample() -> Self {
        Self {
            host: "id.example.org".to_owned(),
            style: "style.css".to_owned(),
            logo: "logo.svg".to_owned(),
            language: Language::English,
            leaving: None,
        }
    }
}

/// `templates/sign_in.html`: asks for name and password.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Around it.
    pub site: Site,
    /// The app that asks for the sign-in.
    pub app: Option<AppShown>,
    /// Number of the authorization that it is for; may be empty.
    pub grant: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What was typed before.
    pub username: String,
    /// Where else one may sign in.
    pub providers: ProviderButtons,
    /// Where to set another password.
    pub forgot: String,
    /// Where to sign up, if everybody may.
    pub sign_up: Option<String>,
    /// Why it is shown again.
    pub fault: Option<String>,
    /// Asks for a passkey instead.
    pub passkey: Option<KeyForm>,
}

/// `templates/consent.html`: asks whether an app may act for the user.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Around it.
    pub site: Site,
    /// Number of the authorization that it is for.
    pub grant: String,
    /// Token against posts from elsewhere; bound to the session, too.
    pub csrf: String,
    /// Title of the app: the developer's words.
    pub app_title: String,
    /// What stands beside that title.
    pub face: Face,
    /// The account that answers for the app: ours, not the developer's word.
    pub app_account: String,
    /// Where the answer goes, as far as people can judge it.
    pub app_host: Option<String>,
    /// Whether the app is still being developed.
    pub in_development: bool,
    /// Who is asked.
    pub user: String,
    /// What the app asks for, one phrase each.
    pub wishes: Vec<String>,
    /// What its developer says about it elsewhere.
    pub links: Links,
    /// What it asks for in detail: a type, and what is said of it.
    pub details: Vec<(String, Vec<String>)>,
}

/// A way out of an error page.
#[derive(Clone, Debug)]
pub struct Link {
    /// Where to: a path of ours.
    pub href: String,
    /// The words that it says.
    pub text: &'static str,
}

/// `templates/error.html`: says what went wrong.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Around it.
    pub site: Site,
    /// In a few words.
    pub title: String,
    /// What it means, and what to do.
    pub text: String,
    /// What to do, as a button.
    pub link: Option<Link>,
}

/// `templates/signed_out.html`: says that it is over.
#[derive(Debug, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// Around it.
    pub site: Site,
    /// Where other apps sign the user out, too.
    pub frames: Vec<String>,
    /// Where the browser goes on.
    pub then: Option<String>,
}

/// `templates/sign_out.html`: asks whether to sign out.
#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
pub struct SignOutPage {
    /// Around it.
    pub site: Site,
    /// The app that asks for it.
    pub app: Option<String>,
    /// Who would be signed out.
    pub user: String,
    /// Where the answer goes: a path of ours.
    pub action: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What else the answer has to bring back.
    pub fields: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::select_account::SelectAccountPage;

    const HOSTILE: &str = "\"><script>alert(1)</script>&'";

    fn texts() -> [String; 4] {
        ["Ada Lovelace", "Clinic Portal", "acme", "ada"].map(str::to_owned)
    }

    fn hostile() -> [String; 4] {
        [HOSTILE; 4].map(str::to_owned)
    }

    fn render(page: &impl Template) -> String {
        page.render().unwrap()
    }

    /// Every page with every optional part, filled with these texts.
    fn samples(texts: &[String; 4]) -> Vec<(&'static str, String)> {
        [sign_in_samples(texts), other_samples(texts), signed_out_samples(texts)].concat()
    }

    fn sign_in_samples(texts: &[String; 4]) -> Vec<(&'static str, String)> {
        let site = Site::sample;
        let [name, title, account, username] = texts;
        vec![
            (
                "sign_in",
                render(&SignInPage {
                    site: site(),
                    app: Some(AppShown {
                        title: title.clone(),
                        account: account.clone(),
                        links: Links::sample(account),
                    }),
                    grant: "17".to_owned(),
                    csrf: "token".to_owned(),
                    username: String::new(),
                    providers: ProviderButtons::sample(account),
                    forgot: "/forgot".to_owned(),
                    sign_up: Some("/sign-up".to_owned()),
                    fault: None,
                    passkey: None,
                }),
            ),
            (
                "sign_in_wrong",
                render(&SignInPage {
                    site: site(),
                    app: None,
                    grant: String::new(),
                    csrf: "token".to_owned(),
                    username: username.clone(),
                    providers: ProviderButtons::default(),
                    forgot: "/forgot".to_owned(),
                    sign_up: None,
                    fault: Some("Username or password is wrong.".to_owned()),
                    passkey: None,
                }),
            ),
            (
                "select_account",
                render(&SelectAccountPage {
                    site: site(),
                    app: title.clone(),
                    grant: "17".to_owned(),
                    csrf: "token".to_owned(),
                    user: name.clone(),
                    username: username.clone(),
                }),
            ),
        ]
    }

    fn other_samples(texts: &[String; 4]) -> Vec<(&'static str, String)> {
        let site = Site::sample;
        let [name, title, account, _] = texts;
        vec![
            (
                "consent",
                render(&ConsentPage {
                    site: site(),
                    grant: "17".to_owned(),
                    csrf: "token".to_owned(),
                    app_title: title.clone(),
                    face: Face { logo: Some(account.clone()), letter: "C".to_owned() },
                    app_account: account.clone(),
                    app_host: Some("portal.example.org".to_owned()),
                    in_development: true,
                    user: name.clone(),
                    wishes: vec![
                        "Know who you are".to_owned(),
                        "See your name".to_owned(),
                        format!("Use “{account}”"),
                    ],
                    links: Links::sample(account),
                    details: vec![(title.clone(), vec![account.clone()])],
                }),
            ),
            (
                "error",
                render(&ErrorPage {
                    site: site(),
                    title: "This page is over".to_owned(),
                    text: title.clone(),
                    link: Some(Link { href: "/sign-in".to_owned(), text: "sign-in-submit" }),
                }),
            ),
            (
                "sign_out",
                render(&SignOutPage {
                    site: site(),
                    app: Some(title.clone()),
                    user: name.clone(),
                    action: "/logout".to_owned(),
                    csrf: "token".to_owned(),
                    fields: vec![("state".to_owned(), account.clone())],
                }),
            ),
        ]
    }

    fn signed_out_samples(texts: &[String; 4]) -> Vec<(&'static str, String)> {
        let site = Site::sample;
        let [_, title, account, _] = texts;
        let frames = vec![format!("https://portal.example.org/out?iss={account}")];
        let then = Some(format!("https://portal.example.org/bye?state={title}"));
        let plain = SignedOutPage { site: site(), frames: Vec::new(), then: None };
        vec![
            ("signed_out", render(&plain)),
            ("signing_out", render(&SignedOutPage { site: site(), frames, then })),
        ]
    }

    #[test]
    fn case_16_pages_escape_what_others_wrote() {
        for (page, html) in samples(&hostile()) {
            assert!(!html.contains("<script"), "{page}: {html}");
            assert!(!html.contains(HOSTILE), "{page}: {html}");
            assert_eq!(html.contains("alert(1)"), page != "signed_out", "{page}: {html}");
        }
    }

    #[test]
    fn case_17_consent_names_the_account_and_the_destination_beside_the_title() {
        let pages = samples(&texts());
        let (_, html) = pages.iter().find(|(page, _)| *page == "consent").unwrap();

        for id in ["app-title", "app-account", "app-host", "app-developing", "consent-user"] {
            assert!(html.contains(&format!("id=\"{id}\"")), "{id}: {html}");
        }
        assert!(html.contains(">portal.example.org<") && html.contains(">acme<"));
        assert!(html.contains("in development"));
    }

    #[test]
    fn pages_need_no_inline_code_and_name_their_fields() {
        for (page, html) in samples(&texts()) {
            assert!(html.contains("<html lang=\"en\">"), "{page}");
            assert_eq!(html.matches("<h1").count(), 1, "{page}");
            for banned in ["style=\"", "<style", "<script", "onclick", "javascript:", "http://"] {
                assert!(!html.contains(banned), "{page}: {banned}");
            }
            for field in html.split("<input ").skip(1).filter(|f| !f.contains("type=\"hidden\"")) {
                let id = field.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
                assert!(html.contains(&format!("<label for=\"{id}\">")), "{page}: {id}");
                assert!(field.split('>').next().unwrap().contains("autocomplete=\""), "{page}");
            }
        }
    }

    /// Writes the pages to a folder, for whoever wants to look at them:
    /// `NARTHEX_PAGES=/tmp/pages cargo test --lib pages_can_be_looked_at`.
    #[test]
    fn pages_can_be_looked_at() {
        let Some(folder) = std::env::var_os("NARTHEX_PAGES").map(std::path::PathBuf::from) else {
            return;
        };
        std::fs::create_dir_all(&folder).unwrap();
        for (page, html) in samples(&texts()) {
            std::fs::write(folder.join(page).with_extension("html"), html).unwrap();
        }
        for file in ["style.css", "logo.svg"] {
            std::fs::copy(format!("static/{file}"), folder.join(file)).unwrap();
        }
    }
}
