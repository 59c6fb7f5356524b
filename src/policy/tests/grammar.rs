//! What is accepted as a policy, and what is said about what is not.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::fact::Fact;
use crate::policy::parse::{DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, RULES_MAX};
use crate::policy::path::Later;

fn faults(document: &Value) -> Vec<String> {
    let faults = Document::parse(document).err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect()
}

fn of_condition(condition: &Value) -> Value {
    json!({ "rules": { "readData": [{ "user.id": condition }] } })
}

#[test]
fn policies_of_the_platform_are_accepted() {
    for good in [
        json!({ "rules": {} }),
        json!({ "rules": { "readData": true, "myOwn_2": true } }),
        of_condition(&json!({ "comparison": "exists" })),
        of_condition(&json!({ "comparison": "exists", "value": { "x": [1] }, "extra": null })),
        of_condition(&json!({ "comparison": "exists", "target": "*" })),
        of_condition(&json!({ "comparison": "in", "value": [] })),
        of_condition(&json!({ "comparison": "equals", "value": false })),
        of_condition(&json!({ "comparison": "equals", "value": ["a", 1] })),
        of_condition(&json!({ "comparison": "subset", "target": "user.c.%keys" })),
        of_condition(&json!({ "comparison": "startsWith", "value": "a", "target": "user.b" })),
        of_condition(&json!({ "comparison": "suffixOf" })),
        json!({ "rules": { "readData": [{ "user.c.*.tags": { "comparison": "exists" } }] } }),
    ] {
        assert_eq!(faults(&good), [""; 0], "{good}");
    }
}

#[test]
fn case_66_policies_that_say_something_else_are_refused_with_a_pointer() {
    let deep = |value: Value| of_condition(&json!({ "comparison": "equals", "value": value }));
    for (bad, pointer) in [
        (json!(null), ""),
        (json!([]), ""),
        (json!({}), "/rules"),
        (json!({ "rules": [] }), "/rules"),
        (json!({ "rules": {}, "a/b~": 1 }), "/a~1b~0"),
        (json!({ "rules": { "readData": false } }), "/rules/readData"),
        (json!({ "rules": { "readData": [] } }), "/rules/readData"),
        (json!({ "rules": { "readData": {} } }), "/rules/readData"),
        (json!({ "rules": { "read data": true } }), "/rules/read data"),
        (json!({ "rules": { "1_": true } }), "/rules/1_"),
        (json!({ "rules": { "_x": true } }), "/rules/_x"),
        (json!({ "rules": { "x": true } }), "/rules/x"),
        (json!({ "rules": { "__proto__": true } }), "/rules/__proto__"),
        (json!({ "rules": { "readData": [{}] } }), "/rules/readData/0"),
        (json!({ "rules": { "readData": [null] } }), "/rules/readData/0"),
        (
            json!({ "rules": { "readData": [{ "a-b": { "comparison": "exists" } }] } }),
            "/rules/readData/0/a-b",
        ),
        (of_condition(&json!({})), "/rules/readData/0/user.id/comparison"),
        (of_condition(&json!({ "comparison": "gt" })), "/rules/readData/0/user.id/comparison"),
        (of_condition(&json!({ "comparison": 1 })), "/rules/readData/0/user.id/comparison"),
        (of_condition(&json!({ "comparison": "in" })), "/rules/readData/0/user.id"),
        (
            of_condition(&json!({ "comparison": "in", "value": [], "target": "a" })),
            "/rules/readData/0/user.id",
        ),
        (
            of_condition(&json!({ "comparison": "in", "target": "a.*" })),
            "/rules/readData/0/user.id/target",
        ),
        (
            of_condition(&json!({ "comparison": "exists", "target": 5 })),
            "/rules/readData/0/user.id/target",
        ),
        (
            of_condition(&json!({ "comparison": "startsWith", "value": 5 })),
            "/rules/readData/0/user.id/value",
        ),
        (
            of_condition(&json!({ "comparison": "equals", "value": 5, "x": 1 })),
            "/rules/readData/0/user.id/x",
        ),
        (deep(json!(null)), "/rules/readData/0/user.id/value"),
        (deep(json!({ "x": 1 })), "/rules/readData/0/user.id/value"),
        (deep(json!([true])), "/rules/readData/0/user.id/value"),
        (deep(json!([["a"]])), "/rules/readData/0/user.id/value"),
    ] {
        let faults = Document::parse(&bad).expect_err(&bad.to_string());
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, [pointer], "{bad}: {faults:?}");
    }
}

#[test]
fn case_66_literals_of_the_wrong_type_are_refused() {
    for (comparison, value) in [
        ("in", json!("a")),
        ("notIn", json!(1)),
        ("superset", json!("a")),
        ("subset", json!(true)),
        ("includes", json!(["a"])),
        ("notIncludes", json!(true)),
        ("prefixOf", json!(["a"])),
        ("endsWith", json!(null)),
    ] {
        let bad = of_condition(&json!({ "comparison": comparison, "value": value }));
        assert_eq!(faults(&bad).len(), 1, "{bad}");
    }
}

