//! `GET /v1/usage`: what an account uses, for those who pay for it; and counting it.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::str::FromStr;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::base::id::{AccountId, AppId, UserId};
use crate::gate::questions::Asker;
use crate::gate::refusal::Refusal;
use crate::gate::service::{Caller, Held};
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
/// What makes whole microseconds of any time, right on average.
const HALF_A_MICRO: Duration = Duration::from_nanos(500);

/// Whose call a request is, once the gate let it pass.
struct Passed {
    counters: Counters,
    whose: Whose,
    user: Option<UserId>,
}

/// A request, and how long this node has worked on it. Counted when it is dropped: with the answer,
/// or when the client has gone away.
struct Call {
    passed: Cell<Option<Passed>>,
    worked: Cell<Duration>,
}

tokio::task_local! {
    static CALL: Call;
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(Passed { counters, whose, user }) = self.passed.take() {
            let micros = self.worked.get().saturating_add(HALF_A_MICRO).as_micros();
            let micros = i64::try_from(micros).unwrap_or(i64::MAX);
            counters.count(whose, user.as_ref(), micros);
        }
    }
}

/// Runs a request, which is counted if it passes the gate.
///
/// Its time is that of its steps, without what lies between them: how busy the server is with others,
/// and how long the database takes, is nothing that whoever asks has used.
pub(in crate::http) async fn metered<T>(request: impl Future<Output = T>) -> T {
    let call = Call { passed: Cell::new(None), worked: Cell::new(Duration::ZERO) };
    CALL.scope(call, async {
        let mut request = pin!(request);
        poll_fn(|cx| {
            let started = Instant::now();
            let step = request.as_mut().poll(cx);
            CALL.with(|call| call.worked.set(call.worked.get().saturating_add(started.elapsed())));
            step
        })
        .await
    })
    .await
}

/// Notes that the request at hand is one of this caller, who has passed. A request about no account
/// is nobody's usage.
pub(in crate::http) fn passed(server: &Server, caller: &Caller) {
    if let Some(place) = &caller.place {
        let app = caller.app.as_ref().map(|app| app.id.clone());
        // Who only acts by programs is nobody who is active.
        let is_program = match &caller.scope {
            Held::Token(token) => token.sub.is_none(),
            Held::Key(key) => key.is_of_service,
        };
        let user = Some(caller.user.clone()).filter(|_| !is_program);
        note(server, place.account.clone(), app, user);
    }
}

/// The same of somebody who asks what others may do.
pub(in crate::http) fn asked(server: &Server, asker: &Asker) {
    note(server, asker.account().clone(), asker.app().cloned(), asker.user().cloned());
}

fn note(server: &Server, account: AccountId, app: Option<AppId>, user: Option<UserId>) {
    let whose = Whose { account, day: server.usage.today(), app };
    let passed = Passed { counters: server.usage.counters().clone(), whose, user };
    // Elsewhere than in a request, there is nothing to count.
    let _ = CALL.try_with(|call| call.passed.set(Some(passed)));
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

/// `GET /v1/usage`, from `from` until `until`, by day or, with `by=app`, by day and app; of one app,
/// or, with `keys=only`, of what keys did.
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
    let app = match (query.one("keys")?, query.one("app")?) {
        (None, app) => app.map(str::to_owned),
        (Some("only"), None) => Some(String::new()),
        (Some(_), _) => return Err(bad("keys")),
    };
    Ok(Wanted { from, until, app, by_app, after: None, limit: 0 })
}
