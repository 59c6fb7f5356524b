//! `@lifeomic/app-tools`, unmodified, in headless Chromium: signing in at pages, by password and by
//! a code that is mailed.

use std::path::PathBuf;
use std::process::Command;

use axum::Router;
use axum::response::{Html, IntoResponse as _};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::apps::direct::code_of;
use crate::clients::node::{packages, scripts};
use crate::clients::{on_an_origin_of_its_own, server_now};
use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;

both!(app_tools_signs_in_refreshes_and_signs_out);

/// The script with the library in it, as developers bundle it.
fn bundle(folder: PathBuf) -> String {
    std::fs::copy(scripts().join("app-tools.mjs"), folder.join("app-tools.mjs")).expect("a copy");
    std::os::unix::fs::symlink(packages(), folder.join("node_modules")).expect("a link");
    let run = Command::new(packages().join(".bin/esbuild"))
        .args([
            "app-tools.mjs",
            "--bundle",
            "--format=esm",
            "--platform=browser",
            "--log-level=error",
        ])
        .current_dir(folder)
        .output()
        .expect("esbuild starts");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("a script")
}

/// Serves the app on an origin of its own.
async fn serve() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let script = bundle(folder.path().to_owned());
    let page = std::fs::read_to_string(scripts().join("app-tools.html")).expect("the page");
    let scripted =
        move || async move { ([(CONTENT_TYPE, "text/javascript")], script).into_response() };
    let router = Router::new()
        .route("/app-tools.js", get(scripted))
        .fallback(move || async move { Html(page) });
    on_an_origin_of_its_own(router).await
}

async fn app_tools_signs_in_refreshes_and_signs_out(db: Kind) {
    let server = server_now(db).await;
    let app = serve().await;
    server
        .apply(&format!(
            "users: [{{ id: carl, username: carl, email: carl@acme.example, email_verified: true }}]
accounts: [{{ id: acme, name: Acme Hospital, groups: [{{ id: acme-guests, name: Guests, members: [carl] }}] }}]
apps: [{{ id: platform-app, account: acme, title: Platform app, status: live, type: public, \
             allowed_accounts: all, allowed_scopes: [openid, profile, account.read], \
             require_pkce: false, callback_urls: ['{app}/'], logout_urls: ['{app}/bye'], \
             client_metadata: {{ may_take_passwords: true }} }}]"
        ))
        .await;
    let browser = Chromium::start(Look::Desktop).await;
    browser.open(&format!("{app}/?issuer={}", server.url)).await;
    browser.expect_text("state", "nobody").await;

    browser.click("sign-in").await;
    browser.type_into("username", "ben").await;
    browser.type_into("password", "ben-correct-horse").await;
    browser.click("sign-in").await;
    browser.click("consent-allow").await;
    browser.expect_text("state", "ben of acme").await;
    let address = browser.address(&app).await;
    assert!(address.ends_with("/?account=acme"), "the state came back as it was: {address}");
    for _ in 0..2 {
        browser.click("renew").await;
        browser.expect_text("result", "another token").await;
    }

    browser.click("sign-out").await;
    browser.click("logout-confirm").await;
    assert_eq!(browser.address(&app).await, format!("{app}/bye"));
    browser.expect_text("state", "nobody").await;

    browser.type_into("name", "ben").await;
    browser.type_into("secret", "wrong").await;
    browser.click("by-password").await;
    browser.expect_text("result", "refused: invalid_credentials").await;
    browser.open(&format!("{app}/bye")).await;
    browser.type_into("name", "ben").await;
    browser.type_into("secret", "ben-correct-horse").await;
    browser.click("by-password").await;
    browser.expect_text("result", "0 other methods").await;
    browser.expect_text("state", "ben of acme").await;

    browser.open(&format!("{app}/bye")).await;
    browser.type_into("name", "carl@acme.example").await;
    browser.click("send-code").await;
    browser.expect_text("result", "sent").await;
    browser.type_into("secret", &code_of(&server, "carl@acme.example").await).await;
    browser.click("by-code").await;
    browser.expect_text("result", "signed in by code").await;
    browser.expect_text("state", "carl of acme").await;
}
