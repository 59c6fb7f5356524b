//! `GET /v1/usage`: what an account uses, for those who pay for it; and counting it.

use std::str::FromStr;
use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::base::id::UserId;
use crate::gate::refusal::Refusal;
use crate::gate::service::Caller;
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::Permitted;
use crate::http::api::paging::Paging;
use crate::http::api::query::{Query, bad};
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;
use crate::policy::privilege::{BillingAdmin, Privilege as _};
use crate::server::Server;
use crate::usage::counters::Counters;
use crate::usage::model::{Day, Line, Wanted, Whose};

/// How many days are shown unless others are asked for, today among them.
const DAYS_SHOWN: i64 = 30;
/// Most days of one request.
const DAYS_MAX: i64 = 400;
const MICROS: f64 = 1_000_000.0;

/// Counts one call in an account: it, its user, and, when it is dropped, how long it took.
pub(in crate::http::api) struct Meter(Option<(Counters, Whose, UserId, Instant)>);

impl Meter {
    /// Of a caller who has just passed. A request about no account is nobody's usage.
    pub(in crate::http::api) fn start(server: &Server, caller: &Caller) -> Self {
        Self(caller.place.as_ref().map(|place| {
            let app = caller.app.as_ref().map(|app| app.id.clone());
            let whose = Whose { account: place.account.clone(), day: server.usage.today(), app };
            (server.usage.counters().clone(), whose, caller.user.clone(), Instant::now())
        }))
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some((counters, whose, user, started)) = self.0.take() {
            let micros = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
            counters.count(whose, &user, micros);
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineView {
    day: String,
    /// With `by=app`: which, `null` for API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(clippy::option_option, reason = "`null` says something else than nothing")]
    app: Option<Option<String>>,
    api_calls: i64,
    compute_seconds: f64,
    active_users: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_bytes: Option<i64>,
}

impl From<Line> for LineView {
    #[expect(clippy::cast_precision_loss, reason = "seconds with a fraction, for people")]
    fn from(line: Line) -> Self {
        Self {
            day: line.day.text(),
            app: line.app.map(|app| Some(app).filter(|app| !app.is_empty())),
            api_calls: line.count.calls,
            compute_seconds: line.count.micros as f64 / MICROS,
            active_users: line.users,
            storage_bytes: line.bytes,
        }
    }
}

/// The last line of a page: its day, and its app.
struct After(Day, String);

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (day, app) = text.split_once(' ').ok_or(())?;
        Ok(Self(Day::parse(day).ok_or(())?, app.to_owned()))
    }
}

/// `GET /v1/usage`, from `from` until `until`, by day or, with `by=app`, by day and app.
pub(in crate::http::api) async fn list(
    State(server): State<Server>,
    Permitted { permit, .. }: Permitted<BillingAdmin>,
    query: Query,
) -> Result<Response, ApiError> {
    if !permit.allows(&Attributes::new().with(RESOURCE, "type", "usage")) {
        return Err(Refusal::PolicyDenies { privilege: BillingAdmin::NAME.into() }.into());
    }
    let paging = Paging::read(&query, &server.vault, permit.account(), "/v1/usage")?;
    let after = paging.after()?.map(|After(day, app)| (day, app));
    let wanted = wanted(&query, server.usage.today())?;
    let wanted = Wanted { after, limit: paging.limit(), ..wanted };
    let lines = server.usage.lines(permit.account(), &wanted).await?;
    let rows = lines
        .into_iter()
        .map(|line| {
            (format!("{} {}", line.day.text(), line.app.as_deref().unwrap_or_default()), line)
        })
        .collect();
    Ok(answer(StatusCode::OK, paging.list(rows, |(key, _)| key, |(_, line)| LineView::from(line))))
}

fn wanted(query: &Query, today: Day) -> Result<Wanted, ApiError> {
    let day = |name: &'static str| {
        let read = |text: &str| Day::parse(text).ok_or_else(|| bad(name));
        query.one(name)?.map(read).transpose()
    };
    let until = day("until")?.unwrap_or(today);
    let from = day("from")?.unwrap_or(Day(until.0 - DAYS_SHOWN + 1));
    if until.0 - from.0 >= DAYS_MAX {
        return Err(ApiError::BadQuery(format!("at most {DAYS_MAX} days at once").into()));
    }
    let by_app = match query.one("by")? {
        None | Some("day") => false,
        Some("app") => true,
        Some(_) => return Err(bad("by")),
    };
    let app = query.one("app")?.map(str::to_owned);
    Ok(Wanted { from, until, app, by_app, after: None, limit: 0 })
}
