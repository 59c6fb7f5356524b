//! Invitations over the API: who may invite, who may answer, and what becomes of it.

use chrono::TimeDelta;
use serde_json::json;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, betaware, dev, eve};
use crate::tenants::{Desk, each};

both!(
    an_invitation_is_listed_sent_again_and_accepted_once,
    case_63_nobody_invites_to_more_than_they_hold,
    case_59_invitations_of_others_are_not_there,
    an_invitation_ends_after_thirty_days,
    revoked_and_rejected_is_over,
    of_many_who_accept_at_once_one_does,
    case_47_inviting_tells_nothing_about_addresses,
    ones_own_invitations_come_in_pages,
    who_invites_without_end_waits,
    of_many_invitations_at_once_one_waits,
);

const ALL: &str = "/v1/account/invitations";
const OWN: &str = "/v1/invitations";
const READERS: &str = "accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-readers, name: Readers }], policies: [{ name: R, rules: { readData: [{ user.groups: { comparison: includes, value: acme-readers } }] } }] }]";

/// The world, where eve proved her address and acme has a group of readers.
pub async fn world(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(READERS).await;
    server
        .apply("users: [{ id: eve, username: eve, email: eve@beta.example, email_verified: true }]")
        .await;
    server
}

async fn an_invitation_is_listed_sent_again_and_accepted_once(db: Kind) {
    let server = world(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);

    let body = json!({"email": "Eve@beta.example", "groupId": "acme-readers", "language": "de"});
    let made = of_ada.post(ALL, "acme", body.clone()).await.expect(201).json();
    let id = made["id"].as_str().unwrap();
    assert_eq!(
        made,
        json!({"id": id, "account": "acme", "accountName": "Acme Hospital",
               "email": "Eve@beta.example", "status": "AWAITING",
               "inviteTimestamp": made["inviteTimestamp"],
               "expirationTimestamp": made["expirationTimestamp"],
               "groupId": "acme-readers", "groupName": "Readers"})
    );
    assert!(made["expirationTimestamp"].as_str().unwrap().starts_with("2026-07-01T12:0"), "{made}");
    assert_eq!(of_ada.post(ALL, "acme", body).await.refusal(), "409 already_exists");
    assert_eq!(each(&of_ada.get(ALL, "acme").await.expect(200), "id"), [id]);
    let path = format!("{ALL}/{id}");
    assert_eq!(of_ada.get(&path, "acme").await.expect(200).json(), made);
    for _ in 0..4 {
        of_ada.post(&format!("{path}/resend"), "acme", json!(null)).await.expect(200);
    }
    let refused = of_ada.post(&format!("{path}/resend"), "acme", json!(null)).await;
    assert_eq!(refused.refusal(), "409 too_many");
    let letters = server.letters().await;
    assert_eq!(letters.len(), 5);
    assert_eq!(letters[0].subject, "ada@acme.example lädt Sie ein");
    assert!(!letters[0].text.contains("Acme Hospital"), "what admins write goes to nobody unasked");

    assert_eq!(of_eve.get("/v1/projects", "acme").await.refusal(), "403 not_a_member");
    assert_eq!(each(&of_eve.get(OWN, "").await.expect(200), "id"), [id]);
    let own = format!("{OWN}/{id}");
    assert_eq!(of_eve.get(&own, "").await.expect(200).text("status"), "AWAITING");
    for status in ["AWAITING", "REVOKED", "accepted", ""] {
        let answer = of_eve.patch(&own, "", json!({ "status": status })).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{status}");
    }
    let accepted = of_eve.patch(&own, "", json!({"status": "ACCEPTED"})).await.expect(200);
    assert_eq!(accepted.text("status"), "ACCEPTED");
    assert_eq!(each(&of_eve.get("/v1/projects", "acme").await.expect(200), "id").len(), 3);
    for status in ["ACCEPTED", "REJECTED"] {
        let again = of_eve.patch(&own, "", json!({ "status": status })).await;
        assert_eq!(again.refusal(), "409 already_accepted");
        assert_eq!(again.text("code"), "INVITATION_ALREADY_ACCEPTED");
        assert!(again.text("error").contains("already accepted"));
    }
    assert_eq!(each(&of_eve.get(OWN, "").await.expect(200), "id"), [""; 0]);
    assert_eq!(each(&of_ada.get(ALL, "acme").await.expect(200), "id"), [""; 0]);
    assert_eq!(of_ada.delete(&path, "acme").await.refusal(), "404 not_found");
}

