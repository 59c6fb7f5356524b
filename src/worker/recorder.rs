//! Writing what is held in memory: refusals and sign-ins, and what accounts use.

use chrono::TimeDelta;

use crate::audit::model::Event;
use crate::audit::service::{self, record_seen};
use crate::audit::trail::{SIGN_IN, Seen};
use crate::base::id::AccountId;
use crate::db::error::DbError;
use crate::server::Server;

/// Most entries of one unit of work.
const BATCH: usize = 200;
/// Most accounts in whose records one sign-in stands.
const ACCOUNTS_MAX: usize = 16;

/// Writes all that is held in memory: the process ends.
pub async fn write_all(server: &Server) {
    write_seen(server, true).await;
    write_usage(server).await;
}

/// Adds what was counted to the database.
pub async fn write_usage(server: &Server) {
    if let Err(error) = server.usage.flush().await {
        tracing::warn!(%error, "usage could not be written: it is counted on");
    }
}

/// Removes what is older than the record is kept.
pub async fn sweep(server: &Server) {
    let days = server.config.audit_retention_days;
    if days == 0 {
        return;
    }
    loop {
        match service::sweep(&server.ctx, TimeDelta::days(i64::from(days))).await {
            Ok(0) => return,
            Ok(entries) => tracing::info!(entries, "old entries of the record were removed"),
            Err(error) => {
                tracing::warn!(%error, "old entries of the record could not be removed");
                return;
            }
        }
    }
}

/// Notes how much lies in each account.
pub async fn weigh(server: &Server) {
    if let Err(error) = server.usage.weigh().await {
        tracing::warn!(%error, "what lies in accounts could not be weighed");
    }
}

/// Writes what was seen and is due; what cannot be written is kept for the next time.
pub async fn write_seen(server: &Server, all: bool) {
    let seen = server.users.trail().take(server.ctx.now(), all);
    for batch in seen.chunks(BATCH) {
        if let Err(error) = write(server, batch).await {
            tracing::warn!(%error, "refusals and sign-ins could not be recorded");
            server.users.trail().put_back(batch.to_vec());
        }
    }
}

async fn write(server: &Server, batch: &[Seen]) -> Result<(), DbError> {
    let mut entries = Vec::with_capacity(batch.len());
    for seen in batch {
        if seen.event.kind == SIGN_IN && seen.event.account.is_none() {
            entries.extend(in_each_account(server, seen).await?);
        } else {
            entries.push(in_its_account(server, seen).await?);
        }
    }
    record_seen(&server.ctx, &entries).await
}

/// A sign-in stands in the record of each account of the user's, or in that of no account.
async fn in_each_account(server: &Server, seen: &Seen) -> Result<Vec<Seen>, DbError> {
    let Ok(user) = seen.event.target.parse() else { return Ok(vec![seen.clone()]) };
    let accounts = server.accounts.accounts_of(&user).await?;
    if accounts.is_empty() {
        return Ok(vec![seen.clone()]);
    }
    let app = match &seen.actor.app {
        Some(app) => server.apps.find(app).await?,
        None => None,
    };
    let of = |account: &AccountId| {
        let mut seen = Seen { event: seen.event.clone().of(account), ..seen.clone() };
        // Which apps people use elsewhere is no business of this account.
        if app.as_ref().is_none_or(|app| !app.allowed_accounts.contains(account)) {
            seen.actor.app = None;
        }
        seen
    };
    Ok(accounts.iter().take(ACCOUNTS_MAX).map(|account| of(&account.id)).collect())
}

/// An account that was named and does not exist has no record.
async fn in_its_account(server: &Server, seen: &Seen) -> Result<Seen, DbError> {
    let Some(account) = &seen.event.account else { return Ok(seen.clone()) };
    if server.accounts.find(account).await?.is_some() {
        return Ok(seen.clone());
    }
    Ok(Seen { event: Event { account: None, ..seen.event.clone() }, ..seen.clone() })
}
