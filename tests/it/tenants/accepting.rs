//! The page of an invitation: accepting with the link of a letter, as a user or as a new one.

use narthex::config::sign_up::SignUp;
use serde_json::json;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::tenants::Desk;

both!(
    somebody_new_becomes_a_user_by_accepting,
    a_user_signs_in_first_and_comes_back,
    case_55_a_link_is_for_its_address_and_only_the_newest_works,
    of_two_who_sign_up_with_one_link_one_does,
    whoever_declines_need_not_sign_in,
    nobody_signs_up_at_a_closed_server_but_who_is_invited,
    where_operators_make_all_users_invitations_make_none,
    case_44_the_answer_needs_the_token_of_the_page,
);

const PASSWORD: &str = "seven green trains to Oslo";
const MEMBERS: &str = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-nurses'";

async fn open(db: Kind) -> TestServer {
    let server = TestServer::start_with(db, |config| config.sign_up = SignUp::Invitation).await;
    server.apply(include_str!("../common/world.yaml")).await;
    server
}

/// Has somebody invited to acme's nurses, and answers where the letter leads.
async fn invite(server: &TestServer, email: &str) -> String {
    let desk = Desk::of(server, &ada(server)).await;
    let body = json!({"email": email, "groupId": "acme-nurses"});
    desk.post("/v1/account/invitations", "acme", body).await.expect(201);
    newest(server, email).await
}

async fn newest(server: &TestServer, email: &str) -> String {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to.contains(email)).expect("a letter");
    letter.links.last().expect("a link").clone()
}

async fn decide(browser: &Browser, page: &Answer, decision: &str) -> Answer {
    decide_as(browser, page, decision, &[]).await
}

async fn decide_as(
    browser: &Browser,
    page: &Answer,
    decision: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let form = Form::of(&page.body, "/invitation");
    let fields = [fields, &[("decision", decision)]].concat();
    browser.submit(page, &form, &fields).await
}

async fn somebody_new_becomes_a_user_by_accepting(db: Kind) {
    let server = open(db).await;
    let link = invite(&server, "grace@x.example").await;
    let browser = server.browser();

    let page = browser.get(&link).await.expect(200);
    assert!(page.body.contains("Acme Hospital") && page.body.contains("Nurses"), "{page:?}");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(server.count(MEMBERS).await, 1, "to open a link changes nothing");
    let weak = [("name", "Grace Hopper"), ("password", "password1234")];
    let again = decide_as(&browser, &page, "accept", &weak).await;
    assert_eq!(again.status, 400);
    assert!(again.body.contains("Grace Hopper"), "what was typed is not lost");
    let fields = [("name", "Grace Hopper"), ("password", PASSWORD)];
    let done = decide_as(&browser, &again, "accept", &fields).await;

    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(browser.get("/account").await.status, 200, "signed in");
    assert_eq!(server.count(MEMBERS).await, 2);
    let user = server.server.users.find_by_username("grace@x.example").await.unwrap().unwrap();
    assert!(user.email_verified && user.name.as_deref() == Some("Grace Hopper"));
    let over = browser.get(&link).await;
    assert_eq!(over.status, 409);
    assert!(over.body.contains("accepted already"), "{over:?}");
}

async fn a_user_signs_in_first_and_comes_back(db: Kind) {
    let server = open(db).await;
    server
        .apply("users: [{ id: eve, username: eve, email: eve@beta.example, email_verified: true }]")
        .await;
    let link = invite(&server, "eve@beta.example").await;
    let eve = eve(&server);

    let page = eve.browser.get(&link).await.expect(200);
    let sign_in = decide(&eve.browser, &page, "sign-in").await;
    let back = eve.answer_page(&server, &sign_in).await;
    assert!(back.url.contains("/invitation?"), "{back:?}");
    let done = decide(&eve.browser, &back, "accept").await;

    assert!(done.body.contains("You have accepted"), "{done:?}");
    assert_eq!(server.count(MEMBERS).await, 2);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 4);
}

