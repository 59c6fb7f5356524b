//! The deletion of users: who may ask, what goes on meanwhile, and what is left.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use narthex::base::id::UserId;
use narthex::db::Fetch as _;
use narthex::db::query::{built_sql, sql};
use narthex::users::deletion::GRACE;
use narthex::worker::deletion::run_due;
use serde_json::json;

use crate::account::{held, send, text_of};
use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, portal};

both!(
    case_51_deletion_asks_for_a_fresh_sign_in_and_the_password,
    case_51_guesses_at_the_password_wait,
    case_51_nobody_asks_for_the_deletion_of_somebody_else,
    case_58_whoever_waits_to_be_deleted_goes_on_and_can_stay,
    case_58_after_the_purge_nothing_works_and_nothing_is_left,
    case_58_neither_id_nor_name_are_given_again,
    case_58_a_purge_goes_on_where_it_was_broken_off,
    letters_are_written_when_asked_shortly_before_and_after,
    nothing_is_deleted_before_its_time_and_nobody_reminded_twice,
);

const PATH: &str = "/account/deletion";
const LEAVER: &str = "lea-0123456789-leaver";

/// Somebody of acme who leaves in these tests, with an address that is theirs.
async fn lea(server: &TestServer) -> Person {
    server
        .apply(&format!(
            "users: [{{ id: {LEAVER}, username: lea, name: Lea Leitner, email: lea@acme.example,
               email_verified: true, password: lea-correct-horse }}]
accounts: [{{ id: acme, name: Acme Hospital, type: ENTERPRISE, groups: [
  {{ id: acme-admins, name: Administrators, members: [ada] }},
  {{ id: acme-nurses, name: Nurses, members: [ben, lea] }},
  {{ id: acme-developers, name: Developers, members: [dev] }}] }}]"
        ))
        .await;
    let (username, password) = ("lea", "lea-correct-horse");
    Person { username, password, totp: None, browser: server.browser() }
}

/// Asks for the deletion, with the right password.
async fn ask(server: &TestServer, person: &Person) -> Answer {
    person.sign_in(server).await;
    let fields = [("password", person.password)];
    send(&person.browser, PATH, |form| form.has("password"), &fields).await
}

async fn is_asked(server: &TestServer) -> bool {
    let query = "SELECT COUNT(*) AS n FROM users WHERE deletion_at IS NOT NULL";
    server.count(query).await > 0
}

async fn case_51_deletion_asks_for_a_fresh_sign_in_and_the_password(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    assert_eq!(ben.browser.get(PATH).await.line(), "303 -> /sign-in");
    ben.sign_in(&server).await;
    let page = ben.browser.get(PATH).await.expect(200);
    let form = Form::of(&page.body, PATH);

    for password in ["", "wrong-wrong-wrong", "ada-correct-horse"] {
        let page = ben.browser.submit(&page, &form, &[("password", password)]).await.expect(403);
        assert_eq!(text_of(&page, "error-text"), "That was not right. Please try again.");
    }
    server.advance(TimeDelta::minutes(6));
    assert_eq!(ben.browser.get(PATH).await.line(), "303 -> /sign-in/again");
    server.advance(TimeDelta::minutes(10));
    let csrf = held(&form, "csrf");
    let fields = [("csrf", &*csrf), ("password", ben.password)];
    assert_eq!(ben.browser.post(PATH, &fields).await.line(), "303 -> /sign-in/again");
    assert!(!is_asked(&server).await);

    // Signing in again leads back to where it was asked for.
    let page = ben.browser.get("/sign-in/again").await.expect(200);
    assert_eq!(held(&Form::of(&page.body, "/sign-in"), "username"), "ben");
    let page = ben.answer_page(&server, &page).await.expect(200);
    assert_eq!(page.url, format!("{}{PATH}", server.url));
    let form = Form::of(&page.body, PATH);
    let page = ben.browser.submit(&page, &form, &[("password", ben.password)]).await.expect(200);
    assert!(page.body.contains("id=\"deletion-asked\""), "{page:?}");
    assert!(is_asked(&server).await);
}

