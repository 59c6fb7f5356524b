//! A page that asks one thing before a grant goes on: its form is bound to the browser, the session
//! and this very request, so that nobody else can give the answer.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::{error, see_other, sign_in_path};
use crate::http::session::CurrentLogin;
use crate::server::Server;
use crate::users::login::Login;

/// What such a page asks.
#[derive(Clone, Copy, Debug)]
pub(in crate::http::pages) struct Question {
    /// Its path, without the slash.
    pub(in crate::http::pages) name: &'static str,
    /// The words for who comes without a grant, or without an answer.
    pub(in crate::http::pages) nothing_asked: &'static str,
}

impl Question {
    /// The page for who comes without a grant, or without an answer.
    pub(in crate::http::pages) fn nothing_asked(self) -> Response {
        error(StatusCode::BAD_REQUEST, self.nothing_asked)
    }

    fn purpose(self, grant: GrantId, login: &Login) -> String {
        format!("{}/{grant}/{}", self.name, URL_SAFE_NO_PAD.encode(login.session.0))
    }

    /// What the form of the page has to bring back.
    pub(in crate::http::pages) fn csrf(
        self,
        server: &Server,
        browser: &Browser,
        grant: GrantId,
        login: &Login,
    ) -> String {
        browser.csrf(&server.vault, &self.purpose(grant, login))
    }

    /// The grant that the form is about, and who sent it.
    ///
    /// # Errors
    /// What to answer instead.
    pub(in crate::http::pages) fn answered<'a>(
        self,
        server: &Server,
        browser: &Browser,
        current: &'a CurrentLogin,
        form: &Form,
    ) -> Result<(GrantId, &'a Login), Box<Response>> {
        let grant = form.grant.ok_or_else(|| Box::new(self.nothing_asked()))?;
        let to_sign_in = || Box::new(see_other(&sign_in_path(Some(grant))));
        let login = current.login().ok_or_else(to_sign_in)?;
        let purpose = self.purpose(grant, login);
        if browser.check_csrf(&server.vault, &purpose, form.get("csrf")) {
            Ok((grant, login))
        } else {
            Err(Box::new(not_ours()))
        }
    }
}
