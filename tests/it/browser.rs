//! The demo in headless Chromium, from the first click to every refusal: with the real program.

use narthex::base::clock::{Clock as _, SystemClock};
use serde_json::json;

use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::{Kind, TestDatabase};
use crate::common::program::{Running, flags, narthex, with_flags};
use crate::common::server::totp;

both!(the_demo_shows_projects_and_every_refusal);

/// A running demo.
struct Demo {
    program: Running,
    _database: TestDatabase,
    /// The app's origin.
    app: String,
    /// Narthex.
    issuer: String,
}

impl Demo {
    async fn start(db: Kind) -> Self {
        let database = TestDatabase::empty(db).await;
        let flags = flags(&database);
        let args = ["demo", "--listen", "127.0.0.1:0", "--app-listen", "127.0.0.1:0"];
        let program = narthex(database.folder.path(), &with_flags(&args, &flags));
        let program = Running::start(program, "Ctrl-C");
        let (app, issuer) = (program.word_after("Open "), program.word_after("Narthex  "));
        Self { program, _database: database, app, issuer }
    }

    /// The row of a user in what the program says when it starts: name, password, …
    fn password(&self, user: &str) -> String {
        self.program.word_after(&format!("\n  {user} "))
    }

    fn code(&self, user: &str) -> String {
        let (_, secrets) = self.program.said.split_once("authenticator app").expect("the secrets");
        let line = secrets.lines().find(|line| line.trim().starts_with(user)).expect("a secret");
        let secret = line.split_whitespace().nth(1).expect("a secret");
        totp(secret, SystemClock.now().timestamp())
    }

    /// Signs in on the pages that are being shown.
    async fn sign_in(&self, browser: &Chromium, user: &str) {
        browser.type_into("username", user).await;
        browser.type_into("password", &self.password(user)).await;
        browser.click("sign-in").await;
        browser.type_into("totp-code", &self.code(user)).await;
        browser.click("totp-submit").await;
    }

