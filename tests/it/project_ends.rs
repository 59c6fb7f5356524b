//! Projects: changed, deleted in time or at once, and kept after all.

use chrono::TimeDelta;
use serde_json::json;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::{Session, ids};
use crate::common::world::{ada, ben, eve};

both!(
    a_project_is_changed,
    a_deleted_project_stays_for_fourteen_days,
    a_deletion_can_be_taken_back,
    a_project_can_be_deleted_at_once,
    who_may_not_change_a_project_does_not,
    the_owner_of_the_account_is_written_to,
    of_two_changes_at_once_both_stay,
);

const HEART: &str = "/v1/projects/heart";

async fn purge(server: &TestServer) {
    narthex::worker::deletion::run_due(&server.server).await;
}

async fn a_project_is_changed(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;

    let changed = ada.patch(HEART, &json!({ "name": "Hearts" })).await.expect(200).json();
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Hearts"), &json!("Of the heart"))
    );
    let changed = ada.patch(HEART, &json!({ "description": null })).await.expect(200).json();
    assert_eq!((&changed["name"], changed.get("description")), (&json!("Hearts"), None));
    ada.patch(HEART, &json!({ "name": "Hearts", "description": "x" })).await.expect(200);
    assert_eq!(ada.get(HEART).await.json()["description"], "x");
    ada.patch(HEART, &json!({})).await.expect(200);
    let taken = ada.patch(HEART, &json!({ "name": "Lung study" })).await;
    assert_eq!(taken.refusal(), "409 already_exists");
    for bad in [json!({ "name": "" }), json!({ "id": "x" }), json!({ "name": 1 }), json!([])] {
        assert_eq!(ada.patch(HEART, &bad).await.refusal(), "400 invalid_body", "{bad}");
    }
    // The same name in another account is free.
    let eve = Session::of(&server, &eve(&server), "beta").await;
    eve.patch("/v1/projects/beta-secret", &json!({ "name": "Hearts" })).await.expect(200);
}

async fn a_deleted_project_stays_for_fourteen_days(db: Kind) {
    let server = TestServer::start(db).await;
    let (ada, ben) = (
        Session::of(&server, &ada(&server), "acme").await,
        Session::of(&server, &ben(&server), "acme").await,
    );

    assert_eq!(ada.delete(HEART).await.expect(204).body, "");
    let shown = ben.get(HEART).await.expect(200).json();
    assert_eq!(shown["status"], "PENDING_DELETION");
    assert_eq!(shown["deletionDate"].as_str().unwrap().get(..10), Some("2026-06-15"));
    // Asking again moves nothing, and all works as before.
    server.advance(TimeDelta::minutes(1));
    ada.delete(HEART).await.expect(204);
    assert_eq!(ada.get(HEART).await.json(), shown);
    ada.patch(HEART, &json!({ "name": "Still here" })).await.expect(200);
    server.advance(TimeDelta::days(14) - TimeDelta::minutes(2));
    purge(&server).await;
    let of_acme = "SELECT COUNT(*) AS n FROM projects WHERE account_id = 'acme'";
    assert_eq!(server.count(of_acme).await, 3);
    server.advance(TimeDelta::minutes(2));
    purge(&server).await;
    purge(&server).await;
    assert_eq!(server.count(of_acme).await, 2);
    let ada = Session::of(&server, &crate::common::world::ada(&server), "acme").await;
    assert_eq!(ada.get(HEART).await.refusal(), "404 not_found");
    assert_eq!(ids(&ada.get("/v1/projects").await), "liver lung");
}

async fn a_deletion_can_be_taken_back(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let stays = json!({ "status": "ACTIVE" });

    ada.delete(HEART).await.expect(204);
    let kept = ada.patch(HEART, &stays).await.expect(200).json();
    assert_eq!((&kept["status"], kept.get("deletionDate")), (&json!("ACTIVE"), None));
    ada.patch(HEART, &stays).await.expect(200);
    let status = json!({ "status": "PENDING_DELETION" });
    assert_eq!(ada.patch(HEART, &status).await.refusal(), "400 invalid_body");
    server.advance(TimeDelta::days(15));
    purge(&server).await;
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM projects WHERE id = 'heart'").await, 1);
}

