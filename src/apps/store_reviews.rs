//! What is asked for apps.

use crate::apps::reviews::Review;
use crate::base::id::{AppId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};

const TABLE: &str = "app_reviews";

macro_rules! reviews {
    () => {
        "SELECT r.app_id, a.account_id, r.state, r.version, r.wanted, r.note, r.asked_by,
                r.submitted_at, r.decided_by, r.decided_at, r.reason
           FROM app_reviews r JOIN apps a ON a.id = r.app_id"
    };
}

/// What is asked for an app, or was.
pub(in crate::apps) async fn find(db: impl Fetch, app: &AppId) -> Result<Option<Review>, DbError> {
    let query = sql(concat!(reviews!(), " WHERE r.app_id = $1")).bind(app);
    db.fetch_optional(query).await?.as_ref().map(read).transpose()
}

/// A page of what is asked for and not decided, by app.
pub(in crate::apps) async fn submitted(
    db: impl Fetch,
    after: Option<&AppId>,
    limit: u32,
) -> Result<Vec<Review>, DbError> {
    let query = sql(concat!(
        reviews!(),
        " WHERE r.state = 'submitted' AND r.app_id > $1 ORDER BY r.app_id LIMIT ($2 + 0)"
    ));
    let query = query.bind(after.map_or("", AppId::as_str)).bind(limit);
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// Writes down what is asked for, in place of what was.
pub(in crate::apps) async fn put(tx: &mut Tx<'_>, review: &Review) -> Result<(), DbError> {
    let wanted = serde_json::to_string(&review.wanted)
        .map_err(|_| DbError::CorruptRow { table: TABLE, column: "wanted" })?;
    let query = sql("INSERT INTO app_reviews
             (app_id, state, version, wanted, note, asked_by, submitted_at, decided_by, decided_at,
              reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (app_id) DO UPDATE
            SET state = $2, version = $3, wanted = $4, note = $5, asked_by = $6,
                submitted_at = $7, decided_by = $8, decided_at = $9, reason = $10");
    let user = |id: &Option<UserId>| id.as_ref().map(ToString::to_string);
    let query = query
        .bind(&review.app)
        .bind(review.state.as_str())
        .bind(review.version)
        .bind(wanted)
        .bind(&review.note)
        .bind(user(&review.asked_by))
        .bind(review.submitted_at)
        .bind(user(&review.decided_by))
        .bind(review.decided_at)
        .bind(review.reason.clone());
    tx.execute(query).await?;
    Ok(())
}

/// The last version of what was asked for an app, taken back or not.
pub(in crate::apps) async fn last_version(tx: &mut Tx<'_>, app: &AppId) -> Result<i64, DbError> {
    let query = sql("SELECT COALESCE(r.version, a.review_version) AS n
           FROM apps a LEFT JOIN app_reviews r ON r.app_id = a.id WHERE a.id = $1");
    tx.fetch_optional(query.bind(app)).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Has what is asked for looked at again by whoever looked at it already.
pub(in crate::apps) async fn look_again(tx: &mut Tx<'_>, app: &AppId) -> Result<(), DbError> {
    let query = sql("UPDATE app_reviews SET version = version + 1
                      WHERE app_id = $1 AND state = 'submitted'");
    tx.execute(query.bind(app)).await?;
    Ok(())
}

/// Forgets what is asked for an app, but for its version; `false` if nothing is.
pub(in crate::apps) async fn delete(tx: &mut Tx<'_>, app: &AppId) -> Result<bool, DbError> {
    let last = last_version(tx, app).await?;
    let query = sql("UPDATE apps SET review_version = $2 WHERE id = $1").bind(app).bind(last);
    tx.execute(query).await?;
    let query = sql("DELETE FROM app_reviews WHERE app_id = $1").bind(app);
    Ok(tx.execute(query).await?.affected == 1)
}

fn read(row: &Row) -> Result<Review, DbError> {
    let user = |column: &'static str| {
        let text: Option<String> = row.get(column)?;
        let corrupt = |_| DbError::CorruptRow { table: TABLE, column };
        text.map(|id| id.parse::<UserId>().map_err(corrupt)).transpose()
    };
    Ok(Review {
        app: row.parsed(TABLE, "app_id")?,
        account: row.parsed(TABLE, "account_id")?,
        state: row.parsed(TABLE, "state")?,
        version: row.get("version")?,
        wanted: row.json(TABLE, "wanted")?,
        note: row.get("note")?,
        asked_by: user("asked_by")?,
        submitted_at: row.optional_time("submitted_at")?,
        decided_by: user("decided_by")?,
        decided_at: row.optional_time("decided_at")?,
        reason: row.get("reason")?,
    })
}
