//! npm's oidc-client-ts in headless Chromium: an app without a server of its own.

use axum::Router;
use axum::response::{Html, IntoResponse as _};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::clients::node::{packages, scripts};
use crate::clients::{on_an_origin_of_its_own, server_now};
use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;

both!(oidc_client_ts_signs_in_renews_silently_and_signs_out);

/// Serves the app on an origin of its own.
async fn serve() -> String {
    let page = std::fs::read_to_string(scripts().join("spa.html")).expect("the page");
    let script = std::fs::read_to_string(scripts().join("spa.mjs")).expect("the script");
    let library = packages().join("oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    let library = std::fs::read_to_string(library).expect("the library");
    let scripted = |text: String| {
        let kind = [(CONTENT_TYPE, "text/javascript")];
        get(move || async move { (kind, text).into_response() })
    };
    let router = Router::new()
        .route("/spa.mjs", scripted(script))
        .route("/oidc-client-ts.js", scripted(library))
        .fallback(move || async move { Html(page) });
    on_an_origin_of_its_own(router).await
}

async fn oidc_client_ts_signs_in_renews_silently_and_signs_out(db: Kind) {
    let server = server_now(db).await;
    let app = serve().await;
    server
        .apply(&format!(
            "apps: [{{ id: spa, account: acme, title: Single page, status: live, type: public, \
             allowed_accounts: all, allowed_scopes: [openid, profile], \
             callback_urls: ['{app}/callback', '{app}/silent'], logout_urls: ['{app}/bye'] }}]"
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
    browser.expect_text("state", "ben").await;

    browser.click("renew-frame").await;
    browser.expect_text("result", "renewed in a frame: another token").await;
    browser.click("renew-refresh").await;
    browser.expect_text("result", "renewed by refresh: another token").await;

    browser.click("sign-out").await;
    let mut address = browser.address("http://").await;
    if !address.starts_with(&app) && address.contains("/logout") {
        browser.click("logout-confirm").await;
        address = browser.address(&app).await;
    }
    assert!(address.starts_with(&app), "{address}");
    browser.expect_text("state", "nobody").await;
    browser.click("renew-frame").await;
    browser.expect_text("result", "refused: login_required").await;
}
