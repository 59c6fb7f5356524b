//! What comes next, case by case.

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
    case.opening = Some(Opening { at: from_micros(890 * SECOND), session: Some(Digest([2; 32])) });
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
    check(|request, case| (request.prompt, case.consent) = (CONSENT, Consent::GivenNow), "finish");
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
