//! The second half of a sign-in: showing a second factor, or adding a first one.

pub(in crate::http::pages) mod code;
pub(in crate::http::pages) mod enrol;
pub(in crate::http::pages) mod key;
pub(in crate::http::pages) mod recovery;

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;

use crate::base::id::GrantId;
use crate::http::browser::Browser;
use crate::http::pages::form::{ForGrant, Form, not_ours};
use crate::http::pages::sign_in::too_many;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, complete, retry_after, see_other, sign_in_path};
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::error::SignInError;
use crate::users::model::User;
use crate::users::sessions::Half;
use crate::words::Language;

/// What a request to one of these pages brings.
#[derive(Debug)]
pub(in crate::http::pages) struct Visit {
    grant: Option<GrantId>,
    browser: Browser,
    cookies: SessionCookies,
    language: Language,
}

impl FromRequestParts<Server> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let ForGrant(grant) = ForGrant::from_request_parts(parts, server).await?;
        let Ok(browser) = Browser::from_request_parts(parts, server).await;
        let Ok(cookies) = SessionCookies::from_request_parts(parts, server).await;
        let Ok(language) = Language::from_request_parts(parts, server).await;
        Ok(Self { grant, browser, cookies, language })
    }
}

impl Visit {
    /// The same with a form of ours, which says in a field what it is for; else the answer that
    /// refuses a form from elsewhere.
    #[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
    fn posted(self, server: &Server, purpose: &str, form: &Form) -> Result<Self, Response> {
        let visit = Self { grant: form.grant, ..self };
        let purpose = csrf_purpose(purpose, visit.grant);
        if !visit.browser.check_csrf(&server.vault, &purpose, form.get("csrf")) {
            return Err(not_ours());
        }
        Ok(visit)
    }

    /// The half that this browser has; else the answer that begins anew.
    async fn pending<'a>(&'a self, server: &'a Server) -> Result<Pending<'a>, Response> {
        // Too late, or never begun: from the start.
        let anew = || see_other(&sign_in_path(self.grant));
        let half = self.cookies.pending(server).await.map_err(|error| broken(&error))?;
        let half = half.ok_or_else(anew)?;
        let user = server.users.find(&half.user).await.map_err(|error| broken(&error))?;
        let user = user.filter(|user| user.is_active()).ok_or_else(anew)?;
        let recovery = server.users.factors(&user.id).await.map_err(|error| broken(&error))?;
        Ok(Pending { server, visit: self, half, user, codes_left: recovery.recovery.number })
    }
}

fn csrf_purpose(purpose: &str, grant: Option<GrantId>) -> String {
    grant.map_or_else(|| purpose.to_owned(), |grant| format!("{purpose}/{grant}"))
}

/// A way of showing a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WayKind {
    Code,
    Key,
    Recovery,
}

/// Another way than the one of the page.
#[derive(Clone, Debug)]
pub struct Way {
    /// The element's id.
    pub id: &'static str,
    /// A path of ours.
    pub href: String,
    /// What it says.
    pub text: String,
}

/// Why a page is shown again.
struct Why {
    status: StatusCode,
    fault: String,
    /// For how many seconds nothing else will be looked at.
    wait: Option<u32>,
}

impl Why {
    fn on(wait: Option<u32>, page: Response) -> Response {
        match wait {
            Some(seconds) => retry_after(page, seconds),
            None => page,
        }
    }
}

/// A sign-in that lacks its second factor.
struct Pending<'a> {
    server: &'a Server,
    visit: &'a Visit,
    half: Half,
    user: Arc<User>,
    codes_left: u32,
}

impl Pending<'_> {
    fn site(&self) -> Site {
        Site::of(&self.server.config, self.visit.language)
    }

    fn grant_text(&self) -> String {
        self.visit.grant.map(|grant| grant.to_string()).unwrap_or_default()
    }

    fn csrf(&self, purpose: &str) -> String {
        self.visit.browser.csrf(&self.server.vault, &csrf_purpose(purpose, self.visit.grant))
    }

    /// Where to begin again.
    fn again(&self) -> String {
        sign_in_path(self.visit.grant)
    }

    /// The other ways that this user has.
    fn ways(&self, shown: WayKind) -> Vec<Way> {
        let say = |id| self.visit.language.say(id);
        let all = [
            (WayKind::Code, self.user.has_totp, "way-code", "/sign-in/totp"),
            (WayKind::Key, self.user.has_keys, "way-key", "/sign-in/key"),
            (WayKind::Recovery, self.codes_left > 0, "way-recovery", "/sign-in/recovery"),
        ];
        let others = all.into_iter().filter(|(kind, has, ..)| *has && *kind != shown);
        others
            .map(|(_, _, id, path)| {
                let href = complete::with_grant(path, self.visit.grant);
                Way { id, href, text: say(id) }
            })
            .collect()
    }

    /// Why it does not go on; `wrong` is what was wrong, if something was.
    #[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
    fn why(&self, error: SignInError, wrong: &str) -> Result<Why, Response> {
        let language = self.visit.language;
        match error {
            SignInError::Wrong => {
                Ok(Why { status: StatusCode::FORBIDDEN, fault: language.say(wrong), wait: None })
            }
            SignInError::Throttled { retry_after_seconds }
            | SignInError::Busy { retry_after_seconds } => Ok(Why {
                status: StatusCode::TOO_MANY_REQUESTS,
                fault: too_many(language, retry_after_seconds),
                wait: Some(retry_after_seconds),
            }),
            SignInError::Internal(error) => Err(broken(&error)),
        }
    }

    async fn signed_in(&self, amr: &[&str]) -> Response {
        let Visit { grant, browser, cookies, .. } = self.visit;
        complete::signed_in(self.server, cookies, browser, &self.user, amr, *grant).await
    }
}
