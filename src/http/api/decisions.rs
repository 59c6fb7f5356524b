//! `/access/v1/…`: the decision point. Source: AuthZEN Authorization API 1.0.

mod body;

use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::base::id::{ProjectId, UserId};
use crate::base::secret::Digest;
use crate::gate::questions::{Asker, PROJECT, USER, Verdict};
use crate::http::api::body::Body;
use crate::http::api::decisions::body::{Asked, BadQuestion, Semantic, Tuple};
use crate::http::api::error::{ApiError, answer};
use crate::http::api::guard::Asking;
use crate::server::Server;

/// Most questions of one batch.
const QUESTIONS_MAX: usize = 100;
/// Most results of one page, and how many there are if nothing is said.
const RESULTS_MAX: usize = 100;
const PAGE_PURPOSE: &str = "page of a search";
const MAC_BYTES: usize = 32;

/// The body of a question. What is not JSON is malformed here, like what is no question.
/// Source: AuthZEN Authorization API 1.0 section 10.1.
pub(in crate::http::api) struct Question<T>(T);

impl<T: DeserializeOwned> FromRequest<Server> for Question<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, server: &Server) -> Result<Self, ApiError> {
        match Body::from_request(request, server).await {
            Ok(Body(asked)) => Ok(Self(asked)),
            Err(ApiError::UnsupportedMediaType) => {
                Err(ApiError::BadBody("send the question as application/json".into()))
            }
            Err(error) => Err(error),
        }
    }
}

/// `POST /access/v1/evaluation`.
pub(in crate::http::api) async fn evaluation(
    State(server): State<Server>,
    Asking(asker): Asking,
    Question(tuple): Question<Tuple>,
) -> Result<Response, ApiError> {
    let decision = decide(&server, &asker, &tuple).await?.map_err(bad)?;
    Ok(answer(StatusCode::OK, shown(decision)))
}

/// `POST /access/v1/evaluations`: each question by itself, whatever the others are.
pub(in crate::http::api) async fn evaluations(
    State(server): State<Server>,
    Asking(asker): Asking,
    Question(body): Question<Asked>,
) -> Result<Response, ApiError> {
    let Asked { defaults, evaluations, options, .. } = body;
    let Some(all) = evaluations.filter(|all| !all.is_empty()) else {
        let decision = decide(&server, &asker, &defaults).await?.map_err(bad)?;
        return Ok(answer(StatusCode::OK, shown(decision)));
    };
    if all.len() > QUESTIONS_MAX {
        let text = format!("there are at most {QUESTIONS_MAX} evaluations in a request");
        return Err(ApiError::BadBody(text.into()));
    }
    let semantic = options.evaluations_semantic;
    let mut answers = Vec::with_capacity(all.len());
    for one in all {
        let tuple = one.or(&defaults);
        let decided = decide(&server, &asker, &tuple).await?;
        let is_permitted = matches!(decided, Ok(Verdict::Permit));
        answers.push(decided.map_or_else(BadQuestion::shown, shown));
        let is_over = match semantic {
            Semantic::ExecuteAll => false,
            Semantic::DenyOnFirstDeny => !is_permitted,
            Semantic::PermitOnFirstPermit => is_permitted,
        };
        if is_over {
            break;
        }
    }
    Ok(answer(StatusCode::OK, json!({ "evaluations": answers })))
}

async fn decide(
    server: &Server,
    asker: &Asker,
    tuple: &Tuple,
) -> Result<Result<Verdict, BadQuestion>, ApiError> {
    let question = match tuple.question() {
        Ok(question) => question,
        Err(fault) => return Ok(Err(fault)),
    };
    Ok(Ok(server.gate.evaluate(asker, &question).await?))
}

fn shown(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Permit => json!({ "decision": true }),
        Verdict::Deny => json!({ "decision": false }),
        Verdict::NotYours => {
            let message = "you may not ask about this subject";
            json!({ "decision": false, "context": { "error": { "status": 403, "message": message } } })
        }
    }
}

fn bad(fault: BadQuestion) -> ApiError {
    ApiError::BadBody(fault.0.into())
}

/// `POST /access/v1/search/subject`.
pub(in crate::http::api) async fn subjects(
    State(server): State<Server>,
    Asking(asker): Asking,
    Question(body): Question<Asked>,
) -> Result<Response, ApiError> {
    let question = body.defaults.question_about_any_subject().map_err(bad)?;
    let page = Page::read(&server, &asker, &body)?;
    let after = page.after::<UserId>()?;
    let limit = (after.as_ref(), page.limit);
    let (found, next) = server.gate.subjects(&asker, &question, limit).await?;
    let results = found.iter().map(|user| json!({ "type": USER, "id": user.as_str() }));
    Ok(page.answer(results.collect(), next.as_ref().map(UserId::as_str)))
}

