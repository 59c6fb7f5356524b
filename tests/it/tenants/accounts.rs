//! Accounts: made, changed, deleted after 14 days.

use chrono::TimeDelta;
use narthex::config::accounts::AccountCreation;
use narthex::worker::deletion::run_due;
use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve, portal};
use crate::tenants::{Desk, each};

both!(
    whoever_makes_an_account_administers_it,
    who_may_make_accounts_is_configured,
    case_63_an_account_is_changed_by_its_administrators_alone,
    case_59_accounts_of_others_stay_as_they_are,
    within_the_grace_period_everything_works_and_can_be_kept,
    after_the_grace_period_nothing_is_left_but_the_id,
    owners_are_written_to_three_times,
    one_of_two_who_want_an_id_gets_it,
);

const NEW: &str = "/v1/accounts";

/// A server where everybody may make accounts.
async fn open(db: Kind) -> TestServer {
    let server =
        TestServer::start_with(db, |config| config.account_creation = AccountCreation::Users).await;
    server.apply(include_str!("../common/world.yaml")).await;
    server
}

/// Ada's account `gamma`, which names her as its owner.
async fn gamma(server: &TestServer) -> Desk {
    let desk = Desk::of(server, &ada(server)).await;
    desk.post(NEW, "", json!({"id": "gamma", "name": "Gamma"})).await.expect(201);
    desk
}

async fn whoever_makes_an_account_administers_it(db: Kind) {
    let server = open(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let body = json!({"id": "gamma", "name": "Gamma", "description": "Third"});
    let made = desk.post(NEW, "", body.clone()).await.expect(201).json();
    assert_eq!(
        made,
        json!({"id": "gamma", "name": "Gamma", "description": "Third", "type": "FREE",
               "owner": "ada@acme.example", "status": "ACTIVE", "products": [], "features": [],
               "trialActive": false})
    );
    assert_eq!(desk.get("/v1/accounts/gamma", "gamma").await.expect(200).json(), made);
    let groups = desk.get("/v1/account/groups", "gamma").await.expect(200);
    let mut names = each(&groups, "name");
    names.sort_unstable();
    assert_eq!(names, ["Administrators", "Subjects", "Users"]);
    let policies = desk.get("/v1/policies", "gamma").await.expect(200);
    assert_eq!(each(&policies, "name"), ["Administrator Access", "Subject Access", "User Access"]);
    desk.post("/v1/projects", "gamma", json!({"name": "First"})).await.expect(201);
    let policy = json!({"name": "More", "policy": {"rules": {"billingAdmin": true}}});
    desk.post("/v1/policies", "gamma", policy).await.expect(201);
    // Administrators lack these, and give them to whom they want.
    let own = desk.get("/v1/evaluated-policy", "gamma").await.expect(200).json();
    for privilege in ["apiKeyUser", "readMaskedData", "launchProbes"] {
        assert_eq!(own["rules"][privilege], Value::Null, "{privilege}");
        let policy = json!({"name": privilege, "policy": {"rules": {privilege: true}}});
        desk.post("/v1/policies", "gamma", policy).await.expect(201);
    }
    let made_up = desk.post(NEW, "", json!({"name": "Delta"})).await.expect(201).text("id");
    assert!(made_up.len() == 12 && made_up.bytes().all(|b| b.is_ascii_alphanumeric()), "{made_up}");

    assert_eq!(desk.post(NEW, "", body).await.refusal(), "409 already_exists");
    for body in [
        json!({"id": "GAMMA", "name": "A"}),
        json!({"id": "a-b", "name": "A"}),
        json!({"id": "abcdefghijklmnopq", "name": "A"}),
        json!({"name": ""}),
        json!({"name": "A", "type": "ENTERPRISE"}),
        json!({"name": "A", "owner": "somebody@else.example"}),
    ] {
        assert_eq!(desk.post(NEW, "", body.clone()).await.refusal(), "400 invalid_body", "{body}");
    }
}

async fn who_may_make_accounts_is_configured(db: Kind) {
    let body = || json!({"name": "New"});
    // Whoever proved an address.
    let server = open(db).await;
    let of_ben = Desk::of(&server, &ben(&server)).await;
    assert_eq!(of_ben.post(NEW, "", body()).await.refusal(), "403 not_offered");

    // Nobody but operators.
    let closed = |config: &mut narthex::config::model::Config| {
        config.account_creation = AccountCreation::Operators;
    };
    let server = TestServer::start_with(db, closed).await;
    server.apply(include_str!("../common/world.yaml")).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    assert_eq!(of_ada.post(NEW, "acme", body()).await.refusal(), "403 not_offered");

    // Administrators of an account that they name, unless told otherwise.
    let server = TestServer::start(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    assert_eq!(of_ada.post(NEW, "", body()).await.refusal(), "400 account_required");
    assert_eq!(of_ada.post(NEW, "acme", body()).await.refusal(), "403 policy_denies");
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: A, rules: { accountAdmin: [{ user.id: { comparison: equals, value: ada } }] } }] }]")
        .await;
    of_ada.post(NEW, "acme", body()).await.expect(201);
    let of_ben = Desk::of(&server, &ben(&server)).await;
    assert_eq!(of_ben.post(NEW, "acme", body()).await.refusal(), "403 policy_denies");
}

