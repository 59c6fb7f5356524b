//! Refresh tokens: their shape, and what becomes of one that is presented. Without any I/O.
//!
//! ```text
//! presented ─┬─ the current one ───────────▶ rotate (or keep, if the app does not rotate)
//!            ├─ the previous one ─┬─ successors unused ─▶ forgive: the successors die instead
//!            │                    └─ a successor used ──▶ reuse
//!            ├─ an older one of the family ─────────────▶ reuse: the grant is revoked
//!            └─ anything else ──────────────────────────▶ refused, nothing happens
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use crate::base::entropy::Entropy;
use crate::base::id::{AppId, GrantId};
use crate::base::secret::{Digest, Secret};
use crate::oauth::error::Refusal;
use crate::oauth::grant::{Grant, LastAccess, is_secret};

/// A refresh token: the grant's number, what all of the grant's share, and its own secret.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The grant.
    pub grant: GrantId,
    /// What all refresh tokens of the grant share: tells a stolen one from an invented one.
    pub family: Secret,
    /// Its own secret.
    pub secret: Secret,
}

impl RefreshToken {
    /// The first refresh token of a grant.
    pub fn generate(grant: GrantId, entropy: &dyn Entropy) -> Self {
        let family = Secret::presented(URL_SAFE_NO_PAD.encode(entropy.bytes::<16>()));
        Self { grant, family, secret: Secret::generate(entropy) }
    }

    /// The one that follows this one.
    #[must_use]
    pub fn successor(&self, entropy: &dyn Entropy) -> Self {
        Self { secret: Secret::generate(entropy), ..self.clone() }
    }

    /// Reads a token as it was presented; `None` unless it has the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let (grant, secrets) = text.split_once('.')?;
        let (family, secret) = secrets.split_once('.')?;
        if !is_secret(family, 22) || !is_secret(secret, 43) {
            return None;
        }
        Some(Self {
            grant: grant.parse().ok()?,
            family: Secret::presented(family),
            secret: Secret::presented(secret),
        })
    }

    /// The token as the client gets it.
    pub fn to_text(&self) -> Secret {
        let Self { grant, family, secret } = self;
        Secret::presented(format!("{grant}.{}.{}", family.reveal(), secret.reveal()))
    }
}

/// What storage knows of a grant's refresh tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshState {
    /// Digest of what they share.
    pub family: Digest,
    /// Digest of the secret that is good now.
    pub current: Digest,
    /// Digest of the secret before it.
    pub previous: Option<Digest>,
    /// When all of them end, used or not.
    pub expires_at: DateTime<Utc>,
}

/// What becomes of a refresh token that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// It gives new tokens and stays good.
    Keep,
    /// It gives new tokens, a new refresh token among them, and is over.
    Rotate,
    /// Its answer was lost: it gives new tokens once more, and those of the lost answer die.
    Forgive {
        /// The access token of the lost answer.
        lost: Option<LastAccess>,
    },
}

