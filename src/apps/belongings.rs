//! What an app has beside its registration: secrets, and a picture.

use chrono::{DateTime, TimeDelta, Utc};

use crate::apps::changes::{Role, is_at_home};
use crate::apps::error::{AppError, Fault, ManageError};
use crate::apps::manage::{Managed, Manager, held, replace};
use crate::apps::model::{Kind, SecretDigest, Status};
use crate::apps::new_app::NewApp;
use crate::apps::picture::{self, Format};
use crate::apps::service::{Apps, OVERLAP_SECONDS_MAX, SECRETS_MAX, no_secrets, write_secret};
use crate::apps::{store, store_logos, store_reviews};
use crate::audit::model::{Action, Event};
use crate::audit::service::record;
use crate::base::id::AppId;
use crate::base::secret::{Digest, Secret};
use crate::config::model::Issuer;
use crate::db::Tx;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;

/// A picture of an app, as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// What its bytes are.
    pub media_type: String,
    /// Itself.
    pub image: Vec<u8>,
}

/// A new secret, shown once.
#[derive(Clone, Debug)]
pub struct ShownSecret {
    /// Itself.
    pub secret: Secret,
    /// Until when the one before it is good.
    pub before_until: DateTime<Utc>,
}

/// The public name of a secret: the beginning of its digest.
pub fn secret_name(digest: &Digest) -> String {
    digest.0.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Where the picture of an app is served: a name of its own for each picture.
fn logo_path(app: &AppId, digest: &Digest) -> String {
    format!("/logos/{app}/{}", secret_name(digest))
}

/// Records that a secret was made or ended: by its name, never itself.
fn note(tx: &mut Tx<'_>, ctx: &Ctx, by: &Manager, id: &AppId, (action, name): (Action, &str)) {
    let event = Event::new(action, "app-secret", format!("{id}/{name}")).of(by.account());
    record(tx, ctx, by.actor(), &event);
}

impl Apps {
    /// The secrets of an app that are good now, the oldest first.
    ///
    /// # Errors
    /// [`ManageError::Unknown`].
    pub async fn managed_secrets(
        &self,
        by: &Manager,
        id: &AppId,
    ) -> Result<Vec<SecretDigest>, ManageError> {
        self.managed(by, id).await?;
        Ok(self.secrets(id).await?)
    }

    /// Makes a new secret. The one before stays good for `overlap_seconds`.
    ///
    /// # Errors
    /// [`ManageError::TooManySecrets`] while two are good: neither ends before its time unasked.
    pub async fn manage_secret(
        &self,
        by: &Manager,
        id: &AppId,
        overlap_seconds: u32,
    ) -> Result<ShownSecret, ManageError> {
        if overlap_seconds > OVERLAP_SECONDS_MAX {
            let problem = format!("must be at most {OVERLAP_SECONDS_MAX}");
            return Err(vec![Fault::new("overlapSeconds", problem)].into());
        }
        let secret = Secret::generate(self.ctx.entropy());
        let now = self.ctx.now();
        let end = now + TimeDelta::seconds(i64::from(overlap_seconds));
        let new = self.sealed(&(&secret).into());
        let input = (self.ctx.clone(), by.clone(), id.clone(), (new, (now, end)));
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id, (new, times))| {
            Box::pin(async move {
                if held(tx, by, id).await?.app.kind == Kind::Public {
                    return Err(no_secrets().into());
                }
                let known = store::secrets(&mut *tx, id).await?;
                let good = known.iter().filter(|secret| secret.is_good(times.0));
                if good.count() >= SECRETS_MAX {
                    return Err(ManageError::TooManySecrets);
                }
                note(tx, ctx, by, id, (Action::Create, &secret_name(&new.digest)));
                Ok::<_, ManageError>(write_secret(tx, id, new, *times).await?)
            })
        });
        unit.await?;
        Ok(ShownSecret { secret, before_until: end })
    }

    /// Ends the secret of this name at once.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn end_secret(
        &self,
        by: &Manager,
        id: &AppId,
        name: &str,
    ) -> Result<(), ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone(), name.to_owned());
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id, name)| {
            Box::pin(async move {
                held(tx, by, id).await?;
                let all = store::secrets(&mut *tx, id).await?;
                let found = all.iter().find(|secret| secret_name(&secret.digest) == *name);
                let found = found.ok_or(ManageError::Unknown)?;
                store::drop_secret(tx, id, found.digest).await?;
                note(tx, ctx, by, id, (Action::Delete, name));
                tx.touch(Topic::Apps);
                Ok::<_, ManageError>(())
            })
        });
        unit.await
    }

    /// Gives an app a picture, which is served from here and never loaded from elsewhere.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_logo(
        &self,
        by: &Manager,
        id: &AppId,
        image: &[u8],
        issuer: &Issuer,
    ) -> Result<Managed, ManageError> {
        let format = picture::check(image)?;
        let digest = Digest::of(image);
        let url = issuer.url(&logo_path(id, &digest));
        let stored = Some((format, digest, image.to_vec()));
        self.write_logo(by, id, stored, Some(url)).await
    }

    /// Takes its picture from an app.
    ///
    /// # Errors
    /// [`ManageError`].
    pub async fn manage_no_logo(&self, by: &Manager, id: &AppId) -> Result<Managed, ManageError> {
        self.write_logo(by, id, None, None).await
    }

    async fn write_logo(
        &self,
        by: &Manager,
        id: &AppId,
        image: Option<(Format, Digest, Vec<u8>)>,
        url: Option<String>,
    ) -> Result<Managed, ManageError> {
        let input = (self.ctx.clone(), by.clone(), id.clone(), (image, url));
        let unit = self.ctx.db.write(input, |tx, (ctx, by, id, (image, url))| {
            Box::pin(async move {
                let before = held(tx, by, id).await?;
                let is_seen = before.app.status == Status::Live && !is_at_home(&before.app);
                if is_seen && by.role() == Role::Developer {
                    return Err(ManageError::NeedsReview("people know the app by its picture"));
                }
                let after = NewApp { icon_url: url.clone(), ..before.app.clone() };
                after.check().map_err(AppError::Invalid)?;
                store_logos::delete(tx, id).await?;
                store_reviews::look_again(tx, id).await?;
                if let Some((format, digest, image)) = image {
                    let logo = (format.media_type(), *digest, image.as_slice());
                    store_logos::insert(tx, id, logo, ctx.now()).await?;
                }
                replace(tx, ctx, by.actor(), (&before.app, &after)).await?;
                Ok(Managed { app: after, ..before })
            })
        });
        unit.await
    }

    /// The picture of an app under its present name. Anybody may see it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn logo(&self, id: &AppId, name: &str) -> Result<Option<Logo>, DbError> {
        let found = store_logos::find(&self.ctx.db, id).await?;
        Ok(found.filter(|(digest, _)| secret_name(digest) == name).map(|(_, logo)| logo))
    }
}
