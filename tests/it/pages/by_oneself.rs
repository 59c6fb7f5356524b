//! What people do for themselves, in a browser without scripts.

use narthex::config::sign_up::SignUp;

use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::server::TestServer;

const EMAIL: &str = "grace@x.example";
const NEW_EMAIL: &str = "grace@new.example";
const PASSWORD: &str = "seven green trains to Oslo";
const NEW_PASSWORD: &str = "nine blue boats from Bergen";

/// The link in the newest letter to `to`.
async fn link_to(server: &TestServer, to: &str) -> String {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to == to);
    letter.expect("a letter").links[0].clone()
}

async fn sign_in(browser: &Chromium, server: &TestServer, username: &str, password: &str) {
    browser.open(&format!("{}/sign-in", server.url)).await;
    browser.type_into("username", username).await;
    browser.type_into("password", password).await;
    browser.click("sign-in").await;
    browser.element("signed-in").await;
}

async fn sign_out(browser: &Chromium, server: &TestServer) {
    browser.open(&format!("{}/account", server.url)).await;
    browser.click("sign-out").await;
    browser.click("logout-confirm").await;
    browser.address(&format!("{}/signed-out", server.url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_people_sign_up_come_back_and_may_leave() {
    let open = |config: &mut narthex::config::model::Config| config.sign_up = SignUp::Open;
    let server = TestServer::start_with(Kind::Sqlite, open).await;
    let browser = Chromium::start(Look::NoScripts).await;
    let page = async |path: &str| browser.open(&format!("{}{path}", server.url)).await;

    page("/sign-up").await;
    browser.type_into("name", "Grace Hopper").await;
    browser.type_into("email", EMAIL).await;
    browser.type_into("password", PASSWORD).await;
    browser.click("sign-up").await;
    browser.element("check-mail").await;
    browser.open(&link_to(&server, EMAIL).await).await;
    browser.click("link-confirm").await;
    browser.element("signed-in").await;
    sign_out(&browser, &server).await;

    page("/forgot").await;
    browser.type_into("username", EMAIL).await;
    browser.click("forgot").await;
    browser.element("check-mail").await;
    browser.open(&link_to(&server, EMAIL).await).await;
    browser.type_into("password", NEW_PASSWORD).await;
    browser.click("reset").await;
    browser.element("done").await;
    sign_in(&browser, &server, EMAIL, NEW_PASSWORD).await;

    page("/account/profile").await;
    browser.type_into("nickname", "Amazing").await;
    browser.click("profile-save").await;
    browser.element("saved").await;
    page("/account/sessions").await;
    browser.element("session-1").await;
    page("/account/email").await;
    browser.element("email").await.clear().await.expect("an empty field");
    browser.type_into("email", NEW_EMAIL).await;
    browser.click("email-submit").await;
    browser.element("email-sent").await;
    browser.open(&link_to(&server, NEW_EMAIL).await).await;
    browser.click("link-confirm").await;
    browser.element("done").await;
    page("/account/deletion").await;
    browser.type_into("deletion-password", NEW_PASSWORD).await;
    browser.click("deletion-ask").await;
    browser.click("leaving-cancel").await;
    page("/account/deletion").await;
    browser.element("deletion-ask").await;
}
