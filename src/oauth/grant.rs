//! The life of an authorization grant, without any I/O.
//!
//! ```text
//! Pending ──approve──▶ Approved ──redeem──▶ Spent ──rotate──▶ Spent …
//!    └─────deny──────▶ Denied                 (a second redeem, an old refresh token: revoked)
//! ```

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::model::Kind;
use crate::base::id::{AppId, GrantId, UserId};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::oauth::binding::Binding;
use crate::oauth::error::Refusal;
use crate::oauth::pkce::Verifier;
use crate::oauth::refresh::RefreshState;
use crate::oauth::request::AuthorizeRequest;

/// How long a code may wait to be exchanged. RFC 6749 section 4.1.2 allows at most 10 minutes.
pub const CODE_TTL: TimeDelta = TimeDelta::seconds(60);
/// How long a user may take to sign in and consent.
pub const PENDING_TTL: TimeDelta = TimeDelta::minutes(30);

/// One user's authorization of one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its number; codes and refresh tokens begin with it.
    pub id: GrantId,
    /// The app that asked.
    pub app: AppId,
    /// What it asked.
    pub request: AuthorizeRequest,
    /// Where it stands.
    pub stage: Stage,
    /// What its refresh tokens are known by, once there are any.
    pub refresh: Option<RefreshState>,
    /// The last access token, once there is one.
    pub access: Option<LastAccess>,
    /// What its tokens are bound to, once there are any.
    pub binding: Option<Binding>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When the request came in.
    pub created_at: DateTime<Utc>,
    /// The end of the stage; the row is swept after it.
    pub expires_at: DateTime<Utc>,
}

/// The stages of a [`Grant`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The user has not answered yet.
    Pending {
        /// The browser that may go on with it.
        browser: Digest,
        /// The session that the browser had when it came.
        session: Option<Digest>,
    },
    /// The user said yes; a code is out.
    Approved {
        /// Who, and how they had signed in.
        by: Approval,
        /// What the code is known by.
        code: Digest,
    },
    /// The code was exchanged.
    Spent {
        /// Who, and how they had signed in.
        by: Approval,
        /// What the code was known by.
        code: Digest,
        /// When.
        at: DateTime<Utc>,
    },
    /// The user said no.
    Denied,
}

/// Whose yes a grant carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The user.
    pub user: UserId,
    /// The session in which they said it.
    pub session: Digest,
    /// When they had signed in.
    pub auth_time: DateTime<Utc>,
    /// How they had signed in. Source: RFC 8176.
    pub amr: Vec<String>,
    /// What they said yes to.
    pub scope: Scope,
}

/// The access token that a grant gave out last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAccess {
    /// Its name.
    pub jti: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// Whether one of our endpoints has seen it.
    pub seen: bool,
}

/// An authorization code: the grant's number and a secret.
#[derive(Clone, Debug)]
pub struct Code {
    /// The grant.
    pub grant: GrantId,
    /// What only its holder knows.
    pub secret: Secret,
}

impl Code {
    /// Reads a code as it was presented; `None` unless it has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (grant, secret) = text.split_once('.')?;
        let grant = grant.parse().ok()?;
        is_secret(secret, 43).then(|| Self { grant, secret: Secret::presented(secret) })
    }

    /// The code as the client gets it.
    pub fn to_text(&self) -> String {
        format!("{}.{}", self.grant, self.secret.reveal())
    }
}

/// Whether `text` is base64url of the given length: a part of a code or refresh token.
pub(in crate::oauth) fn is_secret(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// What a client presents to exchange a code.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    /// The app that presents it.
    pub app: &'a AppId,
    /// Digest of the secret in the code.
    pub code: &'a Digest,
    /// `redirect_uri`, if given.
    pub redirect_uri: Option<&'a str>,
    /// `code_verifier`, if given.
    pub verifier: Option<&'a Verifier>,
    /// The key or certificate that the request showed.
    pub binding: Option<&'a Binding>,
}

