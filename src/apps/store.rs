//! The rows of apps and their secrets.
//!
//! An app is found by its id alone: whoever asks for tokens says which app it is, and no account.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::apps::metadata::ClientMetadata;
use crate::apps::model::{AllowedAccounts, SecretDigest, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::secrets::NewSecret;
use crate::base::id::{AccountId, AppId};
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::{Query, Row, sql};
use crate::db::{Fetch, Tx};

const APPS: &str = "apps";

macro_rules! columns {
    () => {
        "id, account_id, title, description, icon_url, url, status, type, allowed_scopes, \
         default_scopes, allowed_accounts, callback_urls, logout_urls, grant_types, require_pkce, \
         access_token_seconds, refresh_token_seconds, rotate_refresh_tokens, \
         access_token_algorithm, id_token_algorithm, custom_claims, metadata, disabled"
    };
}

pub(in crate::apps) use columns;

/// The app's registration, if there is one.
pub(in crate::apps) async fn find(db: impl Fetch, id: &AppId) -> Result<Option<NewApp>, DbError> {
    let query = sql(concat!("SELECT ", columns!(), " FROM apps WHERE id = $1")).bind(id);
    db.fetch_optional(query).await?.as_ref().map(read).transpose()
}

/// The registrations of an account, or all, by id.
pub(in crate::apps) async fn list(
    db: impl Fetch,
    account: Option<&AccountId>,
) -> Result<Vec<NewApp>, DbError> {
    let query = match account {
        Some(account) => {
            sql(concat!("SELECT ", columns!(), " FROM apps WHERE account_id = $1 ORDER BY id"))
                .bind(account)
        }
        None => sql(concat!("SELECT ", columns!(), " FROM apps ORDER BY id")),
    };
    db.fetch_all(query).await?.iter().map(read).collect()
}

/// The app's secrets, the oldest first.
pub(in crate::apps) async fn secrets(
    db: impl Fetch,
    app: &AppId,
) -> Result<Vec<SecretDigest>, DbError> {
    let rows = db
        .fetch_all(
            sql("SELECT digest, sealed, created_at, expires_at FROM app_secrets
                  WHERE app_id = $1 ORDER BY id")
            .bind(app),
        )
        .await?;
    rows.iter().map(read_secret).collect()
}

/// The callback URLs of all apps.
pub(in crate::apps) async fn callback_urls(db: impl Fetch) -> Result<Vec<RedirectUri>, DbError> {
    let rows = db.fetch_all(sql("SELECT callback_urls FROM apps")).await?;
    let mut all = Vec::new();
    for row in &rows {
        all.extend(row.json::<Vec<RedirectUri>>(APPS, "callback_urls")?);
    }
    Ok(all)
}

/// The metadata of the apps that ask for authorization details.
pub(in crate::apps) async fn with_details(db: impl Fetch) -> Result<Vec<ClientMetadata>, DbError> {
    let query =
        sql("SELECT metadata FROM apps WHERE metadata LIKE '%authorization_details_types%'");
    db.fetch_all(query).await?.iter().map(|row| row.json(APPS, "metadata")).collect()
}

/// Adds an app.
pub(in crate::apps) async fn insert(
    tx: &mut Tx<'_>,
    app: &NewApp,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql(concat!(
        "INSERT INTO apps (",
        columns!(),
        ", created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22, $23, $24, $24)"
    ));
    tx.execute(bind(query, app)?.bind(now)).await?;
    Ok(())
}

/// Changes all that an app says of itself.
pub(in crate::apps) async fn update(
    tx: &mut Tx<'_>,
    app: &NewApp,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE apps
            SET account_id = $2, title = $3, description = $4, icon_url = $5, url = $6,
                status = $7, type = $8, allowed_scopes = $9, default_scopes = $10,
                allowed_accounts = $11, callback_urls = $12, logout_urls = $13, grant_types = $14,
                require_pkce = $15, access_token_seconds = $16, refresh_token_seconds = $17,
                rotate_refresh_tokens = $18, access_token_algorithm = $19,
                id_token_algorithm = $20, custom_claims = $21, metadata = $22, disabled = $23,
                updated_at = $24
          WHERE id = $1");
    tx.execute(bind(query, app)?.bind(now)).await?;
    Ok(())
}

/// Holds the app's row until the unit ends, so that units about its secrets queue. Answers
/// whether there is one.
pub(in crate::apps) async fn hold(tx: &mut Tx<'_>, app: &AppId) -> Result<bool, DbError> {
    let query = sql("UPDATE apps SET updated_at = updated_at WHERE id = $1").bind(app);
    Ok(tx.execute(query).await?.affected == 1)
}

/// Adds a secret.
pub(in crate::apps) async fn insert_secret(
    tx: &mut Tx<'_>,
    app: &NewApp,
    secret: &NewSecret,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("INSERT INTO app_secrets (app_id, digest, sealed, created_at, expires_at)
                     VALUES ($1, $2, $3, $4, NULL)");
    let sealed = secret.sealed_for(app);
    tx.execute(query.bind(&app.id).bind(secret.digest).bind(sealed).bind(now)).await?;
    Ok(())
}

/// Lets every secret of the app end at `end`, unless it ends before.
pub(in crate::apps) async fn end_secrets(
    tx: &mut Tx<'_>,
    app: &AppId,
    end: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("UPDATE app_secrets SET expires_at = $2
                      WHERE app_id = $1 AND (expires_at IS NULL OR expires_at > $2)");
    tx.execute(query.bind(app).bind(end)).await?;
    Ok(())
}

/// Drops the secrets of the app that have ended, and all but the `keep` youngest.
pub(in crate::apps) async fn drop_secrets(
    tx: &mut Tx<'_>,
    app: &AppId,
    keep: usize,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM app_secrets
                      WHERE app_id = $1
                        AND (expires_at <= $2
                             OR id NOT IN (SELECT id FROM app_secrets
                                            WHERE app_id = $1 ORDER BY id DESC LIMIT $3))");
    tx.execute(query.bind(app).bind(now).bind(i64::try_from(keep).unwrap_or(i64::MAX))).await?;
    Ok(())
}

/// Drops one secret of the app.
pub(in crate::apps) async fn drop_secret(
    tx: &mut Tx<'_>,
    app: &AppId,
    digest: Digest,
) -> Result<(), DbError> {
    let query = sql("DELETE FROM app_secrets WHERE app_id = $1 AND digest = $2");
    tx.execute(query.bind(app).bind(digest)).await?;
    Ok(())
}

fn bind(query: Query, app: &NewApp) -> Result<Query, DbError> {
    let accounts = match &app.allowed_accounts {
        AllowedAccounts::All => None,
        AllowedAccounts::These(accounts) => Some(json(accounts, "allowed_accounts")?),
    };
    Ok(query
        .bind(&app.id)
        .bind(&app.account)
        .bind(&app.title)
        .bind(app.description.clone())
        .bind(app.icon_url.clone())
        .bind(app.url.clone())
        .bind(stored_status(app.status))
        .bind(app.kind.as_str())
        .bind(&app.allowed_scopes)
        .bind(&app.default_scopes)
        .bind(accounts)
        .bind(json(&app.callback_urls, "callback_urls")?)
        .bind(json(&app.logout_urls, "logout_urls")?)
        .bind(json(&app.grant_types, "grant_types")?)
        .bind(app.require_pkce)
        .bind(app.access_token_seconds)
        .bind(app.refresh_token_seconds)
        .bind(app.rotate_refresh_tokens)
        .bind(app.access_token_algorithm.as_str())
        .bind(app.id_token_algorithm.as_str())
        .bind(json(&app.custom_claims, "custom_claims")?)
        .bind(json(&app.metadata, "metadata")?)
        .bind(app.status == Status::Disabled))
}

/// The column knows two words; whether an app is disabled stands beside it.
fn stored_status(status: Status) -> &'static str {
    match status {
        Status::Live => Status::Live.as_str(),
        Status::Developing | Status::Disabled => Status::Developing.as_str(),
    }
}

fn json(value: &impl Serialize, column: &'static str) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|_| DbError::CorruptRow { table: APPS, column })
}

/// The registration in a row with these columns.
pub(in crate::apps) fn read(row: &Row) -> Result<NewApp, DbError> {
    let scope = |column: &'static str| {
        row.get::<String>(column)?
            .try_into()
            .map_err(|_| DbError::CorruptRow { table: APPS, column })
    };
    let seconds = |column: &'static str| {
        u32::try_from(row.get::<i64>(column)?)
            .map_err(|_| DbError::CorruptRow { table: APPS, column })
    };
    let allowed_accounts = match row.get::<Option<String>>("allowed_accounts")? {
        None => AllowedAccounts::All,
        Some(_) => AllowedAccounts::These(row.json(APPS, "allowed_accounts")?),
    };
    Ok(NewApp {
        id: row.parsed(APPS, "id")?,
        account: row.parsed(APPS, "account_id")?,
        title: row.get("title")?,
        description: row.get("description")?,
        icon_url: row.get("icon_url")?,
        url: row.get("url")?,
        status: if row.flag("disabled")? { Status::Disabled } else { row.parsed(APPS, "status")? },
        kind: row.parsed(APPS, "type")?,
        allowed_scopes: scope("allowed_scopes")?,
        default_scopes: scope("default_scopes")?,
        allowed_accounts,
        callback_urls: row.json(APPS, "callback_urls")?,
        logout_urls: row.json(APPS, "logout_urls")?,
        grant_types: row.json(APPS, "grant_types")?,
        require_pkce: row.flag("require_pkce")?,
        access_token_seconds: seconds("access_token_seconds")?,
        refresh_token_seconds: seconds("refresh_token_seconds")?,
        rotate_refresh_tokens: row.flag("rotate_refresh_tokens")?,
        access_token_algorithm: row.parsed(APPS, "access_token_algorithm")?,
        id_token_algorithm: row.parsed(APPS, "id_token_algorithm")?,
        custom_claims: row.json(APPS, "custom_claims")?,
        metadata: row.json(APPS, "metadata")?,
    })
}

fn read_secret(row: &Row) -> Result<SecretDigest, DbError> {
    let corrupt = DbError::CorruptRow { table: "app_secrets", column: "digest" };
    Ok(SecretDigest {
        digest: Digest::from_slice(&row.get::<Vec<u8>>("digest")?).ok_or(corrupt)?,
        sealed: row.get("sealed")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
    })
}
