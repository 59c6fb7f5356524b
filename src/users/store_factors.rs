//! Second factors, in SQL: TOTP as people enrol it, recovery codes, passkeys and security keys.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Db, Fetch, Tx};
use crate::users::factors::{Key, RecoveryLeft};

/// A passkey or security key to be stored.
#[derive(Clone, Debug)]
pub(in crate::users) struct NewKey {
    pub(in crate::users) user: UserId,
    pub(in crate::users) credential_id: Vec<u8>,
    pub(in crate::users) name: String,
    pub(in crate::users) checks_user: bool,
    pub(in crate::users) sign_count: u32,
    /// JSON of webauthn-rs.
    pub(in crate::users) credential: String,
    pub(in crate::users) now: DateTime<Utc>,
}

/// A stored key with what it is checked by.
#[derive(Clone, Debug)]
pub(in crate::users) struct StoredKey {
    pub(in crate::users) id: i64,
    pub(in crate::users) user: UserId,
    pub(in crate::users) credential_id: Vec<u8>,
    pub(in crate::users) checks_user: bool,
    pub(in crate::users) credential: String,
}

/// How a key is after it was used.
#[derive(Clone, Debug)]
pub(in crate::users) struct UsedKey {
    pub(in crate::users) id: i64,
    pub(in crate::users) user: UserId,
    pub(in crate::users) sign_count: u32,
    pub(in crate::users) credential: String,
    pub(in crate::users) now: DateTime<Utc>,
}

/// Holds the user's row until the unit ends, so that units about factors queue.
pub(in crate::users) async fn hold(tx: &mut Tx<'_>, user: &UserId) -> Result<bool, DbError> {
    let query = sql("UPDATE users SET updated_at = updated_at WHERE id = $1").bind(user);
    Ok(tx.execute(query).await?.affected == 1)
}

/// How many second factors the user has, recovery codes apart.
pub(in crate::users) async fn count(db: impl Fetch, user: &UserId) -> Result<i64, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT (SELECT COUNT(*) FROM totp_factors WHERE user_id = $1)
                      + (SELECT COUNT(*) FROM passkeys WHERE user_id = $1) AS number")
            .bind(user),
        )
        .await?;
    row.map_or(Ok(0), |row| row.get("number"))
}

/// When the authenticator app was set up.
pub(in crate::users) async fn totp_since(
    db: impl Fetch,
    user: &UserId,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let query = sql("SELECT created_at FROM totp_factors WHERE user_id = $1").bind(user);
    db.fetch_optional(query).await?.map(|row| row.time("created_at")).transpose()
}

/// Sets the TOTP secret of a user who showed the code of `step`, which is spent by that.
pub(in crate::users) async fn enrol_totp(
    tx: &mut Tx<'_>,
    user: &UserId,
    (sealed, step): (&[u8], i64),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO totp_factors (user_id, secret_sealed, last_step, created_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET secret_sealed = $2, created_at = $4,
                 last_step = CASE WHEN totp_factors.last_step < $3 THEN $3
                                  ELSE totp_factors.last_step END")
        .bind(user)
        .bind(sealed)
        .bind(step)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// How many recovery codes are left, and since when there are any.
pub(in crate::users) async fn recovery_left(
    db: impl Fetch,
    user: &UserId,
) -> Result<RecoveryLeft, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT COUNT(*) AS number, MIN(created_at) AS since FROM recovery_codes
                  WHERE user_id = $1 AND used_at IS NULL")
            .bind(user),
        )
        .await?;
    let Some(row) = row else { return Ok(RecoveryLeft::default()) };
    let number = u32::try_from(row.get::<i64>("number")?).unwrap_or_default();
    Ok(RecoveryLeft { number, since: row.optional_time("since")? })
}

/// Replaces the recovery codes of a user; without any it takes them away.
pub(in crate::users) async fn set_recovery(
    tx: &mut Tx<'_>,
    user: &UserId,
    digests: &[Digest],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user)).await?;
    for digest in digests {
        tx.execute(
            sql("INSERT INTO recovery_codes (user_id, digest, created_at) VALUES ($1, $2, $3)")
                .bind(user)
                .bind(*digest)
                .bind(now),
        )
        .await?;
    }
    Ok(())
}