impl Grant {
    /// Decides whether the code may be exchanged, and on whose behalf.
    ///
    /// Pure: the caller still has to win `store::spend`, which is what makes a code single-use
    /// when two requests race. `AlreadySpent` is told before anything about the presenter is
    /// checked, because a replayed code is an alarm whoever replays it; but after the secret is,
    /// because numbers can be guessed.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies. Source: RFC 6749 section 4.1.3, RFC 7636 section 4.6.
    pub fn redeem(&self, by: &Redemption<'_>, now: DateTime<Utc>) -> Result<&Approval, Refusal> {
        let approval = match &self.stage {
            Stage::Approved { code, .. } | Stage::Spent { code, .. } if code != by.code => {
                return Err(Refusal::Unknown);
            }
            Stage::Approved { by, .. } => by,
            Stage::Spent { .. } => return Err(Refusal::AlreadySpent),
            Stage::Pending { .. } | Stage::Denied => return Err(Refusal::NotApproved),
        };
        if self.revoked_at.is_some() {
            return Err(Refusal::Revoked);
        }
        if now > self.expires_at {
            return Err(Refusal::Expired);
        }
        if *by.app != self.app {
            return Err(Refusal::WrongApp);
        }
        self.check_redirect(by.redirect_uri)?;
        self.check_verifier(by.verifier)?;
        self.check_key(by.binding)?;
        Ok(approval)
    }

    /// "if the `redirect_uri` parameter was included in the authorization request … their
    /// values MUST be identical". Source: RFC 6749 section 4.1.3.
    fn check_redirect(&self, presented: Option<&str>) -> Result<(), Refusal> {
        let matches = match presented {
            Some(presented) => presented == self.request.redirect_uri,
            None => !self.request.redirect_uri_given,
        };
        if matches { Ok(()) } else { Err(Refusal::WrongRedirect) }
    }

    /// A verifier without a challenge is refused, too. Source: RFC 9700 section 4.8.2.
    fn check_verifier(&self, presented: Option<&Verifier>) -> Result<(), Refusal> {
        match (&self.request.challenge, presented) {
            (None, None) => Ok(()),
            (Some(challenge), Some(verifier)) if challenge.is_answered_by(verifier) => Ok(()),
            _ => Err(Refusal::WrongVerifier),
        }
    }

    /// A code that was asked for with a key is for that key alone. Source: RFC 9449 section 10.
    fn check_key(&self, presented: Option<&Binding>) -> Result<(), Refusal> {
        match (&self.request.dpop_jkt, presented) {
            (None, _) => Ok(()),
            (Some(wanted), Some(Binding::Key(held))) if wanted == held => Ok(()),
            (Some(_), _) => Err(Refusal::WrongKey),
        }
    }

    /// Refresh tokens stay with the key that they were first given to, if the app cannot show
    /// who it is otherwise; and those of any app that were given for a proof never give unbound
    /// tokens. Source: RFC 9449 section 5, RFC 8705 section 4.
    ///
    /// # Errors
    /// [`Refusal::WrongKey`].
    pub fn check_refresher(&self, app: Kind, presented: Option<&Binding>) -> Result<(), Refusal> {
        let may = match (&self.binding, app) {
            (Some(_), Kind::Public) => self.binding.as_ref() == presented,
            (Some(Binding::Key(_)), Kind::Confidential) => presented.is_some(),
            (None, _) | (Some(Binding::Certificate(_)), Kind::Confidential) => true,
        };
        if may { Ok(()) } else { Err(Refusal::WrongKey) }
    }

