//! Invitations: links with which whoever receives mail at an address makes a user for it.

use crate::base::secret::Secret;
use crate::base::text::line;
use crate::db::Tx;
use crate::mail::model::is_address;
use crate::once::model::Kind;
use crate::once::service as once;
use crate::users::mailed::sign_up::{NewPersonRow, insert_with};
use crate::users::mailed::{Begun, INVITATION_TTL, MailedError, To};
use crate::users::model::User;
use crate::users::service::Users;
use crate::users::store::UserRow;
use crate::users::username::UsernameKey;
use crate::words::Language;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// An invitation whose link was opened.
#[derive(Clone, Debug)]
pub struct Invitation {
    id: i64,
    /// The address that was invited: no other one can take it up.
    pub email: String,
}

impl Users {
    /// Invites whoever receives mail at an address to sign up. Earlier invitations of theirs are
    /// void. Somebody who signs in with the address already is told that instead, and whoever
    /// invites does not learn which.
    ///
    /// # Errors
    /// [`MailedError::Address`], [`MailedError::Internal`].
    pub async fn invite(&self, email: &str, language: Language) -> Result<(), MailedError> {
        let email = email.trim();
        if !is_address(email) {
            return Err(MailedError::Address);
        }
        let input = (self.clone(), email.to_owned(), language);
        let unit = self.0.ctx.db.write(input, |tx, (users, email, language)| {
            Box::pin(async move {
                let nowhere = crate::base::secret::Digest::of(b"");
                let begun = Begun { browser: nowhere, grant: None, language: *language };
                if users.tell_known(tx, email, &begun).await? {
                    return Ok(());
                }
                let kind = (Kind::Invitation, users.subject(&UsernameKey::of(email)));
                let link = once::give_out_to(tx, &users.0.ctx, kind, email, INVITATION_TTL).await?;
                let to = To { address: email, language: *language };
                let link = Some(users.link("/sign-up", &link));
                users.post(tx, "mail-invitation", to, Vec::new(), link).await
            })
        });
        Ok(unit.await.map_err(|error: crate::db::error::DbError| error)?)
    }

    /// The invitation behind a link, if it is not over.
    ///
    /// # Errors
    /// [`MailedError::Over`], [`MailedError::Internal`].
    pub async fn invitation(&self, token: &str) -> Result<Invitation, MailedError> {
        let found = once::find::<String>(&self.0.ctx, Kind::Invitation, token).await?;
        let found = found.ok_or(MailedError::Over)?;
        Ok(Invitation { id: found.id, email: found.data })
    }

    /// Takes an invitation up, once: its link was proof of the address.
    ///
    /// # Errors
    /// [`MailedError`].
    pub async fn accept_invitation(
        &self,
        invitation: Invitation,
        name: &str,
        password: &Secret,
    ) -> Result<User, MailedError> {
        let name = line(name.trim(), NAME_BYTES_MAX).map_err(MailedError::Name)?;
        let email = &invitation.email;
        let phc = self.hash_chosen(password, &[name, email]).await?;
        self.make_user(name, email, NewPersonRow { secret: invitation.id, phc }).await
    }
}

/// Somebody who becomes a user in another's unit of work.
pub struct Person {
    users: Users,
    row: UserRow,
    phc: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}

impl Users {
    /// Checks what somebody typed who proved an address, and hashes the password.
    ///
    /// # Errors
    /// [`MailedError`] for a name or a password that is not taken.
    pub async fn prepare_person(
        &self,
        name: &str,
        email: &str,
        password: &Secret,
    ) -> Result<Person, MailedError> {
        let name = line(name.trim(), NAME_BYTES_MAX).map_err(MailedError::Name)?;
        let phc = self.hash_chosen(password, &[name, email]).await?;
        Ok(Person { users: self.clone(), row: self.new_row(name, email)?, phc })
    }
}

/// Makes them a user.
///
/// # Errors
/// [`MailedError::Taken`] if somebody signs in with the address meanwhile.
pub async fn make_person(tx: &mut Tx<'_>, person: &Person) -> Result<User, MailedError> {
    insert_with(tx, &person.users, (&person.row, &person.phc)).await
}
