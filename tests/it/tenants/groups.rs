//! Groups, their members, the people of an account, and oneself.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::tenants::{Desk, each};

both!(
    a_group_is_made_changed_and_deleted,
    members_come_and_go_and_what_they_may_follows_at_once,
    case_63_nobody_lets_others_in_to_more_than_they_hold_or_leaves_last,
    case_62_no_scope_makes_somebody_a_member,
    case_63_nobody_opens_by_taking_away_what_they_do_not_hold,
    what_every_account_has_is_not_deleted,
    case_59_groups_and_people_of_others_are_not_there,
    one_changes_ones_own_names_and_nothing_else,
    case_61_where_no_account_is_needed_a_wrong_one_is_refused_all_the_same,
    people_are_listed_page_by_page,
);

const GROUPS: &str = "/v1/account/groups";

/// The world, where acme has a group whose members read everything.
async fn wide(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-wide, name: Wide, members: [dev] }], policies: [{ name: Wide, rules: { readData: [{ user.groups: { comparison: includes, value: acme-wide } }] } }] }]")
        .await;
    server
}

async fn a_group_is_made_changed_and_deleted(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let body = json!({"name": "Night shift", "description": "After ten"});
    let made = desk.post(GROUPS, "acme", body).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    let path = format!("{GROUPS}/{id}");
    assert_eq!(
        made,
        json!({"id": id, "name": "Night shift", "description": "After ten", "account": "acme",
               "type": "CLOSED", "deleteProtected": false})
    );
    assert_eq!(desk.get(&path, "acme").await.expect(200).json(), made);
    // As the command line sends it.
    let body = json!({"id": id, "name": "Early shift"});
    let changed = desk.put(&path, "acme", body.clone()).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Early shift"), &Value::Null));
    let listed = desk.get(&format!("{GROUPS}?name=Early"), "acme").await.expect(200);
    assert_eq!(each(&listed, "id"), [id]);

    for (body, refusal) in [
        (json!({"name": "Nurses"}), "409 already_exists"),
        (json!({"name": " "}), "400 invalid_body"),
        (json!({"name": "A\u{202E}B"}), "400 invalid_body"),
        (json!({"name": "x".repeat(201)}), "400 invalid_body"),
        (json!({"name": "A", "type": "OPEN"}), "400 invalid_body"),
        (json!({"id": "acme-nurses", "name": "A"}), "400 invalid_body"),
    ] {
        assert_eq!(desk.post(GROUPS, "acme", body.clone()).await.refusal(), refusal, "{body}");
        assert_eq!(desk.put(&path, "acme", body.clone()).await.refusal(), refusal, "{body}");
    }

    assert_eq!(desk.delete(&path, "acme").await.line(), "204");
    assert_eq!(desk.delete(&path, "acme").await.refusal(), "404 not_found");
    assert_eq!(desk.get(&path, "acme").await.refusal(), "404 not_found");
    assert_eq!(desk.put(&path, "acme", body).await.refusal(), "404 not_found");
}