async fn case_63_an_account_is_changed_by_its_administrators_alone(db: Kind) {
    let server = open(db).await;
    let desk = gamma(&server).await;
    let path = "/v1/accounts/gamma";

    let changed = desk.patch(path, "gamma", json!({"name": "Gamma Labs"})).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["owner"]),
        (&json!("Gamma Labs"), &json!("ada@acme.example"))
    );
    let body = json!({"id": "gamma", "name": "Gamma", "description": "D"});
    let replaced = desk.put(path, "gamma", body).await.expect(200).json();
    assert_eq!((&replaced["description"], &replaced["owner"]), (&json!("D"), &Value::Null));
    // Letters go to somebody of the account, who proved the address.
    for owner in ["stranger@x.example", "eve@beta.example", "ben@acme.example", "not an address"] {
        let answer = desk.patch(path, "gamma", json!({"owner": owner})).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{owner}");
    }
    desk.patch(path, "gamma", json!({"owner": "Ada@ACME.example"})).await.expect(200);
    // What an account pays for is for its operator to say.
    for body in [
        json!({"type": "ENTERPRISE"}),
        json!({"products": ["everything"]}),
        json!({"status": "DELETED"}),
        json!({"status": "PENDING_DELETION"}),
        json!({"deletionDate": null}),
        json!({"requires_second_factor": false}),
    ] {
        let answer = desk.patch(path, "gamma", body.clone()).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{body}");
    }

    // A member without accountAdmin.
    server
        .apply("accounts: [{ id: gamma, name: Gamma, groups: [{ id: gamma-plain, name: Plain, members: [ben] }] }]")
        .await;
    let of_ben = Desk::of(&server, &ben(&server)).await;
    of_ben.get(path, "gamma").await.expect(200);
    let rename = json!({"name": "Mine"});
    assert_eq!(of_ben.patch(path, "gamma", rename.clone()).await.refusal(), "403 policy_denies");
    assert_eq!(of_ben.put(path, "gamma", rename).await.refusal(), "403 policy_denies");
    assert_eq!(of_ben.delete(path, "gamma").await.refusal(), "403 policy_denies");
}

async fn case_59_accounts_of_others_stay_as_they_are(db: Kind) {
    let server = open(db).await;
    gamma(&server).await;
    let of_eve = Desk::of(&server, &eve(&server)).await;
    server
        .apply("users: [{ id: eve, username: eve, email: eve@beta.example, email_verified: true }]")
        .await;
    of_eve.post(NEW, "", json!({"id": "evil", "name": "Evil"})).await.expect(201);
    let rename = json!({"name": "Stolen"});

    for (account, refusal) in [
        ("gamma", "403 not_a_member"),
        ("evil", "400 invalid_account"),
        ("", "400 account_required"),
    ] {
        for theirs in ["/v1/accounts/gamma", "/v1/accounts/nowhere"] {
            let refusal = if theirs.ends_with("nowhere") && account == "gamma" {
                "403 not_a_member"
            } else {
                refusal
            };
            assert_eq!(of_eve.get(theirs, account).await.refusal(), refusal);
            assert_eq!(of_eve.patch(theirs, account, rename.clone()).await.refusal(), refusal);
            assert_eq!(of_eve.put(theirs, account, rename.clone()).await.refusal(), refusal);
            assert_eq!(of_eve.delete(theirs, account).await.refusal(), refusal);
        }
    }

    let stolen = "SELECT COUNT(*) AS n FROM accounts WHERE name = 'Stolen' OR deletion_at > 0";
    assert_eq!(server.count(stolen).await, 0);
}

