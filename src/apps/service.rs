//! The registry: apps are found here, and get their secrets here.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::error::{AppError, Fault};
use crate::apps::model::{App, Kind, SecretDigest};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::secrets::NewSecret;
use crate::apps::store;
use crate::apps::store_blocks;
use crate::apps::told::{tell_app, tell_change};
use crate::audit::model::{Action, Actor};
use crate::base::id::{AccountId, AppId};
use crate::base::secret::Secret;
use crate::db::Tx;
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;

/// Most secrets of one app that are good at once: the new one, and the one it replaces.
pub const SECRETS_MAX: usize = 2;
/// Longest time that a replaced secret stays good, in seconds: 30 days.
pub const OVERLAP_SECONDS_MAX: u32 = 30 * 86_400;

const APPS_HELD_MAX: u64 = 10_000;

/// All apps. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Apps {
    pub(in crate::apps) ctx: Ctx,
    pub(in crate::apps) vault: Vault,
    held: Cache<AppId, Option<Arc<App>>>,
    origins: Cache<(), Arc<HashSet<String>>>,
}

impl Apps {
    /// On the database of `ctx`.
    pub fn new(ctx: &Ctx, vault: &Vault) -> Self {
        let changes = ctx.db.changes();
        Self {
            ctx: ctx.clone(),
            vault: vault.clone(),
            held: Cache::new(changes, Topic::Apps, APPS_HELD_MAX),
            origins: Cache::new(changes, Topic::Apps, 1),
        }
    }

    /// A fresh id, for an app that nobody chose one for.
    pub fn new_id(&self) -> AppId {
        AppId::generate(self.ctx.now(), self.ctx.entropy())
    }

    /// The app, if there is one. Held until an app changes.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find(&self, id: &AppId) -> Result<Option<Arc<App>>, DbError> {
        let load = async || Ok(self.read(id).await?.map(Arc::new));
        self.held.get_or_load(id, load).await
    }

    async fn read(&self, id: &AppId) -> Result<Option<App>, DbError> {
        let Some(app) = store::find(&self.ctx.db, id).await? else { return Ok(None) };
        let blocked_by = store_blocks::of_app(&self.ctx.db, id).await?;
        let app = app.with_secrets(store::secrets(&self.ctx.db, id).await?);
        Ok(Some(App { blocked_by, ..app }))
    }

    /// Whether a callback URL of any app has this origin: whose scripts may read what the token
    /// endpoint answers. Never for `null`.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn is_registered_origin(&self, origin: &str) -> Result<bool, DbError> {
        let load = async || {
            let urls = store::callback_urls(&self.ctx.db).await?;
            Ok::<_, DbError>(Arc::new(urls.iter().filter_map(RedirectUri::origin).collect()))
        };
        let origins: Arc<HashSet<String>> = self.origins.get_or_load(&(), load).await?;
        Ok(origins.contains(origin))
    }

    /// The types of authorization details that any app may ask for, each once, sorted.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn details_types(&self) -> Result<Vec<String>, DbError> {
        let all = store::with_details(&self.ctx.db).await?;
        let types: BTreeSet<String> =
            all.into_iter().flat_map(|metadata| metadata.authorization_details_types).collect();
        Ok(types.into_iter().collect())
    }

    /// The registrations of an account, or all, by id: for the operator.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn list(&self, account: Option<&AccountId>) -> Result<Vec<NewApp>, DbError> {
        store::list(&self.ctx.db, account).await
    }

    /// Registers an app, on behalf of the operator. A confidential one gets a secret, which is
    /// shown here and nowhere else.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Duplicate`], [`AppError::UnknownAccount`].
    pub async fn register(&self, app: NewApp) -> Result<(App, Option<Secret>), AppError> {
        app.check().map_err(AppError::Invalid)?;
        let now = self.ctx.now();
        let secret = (app.kind == Kind::Confidential).then(|| Secret::generate(self.ctx.entropy()));
        let new = secret.as_ref().map(|secret| self.sealed(&secret.into()));
        self.ctx
            .db
            .write((app.clone(), new.clone(), self.ctx.clone()), |tx, (app, new, ctx)| {
                tell_app(tx, ctx, &Actor::operator(), (Action::Create, None), app);
                Box::pin(write_new(tx, app, new.as_ref(), ctx.now()))
            })
            .await?;
        let secrets = new.map(|new| SecretDigest {
            digest: new.digest,
            sealed: new.sealed_for(&app),
            created_at: now,
            expires_at: None,
        });
        Ok((app.with_secrets(secrets.into_iter().collect()), secret))
    }

    /// Makes a new secret for a confidential app. The one before stays good for
    /// `overlap_seconds`, and any older one ends at once.
    ///
    /// # Errors
    /// [`AppError::Unknown`]; [`AppError::Invalid`] for a public app or too long an overlap.
    pub async fn add_secret(&self, id: &AppId, overlap_seconds: u32) -> Result<Secret, AppError> {
        if overlap_seconds > OVERLAP_SECONDS_MAX {
            let problem = format!("must be at most {OVERLAP_SECONDS_MAX}");
            return Err(AppError::Invalid(vec![Fault::new("overlap_seconds", problem)]));
        }
        let secret = Secret::generate(self.ctx.entropy());
        let now = self.ctx.now();
        let end = now + TimeDelta::seconds(i64::from(overlap_seconds));
        let input = ((self.ctx.clone(), id.clone()), self.sealed(&(&secret).into()), now, end);
        self.ctx
            .db
            .write(input, |tx, ((ctx, id), new, now, end)| {
                Box::pin(async move {
                    let done = (Action::Update, "secrets");
                    tell_change(tx, ctx, &Actor::operator(), done, id).await?;
                    write_secret(tx, id, new, (*now, *end)).await
                })
            })
            .await?;
        Ok(secret)
    }

    /// The secrets of an app that are good now, the oldest first.
    ///
    /// # Errors
    /// [`AppError::Unknown`] if there is no such app.
    pub async fn secrets(&self, id: &AppId) -> Result<Vec<SecretDigest>, AppError> {
        let app = self.read(id).await?.ok_or(AppError::Unknown)?;
        let now = self.ctx.now();
        Ok(app.secrets.into_iter().filter(|secret| secret.is_good(now)).collect())
    }
}

