//! Changing one's address. The new one proves itself by a link; the old one is told when it has
//! happened, and can take it back for some days.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::id::UserId;
use crate::base::secret::Secret;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::is_address;
use crate::once::model::{Kind, Owner};
use crate::once::service as once;
use crate::users::ending::end_all;
use crate::users::login::Source;
use crate::users::mailed::{Begun, EMAIL_BACK_TTL, EMAIL_TTL, MailedError, To};
use crate::users::model::{NewUser, User};
use crate::users::service::Users;
use crate::users::store;
use crate::users::username::UsernameKey;
use crate::words::Language;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct NewEmail {
    email: String,
    language: Language,
}

/// What a user had before.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct OldEmail {
    email: String,
    username: String,
    language: Language,
}

/// A link that proves an address, opened.
#[derive(Clone, Debug)]
pub struct EmailLink {
    id: i64,
    new: NewEmail,
    /// Whose address it becomes.
    pub user: Arc<User>,
}

impl EmailLink {
    /// The address that is proved.
    pub fn email(&self) -> &str {
        &self.new.email
    }
}

/// A link that takes a change back, opened.
#[derive(Clone, Debug)]
pub struct EmailBackLink {
    id: i64,
    old: OldEmail,
    /// Whose address it becomes again.
    pub user: Arc<User>,
}

impl EmailBackLink {
    /// The address that comes back.
    pub fn email(&self) -> &str {
        &self.old.email
    }
}