async fn members_come_and_go_and_what_they_may_follows_at_once(db: Kind) {
    let server = wide(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let of_ben = Desk::of(&server, &ben(&server)).await;
    let members = |group: &str| format!("{GROUPS}/{group}/members");
    let seen = async || {
        let answer = of_ben.get("/v1/projects", "acme").await;
        if answer.status == 200 { each(&answer, "id").join(" ") } else { answer.refusal() }
    };
    assert_eq!(seen().await, "heart");

    let path = format!("{}/ben", members("acme-wide"));
    assert_eq!(desk.put(&path, "acme", Value::Null).await.line(), "204");
    assert_eq!(desk.put(&path, "acme", Value::Null).await.line(), "204", "once more is the same");
    assert_eq!(seen().await, "heart liver lung");
    let listed = desk.get(&members("acme-wide"), "acme").await.expect(200);
    assert_eq!(each(&listed, "id"), ["ben", "dev"]);
    assert_eq!(listed.json()["items"][0]["profile"]["displayName"], "Ben Brandt");
    assert_eq!(desk.delete(&path, "acme").await.line(), "204");
    assert_eq!(desk.delete(&path, "acme").await.refusal(), "404 not_found");
    assert_eq!(seen().await, "heart");

    // Whoever is no member yet is invited, not added.
    let stranger = format!("{}/eve", members("acme-nurses"));
    assert_eq!(desk.put(&stranger, "acme", Value::Null).await.refusal(), "404 not_found");
    let nobody = format!("{}/nobody", members("acme-nurses"));
    assert_eq!(desk.put(&nobody, "acme", Value::Null).await.refusal(), "404 not_found");

    let person = desk.get("/v1/account/users/ben", "acme").await.expect(200).json();
    assert_eq!(person["groups"], json!(["acme-nurses"]));
    assert_eq!(desk.delete("/v1/account/users/ben", "acme").await.line(), "204");
    assert_eq!(desk.delete("/v1/account/users/ben", "acme").await.refusal(), "404 not_found");
    assert_eq!(seen().await, "403 not_a_member");
    assert_eq!(desk.get("/v1/account/users/ben", "acme").await.refusal(), "404 not_found");
    let recorded = "SELECT COUNT(*) AS n FROM audit_entries
                     WHERE chain = 'acme' AND kind = 'member' AND target = 'ben' AND user_id = 'ada'";
    assert_eq!(server.count(recorded).await, 3, "added, removed, removed from all");
}

/// Ada administers access in acme, and holds neither developApps nor anything in beta.
async fn case_63_nobody_lets_others_in_to_more_than_they_hold_or_leaves_last(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let put = async |path: &str| desk.put(path, "acme", Value::Null).await.refusal();
    let delete = async |path: &str| desk.delete(path, "acme").await.refusal();

    let developers = format!("{GROUPS}/acme-developers/members");
    for who in ["ada", "ben"] {
        assert_eq!(put(&format!("{developers}/{who}")).await, "403 grants_more_than_held");
    }
    assert_eq!(put(&format!("{GROUPS}/beta-admins/members/ada")).await, "404 not_found");
    for path in [
        &format!("{GROUPS}/acme-admins/members/ada"),
        &format!("{GROUPS}/acme-admins"),
        "/v1/account/users/ada",
    ] {
        assert_eq!(delete(path).await, "409 last_administrator", "{path}");
    }
    desk.get("/v1/account/users/ada", "acme").await.expect(200);

    // Of two who take away each other's access at once one stays.
    let admins = format!("{GROUPS}/acme-admins/members");
    desk.put(&format!("{admins}/ben"), "acme", Value::Null).await.expect(204);
    let of_ben = Desk::of(&server, &ben(&server)).await;
    let (one, two) = (format!("{admins}/ben"), format!("{admins}/ada"));
    let (one, two) = tokio::join!(desk.delete(&one, "acme"), of_ben.delete(&two, "acme"));
    let left = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-admins'";
    assert_eq!(server.count(left).await, 1, "{one:?} {two:?}");
}

async fn what_every_account_has_is_not_deleted(db: Kind) {
    let server = TestServer::start(db).await;
    let accounts = &server.server.accounts;
    let made = accounts.declare_defaults(&"acme".parse().unwrap()).await.unwrap();
    let again = accounts.declare_defaults(&"acme".parse().unwrap()).await.unwrap();
    assert_eq!(made, again);
    assert_eq!(made.administrators.as_str(), "acme-admins", "the one of that name");
    let desk = Desk::of(&server, &ada(&server)).await;

    let listed = desk.get(GROUPS, "acme").await.expect(200).json();
    let mut names: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|group| group["deleteProtected"] == true)
        .map(|group| group["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Administrators", "Subjects", "Users"]);
    for id in [&made.administrators, &made.users, &made.subjects] {
        let answer = desk.delete(&format!("{GROUPS}/{id}"), "acme").await;
        assert_eq!(answer.refusal(), "409 protected");
    }
    let policy = desk.get("/v1/policies/Subject%20Access", "acme").await.expect(200).json();
    let rules = policy["policy"]["rules"].as_object().unwrap();
    assert_eq!(
        rules.keys().map(String::as_str).collect::<Vec<_>>(),
        ["createData", "deleteData", "readData", "updateData"]
    );
    let own = json!({"comparison": "includes", "target": "resource.subject"});
    assert!(rules.values().all(|rule| rule[0]["user.patients"] == own), "{rules:?}");
}

