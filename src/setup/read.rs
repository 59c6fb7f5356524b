//! Reading a [`Node`] as an object with known keys: every fault is noted, none ends the reading.

use std::convert::Infallible;
use std::fmt::Display;

use serde_json::{Map, Value};

use crate::setup::fault::{Fault, Place};
use crate::setup::tree::{Item, Node};

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
    /// Of what: `apps[0].account`.
    pub path: String,
}

impl<T> At<T> {
    /// A fault of this value.
    pub fn fault(&self, problem: impl AsRef<str>) -> Fault {
        Fault::new(self.place, &self.path, problem)
    }
}

/// Takes every text as it is.
///
/// # Errors
/// Never.
pub fn any(text: &str) -> Result<String, Infallible> {
    Ok(text.to_owned())
}

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Notes(pub Vec<Fault>);

/// A part of the document that is being read.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Part<'a> {
    /// The whole document.
    pub fn root(node: &'a Node) -> Self {
        Self { node, path: String::new() }
    }

    /// Where it stands.
    pub fn place(&self) -> Place {
        self.node.place
    }

    /// What it is called: `apps[0]`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The node itself.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// Notes a fault of this part.
    pub fn fault(&self, notes: &mut Notes, problem: impl AsRef<str>) {
        notes.0.push(Fault::new(self.node.place, &self.path, problem));
    }

    /// Notes a fault of what `field` names in this part: `callback_urls[1]`.
    pub fn fault_of(&self, field: &str, problem: &str, notes: &mut Notes) {
        let pointer = format!("/{field}").replace(['.', '['], "/").replace(']', "");
        let place = self.node.locate(&pointer);
        notes.0.push(Fault::new(place, &self.below(field), problem));
    }

    /// It as an object with the `known` keys; others are faults.
    pub fn object(&self, known: &[&str], notes: &mut Notes) -> Option<Object<'a>> {
        let Item::Map(entries) = &self.node.item else {
            self.fault(notes, "must be an object with keys");
            return None;
        };
        for (name, place, _) in entries {
            if !known.contains(&name.as_str()) {
                let problem = format!("there is no such key; known are {}", known.join(", "));
                notes.0.push(Fault::new(*place, &self.below(name), problem));
            }
        }
        Some(Object { part: self.clone(), entries })
    }

    /// It as a list.
    pub fn list(&self, notes: &mut Notes) -> Vec<Part<'a>> {
        let Item::List(items) = &self.node.item else {
            self.fault(notes, "must be a list");
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, node)| Part { node, path: format!("{}[{index}]", self.path) })
            .collect()
    }

    /// It as text, parsed. The text itself is not repeated in faults.
    pub fn parse<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        notes: &mut Notes,
    ) -> Option<At<T>> {
        let Item::Text(text) = &self.node.item else {
            self.fault(notes, "must be a text; put it in quotes if it looks like a number");
            return None;
        };
        match parse(text) {
            Ok(value) => Some(self.at(value)),
            Err(error) => {
                self.fault(notes, error.to_string());
                None
            }
        }
    }

    /// It as `true` or `false`.
    pub fn flag(&self, notes: &mut Notes) -> Option<bool> {
        if let Item::Bool(value) = self.node.item {
            return Some(value);
        }
        self.fault(notes, "must be true or false");
        None
    }

    /// It as a whole number that is not negative.
    pub fn number(&self, notes: &mut Notes) -> Option<u32> {
        let number = match &self.node.item {
            Item::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        if number.is_none() {
            self.fault(notes, "must be a whole number, not negative");
        }
        number
    }

    /// It as an object of any keys.
    pub fn json_object(&self, notes: &mut Notes) -> Option<Map<String, Value>> {
        if let Value::Object(map) = self.node.to_json() {
            return Some(map);
        }
        self.fault(notes, "must be an object with keys");
        None
    }

    /// A value with this part's place.
    pub fn at<T>(&self, value: T) -> At<T> {
        At { value, place: self.node.place, path: self.path.clone() }
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }
}

/// A part that is an object.
#[derive(Debug)]
pub struct Object<'a> {
    part: Part<'a>,
    entries: &'a [(String, Place, Node)],
}

impl<'a> Object<'a> {
    /// The object as a part.
    pub fn part(&self) -> &Part<'a> {
        &self.part
    }

    /// The value of a key, unless it is missing or null.
    pub fn get(&self, name: &str) -> Option<Part<'a>> {
        self.entries
            .iter()
            .find(|(key, _, node)| key == name && !matches!(node.item, Item::Null))
            .map(|(_, _, node)| Part { node, path: self.part.below(name) })
    }

    /// The value of a key that must be there.
    pub fn need(&self, name: &str, notes: &mut Notes) -> Option<Part<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.part.fault(notes, format!("{name} is missing"));
        }
        found
    }

    /// The parsed text of a key that must be there.
    pub fn need_text<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        notes: &mut Notes,
    ) -> Option<At<T>> {
        self.need(name, notes)?.parse(parse, notes)
    }

    /// The parsed text of a key, if it is there.
    pub fn text<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        notes: &mut Notes,
    ) -> Option<T> {
        self.get(name)?.parse(parse, notes).map(|at| at.value)
    }

    /// The truth value of a key, if it is there.
    pub fn flag(&self, name: &str, notes: &mut Notes) -> Option<bool> {
        self.get(name)?.flag(notes)
    }

    /// The number of a key, if it is there.
    pub fn number(&self, name: &str, notes: &mut Notes) -> Option<u32> {
        self.get(name)?.number(notes)
    }

    /// The object of any keys of a key, if it is there.
    pub fn json_object(&self, name: &str, notes: &mut Notes) -> Option<Map<String, Value>> {
        self.get(name)?.json_object(notes)
    }

    /// The items of a key, if it is there.
    pub fn list(&self, name: &str, notes: &mut Notes) -> Option<Vec<Part<'a>>> {
        Some(self.get(name)?.list(notes))
    }

    /// The parsed texts of a key, if it is there.
    pub fn texts<T, E: Display>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
        notes: &mut Notes,
    ) -> Option<Vec<At<T>>> {
        let items = self.list(name, notes)?;
        Some(items.iter().filter_map(|item| item.parse(&parse, notes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_noted_with_their_paths() {
        let node = Node::parse("a: 1\nlist: [x, 2]\nflag: 'yes'\nlost: 1\n").unwrap();
        let mut notes = Notes::default();
        let object = Part::root(&node).object(&["a", "list", "flag", "b"], &mut notes).unwrap();
        let any = |text: &str| Ok::<_, &str>(text.to_owned());

        assert_eq!(object.need_text("a", any, &mut notes), None);
        assert_eq!(object.texts("list", any, &mut notes).unwrap().len(), 1);
        assert_eq!(object.flag("flag", &mut notes), None);
        assert_eq!(object.need_text("b", any, &mut notes), None);
        assert_eq!(object.text("b", any, &mut notes), None);

        let shown: Vec<String> = notes.0.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 4, column 1: lost: there is no such key; known are a, list, flag, b",
                "line 1, column 4: a: must be a text; put it in quotes if it looks like a number",
                "line 2, column 11: list[1]: must be a text; put it in quotes if it looks like a number",
                "line 3, column 7: flag: must be true or false",
                "line 1, column 1: b is missing",
            ]
        );
    }
}