async fn case_51_guesses_at_the_password_wait(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    ben.sign_in(&server).await;
    let page = ben.browser.get(PATH).await.expect(200);
    let form = Form::of(&page.body, PATH);

    let mut last = 0;
    for _ in 0..40 {
        let fields = [("password", "wrong-wrong-wrong")];
        last = ben.browser.submit(&page, &form, &fields).await.status;
        if last == 429 {
            break;
        }
    }

    assert_eq!(last, 429);
    let right = ben.browser.submit(&page, &form, &[("password", ben.password)]).await;
    assert_eq!(right.status, 429, "not even the right one is looked at");
    assert!(!is_asked(&server).await);
}

async fn case_51_nobody_asks_for_the_deletion_of_somebody_else(db: Kind) {
    let server = TestServer::start(db).await;
    let (ada, ben) = (ada(&server), ben(&server));
    ada.sign_in(&server).await;
    ben.sign_in(&server).await;
    let page = ben.browser.get(PATH).await.expect(200);
    let form = Form::of(&page.body, PATH);
    let theirs = held(&Form::of(&ada.browser.get(PATH).await.body, PATH), "csrf");

    let csrf = held(&form, "csrf");
    for (headers, csrf) in [
        (&[][..], "AAAA"),
        (&[][..], &*theirs),
        (&[("sec-fetch-site", "cross-site")][..], &*csrf),
        (&[("origin", "https://evil.test")][..], &*csrf),
    ] {
        let fields = [("csrf", csrf), ("password", ben.password)];
        assert_eq!(ben.browser.post_with(PATH, headers, &fields).await.status, 403);
    }
    assert!(!is_asked(&server).await);
    let fields = [("password", ben.password), ("user", "ada"), ("user_id", "ada")];
    ben.browser.submit(&page, &form, &fields).await.expect(200);

    let query = "SELECT COUNT(*) AS n FROM users WHERE deletion_at IS NOT NULL AND id = 'ben'";
    assert_eq!(server.count(query).await, 1);
    let query = "SELECT COUNT(*) AS n FROM users WHERE deletion_at IS NOT NULL";
    assert_eq!(server.count(query).await, 1);
    // Nor does anybody take it back for somebody else.
    let cancel = held(&Form::of(&ben.browser.get(PATH).await.body, "/cancel"), "csrf");
    let answer = ada.browser.post("/account/deletion/cancel", &[("csrf", &*cancel)]).await;
    assert_eq!(answer.status, 403);
    assert!(is_asked(&server).await);
}

async fn case_58_whoever_waits_to_be_deleted_goes_on_and_can_stay(db: Kind) {
    let server = TestServer::start(db).await;
    let (lea, app) = (lea(&server).await, portal(&server));
    let before = app.tokens(&server, &lea).await;
    ask(&server, &lea).await.expect(200);
    let end = server.now() + GRACE.num_seconds();

    // Everything works as before, and says when it will end.
    let after = app.tokens(&server, &lea).await;
    assert_eq!(jwt::claims(&after.access)["deletion_date"], end);
    let renewed = app.refresh(&before.refresh).await.expect(200);
    assert_eq!(jwt::claims(&renewed.text("access_token"))["deletion_date"], end);
    assert_eq!(app.userinfo(&after.access).await.status, 200);
    for path in ["/account", "/", "/account/apps", "/account/profile", "/approvals", "/device"] {
        let page = lea.browser.get(path).await.expect(200);
        let text = text_of(&page, "leaving-text");
        assert!(text.starts_with("Your account will be deleted in 14 days."), "{path}: {text}");
        assert!(text.contains("15 June 2026"), "{path}: {text}");
    }
    server.advance(TimeDelta::days(13) + TimeDelta::hours(1));
    let again = Person { browser: server.browser(), ..lea.clone() };
    let page = again.browser.get(&app.authorize_url_with(&[("prompt", "consent")])).await;
    let page = again.browser.follow(page).await;
    let page = again.answer_page(&server, &page).await.expect(200);
    let text = text_of(&page, "leaving-text");
    assert!(text.starts_with("Your account will be deleted within one day."), "{text}");

    // The button leads back to what one was about to do.
    let form = Form::of(&page.body, "/account/deletion/cancel");
    let page = again.browser.submit(&page, &form, &[]).await.expect(200);
    assert!(page.body.contains("id=\"consent-allow\""), "{page:?}");
    assert!(!page.body.contains("id=\"leaving\""), "{page:?}");
    let kept = app.tokens(&server, &again).await;
    assert_eq!(jwt::claims(&kept.access).get("deletion_date"), None);
    server.advance(TimeDelta::days(30));
    run_due(&server.server).await;
    assert_eq!(lea.sign_in(&server).await.status, 200);
}