async fn a_project_can_be_deleted_at_once(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;

    for bad in ["", "1", "TRUE", "yes"] {
        let answer = ada.delete(&format!("{HEART}?immediate=x{bad}")).await;
        assert_eq!(answer.refusal(), "400 invalid_query", "{bad}");
    }
    ada.delete(HEART).await.expect(204);
    ada.delete(&format!("{HEART}?immediate=true")).await.expect(204);
    assert_eq!(ada.get(HEART).await.refusal(), "404 not_found");
    assert_eq!(ada.delete(&format!("{HEART}?immediate=true")).await.refusal(), "404 not_found");
    assert_eq!(ada.delete(HEART).await.refusal(), "404 not_found");
    // Its name is free again.
    ada.post("/v1/projects", &json!({ "name": "Heart study" })).await.expect(201);
}

async fn who_may_not_change_a_project_does_not(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, eve) = (
        Session::of(&server, &ben(&server), "acme").await,
        Session::of(&server, &eve(&server), "beta").await,
    );
    let body = json!({ "name": "Mine" });

    assert_eq!(ben.patch(HEART, &body).await.refusal(), "403 policy_denies");
    assert_eq!(ben.delete(HEART).await.refusal(), "403 policy_denies");
    assert_eq!(eve.patch(HEART, &body).await.refusal(), "404 not_found");
    assert_eq!(eve.delete(&format!("{HEART}?immediate=true")).await.refusal(), "404 not_found");
    // Whoever administers some projects changes those.
    server
        .apply(
            "accounts:
  - id: acme
    name: Acme Hospital
    policies:
      - name: Hearts
        rules: { projectAdmin: [{ user.groups: { comparison: includes, value: acme-nurses }, resource.id: { comparison: equals, value: heart } }] }
",
        )
        .await;
    ben.patch(HEART, &body).await.expect(200);
    assert_eq!(ben.patch("/v1/projects/lung", &body).await.refusal(), "404 not_found");
    assert_eq!(ben.delete("/v1/projects/lung?immediate=true").await.refusal(), "404 not_found");
    let of_acme = "SELECT COUNT(*) AS n FROM projects WHERE account_id = 'acme'";
    assert_eq!(server.count(of_acme).await, 3);
}

async fn the_owner_of_the_account_is_written_to(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE, owner: boss@acme.example }]")
        .await;
    let desk = Session::of(&server, &ada(&server), "acme").await;

    desk.delete(HEART).await.expect(204);
    desk.delete(HEART).await.expect(204);
    desk.patch(HEART, &json!({ "status": "ACTIVE" })).await.expect(200);
    desk.delete(HEART).await.expect(204);
    server.advance(TimeDelta::days(12));
    purge(&server).await;
    purge(&server).await;
    server.advance(TimeDelta::days(3));
    purge(&server).await;
    purge(&server).await;

    let letters = server.letters().await;
    let told = letters.iter().filter(|letter| letter.to.contains("boss@acme.example"));
    let subjects: Vec<&str> = told.map(|letter| letter.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "A project of the account acme will be deleted on 15 June 2026",
            "A project of the account acme will not be deleted",
            "A project of the account acme will be deleted on 15 June 2026",
            "A project of the account acme will be deleted in a few days",
            "A project of the account acme was deleted",
        ]
    );
    assert!(letters.iter().all(|letter| !letter.text.contains("Heart study")));
}

/// What is left out stays, also what somebody else says at the same time.
async fn of_two_changes_at_once_both_stay(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Session::of(&server, &ada(&server), "acme").await;

    for round in 0..5 {
        let (name, text) = (format!("Name {round}"), format!("Text {round}"));
        let (first, second) = (json!({ "name": name }), json!({ "description": text }));
        let (one, two) = tokio::join!(desk.patch(HEART, &first), desk.patch(HEART, &second));
        assert_eq!((one.status, two.status), (200, 200));
        let now = desk.get(HEART).await.expect(200).json();
        assert_eq!((&now["name"], &now["description"]), (&json!(name), &json!(text)));
    }
}
