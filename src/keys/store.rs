//! The table of signing keys.

use chrono::{DateTime, Utc};

use crate::db::error::DbError;
use crate::db::query::{Row, sql};
use crate::db::{Fetch, Tx};
use crate::keys::algorithm::Algorithm;
use crate::keys::ring::Stage;

const TABLE: &str = "signing_keys";

/// A key as it lies in the table.
#[derive(Clone, Debug)]
pub(in crate::keys) struct Stored {
    pub(in crate::keys) kid: String,
    pub(in crate::keys) algorithm: Algorithm,
    pub(in crate::keys) public_jwk: String,
    pub(in crate::keys) private_sealed: Vec<u8>,
    pub(in crate::keys) stage: Stage,
    pub(in crate::keys) created_at: DateTime<Utc>,
    pub(in crate::keys) current_at: Option<DateTime<Utc>>,
    pub(in crate::keys) retired_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for Stored {
    type Error = DbError;

    fn try_from(row: Row) -> Result<Self, DbError> {
        let stage = match row.get::<String>("stage")?.as_str() {
            "next" => Stage::Next,
            "current" => Stage::Current,
            "retired" => Stage::Retired,
            _ => return Err(DbError::CorruptRow { table: TABLE, column: "stage" }),
        };
        Ok(Self {
            kid: row.get("kid")?,
            algorithm: row.parsed(TABLE, "algorithm")?,
            public_jwk: row.get("public_jwk")?,
            private_sealed: row.get("private_sealed")?,
            stage,
            created_at: row.time("created_at")?,
            current_at: row.optional_time("current_at")?,
            retired_at: row.optional_time("retired_at")?,
        })
    }
}

fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Next => "next",
        Stage::Current => "current",
        Stage::Retired => "retired",
    }
}

/// All keys, oldest first.
pub(in crate::keys) async fn all(from: impl Fetch) -> Result<Vec<Stored>, DbError> {
    let query = sql("SELECT kid, algorithm, public_jwk, private_sealed, stage, created_at,
                current_at, retired_at
           FROM signing_keys
          ORDER BY created_at, kid");
    from.fetch_all(query).await?.into_iter().map(Stored::try_from).collect()
}

/// Adds a key, unless its algorithm has one in this stage. Answers whether it did.
pub(in crate::keys) async fn add(tx: &mut Tx<'_>, key: &Stored) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("INSERT INTO signing_keys
                    (kid, algorithm, public_jwk, private_sealed, stage, created_at, current_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT DO NOTHING")
            .bind(&key.kid)
            .bind(key.algorithm.as_str())
            .bind(&key.public_jwk)
            .bind(key.private_sealed.as_slice())
            .bind(name(key.stage))
            .bind(key.created_at)
            .bind(key.current_at),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Stops the key from signing; `true` for exactly one of those who try at once.
pub(in crate::keys) async fn retire(
    tx: &mut Tx<'_>,
    kid: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("UPDATE signing_keys SET stage = 'retired', retired_at = $2
                  WHERE kid = $1 AND stage = 'current'")
            .bind(kid)
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Makes the announced key of `algorithm` the one that signs.
pub(in crate::keys) async fn promote(
    tx: &mut Tx<'_>,
    algorithm: Algorithm,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let written = tx
        .execute(
            sql("UPDATE signing_keys SET stage = 'current', current_at = $2
                  WHERE algorithm = $1 AND stage = 'next'")
            .bind(algorithm.as_str())
            .bind(now),
        )
        .await?;
    Ok(written.affected == 1)
}

/// Forgets the keys that were retired before `before`. Answers how many.
pub(in crate::keys) async fn purge(tx: &mut Tx<'_>, before: DateTime<Utc>) -> Result<u64, DbError> {
    let written = tx
        .execute(
            sql("DELETE FROM signing_keys WHERE stage = 'retired' AND retired_at < $1")
                .bind(before),
        )
        .await?;
    Ok(written.affected)
}
