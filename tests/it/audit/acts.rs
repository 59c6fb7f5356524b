//! What people do at pages is in the record: who, by which app, in which request, from where.

use std::collections::BTreeSet;

use narthex::config::sign_up::SignUp;
use narthex::db::Fetch as _;
use narthex::db::query::sql;
use serde_json::{Value, json};

use crate::account::send;
use crate::audit::written;
use crate::common::actors::{ClientApp, Person};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, portal};
use crate::factors::{codes, enrol, form, password};
use crate::tenants::Desk;

both!(
    every_page_that_changes_something_says_who_and_in_which_request,
    sign_ins_without_pages_say_by_which_app,
    whoever_is_refused_behind_the_gate_is_told_of_too,
    apps_that_sign_in_for_themselves_are_told_of,
);

const WORLD: &str = "
users:
  - { id: nora, username: nora, email: nora@acme.example, email_verified: true, password: nora-correct-horse }
apps:
  - id: tv
    account: acme
    title: Living Room TV
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid]
    grant_types: [refresh_token, 'urn:ietf:params:oauth:grant-type:device_code']
  - id: phone
    account: acme
    title: Phone
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid]
    default_scopes: [openid]
    callback_urls: ['org.acme.phone:/cb']
    client_metadata: { may_take_passwords: true }
";

/// The record, as far as it was looked at.
struct Record {
    server: TestServer,
    seen: BTreeSet<(String, i64)>,
}

impl Record {
    async fn start(db: Kind) -> Self {
        let server = TestServer::start_with(db, |config| config.sign_up = SignUp::Open).await;
        server.apply(include_str!("../common/world.yaml")).await;
        server.apply(WORLD).await;
        let mut record = Self { server, seen: BTreeSet::new() };
        record.look().await;
        record
    }

    /// What was recorded since the last look: `user app type action what`, with `-` for nothing. Each
    /// says in which request it was done, and from where.
    async fn news(&mut self) -> Vec<String> {
        let told = self.look().await;
        for (line, (request, origin)) in &told {
            assert!(request.is_some(), "{line}: in which request?");
            assert!(origin.as_deref().is_some_and(|it| it.contains("127.0.0.1")), "{line}: where?");
        }
        told.into_iter().map(|(line, _)| line).collect()
    }

    async fn look(&mut self) -> Vec<(String, (Option<String>, Option<String>))> {
        written(&self.server).await;
        let query = sql("SELECT * FROM audit_entries ORDER BY chain, seq");
        let rows = self.server.server.ctx.db.fetch_all(query).await.unwrap();
        let mut told = Vec::new();
        for row in rows {
            let text = |column| row.get::<Option<String>>(column).unwrap();
            let key = (text("chain").unwrap_or_default(), row.get::<i64>("seq").unwrap());
            if !self.seen.insert(key) {
                continue;
            }
            let detail: Value =
                serde_json::from_str(&text("detail").unwrap_or_default()).unwrap_or_default();
            let what = detail["after"]["changed"].as_str().map(str::to_owned);
            let what = what.or(text("reason")).unwrap_or_else(|| "-".to_owned());
            let or = |column| text(column).unwrap_or_else(|| "-".to_owned());
            let line = [or("user_id"), or("app_id"), or("kind"), or("action"), what].join(" ");
            told.push((line, (text("request_id"), text("origin"))));
        }
        told
    }

    /// Among what was just recorded are these.
    #[track_caller]
    fn holds(told: &[String], wanted: &[&str]) {
        for line in wanted {
            assert!(told.iter().any(|it| it == line), "{line} is not in {told:?}");
        }
    }

    fn nora(&self) -> Person {
        let (username, password) = ("nora", "nora-correct-horse");
        Person { username, password, totp: None, browser: self.server.browser() }
    }
}

async fn submit(browser: &Browser, page: &Answer, id: &str, fields: &[(&str, &str)]) -> Answer {
    browser.submit(page, &form(page, id), fields).await
}

