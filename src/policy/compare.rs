//! The twelve comparisons and `exists`, on values that are known.

use std::fmt;

use crate::policy::fact::Fact;
use crate::policy::loose::{is_alike, is_same};

/// An answer in three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// An attribute is missing, or of a type that the comparison is not defined for.
    Unresolved,
}

impl From<bool> for Truth {
    fn from(truth: bool) -> Self {
        if truth { Self::True } else { Self::False }
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// How the value of an attribute (`v`) is held against an operand (`c`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Comparison {
            $($(#[$doc])* $name,)*
        }

        impl Comparison {
            /// The comparison of that name, if there is one.
            pub fn named(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// Its name in policies.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

comparisons! {
    /// `v` and `c` are of one type and equal.
    Equals = "equals";
    /// `v` and `c` differ, even if types are not told apart.
    NotEquals = "notEquals";
    /// `c` is an array with `v` in it.
    In = "in";
    /// `c` is an array without `v`.
    NotIn = "notIn";
    /// `v` is an array with `c` in it.
    Includes = "includes";
    /// `v` is an array without `c`.
    NotIncludes = "notIncludes";
    /// `v` is an array with everything of the array `c` in it.
    Superset = "superset";
    /// `v` is an array with nothing in it but what is in the array `c`.
    Subset = "subset";
    /// The text `v` starts with the text `c`.
    StartsWith = "startsWith";
    /// The text `c` starts with the text `v`.
    PrefixOf = "prefixOf";
    /// The text `v` ends with the text `c`.
    EndsWith = "endsWith";
    /// The text `c` ends with the text `v`.
    SuffixOf = "suffixOf";
    /// `v` is there.
    Exists = "exists";
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Comparison {
    /// Whether it is one of those about the ends of text.
    pub fn is_affix(self) -> bool {
        matches!(self, Self::StartsWith | Self::PrefixOf | Self::EndsWith | Self::SuffixOf)
    }

    /// Holds `v` against `c`; both are known.
    pub fn holds(self, v: &Fact<'_>, c: &Fact<'_>) -> Truth {
        match self {
            Self::Equals => is_same(v, c).into(),
            Self::NotEquals => (!is_alike(v, c)).into(),
            Self::In => contains(c, v).into(),
            Self::NotIn => lacks(c, v).into(),
            Self::Includes => contains(v, c).into(),
            Self::NotIncludes => lacks(v, c).into(),
            Self::Superset => is_within(c, v).into(),
            Self::Subset => is_within(v, c).into(),
            Self::StartsWith => ends(v, c, |v, c| v.starts_with(c)),
            Self::EndsWith => ends(v, c, |v, c| v.ends_with(c)),
            Self::PrefixOf => both_text(v, c, |v, c| c.starts_with(v)).into(),
            Self::SuffixOf => both_text(v, c, |v, c| c.ends_with(v)).into(),
            Self::Exists => Truth::True,
        }
    }
}

/// Whether the array has the text, number or truth value in it. The reference finds arrays and
/// objects by identity only, so here they are never found.
fn contains(list: &Fact<'_>, item: &Fact<'_>) -> bool {
    let Fact::List(items) = list else { return false };
    is_leaf(item) && items.iter().any(|other| is_same(other, item))
}

/// Whether the array has nothing equal to the value in it: narrower than not to contain it.
fn lacks(list: &Fact<'_>, item: &Fact<'_>) -> bool {
    let Fact::List(items) = list else { return false };
    !items.iter().any(|other| is_same(other, item))
}

fn is_within(inner: &Fact<'_>, outer: &Fact<'_>) -> bool {
    match (inner, outer) {
        (Fact::List(items), Fact::List(_)) => items.iter().all(|item| contains(outer, item)),
        _ => false,
    }
}

fn is_leaf(fact: &Fact<'_>) -> bool {
    !matches!(fact, Fact::List(_) | Fact::Map(_))
}

fn ends(v: &Fact<'_>, c: &Fact<'_>, test: impl FnOnce(&str, &str) -> bool) -> Truth {
    match (v.as_text(), c.as_text()) {
        // The reference makes text of it; that `5x` starts with 5 is nobody's intention.
        (_, None) => Truth::Unresolved,
        (Some(v), Some(c)) => test(v, c).into(),
        (None, Some(_)) => Truth::False,
    }
}

fn both_text(v: &Fact<'_>, c: &Fact<'_>, test: impl FnOnce(&str, &str) -> bool) -> bool {
    matches!((v.as_text(), c.as_text()), (Some(v), Some(c)) if test(v, c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(v: &str, comparison: &str, c: &str, expected: Truth) {
        let (v, c): (Fact<'_>, Fact<'_>) =
            (serde_json::from_str(v).unwrap(), serde_json::from_str(c).unwrap());
        let comparison = Comparison::named(comparison).unwrap();
        assert_eq!(comparison.holds(&v, &c), expected, "{v:?} {comparison} {c:?}");
    }

    #[test]
    fn values_of_the_expected_type() {
        for (v, comparison, c, expected) in [
            (r#""a""#, "in", r#"["a","b"]"#, true),
            (r#""c""#, "in", r#"["a","b"]"#, false),
            (r#""c""#, "notIn", r#"["a","b"]"#, true),
            (r#"["a"]"#, "includes", r#""a""#, true),
            (r#"["a"]"#, "notIncludes", r#""a""#, false),
            (r#"["a"]"#, "superset", "[]", true),
            (r#"["a","b"]"#, "superset", r#"["b"]"#, true),
            ("[]", "subset", r#"["a"]"#, true),
            (r#"["a","c"]"#, "subset", r#"["a"]"#, false),
            (r#""abc""#, "startsWith", r#""ab""#, true),
            (r#""abc""#, "endsWith", r#""ab""#, false),
            (r#""ab""#, "prefixOf", r#""abc""#, true),
            (r#""""#, "suffixOf", r#""abc""#, true),
            ("1", "notEquals", "2", true),
        ] {
            check(v, comparison, c, expected.into());
        }
    }

    #[test]
    fn case_66_values_of_other_types_are_never_allowed() {
        use Truth::{False, Unresolved};
        for (v, comparison, c, expected) in [
            ("1", "equals", r#""1""#, False),
            ("1", "notEquals", r#""1""#, False),
            (r#""a""#, "in", r#""abc""#, False),
            ("1", "in", r#"["1"]"#, False),
            (r#"["a"]"#, "in", r#"[["a"]]"#, False),
            (r#""a""#, "notIn", r#""b""#, False),
            (r#"["a"]"#, "notIn", r#"[["a"]]"#, False),
            (r#""abc""#, "includes", r#""a""#, False),
            (r#""abc""#, "notIncludes", r#""x""#, False),
            (r#"[{"a":1}]"#, "notIncludes", r#"{"a":1}"#, False),
            (r#"[["a"]]"#, "superset", r#"[["a"]]"#, False),
            (r#""a""#, "superset", "[]", False),
            ("{}", "subset", "[]", False),
            (r#""5x""#, "startsWith", "5", Unresolved),
            (r#""ab""#, "startsWith", r#"["a"]"#, Unresolved),
            (r#""truex""#, "startsWith", "true", Unresolved),
            (r#"["a"]"#, "endsWith", r#""a""#, False),
            ("5", "prefixOf", r#""5x""#, False),
        ] {
            check(v, comparison, c, expected);
        }
    }
}