async fn case_59_groups_and_people_of_others_are_not_there(db: Kind) {
    let server = wide(db).await;
    let desk = Desk::of(&server, &eve(&server)).await;
    let rename = json!({"name": "Stolen"});

    for account in ["acme", "beta"] {
        let refusal = if account == "acme" { "403 not_a_member" } else { "404 not_found" };
        for path in [
            "/v1/account/groups/acme-nurses",
            "/v1/account/groups/acme-nurses/members",
            "/v1/account/users/ben",
        ] {
            assert_eq!(desk.get(path, account).await.refusal(), refusal, "{path}");
        }
        for path in [
            "/v1/account/groups/acme-nurses",
            "/v1/account/groups/acme-nurses/members/ben",
            "/v1/account/users/ben",
            "/v1/account/groups/beta-admins/members/ben",
        ] {
            assert_eq!(desk.delete(path, account).await.refusal(), refusal, "{path}");
        }
        for path in [
            "/v1/account/groups/acme-nurses/members/eve",
            "/v1/account/groups/beta-admins/members/ben",
        ] {
            assert_eq!(desk.put(path, account, Value::Null).await.refusal(), refusal, "{path}");
        }
        let path = "/v1/account/groups/acme-nurses";
        assert_eq!(desk.put(path, account, rename.clone()).await.refusal(), refusal);
    }
    let people = desk.get("/v1/account/users", "beta").await.expect(200);
    assert_eq!(each(&people, "id"), ["eve"]);

    let nurses = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-nurses'";
    assert_eq!(server.count(nurses).await, 1);
    let stolen = "SELECT COUNT(*) AS n FROM account_groups WHERE name = 'Stolen'";
    assert_eq!(server.count(stolen).await, 0);
    // The token of a page of one group's members is none for another's.
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let path = "/v1/account/groups/acme-wide/members/ben";
    of_ada.put(path, "acme", Value::Null).await.expect(204);
    let first = "/v1/account/groups/acme-wide/members?pageSize=1";
    let page = of_ada.get(first, "acme").await.expect(200).json();
    let next = page["links"]["next"].as_str().unwrap();
    assert_eq!(each(&of_ada.get(next, "acme").await.expect(200), "id"), ["dev"]);
    let bent = next.replace("acme-wide", "acme-nurses");
    assert_eq!(of_ada.get(&bent, "acme").await.refusal(), "400 invalid_query");
}

async fn one_changes_ones_own_names_and_nothing_else(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ben(&server)).await;

    let own = desk.get("/v1/user", "").await.expect(200).json();
    assert_eq!(
        own,
        json!({"id": "ben", "profile": {"email": "ben@acme.example", "displayName": "Ben Brandt"}})
    );
    let body = json!({"profile": {"givenName": "Ben", "familyName": "Brandt-Otto"}});
    let changed = desk.patch("/v1/user", "", body).await.expect(200).json();
    assert_eq!(changed["profile"]["displayName"], "Ben Brandt", "what is left out stays");
    assert_eq!(changed["profile"]["familyName"], "Brandt-Otto");
    let body = json!({"profile": {"givenName": null}});
    let changed = desk.patch("/v1/user", "acme", body).await.expect(200).json();
    assert_eq!(changed["profile"]["givenName"], Value::Null);
    for body in [
        json!({"profile": {"email": "other@acme.example"}}),
        json!({"id": "ada", "profile": {}}),
        json!({"profile": {"displayName": "A\nB"}}),
        json!({"profile": {"displayName": ""}}),
        json!({}),
    ] {
        assert_eq!(desk.patch("/v1/user", "", body).await.refusal(), "400 invalid_body");
    }
    assert_eq!(desk.get("/v1/user", "beta").await.refusal(), "403 not_a_member");
}

async fn people_are_listed_page_by_page(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-more, name: More, members: [ada, ben] }] }]")
        .await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let mut path = "/v1/account/users?pageSize=1".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = desk.get(&path, "acme").await.expect(200);
        seen.extend(each(&page, "id"));
        match page.json()["links"]["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }

    assert_eq!(seen, ["ada", "ben", "dev"], "each once, in however many groups");
}