/// Every table and column of text.
async fn columns(server: &TestServer, db: Kind) -> Vec<(String, String)> {
    let query = match db {
        Kind::Sqlite => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c
              WHERE m.type = 'table' AND c.type = 'TEXT'"
        }
        Kind::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c
               FROM information_schema.columns
              WHERE table_schema = current_schema() AND data_type = 'text'"
        }
    };
    let rows = server.server.ctx.db.fetch_all(sql(query)).await.unwrap();
    rows.iter().map(|row| (row.get("t").unwrap(), row.get("c").unwrap())).collect()
}

/// In which columns a text stands.
async fn holding(server: &TestServer, db: Kind, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (table, column) in columns(server, db).await {
        let query = format!("SELECT COUNT(*) AS n FROM {table} WHERE {column} LIKE $1");
        let query = built_sql(query).bind(format!("%{text}%"));
        let row = server.server.ctx.db.fetch_optional(query).await.unwrap().unwrap();
        if row.get::<i64>("n").unwrap() > 0 {
            found.insert(format!("{table}.{column}"));
        }
    }
    found
}

/// Where the bare id of somebody who is gone stays: who did what is told by it.
fn in_the_record() -> BTreeSet<String> {
    ["audit_entries.user_id", "audit_entries.target", "audit_entries.detail"]
        .map(str::to_owned)
        .into()
}