/// Uses a recovery code up: `true` for exactly one of those who show it.
pub(in crate::users) async fn spend_recovery(
    tx: &mut Tx<'_>,
    user: &UserId,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = tx
        .execute(
            sql("UPDATE recovery_codes SET used_at = $3
                  WHERE user_id = $1 AND digest = $2 AND used_at IS NULL")
            .bind(user)
            .bind(digest)
            .bind(now),
        )
        .await?;
    Ok(done.affected == 1)
}

/// The keys of a user as their owner sees them, the oldest first.
pub(in crate::users) async fn keys(db: impl Fetch, user: &UserId) -> Result<Vec<Key>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id, name, checks_user, created_at, last_used_at FROM passkeys
                  WHERE user_id = $1 ORDER BY id")
            .bind(user),
        )
        .await?;
    let read = |row: &Row| {
        Ok(Key {
            id: row.get("id")?,
            name: row.get("name")?,
            checks_user: row.flag("checks_user")?,
            created_at: row.time("created_at")?,
            last_used_at: row.optional_time("last_used_at")?,
        })
    };
    rows.iter().map(read).collect()
}

/// The keys of a user with what they are checked by.
pub(in crate::users) async fn stored_keys(
    db: impl Fetch,
    user: &UserId,
) -> Result<Vec<StoredKey>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT id, user_id, credential_id, checks_user, credential FROM passkeys
                  WHERE user_id = $1 ORDER BY id")
            .bind(user),
        )
        .await?;
    rows.iter().map(stored_key).collect()
}

/// A key by the id that it has all over the world.
pub(in crate::users) async fn key_of_credential(
    db: &Db,
    credential_id: &[u8],
) -> Result<Option<StoredKey>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT id, user_id, credential_id, checks_user, credential FROM passkeys
                  WHERE credential_id = $1")
            .bind(credential_id),
        )
        .await?;
    row.as_ref().map(stored_key).transpose()
}

fn stored_key(row: &Row) -> Result<StoredKey, DbError> {
    Ok(StoredKey {
        id: row.get("id")?,
        user: row.parsed("passkeys", "user_id")?,
        credential_id: row.get("credential_id")?,
        checks_user: row.flag("checks_user")?,
        credential: row.get("credential")?,
    })
}

/// Adds a key.
///
/// # Errors
/// [`DbError::Duplicate`] if somebody has it already.
pub(in crate::users) async fn insert_key(tx: &mut Tx<'_>, key: &NewKey) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO passkeys (user_id, credential_id, name, checks_user, sign_count,
                                   credential, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(&key.user)
        .bind(key.credential_id.clone())
        .bind(&key.name)
        .bind(key.checks_user)
        .bind(key.sign_count)
        .bind(&key.credential)
        .bind(key.now),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// Writes down that a key was used: `false` if it is gone, or if its counter did not go on, which
/// is how a copy shows itself. Source: `WebAuthn` section 6.1.1.
pub(in crate::users) async fn use_key(db: &Db, used: &UsedKey) -> Result<bool, DbError> {
    let done = db
        .write_one(
            sql("UPDATE passkeys SET sign_count = $3, credential = $4, last_used_at = $5
                  WHERE id = $1 AND user_id = $2
                    AND (sign_count < $3 OR (sign_count = 0 AND $3 = 0))")
            .bind(used.id)
            .bind(&used.user)
            .bind(used.sign_count)
            .bind(&used.credential)
            .bind(used.now),
        )
        .await?;
    Ok(done.affected == 1)
}

/// Gives a key of the user another name; `false` if it is not theirs.
pub(in crate::users) async fn rename_key(
    tx: &mut Tx<'_>,
    user: &UserId,
    (id, name): (i64, &str),
) -> Result<bool, DbError> {
    let query = sql("UPDATE passkeys SET name = $3 WHERE id = $1 AND user_id = $2");
    Ok(tx.execute(query.bind(id).bind(user).bind(name)).await?.affected == 1)
}

/// Takes a key of the user away; `false` if it is not theirs.
pub(in crate::users) async fn remove_key(
    tx: &mut Tx<'_>,
    user: &UserId,
    id: i64,
) -> Result<bool, DbError> {
    let query = sql("DELETE FROM passkeys WHERE id = $1 AND user_id = $2").bind(id).bind(user);
    let done = tx.execute(query).await?.affected == 1;
    tx.touch(Topic::Users);
    Ok(done)
}
