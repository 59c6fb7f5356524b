//! Comparing providers with those that the server knows.

use crate::db::error::DbError;
use crate::setup::declaration::ProviderEntry;
use crate::setup::difference::Change;
use crate::setup::plan::{Act, Planner};
use crate::setup::problem::Problem;
use crate::upstream::error::ProviderError;

impl<'a> Planner<'a> {
    /// Plans a provider.
    pub(in crate::setup) async fn provider(
        &mut self,
        entry: &'a ProviderEntry,
    ) -> Result<(), DbError> {
        if let Some(account) = &entry.account {
            self.known_account(account).await?;
            for group in &entry.groups {
                self.known_group(&account.value, group).await?;
            }
        }
        let compared = self.setup.providers.compare(&entry.provider.value).await;
        if let Some(declared) = self.noted(&entry.provider, compared)? {
            let change = Change::new(declared, &format!("provider {}", entry.provider.value.id));
            self.add(change, Act::Provider(entry));
        }
        Ok(())
    }
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Internal(error) => Self::Internal(error),
            ProviderError::UnknownAccount => Self::refused("account", &error),
            ProviderError::Invalid { field, .. } => Self::refused(field, &error),
        }
    }
}
