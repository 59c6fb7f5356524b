//! A forgotten password: another one is set with a link, and nothing else is skipped by it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::id::GrantId;
use crate::base::secret::{Digest, Secret};
use crate::db::Tx;
use crate::db::error::DbError;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::users::choose::facts_of;
use crate::users::ending::end_all;
use crate::users::login::Source;
use crate::users::mailed::wish::Wish;
use crate::users::mailed::{Begun, MailedError, RESET_TTL, To};
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::username::UsernameKey;
use crate::users::{store, store_passwords};
use crate::words::Language;

/// What a link to set another password stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Reset {
    begun: Option<Begun>,
}

/// A link to set another password that was opened.
#[derive(Clone, Debug)]
pub struct ResetLink {
    id: i64,
    begun: Option<Begun>,
    /// Whose password it sets.
    pub user: Arc<User>,
}

impl ResetLink {
    /// The authorization that goes on, if this is the browser that it was begun in.
    pub fn grant_for(&self, browser: Digest) -> Option<GrantId> {
        self.begun.as_ref().and_then(|begun| begun.grant_for(browser))
    }
}

impl Users {
    /// Takes the name or address of somebody who forgot their password; if there is such a user
    /// with a verified address, a letter goes there.
    ///
    /// # Errors
    /// [`MailedError::Throttled`], the same for names of nobody.
    pub async fn forgot(
        &self,
        name: &str,
        begun: Begun,
        source: &Source,
    ) -> Result<(), MailedError> {
        let key = UsernameKey::of(name);
        self.charge_letter(&key, source).await?;
        self.wish(&Wish::Reset { name: key.as_str().to_owned(), begun }).await?;
        Ok(())
    }

    /// Answers a wish to set another password.
    pub(in crate::users) async fn answer_reset(
        &self,
        name: &str,
        begun: Begun,
    ) -> Result<(), DbError> {
        let found = store::find_by_name(&self.0.ctx.db, &UsernameKey::of(name)).await?;
        let user = found.map(|(user, _)| user).filter(User::is_active);
        let Some(user) = user.filter(|user| user.email_verified && user.email.is_some()) else {
            tracing::debug!("nobody gets a letter to set another password");
            return Ok(());
        };
        let unit = self.0.ctx.db.write((self.clone(), user, begun), |tx, input| {
            Box::pin(async move {
                let (users, user, begun) = input;
                users.post_reset(tx, user, Some(begun.clone())).await
            })
        });
        unit.await
    }

    /// Posts a letter with a link to set another password; earlier ones are void.
    pub(in crate::users) async fn post_reset(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        begun: Option<Begun>,
    ) -> Result<(), DbError> {
        let Some(address) = user.email.as_deref() else { return Ok(()) };
        let language = begun.as_ref().map(|begun| begun.language).unwrap_or_default();
        let (kind, data) = (Kind::Reset, Reset { begun });
        let link = once::give_out_anew(tx, &self.0.ctx, kind, &user.id, &data, RESET_TTL).await?;
        let values = vec![("username", user.username.clone())];
        let link = Some(self.link("/reset", &link));
        self.post(tx, "mail-reset", To { address, language }, values, link).await
    }

    /// What is behind a link to set another password, if it is not over.
    ///
    /// # Errors
    /// [`MailedError::Over`], [`MailedError::Internal`].
    pub async fn reset_link(&self, token: &str) -> Result<ResetLink, MailedError> {
        let found = once::find::<Reset>(&self.0.ctx, Kind::Reset, token).await?;
        let found = found.ok_or(MailedError::Over)?;
        let user = self.active(found.user.as_ref()).await?;
        Ok(ResetLink { id: found.id, begun: found.data.begun, user })
    }

    /// Sets another password, once, and signs the user out everywhere. Whoever does it still has to
    /// sign in, with every factor that the user has.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn reset(
        &self,
        link: &ResetLink,
        password: &Secret,
        language: Language,
    ) -> Result<(), MailedError> {
        let phc = self.hash_chosen(password, &facts_of(&link.user)).await?;
        let input = (self.clone(), link.clone(), phc, language);
        let unit = self.0.ctx.db.write(input, |tx, (users, link, phc, language)| {
            Box::pin(async move {
                let now = users.0.ctx.now();
                if !once::consume_in(tx, link.id, now).await? {
                    return Err(MailedError::Over);
                }
                users.replace_password(tx, &link.user, phc, *language).await
            })
        });
        unit.await
    }

    /// Stores another password, ends all that came of the old one, and tells the user.
    pub(in crate::users) async fn replace_password(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        phc: &str,
        language: Language,
    ) -> Result<(), MailedError> {
        let now = self.0.ctx.now();
        store_passwords::set_phc(tx, &user.id, (phc, None), now).await?;
        // What somebody else may have begun in the user's name ends with their password.
        once::void(tx, Kind::Reset, &user.id).await?;
        once::void(tx, Kind::Email, &user.id).await?;
        end_all(tx, &user.id, now).await?;
        self.tell_own(tx, &user.id, "password");
        if let Some(address) = user.proven_email() {
            let link = Some(self.0.issuer.url("/forgot"));
            let to = To { address, language };
            self.post(tx, "mail-password-changed", to, Vec::new(), link).await?;
        }
        Ok(())
    }
}
