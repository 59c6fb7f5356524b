//! Attribute paths: `user.groups`, `user.consents.*.tags`, `user.customAttributes.%keys`.

use std::fmt;
use std::sync::Arc;

use crate::policy::fact::Fact;

/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 255;
/// Most segments of a path.
pub const PATH_SEGMENTS_MAX: usize = 16;

const EVERY: &str = "*";
const KEYS: &str = "%keys";

/// A path that was found valid, cut into its segments. Cheap to clone.
#[derive(Clone)]
pub struct Path {
    text: Arc<str>,
    /// Where each segment ends.
    ends: [u8; PATH_SEGMENTS_MAX],
    count: u8,
    is_plain: bool,
}

/// Text that is not a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// A character that is not allowed, or not there.
    #[error(
        "an attribute path is made of segments of letters, digits, `_`, `$` and `%`, or `*`, \
         joined by dots, and does not begin with a digit"
    )]
    Grammar,
    /// Too long or too deep.
    #[error(
        "an attribute path has at most {PATH_BYTES_MAX} bytes and {PATH_SEGMENTS_MAX} segments"
    )]
    TooLong,
}

/// Which attributes may still become known after a reduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Later {
    /// None: what is missing stays missing.
    Nothing,
    /// Those of one root that are not known yet; each attribute comes as a whole.
    Only(&'static str),
    /// Those of these roots that are not known yet; each attribute comes as a whole.
    Among(&'static [&'static str]),
    /// Any attribute of any root; each attribute comes as a whole.
    Anything,
}

/// A value that a path leads to.
#[derive(Debug)]
pub enum Found<'f> {
    /// It is among the facts.
    There(&'f Fact<'f>),
    /// It was made from them: the names of an object's keys.
    Made(Fact<'f>),
}

/// All values that a path leads to.
#[derive(Debug)]
pub enum Values<'f> {
    /// It leads nowhere, at least on one of its branches.
    Missing,
    /// One value: there is no `*` in the path.
    One(Found<'f>),
    /// The values of all branches; at least one.
    Many(Vec<Found<'f>>),
}

impl<'f> Found<'f> {
    /// The value.
    pub fn fact(&self) -> &Fact<'f> {
        match self {
            Self::There(fact) => fact,
            Self::Made(fact) => fact,
        }
    }
}

impl Path {
    /// Parses a path.
    ///
    /// # Errors
    /// [`BadPath`] if the text breaks the grammar or its bounds.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.len() > PATH_BYTES_MAX {
            return Err(BadPath::TooLong);
        }
        if !is_path(text.as_bytes()) {
            return Err(BadPath::Grammar);
        }
        let mut ends = [0; PATH_SEGMENTS_MAX];
        let mut count: u8 = 0;
        let mut start = 0;
        let mut is_plain = true;
        let dots = text.bytes().enumerate().filter(|(_, byte)| *byte == b'.').map(|(at, _)| at);
        for end in dots.chain([text.len()]) {
            is_plain &= !matches!(text.get(start..end), Some(EVERY | KEYS));
            let slot = ends.get_mut(usize::from(count)).ok_or(BadPath::TooLong)?;
            *slot = u8::try_from(end).map_err(|_| BadPath::TooLong)?;
            count += 1;
            start = end + 1;
        }
        Ok(Self { text: Arc::from(text), ends, count, is_plain })
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn segment(&self, number: usize) -> Option<&str> {
        let end = usize::from(*self.ends.get(..usize::from(self.count))?.get(number)?);
        let start = match number.checked_sub(1) {
            None => 0,
            Some(before) => usize::from(*self.ends.get(before)?) + 1,
        };
        self.text.get(start..end)
    }

    /// All values that the path leads to among `facts`. Own keys only; `null` is missing.
    pub fn resolve<'f>(&self, facts: &'f Fact<'f>) -> Values<'f> {
        if self.is_plain {
            return match self.resolve_plain(facts) {
                Some(fact) => Values::One(Found::There(fact)),
                None => Values::Missing,
            };
        }
        let mut found = Vec::new();
        if self.collect(Found::There(facts), 0, &mut found) && !found.is_empty() {
            Values::Many(found)
        } else {
            Values::Missing
        }
    }

    /// The only value that the path leads to, for a path without `*`.
    pub fn resolve_one<'f>(&self, facts: &'f Fact<'f>) -> Option<Found<'f>> {
        match self.resolve(facts) {
            Values::One(found) => Some(found),
            Values::Many(found) if found.len() == 1 => found.into_iter().next(),
            Values::Many(_) | Values::Missing => None,
        }
    }

    fn resolve_plain<'f>(&self, facts: &'f Fact<'f>) -> Option<&'f Fact<'f>> {
        let mut at = facts;
        let mut number = 0;
        while let Some(segment) = self.segment(number) {
            at = step(at, segment)?;
            number += 1;
        }
        (*at != Fact::Null).then_some(at)
    }

    /// Adds what lies beyond `at`; `false` if a branch leads nowhere.
    fn collect<'f>(&self, at: Found<'f>, number: usize, found: &mut Vec<Found<'f>>) -> bool {
        let Some(segment) = self.segment(number) else {
            let is_there = *at.fact() != Fact::Null;
            found.push(at);
            return is_there;
        };
        match segment {
            EVERY => match branches(at) {
                Some(branches) => {
                    branches.into_iter().all(|branch| self.collect(branch, number + 1, found))
                }
                None => false,
            },
            KEYS => match key_names(&at) {
                Some(names) => self.collect(Found::Made(names), number + 1, found),
                None => false,
            },
            name => match step_found(at, name) {
                Some(next) => self.collect(next, number + 1, found),
                None => false,
            },
        }
    }

    /// Whether the path leads to one attribute of the user, the environment or the account.
    pub fn is_about_caller(&self) -> bool {
        self.is_plain && matches!(self.segment(0), Some("user" | "environment" | "account"))
    }

    /// Whether the path leads to one value at most: there is neither `*` nor `%keys` in it.
    pub fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Whether the attribute that the path leads to is `name` of `root`, may be it, or is in it.
    pub fn may_touch(&self, root: &str, name: &str) -> bool {
        let is = |number, wanted: &str| {
            self.segment(number)
                .is_none_or(|found| found == wanted || found == EVERY || found == KEYS)
        };
        is(0, root) && is(1, name)
    }

    /// Whether the path looks at all roots at once.
    pub fn spans_roots(&self) -> bool {
        matches!(self.segment(0), Some(EVERY | KEYS))
    }

    /// Whether what the path leads to may be different once more is known.
    pub fn may_change(&self, facts: &Fact<'_>, later: Later) -> bool {
        let Some(root) = self.segment(0) else { return false };
        match later {
            Later::Nothing => return false,
            Later::Only(only) if root != only && root != EVERY && root != KEYS => return false,
            Later::Among(roots) if !roots.contains(&root) && root != EVERY && root != KEYS => {
                return false;
            }
            Later::Only(_) | Later::Among(_) | Later::Anything => {}
        }
        match (root, self.segment(1)) {
            // A root as a whole, or all of them: there may be more in it.
            (EVERY | KEYS, _) | (_, None | Some(EVERY | KEYS)) => true,
            (root, Some(name)) => step(facts, root)
                .and_then(|attributes| step(attributes, name))
                .is_none_or(|fact| *fact == Fact::Null),
        }
    }
}

