//! Users and their credentials, in SQL. Users belong to no account.

use chrono::{DateTime, Utc};

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Param, Row, built_sql, sql};
use crate::db::{Db, Fetch, Tx};
use crate::users::error::UserError;
use crate::users::model::{NewUser, User};
use crate::users::username::UsernameKey;
use crate::users::{store_deletion, store_names};

fn user(row: &Row) -> Result<User, DbError> {
    Ok(User {
        id: row.parsed("users", "id")?,
        username: row.get("username")?,
        email: row.get("email")?,
        email_verified: row.flag("email_verified")?,
        name: row.get("name")?,
        given_name: row.get("given_name")?,
        family_name: row.get("family_name")?,
        profile: row.json("users", "profile")?,
        attributes: row.json("users", "attributes")?,
        status: row.parsed("users", "status")?,
        deletion_at: row.optional_time("deletion_at")?,
        password_changed_at: row.optional_time("password_changed_at")?,
        signed_out_at: row.optional_time("signed_out_at")?,
        has_totp: row.get::<Option<i64>>("totp_created_at")?.is_some(),
        has_keys: row.get::<Option<i64>>("first_key")?.is_some(),
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Finds a user by id.
///
/// # Errors
/// [`DbError`] if the query fails or the row does not parse.
pub(in crate::users) async fn find(db: impl Fetch, id: &UserId) -> Result<Option<User>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT u.*, p.changed_at AS password_changed_at, t.created_at AS totp_created_at,
                        (SELECT MIN(k.id) FROM passkeys k WHERE k.user_id = u.id) AS first_key
                   FROM users u
                   LEFT JOIN passwords p ON p.user_id = u.id
                   LEFT JOIN totp_factors t ON t.user_id = u.id
                  WHERE u.id = $1")
            .bind(id),
        )
        .await?;
    row.as_ref().map(user).transpose()
}

/// Finds a user by name.
///
/// # Errors
/// [`DbError`] if the query fails or the row does not parse.
pub(in crate::users) async fn find_by_username(
    db: impl Fetch,
    key: &UsernameKey,
) -> Result<Option<User>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT u.*, p.changed_at AS password_changed_at, t.created_at AS totp_created_at,
                        (SELECT MIN(k.id) FROM passkeys k WHERE k.user_id = u.id) AS first_key
                   FROM users u
                   LEFT JOIN passwords p ON p.user_id = u.id
                   LEFT JOIN totp_factors t ON t.user_id = u.id
                  WHERE u.username_key = $1")
            .bind(key.as_str()),
        )
        .await?;
    row.as_ref().map(user).transpose()
}

