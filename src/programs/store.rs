//! API keys in the database.

use crate::base::id::{AccountId, ApiKeyId, UserId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::programs::model::ApiKey;

const TABLE: &str = "api_keys";

pub(in crate::programs) async fn insert(
    tx: &mut Tx<'_>,
    key: &ApiKey,
    digest: Digest,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO api_keys (id, account_id, user_id, name, scope, digest, created_at,
                    expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(&key.id)
        .bind(&key.account)
        .bind(&key.user)
        .bind(&key.name)
        .bind(&key.scope)
        .bind(digest)
        .bind(key.created_at)
        .bind(key.expires_at),
    )
    .await?;
    Ok(())
}

/// How many keys a user has in an account.
pub(in crate::programs) async fn count(
    db: impl Fetch,
    account: &AccountId,
    user: &UserId,
) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS keys FROM api_keys WHERE account_id = $1 AND user_id = $2");
    let row = db.fetch_optional(query.bind(account).bind(user)).await?;
    row.map_or(Ok(0), |row| row.get("keys"))
}

/// The keys of a user in an account, by id.
pub(in crate::programs) async fn list(
    db: impl Fetch,
    (account, user): (&AccountId, &UserId),
    after: Option<&ApiKeyId>,
    limit: u32,
) -> Result<Vec<ApiKey>, DbError> {
    let query = sql("SELECT k.*, s.user_id AS service, s.disabled_at
                       FROM api_keys k LEFT JOIN service_accounts s ON s.user_id = k.user_id
                      WHERE k.account_id = $1 AND k.user_id = $2 AND k.id > $3
                      ORDER BY k.id LIMIT ($4 + 0)")
    .bind(account)
    .bind(user)
    .bind(after.map_or("", ApiKeyId::as_str))
    .bind(limit);
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// The key of this name with the digest of its text; none of a service account that is disabled.
pub(in crate::programs) async fn find(
    db: impl Fetch,
    id: &ApiKeyId,
) -> Result<Option<(ApiKey, Digest)>, DbError> {
    let query = sql("SELECT k.*, s.user_id AS service
                       FROM api_keys k LEFT JOIN service_accounts s ON s.user_id = k.user_id
                      WHERE k.id = $1 AND s.disabled_at IS NULL
                        AND (s.user_id IS NULL OR s.account_id = k.account_id)")
    .bind(id);
    let Some(row) = db.fetch_optional(query).await? else { return Ok(None) };
    let digest = Digest::from_slice(&row.get::<Vec<u8>>("digest")?);
    let digest = digest.ok_or(DbError::CorruptRow { table: TABLE, column: "digest" })?;
    Ok(Some((read(&row)?, digest)))
}

/// The ids of all keys of a user in an account.
pub(in crate::programs) async fn ids(
    db: impl Fetch,
    (account, user): (&AccountId, &UserId),
) -> Result<Vec<ApiKeyId>, DbError> {
    let query = sql("SELECT id FROM api_keys WHERE account_id = $1 AND user_id = $2 ORDER BY id");
    let rows = db.fetch_all(query.bind(account).bind(user)).await?;
    rows.iter().map(|row| row.parsed(TABLE, "id")).collect()
}

/// Removes a user's key, and says what it was called and opened; `None` if there is none.
pub(in crate::programs) async fn delete(
    tx: &mut Tx<'_>,
    (account, user): (&AccountId, &UserId),
    id: &ApiKeyId,
) -> Result<Option<(String, String)>, DbError> {
    let query = sql("DELETE FROM api_keys WHERE id = $1 AND account_id = $2 AND user_id = $3
                     RETURNING name, scope");
    let rows = tx.execute(query.bind(id).bind(account).bind(user)).await?.rows;
    rows.first().map(|row| Ok((row.get("name")?, row.get("scope")?))).transpose()
}

fn read(row: &Row) -> Result<ApiKey, DbError> {
    Ok(ApiKey {
        id: row.parsed(TABLE, "id")?,
        account: row.parsed(TABLE, "account_id")?,
        user: row.parsed(TABLE, "user_id")?,
        name: row.get("name")?,
        scope: crate::base::scope::Scope::parse(&row.get::<String>("scope")?)
            .map_err(|_| DbError::CorruptRow { table: TABLE, column: "scope" })?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        is_of_service: row.get::<Option<String>>("service")?.is_some(),
    })
}