async fn case_55_a_link_is_for_its_address_and_only_the_newest_works(db: Kind) {
    let server = open(db).await;
    let first = invite(&server, "grace@x.example").await;
    // Somebody else who is signed in gets no further.
    let ben = ben(&server);
    ben.sign_in(&server).await;
    let page = ben.browser.get(&first).await.expect(200);
    assert!(page.body.contains("invitation-sign-out"), "{page:?}");
    assert!(!page.body.contains("invitation-accept"), "{page:?}");
    let id = first.split("inviteId=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let of_ada = Desk::of(&server, &ada(&server)).await;
    let resend = format!("/v1/account/invitations/{id}/resend");
    of_ada.post(&resend, "acme", json!(null)).await.expect(200);
    let second = newest(&server, "grace@x.example").await;

    assert_ne!(first, second);
    assert_eq!(server.browser().get(&first).await.status, 410);
    assert_eq!(server.browser().get(&second).await.status, 200);
    // The secret is not another invitation's, and no other kind of secret.
    let other = invite(&server, "hans@x.example").await;
    let evc = other.split("evc=").nth(1).unwrap();
    let mixed = format!("/invitation?inviteId={id}&evc={evc}");
    assert_eq!(server.browser().get(&mixed).await.status, 410);
    for path in ["/sign-up", "/reset", "/verify-email"] {
        assert_eq!(server.browser().get(&format!("{path}?token={evc}")).await.status, 410);
    }
    for bent in ["", "?inviteId=x", "?inviteId=%2F..&evc=1.x", "?evc=1.x"] {
        assert_eq!(server.browser().get(&format!("/invitation{bent}")).await.status, 410, "{bent}");
    }
}

async fn of_two_who_sign_up_with_one_link_one_does(db: Kind) {
    let server = open(db).await;
    let link = invite(&server, "grace@x.example").await;
    let (one, two) = (server.browser(), server.browser());
    let (page_one, page_two) = (one.get(&link).await.expect(200), two.get(&link).await.expect(200));
    let fields = [("name", "Grace Hopper"), ("password", PASSWORD)];

    let (first, second) = tokio::join!(
        decide_as(&one, &page_one, "accept", &fields),
        decide_as(&two, &page_two, "accept", &fields)
    );

    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{first:?} {second:?}");
    assert!([409, 410].contains(&statuses[1]), "{first:?} {second:?}");
    assert_eq!(server.count(MEMBERS).await, 2);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 5);
}

async fn whoever_declines_need_not_sign_in(db: Kind) {
    let server = open(db).await;
    let link = invite(&server, "grace@x.example").await;
    let browser = server.browser();

    let page = browser.get(&link).await.expect(200);
    let done = decide(&browser, &page, "reject").await;

    assert!(done.body.contains("You have declined"), "{done:?}");
    assert_eq!(browser.get(&link).await.status, 410);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 4);
    assert_eq!(server.count(MEMBERS).await, 1);
}

async fn nobody_signs_up_at_a_closed_server_but_who_is_invited(db: Kind) {
    let server = TestServer::start(db).await;
    let link = invite(&server, "grace@x.example").await;
    let browser = server.browser();

    assert_eq!(browser.get("/sign-up").await.status, 404);
    let page = browser.get(&link).await.expect(200);
    let fields = [("name", "Grace Hopper"), ("password", PASSWORD)];
    decide_as(&browser, &page, "accept", &fields).await.expect(200);

    assert_eq!(browser.get("/account").await.status, 200, "signed in");
    assert_eq!(server.count(MEMBERS).await, 2);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 5);
}

async fn where_operators_make_all_users_invitations_make_none(db: Kind) {
    let server = TestServer::start_with(db, |config| config.sign_up = SignUp::Operators).await;
    server.apply(include_str!("../common/world.yaml")).await;
    server
        .apply("users: [{ id: eve, username: eve, email: eve@beta.example, email_verified: true }]")
        .await;
    let link = invite(&server, "grace@x.example").await;
    let of_eve = invite(&server, "eve@beta.example").await;

    assert_eq!(server.browser().get(&link).await.status, 403);
    assert_eq!(server.browser().get(&of_eve).await.status, 200, "a user may join");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 4);
}

async fn case_44_the_answer_needs_the_token_of_the_page(db: Kind) {
    let server = open(db).await;
    let link = invite(&server, "grace@x.example").await;
    let browser = server.browser();
    let page = browser.get(&link).await.expect(200);
    let form = Form::of(&page.body, "/invitation");

    let forged = browser.submit(&page, &form, &[("csrf", "x"), ("decision", "reject")]).await;

    assert_eq!(forged.status, 403);
    assert_eq!(browser.get(&link).await.status, 200);
}
