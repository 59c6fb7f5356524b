//! Equality, in two strengths: strict where equality allows, loose where inequality allows.
//!
//! The reference compares with the loose equality of JavaScript (`1` equals `"1"`). Here `equals`
//! is strict, and only `notEquals` uses the loose kind, so that a confusion of types can only
//! deny. Source of the loose kind: ECMA-262 section 7.2.13, applied to the leaves as the library
//! `deep-equal` does.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::policy::fact::Fact;

/// Whether two values are of one type and equal, whatever the order of keys.
pub fn is_same(a: &Fact<'_>, b: &Fact<'_>) -> bool {
    match (a, b) {
        (Fact::Null, Fact::Null) => true,
        (Fact::Bool(a), Fact::Bool(b)) => a == b,
        (Fact::Number(a), Fact::Number(b)) => same_number(*a, *b),
        (Fact::Text(a), Fact::Text(b)) => a == b,
        (Fact::List(a), Fact::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Fact::Map(entries), Fact::Map(others)) => {
            entries.len() == others.len()
                && entries.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => false,
    }
}

/// Whether the reference might call two values equal.
pub fn is_alike(a: &Fact<'_>, b: &Fact<'_>) -> bool {
    match (a, b) {
        (Fact::Null, _) | (_, Fact::Null) => matches!((a, b), (Fact::Null, Fact::Null)),
        (Fact::Text(a), Fact::Text(b)) => a == b,
        (Fact::List(a), Fact::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_alike(a, b))
        }
        (Fact::Map(entries), Fact::Map(others)) => {
            entries.len() == others.len()
                && entries.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_alike(a, b)))
        }
        (Fact::List(_) | Fact::Map(_), Fact::List(_) | Fact::Map(_)) => false,
        (Fact::List(_), leaf) => is_alike_to_list(leaf, a),
        (leaf, Fact::List(_)) => is_alike_to_list(leaf, b),
        (Fact::Map(_), _) | (_, Fact::Map(_)) => false,
        (Fact::Bool(_) | Fact::Number(_) | Fact::Text(_), _) => {
            match (as_number(a), as_number(b)) {
                (Some(a), Some(b)) => same_number(a, b),
                _ => false,
            }
        }
    }
}

/// `[]` and `""`, `[0]` and `false`: only with `false`, `0` and `""` does the reference go there.
fn is_alike_to_list(leaf: &Fact<'_>, list: &Fact<'_>) -> bool {
    let is_falsy = match leaf {
        Fact::Bool(truth) => !truth,
        Fact::Number(number) => same_number(*number, 0.0),
        Fact::Text(text) => text.is_empty(),
        Fact::Null | Fact::List(_) | Fact::Map(_) => false,
    };
    is_falsy && is_alike(leaf, &Fact::Text(joined(list)))
}

/// How JavaScript writes a value into text.
fn joined<'f>(fact: &'f Fact<'_>) -> Cow<'f, str> {
    match fact {
        Fact::Null => Cow::Borrowed(""),
        Fact::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Fact::Number(number) => Cow::Owned(number.to_string()),
        Fact::Text(text) => Cow::Borrowed(text),
        Fact::List(items) => Cow::Owned(items.iter().map(joined).collect::<Vec<_>>().join(",")),
        Fact::Map(_) => Cow::Borrowed("[object Object]"),
    }
}

fn same_number(a: f64, b: f64) -> bool {
    a.partial_cmp(&b) == Some(Ordering::Equal)
}

fn as_number(fact: &Fact<'_>) -> Option<f64> {
    match fact {
        Fact::Bool(truth) => Some(if *truth { 1.0 } else { 0.0 }),
        Fact::Number(number) => Some(*number),
        Fact::Text(text) => text_as_number(text),
        Fact::Null | Fact::List(_) | Fact::Map(_) => None,
    }
}

/// `Number(text)` of JavaScript; `None` for NaN. Source: ECMA-262 section 7.1.4.1.
fn text_as_number(text: &str) -> Option<f64> {
    let is_space = |c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}');
    let text = text.trim_matches(is_space);
    if text.is_empty() {
        return Some(0.0);
    }
    let radix = |prefix: [&str; 2], radix: u32| {
        let digits = text.strip_prefix(prefix[0]).or_else(|| text.strip_prefix(prefix[1]))?;
        Some(digits_as_number(digits, radix))
    };
    if let Some(number) = radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2))
    {
        return number;
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust reads `inf` and `nan`, too; JavaScript does not.
    let is_decimal = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    if is_decimal || unsigned == "Infinity" { text.parse().ok() } else { None }
}

fn digits_as_number(digits: &str, radix: u32) -> Option<f64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0.0, |number, digit| {
        digit.to_digit(radix).map(|digit| number * f64::from(radix) + f64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(a: &str, b: &str) -> (bool, bool) {
        let (a, b): (Fact<'_>, Fact<'_>) =
            (serde_json::from_str(a).unwrap(), serde_json::from_str(b).unwrap());
        assert_eq!(is_alike(&a, &b), is_alike(&b, &a));
        assert_eq!(is_same(&a, &b), is_same(&b, &a));
        (is_same(&a, &b), is_alike(&a, &b))
    }

    #[test]
    fn one_type_is_compared_alike_by_both() {
        for (a, b, equal) in [
            ("1", "1.0", true),
            ("0", "-0", true),
            (r#""a""#, r#""a""#, true),
            (r#""1""#, r#""1.0""#, false),
            (r#"["a","b"]"#, r#"["b","a"]"#, false),
            (r#"["a",null]"#, r#"["a",null]"#, true),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2],"a":1}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
            ("[]", "{}", false),
        ] {
            assert_eq!(both(a, b), (equal, equal), "{a} {b}");
        }
    }

    #[test]
    fn case_66_types_that_differ_are_never_the_same_and_may_be_alike() {
        for (a, b, alike) in [
            ("1", r#""1""#, true),
            ("1", r#"" 1\n""#, true),
            ("16", r#""0x10""#, true),
            ("1", r#""1e0""#, true),
            ("true", "1", true),
            ("true", r#""1""#, true),
            ("false", r#""""#, true),
            ("0", r#""""#, true),
            ("true", r#""true""#, false),
            ("[1]", r#"["1"]"#, true),
            (r#"{"x":1}"#, r#"{"x":"1"}"#, true),
            (r#"["a"]"#, r#""a""#, false),
            ("[1]", "1", false),
            ("[]", r#""""#, true),
            ("[]", "0", true),
            ("[0]", "false", true),
            ("[[null]]", "0", true),
            (r#"[{"a":1}]"#, "0", false),
            ("{}", r#""""#, false),
            ("null", "0", false),
            ("null", "[]", false),
            (r#""inf""#, "1", false),
            (r#""nan""#, "0", false),
            (r#""0x""#, "0", false),
            (r#""-0x1""#, "-1", false),
        ] {
            assert_eq!(both(a, b), (false, alike), "{a} {b}");
        }
    }
}
