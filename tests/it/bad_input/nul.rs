//! Texts that JSON and URLs can hold, and databases cannot: U+0000, and halves of characters. They are
//! refused, each where it stands, at every endpoint that reads JSON.

use reqwest::Method;
use serde_json::Value;

use crate::bad_input::endpoint::{Endpoint, Shape, endpoints};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::registration::actor::open_server;

both!(what_no_database_can_hold_is_refused_everywhere,);

/// Stands where a bad text goes: escapes are written into the JSON afterwards.
const MARK: &str = "@bad@";
const BAD: [&str; 4] = ["\\u0000", "a\\u0000b", "\\ud800", "a\\udc00b"];

/// The value, once for each text in it, names of members included, with that one replaced.
fn bent(value: &Value) -> Vec<Value> {
    match value {
        Value::String(_) => vec![Value::from(MARK)],
        Value::Array(items) => {
            let each = items.iter().enumerate().flat_map(|(at, item)| {
                bent(item).into_iter().map(move |bad| {
                    let mut items = items.clone();
                    items[at] = bad;
                    Value::Array(items)
                })
            });
            each.collect()
        }
        Value::Object(members) => {
            let each = members.iter().flat_map(|(name, item)| {
                let values = bent(item).into_iter().map(move |bad| {
                    let mut members = members.clone();
                    members.insert(name.clone(), bad);
                    Value::Object(members)
                });
                let mut renamed = members.clone();
                renamed.remove(name);
                renamed.insert(MARK.to_owned(), item.clone());
                values.chain([Value::Object(renamed)])
            });
            each.collect()
        }
        _ => Vec::new(),
    }
}

async fn ask(http: &Browser, endpoint: &Endpoint, path: &str, body: String) -> Answer {
    let headers: Vec<_> = endpoint.headers.iter().map(|(name, value)| (*name, &**value)).collect();
    let headers = [&headers[..], &[("content-type", "application/json")]].concat();
    let method = Method::from_bytes(endpoint.method.as_bytes()).expect("a method");
    http.send(method, path, &headers, body).await
}

async fn what_no_database_can_hold_is_refused_everywhere(db: Kind) {
    let server = open_server(db).await;
    let http = server.browser();
    for endpoint in endpoints(&server).await {
        let what = format!("{} {}", endpoint.method, endpoint.path);
        if let Some(json) = endpoint.json {
            for bent in bent(&serde_json::from_str(json).expect("JSON")) {
                for bad in BAD {
                    let body = bent.to_string().replace(MARK, bad);
                    let answer = ask(&http, &endpoint, &endpoint.path, body.clone()).await;
                    // Apps that register themselves may say what we do not know: it is passed over.
                    let least = if endpoint.shape == Shape::Registration { 200 } else { 400 };
                    assert!((least..500).contains(&answer.status), "{what} {body}: {answer:?}");
                }
            }
        }
        let body = endpoint.json.unwrap_or_default().to_owned();
        for bad in ["%00", "a%00b"] {
            for (name, _) in &endpoint.params {
                let path = format!("{}?{name}={bad}", endpoint.path);
                let answer = ask(&http, &endpoint, &path, body.clone()).await;
                assert!(answer.status < 500, "{path}: {answer:?}");
            }
            let parts: Vec<&str> = endpoint.path.split('/').collect();
            for at in 1..parts.len() {
                let mut parts = parts.clone();
                parts[at] = bad;
                let path = parts.join("/");
                let answer = ask(&http, &endpoint, &path, body.clone()).await;
                assert!((400..500).contains(&answer.status), "{what} {path}: {answer:?}");
            }
        }
    }
}
