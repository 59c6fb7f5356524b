//! The authorization endpoint: from a request to a code. Source: RFC 6749 section 3.1.
//!
//! [`begin`] takes a request as it comes in; [`resume`] and [`consent`] take it up again when the
//! pages have done their part. All three end in the same `advance`, so no step can be skipped.

use std::sync::Arc;

use crate::apps::model::App;
use crate::apps::redirect::{VerifiedRedirect, match_registered};
use crate::base::id::GrantId;
use crate::base::secret::{Digest, Secret};
use crate::oauth::consent_ask::ConsentAsk;
use crate::oauth::eligibility;
use crate::oauth::error::{AuthorizeError, TokenError};
use crate::oauth::grant::{Approval, CODE_TTL, Code, Grant, Stage};
use crate::oauth::incoming::Incoming;
use crate::oauth::negotiate::{Negotiated, negotiate, told_to_known_apps};
use crate::oauth::params::Params;
use crate::oauth::prompt::{Consent, Next, Opening, Situation, next_step};
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::response::{Reply, ReplyTo};
use crate::oauth::service::OAuth;
use crate::oauth::session_state::session_state;
use crate::oauth::store::{self, Opened};
use crate::oauth::{own_apps, provenance, pushed, strength, subject};
use crate::users::login::Login;
use crate::users::model::User;
use crate::words::Language;

/// What to do with the browser now.
#[derive(Clone, Debug)]
pub enum Step {
    /// Show the sign-in page; it comes back to [`resume`].
    SignIn {
        /// What it is for.
        grant: GrantId,
        /// Who asks.
        app: Arc<App>,
        /// Whom the app expects.
        login_hint: Option<String>,
        /// What the app asks the pages to be in.
        language: Option<Language>,
        /// Whether they have to show who they are anew, wherever they do.
        anew: bool,
        /// Whether they are to sign up, if they have not.
        create: bool,
    },
    /// Ask whether to go on as who is signed in; the answer comes to
    /// [`crate::oauth::select::select`].
    SelectAccount {
        /// What it is for.
        grant: GrantId,
        /// Who asks.
        app: Arc<App>,
        /// What the app asks the pages to be in.
        language: Option<Language>,
    },
    /// Show the consent page; it comes back to [`consent`].
    Consent {
        /// What it is for.
        grant: GrantId,
        /// What to show.
        view: ConsentAsk,
        /// What the app asks the pages to be in.
        language: Option<Language>,
    },
    /// Send the browser on to the app, with what it was after.
    Reply(Reply),
}

/// A request on its way.
#[derive(Clone, Debug)]
struct Journey<'a> {
    oauth: &'a OAuth,
    app: Arc<App>,
    to: VerifiedRedirect,
    request: AuthorizeRequest,
    browser: Digest,
    login: Option<&'a Login>,
    /// The row it has, once a page was needed.
    pending: Option<Pending>,
    answer: Answer,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    id: GrantId,
    opening: Opening,
}

/// What the user said on the consent page of this very request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    Yes,
}

/// Takes an authorization request as it comes in.
///
/// # Errors
/// [`AuthorizeError::Page`] until the app and its `redirect_uri` are known to be good,
/// [`AuthorizeError::Told`] after.
pub async fn begin(
    oauth: &OAuth,
    params: &Params,
    login: Option<&Login>,
    browser: Digest,
) -> Result<Step, AuthorizeError> {
    let wary = |error| told_to_known_apps(error, login);
    let incoming = Incoming::read(oauth, params).await.map_err(wary)?;
    let Negotiated { app, to, request } = negotiate(oauth, &incoming).await.map_err(wary)?;
    let answer = Answer::Nothing;
    Journey { oauth, app, to, request, browser, login, pending: None, answer }.advance().await
}

/// Takes up a request after a page did its part.
///
/// # Errors
/// As [`begin`]; [`AuthorizeError::Page`] also if the request is over or another browser's.
pub async fn resume(
    oauth: &OAuth,
    grant: GrantId,
    browser: Digest,
    login: Option<&Login>,
) -> Result<Step, AuthorizeError> {
    Journey::take_up(oauth, grant, browser, login).await?.advance().await
}

/// Takes the user's answer on the consent page.
///
/// # Errors
/// As [`resume`]; `access_denied` by redirect if the user said no.
pub async fn consent(
    oauth: &OAuth,
    grant: GrantId,
    browser: Digest,
    login: &Login,
    approve: bool,
) -> Result<Step, AuthorizeError> {
    let mut journey = Journey::take_up(oauth, grant, browser, Some(login)).await?;
    if !approve {
        return journey.deny(grant).await;
    }
    journey.answer = Answer::Yes;
    journey.advance().await
}

