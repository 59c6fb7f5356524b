//! Accounts, groups and members, in a database.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::accounts::model::{AccountError, AccountKind, GroupKind, NewAccount, NewGroup};
use crate::accounts::service::{Accounts, GroupQuery};
use crate::accounts::store;
use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::CountedEntropy;
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, testing};
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::filter::Filter;
use crate::policy::permit::{Permit, authorize};
use crate::policy::privilege::AccessAdmin;
use crate::policy::service::Declared::{Created, Unchanged, Updated};

struct World {
    accounts: Accounts,
    db: Db,
    _folder: testing::Guard,
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn account(name: &str) -> NewAccount {
    NewAccount {
        id: id(name),
        name: name.to_uppercase(),
        description: None,
        owner: Some(format!("owner@{name}.example")),
        kind: AccountKind::Paid,
        products: Vec::new(),
        requires_second_factor: false,
    }
}

fn group(name: &str) -> NewGroup {
    NewGroup {
        id: Some(id(name)),
        name: format!("The {name}"),
        description: None,
        kind: GroupKind::Closed,
    }
}

/// The accounts `acme` and `other` and the users `ann` and `bob`; `ann` is in acme's `staff`.
async fn world() -> World {
    let (folder, db) = testing::open().await;
    for user in ["ann", "bob"] {
        db.write_one(
            sql("INSERT INTO users
                   (id, username, username_key, email_verified, attributes, status, created_at,
                    updated_at)
                 VALUES ($1, $1, $1, 0, '{}', 'active', 0, 0)")
            .bind(user),
        )
        .await
        .unwrap();
    }
    let clock = Arc::new(ManualClock::at(from_micros(1_000_000)));
    let ctx =
        Ctx { db: db.clone(), clock, entropy: Arc::new(CountedEntropy::default()), seal: None };
    let accounts = Accounts::new(&ctx);
    for name in ["acme", "other"] {
        accounts.declare_account(&account(name)).await.unwrap();
    }
    accounts.declare_group(&id("acme"), &group("staff")).await.unwrap();
    accounts.declare_members(&id("acme"), &id("staff"), &[id("ann")]).await.unwrap();
    accounts.declare_attributes(&id("acme"), &id("ann"), &attributes("red")).await.unwrap();
    World { accounts, db, _folder: folder }
}

fn attributes(colour: &str) -> Map<String, Value> {
    [("colour".to_owned(), Value::from(colour))].into_iter().collect()
}

fn permit(account: &str, rule: &Value) -> Permit<AccessAdmin> {
    let policy = Document::parse(&json!({"rules": {"accessAdmin": rule}})).unwrap();
    authorize(&policy, &Attributes::new(), &id(account), &id("ann")).unwrap()
}

async fn names(world: &World, permit: &Permit<AccessAdmin>, prefix: &str) -> Vec<String> {
    let query = GroupQuery { name_prefix: Some(prefix.to_owned()), after: None, limit: 10 };
    let groups = world.accounts.groups(permit, &query).await.unwrap();
    groups.into_iter().map(|group| group.name).collect()
}

#[tokio::test]
async fn what_is_declared_twice_is_done_once() {
    let world = world().await;
    let (accounts, acme, staff) = (&world.accounts, id("acme"), id("staff"));
    let before = world.db.changes().epoch(Topic::Accounts);

    assert_eq!(accounts.compare_account(&account("acme")).await.unwrap(), Unchanged);
    assert_eq!(accounts.declare_account(&account("acme")).await.unwrap(), Unchanged);
    assert_eq!(accounts.compare_group(&acme, &group("staff")).await.unwrap(), Unchanged);
    assert_eq!(accounts.declare_group(&acme, &group("staff")).await.unwrap().1, Unchanged);
    let members = [id("ann"), id("ann")];
    assert_eq!(accounts.compare_members(&acme, &staff, &members).await.unwrap(), Unchanged);
    assert_eq!(accounts.declare_members(&acme, &staff, &members).await.unwrap(), Unchanged);
    let red = attributes("red");
    assert_eq!(accounts.declare_attributes(&acme, &id("ann"), &red).await.unwrap(), Unchanged);
    let none = Map::new();
    assert_eq!(accounts.declare_attributes(&acme, &id("bob"), &none).await.unwrap(), Unchanged);
    assert_eq!(world.db.changes().epoch(Topic::Accounts), before, "no cache forgets anything");
}

#[tokio::test]
async fn what_is_declared_otherwise_is_changed() {
    let world = world().await;
    let (accounts, acme, staff) = (&world.accounts, id("acme"), id::<GroupId>("staff"));
    let richer = NewAccount { kind: AccountKind::Enterprise, ..account("acme") };
    let renamed = NewGroup { name: "Everybody".to_owned(), ..group("staff") };
    let nameless = NewGroup { id: None, description: Some("x".to_owned()), ..renamed.clone() };

    assert_eq!(accounts.compare_account(&richer).await.unwrap(), Updated);
    assert_eq!(accounts.declare_account(&richer).await.unwrap(), Updated);
    let found = accounts.find(&acme).await.unwrap().unwrap();
    assert_eq!((found.kind, found.name.as_str()), (AccountKind::Enterprise, "ACME"));
    assert_eq!(accounts.compare_group(&acme, &renamed).await.unwrap(), Updated);
    assert_eq!(accounts.declare_group(&acme, &renamed).await.unwrap(), (staff.clone(), Updated));
    assert_eq!(accounts.declare_group(&acme, &nameless).await.unwrap(), (staff.clone(), Updated));
    let found = accounts.group_named(&acme, "Everybody").await.unwrap().unwrap();
    assert_eq!((found.id, found.description.as_deref()), (staff, Some("x")));
    let fresh = NewGroup { name: "New".to_owned(), ..nameless };
    assert_eq!(accounts.declare_group(&acme, &fresh).await.unwrap().1, Created);
    let blue = attributes("blue");
    assert_eq!(accounts.compare_attributes(&acme, &id("ann"), &blue).await.unwrap(), Updated);
    assert_eq!(accounts.declare_attributes(&acme, &id("ann"), &blue).await.unwrap(), Updated);
    assert_eq!(accounts.compare_attributes(&acme, &id("bob"), &blue).await.unwrap(), Created);
}

#[tokio::test]
async fn a_declaration_that_contradicts_is_refused() {
    let world = world().await;
    let (accounts, acme, other) = (&world.accounts, id("acme"), id("other"));
    let nowhere: AccountId = id("nowhere");
    let nobody: UserId = id("nobody");
    let blue = attributes("blue");
    let big = attributes(&"x".repeat(20_000));
    let namesake = NewGroup { id: Some(id("staff2")), ..group("staff") };
    let nameless = NewAccount { name: " ".to_owned(), ..account("acme") };

    let refused = [
        accounts.declare_account(&nameless).await.unwrap_err(),
        accounts.declare_group(&nowhere, &group("x")).await.unwrap_err(),
        accounts.declare_group(&other, &group("staff")).await.unwrap_err(),
        accounts.declare_group(&acme, &namesake).await.unwrap_err(),
        accounts.compare_group(&acme, &namesake).await.unwrap_err(),
        accounts.declare_members(&other, &id("staff"), &[]).await.unwrap_err(),
        accounts
            .declare_members(&acme, &id("staff"), std::slice::from_ref(&nobody))
            .await
            .unwrap_err(),
        accounts.declare_attributes(&nowhere, &id("ann"), &blue).await.unwrap_err(),
        accounts.declare_attributes(&acme, &nobody, &blue).await.unwrap_err(),
        accounts.declare_attributes(&acme, &id("ann"), &big).await.unwrap_err(),
    ];

    let texts: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "name must not be empty",
            "there is no account nowhere",
            "the group id staff is in use",
            "another group of the account is called The staff",
            "another group of the account is called The staff",
            "there is no group staff in this account",
            "there is no user nobody",
            "there is no account nowhere",
            "there is no user nobody",
            "the attributes of a member may have at most 16384 bytes of JSON",
        ]
    );
    let still = accounts.membership(&acme, &id("ann")).await.unwrap().unwrap();
    assert_eq!(still.attributes, attributes("red"), "nothing was left half done");
}

