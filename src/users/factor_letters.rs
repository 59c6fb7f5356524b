//! Letters about second factors: whoever did not do it has to hear of it.

use crate::base::id::UserId;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::mail::model::Letter;
use crate::mail::service::post;
use crate::users::model::User;
use crate::users::service::Users;

/// A factor was added.
pub(in crate::users) const ADDED: &str = "mail-factor-added";
/// A factor was taken away.
pub(in crate::users) const REMOVED: &str = "mail-factor-removed";
/// New recovery codes were made.
pub(in crate::users) const CODES_MADE: &str = "mail-recovery-made";
/// A recovery code was used.
pub(in crate::users) const CODE_USED: &str = "mail-recovery-used";

/// A letter of the unit of work that it tells of; nothing for whoever has no address.
#[derive(Clone)]
pub(in crate::users) struct Notice {
    users: Users,
    user: UserId,
    kind: &'static str,
    letter: Option<Letter>,
}

impl Notice {
    /// Posts it, in the transaction of the act, which it records, too.
    pub(in crate::users) async fn post(&self, tx: &mut Tx<'_>) -> Result<(), DbError> {
        self.users.tell_own(tx, &self.user, self.kind.trim_start_matches("mail-"));
        let Some(letter) = &self.letter else { return Ok(()) };
        post(tx, &self.users.0.ctx, &self.users.0.vault, letter).await
    }
}

impl Users {
    /// The notice of an act. It goes to an address that the user has shown to be theirs.
    pub(in crate::users) fn notice(&self, user: &User, kind: &'static str) -> Notice {
        let letter = user.proven_email().map(|to| Letter {
            to: to.to_owned(),
            language: user.language(),
            kind,
            values: vec![("host", self.0.issuer_name.clone())],
            link: Some(self.0.issuer.url("/account/factors")),
        });
        Notice { users: self.clone(), user: user.id.clone(), kind, letter }
    }
}