/// The grammar of the reference: `^([$%a-zA-Z_][$%0-9a-zA-Z_]*|\*)(\.[$%0-9a-zA-Z_]*|\*)*$`.
fn is_path(text: &[u8]) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'%' | b'_');
    let Some((first, rest)) = text.split_first() else { return false };
    let begins = *first == b'*' || (is_word(*first) && !first.is_ascii_digit());
    let mut after_star = *first == b'*';
    begins
        && rest.iter().all(|byte| {
            let fits = matches!(byte, b'.' | b'*') || (is_word(*byte) && !after_star);
            after_star = *byte == b'*';
            fits
        })
}

/// `%%keys` stands for a key that is called `%keys`.
fn unescaped(segment: &str) -> &str {
    segment.strip_prefix('%').filter(|rest| rest.starts_with('%')).unwrap_or(segment)
}

/// A place in an array, in the only spelling that JavaScript takes for one.
fn index(segment: &str) -> Option<usize> {
    let is_canonical = segment == "0" || !segment.starts_with('0');
    if is_canonical && segment.bytes().all(|byte| byte.is_ascii_digit()) {
        segment.parse().ok()
    } else {
        None
    }
}

fn step<'m, 'f>(at: &'m Fact<'f>, segment: &str) -> Option<&'m Fact<'f>> {
    match at {
        Fact::Map(_) => at.get(unescaped(segment)),
        Fact::List(items) => items.get(index(segment)?),
        Fact::Null | Fact::Bool(_) | Fact::Number(_) | Fact::Text(_) => None,
    }
}

fn step_found<'f>(at: Found<'f>, segment: &str) -> Option<Found<'f>> {
    match at {
        Found::There(fact) => step(fact, segment).map(Found::There),
        Found::Made(fact) => step(&fact, segment).cloned().map(Found::Made),
    }
}

fn branches(at: Found<'_>) -> Option<Vec<Found<'_>>> {
    match at {
        Found::There(Fact::Map(entries)) => {
            Some(entries.iter().map(|(_, value)| Found::There(value)).collect())
        }
        Found::There(Fact::List(items)) => Some(items.iter().map(Found::There).collect()),
        Found::Made(Fact::List(items)) => Some(items.into_iter().map(Found::Made).collect()),
        Found::There(_) | Found::Made(_) => None,
    }
}

fn key_names<'f>(at: &Found<'f>) -> Option<Fact<'f>> {
    match at {
        Found::There(Fact::Map(entries)) => {
            Some(Fact::texts(entries.iter().map(|(key, _)| key.as_ref())))
        }
        Found::There(_) | Found::Made(_) => None,
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