/// Takes back a request whose user would rather not sign in.
///
/// # Errors
/// As [`resume`]; `access_denied` by redirect if all is well.
pub async fn cancel(
    oauth: &OAuth,
    grant: GrantId,
    browser: Digest,
) -> Result<Step, AuthorizeError> {
    Journey::take_up(oauth, grant, browser, None).await?.deny(grant).await
}

pub(in crate::oauth) fn over() -> AuthorizeError {
    AuthorizeError::Page("error-app-over")
}

impl<'a> Journey<'a> {
    async fn take_up(
        oauth: &'a OAuth,
        id: GrantId,
        browser: Digest,
        login: Option<&'a Login>,
    ) -> Result<Self, AuthorizeError> {
        let grant = store::find(&oauth.ctx().db, id).await?.ok_or_else(over)?;
        let Stage::Pending { browser: owner, session } = grant.stage else { return Err(over()) };
        if owner != browser || oauth.now() >= grant.expires_at {
            return Err(over());
        }
        let app = oauth.parts().apps.find(&grant.app).await?;
        let app = app.filter(|app| app.is_enabled()).ok_or_else(over)?;
        let to =
            match_registered(&app.callback_urls, &grant.request.redirect_uri).ok_or_else(over)?;
        let opening = Opening { at: grant.created_at, session };
        Ok(Self {
            oauth,
            app,
            to,
            request: grant.request,
            browser,
            login,
            pending: Some(Pending { id, opening }),
            answer: Answer::Nothing,
        })
    }

    /// Ends the request, once, and tells the app.
    async fn deny(&self, id: GrantId) -> Result<Step, AuthorizeError> {
        if !store::deny(&self.oauth.ctx().db, id, self.browser, self.oauth.now()).await? {
            return Err(over());
        }
        pushed::use_up(self.oauth, &self.request).await?;
        Err(self.refuse("access_denied", "the user said no"))
    }

    /// Goes as far as the user's part allows.
    async fn advance(self) -> Result<Step, AuthorizeError> {
        let lacks_second = match self.login {
            Some(login) => {
                strength::lacks(self.oauth, &self.app, (&login.user, &login.amr)).await?
            }
            None => false,
        };
        let next = next_step(&Situation {
            request: &self.request,
            login: self.login,
            is_expected: self.is_expected(),
            fits: self.fits().await?,
            lacks_second,
            opening: self.pending.map(|pending| pending.opening),
            consent: self.consent().await?,
            now: self.oauth.now(),
        });
        let language = self.request.language;
        match (next, self.login) {
            (Next::Fail(fault), _) => Err(self.refuse(fault.code, fault.description)),
            (Next::SignIn | Next::SignUp, _) => {
                let grant = self.open().await?;
                let anew = self.request.prompt.login || self.request.max_age.is_some();
                let login_hint = self.request.login_hint;
                let create = next == Next::SignUp;
                Ok(Step::SignIn { grant, app: self.app, login_hint, language, anew, create })
            }
            (Next::SelectAccount, Some(_)) => {
                Ok(Step::SelectAccount { grant: self.open().await?, app: self.app, language })
            }
            (Next::Consent, Some(login)) => {
                let user = self.eligible(login).await?;
                let grant = self.open().await?;
                let asked = (&self.to, &self.request);
                let view = Box::pin(ConsentAsk::new(self.oauth, &self.app, asked, user)).await?;
                Ok(Step::Consent { grant, view, language })
            }
            (Next::Finish, Some(login)) => self.finish(login).await,
            (Next::SelectAccount | Next::Consent | Next::Finish, None) => {
                Err(AuthorizeError::Bug("a step without a user"))
            }
        }
    }

    fn refuse(&self, code: &'static str, description: &'static str) -> AuthorizeError {
        AuthorizeError::Told { reply: Box::new(self.reply_to()), code, description }
    }

    fn reply_to(&self) -> ReplyTo {
        ReplyTo {
            app: self.app.clone(),
            to: self.to.clone(),
            mode: self.request.response_mode,
            state: self.request.state.clone(),
        }
    }

    fn is_expected(&self) -> bool {
        let vault = &self.oauth.parts().vault;
        self.login.is_none_or(|login| {
            self.request.expects(|| subject::of(vault, &self.app, &login.user).into_owned())
        })
    }

    /// Whether the app takes a sign-in that was done where this one was.
    async fn fits(&self) -> Result<bool, AuthorizeError> {
        let Some(login) = self.login else { return Ok(true) };
        Ok(provenance::fits(self.oauth, &self.app, login).await?)
    }

