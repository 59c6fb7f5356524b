//! Signing up in an app of one's own: a code in place of a link.
//!
//! As with links ([`crate::users::mailed::sign_up`]), nobody is a user before what was mailed to
//! their address came back. A code counts where it was asked for, in that app and that network, or
//! else whoever asks for somebody else's address would get a user with that address and their own
//! password as soon as the owner types the code.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::id::AppId;
use crate::base::secret::{Digest, Secret};
use crate::base::text::line;
use crate::db::error::DbError;
use crate::mail::model::is_address;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::users::error::SignInError;
use crate::users::login::Source;
use crate::users::mailed::code::{CODE_TTL, CodeFor, WRONG_MAX, fresh_code, tidy_code};
use crate::users::mailed::sign_up::{NAME_BYTES_MAX, NewPersonRow};
use crate::users::mailed::wish::Wish;
use crate::users::mailed::{Begun, MailedError, To};
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store_throttle::Outcome;
use crate::users::throttle::{Factor, choices, network};
use crate::users::username::UsernameKey;
use crate::words::Language;

const PURPOSE: &str = "users: sign-up by code";
const PLACE: &str = "users: place of a sign-up";

/// Somebody who signs up in an app, and is no user yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::users) struct Applicant {
    app: AppId,
    name: String,
    email: String,
    phc: String,
    place: Digest,
    code: Digest,
    wrong: u8,
}

/// What is to be answered: the applicant, and the letter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::users) struct Application {
    applicant: Applicant,
    code: String,
    title: String,
    language: Language,
}

impl Users {
    /// Takes what somebody typed to sign up in an app; a letter goes to the address in any case.
    ///
    /// # Errors
    /// [`MailedError`] if something of it is not taken, the same whether the address is known.
    pub async fn sign_up_in(
        &self,
        wanted: CodeFor<'_>,
        (name, password): (&str, &Secret),
        source: &Source,
    ) -> Result<(), MailedError> {
        let (name, email) = (name.trim(), wanted.name.trim());
        line(name, NAME_BYTES_MAX).map_err(MailedError::Name)?;
        if !is_address(email) {
            return Err(MailedError::Address);
        }
        let attempt = self.charge_all(choices(source.ip, &self.limits())).await?;
        let phc = self.hash_chosen(password, &[name, email]).await?;
        self.settle(attempt, Outcome::Right).await?;
        self.charge_letter(&UsernameKey::of(email), source).await?;
        let code = fresh_code(self.0.ctx.entropy());
        let applicant = Applicant {
            app: wanted.app.clone(),
            name: name.to_owned(),
            email: email.to_owned(),
            phc,
            place: self.place(source.ip),
            code: self.code_mac(&code),
            wrong: 0,
        };
        let (title, language) = (wanted.title.to_owned(), wanted.language);
        let application = Application { applicant, code, title, language };
        Ok(self.wish(&Wish::SignUpIn(Box::new(application))).await?)
    }

    fn place(&self, ip: IpAddr) -> Digest {
        self.0.vault.mac(PLACE, &[&network(ip)])
    }

    /// Answers a wish to sign up: with a code, or with the news that there is such a user.
    pub(in crate::users) async fn answer_sign_up_in(
        &self,
        application: Application,
    ) -> Result<(), DbError> {
        let sealed = self.enclose(PURPOSE, &application.applicant)?;
        let unit = self.0.ctx.db.write((self.clone(), application, sealed), |tx, input| {
            Box::pin(async move {
                let (users, Application { applicant, code, title, language }, sealed) = input;
                let begun = Begun { browser: applicant.place, grant: None, language: *language };
                if users.tell_known(tx, &applicant.email, &begun).await? {
                    return Ok(());
                }
                let key = UsernameKey::of(&applicant.email);
                let kind = (Kind::SignUpCode, users.subject(&key));
                once::give_out_to(tx, &users.0.ctx, kind, sealed, CODE_TTL).await?;
                let values = vec![("code", code.clone()), ("app", title.clone())];
                let to = To { address: &applicant.email, language: *language };
                users.post(tx, "mail-sign-up-code", to, values, None).await
            })
        });
        unit.await
    }

    /// Makes the user, once, of whoever brings the code back to the app, from where they asked.
    ///
    /// # Errors
    /// [`MailedError`], the same for whatever is wrong.
    pub async fn confirm_sign_up_in(
        &self,
        app: &AppId,
        (email, code): (&str, &str),
        source: &Source,
    ) -> Result<User, MailedError> {
        let key = UsernameKey::of(email);
        let attempt = self.charge(Factor::Code, &key, source, None).await?;
        let subject = self.subject(&key);
        let held = once::find_of::<String>(&self.0.ctx, Kind::SignUpCode, subject).await?;
        let held = held.ok_or(SignInError::Wrong)?;
        let person: Applicant = self.disclose(PURPOSE, &held.data).ok_or(MailedError::Over)?;
        let is_theirs =
            person.app == *app && person.place == self.place(source.ip) && person.wrong < WRONG_MAX;
        if !is_theirs || self.code_mac(&tidy_code(code)) != person.code {
            let after = Applicant { wrong: person.wrong.saturating_add(1), ..person };
            let after = self.enclose(PURPOSE, &after)?;
            once::swap(&self.0.ctx, held.id, &held.data, &after).await?;
            return Err(MailedError::Wrong);
        }
        let new = NewPersonRow { secret: held.id, phc: person.phc };
        let user = self.make_user(&person.name, &person.email, new).await?;
        self.settle(attempt, Outcome::Right).await?;
        Ok(user)
    }
}
