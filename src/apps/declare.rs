//! Apps as code: what an operator declares is made so, and nothing is done twice.

use chrono::{DateTime, Utc};

use crate::apps::error::{AppError, Fault};
use crate::apps::model::{Kind, SecretDigest};
use crate::apps::new_app::NewApp;
use crate::apps::secrets::{GivenSecret, NewSecret};
use crate::apps::service::{Apps, SECRETS_MAX, no_secrets, refusal};
use crate::apps::told::{tell_app, tell_change};
use crate::apps::{narrowing, store};
use crate::audit::model::{Action, Actor};
use crate::base::id::AppId;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::policy::model::Declared;

impl Apps {
    /// What [`Apps::declare`] would do.
    ///
    /// # Errors
    /// As [`Apps::declare`], except for what only writing can tell.
    pub async fn compare(&self, app: &NewApp) -> Result<Declared, AppError> {
        app.check().map_err(AppError::Invalid)?;
        Ok(outcome(store::find(&self.ctx.db, &app.id).await?.as_ref(), app))
    }

    /// Makes the app be so, on behalf of the operator. Its secrets stay, unless it is public now.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::UnknownAccount`].
    pub async fn declare(&self, app: &NewApp) -> Result<Declared, AppError> {
        app.check().map_err(AppError::Invalid)?;
        self.ctx
            .db
            .write((app.clone(), self.ctx.clone()), |tx, (app, ctx)| {
                Box::pin(async move {
                    let before = store::find(&mut *tx, &app.id).await?;
                    let done = write_app(tx, app, ctx.now()).await?;
                    let action = match done {
                        Declared::Unchanged => return Ok(done),
                        Declared::Created => Action::Create,
                        Declared::Updated => Action::Update,
                    };
                    tell_app(tx, ctx, &Actor::operator(), (action, before.as_ref()), app);
                    Ok(done)
                })
            })
            .await
    }

    /// What [`Apps::declare_secrets`] would do. An app that is yet to be declared has none.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for more secrets than may be good at once.
    pub async fn compare_secrets(
        &self,
        id: &AppId,
        (secrets, app): (&[GivenSecret], &NewApp),
    ) -> Result<Declared, AppError> {
        check_count(secrets)?;
        let now = self.ctx.now();
        let found = store::secrets(&self.ctx.db, id).await?;
        Ok(secrets_outcome(&found, &self.all_sealed(secrets), (app, now)))
    }

    /// Makes these the app's secrets, the youngest last, and ends all others at once.
    ///
    /// # Errors
    /// [`AppError::Unknown`]; [`AppError::Invalid`] for a public app, or for more secrets than may
    /// be good at once.
    pub async fn declare_secrets(
        &self,
        id: &AppId,
        secrets: &[GivenSecret],
    ) -> Result<Declared, AppError> {
        check_count(secrets)?;
        let input = (id.clone(), self.all_sealed(secrets), self.ctx.clone());
        self.ctx
            .db
            .write(input, |tx, (id, secrets, ctx)| {
                Box::pin(async move {
                    let declared = write_secrets(tx, id, secrets, ctx.now()).await?;
                    if declared != Declared::Unchanged {
                        let done = (Action::Update, "secrets");
                        tell_change(tx, ctx, &Actor::operator(), done, id).await?;
                    }
                    Ok(declared)
                })
            })
            .await
    }

    fn all_sealed(&self, secrets: &[GivenSecret]) -> Vec<NewSecret> {
        secrets.iter().map(|secret| self.sealed(secret)).collect()
    }
}

fn check_count(secrets: &[GivenSecret]) -> Result<(), AppError> {
    if secrets.len() <= SECRETS_MAX {
        return Ok(());
    }
    let problem = format!("must be at most {SECRETS_MAX}");
    Err(AppError::Invalid(vec![Fault::new("secrets", problem)]))
}

fn outcome(found: Option<&NewApp>, wanted: &NewApp) -> Declared {
    match found {
        None => Declared::Created,
        Some(found) if found == wanted => Declared::Unchanged,
        Some(_) => Declared::Updated,
    }
}

/// A secret that is about to end is not the same as one that stays, nor is one that is known only
/// by its digest as one that the app can sign with.
fn secrets_outcome(
    found: &[SecretDigest],
    wanted: &[NewSecret],
    (app, now): (&NewApp, DateTime<Utc>),
) -> Declared {
    let is_same_secret = |found: &SecretDigest, wanted: &NewSecret| {
        found.digest == wanted.digest && found.sealed.is_some() == wanted.sealed_for(app).is_some()
    };
    let good: Vec<_> = found.iter().filter(|secret| secret.is_good(now)).collect();
    let is_same = good.len() == wanted.len()
        && good.iter().all(|secret| secret.expires_at.is_none())
        && good.iter().zip(wanted).all(|(secret, wanted)| is_same_secret(secret, wanted));
    match (is_same, good.is_empty()) {
        (true, _) => Declared::Unchanged,
        (false, true) => Declared::Created,
        (false, false) => Declared::Updated,
    }
}

async fn write_app(
    tx: &mut Tx<'_>,
    app: &NewApp,
    now: DateTime<Utc>,
) -> Result<Declared, AppError> {
    let before = store::find(&mut *tx, &app.id).await?;
    if let Some(before) = &before {
        narrowing::tell(tx, (before, app), now).await?;
    }
    let outcome = outcome(before.as_ref(), app);
    match outcome {
        Declared::Unchanged => return Ok(outcome),
        Declared::Created => store::insert(tx, app, now).await.map_err(refusal)?,
        Declared::Updated => store::update(tx, app, now).await.map_err(refusal)?,
    }
    if app.kind == Kind::Public {
        store::drop_secrets(tx, &app.id, 0, now).await?;
    }
    tx.touch(Topic::Apps);
    Ok(outcome)
}

async fn write_secrets(
    tx: &mut Tx<'_>,
    id: &AppId,
    secrets: &[NewSecret],
    now: DateTime<Utc>,
) -> Result<Declared, AppError> {
    if !store::hold(tx, id).await? {
        return Err(AppError::Unknown);
    }
    let app = store::find(&mut *tx, id).await?.ok_or(AppError::Unknown)?;
    if app.kind == Kind::Public && !secrets.is_empty() {
        return Err(no_secrets());
    }
    let outcome = secrets_outcome(&store::secrets(&mut *tx, id).await?, secrets, (&app, now));
    if outcome != Declared::Unchanged {
        store::drop_secrets(tx, id, 0, now).await?;
        for secret in secrets {
            store::insert_secret(tx, &app, secret, now).await?;
        }
        tx.touch(Topic::Apps);
    }
    Ok(outcome)
}
