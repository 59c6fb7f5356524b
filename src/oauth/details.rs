//! Rich authorization requests: what an app asks for in detail. Source: RFC 9396. Without any I/O.

use serde_json::{Map, Value};

use crate::oauth::request::Fault;

/// Longest text, in bytes; it is kept in the grant's row and stands in each access token.
const BYTES_MAX: usize = 4096;
/// Most details of one request.
const DETAILS_MAX: usize = 16;
/// Deepest nesting within one detail.
const DEPTH_MAX: usize = 8;

/// Details that were not granted.
pub(in crate::oauth) const BEYOND: Fault = refused("authorization_details exceed what was granted");

/// Lists of what is allowed: fewer items allow less. Source: RFC 9396 section 2.2.
const LISTS: [&str; 4] = ["locations", "actions", "datatypes", "privileges"];

const fn refused(description: &'static str) -> Fault {
    Fault { code: "invalid_authorization_details", description }
}

/// The details that a request asks for, of the `types` that the app has registered.
///
/// # Errors
/// `invalid_authorization_details` for anything that is no array of objects, whose `type` the app
/// has not registered, or that is too large. Source: RFC 9396 section 5.
pub(in crate::oauth) fn read(text: Option<&str>, types: &[String]) -> Result<Vec<Value>, Fault> {
    let Some(text) = text else { return Ok(Vec::new()) };
    if text.len() > BYTES_MAX {
        return Err(refused("authorization_details are too long"));
    }
    let Ok(Value::Array(details)) = serde_json::from_str(text) else {
        return Err(refused("authorization_details must be a JSON array"));
    };
    if details.is_empty() || details.len() > DETAILS_MAX {
        return Err(refused("authorization_details must have 1 to 16 items"));
    }
    for detail in &details {
        let Some(members) = detail.as_object() else {
            return Err(refused("each of authorization_details must be an object"));
        };
        check(members, types)?;
    }
    Ok(details)
}

fn check(members: &Map<String, Value>, types: &[String]) -> Result<(), Fault> {
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    if !types.iter().any(|known| known == kind) {
        return Err(refused("the app may not use this type of authorization_details"));
    }
    let is_list = |value: &Value| value.as_array().is_some_and(|a| a.iter().all(Value::is_string));
    if LISTS.iter().any(|name| members.get(*name).is_some_and(|value| !is_list(value))) {
        return Err(refused("a common field of authorization_details is no list of texts"));
    }
    if members.get("identifier").is_some_and(|value| !value.is_string()) {
        return Err(refused("identifier in authorization_details is no text"));
    }
    if members.values().any(|value| depth(value) > DEPTH_MAX) {
        return Err(refused("authorization_details are nested too deep"));
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    inner.unwrap_or_default().saturating_add(1)
}

/// Whether each of `asked` is one of `granted`, or less than it.
pub(in crate::oauth) fn is_within(asked: &[Value], granted: &[Value]) -> bool {
    asked.iter().all(|one| granted.iter().any(|whole| is_part(one, whole)))
}

/// The same members with the same values, save that common lists may be shorter. A member that is
/// left out would widen what it narrowed, and so would an empty list.
fn is_part(asked: &Value, granted: &Value) -> bool {
    let (Some(asked), Some(granted)) = (asked.as_object(), granted.as_object()) else {
        return false;
    };
    asked.len() == granted.len()
        && asked.iter().all(|(name, value)| match granted.get(name) {
            Some(whole) if LISTS.contains(&name.as_str()) => is_shorter(value, whole),
            Some(whole) => value == whole,
            None => false,
        })
}

fn is_shorter(asked: &Value, granted: &Value) -> bool {
    match (asked, granted) {
        (Value::Array(asked), Value::Array(granted)) => {
            asked.is_empty() == granted.is_empty() && asked.iter().all(|one| granted.contains(one))
        }
        _ => false,
    }
}

/// A detail in words for people: its type, and a line for each other member.
pub fn in_words(detail: &Value) -> (String, Vec<String>) {
    let members = detail.as_object().into_iter().flatten();
    let kind = detail.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let line = |(name, value): (&String, &Value)| format!("{name}: {}", words(value));
    (kind, members.filter(|(name, _)| *name != "type").map(line).collect())
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let pair = |(name, value): (&String, &Value)| format!("{name}: {}", words(value));
            format!("({})", members.iter().map(pair).collect::<Vec<_>>().join("; "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn granted() -> Vec<Value> {
        vec![json!({
            "type": "payment", "actions": ["read", "pay"], "locations": ["https://bank.example"],
            "amount": { "currency": "EUR", "value": "12.50" },
        })]
    }

    #[track_caller]
    fn check(bend: impl FnOnce(&mut Map<String, Value>), expected: bool) {
        let mut asked = granted();
        bend(asked[0].as_object_mut().unwrap());
        assert_eq!(is_within(&asked, &granted()), expected, "{asked:?}");
    }

    #[test]
    fn rfc9396_6_details_shrink_and_never_grow() {
        check(|_| (), true);
        check(|detail| detail["actions"] = json!(["read"]), true);
        check(|detail| detail["actions"] = json!(["read", "read"]), true);
        check(|detail| detail["actions"] = json!([]), false);
        check(|detail| detail["actions"] = json!(["read", "close"]), false);
        check(|detail| drop(detail.remove("locations")), false);
        check(|detail| detail["amount"]["value"] = json!("99.00"), false);
        check(|detail| drop(detail.insert("more".to_owned(), json!(1))), false);
        check(|detail| detail["type"] = json!("account"), false);
        assert!(!is_within(&granted(), &[]));
    }

    #[test]
    fn people_read_a_type_and_its_members() {
        let (kind, lines) = in_words(&granted()[0]);

        assert_eq!(kind, "payment");
        let expected = [
            "actions: read, pay",
            "amount: (currency: EUR; value: 12.50)",
            "locations: https://bank.example",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn rfc9396_5_what_is_not_a_list_of_registered_types_is_refused() {
        let types = ["payment".to_owned()];
        let read = |text: &str| read(Some(text), &types);

        assert_eq!(read(r#"[{"type":"payment"}]"#).map(|details| details.len()), Ok(1));
        let many = format!("[{}]", vec![r#"{"type":"payment"}"#; 17].join(","));
        let deep = format!(r#"[{{"type":"payment","a":{}1{}}}]"#, "[".repeat(9), "]".repeat(9));
        let long = format!(r#"[{{"type":"payment","a":"{}"}}]"#, "x".repeat(BYTES_MAX));
        for bad in [
            "",
            "1",
            "{}",
            "[]",
            "[1]",
            "[{}]",
            r#"{"type":"payment"}"#,
            r#"[{"type":"other"}]"#,
            r#"[{"type":1}]"#,
            r#"[{"type":"payment","actions":"read"}]"#,
            r#"[{"type":"payment","identifier":1}]"#,
            &many,
            &deep,
            &long,
        ] {
            let fault = read(bad).unwrap_err();
            assert_eq!(fault.code, "invalid_authorization_details", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = read(Some(&text), &["a".to_owned()]);
        }

        #[test]
        fn any_json_is_told_in_words(text in "[\\[\\]{}\",:a-z0-9]{0,60}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = in_words(&value);
                prop_assert!(is_within(&[], &[value]));
            }
        }
    }
}
