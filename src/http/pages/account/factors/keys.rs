//! `/account/factors/keys`: adds, renames and removes passkeys and security keys.

use axum::extract::State;
use axum::response::Response;

use crate::http::pages::account::factors::ACT;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::session::SessionCookies;
use crate::server::Server;
use crate::users::factors::Standing;

#[expect(clippy::result_large_err, reason = "the other way out is an answer, and made once")]
fn checked(guest: Guest, form: &Form) -> Result<Visit, Response> {
    let visit = guest.answered(Section::Factors)?;
    visit.check(form, ACT)?;
    Ok(visit)
}

/// Which key it is about; a number that nobody has for everything else.
fn key_of(form: &Form) -> i64 {
    form.get("key").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `POST /account/factors/keys`
pub(in crate::http::pages) async fn add(
    State(server): State<Server>,
    guest: Guest,
    cookies: SessionCookies,
    form: Form,
) -> Result<Response, Response> {
    let visit = checked(guest, &form)?;
    let field = |name| form.get(name).unwrap_or_default();
    let browser = visit.browser.digest();
    let (state, key) = ((&browser, field("state")), (field("credential"), field("name")));
    match server.users.add_key(&visit.user, state, key, Standing::Whole).await {
        Ok(shown) => visit.added(&cookies, &shown.amr()).await,
        Err(error) => visit.done(Err(error)).await,
    }
}

/// `POST /account/factors/keys/rename`
pub(in crate::http::pages) async fn rename(
    State(server): State<Server>,
    guest: Guest,
    form: Form,
) -> Result<Response, Response> {
    let visit = checked(guest, &form)?;
    let name = form.get("name").unwrap_or_default();
    visit.done(server.users.rename_key(&visit.user, key_of(&form), name).await).await
}

/// `POST /account/factors/keys/remove`
pub(in crate::http::pages) async fn remove(
    State(server): State<Server>,
    guest: Guest,
    form: Form,
) -> Result<Response, Response> {
    let visit = checked(guest, &form)?;
    let must_keep_one = visit.must_keep_one().await?;
    let removed = server.users.remove_key(&visit.user, key_of(&form), must_keep_one).await;
    visit.done(removed).await
}
