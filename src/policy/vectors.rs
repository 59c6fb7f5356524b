//! Requests to the engine as lines of JSON, so that anybody can hold it against other vectors.
//!
//! ```text
//! {"id":"1","op":"enforce","operation":"readData","policy":{"rules":{…}},"attributes":{…}}
//! {"id":"1","result":true}
//! ```
//! `op` is one of `enforce`, `enforceAny` (with `operations`), `privileges` and `validate`
//! (without `attributes`). An invalid policy allows nothing; `privileges` and `validate` answer
//! with an `error` that says what is wrong with it.

use std::borrow::Cow;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use crate::policy::document::Document;
use crate::policy::fact::Fact;
use crate::policy::parse::{compile, compile_valid};

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Fact<'a>,
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow, default)]
    operation: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    operations: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    policy: Fact<'a>,
    #[serde(borrow, default = "nothing")]
    attributes: Fact<'a>,
}

fn nothing() -> Fact<'static> {
    Fact::Map(Vec::new())
}

/// What the engine says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers.
    Result(Answered),
    /// The request or its policy is not valid.
    Error(String),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answered {
    /// Of `enforce`, `validate`, and `enforceAny` if nothing is allowed.
    Truth(bool),
    /// Of `enforceAny`: the first operation that is allowed.
    Operation(String),
    /// Of `privileges`: all operations that are allowed.
    Operations(Vec<String>),
}

struct Answer<'a> {
    id: &'a Fact<'a>,
    verdict: &'a Verdict,
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", self.id)?;
        match self.verdict {
            Verdict::Result(answer) => map.serialize_entry("result", answer)?,
            Verdict::Error(message) => map.serialize_entry("error", message)?,
        }
        map.end()
    }
}

/// Answers one line, and adds the answer with a line break to `output`; whether the line was a
/// request at all.
pub fn answer_line(line: &[u8], output: &mut Vec<u8>) -> bool {
    let (id, verdict, is_request) = match read(line) {
        Ok(request) => {
            let verdict = judge(&request);
            (request.id, verdict, true)
        }
        Err(error) => (Fact::Null, Verdict::Error(format!("not a request: {error}")), false),
    };
    // Writing into memory does not fail.
    let _ = serde_json::to_writer(&mut *output, &Answer { id: &id, verdict: &verdict });
    output.push(b'\n');
    is_request
}

fn read(line: &[u8]) -> Result<Request<'_>, String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn judge(request: &Request<'_>) -> Verdict {
    let facts = &request.attributes;
    match (request.op.as_ref(), &request.operation) {
        ("enforce", Some(operation)) => {
            let document = compile_valid(&request.policy).unwrap_or_default();
            Verdict::Result(Answered::Truth(document.decide_on(operation, facts)))
        }
        ("enforceAny", _) => {
            let document = compile_valid(&request.policy).unwrap_or_default();
            let is_allowed = |operation: &&Cow<'_, str>| document.decide_on(operation, facts);
            Verdict::Result(match request.operations.iter().find(is_allowed) {
                Some(operation) => Answered::Operation(operation.as_ref().to_owned()),
                None => Answered::Truth(false),
            })
        }
        ("privileges", _) => valid(&request.policy, |document| {
            let held = document.privileges_on(facts).into_iter();
            Answered::Operations(held.map(str::to_owned).collect())
        }),
        ("validate", _) => valid(&request.policy, |_| Answered::Truth(true)),
        ("enforce", None) => Verdict::Error("`operation` is missing".to_owned()),
        (other, _) => Verdict::Error(format!("`op` is unknown: {other}")),
    }
}

fn valid(policy: &Fact<'_>, answer: impl FnOnce(&Document) -> Answered) -> Verdict {
    match compile(policy) {
        Ok(document) => Verdict::Result(answer(&document)),
        Err(faults) => {
            let told = faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message));
            Verdict::Error(told.collect::<Vec<_>>().join("; "))
        }
    }
}