    /// An authorization request of the demo app, as its script makes it.
    fn authorize_url(&self) -> String {
        let redirect = format!("{}/callback", self.app);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", "demo")
            .append_pair("redirect_uri", &redirect)
            .append_pair("scope", "openid profile project.read")
            .append_pair("state", "s")
            .append_pair("code_challenge", crate::common::actors::CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("{}/authorize?{query}", self.issuer)
    }
}

/// The names that are listed, once there is a list.
async fn projects(browser: &Chromium) -> serde_json::Value {
    browser.text("projects-count").await;
    let names = "[...document.querySelectorAll('#projects li b')].map((it) => it.textContent)";
    browser.ask(&format!("return {names}.sort()")).await
}

async fn the_demo_shows_projects_and_every_refusal(db: Kind) {
    let demo = Demo::start(db).await;
    let browser = Chromium::start(Look::Desktop).await;
    browser.open(&demo.app).await;
    browser.look_at("1-app").await;
    browser.click("sign-in").await;
    browser.element("password").await;
    browser.look_at("2-sign-in").await;
    demo.sign_in(&browser, "ada").await;
    browser.element("consent-allow").await;
    browser.look_at("3-consent").await;
    assert_eq!(browser.text("app-title").await, "Lab notebook");
    browser.click("consent-allow").await;

    let seen = projects(&browser).await;
    assert_eq!(browser.text("user-name").await, "Ada Byron");
    browser.look_at("4-projects").await;
    assert_eq!(seen, json!(["Genome archive", "Heart rhythm study", "Sleep laboratory"]));
    for (button, status, reason) in [
        ("provoke-no-scope", "403", "insufficient_scope"),
        ("provoke-no-account", "400", "account_required"),
        ("provoke-app-not-allowed", "403", "app_not_allowed"),
        ("provoke-not-a-member", "403", "not_a_member"),
        ("provoke-policy-denies", "403", "policy_denies"),
    ] {
        browser.click(button).await;
        browser.expect_text("result-reason", reason).await;
        browser.expect_text("result-status", status).await;
    }
    browser.click("provoke-developing").await;
    // Another app: it is shown to be in development, and asks for consent of its own.
    browser.element("app-developing").await;
    browser.click("consent-allow").await;
    browser.expect_text("result-reason", "app_in_development").await;
    browser.expect_text("result-status", "403").await;
    browser.look_at("5-refusal").await;
    // A refresh keeps everything in place.
    browser.click("refresh").await;
    browser.expect_text("projects-count", "3 projects").await;

    browser.click("sign-out").await;
    browser.element("welcome").await;
    browser.click("sign-in").await;
    demo.sign_in(&browser, "ben").await;
    browser.click("consent-allow").await;
    browser.expect_text("projects-count", "1 project").await;
    assert_eq!(projects(&browser).await, json!(["Heart rhythm study"]));
    assert_eq!(browser.text("user-name").await, "Ben Okafor");
    browser.click("provoke-policy-denies").await;
    browser.expect_text("result-reason", "policy_denies").await;
    browser.click("provoke-developing").await;
    // He develops nowhere, so the second app gets no token at all.
    browser.expect_text("result-reason", "access_denied").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_work_without_scripts() {
    let demo = Demo::start(Kind::Sqlite).await;
    let browser = Chromium::start(Look::NoScripts).await;
    browser.open(&demo.app).await;
    let source = browser.page.source().await.unwrap();
    assert!(source.contains("id=\"welcome\" hidden"), "scripts are really off: {source}");

    browser.open(&demo.authorize_url()).await;
    // A slip is told, and the name stays.
    browser.type_into("username", "ada").await;
    browser.type_into("password", "wrong").await;
    browser.click("sign-in").await;
    browser.element("error-text").await;
    browser.element("username").await.clear().await.unwrap();
    demo.sign_in(&browser, "ada").await;
    browser.click("consent-allow").await;

    let address = browser.address(&format!("{}/callback?", demo.app)).await;
    assert!(address.contains("code=") && address.contains("state=s"), "{address}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_is_enough() {
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    let demo = Demo::start(Kind::Sqlite).await;
    let browser = Chromium::start(Look::Desktop).await;
    browser.open(&demo.authorize_url()).await;

    browser.element("username").await;
    assert_eq!(browser.focus().await, "username");
    browser.keys(&format!("ben{TAB}")).await;
    assert_eq!(browser.focus().await, "password");
    browser.keys(&format!("{}{ENTER}", demo.password("ben"))).await;
    browser.element("totp-code").await;
    assert_eq!(browser.focus().await, "totp-code");
    browser.keys(&format!("{}{ENTER}", demo.code("ben"))).await;
    browser.element("consent-allow").await;
    let mut presses = 0;
    while browser.focus().await != "consent-allow" {
        presses += 1;
        assert!(presses < 12, "consent-allow is not reached");
        browser.keys(TAB).await;
    }
    let ring = browser.ask("return getComputedStyle(document.activeElement).outlineStyle").await;
    browser.look_at("focus").await;
    browser.keys(ENTER).await;

    assert_ne!(ring, "none", "one sees where one is");
    browser.address(&demo.app).await;
}

async fn walk_on_a_phone(look: Look) {
    let demo = Demo::start(Kind::Sqlite).await;
    let browser = Chromium::start(look).await;
    browser.open(&demo.authorize_url()).await;
    browser.element("username").await;
    let dark = browser.ask("return matchMedia('(prefers-color-scheme: dark)').matches").await;
    assert_eq!(dark, look == Look::DarkPhone);
    browser.look_at("sign-in").await;
    browser.type_into("username", "ada").await;
    browser.type_into("password", "wrong").await;
    browser.click("sign-in").await;
    browser.element("error-text").await;
    browser.look_at("sign-in-wrong").await;
    browser.element("username").await.clear().await.unwrap();
    browser.type_into("username", "ada").await;
    browser.type_into("password", &demo.password("ada")).await;
    browser.click("sign-in").await;
    browser.element("totp-code").await;
    browser.look_at("totp").await;
    browser.type_into("totp-code", &demo.code("ada")).await;
    browser.click("totp-submit").await;
    browser.element("consent-allow").await;
    browser.look_at("consent").await;
    for (name, path) in [
        ("home", "/"),
        ("logout", "/logout"),
        ("error", "/authorize?client_id=nobody"),
        ("signed-out", "/signed-out"),
        ("not-found", "/nowhere"),
    ] {
        browser.open(&format!("{}{path}", demo.issuer)).await;
        browser.look_at(name).await;
    }
    // The app, with all its buttons.
    browser.open(&demo.app).await;
    browser.click("sign-in").await;
    browser.click("consent-allow").await;
    browser.expect_text("projects-count", "3 projects").await;
    browser.click("provoke-no-scope").await;
    browser.expect_text("result-reason", "insufficient_scope").await;
    browser.look_at("app").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_fit_a_phone() {
    walk_on_a_phone(Look::Phone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_fit_a_phone_in_the_dark() {
    walk_on_a_phone(Look::DarkPhone).await;
}