/// Apps, devices and consents.
async fn agreeing(record: &mut Record) {
    let (nora, app) = (record.nora(), portal(&record.server));
    app.tokens(&record.server, &nora).await;
    let told = record.news().await;
    Record::holds(&told, &["nora portal sign-in E -", "nora portal consent C -"]);

    let tv = ClientApp {
        id: "tv",
        secret: None,
        redirect_uri: "",
        scope: "openid",
        http: record.server.browser(),
    };
    for (decision, sign_in) in [("deny", false), ("allow", true)] {
        let begun = tv.authenticated("/device_authorization", &[("scope", "openid")]).await;
        let page = nora.browser.get("/device").await;
        let code = begun.text("user_code");
        let page = submit(&nora.browser, &page, "device-form", &[("user_code", &code)]).await;
        submit(&nora.browser, &page, "device-confirm-form", &[("decision", decision)]).await;
        let told = record.news().await;
        Record::holds(&told, &["nora tv device E -"]);
        assert_eq!(told.contains(&"nora tv sign-in E -".to_owned()), sign_in, "{told:?}");
    }
    let is_portal = |form: &Form| form.fields.iter().any(|(_, value)| value == "portal");
    send(&nora.browser, "/account/apps", is_portal, &[]).await.expect(200);
    Record::holds(&record.news().await, &["nora - consent D -"]);
}

/// What one changes about oneself.
async fn changing(record: &mut Record) {
    let nora = record.nora();
    password(&nora).await;
    send(&nora.browser, "/account/profile", |_| true, &[("name", "Nora N.")]).await.expect(200);
    Record::holds(&record.news().await, &["nora - sign-in E -", "nora - user U profile"]);

    let new = [("current", nora.password), ("password", "seven green trains to Oslo")];
    send(&nora.browser, "/account/password", |_| true, &[("current", "no"), new[1]]).await;
    Record::holds(&record.news().await, &["- - sign-in E wrong_password"]);
    send(&nora.browser, "/account/password", |_| true, &new).await.expect(200);
    Record::holds(&record.news().await, &["nora - user U password"]);

    let email = [("email", "nora@new.example")];
    let is_email = |form: &Form| form.has("email");
    send(&nora.browser, "/account/email", is_email, &email).await.expect(200);
    record.look().await;
    let letters = record.server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to.contains("nora@new.example"));
    let link = letter.unwrap().links.last().unwrap().clone();
    let page = nora.browser.get(&link).await;
    nora.browser.submit(&page, &Form::of(&page.body, "/verify-email"), &[]).await.expect(200);
    Record::holds(&record.news().await, &["nora - user U email"]);

    let other = Person { password: "seven green trains to Oslo", ..record.nora() };
    password(&other).await;
    record.look().await;
    send(&other.browser, "/account/sessions", |_| true, &[]).await.expect(200);
    Record::holds(&record.news().await, &["nora - sign-in D -"]);
}

/// Second factors.
async fn factors(record: &mut Record) {
    let nora = Person { password: "seven green trains to Oslo", ..record.nora() };
    password(&nora).await;
    let (_, page) = enrol(&record.server, &nora.browser).await;
    assert!(!codes(&page).is_empty());
    let told = record.news().await;
    Record::holds(&told, &["nora - user U factor-added", "nora - user U recovery-made"]);

    let thief = Person { browser: record.server.browser(), ..nora };
    password(&thief).await;
    let page = thief.browser.get("/sign-in/recovery").await;
    submit(&thief.browser, &page, "recovery-form", &[("code", "0000-0000-0000")]).await;
    let page = thief.browser.get("/sign-in/totp").await;
    submit(&thief.browser, &page, "totp-form", &[("code", "000000")]).await;
    let told = record.news().await;
    // The same twice in a minute is one entry that counts.
    assert_eq!(told, ["- - sign-in E wrong_code"]);
    let times = "SELECT MAX(times) AS n FROM audit_entries WHERE reason = 'wrong_code'";
    assert_eq!(record.server.count(times).await, 2);
}