/// What a database's refusal to write an app means.
pub(in crate::apps) fn refusal(error: DbError) -> AppError {
    match error {
        DbError::Duplicate(_) => AppError::Duplicate,
        DbError::Refused(_) => AppError::UnknownAccount,
        other => AppError::Db(other),
    }
}

/// The fault of a public app that is to get a secret.
pub(in crate::apps) fn no_secrets() -> AppError {
    AppError::Invalid(vec![Fault::new("secrets", "a public app cannot keep a secret")])
}

/// Adds an app with its secret.
pub(in crate::apps) async fn write_new(
    tx: &mut Tx<'_>,
    app: &NewApp,
    secret: Option<&NewSecret>,
    now: DateTime<Utc>,
) -> Result<(), AppError> {
    store::insert(tx, app, now).await.map_err(refusal)?;
    if let Some(secret) = secret {
        store::insert_secret(tx, app, secret, now).await?;
    }
    tx.touch(Topic::Apps);
    Ok(())
}

/// Adds a secret beside the one before, which ends at the second instant.
pub(in crate::apps) async fn write_secret(
    tx: &mut Tx<'_>,
    id: &AppId,
    secret: &NewSecret,
    (now, end): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), AppError> {
    if !store::hold(tx, id).await? {
        return Err(AppError::Unknown);
    }
    let app = store::find(&mut *tx, id).await?.ok_or(AppError::Unknown)?;
    if app.kind == Kind::Public {
        return Err(no_secrets());
    }
    store::end_secrets(tx, id, end).await?;
    store::insert_secret(tx, &app, secret, now).await?;
    store::drop_secrets(tx, id, SECRETS_MAX, now).await?;
    tx.touch(Topic::Apps);
    Ok(())
}
