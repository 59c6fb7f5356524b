//! Policies that an account begins with, written in the unit of work that makes it.

use crate::base::id::AccountId;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::policy::document::Document;
use crate::policy::model::{Policy, PolicyError};
use crate::policy::store;

/// Writes a policy, unless the account has one of that name; whether it did.
///
/// # Errors
/// [`PolicyError::Invalid`], [`PolicyError::UnknownAccount`], [`PolicyError::Internal`].
pub async fn give(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Policy,
) -> Result<bool, PolicyError> {
    if store::find(&mut *tx, account, &policy.name).await?.is_some() {
        return Ok(false);
    }
    Document::parse(&policy.document).map_err(PolicyError::Invalid)?;
    store::insert(tx, account, policy).await?;
    tx.touch(Topic::Policies).await?;
    Ok(true)
}
