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
mod tests {
    use super::*;
    use crate::base::clock::from_micros;
    use crate::oauth::acr::{AcrRequest, ONE_FACTOR, TWO_FACTORS};
    use crate::oauth::request::Prompt;

    const SECOND: i64 = 1_000_000;

    /// A request that came just now, of a user who signed in 100 seconds ago and agreed earlier,
    /// bent by `bend`, must lead to `expected`: the name of a step or of an error.
    #[track_caller]
    fn check(bend: impl FnOnce(&mut AuthorizeRequest, &mut Case), expected: &str) {
        let mut request = AuthorizeRequest::default();
        let login = Login {
            provider: None,
            user: "u1".parse().unwrap(),
            auth_time: from_micros(900 * SECOND),
            amr: vec!["pwd".to_owned()],
            session: Digest([1; 32]),
            key: Digest([1; 32]),
        };
        let mut case = Case {
            login: Some(login),
            fits: true,
            lacks_second: false,
            opening: None,
            consent: Consent::Remembered,
        };
        bend(&mut request, &mut case);
        let next = next_step(&Situation {
            request: &request,
            login: case.login.as_ref(),
            is_expected: request.expects(|| {
                case.login.as_ref().map(|login| login.user.to_string()).unwrap_or_default()
            }),
            fits: case.fits,
            lacks_second: case.lacks_second,
            opening: case.opening,
            consent: case.consent,
            now: from_micros(1000 * SECOND),
        });
        let name = match next {
            Next::SignIn => "sign in",
            Next::SignUp => "sign up",
            Next::SelectAccount => "select account",
            Next::Consent => "consent",
            Next::Finish => "finish",
            Next::Fail(fault) => fault.code,
        };
        assert_eq!(name, expected);
    }

    struct Case {
        login: Option<Login>,
        fits: bool,
        lacks_second: bool,
        opening: Option<Opening>,
        consent: Consent,
    }

    /// The request came before the sign-in, when the browser had another session.
    fn signed_in_for_it(case: &mut Case) {
        case.opening =
            Some(Opening { at: from_micros(890 * SECOND), session: Some(Digest([2; 32])) });
    }

    const NOTHING: Prompt =
        Prompt { none: false, login: false, consent: false, select_account: false, create: false };
    const NONE: Prompt = Prompt { none: true, ..NOTHING };
    const LOGIN: Prompt = Prompt { login: true, ..NOTHING };
    const CONSENT: Prompt = Prompt { consent: true, ..NOTHING };
    const CREATE: Prompt = Prompt { create: true, ..NOTHING };
    const SELECT: Prompt = Prompt { select_account: true, ..NOTHING };

    #[test]
    fn whoever_is_to_sign_up_does_or_signs_in_for_it() {
        check(
            |request, case| {
                request.prompt = CREATE;
                case.login = None;
            },
            "sign up",
        );
        check(|request, _| request.prompt = CREATE, "sign up");
        check(
            |request, case| {
                request.prompt = CREATE;
                signed_in_for_it(case);
            },
            "finish",
        );
    }

    #[test]
    fn oidc_core_3_1_2_3_who_is_unknown_signs_in_and_who_has_not_agreed_is_asked() {
        check(|_, _| (), "finish");
        check(|_, case| case.login = None, "sign in");
        check(|_, case| case.consent = Consent::Missing, "consent");
        check(|_, case| case.consent = Consent::GivenNow, "finish");
    }

    #[test]
    fn oidc_core_3_1_2_6_prompt_none_shows_nothing() {
        check(|request, _| request.prompt = NONE, "finish");
        check(|request, case| (request.prompt, case.login) = (NONE, None), "login_required");
        check(|request, _| (request.prompt, request.max_age) = (NONE, Some(99)), "login_required");
        check(
            |request, _| {
                (request.prompt, request.sub_hint) = (NONE, Some("u2".to_owned()));
            },
            "login_required",
        );
        check(
            |request, case| (request.prompt, case.consent) = (NONE, Consent::Missing),
            "consent_required",
        );
    }

