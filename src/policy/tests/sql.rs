//! The filter of a permit against its decision, row by row, in a real database.
//!
//! `tests/run` runs it on both databases.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::base::id::{AccountId, UserId};
use crate::db::query::{Param, built_sql, sql};
use crate::db::{Db, Fetch as _, testing};
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::fact::Fact;
use crate::policy::filter::Columns;
use crate::policy::permit::{Permit, authorize};
use crate::policy::privilege::ReadData;

const COLUMNS: Columns = Columns::new(&[
    ("resource.dataset", "t.dataset"),
    ("resource.subject", "t.subject"),
    ("resource.ownerId", "t.owner"),
    ("resource.type", "'project'"),
]);
const TEXT: &[&str] = &["", "a", "b", "ab", "abc", "é", "éa", "%", "_", "1", "'"];

fn rows() -> Vec<[Option<&'static str>; 3]> {
    let values: Vec<Option<&str>> = TEXT.iter().copied().map(Some).chain([None]).collect();
    let pairs = values.iter().flat_map(|a| values.iter().map(move |b| [*a, *b]));
    pairs.flat_map(|[a, b]| [None, Some("a"), Some("éa")].map(|c| [a, b, c])).collect()
}

fn attributes(row: [Option<&str>; 3]) -> Attributes {
    ["dataset", "subject", "ownerId"].into_iter().zip(row).fold(
        Attributes::new().with("resource", "type", "project"),
        |known, (name, value)| match value {
            Some(value) => known.with("resource", name, value),
            None => known,
        },
    )
}

