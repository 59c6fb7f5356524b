//! What is sealed: for a job or a page, or for a browser to bring back, of one owner, for a while
//! and good once.
//!
//! It costs no row until it is used, so that whoever only looks at a page leaves nothing behind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::clock::{from_micros, micros};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::once::service::first_seen;
use crate::users::service::Users;

/// How long it may take to come back.
const LIFETIME: TimeDelta = TimeDelta::minutes(15);

#[derive(Serialize, Deserialize)]
struct Inside<T> {
    owner: Digest,
    until: i64,
    data: T,
}

impl Users {
    /// Seals what must not lie open in the database or on a page.
    pub(in crate::users) fn enclose<T: Serialize>(
        &self,
        purpose: &str,
        data: &T,
    ) -> Result<String, DbError> {
        let corrupt = |_| DbError::CorruptRow { table: "sealed", column: "data" };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(data).map_err(corrupt)?);
        let sealed = self.0.vault.seal(purpose, &plain, self.0.ctx.entropy());
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens what [`Users::enclose`] made for the same purpose.
    pub(in crate::users) fn disclose<T: DeserializeOwned>(
        &self,
        purpose: &str,
        text: &str,
    ) -> Option<T> {
        let plain = self.0.vault.open(purpose, &URL_SAFE_NO_PAD.decode(text).ok()?)?;
        serde_json::from_slice(&plain).ok()
    }

    /// Seals `data` for `purpose` and `owner`: a browser, a user.
    pub(in crate::users) fn seal<T: Serialize>(
        &self,
        purpose: &str,
        owner: &[&[u8]],
        data: &T,
    ) -> Result<String, DbError> {
        let owner = self.0.vault.mac(purpose, owner);
        let until = micros(self.0.ctx.now() + LIFETIME);
        self.enclose(purpose, &Inside { owner, until, data })
    }

    /// What was sealed, if it is of this purpose and owner, and not too late.
    pub(in crate::users) fn unseal<T: DeserializeOwned>(
        &self,
        purpose: &str,
        owner: &[&[u8]],
        text: &str,
    ) -> Option<T> {
        let inside: Inside<T> = self.disclose(purpose, text)?;
        let is_good = inside.owner == self.0.vault.mac(purpose, owner)
            && self.0.ctx.now() < from_micros(inside.until);
        is_good.then_some(inside.data)
    }

    /// [`Users::unseal`], good once: whoever comes second, or in between, gets nothing.
    pub(in crate::users) async fn unseal_once<T: DeserializeOwned>(
        &self,
        purpose: &str,
        owner: &[&[u8]],
        text: &str,
    ) -> Result<Option<T>, DbError> {
        let Some(data) = self.unseal(purpose, owner, text) else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let name = URL_SAFE_NO_PAD.encode(Digest::of(&bytes).0);
        let end = self.0.ctx.now() + LIFETIME;
        let is_first = first_seen(&self.0.ctx, purpose, ("", &name), end).await?;
        Ok(is_first.then_some(data))
    }
}
