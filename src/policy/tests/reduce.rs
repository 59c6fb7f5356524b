//! What is left of a policy, where the reference goes wrong or is easily misread.

use serde_json::{Value, json};

use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::path::Later;

/// Whether the resource `x` is allowed to a user of whom `user` is known, after a reduction.
#[track_caller]
fn check(rule: &Value, user: &Value, x: &Value, expected: bool) {
    let document = Document::parse(&json!({ "rules": { "readData": [rule] } })).unwrap();
    let known = Attributes::new().with("user", "a", &user["a"]).with("user", "b", &user["b"]);
    let resource = Attributes::new().with("resource", "x", x);

    let left = document.reduce(&known, Later::Only("resource"));

    assert_eq!(left.decide("readData", &resource), expected, "{rule} {user} {x}");
    assert_eq!(document.decide("readData", &known.and(&resource)), expected, "at once");
}

#[test]
fn case_66_two_conditions_that_reduce_to_one_path_are_both_kept() {
    let rule = json!({
        "user.a": { "comparison": "equals", "target": "resource.x" },
        "user.b": { "comparison": "equals", "target": "resource.x" },
    });

    check(&rule, &json!({ "a": "1", "b": "2" }), &json!("1"), false);
    check(&rule, &json!({ "a": "1", "b": "2" }), &json!("2"), false);
    check(&rule, &json!({ "a": "2", "b": "2" }), &json!("2"), true);
}

#[test]
fn every_value_of_a_path_with_a_star_counts() {
    let rule = json!({ "user.a.*": { "comparison": "prefixOf", "target": "resource.x" } });

    check(&rule, &json!({ "a": ["p", "pq"] }), &json!("pqr"), true);
    check(&rule, &json!({ "a": ["p", "q"] }), &json!("pqr"), false);
    check(&rule, &json!({ "a": ["q", "p"] }), &json!("pqr"), false);
    check(&rule, &json!({ "a": [] }), &json!("pqr"), false);
}

#[test]
fn values_keep_their_type_when_they_take_the_place_of_a_path() {
    let equals = json!({ "user.a": { "comparison": "equals", "target": "resource.x" } });
    let starts = json!({ "user.a": { "comparison": "startsWith", "target": "resource.x" } });

    check(&equals, &json!({ "a": 1 }), &json!(1), true);
    check(&equals, &json!({ "a": 1 }), &json!("1"), false);
    check(&equals, &json!({ "a": { "k": [false] } }), &json!({ "k": [false] }), true);
    check(&equals, &json!({ "a": false }), &json!(false), true);
    check(&equals, &json!({ "a": "" }), &json!(""), true);
    check(&starts, &json!({ "a": "5x" }), &json!(5), false);
    check(&starts, &json!({ "a": "5x" }), &json!("5"), true);
}

#[test]
fn what_holds_already_holds_without_condition() {
    let document = Document::parse(&json!({ "rules": {
        "readData": [
            { "resource.x": { "comparison": "exists" } },
            { "user.a": { "comparison": "equals", "value": "1" } },
        ],
        "createData": [{ "user.a": { "comparison": "equals", "value": "2" } }],
    } }))
    .unwrap();
    let known = Attributes::new().with("user", "a", "1");

    let left = document.reduce(&known, Later::Only("resource"));

    assert!(matches!(left.grant("readData"), Some(Grant::Always { policy: 0 })));
    assert!(left.grant("createData").is_none());
}
