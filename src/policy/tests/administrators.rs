//! Who may be let into a group, and that somebody always administers access.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::CountedEntropy;
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::query::sql;
use crate::db::testing;
use crate::policy::administrators::keeps_administrator;
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::fact::Fact;
use crate::policy::model::PolicyError;
use crate::policy::permit::authorize;
use crate::policy::service::Policies;

struct World {
    policies: Policies,
    ctx: Ctx,
    acme: AccountId,
    _folder: testing::Guard,
}

/// An account with the groups `admins` (ann, bob) and `nurses` (cia).
async fn world(policy: &Value) -> World {
    let (folder, db) = testing::open().await;
    for text in [
        "INSERT INTO accounts (id, name, type, status, created_at, updated_at)
         VALUES ('acme', 'acme', 'FREE', 'ACTIVE', 0, 0)",
        "INSERT INTO account_groups (id, account_id, name, type, created_at, updated_at)
         VALUES ('admins', 'acme', 'a', 'CLOSED', 0, 0), ('nurses', 'acme', 'n', 'CLOSED', 0, 0)",
        "INSERT INTO users (id, username, username_key, email, email_verified, attributes, status,
                            created_at, updated_at)
         VALUES ('ann', 'ann', 'ann', 'ann@acme.example', 1, '{}', 'active', 0, 0),
                ('bob', 'bob', 'bob', 'bob@acme.example', 0, '{}', 'active', 0, 0),
                ('cia', 'cia', 'cia', NULL, 0, '{}', 'active', 0, 0)",
        "INSERT INTO group_members (account_id, group_id, user_id, joined_at)
         VALUES ('acme', 'admins', 'ann', 0), ('acme', 'admins', 'bob', 0),
                ('acme', 'nurses', 'cia', 0)",
        "INSERT INTO member_attributes (account_id, user_id, attributes)
         VALUES ('acme', 'cia', '{\"boss\":true}')",
    ] {
        db.write_one(sql(text)).await.unwrap();
    }
    let clock = Arc::new(ManualClock::at(from_micros(1_000_000)));
    let ctx = Ctx { db, clock, entropy: Arc::new(CountedEntropy::default()), seal: None };
    let (policies, acme) = (Policies::new(&ctx), "acme".parse().unwrap());
    let world = World { policies, ctx, acme, _folder: folder };
    world.policies.declare(&world.acme, "P", &json!({ "rules": policy })).await.unwrap();
    world
}

impl World {
    /// Whether a statement may stand that somebody signed in with `amr` asks for.
    async fn change(&self, statement: &'static str, amr: &str) -> Result<(), PolicyError> {
        let facts = Attributes::new().with("environment", "amr", Fact::texts([amr.to_owned()]));
        let unit = (self.acme.clone(), statement, facts);
        self.ctx
            .db
            .write(unit, |tx, (account, statement, facts)| {
                Box::pin(async move {
                    tx.execute(sql(statement)).await?;
                    tx.touch(Topic::Accounts);
                    keeps_administrator(tx, account, facts).await
                })
            })
            .await
    }

    async fn check(&self, statement: &'static str, stands: bool) {
        let changed = self.change(statement, "pwd").await;
        match changed {
            Ok(()) => assert!(stands, "{statement}"),
            Err(PolicyError::LastAdministrator) => assert!(!stands, "{statement}"),
            Err(other) => panic!("{statement}: {other:?}"),
        }
    }
}

fn for_group(group: &str) -> Value {
    json!([{ "user.groups": { "comparison": "includes", "value": group } }])
}

const WITHOUT_ANN: &str = "DELETE FROM group_members WHERE user_id = 'ann'";
const WITHOUT_BOB: &str = "DELETE FROM group_members WHERE user_id = 'bob'";

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = world(&json!({ "accessAdmin": for_group("admins") })).await;

    world.check("DELETE FROM policies", false).await;
    world.check("DELETE FROM group_members WHERE group_id = 'admins'", false).await;
    world.check("DELETE FROM account_groups WHERE id = 'admins'", false).await;
    world.check("UPDATE users SET status = 'disabled' WHERE id <> 'cia'", false).await;
    world.check("UPDATE policies SET document = '{\"rules\":{\"readData\":true}}'", false).await;
    world.check(WITHOUT_ANN, true).await;
    world.check(WITHOUT_BOB, false).await;
    // Whoever is a nurse does not count, and neither does another account's administrator.
    world.check("DELETE FROM group_members WHERE user_id = 'cia'", true).await;
}

