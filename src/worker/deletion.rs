//! Reminding of what is going to be deleted, users and accounts, and purging it, and projects,
//! when the grace period is over.

use crate::oauth::purge::purge_due;
use crate::server::Server;

/// Reminds and purges whoever is due, a bounded number. Any node does it, and all may at once.
pub async fn run_due(server: &Server) {
    match server.users.remind_of_deletions().await {
        Ok(0) => {}
        Ok(users) => tracing::info!(users, "users were reminded that they will be deleted"),
        Err(error) => tracing::error!(%error, "users could not be reminded of their deletion"),
    }
    match purge_due(&server.oauth).await {
        Ok(0) => {}
        Ok(users) => tracing::info!(users, "users were deleted for good"),
        Err(error) => tracing::error!(%error, "users who are due could not be looked for"),
    }
    match server.tenancy.remind_of_deletions().await {
        Ok(0) => {}
        Ok(accounts) => tracing::info!(accounts, "owners were reminded of a deletion"),
        Err(error) => tracing::error!(%error, "owners could not be reminded of a deletion"),
    }
    match server.tenancy.purge_due().await {
        Ok(0) => {}
        Ok(accounts) => tracing::info!(accounts, "accounts were deleted for good"),
        Err(error) => tracing::error!(%error, "accounts that are due could not be looked for"),
    }
    match server.projects.remind_of_deletions(&server.tenancy).await {
        Ok(0) => {}
        Ok(projects) => tracing::info!(projects, "owners were reminded of projects"),
        Err(error) => tracing::error!(%error, "owners could not be reminded of projects"),
    }
    match server.projects.purge_due(&server.tenancy).await {
        Ok(0) => {}
        Ok(projects) => tracing::info!(projects, "projects were deleted for good"),
        Err(error) => tracing::error!(%error, "projects that are due could not be deleted"),
    }
}
