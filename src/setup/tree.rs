//! A YAML or JSON document as a tree that knows where each part stands.
//!
//! No variables are expanded and no other files are included, whatever the text says.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Spanned, UserMessageFormatter};

use crate::setup::fault::{Fault, Place};

/// Largest document, in bytes.
pub const BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// A value and its place.
#[derive(Clone)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub item: Item,
}

/// What a [`Node`] can be. Has no `Debug`: passwords stand in such documents.
#[derive(Clone)]
pub enum Item {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Names and values, in the order of the document.
    Map(Vec<(String, Place, Node)>),
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({}:{})", self.place.line, self.place.column)
    }
}

impl Node {
    /// Parses a document. JSON is a subset of what is understood.
    ///
    /// # Errors
    /// One [`Fault`] with the place of the first thing that cannot be understood.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > BYTES_MAX {
            return Err(Fault::new(Place::START, "", "the document is too large"));
        }
        let options = serde_saphyr::options! {
            strict_booleans: true,
            with_snippet: false,
            ignore_binary_tag_for_string: false,
        };
        serde_saphyr::from_str_with_options::<Spanned<Item>>(text, options).map(Self::from).map_err(
            |error| {
                let place = error.location().map_or(Place::START, Place::from);
                let message = error.render_with_formatter(&UserMessageFormatter);
                let message = message.split(" at line ").next().unwrap_or_default();
                Fault::new(place, "", message)
            },
        )
    }

    /// The same as plain JSON.
    pub fn to_json(&self) -> Value {
        match &self.item {
            Item::Null => Value::Null,
            Item::Bool(value) => Value::Bool(*value),
            Item::Number(number) => Value::Number(number.clone()),
            Item::Text(text) => Value::String(text.clone()),
            Item::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Item::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(name, _, node)| (name.clone(), node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// The place of the part that a JSON pointer names, or of the nearest part around it.
    /// Source: RFC 6901.
    pub fn locate(&self, pointer: &str) -> Place {
        let mut node = self;
        let mut place = self.place;
        for word in pointer.split('/').skip(1) {
            let word = word.replace("~1", "/").replace("~0", "~");
            let next = match &node.item {
                Item::Map(entries) => entries
                    .iter()
                    .find(|(name, ..)| *name == word)
                    .map(|(_, at, inner)| (*at, inner)),
                Item::List(nodes) => word
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| nodes.get(index))
                    .map(|inner| (inner.place, inner)),
                _ => None,
            };
            let Some((at, inner)) = next else { break };
            (place, node) = (at, inner);
        }
        place
    }
}

impl From<Spanned<Item>> for Node {
    fn from(spanned: Spanned<Item>) -> Self {
        Self { place: spanned.referenced.into(), item: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Item, E> {
        Ok(Item::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Item, D::Error> {
        Item::deserialize(inner)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Item, E> {
        Number::from_f64(value).map(Item::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Item, E> {
        Ok(Item::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Item, E> {
        Ok(Item::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut nodes = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Item>>()? {
            nodes.push(item.into());
        }
        Ok(Item::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Item, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = items.next_key::<Spanned<String>>()? {
            let value: Spanned<Item> = items.next_value()?;
            entries.push((name.value, name.referenced.into(), value.into()));
        }
        Ok(Item::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_part_knows_its_line_and_column() {
        let node = Node::parse("a:\n  - b: 1\n    c: [x, \"y\"]\n  - ~\n").unwrap();

        let at = |pointer: &str| {
            let place = node.locate(pointer);
            (place.line, place.column)
        };
        assert_eq!(at("/a"), (1, 1));
        assert_eq!(at("/a/0"), (2, 5));
        assert_eq!(at("/a/0/c"), (3, 5));
        assert_eq!(at("/a/0/c/1"), (3, 12));
        assert_eq!(at("/a/7/nowhere"), (1, 1));
        assert_eq!(node.to_json(), serde_json::json!({"a": [{"b": 1, "c": ["x", "y"]}, null]}));
    }

    #[test]
    fn json_is_understood() {
        let text = r#"{"a": {"b/c": [true, 1.5, -3, null, "x"]}}"#;
        let node = Node::parse(text).unwrap();

        assert_eq!(node.to_json(), serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(node.locate("/a/b~1c/4").column, 37);
    }

    #[test]
    fn faults_have_a_place_and_show_no_values() {
        let fault = Node::parse("a: 1\npassword: hunter2\na: 2\n").unwrap_err();
        assert_eq!((fault.place.line, fault.place.column), (3, 1));

        for text in ["a: [hunter2", "a: 1\n  b: hunter2: x", "%hunter2\n", "a: !!binary hunter2"] {
            let fault = Node::parse(text).unwrap_err();
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
        assert!(Node::parse("a: 1\n---\nb: 2\n").is_err());
    }

    #[test]
    fn case_77_nothing_is_expanded_or_included() {
        let node = Node::parse("a: ${HOME}\nb: $HOME\nc: !include /etc/passwd\n");

        if let Ok(node) = node {
            assert_eq!(
                node.to_json(),
                serde_json::json!({"a": "${HOME}", "b": "$HOME", "c": "/etc/passwd"})
            );
        }
    }

    #[test]
    fn bombs_and_depth_are_refused() {
        assert!(Node::parse(&"[".repeat(10_000)).is_err());
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let inner = [format!("*a{}", level - 1).as_str(); 10].join(",");
            let _ = writeln!(bomb, "a{level}: &a{level} [{inner}]");
        }
        assert!(Node::parse(&bomb).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Node::parse(&text).map(|node| node.to_json());
        }

        #[test]
        fn nothing_like_yaml_makes_it_panic(text in "[a-z:\\-&*!|>%@\"'\\[\\]{},?#~\\n 0-9.]{0,200}") {
            let _ = Node::parse(&text).map(|node| node.to_json());
        }
    }
}