async fn case_63_nobody_invites_to_more_than_they_hold(db: Kind) {
    let server = world(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let invite = async |desk: &Desk, body| desk.post(ALL, "acme", body).await.refusal();
    let to = |group: &str| json!({"email": "x@y.example", "groupId": group});

    assert_eq!(invite(&of_ada, to("acme-developers")).await, "403 grants_more_than_held");
    for (body, refusal) in [
        (to("no-such"), "400 invalid_body"),
        (to("beta-admins"), "400 invalid_body"),
        (json!({"email": "x@y.example"}), "400 invalid_body"),
        (json!({"email": "x@y.example", "projectId": "heart"}), "400 invalid_body"),
        (
            json!({"email": "x@y.example", "projectId": "beta-secret", "patientId": "p"}),
            "400 invalid_body",
        ),
        // There is no group of subjects yet.
        (
            json!({"email": "x@y.example", "projectId": "heart", "patientId": "p"}),
            "400 invalid_body",
        ),
        (json!({"email": "no address", "groupId": "acme-readers"}), "400 invalid_body"),
        (
            json!({"email": "x@y.example\r\nBcc: z@y.example", "groupId": "acme-readers"}),
            "400 invalid_body",
        ),
        (
            json!({"email": "x@y.example", "groupId": "acme-readers", "account": "beta"}),
            "400 invalid_body",
        ),
        (
            json!({"email": "x@y.example", "groupId": "acme-readers", "language": "xx"}),
            "400 invalid_body",
        ),
    ] {
        assert_eq!(invite(&of_ada, body.clone()).await, refusal, "{body}");
    }
    let of_ben = Desk::of(&server, &ben(&server)).await;
    assert_eq!(invite(&of_ben, to("acme-readers")).await, "403 policy_denies");
    assert_eq!(of_ben.get(ALL, "acme").await.refusal(), "403 policy_denies");

    // Whoever leaves takes their invitations along.
    of_ada.put("/v1/account/groups/acme-admins/members/ben", "acme", json!(null)).await.expect(204);
    of_ben.post(ALL, "acme", to("acme-readers")).await.expect(201);
    of_ada.delete("/v1/account/users/ben", "acme").await.expect(204);
    assert_eq!(each(&of_ada.get(ALL, "acme").await.expect(200), "id"), [""; 0]);
}

async fn case_59_invitations_of_others_are_not_there(db: Kind) {
    let server = world(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    let body = json!({"email": "dev@acme.example", "groupId": "acme-readers"});
    let id = of_ada.post(ALL, "acme", body).await.expect(201).text("id");

    for (account, refusal) in [("beta", "404 not_found"), ("acme", "403 not_a_member")] {
        for id in [id.as_str(), "no-such"] {
            let path = format!("{ALL}/{id}");
            assert_eq!(of_eve.get(&path, account).await.refusal(), refusal);
            assert_eq!(of_eve.delete(&path, account).await.refusal(), refusal);
            let resend = of_eve.post(&format!("{path}/resend"), account, json!(null)).await;
            assert_eq!(resend.refusal(), refusal);
        }
    }
    assert_eq!(each(&of_eve.get(ALL, "beta").await.expect(200), "id"), [""; 0]);
    // For somebody else's address, whoever asks; and for nobody who has not proved theirs.
    let own = format!("{OWN}/{id}");
    server.apply("users: [{ id: dev, username: dev, email: dev@acme.example }]").await;
    let of_dev = Desk::of(&server, &dev(&server)).await;
    for desk in [&of_eve, &of_ada, &of_dev] {
        assert_eq!(desk.get(&own, "").await.refusal(), "404 not_found");
        let answer = desk.patch(&own, "", json!({"status": "ACCEPTED"})).await;
        assert_eq!(answer.refusal(), "404 not_found");
        assert_eq!(each(&desk.get(OWN, "").await.expect(200), "id"), [""; 0]);
    }
    let joined = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-readers'";
    assert_eq!(server.count(joined).await, 0);

    // An app that acme is no account of learns nothing of it, and joins nobody.
    let body = json!({"email": "eve@beta.example", "groupId": "acme-readers"});
    let id = of_ada.post(ALL, "acme", body).await.expect(201).text("id");
    server
        .change_app(
            "betaware",
            "allowed_scopes: [openid, project.read]",
            "allowed_scopes: [openid, invitation.read, invitation.write]",
        )
        .await;
    let mut app = betaware(&server);
    app.scope = "openid invitation.read invitation.write";
    let token = app.tokens(&server, &eve(&server)).await.access;
    let desk = Desk { app, token };
    assert_eq!(each(&desk.get(OWN, "").await.expect(200), "id"), [""; 0]);
    assert_eq!(desk.get(&format!("{OWN}/{id}"), "").await.refusal(), "404 not_found");
    let answer = desk.patch(&format!("{OWN}/{id}"), "", json!({"status": "ACCEPTED"})).await;
    assert_eq!(answer.refusal(), "403 app_not_allowed");
}

async fn an_invitation_ends_after_thirty_days(db: Kind) {
    let server = world(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let body = json!({"email": "eve@beta.example", "groupId": "acme-readers"});
    let id = of_ada.post(ALL, "acme", body).await.expect(201).text("id");

    server.advance(TimeDelta::days(30));
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);

    let answer = of_eve.patch(&format!("{OWN}/{id}"), "", json!({"status": "ACCEPTED"})).await;
    assert_eq!(answer.refusal(), "404 not_found");
    assert_eq!(each(&of_eve.get(OWN, "").await.expect(200), "id"), [""; 0]);
    assert_eq!(each(&of_ada.get(ALL, "acme").await.expect(200), "id"), [""; 0]);
    let resend = of_ada.post(&format!("{ALL}/{id}/resend"), "acme", json!(null)).await;
    assert_eq!(resend.refusal(), "404 not_found");
    server.advance(TimeDelta::days(30));
    assert_eq!(server.server.tenancy.sweep().await.unwrap(), 1);
}

async fn revoked_and_rejected_is_over(db: Kind) {
    let server = world(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    let invite = async || {
        let body = json!({"email": "eve@beta.example", "groupId": "acme-readers"});
        of_ada.post(ALL, "acme", body).await.expect(201).text("id")
    };
    let accept = async |id: &str| {
        of_eve.patch(&format!("{OWN}/{id}"), "", json!({"status": "ACCEPTED"})).await.refusal()
    };

    let revoked = invite().await;
    assert_eq!(of_ada.delete(&format!("{ALL}/{revoked}"), "acme").await.line(), "204");
    assert_eq!(of_ada.delete(&format!("{ALL}/{revoked}"), "acme").await.refusal(), "404 not_found");
    assert_eq!(accept(&revoked).await, "404 not_found");
    let rejected = invite().await;
    let answer =
        of_eve.patch(&format!("{OWN}/{rejected}"), "", json!({"status": "REJECTED"})).await;
    assert_eq!(answer.expect(200).text("status"), "REJECTED");
    assert_eq!(accept(&rejected).await, "404 not_found");
    // With the group its invitations go.
    let body = json!({"name": "Short-lived"});
    let group = of_ada.post("/v1/account/groups", "acme", body).await.expect(201).text("id");
    let body = json!({"email": "eve@beta.example", "groupId": group});
    let orphan = of_ada.post(ALL, "acme", body).await.expect(201).text("id");
    of_ada.delete(&format!("/v1/account/groups/{group}"), "acme").await.expect(204);
    assert_eq!(accept(&orphan).await, "404 not_found");
    assert_eq!(of_eve.get("/v1/projects", "acme").await.refusal(), "403 not_a_member");
}

async fn of_many_who_accept_at_once_one_does(db: Kind) {
    let server = world(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    let body = json!({"email": "eve@beta.example", "groupId": "acme-readers"});
    let id = of_ada.post(ALL, "acme", body).await.expect(201).text("id");
    let path = format!("{OWN}/{id}");

    let answers = (0..8).map(|at| {
        let status = if at % 2 == 0 { "ACCEPTED" } else { "REJECTED" };
        of_eve.patch(&path, "", json!({ "status": status }))
    });
    let answers = futures_util::future::join_all(answers).await;

    let done: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(done.len(), 1, "{answers:?}");
    let joined = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-readers'";
    let expected = i64::from(done[0].text("status") == "ACCEPTED");
    assert_eq!(server.count(joined).await, expected);
}

/// Whether there is such a user, or a member, an inviter does not learn.
async fn case_47_inviting_tells_nothing_about_addresses(db: Kind) {
    let server = world(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "groupId": "acme-readers"});
        let mut made = of_ada.post(ALL, "acme", body).await.expect(201).json();
        for varying in ["id", "email", "inviteTimestamp", "expirationTimestamp"] {
            made[varying] = json!(null);
        }
        made
    };

    let (known, unknown) = (invite("eve@beta.example").await, invite("nobody@x.example").await);

    assert_eq!(known, unknown);
    let letters = server.letters().await;
    assert_eq!(letters[0].subject, letters[1].subject);
}

async fn ones_own_invitations_come_in_pages(db: Kind) {
    let server = world(db).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    let mut made = Vec::new();
    for group in ["acme-readers", "acme-nurses", "acme-admins"] {
        let body = json!({"email": "eve@beta.example", "groupId": group});
        made.push(of_ada.post(ALL, "acme", body).await.expect(201).text("id"));
    }

    let first = of_eve.get(&format!("{OWN}?pageSize=2&nextPageToken="), "").await.expect(200);
    let next = first.json()["links"]["next"].as_str().expect("more").to_owned();
    let second = of_eve.get(&next, "").await.expect(200);

    made.sort();
    assert_eq!([each(&first, "id"), each(&second, "id")].concat(), made);
    assert!(next.starts_with("/v1/invitations?"), "{next}");
    assert_eq!(second.json()["links"]["next"], json!(null));
    // The token is nobody else's.
    server
        .apply("users: [{ id: dev, username: dev, email: dev@x.example, email_verified: true }]")
        .await;
    let of_dev = Desk::of(&server, &dev(&server)).await;
    assert_eq!(of_dev.get(&next, "").await.refusal(), "400 invalid_query");
}

/// An account that somebody took over sends no flood of letters, to one reader or to many.
async fn who_invites_without_end_waits(db: Kind) {
    let server = world(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "groupId": "acme-readers"});
        let answer = of_ada.post(ALL, "acme", body).await;
        if answer.status == 201 {
            let path = format!("{ALL}/{}", answer.text("id"));
            of_ada.delete(&path, "acme").await.expect(204);
        }
        answer
    };

    let mut last = invite("grace@x.example").await;
    for _ in 0..6 {
        last = invite("grace@x.example").await;
    }

    assert_eq!(last.refusal(), "429 too_many_requests");
    assert_eq!(invite("GRACE@x.example").await.refusal(), "429 too_many_requests");
    assert_eq!(invite("hans@x.example").await.status, 201, "others are not affected");
    server.advance(TimeDelta::hours(2));
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let body = json!({"email": "grace@x.example", "groupId": "acme-readers"});
    of_ada.post(ALL, "acme", body).await.expect(201);
}

async fn of_many_invitations_at_once_one_waits(db: Kind) {
    let server = world(db).await;
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let body = json!({"email": "grace@x.example", "groupId": "acme-readers"});

    let answers = (0..5).map(|_| of_ada.post(ALL, "acme", body.clone()));
    let answers = futures_util::future::join_all(answers).await;

    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    assert_eq!(server.letters().await.len(), 1);
}
