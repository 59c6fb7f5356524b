//! Paths of requests that others answer, and the patterns that they are held against.
//!
//! What a proxy hands on is read again by the service behind it, perhaps by other rules. So a path
//! passes only if all rules read it alike: whatever could be folded, decoded twice, cut or joined
//! is refused before any pattern is looked at.

mod loose;

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::base::text::is_control;

/// Longest path that is looked at, in bytes.
pub const PATH_BYTES_MAX: usize = 4 * 1024;
/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 512;
/// Longest name of a parameter, in bytes.
const PARAM_BYTES_MAX: usize = 32;

/// A path that others could read otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path {0}")]
pub struct BadPath(&'static str);

/// The segments of a request's path, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(Vec<String>);

impl RequestPath {
    /// Reads a path as it stands in the request line, without the query.
    ///
    /// # Errors
    /// [`BadPath`] for anything but segments of RFC 3986 in their normal form: no empty ones but
    /// the last, no dots, no `;`, nothing encoded that need not be or that divides paths.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.len() > PATH_BYTES_MAX {
            return Err(BadPath("is too long"));
        }
        let rest = text.strip_prefix('/').ok_or(BadPath("must begin with one slash"))?;
        let mut segments = Vec::new();
        let mut raw = rest.split('/').peekable();
        while let Some(segment) = raw.next() {
            if segment.is_empty() && raw.peek().is_some() {
                return Err(BadPath("must have no empty segments"));
            }
            segments.push(decode(segment)?);
        }
        Ok(Self(segments))
    }
}

/// Source: RFC 3986 sections 3.3 and 6.2.2.
fn decode(segment: &str) -> Result<String, BadPath> {
    if segment == "." || segment == ".." {
        return Err(BadPath("must have no segments of dots"));
    }
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b'='
                    | b':'
                    | b'@'
                    | b'%'
            )
    };
    if !segment.bytes().all(is_plain) {
        return Err(BadPath("has a character that must not stand in it"));
    }
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    for escape in segment.split('%').skip(1) {
        let byte = escape.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let is_needless =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        match byte {
            // `from_str_radix` takes a sign.
            Some(_) if !escape.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()) => {
                return Err(BadPath("has a broken escape"));
            }
            Some(b'/' | b'\\' | b'%' | b';') => {
                return Err(BadPath("must not hide what divides paths"));
            }
            Some(byte) if is_needless(byte) => {
                return Err(BadPath("must not encode what need not be"));
            }
            Some(_) => {}
            None => return Err(BadPath("has a broken escape")),
        }
    }
    let decoded = percent_decode_str(segment).decode_utf8().ok();
    let decoded = decoded.filter(|text| !text.chars().any(is_control));
    decoded.map(std::borrow::Cow::into_owned).ok_or(BadPath("is no plain text"))
}

/// What a segment of a pattern asks for. Their order is the one in which patterns are tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// This text.
    Text(String),
    /// Any segment that is not empty.
    Param(String),
    /// All that is left, at least one segment.
    Rest(String),
}

/// A path with parameters: `/files/{id}`, `/pages/{*rest}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Vec<Part>);

/// A text that is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPattern(&'static str);

impl Pattern {
    /// The values of the parameters, if the path is one of these.
    pub fn matches(&self, path: &RequestPath) -> Option<Vec<(&str, String)>> {
        let RequestPath(segments) = path;
        let has_rest = matches!(self.0.last(), Some(Part::Rest(_)));
        let fits =
            if has_rest { segments.len() >= self.0.len() } else { segments.len() == self.0.len() };
        if !fits {
            return None;
        }
        let mut values = Vec::new();
        for (at, (part, segment)) in self.0.iter().zip(segments).enumerate() {
            match part {
                Part::Text(text) if text == segment => {}
                Part::Param(name) if !segment.is_empty() => {
                    values.push((name.as_str(), segment.clone()));
                }
                Part::Rest(name) => {
                    let rest = segments.get(at..).unwrap_or_default();
                    values.push((name.as_str(), rest.join("/")));
                }
                Part::Text(_) | Part::Param(_) => return None,
            }
        }
        Some(values)
    }

    /// This pattern below another, which has no parameters.
    #[must_use]
    pub fn below(&self, base: &Self) -> Self {
        let is_slash = |part: &Part| matches!(part, Part::Text(text) if text.is_empty());
        let base = base.0.iter().filter(|part| !is_slash(part));
        Self(base.chain(&self.0).cloned().collect())
    }

    /// Whether it has no parameters and does not end with a slash, unless it is one.
    pub fn is_base(&self) -> bool {
        let is_text = |part: &Part| matches!(part, Part::Text(_));
        let ends_bare = matches!(self.0.last(), Some(Part::Text(text)) if !text.is_empty());
        self.0.iter().all(is_text) && (ends_bare || self.0.len() == 1)
    }

