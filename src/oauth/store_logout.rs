//! Which apps took part in a session, and the end of what it gave them, in the database.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::id::{AppId, GrantId, UserId};
use crate::base::secret::Digest;
use crate::db::changes::Topic;
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Db, Fetch, Tx};

/// Most grants that one sweep deletes: others wait for the writer meanwhile.
const SWEEP_ROWS_MAX: i64 = 500;

/// The apps that got an ID token in a session, whatever became of their grants.
pub(in crate::oauth) async fn apps_of(
    db: impl Fetch,
    user: &UserId,
    session: Digest,
) -> Result<BTreeSet<AppId>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT app_id FROM grants
                  WHERE user_id = $1 AND session_digest = $2 AND stage = 'spent'
                    AND ' ' || scope || ' ' LIKE '% openid %'
                 UNION
                 SELECT app_id FROM session_apps WHERE session_digest = $2 AND user_id = $1")
            .bind(user)
            .bind(session),
        )
        .await?;
    rows.iter().map(|row| row.parsed("grants", "app_id")).collect()
}

/// What a user gave an app that may still be used, the newest first, and in which sessions.
pub(in crate::oauth) async fn live_grants(
    db: impl Fetch,
    (user, app): (&UserId, &AppId),
    now: DateTime<Utc>,
) -> Result<Vec<(GrantId, Digest)>, DbError> {
    let query = sql("SELECT id, session_digest FROM grants
          WHERE user_id = $1 AND app_id = $2 AND stage = 'spent' AND revoked_at IS NULL
            AND expires_at > $3 AND ' ' || scope || ' ' LIKE '% openid %'
          ORDER BY id DESC LIMIT 100");
    let rows = db.fetch_all(query.bind(user).bind(app).bind(now)).await?;
    let session = |row: &Row| {
        let bytes: Vec<u8> = row.get("session_digest")?;
        let bad = DbError::CorruptRow { table: "grants", column: "session_digest" };
        Digest::from_slice(&bytes).ok_or(bad)
    };
    rows.iter().map(|row| Ok((GrantId(row.get("id")?), session(row)?))).collect()
}

/// Revokes what a user gave apps in a session.
pub(in crate::oauth) async fn revoke_session(
    tx: &mut Tx<'_>,
    user: &UserId,
    session: Digest,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE grants SET revoked_at = $3
          WHERE user_id = $1 AND session_digest = $2 AND revoked_at IS NULL");
    revoked(tx.execute(query.bind(user).bind(session).bind(now)).await?.affected, tx);
    Ok(())
}

/// Revokes what a user gave apps by a sign-in before `end`.
pub(in crate::oauth) async fn revoke_before(
    tx: &mut Tx<'_>,
    user: &UserId,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE grants SET revoked_at = $3
          WHERE user_id = $1 AND auth_time < $2 AND revoked_at IS NULL");
    revoked(tx.execute(query.bind(user).bind(end).bind(now)).await?.affected, tx);
    Ok(())
}

fn revoked(count: u64, tx: &mut Tx<'_>) {
    if count > 0 {
        tx.touch(Topic::Grants);
    }
}

/// Deletes a bounded number of grants that are over, and says how many. Whose session may go on
/// for at most `session` is noted.
pub(in crate::oauth) async fn sweep_grants(
    db: &Db,
    now: DateTime<Utc>,
    session: TimeDelta,
) -> Result<u64, DbError> {
    db.write((now, session), |tx, (now, session)| {
        Box::pin(async move {
            tx.execute(
                sql("INSERT INTO session_apps (session_digest, app_id, user_id, expires_at)
                     SELECT session_digest, app_id, user_id, $2 FROM grants
                      WHERE id IN (SELECT id FROM grants WHERE expires_at < $1
                                    ORDER BY expires_at LIMIT ($4 + 0))
                        AND stage = 'spent' AND auth_time > $3
                        AND ' ' || scope || ' ' LIKE '% openid %'
                      GROUP BY session_digest, app_id, user_id
                     ON CONFLICT (session_digest, app_id)
                     DO UPDATE SET expires_at = excluded.expires_at")
                .bind(*now)
                .bind(*now + *session)
                .bind(*now - *session)
                .bind(SWEEP_ROWS_MAX),
            )
            .await?;
            let deleted = tx
                .execute(
                    sql("DELETE FROM grants WHERE id IN (
                            SELECT id FROM grants WHERE expires_at < $1
                             ORDER BY expires_at LIMIT ($2 + 0))")
                    .bind(*now)
                    .bind(SWEEP_ROWS_MAX),
                )
                .await?;
            let forgotten = tx
                .execute(sql("DELETE FROM session_apps WHERE expires_at < $1").bind(*now))
                .await?;
            Ok(deleted.affected.saturating_add(forgotten.affected))
        })
    })
    .await
}

/// Forgets who took part in a session that is over.
pub(in crate::oauth) async fn forget_apps(tx: &mut Tx<'_>, session: Digest) -> Result<(), DbError> {
    tx.execute(sql("DELETE FROM session_apps WHERE session_digest = $1").bind(session)).await?;
    Ok(())
}

/// The apps that hold something of a user that may still be used.
pub(in crate::oauth) async fn live_apps_of(
    db: impl Fetch,
    user: &UserId,
) -> Result<Vec<AppId>, DbError> {
    let query = sql("SELECT DISTINCT app_id FROM grants
          WHERE user_id = $1 AND revoked_at IS NULL");
    let rows = db.fetch_all(query.bind(user)).await?;
    rows.iter().map(|row| row.parsed("grants", "app_id")).collect()
}

/// The users of whom an app holds something that may still be used.
pub(in crate::oauth) async fn live_users_of(
    db: impl Fetch,
    app: &AppId,
) -> Result<Vec<UserId>, DbError> {
    let query = sql("SELECT DISTINCT user_id FROM grants
          WHERE app_id = $1 AND user_id IS NOT NULL AND revoked_at IS NULL");
    let rows = db.fetch_all(query.bind(app)).await?;
    rows.iter().map(|row| row.parsed("grants", "user_id")).collect()
}

/// Revokes what a user gave an app until an instant.
pub(in crate::oauth) async fn revoke_pair(
    tx: &mut Tx<'_>,
    (app, user): (&AppId, &UserId),
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE grants SET revoked_at = $4
          WHERE user_id = $2 AND app_id = $1 AND created_at <= $3 AND revoked_at IS NULL");
    let query = query.bind(app).bind(user).bind(until).bind(now);
    revoked(tx.execute(query).await?.affected, tx);
    Ok(())
}