async fn fill(db: &Db) {
    db.write_one(sql("CREATE TABLE filter_rows (
        id BIGINT PRIMARY KEY, dataset TEXT, subject TEXT, owner TEXT)"))
        .await
        .unwrap();
    let mut values = Vec::new();
    let mut params = Vec::new();
    for (id, row) in (0_i64..).zip(rows()) {
        let first = params.len() + 1;
        values.push(format!("(${first}, ${}, ${}, ${})", first + 1, first + 2, first + 3));
        params.push(Param::from(id));
        params.extend(row.map(Param::from));
    }
    let insert = format!("INSERT INTO filter_rows VALUES {}", values.join(", "));
    db.write_one(built_sql(insert).bind_all(params)).await.unwrap();
}

/// Ids of the rows that the filter lets through; a parameter of ours comes before its own.
async fn filtered(db: &Db, permit: &Permit<ReadData>) -> Vec<i64> {
    let filter = permit.filter(&COLUMNS, 2);
    let query =
        format!("SELECT id FROM filter_rows t WHERE id >= $1 AND {} ORDER BY id", filter.sql);
    let query = built_sql(query).bind(0_i64).bind_all(filter.params);
    db.fetch_all(query).await.unwrap().iter().map(|row| row.get("id").unwrap()).collect()
}

fn decided(permit: &Permit<ReadData>) -> Vec<i64> {
    let rows = (0_i64..).zip(rows());
    rows.filter(|(_, row)| permit.allows(&attributes(*row))).map(|(id, _)| id).collect()
}

fn permit(policy: &Value, user: &Value) -> Option<Permit<ReadData>> {
    let facts = user
        .as_object()
        .unwrap()
        .iter()
        .fold(Attributes::new(), |known, (name, value)| known.with("user", name, value));
    let account: AccountId = "acme".parse().unwrap();
    let id: UserId = "u1".parse().unwrap();
    authorize(&Document::parse(policy).unwrap(), &facts, &account, &id).ok()
}

fn lists() -> impl Strategy<Value = Value> {
    prop::collection::vec(select(TEXT), 0..4).prop_map(Value::from)
}

fn condition() -> impl Strategy<Value = (&'static str, Value)> {
    let key = select(
        &[
            "resource.dataset",
            "resource.dataset",
            "resource.subject",
            "resource.subject",
            "resource.ownerId",
            "resource.type",
            "resource.tags",
            "resource.*",
            "user.id",
            "user.patients",
            "user.patients.*",
            "user.groups",
            "user.none",
        ][..],
    );
    let text = select(TEXT).prop_map(Value::from);
    let of_text =
        select(&["equals", "notEquals", "startsWith", "prefixOf", "endsWith", "suffixOf"][..]);
    let of_list = select(&["in", "in", "notIn", "equals", "notEquals", "superset", "subset"][..]);
    let of_member = select(&["includes", "notIncludes"][..]);
    let of_target = select(
        &[
            "equals",
            "notEquals",
            "startsWith",
            "prefixOf",
            "endsWith",
            "suffixOf",
            "in",
            "notIn",
            "includes",
            "includes",
            "notIncludes",
            "superset",
            "subset",
        ][..],
    );
    let comparison = prop_oneof![
        3 => (of_text, text.clone()).prop_map(|(c, v)| json!({ "comparison": c, "value": v })),
        3 => (of_list, lists()).prop_map(|(c, v)| json!({ "comparison": c, "value": v })),
        1 => (of_member, text).prop_map(|(c, v)| json!({ "comparison": c, "value": v })),
        4 => (of_target, key.clone()).prop_map(|(c, t)| {
            json!({ "comparison": c, "target": t.replace("resource.*", "resource.dataset").replace(".*", "") })
        }),
        1 => Just(json!({ "comparison": "exists" })),
    ];
    (key, comparison)
}

fn policy() -> impl Strategy<Value = Value> {
    let rule = prop::collection::btree_map(
        condition().prop_map(|(key, _)| key),
        condition().prop_map(|(_, comparison)| comparison),
        1..4,
    );
    prop::collection::vec(rule, 1..5).prop_map(|rules| json!({ "rules": { "readData": rules } }))
}

fn user() -> impl Strategy<Value = Value> {
    (select(TEXT), lists(), prop::option::of(lists())).prop_map(
        |(id, patients, groups)| json!({ "id": id, "patients": patients, "groups": groups }),
    )
}

async fn database() -> (testing::Guard, Db) {
    let (folder, db) = testing::open().await;
    fill(&db).await;
    (folder, db)
}

#[test]
fn the_filter_is_the_decision_row_by_row() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_folder, db) = runtime.block_on(database());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() };
    let mut let_through = 0;

    TestRunner::new(config)
        .run(&(policy(), user()), |(policy, user)| {
            let Some(permit) = permit(&policy, &user) else { return Ok(()) };
            let expected = decided(&permit);
            let found = runtime.block_on(filtered(&db, &permit));
            if policy.to_string().contains("resource.*") {
                // What has no column is narrower.
                prop_assert!(found.iter().all(|id| expected.contains(id)));
            } else {
                prop_assert_eq!(found, expected);
            }
            Ok(())
        })
        .unwrap();
    for text in TEXT {
        let own = json!({ "rules": { "readData": [
            { "resource.dataset": { "comparison": "equals", "value": text } }] } });
        let permit = permit(&own, &json!({})).unwrap();
        let_through += runtime.block_on(filtered(&db, &permit)).len();
    }
    assert_eq!(let_through, rows().len() / (TEXT.len() + 1) * TEXT.len());
}