/// Decides what becomes of `presented`.
///
/// Pure: the caller still has to win `store::rotate`.
///
/// # Errors
/// [`Refusal::Reused`] is an alarm, and the grant must be revoked; the others are not.
/// Source: RFC 6749 section 6, RFC 9700 section 4.14.2.
pub fn decide(
    grant: &Grant,
    presented: &RefreshToken,
    app: &AppId,
    rotates: bool,
    now: DateTime<Utc>,
) -> Result<Use, Refusal> {
    let state = grant.refresh.as_ref().ok_or(Refusal::Unknown)?;
    if presented.family.digest() != state.family {
        return Err(Refusal::Unknown);
    }
    if *app != grant.app {
        return Err(Refusal::WrongApp);
    }
    if grant.revoked_at.is_some() {
        return Err(Refusal::Revoked);
    }
    if now >= state.expires_at {
        return Err(Refusal::Expired);
    }
    let secret = presented.secret.digest();
    let is_previous = state.previous.is_some_and(|previous| previous == secret);
    let unseen = grant.access.as_ref().is_none_or(|access| !access.seen);
    match (secret == state.current, is_previous) {
        (true, _) if rotates => Ok(Use::Rotate),
        (true, _) => Ok(Use::Keep),
        (false, true) if unseen => Ok(Use::Forgive { lost: grant.access.clone() }),
        (false, _) => Err(Refusal::Reused),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::clock::from_micros;
    use crate::base::entropy::CountedEntropy;
    use crate::oauth::tests::approved;

    /// A grant with refresh tokens, the second of which, presented and bent, must end as expected.
    #[track_caller]
    fn check(
        bend: impl FnOnce(&mut Grant, &mut RefreshToken, &RefreshToken),
        expected: &Result<Use, Refusal>,
    ) {
        let entropy = CountedEntropy::default();
        let mut grant = approved();
        let first = RefreshToken::generate(grant.id, &entropy);
        let mut presented = first.successor(&entropy);
        grant.refresh = Some(RefreshState {
            family: first.family.digest(),
            current: presented.secret.digest(),
            previous: Some(first.secret.digest()),
            expires_at: from_micros(1000),
        });
        grant.access = Some(access());
        bend(&mut grant, &mut presented, &first);
        let app = "portal".parse().unwrap();
        assert_eq!(decide(&grant, &presented, &app, true, from_micros(999)), *expected);
    }

    fn access() -> LastAccess {
        LastAccess { jti: "7.x".to_owned(), expires_at: from_micros(500), seen: false }
    }

    fn see(grant: &mut Grant) {
        grant.access = Some(LastAccess { seen: true, ..access() });
    }

    #[test]
    fn case_23_an_old_token_is_an_alarm_unless_its_successors_are_unused() {
        let forgive = Use::Forgive { lost: Some(access()) };
        check(|_, _, _| (), &Ok(Use::Rotate));
        check(|_, presented, first| *presented = first.clone(), &Ok(forgive));
        check(
            |grant, presented, first| {
                *presented = first.clone();
                see(grant);
            },
            &Err(Refusal::Reused),
        );
        check(
            |_, presented, first| *presented = first.successor(&CountedEntropy::default()),
            &Err(Refusal::Reused),
        );
        check(|grant, _, _| see(grant), &Ok(Use::Rotate));
    }

    #[test]
    fn case_24_a_token_is_bound_to_its_app_and_ends_after_its_time() {
        check(|grant, _, _| grant.app = "other".parse().unwrap(), &Err(Refusal::WrongApp));
        check(|grant, _, _| grant.revoked_at = Some(from_micros(1)), &Err(Refusal::Revoked));
        check(|grant, _, _| grant.refresh = None, &Err(Refusal::Unknown));
        check(
            |grant, _, _| {
                if let Some(state) = &mut grant.refresh {
                    state.expires_at = from_micros(999);
                }
            },
            &Err(Refusal::Expired),
        );
    }

    #[test]
    fn an_invented_token_is_refused_without_an_alarm() {
        let other = RefreshToken::generate(GrantId(7), &CountedEntropy::default());
        check(|_, presented, _| presented.family = Secret::presented("x"), &Err(Refusal::Unknown));
        assert!(RefreshToken::parse(other.to_text().reveal()).is_some());
    }

    #[test]
    fn without_rotation_a_token_stays_good() {
        let entropy = CountedEntropy::default();
        let mut grant = approved();
        let token = RefreshToken::generate(grant.id, &entropy);
        grant.refresh = Some(RefreshState {
            family: token.family.digest(),
            current: token.secret.digest(),
            previous: None,
            expires_at: from_micros(1000),
        });
        let app = grant.app.clone();

        assert_eq!(decide(&grant, &token, &app, false, from_micros(0)), Ok(Use::Keep));
    }

    proptest! {
        #[test]
        fn any_text_is_a_refresh_token_or_is_not(text in "[0-9]{1,3}\\.[a-z_.-]{60,70}|\\PC{0,90}") {
            if let Some(token) = RefreshToken::parse(&text) {
                let again = token.to_text();
                prop_assert_eq!(again.reveal(), text);
            }
        }
    }
}
