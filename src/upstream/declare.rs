//! Providers as code: what an operator declares is made so, and nothing is done twice.

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::audit::model::{Action, Actor, Event};
use crate::audit::service::record;
use crate::db::Tx;
use crate::db::error::DbError;
use crate::policy::model::Declared;
use crate::upstream::error::ProviderError;
use crate::upstream::model::{NewProvider, Provider};
use crate::upstream::providers::Providers;
use crate::upstream::store;

impl Providers {
    /// What [`Providers::declare`] would do.
    ///
    /// # Errors
    /// [`ProviderError::Internal`] if storage fails.
    pub async fn compare(&self, new: &NewProvider) -> Result<Declared, ProviderError> {
        let found = store::find(&self.ctx.db, &new.id).await?;
        self.outcome(found.as_ref(), new)
    }

    /// Makes the provider be so, on behalf of the operator. One that moves to another account
    /// forgets whom it knew: whoever it was that linked an identity, it was not to that account.
    ///
    /// # Errors
    /// [`ProviderError::UnknownAccount`], [`ProviderError::Internal`].
    pub async fn declare(&self, new: &NewProvider) -> Result<Declared, ProviderError> {
        let found = store::find(&self.ctx.db, &new.id).await?;
        let outcome = self.outcome(found.as_ref(), new)?;
        if outcome == Declared::Unchanged {
            return Ok(outcome);
        }
        let settings = serde_json::to_string(&new.settings)
            .map_err(|_| DbError::CorruptRow { table: "providers", column: "settings" })?;
        let provider = Provider {
            id: new.id.clone(),
            account: new.account.clone(),
            title: new.title.clone(),
            enabled: new.enabled,
            settings: new.settings.clone(),
            secrets_sealed: self.sealed(&new.id, &new.secrets),
        };
        let moved = found.is_some_and(|found| found.account != new.account);
        let input = (provider, settings, moved, self.ctx.clone());
        self.ctx
            .db
            .write(input, |tx, (provider, settings, moved, ctx)| {
                let event = Event::new(Action::Update, "provider", provider.id.as_str());
                let event = Event { account: provider.account.clone(), ..event };
                let after = json!({ "title": provider.title, "enabled": provider.enabled });
                record(tx, ctx, &Actor::operator(), &event.after(after));
                Box::pin(write(tx, provider, (settings, *moved), ctx.now()))
            })
            .await?;
        Ok(outcome)
    }

    fn outcome(
        &self,
        found: Option<&Provider>,
        new: &NewProvider,
    ) -> Result<Declared, ProviderError> {
        let Some(found) = found else { return Ok(Declared::Created) };
        let same = found.account == new.account
            && found.title == new.title
            && found.enabled == new.enabled
            && found.settings == new.settings
            && self.secrets(found)? == new.secrets;
        Ok(if same { Declared::Unchanged } else { Declared::Updated })
    }
}

async fn write(
    tx: &mut Tx<'_>,
    provider: &Provider,
    (settings, moved): (&str, bool),
    now: DateTime<Utc>,
) -> Result<(), ProviderError> {
    if moved {
        store::forget_identities(tx, &provider.id).await?;
    }
    store::put(tx, provider, settings, now).await.map_err(|error| match error {
        DbError::Refused(_) => ProviderError::UnknownAccount,
        other => ProviderError::Internal(other),
    })
}
