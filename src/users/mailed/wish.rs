//! What strangers ask for with an address. They are answered at once and alike; whether there is
//! such a user is looked up afterwards, by whoever delivers jobs.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::base::clock::from_micros;
use crate::db::error::DbError;
use crate::queue::model::{Job, Undelivered};
use crate::queue::service::push;
use crate::users::login::Source;
use crate::users::mailed::sign_up::NewPerson;
use crate::users::mailed::sign_up_code::Application;
use crate::users::mailed::{Begun, MailedError};
use crate::users::service::Users;
use crate::users::throttle;
use crate::users::username::UsernameKey;
use crate::users::{device, store};
use crate::words::Language;

/// The kind of job that a wish is.
pub const WISH: &str = "mail_wish";

const PURPOSE: &str = "users: mail wish";

/// What somebody asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub(in crate::users) enum Wish {
    /// To sign up.
    SignUp(NewPerson),
    /// To set another password.
    Reset { name: String, begun: Begun },
    /// To sign in with a code.
    Code { name: String, code: String, title: String, language: Language },
    /// To sign up in an app.
    SignUpIn(Box<Application>),
}

impl Users {
    /// Charges whoever has a letter sent to a name or an address, before anything is looked up.
    /// Letters are never given back: somebody has to receive them.
    ///
    /// # Errors
    /// [`MailedError::Throttled`] after too many.
    pub(in crate::users) async fn charge_letter(
        &self,
        key: &UsernameKey,
        source: &Source,
    ) -> Result<(), MailedError> {
        let found = store::find_by_name(&self.0.ctx.db, key).await?;
        let known = device::known(&self.0.vault, found.as_ref().map(|(user, _)| &user.id), source);
        let charges = throttle::letters(key, source.ip, known, &self.limits());
        self.charge_all(charges).await?;
        Ok(())
    }

    /// Writes down what somebody asked for.
    pub(in crate::users) async fn wish(&self, wish: &Wish) -> Result<(), DbError> {
        let input = (self.enclose(PURPOSE, wish)?, self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (sealed, now)| {
            Box::pin(async move { push(tx, WISH, &json!({ "sealed": sealed }), *now).await })
        });
        unit.await
    }

    /// Looks what becomes of a wish: a letter to whoever has the address.
    ///
    /// # Errors
    /// [`Undelivered`]: whether another attempt makes sense.
    pub async fn deliver(&self, job: &Job) -> Result<(), Undelivered> {
        let sealed = job.payload.get("sealed").and_then(serde_json::Value::as_str);
        let Some(wish) = sealed.and_then(|sealed| self.disclose(PURPOSE, sealed)) else {
            return Err(Undelivered::Never("the wish cannot be opened with our key"));
        };
        let answered = match wish {
            Wish::SignUp(person) => self.answer_sign_up(person).await,
            Wish::Reset { name, begun } => self.answer_reset(&name, begun).await,
            Wish::Code { name, code, title, language } => {
                self.answer_code(&name, (code, title), language).await
            }
            Wish::SignUpIn(application) => self.answer_sign_up_in(*application).await,
        };
        answered.map_err(|error| {
            tracing::warn!(?error, "a letter could not be posted");
            Undelivered::Again("storage failed")
        })
    }

    /// What is sealed into a page so that the same letter can be asked for once more.
    pub(in crate::users) fn seal_again(&self, wish: &Wish) -> Result<String, DbError> {
        self.enclose(AGAIN, &(wish, self.0.ctx.now().timestamp_micros()))
    }

    /// A wish as it was sealed into a page, a short while ago.
    pub(in crate::users) fn unseal_again(&self, sealed: &str) -> Option<Wish> {
        let (wish, at): (Wish, i64) = self.disclose(AGAIN, sealed)?;
        let age = self.0.ctx.now() - from_micros(at);
        (age < super::SIGN_UP_TTL).then_some(wish)
    }
}

const AGAIN: &str = "users: mail wish on a page";
