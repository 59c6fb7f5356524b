//! Providers and identities, in SQL.

use chrono::{DateTime, Utc};

use crate::base::id::{AccountId, ProviderId, UserId};
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Db, Fetch, Tx};
use crate::upstream::model::{Identity, Name, Provider};

const PROVIDERS: &str = "providers";
const IDENTITIES: &str = "identities";

fn provider(row: &Row) -> Result<Provider, DbError> {
    let account = match row.get::<Option<String>>("account_id")? {
        Some(_) => Some(row.parsed(PROVIDERS, "account_id")?),
        None => None,
    };
    Ok(Provider {
        id: row.parsed(PROVIDERS, "id")?,
        account,
        title: row.get("title")?,
        enabled: row.flag("enabled")?,
        settings: row.json(PROVIDERS, "settings")?,
        secrets_sealed: row.get("secrets_sealed")?,
    })
}

fn identity(row: &Row) -> Result<Identity, DbError> {
    Ok(Identity {
        name: Name {
            provider: row.parsed(IDENTITIES, "provider_id")?,
            issuer: row.get("issuer")?,
            subject: row.get("subject")?,
        },
        user: row.parsed(IDENTITIES, "user_id")?,
        shown: row.get("shown")?,
        linked_at: row.time("linked_at")?,
        used_at: row.time("used_at")?,
    })
}

pub(in crate::upstream) async fn find(
    db: impl Fetch,
    id: &ProviderId,
) -> Result<Option<Provider>, DbError> {
    let row = db.fetch_optional(sql("SELECT * FROM providers WHERE id = $1").bind(id)).await?;
    row.as_ref().map(provider).transpose()
}

/// The providers of an account, or, of `None`, of the whole server.
pub(in crate::upstream) async fn of_account(
    db: impl Fetch,
    account: Option<&AccountId>,
) -> Result<Vec<Provider>, DbError> {
    let query = match account {
        Some(id) => sql("SELECT * FROM providers WHERE account_id = $1 ORDER BY id").bind(id),
        None => sql("SELECT * FROM providers WHERE account_id IS NULL ORDER BY id"),
    };
    db.fetch_all(query).await?.iter().map(provider).collect()
}

/// The providers of all accounts that are in use, by account.
pub(in crate::upstream) async fn of_accounts(db: impl Fetch) -> Result<Vec<Provider>, DbError> {
    let query = sql("SELECT * FROM providers
                      WHERE account_id IS NOT NULL AND enabled = 1 ORDER BY account_id, id");
    db.fetch_all(query).await?.iter().map(provider).collect()
}

/// Writes a provider, new or not.
pub(in crate::upstream) async fn put(
    tx: &mut Tx<'_>,
    provider: &Provider,
    settings: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO providers
                 (id, account_id, title, enabled, settings, secrets_sealed, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (id) DO UPDATE SET
                 account_id = $2, title = $3, enabled = $4, settings = $5, secrets_sealed = $6,
                 updated_at = $7")
        .bind(&provider.id)
        .bind(provider.account.as_ref().map(ToString::to_string))
        .bind(&provider.title)
        .bind(provider.enabled)
        .bind(settings)
        .bind(provider.secrets_sealed.clone())
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Providers);
    Ok(())
}

/// Forgets whoever a provider knows, for it is somebody else's now.
pub(in crate::upstream) async fn forget_identities(
    tx: &mut Tx<'_>,
    provider: &ProviderId,
) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM identities WHERE provider_id = $1").bind(provider)).await?;
    Ok(())
}

pub(in crate::upstream) async fn user_of(
    db: impl Fetch,
    name: &Name,
) -> Result<Option<UserId>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT user_id FROM identities
                  WHERE provider_id = $1 AND issuer = $2 AND subject = $3")
            .bind(&name.provider)
            .bind(&name.issuer)
            .bind(&name.subject),
        )
        .await?;
    row.map(|row| row.parsed(IDENTITIES, "user_id")).transpose()
}

pub(in crate::upstream) async fn identities(
    db: impl Fetch,
    user: &UserId,
) -> Result<Vec<Identity>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT * FROM identities WHERE user_id = $1 ORDER BY provider_id, linked_at")
                .bind(user),
        )
        .await?;
    rows.iter().map(identity).collect()
}

/// Links an identity to a user.
///
/// # Errors
/// [`DbError::Duplicate`] if it is somebody's, or the user has another one there.
pub(in crate::upstream) async fn link(
    tx: &mut Tx<'_>,
    name: &Name,
    (user, shown): (&UserId, &str),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO identities
                 (provider_id, issuer, subject, user_id, shown, linked_at, used_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6)")
        .bind(&name.provider)
        .bind(&name.issuer)
        .bind(&name.subject)
        .bind(user)
        .bind(shown)
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Notes that an identity was signed in with.
pub(in crate::upstream) async fn used(
    db: &Db,
    name: &Name,
    shown: &str,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    db.write_one(
        sql("UPDATE identities SET used_at = $5, shown = $4
              WHERE provider_id = $1 AND issuer = $2 AND subject = $3")
        .bind(&name.provider)
        .bind(&name.issuer)
        .bind(&name.subject)
        .bind(shown)
        .bind(now),
    )
    .await?;
    Ok(())
}

/// Takes a user's identity away; `false` if they have none there.
pub(in crate::upstream) async fn unlink(
    tx: &mut Tx<'_>,
    user: &UserId,
    provider: &ProviderId,
) -> Result<bool, DbError> {
    let done = tx
        .execute(
            sql("DELETE FROM identities WHERE user_id = $1 AND provider_id = $2")
                .bind(user)
                .bind(provider),
        )
        .await?;
    Ok(done.affected > 0)
}
