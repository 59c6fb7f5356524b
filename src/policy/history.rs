//! What policies were before.

use crate::db::error::DbError;
use crate::policy::model::Version;
use crate::policy::permit::Permit;
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::{Policies, is_name, resource};
use crate::policy::store_versions;

impl Policies {
    /// At most `limit` versions of the policy called `name`, the newest first, those before the
    /// one numbered `before`. There are some of a policy that was removed, too; none for a policy
    /// that never was, or that the caller may not see.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn versions(
        &self,
        permit: &Permit<AccessAdmin>,
        name: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Version>, DbError> {
        if !is_name(name) || !permit.allows(&resource(name)) {
            return Ok(Vec::new());
        }
        let page = (before.unwrap_or(i64::MAX), limit);
        store_versions::list(&self.ctx.db, permit.account(), name, page).await
    }
}