/// Finds a user by what they sign in with, a name or an address, with the password's hash.
///
/// # Errors
/// [`DbError`] if the query fails or the row does not parse.
pub(in crate::users) async fn find_by_name(
    db: impl Fetch,
    key: &UsernameKey,
) -> Result<Option<(User, Option<String>)>, DbError> {
    let row = db
        .fetch_optional(
            sql("SELECT u.*, p.changed_at AS password_changed_at, p.phc,
                        t.created_at AS totp_created_at,
                        (SELECT MIN(k.id) FROM passkeys k WHERE k.user_id = u.id) AS first_key
                   FROM sign_in_names n
                   JOIN users u ON u.id = n.user_id
                   LEFT JOIN passwords p ON p.user_id = u.id
                   LEFT JOIN totp_factors t ON t.user_id = u.id
                  WHERE n.key = $1")
            .bind(key.as_str()),
        )
        .await?;
    row.map(|row| Ok((user(&row)?, row.get("phc")?))).transpose()
}

/// The users of these ids, by id.
///
/// # Errors
/// [`DbError`] if the query fails or a row does not parse.
pub(in crate::users) async fn these(db: impl Fetch, ids: &[UserId]) -> Result<Vec<User>, DbError> {
    let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
    let query = built_sql(format!(
        "SELECT u.*, p.changed_at AS password_changed_at, t.created_at AS totp_created_at,
                (SELECT MIN(k.id) FROM passkeys k WHERE k.user_id = u.id) AS first_key
           FROM users u
           LEFT JOIN passwords p ON p.user_id = u.id
           LEFT JOIN totp_factors t ON t.user_id = u.id
          WHERE u.id IN ({}) ORDER BY u.id",
        places.join(", ")
    ));
    let rows = db.fetch_all(query.bind_all(ids.iter().map(Param::from))).await?;
    rows.iter().map(user).collect()
}

/// One page of users, by id.
///
/// # Errors
/// [`DbError`] if the query fails or a row does not parse.
pub(in crate::users) async fn list(
    db: impl Fetch,
    after: Option<&UserId>,
    limit: u32,
) -> Result<Vec<User>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT u.*, p.changed_at AS password_changed_at, t.created_at AS totp_created_at,
                        (SELECT MIN(k.id) FROM passkeys k WHERE k.user_id = u.id) AS first_key
                   FROM users u
                   LEFT JOIN passwords p ON p.user_id = u.id
                   LEFT JOIN totp_factors t ON t.user_id = u.id
                  WHERE u.id > $1 ORDER BY u.id LIMIT ($2 + 0)")
            .bind(after.map_or("", UserId::as_str))
            .bind(limit),
        )
        .await?;
    rows.iter().map(user).collect()
}

/// What a row of `users` is made of.
pub(in crate::users) struct UserRow {
    pub(in crate::users) id: UserId,
    pub(in crate::users) key: UsernameKey,
    /// What would stand for the name if the last user of it were gone.
    pub(in crate::users) mac: Digest,
    pub(in crate::users) user: NewUser,
    pub(in crate::users) attributes: String,
    pub(in crate::users) profile: String,
    pub(in crate::users) now: DateTime<Utc>,
}

/// Adds a user.
///
/// # Errors
/// [`UserError`] if the id, the name or the address is taken, or a statement fails.
pub(in crate::users) async fn insert(tx: &mut Tx<'_>, row: &UserRow) -> Result<(), UserError> {
    tx.execute(
        sql("INSERT INTO users (id, username, username_key, email, email_verified, name,
                                given_name, family_name, attributes, status, created_at, updated_at,
                                profile)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)")
        .bind(&row.id)
        .bind(&row.user.username)
        .bind(row.key.as_str())
        .bind(row.user.email.clone())
        .bind(row.user.email_verified)
        .bind(row.user.name.clone())
        .bind(row.user.given_name.clone())
        .bind(row.user.family_name.clone())
        .bind(&row.attributes)
        .bind(row.user.status.as_str())
        .bind(row.now)
        .bind(&row.profile),
    )
    .await
    .map_err(name_taken)?;
    set_names(tx, row).await?;
    tx.touch(Topic::Users);
    Ok(())
}

fn name_taken(error: DbError) -> UserError {
    match error {
        DbError::Duplicate(_) => UserError::DuplicateUsername,
        other => UserError::Internal(other),
    }
}

/// What the user signs in with from now on: the name, and the address if it is verified.
async fn set_names(tx: &mut Tx<'_>, row: &UserRow) -> Result<(), UserError> {
    store_names::clear(tx, &row.id).await?;
    store_names::add(tx, &row.id, &row.key).await.map_err(name_taken)?;
    check_name(tx, row).await?;
    let email = row.user.email.as_deref().filter(|_| row.user.email_verified);
    let Some(email) = email.map(UsernameKey::of).filter(|email| *email != row.key) else {
        return Ok(());
    };
    store_names::add(tx, &row.id, &email).await.map_err(|error| match error {
        DbError::Duplicate(_) => UserError::DuplicateEmail,
        other => UserError::Internal(other),
    })
}

