//! Administrators who have themselves deleted: an account that is there keeps somebody.

use chrono::TimeDelta;
use narthex::base::clock::Clock as _;
use narthex::worker::deletion::run_due;
use serde_json::{Value, json};

use crate::account::{send, text_of};
use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben};
use crate::tenants::Desk;

both!(
    the_only_administrator_goes_once_somebody_else_administers,
    of_two_administrators_who_go_at_once_one_stays,
    whoever_lets_their_account_go_may_go_and_then_it_is_not_kept,
    a_service_account_is_no_administrator_to_count_on,
    a_purge_of_the_last_administrator_stands_in_the_record,
);

const PATH: &str = "/account/deletion";
const LEAVING: &str = "SELECT COUNT(*) AS n FROM users WHERE deletion_at IS NOT NULL";
const OWNERS: &str = "accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: Owners, rules: { accountAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }] } }] }]";

async fn ask(person: &Person) -> Answer {
    let fields = [("password", person.password)];
    send(&person.browser, PATH, |form| form.has("password"), &fields).await
}

async fn the_only_administrator_goes_once_somebody_else_administers(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let (ada, ben) = (ada(&server), ben(&server));
    ada.sign_in(&server).await;
    ben.sign_in(&server).await;

    let refused = ask(&ada).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.body.contains("Acme Hospital (acme)"), "{refused:?}");
    assert!(text_of(&refused, "error-text").starts_with("Nobody else administers"));
    assert_eq!(server.count(LEAVING).await, 0);
    ask(&ben).await.expect(200);
    let cancel = |person: &Person| {
        let browser = person.browser.clone();
        async move { send(&browser, PATH, |form| form.action.ends_with("/cancel"), &[]).await }
    };
    cancel(&ben).await.expect(200);
    let admins = "/v1/account/groups/acme-admins/members";
    desk.put(&format!("{admins}/ben"), "acme", Value::Null).await.expect(204);
    ask(&ada).await.expect(200);

    assert_eq!(server.count(LEAVING).await, 1);
    // Nobody counts on who is about to go.
    let removed = desk.delete(&format!("{admins}/ben"), "acme").await;
    assert_eq!(removed.refusal(), "409 last_administrator");
    assert_eq!(ask(&ben).await.status, 409);
    cancel(&ada).await.expect(200);
    desk.delete(&format!("{admins}/ben"), "acme").await.expect(204);
}

async fn of_two_administrators_who_go_at_once_one_stays(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-admins, name: Administrators, members: [ada, ben] }] }]")
        .await;
    let (ada, ben) = (ada(&server), ben(&server));
    ada.sign_in(&server).await;
    ben.sign_in(&server).await;

    let (one, two) = tokio::join!(ask(&ada), ask(&ben));

    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{one:?} {two:?}");
    assert_eq!(server.count(LEAVING).await, 1);
}

async fn whoever_lets_their_account_go_may_go_and_then_it_is_not_kept(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(OWNERS).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let ada = ada(&server);
    ada.sign_in(&server).await;

    desk.delete("/v1/accounts/acme", "acme").await.expect(204);
    ask(&ada).await.expect(200);

    let kept = desk.post("/v1/accounts/acme/restore", "acme", Value::Null).await;
    assert_eq!(kept.refusal(), "409 last_administrator");
    let account = desk.get("/v1/accounts/acme", "acme").await.expect(200);
    assert_eq!(account.text("status"), "PENDING_DELETION");
    send(&ada.browser, PATH, |form| form.action.ends_with("/cancel"), &[]).await.expect(200);
    desk.post("/v1/accounts/acme/restore", "acme", Value::Null).await.expect(200);
}

async fn a_service_account_is_no_administrator_to_count_on(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let body = json!({"name": "Night job", "groups": ["acme-admins"]});
    desk.post("/v1/service-accounts", "acme", body).await.expect(201);
    let person = ada(&server);
    person.sign_in(&server).await;

    let removed = desk.delete("/v1/account/groups/acme-admins/members/ada", "acme").await;

    assert_eq!(removed.refusal(), "409 last_administrator");
    assert_eq!(ask(&person).await.status, 409);
}

/// What operators declare is not held to it.
async fn a_purge_of_the_last_administrator_stands_in_the_record(db: Kind) {
    let server = TestServer::start(db).await;
    let at = server.clock.now() + TimeDelta::days(14);
    let ada = "ada".parse().expect("an id");
    server.server.users.set_deletion(&ada, Some(at)).await.expect("set");

    server.advance(TimeDelta::days(15));
    run_due(&server.server).await;

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users WHERE id = 'ada'").await, 0);
    let noted = "SELECT COUNT(*) AS n FROM audit_entries
                  WHERE chain = 'acme' AND kind = 'member' AND target = 'ada'";
    assert_eq!(server.count(noted).await, 1);
}
