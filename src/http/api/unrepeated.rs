//! JSON in which no object has a member twice.
//!
//! Whoever reads the text of a policy sees the first, a parser keeps the last: no two readers may
//! see another policy. Source: RFC 8259 section 4.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

struct Unrepeated(Value);

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("that is no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Unrepeated(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if all.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            let Unrepeated(value) = members.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

/// Any JSON without repeated members (`deserialize_with`).
///
/// # Errors
/// The first member that is there twice.
pub(in crate::http::api) fn unrepeated<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Value, D::Error> {
    Unrepeated::deserialize(deserializer).map(|Unrepeated(value)| value)
}

/// The same, or nothing (`deserialize_with`, `default`).
///
/// # Errors
/// The first member that is there twice.
pub(in crate::http::api) fn unrepeated_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    unrepeated(deserializer).map(|value| (!value.is_null()).then_some(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Value, serde_json::Error> {
        unrepeated(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn case_66_a_member_that_is_there_twice_is_refused_wherever_it_is() {
        for bad in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"rules": {"readData": true, "readData": []}}"#,
            r#"[{"value": "x", "value": "y"}]"#,
            r#"{"a": 1, "\u0061": 2}"#,
        ] {
            let said = read(bad).unwrap_err().to_string();
            assert!(said.starts_with("duplicate field `"), "{bad}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_member_twice_is_read_as_ever(
            texts in proptest::collection::vec("\\PC{0,8}", 0..6), number: i64, real in -1e9..1e9_f64,
        ) {
            let members: Map<String, Value> =
                texts.iter().map(|text| (text.clone(), Value::from(text.as_str()))).collect();
            let value = serde_json::json!([members, number, real, null, true, {"in": {"in": []}}]);
            let text = value.to_string();
            prop_assert_eq!(read(&text).unwrap(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