#[tokio::test]
async fn a_membership_begins_and_ends_with_the_last_group() {
    let world = world().await;
    let (accounts, acme, ann, bob) = (&world.accounts, id("acme"), id("ann"), id("bob"));
    let found = accounts.membership(&acme, &ann).await.unwrap().unwrap();
    assert_eq!(
        (found.groups.as_slice(), &found.attributes),
        (&[id("staff")][..], &attributes("red"))
    );
    assert!(accounts.membership(&acme, &bob).await.unwrap().is_none());

    accounts.declare_members(&acme, &id("staff"), &[id("bob")]).await.unwrap();

    assert!(accounts.membership(&acme, &ann).await.unwrap().is_none(), "attributes are no place");
    assert!(accounts.membership(&acme, &bob).await.unwrap().is_some());
    let of_ann = accounts.accounts_of(&ann).await.unwrap();
    let of_bob = accounts.accounts_of(&bob).await.unwrap();
    assert!(of_ann.is_empty());
    assert_eq!(of_bob.iter().map(|a| a.id.as_str()).collect::<Vec<_>>(), ["acme"]);
}

#[tokio::test]
async fn groups_are_those_that_the_policies_show() {
    let world = world().await;
    let acme: AccountId = id("acme");
    for name in ["a%", "ab", "B"] {
        let group = NewGroup { name: name.to_owned(), id: None, ..group("x") };
        world.accounts.declare_group(&acme, &group).await.unwrap();
    }
    let all = permit("acme", &json!(true));
    let one = permit("acme", &json!([{"resource.id": {"comparison": "equals", "value": "staff"}}]));
    let typed =
        permit("acme", &json!([{"resource.type": {"comparison": "equals", "value": "group"}}]));
    let data =
        permit("acme", &json!([{"resource.dataset": {"comparison": "equals", "value": "p1"}}]));

    assert_eq!(names(&world, &all, "").await.len(), 4);
    assert_eq!(names(&world, &all, "a").await, ["a%", "ab"]);
    assert_eq!(names(&world, &all, "a%").await, ["a%"], "a prefix is no pattern");
    assert_eq!(names(&world, &all, "b").await, [""; 0], "upper and lower case differ");
    assert_eq!(names(&world, &one, "").await, ["The staff"]);
    assert_eq!(names(&world, &typed, "").await.len(), 4);
    assert_eq!(names(&world, &data, "").await, [""; 0]);
}

