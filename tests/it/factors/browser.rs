//! Passkeys and pages of second factors in real Chromium, with an authenticator of its own.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::CARA;
use super::keys::{origin, start};
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::server::{TestServer, totp};

/// Adds a virtual authenticator. Source: `WebAuthn` Level 3 section 11.
#[derive(Debug)]
struct AddAuthenticator(Value);

impl WebDriverCompatibleCommand for AddAuthenticator {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/webauthn/authenticator", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

async fn with_security_key(browser: &Chromium) {
    let key = json!({ "protocol": "ctap1/u2f", "transport": "usb", "isUserConsenting": true });
    browser.page.issue_cmd(AddAuthenticator(key)).await.expect("an authenticator");
}

async fn with_authenticator(browser: &Chromium) {
    let phone = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
        "hasUserVerification": true, "isUserVerified": true, "isUserConsenting": true });
    browser.page.issue_cmd(AddAuthenticator(phone)).await.expect("an authenticator");
}

async fn sign_in(browser: &Chromium, server: &TestServer) {
    browser.open(&format!("{}/sign-in", origin(server))).await;
    browser.type_into("username", "cara").await;
    browser.type_into("password", "cara-correct-horse").await;
    browser.click("sign-in").await;
}

async fn sign_out(browser: &Chromium, server: &TestServer) {
    browser.open(&format!("{}/account", origin(server))).await;
    browser.click("sign-out").await;
    browser.click("logout-confirm").await;
    browser.address(&format!("{}/signed-out", origin(server))).await;
}

/// The driver's authenticator chooses by itself what people choose in the field for the name: to
/// open the sign-in page is enough.
async fn passkeys(look: Look) {
    let server = start(Kind::Sqlite).await;
    let site = origin(&server);
    let browser = Chromium::start(look).await;
    browser.open(&format!("{site}/sign-in")).await;
    with_authenticator(&browser).await;
    browser.element("passkey").await;
    browser.look_at("sign-in-passkey").await;

    sign_in(&browser, &server).await;
    browser.element("signed-in").await;
    browser.open(&format!("{site}/account/factors")).await;
    browser.element("new-passkey").await;
    browser.look_at("factors-none").await;
    browser.type_into("new-passkey-name", "My phone").await;
    browser.click("new-passkey").await;
    browser.element("recovery-codes").await;
    browser.look_at("recovery-codes").await;
    browser.click("codes-done").await;
    browser.element("keys").await;
    browser.look_at("factors").await;

    sign_out(&browser, &server).await;
    browser.open(&format!("{site}/sign-in")).await;
    browser.element("signed-in").await;
    // A key that was removed is refused, by the field and by the button, and one sees why.
    browser.open(&format!("{site}/account/factors")).await;
    browser.click("key-remove-1").await;
    browser.element("app-add").await;
    sign_out(&browser, &server).await;
    browser.open(&format!("{site}/sign-in")).await;
    browser.element("error-text").await;
    browser.look_at("sign-in-passkey-wrong").await;
    browser.click("passkey").await;
    browser.element("error-text").await;
}

async fn security_key(look: Look) {
    let server = start(Kind::Sqlite).await;
    let browser = Chromium::start(look).await;
    browser.open(&format!("{}/sign-in", origin(&server))).await;
    with_security_key(&browser).await;
    sign_in(&browser, &server).await;
    browser.element("signed-in").await;
    browser.open(&format!("{}/account/factors", origin(&server))).await;
    browser.type_into("new-key-name", "On my keyring").await;
    browser.click("new-key").await;
    browser.element("recovery-codes").await;

    sign_out(&browser, &server).await;
    sign_in(&browser, &server).await;
    browser.element("key").await;
    browser.look_at("key").await;
    browser.click("key").await;
    browser.element("signed-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_passkeys_in_a_browser() {
    passkeys(Look::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_52_passkeys_on_a_phone() {
    passkeys(Look::Phone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_key_after_the_password_in_a_browser() {
    security_key(Look::Desktop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_security_key_after_the_password_on_a_phone() {
    security_key(Look::Phone).await;
}

/// Everything but keys works without scripts: setting up an app, its codes, recovery codes.
async fn without_scripts(look: Look) {
    let server = TestServer::start(Kind::Sqlite).await;
    server.apply(CARA).await;
    server.apply("accounts: [{ id: gamma, name: Gamma, requires_second_factor: true, groups: [{ id: gamma-all, name: All, members: [cara] }] }]").await;
    let browser = Chromium::start(look).await;
    let code = |secret: &str| {
        server.advance(chrono::TimeDelta::seconds(30));
        totp(&secret.replace(' ', ""), server.now())
    };
    let sign_in = async || {
        browser.open(&format!("{}/sign-in", server.url)).await;
        browser.type_into("username", "cara").await;
        browser.type_into("password", "cara-correct-horse").await;
        browser.click("sign-in").await;
    };

    sign_in().await;
    let secret = browser.element("totp-secret").await.text().await.unwrap();
    if look != Look::NoScripts {
        browser.look_at("enrol").await;
    }
    browser.type_into("totp-code", &code(&secret)).await;
    browser.click("totp-submit").await;
    let list = browser.element("recovery-codes").await.text().await.unwrap();
    let recovery = list.split_whitespace().find(|word| word.contains('-')).unwrap().to_owned();
    if look != Look::NoScripts {
        browser.look_at("enrolled").await;
    }
    browser.click("enrolled-next").await;
    browser.element("signed-in").await;
    browser.open(&format!("{}/account/factors", server.url)).await;
    browser.click("app-replace").await;
    let secret = browser.element("totp-secret").await.text().await.unwrap();
    if look != Look::NoScripts {
        browser.look_at("factors-app").await;
    }
    browser.type_into("totp-code", &code(&secret)).await;
    browser.click("totp-submit").await;
    browser.element("app-since").await;
    browser.page.delete_all_cookies().await.unwrap();
    sign_in().await;
    browser.click("way-recovery").await;
    browser.element("recovery-code").await;
    if look != Look::NoScripts {
        browser.look_at("recovery").await;
    }
    browser.type_into("recovery-code", &recovery).await;
    browser.click("recovery-submit").await;
    browser.element("signed-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn factors_work_without_scripts() {
    without_scripts(Look::NoScripts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn factors_fit_a_phone() {
    without_scripts(Look::Phone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn factors_fit_a_desktop() {
    without_scripts(Look::Desktop).await;
}
