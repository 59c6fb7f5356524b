//! `/invitation`: the link of a letter that invites somebody into an account.
//!
//! To open it changes nothing; its buttons do. Who is no user yet becomes one by accepting.

pub mod templates;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::request::Parts;

use crate::accounts::invitations::answer::OpenedInvitation;
use crate::accounts::invitations::model::{Decision, InvitationError};
use crate::audit::model::Actor;
use crate::base::id::{GrantId, InvitationId};
use crate::base::secret::Secret;
use crate::http::browser::Browser;
use crate::http::pages::errand::{Place, sign_in_first};
use crate::http::pages::form::{Form, not_ours};
use crate::http::pages::invitation::templates::{InvitationPage, Stage};
use crate::http::pages::mailed::templates::{DonePage, Fault};
use crate::http::pages::mailed::{over, refuse};
use crate::http::pages::templates::{Link, Site};
use crate::http::pages::{broken, complete, error, error_with, page, see_other};
use crate::http::session::{CurrentLogin, SessionCookies};
use crate::oauth::params::Params;
use crate::server::Server;
use crate::words::Language;

const PURPOSE: &str = "invitation";

/// The route of this page.
pub(in crate::http::pages) fn routes() -> Router<Server> {
    Router::new().route("/invitation", get(show).post(submit))
}

/// What a letter's link holds.
#[derive(Clone, Debug)]
pub(in crate::http::pages) struct Letter {
    id: String,
    evc: String,
    /// The authorization that waits for whoever is invited.
    grant: Option<GrantId>,
}

/// Where an authorization waits for somebody who was invited: at the page of the invitation, if it is
/// open. An app sends what its own link held.
pub(in crate::http) async fn before(
    server: &Server,
    grant: GrantId,
    params: &Params,
) -> Option<Response> {
    let (id, evc) = (params.get("inviteId")?, params.get("evc")?);
    let place = Place::invitation(id, evc, Some(grant))?;
    let opened = server.tenancy.opened(&id.parse().ok()?, evc).await;
    opened.is_ok().then(|| see_other(&place.path()))
}

impl FromRequestParts<Server> for Letter {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Response> {
        let query = parts.uri.query().unwrap_or_default();
        let params = Params::parse(query.as_bytes())
            .map_err(|_| error(StatusCode::BAD_REQUEST, "error-link"))?;
        let text = |name| params.get(name).unwrap_or_default().to_owned();
        let grant = text("grant").parse().ok();
        Ok(Self { id: text("inviteId"), evc: text("evc"), grant })
    }
}

/// Somebody at the page.
struct Visit<'a> {
    server: &'a Server,
    browser: &'a Browser,
    current: &'a CurrentLogin,
    language: Language,
    letter: &'a Letter,
}