    /// Names of its parameters.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Param(name) | Part::Rest(name) => Some(name.as_str()),
        })
    }

    /// Which pattern is tried first, if several fit: at the first segment where they differ in
    /// kind, text before parameters before the rest.
    pub fn rank(&self) -> Vec<u8> {
        let rank = |part: &Part| match part {
            Part::Text(_) => 0,
            Part::Param(_) => 1,
            Part::Rest(_) => 2,
        };
        self.0.iter().map(rank).collect()
    }

    /// Whether both fit exactly the same paths.
    pub fn is_like(&self, other: &Self) -> bool {
        let same = |pair: (&Part, &Part)| match pair {
            (Part::Text(one), Part::Text(two)) => one == two,
            (one, two) => std::mem::discriminant(one) == std::mem::discriminant(two),
        };
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        if text.len() > PATTERN_BYTES_MAX {
            return Err(BadPattern("a path has at most 512 bytes"));
        }
        let rest = text.strip_prefix('/').ok_or(BadPattern("a path begins with a slash"))?;
        let count = rest.split('/').count();
        let mut parts = Vec::new();
        for (at, segment) in rest.split('/').enumerate() {
            let part = part(segment)?;
            let is_last = at + 1 == count;
            if !is_last && (segment.is_empty() || matches!(part, Part::Rest(_))) {
                return Err(BadPattern(
                    "only the last segment of a path may be empty, or {*stand for the rest}",
                ));
            }
            parts.push(part);
        }
        let pattern = Self(parts);
        let names: Vec<&str> = pattern.params().collect();
        if (1..names.len()).any(|at| names.iter().take(at).any(|one| Some(one) == names.get(at))) {
            return Err(BadPattern("each parameter of a path has a name of its own"));
        }
        Ok(pattern)
    }
}

fn part(segment: &str) -> Result<Part, BadPattern> {
    if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let (name, make): (&str, fn(String) -> Part) = match name.strip_prefix('*') {
            Some(name) => (name, Part::Rest),
            None => (name, Part::Param),
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= PARAM_BYTES_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return if is_name {
            Ok(make(name.to_owned()))
        } else {
            Err(BadPattern("a parameter is {letters and digits}"))
        };
    }
    let is_text = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'$' | b':' | b'@')
    };
    if !segment.bytes().all(is_text) || segment == "." || segment == ".." {
        return Err(BadPattern("a path has letters, digits and -._~$:@ between its slashes"));
    }
    Ok(Part::Text(segment.to_owned()))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => write!(f, "/{text}")?,
                Part::Param(name) => write!(f, "/{{{name}}}")?,
                Part::Rest(name) => write!(f, "/{{*{name}}}")?,
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    fn path(text: &str) -> RequestPath {
        RequestPath::parse(text).unwrap()
    }

    #[test]
    fn case_67_a_path_has_one_form() {
        for bad in [
            "",
            "a",
            "//a",
            "/a//b",
            "/./a",
            "/a/..",
            "/a/.",
            "/a%2Fb",
            "/a%2fb",
            "/a%5Cb",
            "/a\\b",
            "/a;x=1",
            "/a%3Bx",
            "/%2e%2e/a",
            "/%41",
            "/a%00",
            "/a%0A",
            "/a%25",
            "/a%2",
            "/a%zz",
            "/a%+1",
            "/a%ff",
            "/a b",
            "/a?b",
            "/a#b",
            "/ä",
            "http://host/a",
            "*",
        ] {
            assert!(RequestPath::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(path("/"), RequestPath(vec![String::new()]));
        assert_eq!(
            path("/a%20b/c%C3%A4/"),
            RequestPath(vec!["a b".into(), "cä".into(), String::new()])
        );
        assert!(RequestPath::parse(&format!("/{}", "a".repeat(PATH_BYTES_MAX))).is_err());
    }

    #[test]
    fn case_67_patterns_fit_whole_paths_to_the_letter() {
        let fits = |text: &str, one: &str| pattern(text).matches(&path(one)).is_some();

        assert!(fits("/files", "/files") && fits("/files/{id}", "/files/x"));
        for other in ["/files/", "/Files", "/files/x/y", "/file", "/"] {
            assert!(!fits("/files", other), "{other}");
        }
        assert!(!fits("/files/{id}", "/files/") && !fits("/files/{id}", "/files"));
        assert!(fits("/{*rest}", "/") && fits("/{*rest}", "/a/b/") && !fits("/a/{*rest}", "/a"));
        assert_eq!(
            pattern("/p/{dataset}/f/{*file}").matches(&path("/p/heart/f/a/b%20c")).unwrap(),
            [("dataset", "heart".to_owned()), ("file", "a/b c".to_owned())]
        );
    }

    #[test]
    fn patterns_are_read_below_a_base_and_told_apart() {
        assert_eq!(pattern("/f/{id}").below(&pattern("/v1")).to_string(), "/v1/f/{id}");
        assert_eq!(pattern("/").below(&pattern("/v1")).to_string(), "/v1/");
        assert_eq!(pattern("/f").below(&pattern("/")).to_string(), "/f");
        assert!(pattern("/").is_base() && pattern("/a/b").is_base());
        assert!(!pattern("/a/").is_base() && !pattern("/{a}").is_base());
        assert!(pattern("/a/{x}").is_like(&pattern("/a/{y}")));
        assert!(!pattern("/a/{x}").is_like(&pattern("/a/{*x}")));
        for bad in [
            "", "a", "/{", "/{}", "/{a-b}", "/a{b}", "/{*a}/b", "//", "/a//b", "/..", "/{a}/{a}",
            "/a%20",
        ] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_refused(text in "[ -~]{0,60}", pattern in "(/([a-z]{0,3}|\\{[a-z]\\}|\\{\\*[a-z]\\}|[{}*]))+") {
            let path = RequestPath::parse(&text);
            if let (Ok(path), Ok(pattern)) = (path, pattern.parse::<Pattern>()) {
                prop_assert_eq!(pattern.to_string().parse::<Pattern>().unwrap(), pattern.clone());
                let _ = pattern.matches(&path);
            }
        }

        #[test]
        fn what_passes_is_what_it_decodes_to(text in "/[a-z%0-9A-F./]{0,30}") {
            if let Ok(RequestPath(segments)) = RequestPath::parse(&text) {
                prop_assert!(segments.iter().all(|one| !one.contains('/') && one != ".." && one != "."));
            }
        }
    }
}