/// Asked after the name was taken, when whoever goes at the same time has gone.
async fn check_name(tx: &mut Tx<'_>, row: &UserRow) -> Result<(), UserError> {
    if store_deletion::is_name_gone(&mut *tx, row.mac).await? {
        return Err(UserError::DuplicateUsername);
    }
    Ok(())
}

/// Changes a user as a whole; `false` if there is none.
///
/// # Errors
/// [`UserError`] if the name or the address is taken, or a statement fails.
pub(in crate::users) async fn update(tx: &mut Tx<'_>, row: &UserRow) -> Result<bool, UserError> {
    let done = tx
        .execute(
            sql("UPDATE users
                    SET username = $2, username_key = $3, email = $4, email_verified = $5,
                        name = $6, given_name = $7, family_name = $8, attributes = $9,
                        status = $10, updated_at = $11, profile = $12
                  WHERE id = $1")
            .bind(&row.id)
            .bind(&row.user.username)
            .bind(row.key.as_str())
            .bind(row.user.email.clone())
            .bind(row.user.email_verified)
            .bind(row.user.name.clone())
            .bind(row.user.given_name.clone())
            .bind(row.user.family_name.clone())
            .bind(&row.attributes)
            .bind(row.user.status.as_str())
            .bind(row.now)
            .bind(&row.profile),
        )
        .await
        .map_err(name_taken)?;
    if done.affected == 1 {
        set_names(tx, row).await?;
    }
    tx.touch(Topic::Users);
    Ok(done.affected == 1)
}

/// Sets or clears the end of the grace period; `false` if there is no such user.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn set_deletion(
    tx: &mut Tx<'_>,
    id: &UserId,
    deletion_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = tx
        .execute(
            sql("UPDATE users SET deletion_at = $2, updated_at = $3 WHERE id = $1")
                .bind(id)
                .bind(deletion_at)
                .bind(now),
        )
        .await?;
    tx.touch(Topic::Users);
    Ok(done.affected == 1)
}

/// Notes that a user was signed out everywhere.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn sign_out(
    tx: &mut Tx<'_>,
    id: &UserId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(sql("UPDATE users SET signed_out_at = $2 WHERE id = $1").bind(id).bind(now)).await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// The sealed TOTP secret of a user.
///
/// # Errors
/// [`DbError`] if the query fails.
pub(in crate::users) async fn totp(
    db: impl Fetch,
    id: &UserId,
) -> Result<Option<Vec<u8>>, DbError> {
    let row = db
        .fetch_optional(sql("SELECT secret_sealed FROM totp_factors WHERE user_id = $1").bind(id))
        .await?;
    row.map(|row| row.get("secret_sealed")).transpose()
}

/// Sets the TOTP secret of a user. The last step stays: a code is good once, whatever its secret.
///
/// # Errors
/// [`DbError::Refused`] if there is no such user, [`DbError`] if the statement fails.
pub(in crate::users) async fn set_totp(
    tx: &mut Tx<'_>,
    id: &UserId,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    tx.execute(
        sql("INSERT INTO totp_factors (user_id, secret_sealed, last_step, created_at)
             VALUES ($1, $2, 0, $3)
             ON CONFLICT (user_id) DO UPDATE SET secret_sealed = $2, created_at = $3")
        .bind(id)
        .bind(sealed)
        .bind(now),
    )
    .await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// Takes the second factor away.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn remove_totp(tx: &mut Tx<'_>, id: &UserId) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM totp_factors WHERE user_id = $1").bind(id)).await?;
    tx.touch(Topic::Users);
    Ok(())
}

/// Spends the code of a step, once.
///
/// Returns `true` to exactly one caller, however many race: the step in the `WHERE` is the lock.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(in crate::users) async fn spend_step(db: &Db, id: &UserId, step: i64) -> Result<bool, DbError> {
    let done = db
        .write_one(
            sql("UPDATE totp_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2")
                .bind(id)
                .bind(step),
        )
        .await?;
    Ok(done.affected == 1)
}
