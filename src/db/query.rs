//! A statement with its values, and the rows that come back, for both drivers.

use std::borrow::Cow;

use crate::db::error::DbError;

/// A value bound to a statement. Typed even when NULL, because PostgreSQL asks for the type.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// BIGINT
    Int(Option<i64>),
    /// TEXT
    Text(Option<String>),
    /// BLOB or BYTEA
    Bytes(Option<Vec<u8>>),
}

macro_rules! params {
    ($($from:ty => $variant:ident |$v:ident| $make:expr;)*) => {$(
        impl From<$from> for Param {
            fn from($v: $from) -> Self { Self::$variant(Some($make)) }
        }
        impl From<Option<$from>> for Param {
            fn from(value: Option<$from>) -> Self { Self::$variant(value.map(|$v| $make)) }
        }
    )*};
}

params! {
    i64 => Int |v| v;
    u32 => Int |v| i64::from(v);
    bool => Int |v| i64::from(v);
    String => Text |v| v;
    &str => Text |v| v.to_owned();
    &String => Text |v| v.clone();
    Vec<u8> => Bytes |v| v;
    &[u8] => Bytes |v| v.to_vec();
    crate::base::secret::Digest => Bytes |v| v.to_vec();
    chrono::DateTime<chrono::Utc> => Int |v| crate::base::clock::micros(v);
    crate::base::id::GrantId => Int |v| v.0;
    &crate::base::id::AccountId => Text |v| v.to_string();
    &crate::base::id::UserId => Text |v| v.to_string();
    &crate::base::id::GroupId => Text |v| v.to_string();
    &crate::base::id::ProjectId => Text |v| v.to_string();
    &crate::base::id::ApiKeyId => Text |v| v.to_string();
    &crate::base::id::InvitationId => Text |v| v.to_string();
    &crate::base::id::AppId => Text |v| v.to_string();
    &crate::base::id::ProviderId => Text |v| v.to_string();
    &crate::base::id::ApiId => Text |v| v.to_string();
    &crate::base::scope::Scope => Text |v| v.to_string();
}

/// A statement and its values, in the order of `$1`, `$2`, …
#[derive(Clone, Debug)]
pub struct Query {
    pub(in crate::db) sql: Cow<'static, str>,
    pub(in crate::db) params: Vec<Param>,
}

/// A fixed statement.
pub fn sql(text: &'static str) -> Query {
    Query { sql: Cow::Borrowed(text), params: Vec::new() }
}

/// A statement that was put together: only from fixed parts, never from what a client sent.
pub fn built_sql(text: String) -> Query {
    Query { sql: Cow::Owned(text), params: Vec::new() }
}

impl Query {
    /// Adds the next value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Param>) -> Self {
        self.params.push(value.into());
        self
    }

    /// Adds several values.
    #[must_use]
    pub fn bind_all(mut self, values: impl IntoIterator<Item = Param>) -> Self {
        self.params.extend(values);
        self
    }
}

/// What a writing statement did.
#[derive(Debug)]
pub struct Written {
    /// Rows inserted, updated or deleted.
    pub affected: u64,
    /// Rows of `RETURNING`, if the statement has one.
    pub rows: Vec<Row>,
}

/// One row of an answer.
#[derive(Debug)]
pub struct Row(pub(in crate::db) Inner);

#[derive(Debug)]
pub(in crate::db) enum Inner {
    Sqlite(sqlx::sqlite::SqliteRow),
    Postgres(sqlx::postgres::PgRow),
}

/// A type that a column can be read as.
pub trait Column: Sized {
    /// Reads the column called `name`.
    ///
    /// # Errors
    /// [`DbError::Driver`] if there is none, or it has another type.
    fn read(row: &Row, name: &str) -> Result<Self, DbError>;
}

macro_rules! columns {
    ($($ty:ty),*) => {$(
        impl Column for $ty {
            fn read(row: &Row, name: &str) -> Result<Self, DbError> {
                use sqlx::Row as _;
                match &row.0 {
                    Inner::Sqlite(row) => Ok(row.try_get(name)?),
                    Inner::Postgres(row) => Ok(row.try_get(name)?),
                }
            }
        }
    )*};
}

columns!(i64, String, Vec<u8>, Option<i64>, Option<String>, Option<Vec<u8>>);

impl Row {
    /// The column called `name`: `i64`, `String`, `Vec<u8>`, or an `Option` of these.
    ///
    /// # Errors
    /// [`DbError::Driver`] if there is none, or it has another type.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, DbError> {
        T::read(self, name)
    }

    /// The instant in the column called `name`.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn time(&self, name: &str) -> Result<chrono::DateTime<chrono::Utc>, DbError> {
        self.get(name).map(crate::base::clock::from_micros)
    }

    /// The instant in the column called `name`, if it holds one.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn optional_time(
        &self,
        name: &str,
    ) -> Result<Option<chrono::DateTime<chrono::Utc>>, DbError> {
        Ok(self.get::<Option<i64>>(name)?.map(crate::base::clock::from_micros))
    }

    /// The truth value in the column called `name`.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub fn flag(&self, name: &str) -> Result<bool, DbError> {
        Ok(self.get::<i64>(name)? != 0)
    }

    /// The column called `name`, parsed from its text.
    ///
    /// # Errors
    /// [`DbError::CorruptRow`] if it does not parse.
    pub fn parsed<T: std::str::FromStr>(
        &self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, DbError> {
        self.get::<String>(column)?.parse().map_err(|_| DbError::CorruptRow { table, column })
    }

    /// The JSON in the column called `name`, as a value.
    ///
    /// # Errors
    /// [`DbError::CorruptRow`] if it does not parse.
    pub fn json<T: serde::de::DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, DbError> {
        serde_json::from_str(&self.get::<String>(column)?)
            .map_err(|_| DbError::CorruptRow { table, column })
    }
}
