//! Properties of the engine, on policies and attributes made at random.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::policy::attributes::Attributes;
use crate::policy::cover::uncovered;
use crate::policy::document::Document;
use crate::policy::path::Later;
use crate::policy::vectors::answer_line;

const PATHS: &[&str] = &[
    "user.id",
    "user.groups",
    "user.groups.0",
    "user.c",
    "user.c.x",
    "user.c.%keys",
    "user.c.*",
    "user.*",
    "user",
    "user.none",
    "resource.type",
    "resource.tags",
    "resource.owner",
    "resource.*",
    "resource",
    "*.id",
    "*",
    "%keys",
];
const NAMES: &[(&str, &str)] = &[
    ("user", "id"),
    ("user", "groups"),
    ("user", "c"),
    ("resource", "type"),
    ("resource", "tags"),
    ("resource", "owner"),
    ("resource", "id"),
    ("account", "id"),
];
const TEXT: &[&str] = &["", "a", "ab", "b", "1", "id"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => select(TEXT).prop_map(Value::from),
        1 => select(&[0, 1, 2][..]).prop_map(Value::from),
    ]
}

fn list() -> impl Strategy<Value = Value> {
    prop::collection::vec(scalar(), 0..3).prop_map(Value::from)
}

/// The value of an attribute: of any type.
fn attribute() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        4 => list(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        2 => prop::collection::btree_map(select(&["x", "y"][..]), prop_oneof![scalar(), list()], 0..3)
            .prop_map(|map| json!(map)),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let target = select(PATHS).prop_map(|path| ("target", Value::from(path.replace('*', "x"))));
    let affix = select(&["startsWith", "prefixOf", "endsWith", "suffixOf"][..]);
    let of_list = select(&["in", "notIn", "superset", "subset", "equals", "notEquals"][..]);
    let of_scalar = select(&["includes", "notIncludes", "equals", "notEquals"][..]);
    let any_target = select(
        &[
            "in",
            "notIn",
            "superset",
            "subset",
            "equals",
            "notEquals",
            "includes",
            "notIncludes",
            "startsWith",
            "prefixOf",
            "endsWith",
            "suffixOf",
        ][..],
    );
    prop_oneof![
        (affix, select(TEXT).prop_map(Value::from)).prop_map(|(c, v)| (c, ("value", v))),
        (of_list, list()).prop_map(|(c, v)| (c, ("value", v))),
        (of_scalar, scalar()).prop_map(|(c, v)| (c, ("value", v))),
        (any_target, target).prop_map(|(c, target)| (c, target)),
        Just(("exists", ("value", Value::Null))),
    ]
    .prop_map(|(comparison, (key, operand))| json!({ "comparison": comparison, key: operand }))
}

fn rule() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(select(PATHS), condition(), 1..4).prop_map(|map| json!(map))
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(rule(), 1..4).prop_map(|rules| json!({ "rules": { "readData": rules } }))
}

/// Values for some of the attributes, and which of them are known from the start.
fn facts() -> impl Strategy<Value = Vec<(&'static str, &'static str, Value, bool)>> {
    let one = |name: &'static (&'static str, &'static str)| {
        (prop::option::weighted(0.8, attribute()), any::<bool>())
            .prop_map(move |(value, now)| value.map(|value| (name.0, name.1, value, now)))
    };
    NAMES
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .prop_map(|found| found.into_iter().flatten().collect())
}

fn gather<'v>(
    facts: impl Iterator<Item = &'v (&'static str, &'static str, Value, bool)>,
) -> Attributes {
    facts.fold(Attributes::new(), |known, (root, name, value, _)| known.with(root, name, value))
}

/// As an account has it: with rules that are found by what is known of the caller.
fn merged(policy: &Value) -> Document {
    Document::merge([(Arc::from("p"), Document::parse(policy).unwrap())])
}

