//! Projects, in a database.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::CountedEntropy;
use crate::base::id::{AccountId, ProjectId};
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, testing};
use crate::policy::attributes::Attributes;
use crate::policy::document::Document;
use crate::policy::filter::Filter;
use crate::policy::permit::{Permit, authorize};
use crate::policy::privilege::{Privilege, ProjectAdmin, ReadData};
use crate::policy::service::Declared::{Created, Unchanged, Updated};
use crate::projects::model::{NewProject, ProjectError};
use crate::projects::service::{ProjectQuery, Projects};
use crate::projects::store::{self, Which};

struct World {
    projects: Projects,
    db: Db,
    _folder: testing::Guard,
}

/// The accounts `acme`, with the projects `p1` to `p4`, and `other`, with `q1`.
async fn world() -> World {
    let (folder, db) = testing::open().await;
    for account in ["acme", "other"] {
        db.write_one(
            sql("INSERT INTO accounts (id, name, type, status, created_at, updated_at)
                 VALUES ($1, $1, 'FREE', 'ACTIVE', 0, 0)")
            .bind(&account_id(account)),
        )
        .await
        .unwrap();
    }
    let clock = Arc::new(ManualClock::at(from_micros(1_000_000)));
    let ctx =
        Ctx { db: db.clone(), clock, entropy: Arc::new(CountedEntropy::default()), seal: None };
    let projects = Projects::new(&ctx);
    for (account, id, name) in [
        ("acme", "p1", "Heart"),
        ("acme", "p2", "Hea%t"),
        ("acme", "p3", "heart"),
        ("acme", "p4", "Lung"),
        ("other", "q1", "Heart"),
    ] {
        projects.declare(&account_id(account), &project(Some(id), name)).await.unwrap();
    }
    World { projects, db, _folder: folder }
}

fn account_id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn project(id: Option<&str>, name: &str) -> NewProject {
    let id = id.map(|id| id.parse().unwrap());
    NewProject { id, name: name.to_owned(), description: None }
}

fn permit<P: Privilege>(rule: &Value) -> Permit<P> {
    let policy = Document::parse(&json!({"rules": {P::NAME: rule}})).unwrap();
    let user = "ann".parse().unwrap();
    authorize(&policy, &Attributes::new(), &account_id("acme"), &user).unwrap()
}

fn only(attribute: &str, value: &str) -> Value {
    json!([{attribute: {"comparison": "equals", "value": value}}])
}

async fn ids(
    world: &World,
    permit: &Permit<ReadData>,
    bend: impl FnOnce(&mut ProjectQuery),
) -> String {
    let mut query = ProjectQuery { limit: 10, ..ProjectQuery::default() };
    bend(&mut query);
    let found = world.projects.list(permit, &query).await.unwrap();
    let count = world.projects.count(permit, &query).await.unwrap();
    let ids: Vec<&str> = found.iter().map(|project| project.id.as_str()).collect();
    format!("{} of {count}", ids.join(" "))
}

#[tokio::test]
async fn a_list_shows_what_is_asked_for_in_pages() {
    let world = world().await;
    let all = permit(&json!(true));

    assert_eq!(ids(&world, &all, |_| ()).await, "p1 p2 p3 p4 of 4");
    assert_eq!(ids(&world, &all, |q| q.limit = 2).await, "p1 p2 of 4");
    assert_eq!(ids(&world, &all, |q| q.after = "p2".parse().ok()).await, "p3 p4 of 4");
    assert_eq!(ids(&world, &all, |q| q.name_prefix = Some("Hea".into())).await, "p1 p2 of 2");
    assert_eq!(ids(&world, &all, |q| q.name_prefix = Some("Hea%".into())).await, "p2 of 1");
    assert_eq!(ids(&world, &all, |q| q.name_prefix = Some("____".into())).await, " of 0");
    let some = ["p4", "p1", "q1", "p1"].map(|id| id.parse().unwrap());
    assert_eq!(ids(&world, &all, |q| q.ids = some.to_vec()).await, "p1 p4 of 2");
}

#[tokio::test]
async fn a_list_and_its_count_show_what_the_policies_allow() {
    let world = world().await;

    for attribute in ["resource.dataset", "resource.id"] {
        let one = permit(&only(attribute, "p3"));
        assert_eq!(ids(&world, &one, |_| ()).await, "p3 of 1");
        assert_eq!(ids(&world, &one, |q| q.limit = 0).await, " of 1");
        assert_eq!(ids(&world, &one, |q| q.ids = vec!["p1".parse().unwrap()]).await, " of 0");
        assert!(world.projects.get(&one, &"p3".parse().unwrap()).await.unwrap().is_some());
        assert_eq!(world.projects.get(&one, &"p1".parse().unwrap()).await.unwrap(), None);
    }
    assert_eq!(ids(&world, &permit(&only("resource.dataset", "q1")), |_| ()).await, " of 0");
    assert_eq!(
        ids(&world, &permit(&only("resource.type", "project")), |_| ()).await,
        "p1 p2 p3 p4 of 4"
    );
    assert_eq!(ids(&world, &permit(&only("resource.subject", "s1")), |_| ()).await, " of 0");
}

#[tokio::test]
async fn a_project_is_made_by_whoever_may_for_all_of_them() {
    let world = world().await;
    let all: Permit<ProjectAdmin> = permit(&json!(true));
    let one: Permit<ProjectAdmin> = permit(&only("resource.dataset", "p1"));

    let made = world.projects.create(&all, &project(None, "Skin")).await.unwrap();
    let again = world.projects.create(&all, &project(None, "Skin")).await;
    let denied = world.projects.create(&one, &project(None, "Bone")).await;
    let long = world.projects.create(&all, &project(None, &"x".repeat(201))).await;

    assert_eq!(made.account, account_id("acme"));
    assert!(matches!(again, Err(ProjectError::NameTaken)));
    assert!(matches!(denied, Err(ProjectError::Denied)));
    assert!(matches!(long, Err(ProjectError::BadText("name", _))));
    assert_eq!(
        ids(&world, &permit(&json!(true)), |q| q.ids = vec![made.id.clone()]).await,
        format!("{} of 1", made.id)
    );
}

#[tokio::test]
async fn what_is_declared_twice_is_done_once() {
    let world = world().await;
    let (projects, acme) = (&world.projects, account_id("acme"));
    let described =
        NewProject { description: Some("x".to_owned()), ..project(Some("p1"), "Heart 2") };

    assert_eq!(projects.compare(&acme, &project(Some("p1"), "Heart")).await.unwrap(), Unchanged);
    assert_eq!(
        projects.declare(&acme, &project(None, "Heart")).await.unwrap(),
        ("p1".parse().unwrap(), Unchanged)
    );
    assert_eq!(projects.compare(&acme, &described).await.unwrap(), Updated);
    assert_eq!(projects.declare(&acme, &described).await.unwrap().1, Updated);
    assert_eq!(projects.declare(&acme, &described).await.unwrap().1, Unchanged);
    assert_eq!(projects.compare(&acme, &project(Some("p9"), "New")).await.unwrap(), Created);
    let refused = [
        projects.declare(&acme, &project(Some("p9"), "Lung")).await.unwrap_err(),
        projects.declare(&acme, &project(Some("q1"), "New")).await.unwrap_err(),
        projects.declare(&account_id("nowhere"), &project(None, "New")).await.unwrap_err(),
    ];
    assert_eq!(
        refused.map(|error| error.to_string()),
        [
            "a project of that name already exists",
            "the project id q1 is in use",
            "there is no account nowhere",
        ]
    );
}

#[tokio::test]
async fn case_59_no_store_function_sees_or_changes_another_account() {
    let world = world().await;
    let (db, other, p1) = (&world.db, account_id("other"), "p1".parse::<ProjectId>().unwrap());
    let everything = || Filter { sql: "(1 = 1)".to_owned(), params: Vec::new() };
    let which = Which { name_prefix: "", ids: std::slice::from_ref(&p1) };

    let listed = store::list(db, &other, which, (None, 10), everything()).await.unwrap();
    let counted = store::count(db, &other, which, 10, everything()).await.unwrap();
    assert_eq!((listed.len(), counted), (0, 0));
    assert_eq!(store::find(db, &other, &p1).await.unwrap(), None);
    assert_eq!(store::find_named(db, &other, "Lung").await.unwrap(), None);
    let stolen = db.write(p1.clone(), |tx, p1| {
        Box::pin(async move {
            let stolen = project(None, "Stolen");
            store::update(tx, &account_id("other"), (p1, &stolen), from_micros(0)).await?;
            Ok::<_, DbError>(())
        })
    });
    stolen.await.unwrap();
    let still = store::find(db, &account_id("acme"), &p1).await.unwrap().unwrap();
    assert_eq!(still.name, "Heart");
}

#[tokio::test]
async fn case_59_no_query_of_one_account_reads_the_rows_of_another() {
    let (_folder, db) = testing::open().await;
    let (acme, p1) = (account_id("acme"), "p1".parse::<ProjectId>().unwrap());
    let everything = || Filter { sql: "(1 = 1)".to_owned(), params: Vec::new() };
    let asked = testing::Recorder::default();
    for ids in [&[][..], std::slice::from_ref(&p1)] {
        for name_prefix in ["", "H"] {
            let which = Which { name_prefix, ids };
            store::list(&asked, &acme, which, (None, 26), everything()).await.unwrap();
            store::count(&asked, &acme, which, 100, everything()).await.unwrap();
        }
    }
    store::find(&asked, &acme, &p1).await.unwrap();
    store::find_named(&asked, &acme, "Heart").await.unwrap();
    store::due(&asked, from_micros(0), 100).await.unwrap();

    asked.assert_searched(&db).await;
}
