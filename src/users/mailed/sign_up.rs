//! Signing up: nobody is a user before a link that was mailed to their address came back.
//!
//! Until then there is only a one-time secret, with all that was said sealed in it. The link counts
//! in the browser that asked; in another one it takes the password that was chosen, or else whoever
//! asks for somebody else's address would get a user with that address and their own password as
//! soon as the owner follows the link.

use serde::{Deserialize, Serialize};

use crate::base::id::{GrantId, UserId};
use crate::base::secret::{Digest, Secret};
use crate::base::text::line;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::is_address;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::users::error::UserError;
use crate::users::hash::StoredHash;
use crate::users::login::Source;
use crate::users::mailed::wish::Wish;
use crate::users::mailed::{Begun, MailedError, SIGN_UP_TTL, To};
use crate::users::model::{NewUser, User};
use crate::users::service::Users;
use crate::users::store::UserRow;
use crate::users::store_throttle::Outcome;
use crate::users::throttle::{Factor, charges, choices};
use crate::users::username::UsernameKey;
use crate::users::{store, store_passwords};

const PURPOSE: &str = "users: sign-up";
/// Longest name, in bytes.
pub(in crate::users) const NAME_BYTES_MAX: usize = 200;

/// What somebody typed to sign up.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The full name.
    pub name: &'a str,
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a Secret,
}

/// Somebody who is no user yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::users) struct NewPerson {
    pub(in crate::users) name: String,
    pub(in crate::users) email: String,
    /// The hash of the password.
    pub(in crate::users) phc: String,
    pub(in crate::users) begun: Begun,
}

/// A sign-up whose link was opened.
#[derive(Clone, Debug)]
pub struct SignUpLink {
    id: i64,
    person: NewPerson,
}

/// Somebody who is a user now.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// Who.
    pub user: User,
    /// The authorization that goes on, if this is the browser that it was begun in.
    pub grant: Option<GrantId>,
}

impl SignUpLink {
    /// Whether this is the browser that asked.
    pub fn is_of(&self, browser: Digest) -> bool {
        self.person.begun.browser == browser
    }

    /// The address.
    pub fn email(&self) -> &str {
        &self.person.email
    }

    /// The full name.
    pub fn name(&self) -> &str {
        &self.person.name
    }
}

impl Users {
    /// Takes what somebody typed to sign up; a letter goes to the address in any case.
    ///
    /// Answers what a page holds to ask for the letter once more.
    ///
    /// # Errors
    /// [`MailedError`] if something of it is not taken, the same whether the address is known.
    pub async fn sign_up(
        &self,
        wanted: &Wanted<'_>,
        begun: Begun,
        source: &Source,
    ) -> Result<String, MailedError> {
        let (name, email) = (wanted.name.trim(), wanted.email.trim());
        line(name, NAME_BYTES_MAX).map_err(MailedError::Name)?;
        if !is_address(email) {
            return Err(MailedError::Address);
        }
        let key = UsernameKey::of(email);
        let attempt = self.charge_all(choices(source.ip, &self.limits())).await?;
        let phc = self.hash_chosen(wanted.password, &[name, email]).await?;
        self.settle(attempt, Outcome::Right).await?;
        self.charge_letter(&key, source).await?;
        let (name, email) = (name.to_owned(), email.to_owned());
        let wish = Wish::SignUp(NewPerson { name, email, phc, begun });
        self.wish(&wish).await?;
        Ok(self.seal_again(&wish)?)
    }

    /// Has the letter sent once more, for the same browser; answers the address.
    ///
    /// # Errors
    /// [`MailedError::Over`] if it was asked for too long ago, [`MailedError::Throttled`].
    pub async fn sign_up_again(
        &self,
        sealed: &str,
        source: &Source,
    ) -> Result<String, MailedError> {
        let wish = self.unseal_again(sealed).ok_or(MailedError::Over)?;
        let Wish::SignUp(person) = &wish else { return Err(MailedError::Over) };
        if person.begun.browser != source.browser {
            return Err(MailedError::Over);
        }
        self.charge_letter(&UsernameKey::of(&person.email), source).await?;
        self.wish(&wish).await?;
        Ok(person.email.clone())
    }

    /// Answers a wish to sign up: with a link, or with the news that there is such a user.
    pub(in crate::users) async fn answer_sign_up(&self, person: NewPerson) -> Result<(), DbError> {
        let sealed = self.enclose(PURPOSE, &person)?;
        let unit = self.0.ctx.db.write((self.clone(), person, sealed), |tx, input| {
            Box::pin(async move {
                let (users, person, sealed) = input;
                let key = UsernameKey::of(&person.email);
                if users.tell_known(tx, &person.email, &person.begun).await? {
                    return Ok(());
                }
                let kind = (Kind::SignUp, users.subject(&key));
                let link = once::give_out_to(tx, &users.0.ctx, kind, sealed, SIGN_UP_TTL).await?;
                let to = To { address: &person.email, language: person.begun.language };
                let link = Some(users.link("/sign-up/confirm", &link));
                users.post(tx, "mail-sign-up", to, Vec::new(), link).await
            })
        });
        unit.await
    }

