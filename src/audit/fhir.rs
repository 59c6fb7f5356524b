//! An entry as a FHIR `AuditEvent`. Source: FHIR R4 (4.0.1), `AuditEvent`; the codes are those of its
//! value sets audit-event-type (DICOM PS3.16 CID 400 and `rest`), audit-event-sub-type (DICOM CID
//! 401, restful-interaction) and audit-event-outcome.
//!
//! R4, because the record repositories of IHE (profile BALP) take that; STU3 knows the same facts
//! under other names.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::audit::model::{Entry, Erasable};
use crate::audit::trail::{APP_SIGN_IN, GATE, SIGN_IN};

const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const REST: &str = "http://hl7.org/fhir/restful-interaction";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";

/// The entry, as seen by the server whose issuer is `observer`.
pub fn audit_event(entry: &Entry, observer: &str) -> Value {
    let (kind, sub_kind) = kinds(entry);
    let (outcome, person) =
        (outcome(&entry.outcome), entry.kind == "user" || entry.kind == SIGN_IN);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("{}-{}", if entry.chain.is_empty() { "server" } else { &entry.chain }, entry.seq),
        "type": kind,
        "subtype": [sub_kind, coding(observer, &entry.kind, &entry.kind)],
        "action": entry.action,
        "recorded": entry.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "outcome": outcome,
        "agent": agents(entry),
        "source": { "observer": { "display": observer } },
        "entity": [{
            "what": { "identifier": { "value": entry.target } },
            "type": if person { coding(ENTITY, "1", "Person") } else { coding(ENTITY, "2", "System Object") },
        }],
    });
    let details = details(entry);
    // An empty array is no FHIR.
    if let Some(entity) = event.pointer_mut("/entity/0").filter(|_| !details.is_empty())
        && let Some(members) = entity.as_object_mut()
    {
        members.insert("detail".to_owned(), json!(details));
    }
    if let (Some(reason), Some(members)) = (&entry.reason, event.as_object_mut()) {
        members.insert("outcomeDesc".to_owned(), json!(reason));
    }
    event
}

fn coding(system: &str, code: &str, display: &str) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

fn kinds(entry: &Entry) -> (Value, Value) {
    let rest = coding(TYPE, "rest", "RESTful Operation");
    match (entry.kind.as_str(), entry.action.as_str()) {
        (SIGN_IN, "D") => {
            (coding(DICOM, "110114", "User Authentication"), coding(DICOM, "110123", "Logout"))
        }
        (SIGN_IN | APP_SIGN_IN, _) => {
            (coding(DICOM, "110114", "User Authentication"), coding(DICOM, "110122", "Login"))
        }
        (GATE, _) => {
            (coding(DICOM, "110113", "Security Alert"), coding(REST, "operation", "operation"))
        }
        (_, "C") => (rest, coding(REST, "create", "create")),
        (_, "U") => (rest, coding(REST, "update", "update")),
        (_, "D") => (rest, coding(REST, "delete", "delete")),
        (_, "R") => (rest, coding(REST, "read", "read")),
        _ => (rest, coding(REST, "operation", "operation")),
    }
}

fn outcome(name: &str) -> &'static str {
    match name {
        "success" => "0",
        "refused" => "4",
        _ => "8",
    }
}

fn agents(entry: &Entry) -> Vec<Value> {
    let mut agents = Vec::new();
    if let Some(user) = &entry.user {
        agents.push(json!({ "who": { "identifier": { "value": user } }, "requestor": true }));
    }
    for (kind, id) in [("application", &entry.app), ("api-key", &entry.key)] {
        if let Some(id) = id {
            let who = json!({ "identifier": { "value": id }, "display": kind });
            let kind = json!({ "coding": [coding(DICOM, "110150", "Application")] });
            let leads = agents.is_empty();
            agents.push(json!({ "type": kind, "who": who, "requestor": leads }));
        }
    }
    if agents.is_empty() {
        let is_operator = entry.outcome == "success" && entry.request.is_none();
        let who = if is_operator { "the operator" } else { "unknown" };
        agents.push(json!({ "who": { "display": who }, "requestor": true }));
    }
    if let (Some(Value::String(ip)), Some(first)) =
        (entry.origin.member("ip"), agents.first_mut().and_then(Value::as_object_mut))
    {
        first.insert("network".to_owned(), json!({ "address": ip, "type": "2" }));
    }
    agents
}

fn details(entry: &Entry) -> Vec<Value> {
    let mut details = Vec::new();
    let mut add = |name: &str, text: String| {
        details.push(json!({ "type": name, "valueString": text }));
    };
    if let Some(request) = &entry.request {
        add("request", request.clone());
    }
    if entry.times > 1 {
        add("times", entry.times.to_string());
    }
    for name in ["before", "after"] {
        if let Some(value) = Erasable::member(&entry.detail, name) {
            add(name, value.to_string());
        }
    }
    details
}
