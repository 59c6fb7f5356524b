//! The policies of accounts, in a database.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::CountedEntropy;
use crate::base::id::{AccountId, UserId};
use crate::db::ctx::Ctx;
use crate::db::query::sql;
use crate::db::testing;
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::fact::Fact;
use crate::policy::model::{Declared, NAME_BYTES_MAX, NewPolicy, PolicyError};
use crate::policy::permit::{Permit, authorize};
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::Policies;

struct World {
    policies: Policies,
    ctx: Ctx,
    _folder: testing::Guard,
}

/// Two accounts without policies.
async fn world() -> World {
    let (folder, db) = testing::open().await;
    for id in ["acme", "other"] {
        db.write_one(
            sql("INSERT INTO accounts (id, name, type, status, created_at, updated_at)
                 VALUES ($1, $1, 'FREE', 'ACTIVE', 0, 0)")
            .bind(&id.parse::<AccountId>().unwrap()),
        )
        .await
        .unwrap();
    }
    let clock = Arc::new(ManualClock::at(from_micros(1_000_000)));
    let ctx = Ctx { db, clock, entropy: Arc::new(CountedEntropy::default()), seal: None };
    World { policies: Policies::new(&ctx), ctx, _folder: folder }
}

fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

fn facts() -> Attributes {
    Attributes::new().with("user", "groups", Fact::texts(["admins"]))
}

fn permit_by(policy: &Value, account: &str) -> Permit<AccessAdmin> {
    let user: UserId = "u1".parse().unwrap();
    authorize(&Document::parse(policy).unwrap(), &facts(), &id(account), &user).unwrap()
}

fn permit(account: &str) -> Permit<AccessAdmin> {
    permit_by(&json!({ "rules": { "accessAdmin": true } }), account)
}

fn grants(operation: &str) -> Value {
    json!({ "rules": { operation: [
        { "user.groups": { "comparison": "includes", "value": "admins" } },
    ] } })
}

fn new(name: &str, document: Value) -> NewPolicy {
    NewPolicy { name: name.to_owned(), document }
}

impl World {
    async fn names(&self, permit: &Permit<AccessAdmin>, after: Option<&str>) -> Vec<String> {
        let found = self.policies.list(permit, after, 2).await.unwrap();
        found.into_iter().map(|policy| policy.name).collect()
    }
}

#[tokio::test]
async fn what_is_declared_is_merged_until_it_changes() {
    let world = world().await;
    let (acme, policies) = (id("acme"), &world.policies);
    let may =
        async |operation: &str| policies.merged(&acme).await.unwrap().decide(operation, &facts());

    assert!(!may("readData").await);
    assert_eq!(policies.compare(&acme, "P", &grants("readData")).await.unwrap(), Declared::Created);
    assert_eq!(policies.declare(&acme, "P", &grants("readData")).await.unwrap(), Declared::Created);
    assert!(may("readData").await);
    let held = policies.merged(&acme).await.unwrap();
    assert!(Arc::ptr_eq(&held, &policies.merged(&acme).await.unwrap()));
    assert_eq!(
        policies.declare(&acme, "P", &grants("readData")).await.unwrap(),
        Declared::Unchanged
    );
    assert!(Arc::ptr_eq(&held, &policies.merged(&acme).await.unwrap()));
    assert_eq!(
        policies.declare(&acme, "P", &grants("createData")).await.unwrap(),
        Declared::Updated
    );
    assert!(!may("readData").await && may("createData").await);
    let because = &policies.merged(&acme).await.unwrap().explain("createData", &facts()).because;
    assert_eq!(because[0].policy.as_deref(), Some("P"));
}

#[tokio::test]
async fn a_list_goes_on_after_a_name_and_knows_one_account_only() {
    let world = world().await;
    for (account, name) in [("acme", "B b"), ("acme", "A"), ("acme", "C"), ("other", "D")] {
        world.policies.declare(&id(account), name, &grants("readData")).await.unwrap();
    }

    let mine = permit("acme");

    assert_eq!(world.names(&mine, None).await, ["A", "B b"]);
    assert_eq!(world.names(&mine, Some("B b")).await, ["C"]);
    assert_eq!(world.names(&mine, Some("\0")).await, ["A", "B b"]);
    assert_eq!(world.names(&permit("other"), None).await, ["D"]);
    assert_eq!(
        world.policies.get(&mine, "B b").await.unwrap().unwrap().document,
        grants("readData")
    );
    assert_eq!(world.policies.get(&mine, "D").await.unwrap(), None);
    assert_eq!(world.policies.get(&mine, "A\0").await.unwrap(), None);
}

#[tokio::test]
async fn a_permit_for_some_policies_shows_and_writes_no_others() {
    let world = world().await;
    let some = permit_by(
        &json!({ "rules": { "accessAdmin": [
            { "resource.id": { "comparison": "startsWith", "value": "Team " },
              "resource.type": { "comparison": "equals", "value": "policy" } },
        ] } }),
        "acme",
    );
    world.policies.declare(&id("acme"), "Boss", &grants("readData")).await.unwrap();
    let create = async |name: &str| {
        world.policies.create(&some, &facts(), &new(name, grants("readData"))).await
    };

    assert!(matches!(create("Boss 2").await, Err(PolicyError::NotAllowed)));
    assert_eq!(create("Team A").await.unwrap().name, "Team A");
    assert_eq!(world.names(&some, None).await, ["Team A"]);
    assert_eq!(world.policies.get(&some, "Boss").await.unwrap(), None);
}

#[tokio::test]
async fn case_63_nobody_grants_what_they_do_not_hold() {
    let world = world().await;
    let (policies, acme) = (&world.policies, id("acme"));
    let mut own = grants("readData");
    own["rules"]["updateData"] =
        json!([{ "resource.dataset": { "comparison": "equals", "value": "p1" } }]);
    policies.declare(&acme, "Own", &own).await.unwrap();
    let create = async |account: &str, name: &str, document: Value| {
        policies.create(&permit(account), &facts(), &new(name, document)).await
    };

    assert!(create("acme", "Fine", grants("readData")).await.is_ok());
    for operation in ["createData", "updateData", "accessAdmin", "ownOperation"] {
        let refused = create("acme", "More", grants(operation)).await;
        assert!(
            matches!(&refused, Err(PolicyError::GrantsMoreThanHeld(what)) if what == operation),
            "{operation}: {refused:?}"
        );
    }
    // What is held in one account is nothing in another.
    let elsewhere = create("other", "More", grants("readData")).await;
    assert!(matches!(elsewhere, Err(PolicyError::GrantsMoreThanHeld(_))), "{elsewhere:?}");
    assert_eq!(world.names(&permit("acme"), None).await, ["Fine", "Own"]);
}

#[tokio::test]
async fn what_cannot_be_written_is_told() {
    let world = world().await;
    let (policies, acme) = (&world.policies, id("acme"));
    policies.declare(&acme, "Own", &grants("readData")).await.unwrap();
    let create = async |name: &str, document: Value| {
        policies.create(&permit("acme"), &facts(), &new(name, document)).await.unwrap_err()
    };

    assert!(matches!(create("Own", grants("readData")).await, PolicyError::Duplicate));
    for name in ["", " ", "a\nb", "\0", &"x".repeat(NAME_BYTES_MAX + 1)] {
        assert!(matches!(create(name, grants("readData")).await, PolicyError::BadName(_)));
    }
    let PolicyError::Invalid(faults) = create("New", json!({ "rules": 1 })).await else {
        panic!("invalid")
    };
    assert_eq!(faults[0].pointer, "/rules");
    let nowhere = policies.declare(&id("nowhere"), "P", &grants("readData")).await;
    assert!(matches!(nowhere, Err(PolicyError::UnknownAccount)), "{nowhere:?}");
}

#[tokio::test]
async fn case_66_a_policy_that_cannot_be_read_grants_nothing_and_the_others_stand() {
    let world = world().await;
    world.policies.declare(&id("acme"), "Good", &grants("readData")).await.unwrap();
    let bad = sql("INSERT INTO policies (account_id, name, document, created_at, updated_at)
                   VALUES ('acme', 'Bad', $1, 0, 0)");
    let text = r#"{"rules":{"createData":true,"readData":[{}]}}"#;
    world.ctx.db.write_one(bad.bind(text)).await.unwrap();

    let merged = world.policies.merged(&id("acme")).await.unwrap();

    assert_eq!(merged.privileges(&facts()), ["readData"]);
}