/// How somebody with a link shows that they are the user: a link alone would let a stranger make
/// other people's addresses their own, by a careless click.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// They are signed in as this user.
    SignedIn(&'a UserId),
    /// They know the password.
    Password(&'a Secret),
}

impl Users {
    /// Takes the address that a user wants to have; a link goes there in any case.
    ///
    /// # Errors
    /// [`MailedError::Address`], [`MailedError::Throttled`], [`MailedError::Internal`].
    pub async fn ask_for_email(
        &self,
        user: &User,
        email: &str,
        language: Language,
        source: &Source,
    ) -> Result<(), MailedError> {
        let email = email.trim();
        if !is_address(email) {
            return Err(MailedError::Address);
        }
        self.charge_letter(&UsernameKey::of(email), source).await?;
        let new = NewEmail { email: email.to_owned(), language };
        let unit = self.0.ctx.db.write((self.clone(), user.clone(), new), |tx, input| {
            Box::pin(async move {
                let (users, user, new) = input;
                users.post_email(tx, user, new).await
            })
        });
        Ok(unit.await.map_err(|error: DbError| error)?)
    }

    async fn post_email(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        new: &NewEmail,
    ) -> Result<(), DbError> {
        // Made in any case: what is written must not tell whether somebody else has the address.
        let link =
            once::give_out_anew(tx, &self.0.ctx, Kind::Email, &user.id, new, EMAIL_TTL).await?;
        let found = store::find_by_name(&mut *tx, &UsernameKey::of(&new.email)).await?;
        if found.is_some_and(|(other, _)| other.id != user.id) {
            let nowhere = crate::base::secret::Digest::of(b"");
            let begun = Begun { browser: nowhere, grant: None, language: new.language };
            self.tell_known(tx, &new.email, &begun).await?;
            return Ok(());
        }
        let values = vec![("username", user.username.clone())];
        let to = To { address: &new.email, language: new.language };
        self.post(tx, "mail-email", to, values, Some(self.link("/verify-email", &link))).await
    }

    /// What is behind a link that proves an address, if it is not over.
    ///
    /// # Errors
    /// [`MailedError::Over`], [`MailedError::Internal`].
    pub async fn email_link(&self, token: &str) -> Result<EmailLink, MailedError> {
        let found = once::find::<NewEmail>(&self.0.ctx, Kind::Email, token).await?;
        let found = found.ok_or(MailedError::Over)?;
        let user = self.active(found.user.as_ref()).await?;
        Ok(EmailLink { id: found.id, new: found.data, user })
    }

    pub(in crate::users) async fn active(
        &self,
        id: Option<&UserId>,
    ) -> Result<Arc<User>, MailedError> {
        let id = id.ok_or(MailedError::Over)?;
        let user = self.find(id).await?.filter(|user| user.is_active());
        user.ok_or(MailedError::Over)
    }

    /// Gives the user the address, once. The old one is told, and gets a link to take it back.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn prove_email(
        &self,
        link: EmailLink,
        proof: Proof<'_>,
        source: &Source,
    ) -> Result<(), MailedError> {
        match proof {
            Proof::SignedIn(id) if *id == link.user.id => {}
            Proof::SignedIn(_) => return Err(MailedError::Wrong),
            Proof::Password(password) => self.prove_own(&link.user, password, source).await?,
        }
        let unit = self.0.ctx.db.write((self.clone(), link), |tx, (users, link)| {
            Box::pin(async move {
                if !once::consume_in(tx, link.id, users.0.ctx.now()).await? {
                    return Err(MailedError::Over);
                }
                let user = store::find(&mut *tx, &link.user.id).await?.ok_or(MailedError::Over)?;
                users.change_email(tx, &user, &link.new).await
            })
        });
        unit.await
    }

    async fn change_email(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        new: &NewEmail,
    ) -> Result<(), MailedError> {
        let signs_in_with_it =
            user.email.as_deref().is_some_and(|old| is_same(old, &user.username));
        let username = if signs_in_with_it { new.email.clone() } else { user.username.clone() };
        self.set_email(tx, user, &new.email, username).await?;
        // What was mailed to the old address must not open anything any more.
        once::void(tx, Kind::Reset, &user.id).await?;
        let old = user.email.clone().filter(|old| user.email_verified && !is_same(old, &new.email));
        let Some(email) = old else { return Ok(()) };
        let old = OldEmail { email, username: user.username.clone(), language: new.language };
        // Earlier ones stay good: two changes in a row must not shut the first address out.
        let kind = (Kind::EmailBack, Owner::User(&user.id));
        let link = once::give_out_in(tx, &self.0.ctx, kind, &old, EMAIL_BACK_TTL).await?;
        let to = To { address: &old.email, language: new.language };
        let link = Some(self.link("/revert-email", &link));
        let values = vec![("new", new.email.clone())];
        Ok(self.post(tx, "mail-email-changed", to, values, link).await?)
    }

    async fn set_email(
        &self,
        tx: &mut Tx<'_>,
        user: &User,
        email: &str,
        username: String,
    ) -> Result<(), MailedError> {
        let email = Some(email.to_owned());
        let new = NewUser { email, email_verified: true, username, ..NewUser::from(user) };
        let row = self.row(user.id.clone(), new)?;
        self.tell_own(tx, &user.id, "email");
        if store::update(tx, &row).await? { Ok(()) } else { Err(MailedError::Over) }
    }

    /// What is behind a link that takes a change back, if it is not over.
    ///
    /// # Errors
    /// [`MailedError::Over`], [`MailedError::Internal`].
    pub async fn email_back_link(&self, token: &str) -> Result<EmailBackLink, MailedError> {
        let found = once::find::<OldEmail>(&self.0.ctx, Kind::EmailBack, token).await?;
        let found = found.ok_or(MailedError::Over)?;
        let user = self.active(found.user.as_ref()).await?;
        Ok(EmailBackLink { id: found.id, old: found.data, user })
    }

    /// Takes a change back, once: the user has the old address again and is signed out everywhere,
    /// and a link to set another password goes there, for whoever changed the address may know the
    /// password, too.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn take_email_back(&self, link: EmailBackLink) -> Result<(), MailedError> {
        let unit = self.0.ctx.db.write((self.clone(), link), |tx, (users, link)| {
            Box::pin(async move { users.take_back(tx, link).await })
        });
        unit.await
    }

    async fn take_back(&self, tx: &mut Tx<'_>, link: &EmailBackLink) -> Result<(), MailedError> {
        let (now, old) = (self.0.ctx.now(), &link.old);
        if !once::consume_in(tx, link.id, now).await? {
            return Err(MailedError::Over);
        }
        let user = store::find(&mut *tx, &link.user.id).await?.ok_or(MailedError::Over)?;
        let signed_in_with_it = is_same(&old.email, &old.username);
        let username = if signed_in_with_it { old.username.clone() } else { user.username.clone() };
        self.set_email(tx, &user, &old.email, username).await?;
        once::void(tx, Kind::Email, &user.id).await?;
        // Links of later changes went to addresses that are wrong now. Those of earlier ones stay.
        once::void_since(tx, Kind::EmailBack, &user.id, link.id).await?;
        end_all(tx, &user.id, now).await?;
        let begun = Begun {
            browser: crate::base::secret::Digest::of(b""),
            grant: None,
            language: old.language,
        };
        let user = store::find(&mut *tx, &user.id).await?.ok_or(MailedError::Over)?;
        Ok(self.post_reset(tx, &user, Some(begun)).await?)
    }
}

fn is_same(left: &str, right: &str) -> bool {
    UsernameKey::of(left) == UsernameKey::of(right)
}
