//! Leaving groups and accounts: what ends by it, and what does not.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve, portal};
use crate::tenants::{Desk, each};

both!(
    case_59_whoever_leaves_one_account_stays_signed_in_for_another,
    whoever_leaves_the_last_group_has_left_the_account,
    case_59_what_a_group_gives_is_told_to_nobody_who_may_not_see_it,
);

const GROUPS: &str = "/v1/account/groups";

async fn case_59_whoever_leaves_one_account_stays_signed_in_for_another(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-night, name: Night, members: [eve, ben] }] }]")
        .await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let of_eve = portal(&server).tokens(&server, &eve(&server)).await;
    let of_ben = portal(&server).tokens(&server, &ben(&server)).await;

    desk.delete("/v1/account/users/eve", "acme").await.expect(204);
    desk.delete(&format!("{GROUPS}/acme-night/members/ben"), "acme").await.expect(204);
    server.deliver().await;

    let eves = Desk::holding(&server, &of_eve.access);
    assert_eq!(eves.get("/v1/projects", "acme").await.refusal(), "403 not_a_member");
    assert_eq!(eves.get("/v1/projects", "beta").await.status, 200);
    assert_eq!(portal(&server).refresh(&of_eve.refresh).await.status, 200);
    let bens = Desk::holding(&server, &of_ben.access);
    assert_eq!(bens.get("/v1/projects", "acme").await.status, 200, "of a group that stays");
}

async fn whoever_leaves_the_last_group_has_left_the_account(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("users: [{ id: ben, username: ben, email: ben@acme.example, email_verified: true }]")
        .await;
    let (of_ada, of_ben) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &ben(&server)).await);
    let attributes = "/v1/policy-attributes/users/ben";
    of_ada.put(attributes, "acme", json!({"attributes": {"ward": "W1"}})).await.expect(200);
    let body = json!({"email": "ben@acme.example", "groupId": "acme-admins"});
    let open = of_ada.post("/v1/account/invitations", "acme", body).await.expect(201).text("id");
    let own = of_ben.get("/v1/invitations", "").await.expect(200);
    assert_eq!(each(&own, "id"), [&*open]);

    of_ada.delete(&format!("{GROUPS}/acme-nurses/members/ben"), "acme").await.expect(204);

    let of_ben = Desk::of(&server, &ben(&server)).await;
    assert_eq!(each(&of_ben.get("/v1/invitations", "").await.expect(200), "id"), [""; 0]);
    let path = format!("/v1/invitations/{open}");
    let answer = of_ben.patch(&path, "", json!({"status": "ACCEPTED"})).await;
    assert_eq!(answer.refusal(), "404 not_found");
    let kept = "SELECT COUNT(*) AS n FROM member_attributes WHERE user_id = 'ben'";
    assert_eq!(server.count(kept).await, 0);
}

async fn case_59_what_a_group_gives_is_told_to_nobody_who_may_not_see_it(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: Nurses lead, rules: { accessAdmin: [{ user.groups: { comparison: includes, value: acme-nurses }, resource.id: { comparison: equals, value: acme-nurses } }] } }] }]")
        .await;
    let of_ben = Desk::of(&server, &ben(&server)).await;
    let invite = async |group: &str| {
        let body = json!({"email": "x@y.example", "groupId": group});
        of_ben.post("/v1/account/invitations", "acme", body).await
    };

    for group in ["acme-developers", "no-such-group"] {
        let path = format!("{GROUPS}/{group}/members/ben");
        let answer = of_ben.put(&path, "acme", Value::Null).await;
        assert_eq!(answer.refusal(), "404 not_found", "{group}");
    }
    assert_eq!(invite("acme-developers").await.line(), invite("no-such-group").await.line());
}