#[tokio::test]
async fn of_two_who_remove_each_other_one_is_refused() {
    let world = world(&json!({ "accessAdmin": for_group("admins") })).await;

    let (first, second) =
        tokio::join!(world.change(WITHOUT_ANN, "pwd"), world.change(WITHOUT_BOB, "pwd"));

    let refused = [first, second]
        .into_iter()
        .filter(|changed| matches!(changed, Err(PolicyError::LastAdministrator)));
    assert_eq!(refused.count(), 1);
}

#[tokio::test]
async fn a_condition_on_the_resource_is_not_enough_and_one_on_the_sign_in_is_met_by_the_callers() {
    let groups = for_group("admins")[0]["user.groups"].clone();
    let rule = |path: &str, value: Value| json!({ "accessAdmin": [{ "user.groups": groups, path: value }] });
    let policies = [
        (rule("resource.type", json!({ "comparison": "equals", "value": "group" })), false),
        (rule("environment.amr", json!({ "comparison": "includes", "value": "otp" })), false),
        (rule("environment.amr", json!({ "comparison": "includes", "value": "pwd" })), true),
        (rule("user.email", json!({ "comparison": "endsWith", "value": "@acme.example" })), true),
        (rule("user.id", json!({ "comparison": "equals", "value": "cia" })), false),
        (
            json!({ "accessAdmin": [{ "user.customAttributes.boss":
                { "comparison": "equals", "value": true } }] }),
            true,
        ),
        (json!({ "accessAdmin": true }), true),
        (json!({ "readData": true }), false),
    ];
    for (policy, stands) in policies {
        world(&policy).await.check("UPDATE users SET name = 'x'", stands).await;
    }
}

/// Members are looked at page by page.
#[tokio::test]
async fn an_administrator_is_found_behind_many_members() {
    let world = world(&json!({ "accessAdmin": [{ "user.username":
        { "comparison": "equals", "value": "zoe" } }] }))
    .await;
    for number in 0..450 {
        let id = if number == 449 { "zoe".to_owned() } else { format!("u{number:03}") };
        let user = sql("INSERT INTO users (id, username, username_key, email_verified, attributes,
                                           status, created_at, updated_at)
                        VALUES ($1, $1, $1, 0, '{}', 'active', 0, 0)");
        world.ctx.db.write_one(user.bind(&id)).await.unwrap();
        let member = sql("INSERT INTO group_members (account_id, group_id, user_id, joined_at)
                          VALUES ('acme', 'nurses', $1, 0)");
        world.ctx.db.write_one(member.bind(&id)).await.unwrap();
    }

    world.check("UPDATE users SET name = 'x'", true).await;
    world.check("DELETE FROM group_members WHERE user_id = 'zoe'", false).await;
}

#[tokio::test]
async fn case_63_a_group_is_given_by_those_who_hold_what_it_gives() {
    let heart = json!({ "comparison": "in", "value": ["heart"] });
    let in_group = |group: &str| for_group(group)[0]["user.groups"].clone();
    let world = world(&json!({
        "accessAdmin": [for_group("admins")[0].clone(), for_group("nurses")[0].clone()],
        "readData": [
            { "user.groups": in_group("nurses"), "resource.dataset": heart },
            { "user.groups": in_group("visitors"), "resource.dataset": heart },
            for_group("admins")[0].clone(),
        ],
        "billingAdmin": [{ "user.id": { "comparison": "equals", "value": "ann" } }],
        "apiKeyUser": for_group("keys"),
    }))
    .await;
    let give = async |user: &str, own: &str, group: &str| {
        let user: UserId = user.parse().unwrap();
        let facts = Attributes::new().with("user", "id", user.as_str()).with(
            "user",
            "groups",
            Fact::texts([own.to_owned()]),
        );
        let all = Document::parse(&json!({ "rules": { "accessAdmin": true } })).unwrap();
        let permit = authorize(&all, &facts, &world.acme, &user).unwrap();
        match world.policies.may_give(&permit, &facts, &group.parse::<GroupId>().unwrap()).await {
            Ok(()) => "given".to_owned(),
            Err(PolicyError::GrantsMoreThanHeld(operation)) => operation,
            Err(other) => panic!("{other:?}"),
        }
    };

    assert_eq!(give("ann", "admins", "admins").await, "given");
    assert_eq!(give("ann", "admins", "nurses").await, "given");
    assert_eq!(give("ann", "admins", "keys").await, "apiKeyUser");
    assert_eq!(give("cia", "nurses", "nurses").await, "given");
    assert_eq!(give("cia", "nurses", "visitors").await, "given");
    assert_eq!(give("cia", "nurses", "admins").await, "readData");
    assert_eq!(give("cia", "nurses", "nobody").await, "given");
}