#[test]
fn every_fault_is_told_in_words() {
    let bad = json!({ "rules": {
        "readData": [{ "user.id": { "comparison": "gt", "value": 1 } }, {}],
        "x": true,
    } });

    insta::assert_snapshot!(faults(&bad).join("\n"), @r"
    /rules/readData/0/user.id/comparison: `comparison` is one of equals, notEquals, in, notIn, includes, notIncludes, superset, subset, startsWith, prefixOf, endsWith, suffixOf, exists
    /rules/readData/1: an empty rule would allow everybody: write `true` instead
    /rules/x: an operation is named by 2 to 64 letters, digits and underscores, a letter first
    ");
}

#[test]
fn case_66_policies_are_bounded_in_size_depth_and_rules() {
    let rule = json!({ "user.id": { "comparison": "exists" } });
    let rules = |count: usize| json!({ "rules": { "readData": vec![rule.clone(); count] } });
    let mut deep = json!("x");
    for _ in 0..DOCUMENT_DEPTH_MAX {
        deep = json!([deep]);
    }

    assert!(Document::parse(&rules(RULES_MAX)).is_ok());
    assert_eq!(faults(&rules(RULES_MAX + 1)).len(), 1);
    for bad in [
        of_condition(&json!({ "comparison": "exists", "value": deep })),
        of_condition(&json!({ "comparison": "in", "value": vec!["x"; DOCUMENT_BYTES_MAX / 4] })),
        of_condition(&json!({ "comparison": "equals", "value": "x".repeat(DOCUMENT_BYTES_MAX) })),
    ] {
        let faults = faults(&bad);
        assert!(faults[0].starts_with(": a policy has at most"), "{faults:?}");
    }
}

#[test]
fn case_66_what_is_missing_unknown_or_inherited_denies() {
    let policy = Document::parse(&json!({ "rules": { "readData": [
        { "user.role": { "comparison": "notEquals", "value": "guest" } },
        { "user.groups": { "comparison": "notIncludes", "value": "banned" } },
        { "toString": { "comparison": "exists" } },
        { "user.constructor": { "comparison": "exists" } },
    ] } }))
    .unwrap();
    let nobody = Attributes::new().with("user", "role", Fact::Null);

    for operation in ["readData", "constructor", "toString", "__proto__", "hasOwnProperty", ""] {
        assert!(!policy.decide(operation, &nobody), "{operation}");
    }
    assert!(policy.decide("readData", &nobody.with("user", "role", "nurse")));
}

#[test]
fn the_index_by_group_changes_no_answer() {
    let of_group = |group: &str, operation: &str| {
        Document::parse(&json!({ "rules": { operation: [
            { "resource.type": { "comparison": "equals", "value": group },
              "user.groups": { "comparison": "includes", "value": group } },
        ] } }))
        .unwrap()
    };
    let documents: Vec<(Arc<str>, Document)> = (0..50)
        .map(|n| (Arc::from(format!("p{n}")), of_group(&format!("g{n}"), "readData")))
        .chain([(
            Arc::from("all"),
            Document::parse(&json!({ "rules": { "readData": [
            { "resource.type": { "comparison": "equals", "value": "open" } },
        ], "createData": true } }))
            .unwrap(),
        )])
        .collect();
    let merged = Document::merge(documents);
    let facts = |groups: Value, kind: &str| {
        Attributes::new().with("user", "groups", &groups).with("resource", "type", kind)
    };

    assert!(merged.decide("readData", &facts(json!(["x", "g7"]), "g7")));
    assert!(!merged.decide("readData", &facts(json!(["g8"]), "g7")));
    assert!(merged.decide("readData", &facts(json!([]), "open")));
    assert!(merged.decide("readData", &facts(json!(null), "open")));
    assert!(!merged.decide("readData", &facts(json!("g7"), "g7")));
    assert_eq!(merged.privileges(&facts(json!(["g7"]), "g7")), ["readData", "createData"]);
    let known = Attributes::new().with("user", "groups", Fact::texts(["g7"]));
    let left = merged.reduce(&known, Later::Only("resource"));
    assert!(left.decide("readData", &facts(json!(null), "g7")));
    assert!(!left.decide("readData", &facts(json!(null), "g8")));
}

#[test]
fn an_explanation_names_policy_rule_condition_and_values() {
    let policy = json!({ "rules": { "readData": [
        { "user.id": { "comparison": "equals", "value": "boss" } },
        { "user.groups": { "comparison": "includes", "value": "g1" },
          "resource.subject": { "comparison": "in", "target": "user.patients" } },
    ] } });
    let document = Document::parse(&policy).unwrap();
    let merged = Document::merge([
        (Arc::from("Nobody"), Document::default()),
        (Arc::from("Care team"), document),
    ]);
    let facts = Attributes::new()
        .with("user", "id", "u1")
        .with("user", "groups", Fact::texts(["g1"]))
        .with("user", "patients", Fact::texts(["p1"]));

    let denied = merged.explain("readData", &facts);
    let allowed = merged.explain("readData", &facts.with("resource", "subject", "p1"));

    assert!(!denied.allowed && allowed.allowed);
    insta::assert_snapshot!(serde_json::to_string(&denied).unwrap(), @r#"{"operation":"readData","allowed":false,"rules":2,"because":[{"policy":"Care team","rule":0,"conditions":[{"attribute":"user.id","found":"u1","comparison":"equals","with":{"value":"boss"},"targetFound":null,"answer":"false"}]},{"policy":"Care team","rule":1,"conditions":[{"attribute":"resource.subject","found":null,"comparison":"in","with":{"target":"user.patients"},"targetFound":["p1"],"answer":"unresolved"}]}]}"#);
    insta::assert_snapshot!(serde_json::to_string(&allowed).unwrap(), @r#"{"operation":"readData","allowed":true,"rules":2,"because":[{"policy":"Care team","rule":1,"conditions":[{"attribute":"resource.subject","found":"p1","comparison":"in","with":{"target":"user.patients"},"targetFound":["p1"],"answer":"true"},{"attribute":"user.groups","found":["g1"],"comparison":"includes","with":{"value":"g1"},"targetFound":null,"answer":"true"}]}]}"#);
    assert_eq!(merged.explain("createData", &Attributes::new()).rules, 0);
}