/// Coming and going.
async fn coming(record: &mut Record) {
    let browser = record.server.browser();
    let page = browser.get("/sign-up").await.expect(200);
    let fields =
        [("name", "Grace"), ("email", "g@x.example"), ("password", "nine red boats to Riga")];
    browser.submit(&page, &Form::of(&page.body, "/sign-up"), &fields).await.expect(200);
    let letters = record.server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to.contains("g@x.example")).unwrap();
    record.look().await;
    let page = browser.get(letter.links.last().unwrap()).await;
    browser.submit(&page, &Form::of(&page.body, "/sign-up/confirm"), &[]).await.expect(200);
    let told = record.news().await;
    let made = told.iter().find(|line| line.ends_with("- user C user")).expect("a user");
    let grace = made.split(' ').next().unwrap();
    assert!(grace != "-", "{told:?}");
    Record::holds(&told, &[&format!("{grace} - sign-in E -")]);

    let page = browser.get("/logout").await;
    browser.submit(&page, &form(&page, "logout-form"), &[("confirm", "yes")]).await;
    Record::holds(&record.news().await, &[&format!("{grace} - sign-in D -")]);
}

async fn every_page_that_changes_something_says_who_and_in_which_request(db: Kind) {
    let mut record = Record::start(db).await;

    agreeing(&mut record).await;
    changing(&mut record).await;
    factors(&mut record).await;
    coming(&mut record).await;
}

async fn sign_ins_without_pages_say_by_which_app(db: Kind) {
    let mut record = Record::start(db).await;
    let http = record.server.browser();
    let sign_in = async |password: &str| {
        let body = json!({"clientId": "phone", "username": "nora", "password": password});
        http.post_json("/auth/v1/api/login", &[], body.to_string()).await.status
    };

    assert_eq!(sign_in("wrong").await, 403);
    assert_eq!(record.news().await, ["- phone sign-in E wrong_password"]);
    assert_eq!(sign_in("nora-correct-horse").await, 200);
    assert_eq!(record.news().await, ["nora phone sign-in E -"]);
    record.server.apply("users: [{ username: nora, email: nora@acme.example, email_verified: true, password: nora-correct-horse, totp: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ }]").await;
    record.look().await;
    assert_eq!(sign_in("nora-correct-horse").await, 403);
    assert_eq!(record.news().await, ["nora phone sign-in E second_factor_required"]);
}

async fn whoever_is_refused_behind_the_gate_is_told_of_too(db: Kind) {
    let mut record = Record::start(db).await;
    let nurse = Desk::of(&record.server, &ben(&record.server)).await;
    let admin = Desk::of(&record.server, &ada(&record.server)).await;
    record.look().await;

    nurse.get("/v1/apps", "acme").await.expect(403);
    nurse.post("/v1/accounts", "acme", json!({"name": "Mine"})).await.expect(403);
    let more = json!({"name": "More", "policy": {"rules": {"billingAdmin": true}}});
    assert_eq!(
        admin.post("/v1/policies", "acme", more).await.refusal(),
        "403 grants_more_than_held"
    );

    let mut told = record.news().await;
    told.sort();
    let wanted = [
        "ada portal gate E grants_more_than_held",
        "ben portal gate E policy_denies",
        "ben portal gate E policy_denies",
    ];
    assert_eq!(told, wanted);
}

async fn apps_that_sign_in_for_themselves_are_told_of(db: Kind) {
    let mut record = Record::start(db).await;
    let backend = backend(&record.server);
    backend.client_credentials("project.read").await.expect(200);
    backend.client_credentials("project.read").await.expect(200);
    let thief = ClientApp { secret: Some("wrong-secret-0123456789-abcdefghijklmnop"), ..backend };
    thief.client_credentials("project.read").await.expect(401);

    let mut told: Vec<_> = record.look().await.into_iter().map(|(line, _)| line).collect();
    told.sort();
    assert_eq!(told, ["- - app-sign-in E invalid_client", "- backend app-sign-in E -"]);
    let tokens =
        "SELECT times AS n FROM audit_entries WHERE kind = 'app-sign-in' AND app_id = 'backend'
                     AND chain = 'acme'";
    assert_eq!(record.server.count(tokens).await, 2);
}
