//! What people do for themselves, in a browser without scripts, with letters from a mail server.

use fantoccini::Locator;
use narthex::config::mail::SmtpTls;
use narthex::config::sign_up::SignUp;

use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::mail::smtpd::Smtpd;

const EMAIL: &str = "grace@x.example";
const NEW_EMAIL: &str = "grace@new.example";
const PASSWORD: &str = "seven green trains to Oslo";
const NEW_PASSWORD: &str = "nine blue boats from Bergen";

/// Opens the newest letter to `to`, as the mail server took it, and clicks its button.
async fn click_in_letter(browser: &Chromium, (server, smtpd): (&TestServer, &Smtpd), to: &str) {
    server.deliver().await;
    let letters = smtpd.letters();
    let letter = letters.iter().rev().find(|letter| letter.to == [to]).expect("a letter");
    let file = server.database.folder.path().join("letter.html");
    std::fs::write(&file, &letter.html).expect("a file");
    browser.open(&format!("file://{}", file.display())).await;
    let button = browser.page.find(Locator::Css("a")).await.expect("a button");
    button.click().await.expect("a click");
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
    let smtpd = Smtpd::start(SmtpTls::StartTls);
    let server = TestServer::start_with(Kind::Sqlite, |config| {
        config.sign_up = SignUp::Open;
        config.mail.way = smtpd.way();
    })
    .await;
    let mail = (&server, &smtpd);
    let browser = Chromium::start(Look::NoScripts).await;
    let page = async |path: &str| browser.open(&format!("{}{path}", server.url)).await;

    page("/sign-up").await;
    browser.type_into("name", "Grace Hopper").await;
    browser.type_into("email", EMAIL).await;
    browser.type_into("password", PASSWORD).await;
    browser.click("sign-up").await;
    browser.element("check-mail").await;
    click_in_letter(&browser, mail, EMAIL).await;
    browser.click("link-confirm").await;
    browser.element("signed-in").await;
    sign_out(&browser, &server).await;

    page("/forgot").await;
    browser.type_into("username", EMAIL).await;
    browser.click("forgot").await;
    browser.element("check-mail").await;
    click_in_letter(&browser, mail, EMAIL).await;
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
    click_in_letter(&browser, mail, NEW_EMAIL).await;
    browser.click("link-confirm").await;
    browser.element("done").await;
    page("/account/deletion").await;
    browser.type_into("deletion-password", NEW_PASSWORD).await;
    browser.click("deletion-ask").await;
    browser.click("leaving-cancel").await;
    page("/account/deletion").await;
    browser.element("deletion-ask").await;
}
