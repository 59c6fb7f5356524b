//! Who is signed in, by the session cookie. The session itself is in [`crate::users::sessions`].

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use crate::base::clock::micros;
use crate::base::id::{ProviderId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::http::browser::Browser;
use crate::http::cookies::Cookie;
use crate::http::pages;
use crate::oauth::logout;
use crate::oauth::session_state::browser_state;
use crate::server::Server;
use crate::upstream::arrival::FEDERATED;
use crate::users::login::Login;
use crate::users::model::User;
use crate::users::sessions::{Half, Held, Sessions, Stage};

/// Who is signed in, if anybody is: completely, with every factor, and still active.
#[derive(Clone, Debug)]
pub struct CurrentLogin(pub Option<(Arc<Login>, Arc<User>)>);

impl CurrentLogin {
    /// The sign-in.
    pub fn login(&self) -> Option<&Login> {
        self.0.as_ref().map(|(login, _)| login.as_ref())
    }

    /// Who it is.
    pub fn user(&self) -> Option<&User> {
        self.0.as_ref().map(|(_, user)| user.as_ref())
    }
}

impl FromRequestParts<Server> for CurrentLogin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Response> {
        let https = server.config.issuer.is_https();
        let Some(cookie) = Cookie::Session.read(&parts.headers, https) else {
            return Ok(Self(None));
        };
        let found = server.users.current(cookie).await;
        found.map(Self).map_err(|error| pages::broken(&error))
    }
}

/// The session cookies that a request brought, to be replaced or taken away by its answer.
#[derive(Clone, Debug)]
pub struct SessionCookies {
    https: bool,
    session: Option<String>,
    pending: Option<String>,
    /// Where whoever signs in now comes from.
    provider: Option<ProviderId>,
}

impl FromRequestParts<Server> for SessionCookies {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, std::convert::Infallible> {
        let https = server.config.issuer.is_https();
        let read = |cookie: Cookie| cookie.read(&parts.headers, https).map(str::to_owned);
        let (session, pending) = (read(Cookie::Session), read(Cookie::Pending));
        Ok(Self { https, session, pending, provider: None })
    }
}

impl SessionCookies {
    /// The same cookies of somebody who comes from a provider: the session will know it.
    #[must_use]
    pub fn from_provider(&self, provider: &ProviderId) -> Self {
        Self { provider: Some(provider.clone()), ..self.clone() }
    }

    /// Where whoever completes a sign-in came from: now, or before the second factor.
    async fn came_from(
        &self,
        server: &Server,
        user: &UserId,
        amr: &[&str],
    ) -> Result<Option<ProviderId>, DbError> {
        if self.provider.is_some() || !amr.contains(&FEDERATED) {
            return Ok(self.provider.clone());
        }
        let half = self.pending(server).await?.filter(|half| half.user == *user);
        Ok(half.and_then(|half| half.provider))
    }

    /// Who showed their first factor a short while ago, in a sign-in that lacks its second.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn pending(&self, server: &Server) -> Result<Option<Half>, DbError> {
        let Some(cookie) = &self.pending else { return Ok(None) };
        match server.users.sessions().read(cookie).await? {
            Some(Held::Pending(half)) => Ok(Some(half)),
            Some(Held::Login(_)) | None => Ok(None),
        }
    }

    /// Begins a sign-in that lacks its second factor; only [`crate::http::pages`]' `complete` may
    /// say so. A session of before goes on beside it:
    /// whoever turns back here stays who they were.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub(in crate::http) async fn begin_pending(
        &self,
        server: &Server,
        user: &UserId,
        amr: &[&str],
        enrols: bool,
    ) -> Result<Vec<HeaderValue>, DbError> {
        let amr = amr.iter().map(|method| (*method).to_owned()).collect();
        let provider = self.provider.clone();
        let stage = Stage::Pending { user: user.clone(), amr, enrols, provider };
        let id = server.users.sessions().begin(self.pending.as_deref(), &stage).await?;
        Ok(vec![Cookie::Pending.set(&id, self.https)])
    }

    /// Completes a sign-in: a session under a new id; what was there before ends. Only
    /// [`crate::http::pages`]' `complete` may say that it is complete.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub(in crate::http) async fn complete(
        &self,
        server: &Server,
        browser: &Browser,
        user: &UserId,
        amr: &[&str],
    ) -> Result<Vec<HeaderValue>, DbError> {
        let sessions = server.users.sessions();
        let provider = self.came_from(server, user, amr).await?;
        let amr = amr.iter().map(|method| (*method).to_owned()).collect();
        let auth_time = micros(server.ctx.now());
        let session = self.going_on(server, user).await?;
        let seat = browser.seat();
        let user_id = user.clone();
        let stage = Stage::Complete { user: user_id, auth_time, amr, session, seat, provider };
        let id = sessions.begin(self.session.as_deref(), &stage).await?;
        let mark = server.users.device_mark(user, &browser.digest());
        let shown = session.or(Sessions::key_of(&id)).map(|it| browser_state(&server.oauth, it));
        let mut cookies = vec![
            Cookie::Session.set(&id, self.https),
            Cookie::State.set(&shown.unwrap_or_default(), self.https),
            browser.know(mark),
        ];
        if let Some(pending) = &self.pending {
            sessions.end(pending).await?;
            cookies.push(Cookie::Pending.remove(self.https));
        }
        Ok(cookies)
    }

    /// The session that goes on when `user` signs in again. One of somebody else ends: whoever
    /// signs in at this browser must not be taken for both.
    async fn going_on(&self, server: &Server, user: &UserId) -> Result<Option<Digest>, DbError> {
        let Some(cookie) = &self.session else { return Ok(None) };
        let Some((login, _)) = server.users.current(cookie).await? else { return Ok(None) };
        if login.user == *user {
            return Ok(Some(login.session));
        }
        logout::end(&server.oauth, &login).await?;
        Ok(None)
    }

    /// Ends the session; the answer takes the cookies away.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn end(&self, server: &Server) -> Result<Vec<HeaderValue>, DbError> {
        for cookie in [&self.session, &self.pending].into_iter().flatten() {
            server.users.sessions().end(cookie).await?;
        }
        let state = URL_SAFE_NO_PAD.encode(server.ctx.entropy().bytes::<16>());
        Ok(vec![
            Cookie::Session.remove(self.https),
            Cookie::Pending.remove(self.https),
            Cookie::State.set(&state, self.https),
        ])
    }
}

/// Adds `Set-Cookie` lines to an answer.
pub fn set(headers: &mut HeaderMap, cookies: Vec<HeaderValue>) {
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
}