#[tokio::test]
async fn case_59_no_store_function_sees_or_changes_another_account() {
    let world = world().await;
    let (db, other, staff, ann) = (&world.db, id("other"), id("staff"), id("ann"));
    let everything = Filter { sql: "(1 = 1)".to_owned(), params: Vec::new() };

    assert_eq!(store::group(db, &other, &staff).await.unwrap(), None);
    assert_eq!(store::group_named(db, &other, "The staff").await.unwrap(), None);
    assert_eq!(store::members(db, &other, &staff).await.unwrap(), []);
    assert_eq!(store::membership(db, &other, &ann).await.unwrap(), None);
    assert_eq!(store::attributes(db, &other, &ann).await.unwrap(), None);
    assert_eq!(store::groups(db, &other, ("", None, 10), everything).await.unwrap(), []);
    let writes = db.write((), |tx, ()| {
        Box::pin(async move {
            let (other, staff, now) = (id("other"), id("staff"), from_micros(0));
            store::update_group(tx, &other, (&staff, &group("stolen")), now).await?;
            store::delete_member(tx, &other, (&staff, &id("ann"))).await?;
            store::put_attributes(tx, &other, &id("ann"), "{}").await?;
            Ok::<_, DbError>(())
        })
    });
    writes.await.unwrap();
    let joins = db.write((), |tx, ()| {
        Box::pin(async move {
            let (other, staff) = (id("other"), id::<GroupId>("staff"));
            store::insert_member(tx, &other, (&staff, &id("bob")), from_micros(0)).await
        })
    });
    assert!(matches!(joins.await, Err(DbError::Refused(_))), "a group of another account");

    let acme = id("acme");
    assert_eq!(store::group(db, &acme, &staff).await.unwrap().unwrap().name, "The staff");
    assert_eq!(store::members(db, &acme, &staff).await.unwrap(), std::slice::from_ref(&ann));
    assert_eq!(store::attributes(db, &acme, &ann).await.unwrap(), Some(attributes("red")));
    assert!(matches!(
        world.accounts.declare_members(&other, &staff, &[ann]).await,
        Err(AccountError::UnknownGroup(_))
    ));
}
