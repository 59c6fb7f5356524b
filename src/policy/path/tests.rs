//! The grammar of paths, and where they lead.

use super::*;

fn values(path: &str, facts: &str) -> Option<String> {
    let facts: Fact<'_> = serde_json::from_str(facts).unwrap();
    match Path::parse(path).unwrap().resolve(&facts) {
        Values::Missing => None,
        Values::One(found) => Some(found.fact().to_json().to_string()),
        Values::Many(found) => Some(
            found
                .iter()
                .map(|found| found.fact().to_json().to_string())
                .collect::<Vec<_>>()
                .join(" "),
        ),
    }
}

#[test]
fn the_grammar_is_that_of_the_reference() {
    for good in
        ["user.id", "a.0", "a..b", "a.", "a**", "*", "*.b", "a.*.b", "%keys", "$x", "_", "a.b*"]
    {
        assert!(Path::parse(good).is_ok(), "{good}");
    }
    for bad in
        ["", "user.my-attr", "a:b", "a b", "0a", ".a", "a*b", "*a", "ä", "a\n", "a.\0", "a/b"]
    {
        assert_eq!(Path::parse(bad).err(), Some(BadPath::Grammar), "{bad:?}");
    }
}

#[test]
fn case_66_paths_are_bounded() {
    let deep = vec!["a"; PATH_SEGMENTS_MAX].join(".");

    assert!(Path::parse(&deep).is_ok());
    assert_eq!(Path::parse(&format!("{deep}.a")).err(), Some(BadPath::TooLong));
    assert!(Path::parse(&"a".repeat(PATH_BYTES_MAX)).is_ok());
    assert_eq!(Path::parse(&"a".repeat(PATH_BYTES_MAX + 1)).err(), Some(BadPath::TooLong));
}

#[test]
fn paths_lead_to_own_keys_only() {
    let facts = r#"{"user":{"id":"u","groups":["a","b"],"none":null,"a**":1,"%keys":2,"":3,
        "c":{"x":{"t":["p"]},"y":{"t":["q"]}},"half":{"x":{"t":1},"y":{}},"empty":{}}}"#;
    for (path, expected) in [
        ("user.id", Some("\"u\"")),
        ("user.groups", Some(r#"["a","b"]"#)),
        ("user.groups.1", Some("\"b\"")),
        ("user.groups.*", Some(r#""a" "b""#)),
        ("user.c.*.t", Some(r#"["p"] ["q"]"#)),
        ("user.c.%keys", Some(r#"["x","y"]"#)),
        ("user.c.%keys.1", Some("\"y\"")),
        ("user.c.%keys.*", Some(r#""x" "y""#)),
        ("user.%%keys", Some("2")),
        ("user.a**", Some("1")),
        ("user.", Some("3")),
        ("user.half.*.t", None),
        ("user.empty.*", None),
        ("user.none", None),
        ("user.*", None),
        ("user.groups.2", None),
        ("user.groups.01", None),
        ("user.groups.length", None),
        ("user.groups.%keys", None),
        ("user.id.0", None),
        ("user.id.*", None),
        ("user.id.length", None),
        ("nobody", None),
    ] {
        assert_eq!(values(path, facts).as_deref(), expected, "{path}");
    }
}

#[test]
fn case_66_prototype_keys_lead_nowhere() {
    for path in
        ["toString", "constructor", "__proto__", "user.__proto__", "user.hasOwnProperty.name"]
    {
        assert_eq!(values(path, r#"{"user":{"id":"u"}}"#), None, "{path}");
    }
}

#[test]
fn what_may_come_later_is_told_from_what_stays_missing() {
    let facts: Fact<'_> =
        serde_json::from_str(r#"{"user":{"id":"u","a":{"b":1}},"resource":{"type":"file"}}"#)
            .unwrap();
    let only = Later::Only("resource");
    for (path, later, expected) in [
        ("user.x", Later::Nothing, false),
        ("user.x", only, false),
        ("user.x", Later::Anything, true),
        ("user.a.c", Later::Anything, false),
        ("user.*", only, false),
        ("user.*", Later::Anything, true),
        ("resource.x", only, true),
        ("resource.type", only, false),
        ("resource.type.x", only, false),
        ("resource", only, true),
        ("resource.*", only, true),
        ("resource.%keys", only, true),
        ("*.type", only, true),
        ("%keys", only, true),
    ] {
        let path = Path::parse(path).unwrap();
        assert_eq!(path.may_change(&facts, later), expected, "{path:?} {later:?}");
    }
}