    /// Writes to an address that somebody signs in with already; `false` if nobody does.
    pub(in crate::users) async fn tell_known(
        &self,
        tx: &mut Tx<'_>,
        email: &str,
        begun: &Begun,
    ) -> Result<bool, DbError> {
        let found = store::find_by_name(&mut *tx, &UsernameKey::of(email)).await?;
        let Some((user, _)) = found else { return Ok(false) };
        // The address as its owner wrote it: one that only folds to the same is somebody else's.
        let stored = user.email.as_deref().filter(|_| user.proved(email));
        let to = To { address: stored.unwrap_or(email), language: begun.language };
        let link = Some(self.0.issuer.url("/forgot"));
        self.post(tx, "mail-known", to, Vec::new(), link).await?;
        Ok(true)
    }

    /// The sign-up behind a link, if it is not over.
    ///
    /// # Errors
    /// [`MailedError::Over`], [`MailedError::Internal`].
    pub async fn sign_up_link(&self, token: &str) -> Result<SignUpLink, MailedError> {
        let found = once::find::<String>(&self.0.ctx, Kind::SignUp, token).await?;
        let found = found.ok_or(MailedError::Over)?;
        let person = self.disclose(PURPOSE, &found.data).ok_or(MailedError::Over)?;
        Ok(SignUpLink { id: found.id, person })
    }

    /// Makes the user, once. In a browser that did not ask it takes the password.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn confirm_sign_up(
        &self,
        link: SignUpLink,
        password: Option<&Secret>,
        source: &Source,
    ) -> Result<SignedUp, MailedError> {
        let SignUpLink { id, person } = link;
        if person.begun.browser != source.browser {
            let password = password.ok_or(MailedError::Wrong)?;
            let key = UsernameKey::of(&person.email);
            let stored = StoredHash::parse(&person.phc).ok();
            let charges = charges(Factor::Password, &key, source.ip, None, &self.limits());
            self.prove(charges, password, stored).await?;
        }
        let grant = person.begun.grant_for(source.browser);
        let new = NewPersonRow { secret: id, phc: person.phc };
        let user = self.make_user(&person.name, &person.email, new).await?;
        Ok(SignedUp { user, grant })
    }

    /// Makes a user whose address is proved, and uses up the secret that allows it.
    pub(in crate::users) async fn make_user(
        &self,
        name: &str,
        email: &str,
        new: NewPersonRow,
    ) -> Result<User, MailedError> {
        let row = self.new_row(name, email)?;
        let input = (self.clone(), row, new);
        let unit = self.0.ctx.db.write(input, |tx, (users, row, new)| {
            Box::pin(async move { insert(tx, users, (row, new)).await })
        });
        unit.await
    }
}

impl Users {
    /// The row of a user whose address is proved.
    pub(in crate::users) fn new_row(&self, name: &str, email: &str) -> Result<UserRow, UserError> {
        let id = UserId::generate(self.0.ctx.now(), self.0.ctx.entropy());
        let user = NewUser {
            username: email.to_owned(),
            email: Some(email.to_owned()),
            email_verified: true,
            name: Some(name.to_owned()),
            ..NewUser::default()
        };
        self.row(id, user)
    }
}

/// What is stored with a new user.
pub(in crate::users) struct NewPersonRow {
    /// The one-time secret that allows it.
    pub(in crate::users) secret: i64,
    /// The hash of the password.
    pub(in crate::users) phc: String,
}

async fn insert(
    tx: &mut Tx<'_>,
    users: &Users,
    (row, new): (&UserRow, &NewPersonRow),
) -> Result<User, MailedError> {
    if !once::consume_in(tx, new.secret, row.now).await? {
        return Err(MailedError::Over);
    }
    insert_with(tx, users, (row, &new.phc)).await
}

/// Makes a user with a password.
pub(in crate::users) async fn insert_with(
    tx: &mut Tx<'_>,
    users: &Users,
    (row, phc): (&UserRow, &str),
) -> Result<User, MailedError> {
    store::insert(tx, row).await?;
    store_passwords::set_phc(tx, &row.id, (phc, None), row.now).await?;
    users.tell_made(tx, &row.id);
    Ok(store::find(tx, &row.id).await?.ok_or(DbError::Closed)?)
}
