//! What a user must do next before a grant is theirs to give, without any I/O.
//!
//! The pages come back through [`next_step`] each time, so no step can be skipped by its URL.

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::secret::Digest;
use crate::oauth::request::{AuthorizeRequest, Fault};
use crate::users::login::Login;

/// What to do next with an authorization request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Sign in, all factors.
    SignIn,
    /// Make a user of one's own, or sign in after all.
    SignUp,
    /// Say whether to go on as who is signed in.
    SelectAccount,
    /// Say yes or no.
    Consent,
    /// Nothing: the grant can be approved.
    Finish,
    /// Tell the app that it cannot be.
    Fail(Fault),
}

/// When and with which session the browser first came with this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When.
    pub at: DateTime<Utc>,
    /// What the session that the browser had then was stored by.
    pub session: Option<Digest>,
}

/// What [`next_step`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What was asked.
    pub request: &'a AuthorizeRequest,
    /// Who is signed in, completely.
    pub login: Option<&'a Login>,
    /// Whether that is who the app expects.
    pub is_expected: bool,
    /// Whether the app takes a sign-in that was done where this one was.
    pub fits: bool,
    /// Whether a second factor is demanded that was not shown.
    pub lacks_second: bool,
    /// How it began; `None` while it is just coming in.
    pub opening: Option<Opening>,
    /// Whether the user agreed: earlier, to all of it, or just now.
    pub consent: Consent,
    /// The current instant.
    pub now: DateTime<Utc>,
}

/// Whether the user agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// No.
    Missing,
    /// On an earlier occasion.
    Remembered,
    /// On the page of this very request.
    GivenNow,
}

const fn fail(code: &'static str, description: &'static str) -> Next {
    Next::Fail(Fault { code, description })
}

/// Decides what comes next.
///
/// Source: OpenID Connect Core sections 3.1.2.1, 3.1.2.3 and 3.1.2.6; Initiating User Registration
/// via OpenID Connect section 4.
pub fn next_step(situation: &Situation<'_>) -> Next {
    let prompt = situation.request.prompt;
    let Some(login) = situation.login else {
        return if prompt.none {
            fail("login_required", "the user is not signed in")
        } else if prompt.create {
            Next::SignUp
        } else {
            Next::SignIn
        };
    };
    if !situation.fits {
        return if prompt.none {
            fail("login_required", "the user has to sign in elsewhere")
        } else {
            Next::SignIn
        };
    }
    let fresh = is_fresh(login, situation.opening);
    if prompt.create && !fresh {
        return Next::SignUp;
    }
    if !fresh && (prompt.login || is_too_old(login, situation)) {
        return if prompt.none {
            fail("login_required", "the user signed in too long ago")
        } else {
            Next::SignIn
        };
    }
    if !situation.is_expected {
        return if prompt.none || fresh {
            fail("login_required", "another user is signed in")
        } else {
            Next::SignIn
        };
    }
    if situation.lacks_second {
        return if prompt.none {
            fail("login_required", "the user must sign in with a second factor")
        } else {
            Next::SignIn
        };
    }
    if let Some(next) = step_up(situation.request, login, fresh) {
        return next;
    }
    if prompt.select_account && !fresh {
        return Next::SelectAccount;
    }
    match situation.consent {
        Consent::GivenNow => Next::Finish,
        Consent::Remembered if !prompt.consent => Next::Finish,
        _ if prompt.none => fail("consent_required", "the user has not agreed yet"),
        _ => Next::Consent,
    }
}

/// What to do about a sign-in that is less sure than was asked for; `None`: go on. A wish that
/// cannot be granted is passed over, a demand is not. Source: OpenID Connect Core
/// section 5.5.1.1, OpenID Connect Unmet Authentication Requirements section 2, RFC 9470
/// section 5.
fn step_up(request: &AuthorizeRequest, login: &Login, fresh: bool) -> Option<Next> {
    let asked = request.acr.as_ref()?;
    if asked.met_by(&login.amr).is_some() {
        return None;
    }
    if !fresh && !request.prompt.none && asked.can_be_met() {
        return Some(Next::SignIn);
    }
    let unmet =
        fail("unmet_authentication_requirements", "the user cannot sign in as surely as asked");
    asked.essential.then_some(unmet)
}

/// Whether the user signed in for this request: after it came, and with a session of their own.
fn is_fresh(login: &Login, opening: Option<Opening>) -> bool {
    opening
        .is_some_and(|opening| login.auth_time >= opening.at && opening.session != Some(login.key))
}

fn is_too_old(login: &Login, situation: &Situation<'_>) -> bool {
    situation.request.max_age.is_some_and(|seconds| {
        situation.now - login.auth_time > TimeDelta::seconds(i64::from(seconds))
    })
}

#[cfg(test)]
mod tests;