async fn within_the_grace_period_everything_works_and_can_be_kept(db: Kind) {
    let server = open(db).await;
    let desk = gamma(&server).await;
    let path = "/v1/accounts/gamma";

    assert_eq!(desk.delete(path, "gamma").await.line(), "204");
    let pending = desk.get(path, "gamma").await.expect(200).json();
    assert_eq!(pending["status"], "PENDING_DELETION");
    assert_eq!(pending["deletionDate"], "2026-06-15T12:00:30.000Z");
    server.advance(TimeDelta::days(13));
    // A fresh token, for the other has expired.
    let desk = Desk::of(&server, &ada(&server)).await;
    desk.delete(path, "gamma").await.expect(204);
    let again = desk.get(path, "gamma").await.expect(200).json();
    assert_eq!(again["deletionDate"], pending["deletionDate"], "asking again changes nothing");
    run_due(&server.server).await;
    desk.post("/v1/projects", "gamma", json!({"name": "Late"})).await.expect(201);
    let kept = desk.patch(path, "gamma", json!({"status": "ACTIVE"})).await.expect(200).json();
    assert_eq!((&kept["status"], &kept["deletionDate"]), (&json!("ACTIVE"), &Value::Null));

    server.advance(TimeDelta::days(20));
    run_due(&server.server).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    desk.get(path, "gamma").await.expect(200);
    desk.patch(path, "gamma", json!({"status": "ACTIVE"})).await.expect(200);
    // The same by a path of its own.
    desk.delete(path, "gamma").await.expect(204);
    let restore = format!("{path}/restore");
    let kept = desk.post(&restore, "gamma", Value::Null).await.expect(200).json();
    assert_eq!(kept["status"], "ACTIVE");
    desk.post(&restore, "gamma", Value::Null).await.expect(200);
    let kinds =
        "SELECT COUNT(*) AS n FROM audit_entries WHERE chain = 'gamma' AND kind = 'account'";
    assert_eq!(server.count(kinds).await, 5, "made, deleted, kept, deleted, kept");
}

async fn after_the_grace_period_nothing_is_left_but_the_id(db: Kind) {
    let server = open(db).await;
    let desk = gamma(&server).await;
    desk.post("/v1/projects", "gamma", json!({"name": "First"})).await.expect(201);
    server
        .apply("apps: [{ id: gone, account: gamma, title: Gone, status: live, type: public, allowed_accounts: all, allowed_scopes: [openid], callback_urls: [https://gone.example/cb] }]")
        .await;
    desk.delete("/v1/accounts/gamma", "gamma").await.expect(204);
    server.advance(TimeDelta::days(14));
    let desk = Desk::of(&server, &ada(&server)).await;

    // From the minute on that it is over, whether somebody has come by to purge or not.
    assert_eq!(desk.get("/v1/accounts/gamma", "gamma").await.refusal(), "403 not_a_member");
    let keep = desk.patch("/v1/accounts/gamma", "gamma", json!({"status": "ACTIVE"})).await;
    assert_eq!(keep.refusal(), "403 not_a_member");
    tokio::join!(run_due(&server.server), run_due(&server.server));

    for count in [
        "SELECT COUNT(*) AS n FROM accounts WHERE id = 'gamma'",
        "SELECT COUNT(*) AS n FROM account_groups WHERE account_id = 'gamma'",
        "SELECT COUNT(*) AS n FROM group_members WHERE account_id = 'gamma'",
        "SELECT COUNT(*) AS n FROM policies WHERE account_id = 'gamma'",
        "SELECT COUNT(*) AS n FROM projects WHERE account_id = 'gamma'",
        "SELECT COUNT(*) AS n FROM apps WHERE account_id = 'gamma'",
        "SELECT COUNT(*) AS n FROM account_deletions",
    ] {
        assert_eq!(server.count(count).await, 0, "{count}");
    }
    let accounts = portal(&server).api("/v1/accounts", &desk.token, "").await.expect(200);
    assert!(!accounts.body.contains("gamma"), "{accounts:?}");
    // Nobody else lost anything, and nobody gets the id.
    desk.get("/v1/projects", "acme").await.expect(200);
    let again = desk.post(NEW, "", json!({"id": "gamma", "name": "Gamma"})).await;
    assert_eq!(again.refusal(), "409 already_exists");
    assert!(server.try_apply("accounts: [{ id: gamma, name: Gamma }]").await.is_err());
}

async fn owners_are_written_to_three_times(db: Kind) {
    let server = open(db).await;
    let desk = gamma(&server).await;
    desk.delete("/v1/accounts/gamma", "gamma").await.expect(204);
    desk.delete("/v1/accounts/gamma", "gamma").await.expect(204);
    for _ in 0..14 {
        server.advance(TimeDelta::days(1));
        tokio::join!(run_due(&server.server), run_due(&server.server));
    }

    let letters = server.letters().await;

    let letters: Vec<_> =
        letters.iter().filter(|letter| letter.subject.contains("gamma")).collect();
    let subjects: Vec<&str> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "The account gamma will be deleted on 15 June 2026",
            "The account gamma will be deleted in a few days",
            "The account gamma was deleted",
        ]
    );
    assert!(letters.iter().all(|letter| letter.to.contains("ada@acme.example")));
}

async fn one_of_two_who_want_an_id_gets_it(db: Kind) {
    let server = open(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let ask = || desk.post(NEW, "", json!({"id": "gamma", "name": "Gamma"}));

    let (one, two, three) = tokio::join!(ask(), ask(), ask());

    let mut statuses = [one.status, two.status, three.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
    let groups = "SELECT COUNT(*) AS n FROM account_groups WHERE account_id = 'gamma'";
    assert_eq!(server.count(groups).await, 3);
}