    async fn eligible(&self, login: &Login) -> Result<Arc<User>, AuthorizeError> {
        match eligibility::check(self.oauth, &self.app, &login.user, login.auth_time).await {
            Ok(user) => Ok(user),
            Err(TokenError::InvalidGrant(refusal)) => {
                tracing::info!(app = %self.app.id, user = %login.user, %refusal, "no access");
                Err(self.refuse("access_denied", "the user may not use this app"))
            }
            Err(TokenError::Internal(error)) => Err(error.into()),
            Err(_) => Err(AuthorizeError::Bug("eligibility answers something else")),
        }
    }

    async fn consent(&self) -> Result<Consent, AuthorizeError> {
        let Some(login) = self.login else { return Ok(Consent::Missing) };
        if self.answer == Answer::Yes {
            return Ok(Consent::GivenNow);
        }
        let given = self.oauth.consented(&login.user, &self.app.id).await?;
        // Details are for this one occasion. Source: RFC 9396 section 6.
        let covers = self.request.consent_scope().is_within(&given)
            && self.request.authorization_details.is_empty();
        Ok(if covers { Consent::Remembered } else { Consent::Missing })
    }

    /// The row that waits for the user: the one it has, or a new one.
    async fn open(&self) -> Result<GrantId, AuthorizeError> {
        if let Some(pending) = self.pending {
            return Ok(pending.id);
        }
        let opened = Opened {
            app: self.app.id.clone(),
            request: self.request.clone(),
            browser: self.browser,
            session: self.login.map(|login| login.key),
            at: self.oauth.now(),
        };
        Ok(Box::pin(store::open(&self.oauth.ctx().db, opened)).await?)
    }

    /// Approves the grant and gives out its code.
    async fn finish(self, login: &Login) -> Result<Step, AuthorizeError> {
        self.eligible(login).await?;
        if !pushed::use_up(self.oauth, &self.request).await? {
            return Err(self.refuse("invalid_request_uri", "the request was used already"));
        }
        let by = Approval {
            user: login.user.clone(),
            session: login.session,
            auth_time: login.auth_time,
            amr: login.amr.clone(),
            scope: self.request.scope.clone(),
        };
        let secret = Secret::generate(self.oauth.ctx().entropy());
        let digest = secret.digest();
        let now = self.oauth.now();
        let stamp = self.oauth.caches().grants.stamp();
        let db = &self.oauth.ctx().db;
        let id = match self.pending {
            Some(pending) => {
                Box::pin(self.approve(pending.id, &by, digest)).await?;
                pending.id
            }
            None => {
                store::insert_approved(db, &self.app.id, &self.request, &by, digest, now).await?
            }
        };
        let code = Code { grant: id, secret }.to_text();
        let mut pairs = vec![("code", code.as_str())];
        let session_state = self.session_state(login);
        if let Some(state) = &session_state {
            pairs.push(("session_state", state));
        }
        let reply = self.reply_to().reply(self.oauth, &pairs)?;
        let grant = Grant {
            id,
            app: self.app.id.clone(),
            request: self.request,
            stage: Stage::Approved { by, code: digest },
            refresh: None,
            access: None,
            binding: None,
            revoked_at: None,
            created_at: self.pending.map_or(now, |pending| pending.opening.at),
            expires_at: now + CODE_TTL,
        };
        self.oauth.caches().grants.insert_as_of(stamp, id.0, Arc::new(grant));
        Ok(Step::Reply(reply))
    }

    /// Source: OpenID Connect Session Management 1.0 section 3.
    fn session_state(&self, login: &Login) -> Option<String> {
        let origin = self.to.origin().filter(|_| self.request.scope.contains("openid"))?;
        Some(session_state(self.oauth, &self.app.id, &origin, login.session))
    }

    /// Approves the pending row, and remembers the consent that was given for it.
    async fn approve(
        &self,
        id: GrantId,
        by: &Approval,
        code: Digest,
    ) -> Result<(), AuthorizeError> {
        let now = self.oauth.now();
        let agreed = || (self.app.id.clone(), self.request.consent_scope().into_owned());
        let remember = (self.answer == Answer::Yes).then(agreed);
        let input = ((id, self.oauth.ctx().clone()), self.browser, by.clone(), code, remember);
        let approved = self.oauth.ctx().db.write(input, move |tx, input| {
            Box::pin(async move {
                let ((id, ctx), browser, by, code, remember) = input;
                if !store::approve(tx, *id, *browser, by, *code, now).await? {
                    return Ok(false);
                }
                if let Some((app, scope)) = remember {
                    own_apps::remember(tx, ctx, &by.user, (app, scope)).await?;
                }
                Ok::<bool, crate::db::error::DbError>(true)
            })
        });
        if approved.await? { Ok(()) } else { Err(over()) }
    }
}