#[test]
fn rules_that_ask_one_column_become_one_list_and_equal_rules_one() {
    let dataset = |id: &str| json!({ "resource.dataset": { "comparison": "equals", "value": id } });
    let own = json!({ "resource.ownerId": { "comparison": "equals", "target": "user.id" },
        "user.groups": { "comparison": "includes", "value": "g" } });
    let policy = json!({ "rules": { "readData": [dataset("b"), dataset("a"), own, own,
        { "resource.dataset": { "comparison": "in", "value": ["a", "c"] } },
        { "resource.subject": { "comparison": "exists" },
          "resource.dataset": { "comparison": "startsWith", "value": "é" } },
        { "resource.tags": { "comparison": "includes", "value": "x" } },
        { "user.none": { "comparison": "exists" } },
    ] } });

    let permit = permit(&policy, &json!({ "id": "u", "groups": ["g", "g"] })).unwrap();
    let filter = permit.filter(&COLUMNS, 3);

    insta::assert_snapshot!(filter.sql, @"(t.subject IS NOT NULL AND substr(t.dataset, 1, 1) = $3 OR t.dataset IN ($4, $5, $6) OR t.owner IN ($7))");
    assert_eq!(filter.params, ["é", "a", "b", "c", "u"].map(Param::from));
    assert!(!permit.is_unconditional());
}

#[test]
fn case_66_what_has_no_column_or_is_confused_lets_no_row_through() {
    for condition in [
        json!({ "resource.tags": { "comparison": "notIncludes", "value": "x" } }),
        json!({ "resource.*": { "comparison": "exists" } }),
        json!({ "resource.dataset": { "comparison": "equals", "value": 1 } }),
        json!({ "resource.dataset": { "comparison": "notEquals", "value": 1 } }),
        json!({ "resource.dataset": { "comparison": "equals", "value": "a\0" } }),
        json!({ "resource.dataset": { "comparison": "in", "value": [] } }),
    ] {
        let policy = json!({ "rules": { "readData": [condition] } });
        let filter = permit(&policy, &json!({})).unwrap().filter(&COLUMNS, 1);
        assert_eq!((filter.sql.as_str(), filter.params.len()), ("(1 = 0)", 0), "{policy}");
    }
}

#[test]
fn a_permit_is_only_given_where_something_could_be_allowed() {
    let policy = |condition: Value| json!({ "rules": { "readData": [condition] } });
    let user = json!({ "id": "u1", "groups": ["g1"] });
    let always = permit(&json!({ "rules": { "readData": true } }), &user).unwrap();

    assert!(always.is_unconditional() && always.allows(&Attributes::new()));
    assert_eq!(always.filter(&COLUMNS, 1).sql, "(1 = 1)");
    assert!(permit(&json!({ "rules": { "createData": true } }), &user).is_none());
    for denied in [
        json!({ "user.id": { "comparison": "equals", "value": "u2" } }),
        json!({ "user.role": { "comparison": "exists" } }),
        json!({ "user.role": { "comparison": "notEquals", "value": "guest" } }),
        json!({ "resource.dataset": { "comparison": "equals", "target": "user.project" } }),
        json!({ "*.id": { "comparison": "exists" } }),
        json!({ "resource.dataset": { "comparison": "startsWith" } }),
    ] {
        assert!(permit(&policy(denied.clone()), &user).is_none(), "{denied}");
    }
    let some = permit(
        &policy(json!({ "resource.dataset": { "comparison": "equals", "value": "d" } })),
        &user,
    )
    .unwrap();
    assert!(!some.is_unconditional());
    assert!(some.allows(&Attributes::new().with("resource", "dataset", "d")));
    assert!(!some.allows(&Attributes::new().with("resource", "dataset", "e")));
    assert!(!some.allows(&Attributes::new()));
}

#[test]
fn what_is_known_of_the_resource_counts_beside_what_comes_later() {
    let policy = json!({ "rules": { "readData": [{ "resource.*": { "comparison": "in", "value": ["a", "b"] } }] } });
    let facts = Attributes::new().with("resource", "type", "file");
    let (account, user) = ("acme".parse().unwrap(), "u1".parse().unwrap());
    let document = Document::parse(&policy).unwrap();

    let permit: Permit<ReadData> = authorize(&document, &facts, &account, &user).unwrap();

    assert!(!permit.allows(&Attributes::new().with("resource", "dataset", "a")));
    assert!(permit.allows(&Attributes::new().with("resource", "dataset", "a").with(
        "resource",
        "type",
        Fact::from("b")
    )));
}