    /// Whose yes it carries, if any.
    pub fn approval(&self) -> Option<&Approval> {
        match &self.stage {
            Stage::Approved { by, .. } | Stage::Spent { by, .. } => Some(by),
            Stage::Pending { .. } | Stage::Denied => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::clock::from_micros;
    use crate::oauth::tests::{CODE, approved};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    /// A good exchange, bent by `bend`, must end as `expected`.
    #[track_caller]
    fn check(bend: impl FnOnce(&mut Grant, &mut Redemption<'_>), expected: Result<(), Refusal>) {
        let mut grant = approved();
        let app = grant.app.clone();
        let verifier = Verifier::parse(VERIFIER).unwrap();
        let mut by = Redemption {
            app: &app,
            code: &CODE,
            redirect_uri: Some("https://portal.example/cb"),
            verifier: Some(&verifier),
            binding: None,
        };
        bend(&mut grant, &mut by);
        assert_eq!(grant.redeem(&by, from_micros(0) + CODE_TTL).map(drop), expected);
    }

    /// Lives as long as the closures above want.
    fn leaked<T>(value: T) -> &'static T {
        Box::leak(Box::new(value))
    }

    fn spend(grant: &mut Grant) {
        if let Stage::Approved { by, code } = grant.stage.clone() {
            grant.stage = Stage::Spent { by, code, at: from_micros(0) };
        }
    }

    #[test]
    fn rfc6749_4_1_3_every_mismatch_is_refused() {
        let other = leaked("other".parse::<AppId>().unwrap());
        let pending = Stage::Pending { browser: CODE, session: None };
        check(|_, _| (), Ok(()));
        check(|_, by| by.app = other, Err(Refusal::WrongApp));
        check(|_, by| by.code = &Digest([9; 32]), Err(Refusal::Unknown));
        check(|_, by| by.redirect_uri = None, Err(Refusal::WrongRedirect));
        check(
            |grant, by| (grant.request.redirect_uri_given, by.redirect_uri) = (false, None),
            Ok(()),
        );
        check(
            |_, by| by.redirect_uri = Some("https://portal.example/CB"),
            Err(Refusal::WrongRedirect),
        );
        check(
            |_, by| by.redirect_uri = Some("https://portal.example:443/cb"),
            Err(Refusal::WrongRedirect),
        );
        check(|grant, _| grant.expires_at = from_micros(0), Err(Refusal::Expired));
        check(|grant, _| grant.revoked_at = Some(from_micros(0)), Err(Refusal::Revoked));
        check(|grant, _| grant.stage = pending, Err(Refusal::NotApproved));
        check(|grant, _| grant.stage = Stage::Denied, Err(Refusal::NotApproved));
    }

    #[test]
    fn case_22_verifier_and_challenge_come_together_or_not_at_all() {
        let other = leaked(Verifier::parse(&"x".repeat(43)).unwrap());
        check(|_, by| by.verifier = None, Err(Refusal::WrongVerifier));
        check(|_, by| by.verifier = Some(other), Err(Refusal::WrongVerifier));
        check(|grant, _| grant.request.challenge = None, Err(Refusal::WrongVerifier));
        check(|grant, by| (grant.request.challenge, by.verifier) = (None, None), Ok(()));
    }

    #[test]
    fn case_31_a_code_that_was_asked_for_with_a_key_is_for_that_key_alone() {
        let key = |name: &str| Binding::Key(name.to_owned());
        let (own, other) = (leaked(key("own")), leaked(key("other")));
        let certificate = leaked(Binding::Certificate("own".to_owned()));
        let with = |presented: Option<&'static Binding>, expected| {
            check(
                |grant, by| {
                    grant.request.dpop_jkt = Some("own".to_owned());
                    by.binding = presented;
                },
                expected,
            );
        };
        with(Some(own), Ok(()));
        with(Some(other), Err(Refusal::WrongKey));
        with(Some(certificate), Err(Refusal::WrongKey));
        with(None, Err(Refusal::WrongKey));
        check(|_, by| by.binding = Some(own), Ok(()));
    }

    #[test]
    fn case_31_refresh_tokens_of_public_apps_stay_with_their_key() {
        let key = |name: &str| Some(Binding::Key(name.to_owned()));
        let grant = Grant { binding: key("own"), ..approved() };
        let ask = |app, presented: Option<Binding>| grant.check_refresher(app, presented.as_ref());

        assert_eq!(ask(Kind::Public, key("own")), Ok(()));
        assert_eq!(ask(Kind::Public, key("other")), Err(Refusal::WrongKey));
        assert_eq!(ask(Kind::Public, None), Err(Refusal::WrongKey));
        assert_eq!(ask(Kind::Confidential, key("other")), Ok(()));
        assert_eq!(ask(Kind::Confidential, None), Err(Refusal::WrongKey));
        assert_eq!(approved().check_refresher(Kind::Public, key("own").as_ref()), Ok(()));
    }

    #[test]
    fn case_19_a_replay_is_told_whoever_replays_but_only_with_the_secret() {
        let other = leaked("other".parse::<AppId>().unwrap());
        check(|grant, _| spend(grant), Err(Refusal::AlreadySpent));
        check(
            |grant, by| {
                spend(grant);
                by.app = other;
            },
            Err(Refusal::AlreadySpent),
        );
        check(
            |grant, by| {
                spend(grant);
                by.code = &Digest([9; 32]);
            },
            Err(Refusal::Unknown),
        );
    }

    #[test]
    fn case_20_a_code_has_one_spelling() {
        let secret = "a".repeat(43);
        assert_eq!(Code::parse(&format!("7.{secret}")).unwrap().to_text(), format!("7.{secret}"));
        for bad in [
            "",
            "7",
            "7.",
            &secret,
            &format!("07.{secret}"),
            &format!("7.{secret}a"),
            &format!("7.{secret}.x"),
        ] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_is_not(text in "\\PC{0,80}") {
            if let Some(code) = Code::parse(&text) {
                prop_assert_eq!(code.to_text(), text);
            }
        }
    }
}
