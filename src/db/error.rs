//! How storage fails.

/// What went wrong between us and the database. Never shown to a client.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// A UNIQUE or PRIMARY KEY constraint: the row exists already.
    #[error("the row exists already: {0}")]
    Duplicate(String),
    /// A foreign key or CHECK constraint: the row would contradict another.
    #[error("the row is refused: {0}")]
    Refused(String),
    /// The driver failed: connection, disk, syntax.
    #[error("the database failed")]
    Driver(#[source] sqlx::Error),
    /// A row that the code could not have written.
    #[error("corrupt row: {table}.{column}")]
    CorruptRow {
        /// Its table.
        table: &'static str,
        /// The first column that does not parse.
        column: &'static str,
    },
    /// The schema is not one that this build can work with.
    #[error("schema: {0}")]
    Schema(String),
    /// The writer is gone: the process is stopping.
    #[error("the database is closed")]
    Closed,
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        match &error {
            sqlx::Error::Database(inner) => match inner.kind() {
                ErrorKind::UniqueViolation => Self::Duplicate(inner.message().to_owned()),
                ErrorKind::ForeignKeyViolation
                | ErrorKind::NotNullViolation
                | ErrorKind::CheckViolation => Self::Refused(inner.message().to_owned()),
                _ => Self::Driver(error),
            },
            _ => Self::Driver(error),
        }
    }
}

impl DbError {
    /// Whether running the same unit again may well succeed: a PostgreSQL deadlock (40P01) or
    /// serialization failure (40001).
    pub(in crate::db) fn may_pass(&self) -> bool {
        matches!(self, Self::Driver(sqlx::Error::Database(inner))
            if matches!(inner.code().as_deref(), Some("40001" | "40P01")))
    }
}
