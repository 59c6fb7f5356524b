//! Codes that are mailed to whoever wants to sign in without a password, in an app of their own.
//!
//! Whoever asks gets a session, whether there is such a user or not; a letter goes to an address
//! that its user proved. A session takes few wrong codes, and each is charged like a second factor's
//! before it is looked at.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::base::entropy::Entropy;
use crate::base::id::AppId;
use crate::base::secret::{Digest, Secret};
use crate::db::error::DbError;
use crate::once::model::{Kind, Owner};
use crate::once::service as once;
use crate::users::device;
use crate::users::error::SignInError;
use crate::users::login::Source;
use crate::users::mailed::wish::Wish;
use crate::users::mailed::{MailedError, To};
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store;
use crate::users::store_throttle::Outcome;
use crate::users::throttle::Factor;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// How long a code is good.
pub const CODE_TTL: TimeDelta = TimeDelta::minutes(10);
/// Wrong codes after which a session is over.
pub(in crate::users) const WRONG_MAX: u8 = 5;

const PURPOSE: &str = "users: mailed code";

/// Whom a code is for.
#[derive(Clone, Copy, Debug)]
pub struct CodeFor<'a> {
    /// The app that asks, and nobody else brings it back.
    pub app: &'a AppId,
    /// What users call it.
    pub title: &'a str,
    /// The name or address that was typed.
    pub name: &'a str,
    /// The language of the letter.
    pub language: Language,
}

/// What a session stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    app: AppId,
    name: String,
    code: Digest,
    wrong: u8,
}

/// Eight digits.
pub(in crate::users) fn fresh_code(entropy: &dyn Entropy) -> String {
    let number = u64::from_be_bytes(entropy.bytes()) % 100_000_000;
    format!("{number:08}")
}

/// A code as people type it.
pub(in crate::users) fn tidy_code(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(32).collect()
}

impl Users {
    /// Has a code mailed to whoever has this name or address; answers the session that it is for.
    ///
    /// # Errors
    /// [`MailedError::Throttled`], the same for names of nobody.
    pub async fn mail_code(
        &self,
        wanted: CodeFor<'_>,
        source: &Source,
    ) -> Result<Secret, MailedError> {
        let key = UsernameKey::of(wanted.name);
        self.charge_letter(&key, source).await?;
        let name = key.as_str().to_owned();
        let code = fresh_code(self.0.ctx.entropy());
        let session = Session {
            app: wanted.app.clone(),
            name: name.clone(),
            code: self.code_mac(&code),
            wrong: 0,
        };
        let kind = Kind::MailedCode;
        let owner = Owner::App(wanted.app);
        let session = once::give_out(&self.0.ctx, kind, owner, &session, CODE_TTL).await?;
        let (title, language) = (wanted.title.to_owned(), wanted.language);
        self.wish(&Wish::Code { name, code, title, language }).await?;
        Ok(session)
    }

    /// What a code is kept as: a MAC, for there are few codes.
    pub(in crate::users) fn code_mac(&self, code: &str) -> Digest {
        self.0.vault.mac(PURPOSE, &[code.as_bytes()])
    }

    /// Answers a wish for a code.
    pub(in crate::users) async fn answer_code(
        &self,
        name: &str,
        (code, title): (String, String),
        language: Language,
    ) -> Result<(), DbError> {
        let found = store::find_by_name(&self.0.ctx.db, &UsernameKey::of(name)).await?;
        let user = found.map(|(user, _)| user).filter(User::is_active);
        let address = user.as_ref().and_then(User::proven_email).map(str::to_owned);
        let Some(address) = address else {
            tracing::debug!("nobody gets a letter with a code");
            return Ok(());
        };
        let values = vec![("code", code), ("app", title)];
        let input = (self.clone(), address, language, values);
        let unit = self.0.ctx.db.write(input, |tx, (users, address, language, values)| {
            Box::pin(async move {
                let to = To { address, language: *language };
                users.post(tx, "mail-code", to, values.clone(), None).await
            })
        });
        unit.await
    }

    /// Checks a code that was mailed: a first factor. Each is good once, for the app and the name
    /// that it was asked for.
    ///
    /// # Errors
    /// [`SignInError`], the same for whatever is wrong.
    pub async fn check_mailed_code(
        &self,
        app: &AppId,
        (session, name, code): (&str, &str, &str),
        source: &Source,
    ) -> Result<Arc<User>, SignInError> {
        let typed = UsernameKey::of(name);
        let found = store::find_by_name(&self.0.ctx.db, &typed).await?;
        let user = found.map(|(user, _)| user);
        let key =
            user.as_ref().map_or_else(|| typed.clone(), |user| UsernameKey::of(&user.username));
        let known = device::known(&self.0.vault, user.as_ref().map(|user| &user.id), source);
        let attempt = self.charge(Factor::Code, &key, source, known).await?;
        let id = user.as_ref().map(|user| user.id.clone());
        let checked = self.mailed_code(app, (session, &typed, code), user).await;
        let user = checked.inspect_err(|error| {
            if matches!(error, SignInError::Wrong) {
                self.note_failed(id.as_ref(), source, "wrong_code");
            }
        })?;
        self.settle(attempt, Outcome::Right).await?;
        Ok(Arc::new(user))
    }

    async fn mailed_code(
        &self,
        app: &AppId,
        (session, typed, code): (&str, &UsernameKey, &str),
        user: Option<User>,
    ) -> Result<User, SignInError> {
        let held = once::find::<Session>(&self.0.ctx, Kind::MailedCode, session).await?;
        let held = held.ok_or(SignInError::Wrong)?;
        let is_theirs = held.data.app == *app
            && held.data.name == typed.as_str()
            && held.data.wrong < WRONG_MAX;
        if !is_theirs || self.code_mac(&tidy_code(code)) != held.data.code {
            let wrong = held.data.wrong.saturating_add(1);
            let after = Session { wrong, ..held.data.clone() };
            once::swap(&self.0.ctx, held.id, &held.data, &after).await?;
            return Err(SignInError::Wrong);
        }
        let is_proved = |user: &User| user.is_active() && user.email_verified;
        let user = user.filter(is_proved).ok_or(SignInError::Wrong)?;
        if once::consume(&self.0.ctx, held.id).await? { Ok(user) } else { Err(SignInError::Wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::OsEntropy;

    #[test]
    fn codes_are_eight_digits_however_they_are_typed() {
        let code = fresh_code(&OsEntropy::default());

        assert_eq!(code.len(), 8);
        assert!(code.bytes().all(|digit| digit.is_ascii_digit()));
        assert_eq!(tidy_code(" 1234 5678\n"), "12345678");
        assert_eq!(tidy_code("1234-5678"), "12345678");
    }
}