/// JSON of any shape, in words that the grammar knows.
fn anything() -> impl Strategy<Value = Value> {
    let word = select(
        &[
            "rules",
            "readData",
            "user.id",
            "*",
            "a.*",
            "comparison",
            "value",
            "target",
            "equals",
            "exists",
            "startsWith",
            "in",
            "",
            "a..b",
            "%keys",
            "__proto__",
            "\0",
            "ä",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..4).prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(entries.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn reducing_then_deciding_is_deciding(policy in policy(), facts in facts()) {
        let document = merged(&policy);
        let now = gather(facts.iter().filter(|(.., now)| *now));
        let later = gather(facts.iter().filter(|(.., now)| !now));
        let whole = gather(facts.iter());
        let expected = document.decide("readData", &whole);

        let left = document.reduce(&now, Later::Anything);

        prop_assert_eq!(left.decide("readData", &whole), expected);
        // Twice is as good as once, and in the end there is nothing left to know.
        prop_assert_eq!(left.reduce(&whole, Later::Nothing).operations().len(), usize::from(expected));
        // What was known is no longer needed, unless a path looks at a root as a whole.
        let is_plain = !policy.to_string().contains('*')
            && !["\"user\"", "\"resource\"", "\"%keys\""].iter().any(|root| policy.to_string().contains(root));
        if is_plain {
            prop_assert_eq!(left.decide("readData", &later), expected);
        }
    }

    #[test]
    fn what_is_left_to_the_resource_needs_the_resource_alone(policy in policy(), facts in facts()) {
        let document = merged(&policy);
        let is_resource = |root: &str| root == "resource";
        let now = gather(facts.iter().filter(|(root, _, _, now)| !is_resource(root) || *now));
        let resource = gather(facts.iter().filter(|(root, ..)| is_resource(root)));
        let whole = gather(facts.iter());

        let left = document.reduce(&now, Later::Only("resource"));

        let expected = document.decide("readData", &whole);
        prop_assert_eq!(left.decide("readData", &resource), left.decide("readData", &whole));
        prop_assert!(expected || !left.decide("readData", &resource));
        let spans_roots = ["\"*", "\"%keys", "\"x"].iter().any(|path| policy.to_string().contains(path));
        if !spans_roots {
            prop_assert_eq!(left.decide("readData", &resource), expected);
        }
    }

    #[test]
    fn what_is_written_as_json_allows_no_more(policy in policy(), facts in facts()) {
        let document = merged(&policy);
        let now = gather(facts.iter().filter(|(.., now)| *now));
        let whole = gather(facts.iter());
        let left = document.reduce(&now, Later::Anything);

        let written = Document::parse(&left.to_json()).unwrap();

        prop_assert!(!written.decide("readData", &whole) || left.decide("readData", &whole));
        let again = Document::parse(&document.to_json()).unwrap();
        prop_assert_eq!(again.decide("readData", &whole), document.decide("readData", &whole));
    }

    #[test]
    fn case_63_what_is_covered_allows_no_more(
        wide in policy(), narrow in policy(), facts in facts(),
    ) {
        let (wide, narrow) = (Document::parse(&wide).unwrap(), Document::parse(&narrow).unwrap());
        let whole = gather(facts.iter());
        if uncovered(&narrow, &[&wide]).is_none() {
            prop_assert!(!narrow.decide("readData", &whole) || wide.decide("readData", &whole));
        }
    }

    #[test]
    fn merging_adds_up(policies in prop::collection::vec(policy(), 0..5), facts in facts()) {
        let facts = gather(facts.iter());
        let documents: Vec<_> =
            policies.iter().map(|policy| Document::parse(policy).unwrap()).collect();
        let merged = Document::merge(
            documents.iter().map(|document| (Arc::from("p"), document.clone())),
        );

        let expected = documents.iter().any(|document| document.decide("readData", &facts));

        prop_assert_eq!(merged.decide("readData", &facts), expected);
        prop_assert_eq!(merged.explain("readData", &facts).allowed, expected);
        prop_assert_eq!(merged.privileges(&facts).len(), usize::from(expected));
    }

    #[test]
    fn case_66_no_json_makes_the_parser_panic(document in anything(), facts in anything()) {
        let _ = Document::parse(&document);
        let wrapped = json!({ "rules": { "readData": [document.clone()] } });
        if let Ok(policy) = Document::parse(&wrapped) {
            let _ = policy.decide("readData", &Attributes::new().with("user", "id", &facts));
        }
        let line = json!({ "id": 1, "op": "enforce", "operation": "readData", "policy": document,
            "attributes": facts }).to_string();
        answer_line(line.as_bytes(), &mut Vec::new());
    }

    #[test]
    fn case_66_no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        answer_line(&bytes, &mut Vec::new());
    }
}