/// `POST /access/v1/search/resource`.
pub(in crate::http::api) async fn resources(
    State(server): State<Server>,
    Asking(asker): Asking,
    Question(body): Question<Asked>,
) -> Result<Response, ApiError> {
    let (question, kind) = body.defaults.question_about_any_resource().map_err(bad)?;
    let page = Page::read(&server, &asker, &body)?;
    let after = page.after::<ProjectId>()?;
    let reach = server.gate.reach(&asker, &question).await?;
    let (Some(reach), PROJECT) = (reach, kind.as_str()) else {
        return Ok(page.answer(Vec::new(), None));
    };
    let limit = u32::try_from(page.limit).unwrap_or(1);
    let mut rows = server.projects.within(&reach, after.as_ref(), limit + 1).await?;
    let has_more = rows.len() > page.limit;
    rows.truncate(page.limit);
    let next = rows.last().filter(|_| has_more).map(|row| row.id.to_string());
    let results = rows.iter().map(|row| json!({ "type": PROJECT, "id": row.id.as_str() }));
    Ok(page.answer(results.collect(), next.as_deref()))
}

/// `POST /access/v1/search/action`. All of them: an account has no more than a page holds.
pub(in crate::http::api) async fn actions(
    State(server): State<Server>,
    Asking(asker): Asking,
    Question(body): Question<Asked>,
) -> Result<Response, ApiError> {
    let question = body.defaults.question_about_any_action().map_err(bad)?;
    let page = Page::read(&server, &asker, &body)?;
    let after = page.after::<String>()?;
    let mut names = server.gate.actions(&asker, &question).await?;
    names.sort_unstable();
    let rest = names.iter().filter(|name| after.as_ref().is_none_or(|after| *name > after));
    let mut rest: Vec<&String> = rest.take(page.limit + 1).collect();
    let has_more = rest.len() > page.limit;
    rest.truncate(page.limit);
    let results = rest.iter().map(|name| json!({ "name": name })).collect();
    let next = rest.last().filter(|_| has_more).map(|name| name.as_str());
    Ok(page.answer(results, next))
}

fn other_search() -> ApiError {
    ApiError::BadBody("page.token is of another search".into())
}

/// A page of a search. Its token is good for the same search in the same account only.
struct Page<'r> {
    server: &'r Server,
    asker: &'r Asker,
    search: String,
    /// The last key of the page before.
    after: Option<String>,
    limit: usize,
}

impl<'r> Page<'r> {
    /// Whoever shows a token need not say the limit again; another one is another search.
    fn read(server: &'r Server, asker: &'r Asker, body: &Asked) -> Result<Self, ApiError> {
        let search = serde_json::to_string(&body.defaults);
        let search = search.map_err(|_| ApiError::BadBody("the search is malformed".into()))?;
        if body.page.limit == Some(0) {
            return Err(ApiError::BadBody("page.limit is at least 1".into()));
        }
        let limit = body.page.limit.map(|limit| limit.min(RESULTS_MAX));
        let first = Self { server, asker, search, after: None, limit: RESULTS_MAX };
        let Some(token) = body.page.token.as_deref().filter(|token| !token.is_empty()) else {
            return Ok(Self { limit: limit.unwrap_or(RESULTS_MAX), ..first });
        };
        let opened = first.open(token).filter(|(own, _)| limit.is_none_or(|limit| limit == *own));
        let (limit, key) = opened.ok_or_else(other_search)?;
        Ok(Self { limit, after: Some(key), ..first })
    }

    /// The limit and the last key that a token stands for.
    fn open(&self, token: &str) -> Option<(usize, String)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, place) = bytes.split_at_checked(MAC_BYTES)?;
        let place = std::str::from_utf8(place).ok()?;
        let (limit, key) = place.split_once(' ')?;
        let limit = limit.parse().ok()?;
        (Digest::from_slice(mac)? == self.mac(place)).then(|| (limit, key.to_owned()))
    }

    fn mac(&self, place: &str) -> Digest {
        let account = self.asker.account().as_str().as_bytes();
        let parts = [account, self.search.as_bytes(), place.as_bytes()];
        self.server.vault.mac(PAGE_PURPOSE, &parts)
    }

    fn after<K: std::str::FromStr>(&self) -> Result<Option<K>, ApiError> {
        let after = self.after.as_deref().map(str::parse).transpose();
        after.map_err(|_| other_search())
    }

    fn answer(&self, results: Vec<Value>, next: Option<&str>) -> Response {
        let token = next.map(|key| {
            let place = format!("{} {key}", self.limit);
            let mut bytes = self.mac(&place).to_vec();
            bytes.extend_from_slice(place.as_bytes());
            URL_SAFE_NO_PAD.encode(bytes)
        });
        let page = json!({ "next_token": token.unwrap_or_default(), "count": results.len() });
        answer(StatusCode::OK, json!({ "page": page, "results": Value::Array(results) }))
    }
}
