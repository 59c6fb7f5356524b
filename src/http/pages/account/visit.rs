//! Who came to a page of their own account, and what all of these pages have in common.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use http::request::Parts;

use crate::http::browser::Browser;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::errand::{Place, sign_in_first};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::leaving::Leaving;
use crate::http::pages::templates::Site;
use crate::http::pages::{self, fresh};
use crate::http::session::CurrentLogin;
use crate::server::Server;
use crate::users::login::Login;
use crate::users::model::User;
use crate::words::Language;

/// Somebody, before it is known who they are and whether that is enough for the page.
#[derive(Clone, Debug)]
pub(in crate::http::pages) struct Guest {
    server: Server,
    browser: Browser,
    current: CurrentLogin,
    language: Language,
}

impl FromRequestParts<Server> for Guest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let Ok(browser) = Browser::from_request_parts(parts, server).await;
        let Ok(language) = Language::from_request_parts(parts, server).await;
        let current = CurrentLogin::from_request_parts(parts, server).await?;
        Ok(Self { server: server.clone(), browser, current, language })
    }
}

#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
impl Guest {
    /// Whoever is signed in; everybody else is sent to sign in.
    pub(in crate::http::pages) fn signed_in(self, section: Section) -> Result<Visit, Response> {
        let found = self.current.0.clone();
        let found = found.ok_or_else(|| sign_in_first(&self.server, &Place::Account(section)));
        self.visit(section, found)
    }

    /// Whoever has just signed in; everybody else is sent to sign in again. For showing a page.
    pub(in crate::http::pages) fn fresh(self, section: Section) -> Result<Visit, Response> {
        let found = fresh::login(&self.server, &self.current, &Place::Account(section));
        self.visit(section, found)
    }

    /// Whoever had just signed in when the page was shown. For its forms.
    pub(in crate::http::pages) fn answered(self, section: Section) -> Result<Visit, Response> {
        let found = fresh::answered(&self.server, &self.current, &Place::Account(section));
        self.visit(section, found)
    }

    fn visit(
        self,
        section: Section,
        found: Result<(Arc<Login>, Arc<User>), Response>,
    ) -> Result<Visit, Response> {
        let Self { server, browser, language, .. } = self;
        let (login, user) = found?;
        Ok(Visit { server, browser, language, section, login, user })
    }
}

/// Somebody at a page of their own account.
#[derive(Clone, Debug)]
pub(in crate::http::pages) struct Visit {
    /// Where.
    pub(in crate::http::pages) server: Server,
    /// With which browser.
    pub(in crate::http::pages) browser: Browser,
    /// What the page is written in.
    pub(in crate::http::pages) language: Language,
    /// At which page.
    pub(in crate::http::pages) section: Section,
    /// Signed in how.
    pub(in crate::http::pages) login: Arc<Login>,
    /// Who.
    pub(in crate::http::pages) user: Arc<User>,
}

impl Visit {
    /// Bound to the browser, the session, the page and what the form does there.
    fn purpose(&self, act: &str) -> String {
        let session = URL_SAFE_NO_PAD.encode(self.login.session.0);
        format!("account/{}/{act}/{session}", self.section.name())
    }

    /// The token of a form of this page that does `act`.
    pub(in crate::http::pages) fn csrf(&self, act: &str) -> String {
        self.browser.csrf(&self.server.vault, &self.purpose(act))
    }

    /// Checks the token of a form that does `act`.
    ///
    /// # Errors
    /// The page for a form that is not ours.
    #[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
    pub(in crate::http::pages) fn check(&self, form: &Form, act: &str) -> Result<(), Response> {
        let vault = &self.server.vault;
        if self.browser.check_csrf(vault, &self.purpose(act), form.get("csrf")) {
            Ok(())
        } else {
            Err(not_ours())
        }
    }

    /// What is around the page.
    pub(in crate::http::pages) fn site(&self) -> Site {
        let who = (&*self.login, &*self.user);
        let leaving = Leaving::of(&self.server, &self.browser, who, self.language);
        Site { leaving, ..Site::of(&self.server.config, self.language) }
    }

    /// What all pages of one's own account show.
    pub(in crate::http::pages) fn shell(&self) -> AccountShell {
        AccountShell::new(self.section, &self.user)
    }

    /// A page.
    pub(in crate::http::pages) fn page(
        &self,
        status: StatusCode,
        page: &impl askama::Template,
    ) -> Response {
        (self.browser.clone(), pages::page(status, page)).into_response()
    }
}
