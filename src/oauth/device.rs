//! The device grant: a device shows a code, its user types it in elsewhere. Source: RFC 8628.

use chrono::TimeDelta;
use serde::Serialize;

use crate::apps::model::GrantType;
use crate::base::entropy::Entropy;
use crate::base::secret::{Digest, Secret};
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::oauth::client_auth::authenticate;
use crate::oauth::error::TokenError;
use crate::oauth::presented::Presented;
use crate::oauth::service::OAuth;
use crate::oauth::store_waiting::{self, Opened};
use crate::oauth::waiting::{self, Ask, AskError, INTERVAL_SECONDS, Kind, Ticket, Waiting};
use crate::users::login::Login;

/// How long a user has to type the code and decide.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Letters that are not taken for one another, and spell no words. Source: RFC 8628 section 6.1.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code: 20^8 codes, of which one attempt in some minutes tries one.
const LETTERS: usize = 8;
/// The largest multiple of twenty that a byte can be below.
const FAIR: u8 = 240;
/// Codes that are made at most until one is free.
const ATTEMPTS_MAX: usize = 4;
const PURPOSE: &str = "oauth: user code";

/// What a user reads on one screen and types into another: eight letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    fn generate(entropy: &dyn Entropy) -> Self {
        let mut letters = String::new();
        while letters.len() < LETTERS {
            let bytes = entropy.bytes::<LETTERS>();
            let fair = bytes.iter().filter(|byte| **byte < FAIR);
            let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 20)).copied();
            letters.extend(fair.filter_map(letter).map(char::from));
        }
        letters.truncate(LETTERS);
        Self(letters)
    }

    /// Reads what somebody typed: upper and lower case, dashes and blanks are as they like.
    pub fn parse(text: &str) -> Option<Self> {
        let is_gap =
            |c: &char| c.is_whitespace() || matches!(c, '-' | '.' | '_' | '\u{2010}'..='\u{2015}');
        let letters: String =
            text.chars().filter(|c| !is_gap(c)).take(LETTERS + 1).collect::<String>();
        let letters = letters.to_ascii_uppercase();
        let is_good = letters.len() == LETTERS && letters.bytes().all(|b| ALPHABET.contains(&b));
        is_good.then_some(Self(letters))
    }

    /// As it is shown: `WDJB-MJHT`.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at_checked(LETTERS / 2).unwrap_or_default();
        format!("{first}-{second}")
    }

    /// What it is stored by: whoever reads the database must not find it by trying all codes.
    fn digest(&self, vault: &Vault) -> Digest {
        vault.mac(PURPOSE, &[self.0.as_bytes()])
    }
}

/// The answer of `/device_authorization`. Source: RFC 8628 section 3.2.
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// What the device asks for tokens with.
    pub device_code: Secret,
    /// What the user types.
    pub user_code: UserCode,
    /// Where.
    pub verification_uri: String,
    /// How long both are good, in seconds.
    pub expires_in: i64,
    /// The device asks no faster, in seconds.
    pub interval: i64,
}

/// The body of that answer.
#[derive(Debug, Serialize)]
pub struct Body<'a> {
    device_code: &'a str,
    user_code: String,
    verification_uri: &'a str,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

impl DeviceAuthorization {
    /// As JSON has it.
    pub fn body(&self) -> Body<'_> {
        let user_code = self.user_code.shown();
        Body {
            device_code: self.device_code.reveal(),
            verification_uri_complete: format!("{}?user_code={user_code}", self.verification_uri),
            user_code,
            verification_uri: &self.verification_uri,
            expires_in: self.expires_in,
            interval: self.interval,
        }
    }
}

/// Begins a device's request.
///
/// # Errors
/// [`TokenError`]. Source: RFC 8628 section 3.1.
pub async fn authorize(
    oauth: &OAuth,
    presented: &Presented<'_>,
) -> Result<DeviceAuthorization, TokenError> {
    let app = authenticate(oauth, presented).await?;
    if !app.grant_types.contains(&GrantType::DeviceCode) {
        return Err(TokenError::UnauthorizedClient("the app may not use this grant type"));
    }
    let asked = waiting::asked(presented.params, &app, oauth.issuer())?;
    let secret = Secret::generate(oauth.ctx().entropy());
    let now = oauth.now();
    let opened = Opened {
        kind: Kind::Device,
        app: app.id.clone(),
        secret: secret.digest(),
        user_code: None,
        user: None,
        asked,
        now,
        end: now + LIFETIME,
    };
    let (id, user_code) = open(oauth, opened).await?;
    Ok(DeviceAuthorization {
        device_code: Ticket { id, secret }.to_text(),
        user_code,
        verification_uri: oauth.parts().issuer.url("/device"),
        expires_in: LIFETIME.num_seconds(),
        interval: INTERVAL_SECONDS,
    })
}

async fn open(oauth: &OAuth, opened: Opened) -> Result<(i64, UserCode), TokenError> {
    for _ in 0..ATTEMPTS_MAX {
        let code = UserCode::generate(oauth.ctx().entropy());
        let digest = code.digest(&oauth.parts().vault);
        let opened = Opened { user_code: Some(digest), ..opened.clone() };
        match store_waiting::open(&oauth.ctx().db, opened).await {
            Ok(id) => return Ok((id, code)),
            Err(DbError::Duplicate(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(TokenError::Bug("no user code is free"))
}

async fn find(oauth: &OAuth, code: &UserCode) -> Result<Waiting, AskError> {
    let digest = code.digest(&oauth.parts().vault);
    store_waiting::find_by_code(&oauth.ctx().db, digest).await?.ok_or(AskError::Over)
}

/// What to ask whoever typed this code. The caller counts attempts: codes are short.
///
/// # Errors
/// [`AskError`].
pub async fn look_up(oauth: &OAuth, login: &Login, code: &UserCode) -> Result<Ask, AskError> {
    waiting::ask(oauth, find(oauth, code).await?, login).await
}

/// Takes the user's answer.
///
/// # Errors
/// [`AskError`].
pub async fn answer(
    oauth: &OAuth,
    login: &Login,
    code: &UserCode,
    approve: bool,
) -> Result<(), AskError> {
    let waiting = find(oauth, code).await?;
    waiting::answer(oauth, Kind::Device, waiting, login, approve).await
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn rfc8628_6_1_a_code_is_short_unambiguous_and_typed_in_any_way() {
        let entropy = OsEntropy::default();
        let code = UserCode::generate(&entropy);

        assert_eq!(code.shown().len(), 9);
        assert_ne!(code, UserCode::generate(&entropy));
        for text in [code.shown(), code.shown().to_lowercase(), code.0.clone()] {
            assert_eq!(UserCode::parse(&text), Some(code.clone()));
        }
        assert_eq!(UserCode::parse(" wdjb mjht "), Some(UserCode("WDJBMJHT".to_owned())));
        for bad in ["", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "ẞDJBMJHT", "ıdjbmjht"]
        {
            assert_eq!(UserCode::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_is_not(text in "\\PC{0,20}") {
            if let Some(code) = UserCode::parse(&text) {
                prop_assert_eq!(UserCode::parse(&code.shown()), Some(code));
            }
        }
    }
}