async fn case_61_where_no_account_is_needed_a_wrong_one_is_refused_all_the_same(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let names = json!({"profile": {"givenName": "Ada"}});
    let answer = json!({"status": "ACCEPTED"});

    for (account, refusal) in [
        ("beta", "403 not_a_member"),
        ("nowhere", "403 not_a_member"),
        ("A", "400 invalid_account"),
    ] {
        for path in ["/v1/user", "/v1/invitations", "/v1/invitations/x", "/v1/accounts"] {
            assert_eq!(desk.get(path, account).await.refusal(), refusal, "{path}");
        }
        let patched = desk.patch("/v1/user", account, names.clone()).await;
        assert_eq!(patched.refusal(), refusal);
        let patched = desk.patch("/v1/invitations/x", account, answer.clone()).await;
        assert_eq!(patched.refusal(), refusal);
        let made = desk.post("/v1/accounts", account, json!({"name": "New"})).await;
        assert_eq!(made.refusal(), refusal);
    }
    for path in ["/v1/account/groups", "/v1/account/users", "/v1/account/invitations"] {
        assert_eq!(desk.get(path, "").await.refusal(), "400 account_required", "{path}");
    }
}

/// A rule may be for those who are in one group alone: who is taken out of another gains by it.
async fn case_63_nobody_opens_by_taking_away_what_they_do_not_hold(db: Kind) {
    let server = TestServer::start(db).await;
    let groups = "groups: [{ id: acme-night, name: Night, members: [ben] }, { id: acme-nurses, name: Nurses, members: [ben] }]";
    let alone = "{ name: Nurses alone, rules: { billingAdmin: [{ user.groups: { comparison: equals, value: [acme-nurses] } }] } }";
    let world = |policies: &str| {
        format!("accounts: [{{ id: acme, name: Acme Hospital, {groups}, policies: [{policies}] }}]")
    };
    server.apply(&world(alone)).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let delete = async |path: &str| desk.delete(&format!("{GROUPS}/{path}"), "acme").await;

    let out = delete("acme-night/members/ben").await;
    assert_eq!(out.refusal(), "403 grants_more_than_held");
    assert_eq!(out.text("privilege"), "billingAdmin");
    assert_eq!(delete("acme-night").await.refusal(), "403 grants_more_than_held");
    let both = "SELECT COUNT(*) AS n FROM group_members WHERE user_id = 'ben'";
    assert_eq!(server.count(both).await, 2);

    // Who gains nothing goes; and what one holds, others may gain.
    assert_eq!(delete("acme-nurses/members/ben").await.line(), "204");
    server.apply(&world(alone)).await;
    let held = "{ name: Bills, rules: { billingAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }] } }";
    server.apply(&world(held)).await;
    assert_eq!(delete("acme-night").await.line(), "204");
}

/// With every scope there is, nobody learns of an account that they are not in, nor does an account
/// learn of them.
async fn case_62_no_scope_makes_somebody_a_member(db: Kind) {
    let server = TestServer::start(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);

    for path in [
        "/v1/account/users/eve",
        "/v1/account/users/eve/patients",
        "/v1/policy-attributes/users/eve",
        "/v1/evaluated-policy",
        GROUPS,
        "/v1/account/invitations",
    ] {
        assert_eq!(of_eve.get(path, "acme").await.refusal(), "403 not_a_member", "{path}");
    }
    let accounts = of_eve.get("/v1/accounts", "").await.expect(200).json();
    assert_eq!(accounts["accounts"].as_array().map(Vec::len), Some(1), "{accounts}");
    assert_eq!(accounts["accounts"][0]["id"], "beta");
    for path in [
        "/v1/account/users/eve",
        "/v1/account/users/eve/patients",
        "/v1/policy-attributes/users/eve",
        "/v1/evaluated-policy?user=eve",
    ] {
        assert_eq!(of_ada.get(path, "acme").await.refusal(), "404 not_found", "{path}");
    }
    let own = of_eve.get("/v1/user", "beta").await.expect(200).json();
    assert_eq!((&own["groups"], &own["patients"]), (&Value::Null, &Value::Null));
}
