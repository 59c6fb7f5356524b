//! The reference's answers to requests that were made at random.
//!
//! For ids that begin with `typed-` the answer must be the reference's; for those that begin with
//! `wild-` it must never be wider.

use std::path::Path;

use serde_json::Value;

use crate::policy::vectors::answer_line;

const SAMPLE: &str = include_str!("../../../tests/data/abac-vectors-sample.jsonl");
/// All vectors, in the folder beside the clone (or beside the folder that it is in).
const ALL: &str = "shared/contracts/abac-vectors.jsonl";

fn answers(lines: &str) -> Vec<(Value, Value)> {
    let mut output = Vec::new();
    for line in lines.lines() {
        assert!(answer_line(line.as_bytes(), &mut output), "{line}");
    }
    let answers = String::from_utf8(output).unwrap();
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    lines.lines().map(parse).zip(answers.lines().map(parse)).collect()
}

fn is_allowed(request: &Value, answer: &Value) -> bool {
    let (reference, result) = (&request["reference"], &answer["result"]);
    if answer["id"] != request["id"] {
        return false;
    }
    if request["id"].as_str().unwrap().starts_with("typed-") {
        return *result == reference["result"];
    }
    match request["op"].as_str().unwrap() {
        "enforce" => *result == false || reference["result"] == true,
        "validate" => answer.get("error").is_some() || reference["result"] == true,
        "privileges" => {
            let granted = reference["result"].as_array().cloned().unwrap_or_default();
            let claimed = result.as_array().cloned().unwrap_or_default();
            claimed.iter().all(|operation| granted.contains(operation))
        }
        // The reference names the first that it allows; any other would need its own question.
        "enforceAny" => *result == false || *result == reference["result"],
        other => panic!("unknown op {other}"),
    }
}

fn check(lines: &str) {
    let wrong: Vec<_> = answers(lines)
        .into_iter()
        .filter(|(request, answer)| !is_allowed(request, answer))
        .map(|(request, answer)| format!("{request}\n  {answer}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_sample_of_vectors_agrees() {
    assert!(SAMPLE.lines().count() >= 200);
    check(SAMPLE);
}

#[test]
fn all_vectors_agree() {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1);
    if let Some(path) = above.map(|folder| folder.join(ALL)).find(|path| path.exists()) {
        let lines = std::fs::read_to_string(path).unwrap();
        assert_eq!(lines.lines().count(), 2500);
        check(&lines);
    }
}

#[test]
fn a_line_that_is_no_request_is_told_and_nothing_breaks() {
    for line in [
        "",
        "{",
        "[]",
        "1",
        r#"{"id":"1"}"#,
        r#"{"id":"1","op":"enforce","policy":{}}"#,
        r#"{"id":"1","op":"enforce","operation":5,"policy":{}}"#,
        r#"{"id":"1","op":"guess","policy":{"rules":{}}}"#,
        "\u{0}",
    ] {
        let mut output = Vec::new();
        answer_line(line.as_bytes(), &mut output);
        let answer: Value = serde_json::from_slice(&output).unwrap();
        assert!(answer.get("error").is_some(), "{line}: {answer}");
    }
    assert!(!answer_line(b"\xff\xfe", &mut Vec::new()));
}
