//! The rows of apps as those see them who administer them.

use crate::apps::manage::{AppQuery, Managed};
use crate::apps::store::{columns, read};
use crate::base::id::{AccountId, AppId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::filter::Filter;

/// The first parameter that is free for the filter of [`list`].
pub(in crate::apps) const FIRST_FREE: usize = 6;

macro_rules! managed {
    () => {
        concat!(
            "SELECT ",
            columns!(),
            ", registered_by, suspended, disabled_by, r.state AS review
               FROM apps a LEFT JOIN app_reviews r ON r.app_id = a.id"
        )
    };
}

/// A page of an account's apps, of one registrant or all, for which `filter` holds, by id.
pub(in crate::apps) async fn list(
    db: impl Fetch,
    (account, only): (&AccountId, Option<&UserId>),
    query: &AppQuery,
    filter: Filter,
) -> Result<Vec<Managed>, DbError> {
    let statement = built_sql(format!(
        concat!(
            managed!(),
            " WHERE a.account_id = $1 AND a.id > $2 AND substr(a.title, 1, length($3)) = $3
                AND ($4 = '' OR a.registered_by = $4) AND {}
              ORDER BY a.id LIMIT ($5 + 0)"
        ),
        filter.sql
    ));
    let statement = statement
        .bind(account)
        .bind(query.after.as_ref().map_or("", AppId::as_str))
        .bind(query.title_prefix.as_deref().unwrap_or_default())
        .bind(only.map_or("", UserId::as_str))
        .bind(query.limit)
        .bind_all(filter.params);
    db.fetch_all(statement).await?.iter().map(read_managed).collect()
}

/// The account's app of this id.
pub(in crate::apps) async fn find(
    db: impl Fetch,
    account: &AccountId,
    id: &AppId,
) -> Result<Option<Managed>, DbError> {
    let query = sql(concat!(managed!(), " WHERE a.account_id = $1 AND a.id = $2"));
    let row = db.fetch_optional(query.bind(account).bind(id)).await?;
    row.as_ref().map(read_managed).transpose()
}

/// How many apps an account has.
pub(in crate::apps) async fn count(tx: &mut Tx<'_>, account: &AccountId) -> Result<i64, DbError> {
    let query = sql("SELECT COUNT(*) AS n FROM apps WHERE account_id = $1").bind(account);
    tx.fetch_optional(query).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Notes who registered an app.
pub(in crate::apps) async fn set_registrant(
    tx: &mut Tx<'_>,
    app: &AppId,
    user: &UserId,
) -> Result<(), DbError> {
    let query = sql("UPDATE apps SET registered_by = $2 WHERE id = $1").bind(app).bind(user);
    tx.execute(query).await?;
    Ok(())
}

/// Notes who of the account switched an app off, if somebody did.
pub(in crate::apps) async fn set_disabled_by(
    tx: &mut Tx<'_>,
    app: &AppId,
    user: Option<&UserId>,
) -> Result<(), DbError> {
    let query = sql("UPDATE apps SET disabled_by = $2 WHERE id = $1").bind(app);
    tx.execute(query.bind(user.map(ToString::to_string))).await?;
    Ok(())
}

/// Notes whether the platform switched an app off.
pub(in crate::apps) async fn set_suspended(
    tx: &mut Tx<'_>,
    app: &AppId,
    is_suspended: bool,
) -> Result<(), DbError> {
    let query = sql("UPDATE apps SET suspended = $2 WHERE id = $1").bind(app).bind(is_suspended);
    tx.execute(query).await?;
    Ok(())
}

fn read_managed(row: &Row) -> Result<Managed, DbError> {
    let corrupt = |column| DbError::CorruptRow { table: "apps", column };
    let user = |column: &'static str| {
        let id: Option<String> = row.get(column)?;
        id.map(|id| id.parse::<UserId>().map_err(|_| corrupt(column))).transpose()
    };
    let review: Option<String> = row.get("review")?;
    Ok(Managed {
        app: read(row)?,
        registered_by: user("registered_by")?,
        is_suspended: row.flag("suspended")?,
        disabled_by: user("disabled_by")?,
        review: review.map(|text| text.parse().map_err(|_| corrupt("review"))).transpose()?,
    })
}
