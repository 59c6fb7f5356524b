//! Apps that register themselves, and manage what they registered. Source: RFC 7591, RFC 7592.

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::error::AppError;
use crate::apps::new_app::NewApp;
use crate::apps::secrets::{GivenSecret, NewSecret};
use crate::apps::service::{Apps, refusal};
use crate::apps::told::{tell_app, tell_change};
use crate::apps::{store, store_registrations};
use crate::audit::model::{Action, Actor};
use crate::base::id::AppId;
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::policy::administrators;

/// How an app was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The digest of its registration access token. Source: RFC 7592 section 3.
    pub token: Digest,
    /// When.
    pub at: DateTime<Utc>,
}

/// An app that registers itself.
#[derive(Clone, Debug)]
pub struct Registering {
    /// The app.
    pub app: NewApp,
    /// Its secret, if it has one.
    pub secret: Option<GivenSecret>,
    /// The digest of its registration access token.
    pub token: Digest,
    /// What it is charged to; `None` if it came with a token that lets it.
    pub quota: Option<Quota>,
}

/// How many may register without a token.
#[derive(Clone, Debug)]
pub struct Quota {
    /// The digest of the address that it comes from.
    pub source: Digest,
    /// Most from there in an hour.
    pub per_hour_max: u32,
    /// Most that exist at once.
    pub total_max: u32,
}

/// What becomes of an app's secrets when its registration is replaced.
#[derive(Clone, Debug)]
pub enum Secrets {
    /// They stay.
    Keep,
    /// They end.
    Drop,
    /// They end, and this is the new one.
    New(GivenSecret),
}

/// Why an app cannot register itself.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its registration is refused.
    #[error(transparent)]
    App(#[from] AppError),
    /// Too many came from its address.
    #[error("too many registrations came from this address")]
    Address,
    /// There are too many such apps.
    #[error("there are too many apps that were registered without a token")]
    Total,
}

impl From<DbError> for RegisterError {
    fn from(error: DbError) -> Self {
        Self::App(error.into())
    }
}

impl Apps {
    /// Registers an app that asked for it itself, within the quota that it is charged to.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn register_itself(&self, new: Registering) -> Result<(), RegisterError> {
        new.app.check().map_err(AppError::Invalid)?;
        let secret = new.secret.as_ref().map(|secret| self.sealed(secret));
        self.ctx
            .db
            .write((new, secret, self.ctx.clone()), |tx, (new, secret, ctx)| {
                let done = (Action::Create, None);
                tell_app(tx, ctx, &Actor::app(&new.app.id), done, &new.app);
                Box::pin(write_registering(tx, new, secret.as_ref(), ctx.now()))
            })
            .await
    }

    /// The app and how it registered itself; `None` if it did not.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn registered(&self, id: &AppId) -> Result<Option<(NewApp, Registered)>, DbError> {
        let Some(registered) = store_registrations::find(&self.ctx.db, id).await? else {
            return Ok(None);
        };
        Ok(store::find(&self.ctx.db, id).await?.map(|app| (app, registered)))
    }

    /// Replaces what an app registered of itself.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Unknown`].
    pub async fn replace(&self, app: NewApp, secrets: Secrets) -> Result<(), AppError> {
        app.check().map_err(AppError::Invalid)?;
        let new = match &secrets {
            Secrets::New(given) => Some(self.sealed(given)),
            Secrets::Keep | Secrets::Drop => None,
        };
        let input = (app, secrets, new, self.ctx.clone());
        self.ctx
            .db
            .write(input, |tx, (app, secrets, new, ctx)| {
                tell_app(tx, ctx, &Actor::app(&app.id), (Action::Update, None), app);
                Box::pin(write_replaced(tx, app, (secrets, new.as_ref()), ctx.now()))
            })
            .await
    }

    /// Deletes an app with everything that users gave it; its tokens end at once.
    ///
    /// # Errors
    /// [`AppError::Unknown`] if there is none.
    pub async fn remove(&self, id: &AppId) -> Result<(), AppError> {
        let unit = self.ctx.db.write((self.ctx.clone(), id.clone()), |tx, (ctx, id)| {
            Box::pin(async move {
                tell_change(tx, ctx, &Actor::app(id), (Action::Delete, "app"), id).await?;
                write_removed(tx, id).await
            })
        });
        unit.await
    }
}

async fn write_registering(
    tx: &mut Tx<'_>,
    new: &Registering,
    secret: Option<&NewSecret>,
    now: DateTime<Utc>,
) -> Result<(), RegisterError> {
    // All belong to one account, so that those of all nodes queue.
    administrators::lock(tx, &new.app.account).await?;
    tx.touch(Topic::Apps);
    if let Some(quota) = &new.quota {
        let hour_ago = now - TimeDelta::hours(1);
        let from_there = store_registrations::count_from(tx, quota.source, hour_ago).await?;
        if from_there >= i64::from(quota.per_hour_max) {
            return Err(RegisterError::Address);
        }
        if store_registrations::count_all(tx).await? >= i64::from(quota.total_max) {
            return Err(RegisterError::Total);
        }
    }
    store::insert(tx, &new.app, now).await.map_err(refusal)?;
    if let Some(secret) = secret {
        store::insert_secret(tx, &new.app, secret, now).await?;
    }
    let source = new.quota.as_ref().map(|quota| quota.source);
    store_registrations::insert(tx, &new.app.id, new.token, source, now).await?;
    Ok(())
}

async fn write_replaced(
    tx: &mut Tx<'_>,
    app: &NewApp,
    (secrets, new): (&Secrets, Option<&NewSecret>),
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    if !store::hold(tx, &app.id).await? {
        return Err(AppError::Unknown);
    }
    store::update(tx, app, now).await.map_err(refusal)?;
    match secrets {
        Secrets::Keep => {}
        Secrets::Drop | Secrets::New(_) => store::drop_secrets(tx, &app.id, 0, now).await?,
    }
    if let Some(new) = new {
        store::insert_secret(tx, app, new, now).await?;
    }
    tx.touch(Topic::Apps);
    Ok(())
}

/// Deletes an app and whatever was given to it.
pub(in crate::apps) async fn write_removed(tx: &mut Tx<'_>, id: &AppId) -> Result<(), AppError> {
    if !store_registrations::delete_app(tx, id).await? {
        return Err(AppError::Unknown);
    }
    for topic in [Topic::Apps, Topic::Grants, Topic::Consents] {
        tx.touch(topic);
    }
    Ok(())
}