async fn case_58_after_the_purge_nothing_works_and_nothing_is_left(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let host = Host::start().await;
    host.put("/out", "text/plain", "");
    let metadata = json!({ "backchannel_logout_uri": host.at("/out") });
    server
        .apply(&format!(
            "apps: [{{ id: told, account: acme, title: Told, status: live, type: public,
               allowed_accounts: all, allowed_scopes: [openid],
               callback_urls: [https://told.example/cb], client_metadata: {metadata} }}]"
        ))
        .await;
    let redirect_uri = "https://told.example/cb";
    let http = server.browser();
    let told = ClientApp { id: "told", secret: None, redirect_uri, scope: "openid", http };
    let (lea, ben, app) = (lea(&server).await, ben(&server), portal(&server));
    app.tokens(&server, &ben).await;
    ask(&server, &lea).await.expect(200);
    server.advance(GRACE - TimeDelta::seconds(1));
    let (given, code) = (app.tokens(&server, &lea).await, app.code(&server, &lea).await);
    told.tokens(&server, &lea).await;
    run_due(&server.server).await;
    assert_eq!(app.userinfo(&given.access).await.status, 200, "it is not over yet");
    assert!(holding(&server, db, LEAVER).await.contains("users.id"));

    server.advance(TimeDelta::seconds(1));
    run_due(&server.server).await;
    run_due(&server.server).await;
    server.deliver().await;

    assert_eq!(app.userinfo(&given.access).await.status, 401);
    assert_eq!(app.api("/v1/projects", &given.access, "acme").await.status, 401);
    assert_eq!(backend(&server).introspect(&given.access).await.json()["active"], false);
    assert_eq!(app.refresh(&given.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant");
    assert_eq!(lea.browser.get("/account").await.line(), "303 -> /sign-in");
    let page = lea.browser.get("/sign-in").await.expect(200);
    assert_eq!(lea.answer_page(&server, &page).await.status, 403);
    assert_eq!(host.visits("/out").len(), 1, "the app was told of the end");
    for text in ["lea@acme", "Leitner", "\"lea\""] {
        assert_eq!(holding(&server, db, text).await, BTreeSet::new(), "{text}");
    }
    assert_eq!(holding(&server, db, LEAVER).await, in_the_record());
    // Nobody else lost anything.
    app.tokens(&server, &ben).await;
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 4);
}

async fn case_58_neither_id_nor_name_are_given_again(db: Kind) {
    let server = TestServer::start(db).await;
    let person = lea(&server).await;
    ask(&server, &person).await.expect(200);
    server.advance(GRACE);
    run_due(&server.server).await;

    for yaml in [
        format!("users: [{{ id: {LEAVER}, username: other }}]"),
        "users: [{ username: lea }]".to_owned(),
        "users: [{ id: other, username: LEA }]".to_owned(),
        "users: [{ id: ben, username: Lea }]".to_owned(),
    ] {
        assert!(server.try_apply(&yaml).await.is_err(), "{yaml}");
    }
    server.apply("users: [{ username: leah }]").await;
    let query = "SELECT COUNT(*) AS n FROM users WHERE username_key = 'lea'";
    assert_eq!(server.count(query).await, 0);
}

async fn case_58_a_purge_goes_on_where_it_was_broken_off(db: Kind) {
    let server = TestServer::start(db).await;
    let (lea, app) = (lea(&server).await, portal(&server));
    let given = app.tokens(&server, &lea).await;
    // More than one transaction deletes.
    for _ in 0..9 {
        let double =
            sql("INSERT INTO grants (app_id, stage, request, user_id, session_digest, scope,
                auth_time, amr, code_digest, spent_at, access_seen, created_at, expires_at)
             SELECT app_id, stage, request, user_id, session_digest, scope,
                auth_time, amr, code_digest, spent_at, access_seen, created_at, expires_at
               FROM grants");
        server.server.ctx.db.write_one(double).await.unwrap();
    }
    ask(&server, &lea).await.expect(200);
    server.advance(GRACE);
    let id: UserId = LEAVER.parse().unwrap();

    // A node closes the user, and dies.
    assert!(server.server.users.close(&id).await.unwrap());
    assert_eq!(app.refresh(&given.refresh).await.refusal(), "400 invalid_grant");
    assert!(!server.server.users.cancel_deletion(&id).await.unwrap(), "it is too late");
    // Two others go on, at once.
    tokio::join!(run_due(&server.server), run_due(&server.server));

    let query = "SELECT COUNT(*) AS n FROM grants";
    assert_eq!(server.count(query).await, 0);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM gone_users").await, 1);
    assert_eq!(holding(&server, db, LEAVER).await, in_the_record());
    let done =
        server.letters().await.iter().filter(|it| it.subject.contains("was deleted")).count();
    assert_eq!(done, 1);
}

async fn letters_are_written_when_asked_shortly_before_and_after(db: Kind) {
    let server = TestServer::start(db).await;
    let lea = lea(&server).await;
    ask(&server, &lea).await.expect(200);
    server.advance(TimeDelta::days(11));
    run_due(&server.server).await;
    server.advance(TimeDelta::days(3));
    run_due(&server.server).await;

    let letters = server.letters().await;

    let subjects: Vec<&str> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "Your account will be deleted on 15 June 2026",
            "Your account will be deleted in a few days",
            "Your account was deleted",
        ]
    );
    assert!(letters.iter().all(|letter| letter.to.contains("lea@acme.example")));
    assert_eq!(letters[0].links, [format!("{}{PATH}", server.url)]);
    assert!(letters[2].links.is_empty(), "{:?}", letters[2].links);
}

async fn nothing_is_deleted_before_its_time_and_nobody_reminded_twice(db: Kind) {
    let server = TestServer::start(db).await;
    let (lea, ben) = (lea(&server).await, ben(&server));
    ask(&server, &lea).await.expect(200);
    // Nobody proved to read ben's address: he is not written to.
    ask(&server, &ben).await.expect(200);

    for _ in 0..13 {
        server.advance(TimeDelta::days(1));
        tokio::join!(run_due(&server.server), run_due(&server.server));
    }

    assert_eq!(server.letters().await.len(), 2);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 5);
    server.advance(TimeDelta::days(1));
    run_due(&server.server).await;
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 3);
}