impl Visit<'_> {
    async fn open(&self) -> Result<OpenedInvitation, Response> {
        let id = self.letter.id.parse::<InvitationId>().map_err(|_| over())?;
        let opened = self.server.tenancy.opened(&id, &self.letter.evc).await;
        opened.map_err(|error| self.refuse(error))
    }

    /// Where the page begins for whoever is here.
    fn stage(&self, opened: &OpenedInvitation) -> Stage {
        match self.current.user() {
            Some(user) if opened.is_for(user) => Stage::Answer,
            Some(user) => Stage::Other(user.shown_name().to_owned()),
            None if opened.is_known => Stage::SignIn,
            None => Stage::SignUp,
        }
    }

    fn page(
        &self,
        status: StatusCode,
        (opened, name): (&OpenedInvitation, &str),
        fault: Option<Fault>,
    ) -> Response {
        let Self { server, browser, language, letter, .. } = self;
        let invitation = &opened.invitation;
        let answer = page(
            status,
            &InvitationPage {
                site: Site::of(&server.config, *language),
                account: invitation.account_name.clone(),
                group: invitation.group_name.clone(),
                project: invitation.project_name.clone(),
                email: invitation.email.clone(),
                csrf: browser.csrf(&server.vault, PURPOSE),
                id: letter.id.clone(),
                evc: letter.evc.clone(),
                grant: letter.grant.map(|grant| grant.to_string()).unwrap_or_default(),
                stage: self.stage(opened),
                name: name.to_owned(),
                fault,
            },
        );
        ((*browser).clone(), answer).into_response()
    }

    fn refuse(&self, error: InvitationError) -> Response {
        match error {
            InvitationError::AlreadyAccepted => {
                let link = Link { href: "/".to_owned(), text: "error-not-found-link" };
                error_with(StatusCode::CONFLICT, "error-invitation-accepted", Some(link))
            }
            InvitationError::Internal(error) => broken(&error),
            InvitationError::Mailed(error) => refuse(error, self.language, |_, _| over()),
            _ => over(),
        }
    }

    fn done(&self, words: [&'static str; 3]) -> Response {
        let site = Site::of(&self.server.config, self.language);
        let [title, text, label] = words;
        page(StatusCode::OK, &DonePage { site, title, text, next: "/".to_owned(), label })
    }

    fn done_with(&self, decision: Decision) -> Response {
        self.done(match decision {
            Decision::Accept => [
                "invitation-accepted-title",
                "invitation-accepted-text",
                "invitation-accepted-next",
            ],
            Decision::Reject => [
                "invitation-rejected-title",
                "invitation-rejected-text",
                "invitation-rejected-next",
            ],
        })
    }

    /// Says yes or no for whoever is signed in, or no for whoever is not.
    async fn answer(&self, opened: &OpenedInvitation, decision: Decision) -> Response {
        let tenancy = &self.server.tenancy;
        let answered = match (self.current.user(), decision) {
            (Some(user), _) => {
                let actor = Actor::user(&user.id).from(Some(self.browser.source().ip));
                tenancy.answer_opened((user, &actor), opened, decision).await.map(drop)
            }
            (None, Decision::Reject) => {
                tenancy.reject_opened(opened, Some(self.browser.source().ip)).await
            }
            (None, Decision::Accept) => return self.page(StatusCode::OK, (opened, ""), None),
        };
        match (answered, self.letter.grant) {
            (Ok(()), Some(grant)) => see_other(&format!("/authorize/{grant}")),
            (Ok(()), None) => self.done_with(decision),
            (Err(InvitationError::OtherAddress), _) => {
                self.page(StatusCode::FORBIDDEN, (opened, ""), None)
            }
            (Err(error), _) => self.refuse(error),
        }
    }

    /// Makes a user of whoever typed a name and a password, and signs them in.
    async fn sign_up(
        &self,
        opened: &OpenedInvitation,
        form: &Form,
        cookies: &SessionCookies,
    ) -> Response {
        let Self { server, browser, .. } = self;
        let name = form.get("name").unwrap_or_default();
        let password = Secret::presented(form.get("password").unwrap_or_default());
        let actor = Actor::default().from(Some(self.browser.source().ip));
        match server.tenancy.accept_as_new(opened, (name, &password), &actor).await {
            Ok(user) => {
                let grant = self.letter.grant;
                complete::signed_in(server, cookies, browser, &user, &["pwd"], grant).await
            }
            Err(InvitationError::Mailed(error)) => refuse(error, self.language, |status, fault| {
                self.page(status, (opened, name), fault)
            }),
            Err(error) => self.refuse(error),
        }
    }
}

/// Whether whoever is invited may become a user here.
fn is_closed(server: &Server, stage: &Stage) -> bool {
    *stage == Stage::SignUp && !server.config.sign_up.takes_invited()
}

/// `GET /invitation`
pub(in crate::http::pages) async fn show(
    State(server): State<Server>,
    letter: Letter,
    current: CurrentLogin,
    browser: Browser,
    language: Language,
) -> Result<Response, Response> {
    let (server, browser, current, letter) = (&server, &browser, &current, &letter);
    let visit = Visit { server, browser, current, language, letter };
    let opened = visit.open().await?;
    if is_closed(server, &visit.stage(&opened)) {
        return Err(error(StatusCode::FORBIDDEN, "error-sign-up-closed"));
    }
    Ok(visit.page(StatusCode::OK, (&opened, ""), None))
}

/// `POST /invitation`
pub(in crate::http::pages) async fn submit(
    State(server): State<Server>,
    browser: Browser,
    current: CurrentLogin,
    cookies: SessionCookies,
    language: Language,
    form: Form,
) -> Result<Response, Response> {
    if !browser.check_csrf(&server.vault, PURPOSE, form.get("csrf")) {
        return Err(not_ours());
    }
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    let grant = text("grant").parse().ok();
    let letter = Letter { id: text("inviteId"), evc: text("evc"), grant };
    let (server, browser, current, letter) = (&server, &browser, &current, &letter);
    let visit = Visit { server, browser, current, language, letter };
    let opened = visit.open().await?;
    Ok(match (form.get("decision"), visit.stage(&opened)) {
        (Some("reject"), _) => visit.answer(&opened, Decision::Reject).await,
        (Some("sign-in"), Stage::SignIn | Stage::SignUp) => {
            let place =
                Place::invitation(&letter.id, &letter.evc, letter.grant).ok_or_else(over)?;
            sign_in_first(server, &place)
        }
        (Some("accept"), stage) if is_closed(server, &stage) => {
            error(StatusCode::FORBIDDEN, "error-sign-up-closed")
        }
        (Some("accept"), Stage::SignUp) => visit.sign_up(&opened, &form, &cookies).await,
        _ => visit.answer(&opened, Decision::Accept).await,
    })
}