    #[test]
    fn case_54_a_sign_in_that_was_done_elsewhere_is_none_for_this_app() {
        check(|_, case| case.fits = false, "sign in");
        check(|request, case| (request.prompt, case.fits) = (NONE, false), "login_required");
        check(
            |_, case| {
                case.fits = false;
                signed_in_for_it(case);
            },
            "sign in",
        );
    }

    #[test]
    fn case_18_prompt_login_and_max_age_really_sign_in_again() {
        check(|request, _| request.prompt = LOGIN, "sign in");
        check(|request, _| request.max_age = Some(99), "sign in");
        check(|request, _| request.max_age = Some(100), "finish");
        check(
            |request, case| {
                request.prompt = LOGIN;
                case.opening = Some(Opening { at: from_micros(950 * SECOND), session: None });
            },
            "sign in",
        );
        check(
            |request, case| {
                request.prompt = LOGIN;
                // The same instant, but still the session it came with: nobody signed in.
                let session = case.login.as_ref().map(|login| login.key);
                case.opening = Some(Opening { at: from_micros(900 * SECOND), session });
            },
            "sign in",
        );
        check(
            |request, case| {
                (request.prompt, request.max_age) = (LOGIN, Some(1));
                signed_in_for_it(case);
            },
            "finish",
        );
    }

    #[test]
    fn another_user_than_the_hint_signs_in_or_is_told() {
        check(|request, _| request.sub_hint = Some("u1".to_owned()), "finish");
        check(|request, _| request.sub_hint = Some("u2".to_owned()), "sign in");
        check(
            |request, case| {
                request.sub_hint = Some("u2".to_owned());
                signed_in_for_it(case);
            },
            "login_required",
        );
    }

    #[test]
    fn prompt_consent_asks_although_the_user_agreed_earlier() {
        check(|request, _| request.prompt = CONSENT, "consent");
        check(
            |request, case| (request.prompt, case.consent) = (CONSENT, Consent::GivenNow),
            "finish",
        );
    }

    #[test]
    fn select_account_asks_unless_the_user_has_just_signed_in() {
        check(|request, _| request.prompt = SELECT, "select account");
        check(|request, case| (request.prompt, case.login) = (SELECT, None), "sign in");
        check(
            |request, case| {
                request.prompt = SELECT;
                signed_in_for_it(case);
            },
            "finish",
        );
        check(
            |request, case| (request.prompt, case.consent) = (SELECT, Consent::Missing),
            "select account",
        );
    }

    #[test]
    fn case_50_a_demanded_second_factor_is_not_passed_over() {
        check(|_, case| case.lacks_second = true, "sign in");
        check(|request, case| (request.prompt, case.lacks_second) = (NONE, true), "login_required");
        check(
            |_, case| {
                case.lacks_second = true;
                signed_in_for_it(case);
            },
            "sign in",
        );
    }

    fn asks(value: &str, essential: bool) -> AcrRequest {
        AcrRequest { values: vec![value.to_owned()], essential }
    }

    #[test]
    fn rfc9470_5_a_sign_in_that_is_not_sure_enough_is_done_again() {
        for essential in [true, false] {
            check(|request, _| request.acr = Some(asks(ONE_FACTOR, essential)), "finish");
            check(|request, _| request.acr = Some(asks(TWO_FACTORS, essential)), "sign in");
            check(
                |request, case| {
                    request.acr = Some(asks(TWO_FACTORS, essential));
                    case.login.as_mut().unwrap().amr.push("otp".to_owned());
                },
                "finish",
            );
        }
    }

    #[test]
    fn oidc_core_5_5_1_1_a_demand_that_cannot_be_met_is_refused_and_a_wish_is_not() {
        const UNMET: &str = "unmet_authentication_requirements";
        check(|request, _| request.acr = Some(asks("x", true)), UNMET);
        check(|request, _| request.acr = Some(asks("x", false)), "finish");
        for (essential, expected) in [(true, UNMET), (false, "finish")] {
            check(
                |request, case| {
                    request.acr = Some(asks(TWO_FACTORS, essential));
                    signed_in_for_it(case);
                },
                expected,
            );
            check(
                |request, _| {
                    (request.prompt, request.acr) = (NONE, Some(asks(TWO_FACTORS, essential)));
                },
                expected,
            );
        }
    }
}
