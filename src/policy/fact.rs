//! The values that attributes and policies are made of: JSON, read once and compared often.
//!
//! Numbers are those of JavaScript (64-bit floating point), because the reference compares such.
//! Text is borrowed where it can be, and objects keep the order in which they were written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Objects with more keys than this find repeated keys by hashing.
const KEYS_SCANNED_MAX: usize = 16;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact<'a> {
    /// `null`: the same as missing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Fact<'a>>),
    /// An object; no key occurs twice.
    Map(Vec<(Cow<'a, str>, Fact<'a>)>),
}

impl<'a> Fact<'a> {
    /// A list of text.
    pub fn texts<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| Fact::Text(text.into())).collect())
    }

    /// The view of a JSON value that borrows its text.
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::List(items.iter().map(Self::of).collect()),
            Value::Object(map) => Self::of_map(map),
        }
    }

    /// The view of a JSON object that borrows its text.
    pub fn of_map(map: &'a Map<String, Value>) -> Self {
        Self::Map(map.iter().map(|(key, value)| (Cow::from(key), Self::of(value))).collect())
    }

    /// The same value, independent of what it was read from.
    pub fn into_owned(self) -> Fact<'static> {
        match self {
            Self::Null => Fact::Null,
            Self::Bool(truth) => Fact::Bool(truth),
            Self::Number(number) => Fact::Number(number),
            Self::Text(text) => Fact::Text(Cow::Owned(text.into_owned())),
            Self::List(items) => Fact::List(items.into_iter().map(Fact::into_owned).collect()),
            Self::Map(entries) => Fact::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned()))
                    .collect(),
            ),
        }
    }

    /// The value of an object's own key; `None` for anything but an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// As a JSON value, to be shown.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => number_to_json(*number),
            Self::Text(text) => Value::String(text.as_ref().to_owned()),
            Self::List(items) => Value::Array(items.iter().map(Fact::to_json).collect()),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_ref().to_owned(), value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// Whole numbers are shown without a fraction, as JavaScript would.
fn number_to_json(number: f64) -> Value {
    const EXACT_MAX: f64 = 9_007_199_254_740_991.0;
    let is_whole = number.fract() == 0.0 && number.abs() <= EXACT_MAX;
    if is_whole && let Ok(whole) = format!("{number:.0}").parse::<i64>() {
        return Value::from(whole);
    }
    serde_json::Number::from_f64(number).map_or(Value::Null, Value::Number)
}

impl From<bool> for Fact<'static> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Fact<'static> {
    fn from(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }
}

impl From<String> for Fact<'static> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<&Value> for Fact<'static> {
    fn from(value: &Value) -> Self {
        Fact::of(value).into_owned()
    }
}

impl From<&Map<String, Value>> for Fact<'static> {
    fn from(map: &Map<String, Value>) -> Self {
        Fact::of_map(map).into_owned()
    }
}

impl Serialize for Fact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            other => other.to_json().serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fact<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor)
    }
}

/// Text that borrows from the input when it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct FactVisitor;

impl<'de> Visitor<'de> for FactVisitor {
    type Value = Fact<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Fact::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Fact::Bool(truth))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Fact::Number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of JavaScript is what is wanted")]
    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Fact::Number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of JavaScript is what is wanted")]
    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Fact::Number(number as f64))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Fact::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Fact::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Fact::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            entries.push((key, value));
        }
        Ok(Fact::Map(without_repeats(entries)))
    }
}

/// Keeps the last value of a repeated key, in the place of the first, as JavaScript does.
fn without_repeats<'a>(entries: Vec<(Cow<'a, str>, Fact<'a>)>) -> Vec<(Cow<'a, str>, Fact<'a>)> {
    let repeats = |at: usize| {
        let (earlier, rest) = entries.split_at_checked(at)?;
        let (key, _) = rest.first()?;
        earlier.iter().find(|(other, _)| other == key)
    };
    if entries.len() <= KEYS_SCANNED_MAX && (1..entries.len()).all(|at| repeats(at).is_none()) {
        return entries;
    }
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::with_capacity(entries.len());
    let mut kept: Vec<(Cow<'a, str>, Fact<'a>)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        let place = *places.entry(key.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(slot) => slot.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_has_its_last_value() {
        let many: Vec<String> = (0..40).map(|n| format!("\"k{n}\":{n}")).collect();
        let text = format!("{{\"a\":1,\"b\":2,\"a\":3,{},\"k7\":\"x\"}}", many.join(","));
        let fact: Fact<'_> = serde_json::from_str(&text).unwrap();
        let small: Fact<'_> = serde_json::from_str(r#"{"a":1,"b":2,"a":null}"#).unwrap();

        assert_eq!(fact.get("a"), Some(&Fact::Number(3.0)));
        assert_eq!(fact.get("k7"), Some(&Fact::from("x")));
        assert_eq!(small.to_json().to_string(), r#"{"a":null,"b":2}"#);
    }

    #[test]
    fn text_is_borrowed_and_whole_numbers_stay_whole() {
        let text = r#"{"a":["b\n","c",1,-2.5,true,9007199254740993]}"#;
        let fact: Fact<'_> = serde_json::from_str(text).unwrap();

        let Some(Fact::List(items)) = fact.get("a") else { panic!("a list") };
        assert!(matches!(&items[1], Fact::Text(Cow::Borrowed("c"))));
        assert_eq!(
            fact.to_json().to_string(),
            r#"{"a":["b\n","c",1,-2.5,true,9007199254740992.0]}"#
        );
        assert_eq!(Fact::of(&fact.to_json()), fact);
    }
}
