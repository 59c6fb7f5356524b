//! Policies that an account begins with, written in the unit of work that makes it.

use crate::base::id::{AccountId, UserId};
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::policy::administrators::lock;
use crate::policy::document::Document;
use crate::policy::model::{Change, Policy, PolicyError, Version};
use crate::policy::{store, store_versions};

/// Writes a policy, unless the account has one of that name; whether it did. `by` stands in
/// its history.
///
/// # Errors
/// [`PolicyError::Invalid`], [`PolicyError::UnknownAccount`], [`PolicyError::Internal`].
pub async fn give(
    tx: &mut Tx<'_>,
    account: &AccountId,
    policy: &Policy,
    by: Option<&UserId>,
) -> Result<bool, PolicyError> {
    lock(tx, account).await?;
    if store::find(&mut *tx, account, &policy.name).await?.is_some() {
        return Ok(false);
    }
    Document::parse(&policy.document).map_err(PolicyError::Invalid)?;
    store::insert(tx, account, policy).await?;
    let version = Version {
        number: 0,
        change: Change::Created,
        document: policy.document.clone(),
        other_name: None,
        changed_by: by.cloned(),
        changed_at: policy.updated_at,
    };
    store_versions::append(tx, account, &policy.name, &version).await?;
    tx.touch(Topic::Policies);
    Ok(true)
}
