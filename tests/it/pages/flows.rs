//! The ways through several pages that a browser goes by itself, or without scripts.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::common::actors::{CHALLENGE, VERIFIER};
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;

/// An app whose pages a browser can open, and the server that it asks.
struct Clinic {
    server: TestServer,
    host: Host,
}

impl Clinic {
    async fn open() -> Self {
        let server = TestServer::start(Kind::Sqlite).await;
        let host = Host::start().await;
        for path in ["/callback", "/bye", "/out"] {
            host.put(path, "text/html", "<h1 id=\"app\">The app</h1>");
        }
        let yaml = format!(
            "apps:
  - {{ id: clinic, account: acme, title: Clinic, status: live, type: public,
      allowed_accounts: all, allowed_scopes: [openid, profile], callback_urls: ['{}'],
      logout_urls: ['{}'], client_metadata: {{ frontchannel_logout_uri: '{}',
      localized: {{ 'client_name#de-AT': Klinik }} }} }}",
            host.at("/callback"),
            host.at("/bye"),
            host.at("/out"),
        );
        server.apply(&yaml).await;
        Self { server, host }
    }

    fn authorize(&self, more: &str) -> String {
        format!(
            "{}/authorize?response_type=code&client_id=clinic&redirect_uri={}&scope=openid+profile\
             &code_challenge={CHALLENGE}&code_challenge_method=S256&state=s1{more}",
            self.server.url,
            self.host.at("/callback"),
        )
    }
}

impl Clinic {
    /// Exchanges the code that the browser posted.
    async fn exchange(&self) {
        let visits = self.host.visits("/callback");
        assert_eq!(visits.len(), 1, "{visits:?}");
        let body: BTreeMap<_, _> = form_urlencoded::parse(visits[0].body.as_bytes()).collect();
        let redirect = self.host.at("/callback");
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "clinic"),
            ("code", &*body["code"]),
            ("redirect_uri", &redirect),
            ("code_verifier", VERIFIER),
        ];
        self.server.browser().post("/token", &fields).await.expect(200);
    }
}

async fn type_password(browser: &Chromium, username: &str) {
    browser.element("username").await.clear().await.expect("an empty field");
    browser.type_into("username", username).await;
    browser.type_into("password", &format!("{username}-correct-horse")).await;
    browser.click("sign-in").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oauth_form_post_2_the_form_sends_itself() {
    let clinic = Clinic::open().await;
    let browser = Chromium::start(Look::Desktop).await;

    browser.open(&clinic.authorize("&response_mode=form_post")).await;
    type_password(&browser, "ben").await;
    browser.click("consent-allow").await;
    browser.element("app").await;

    let visits = clinic.host.visits("/callback");
    assert_eq!(visits.len(), 1, "{visits:?}");
    assert_eq!((&*visits[0].method, &*visits[0].query), ("POST", ""));
    assert!(visits[0].body.contains("state=s1") && visits[0].body.contains("code="));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oidcc_3_1_2_1_somebody_else_is_chosen() {
    let clinic = Clinic::open().await;
    let browser = Chromium::start(Look::Phone).await;
    browser.open(&format!("{}/sign-in", clinic.server.url)).await;
    type_password(&browser, "ben").await;
    browser.element("home-username").await;

    browser.open(&clinic.authorize("&prompt=select_account")).await;
    browser.expect_text("select-user", "Ben Brandt").await;
    browser.click("select-another").await;
    type_password(&browser, "eve").await;
    browser.expect_text("consent-user", "eve").await;
    browser.click("consent-allow").await;

    let address = browser.address(&clinic.host.at("/callback")).await;
    assert!(address.contains("code="), "{address}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_scripts_everything_works_in_german() {
    let clinic = Clinic::open().await;
    let browser = Chromium::start(Look::NoScripts).await;
    let text = async |id: &str| browser.element(id).await.text().await.expect("a text");

    // A slip, and the page still says for which app it is.
    browser.open(&clinic.authorize("&response_mode=form_post&ui_locales=de")).await;
    assert_eq!(text("app-title").await, "Klinik");
    assert_eq!(text("sign-in").await, "Anmelden");
    browser.type_into("username", "ada").await;
    browser.type_into("password", "wrong").await;
    browser.click("sign-in").await;
    assert!(text("error-text").await.starts_with("Benutzername oder Passwort ist falsch."));
    assert_eq!(text("app-title").await, "Klinik");

    // The second factor, a slip there, and the consent.
    type_password(&browser, "ada").await;
    browser.type_into("totp-code", "000000").await;
    browser.click("totp-submit").await;
    assert!(text("error-text").await.starts_with("Der Code ist falsch"));
    let code = clinic.server.totp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    browser.type_into("totp-code", &code).await;
    browser.click("totp-submit").await;
    assert_eq!(text("consent-allow").await, "Erlauben");
    browser.click("consent-allow").await;

    // The form that scripts would send has a button.
    assert_eq!(text("continue").await, "Weiter");
    browser.click("continue").await;
    browser.element("app").await;
    clinic.exchange().await;

    // Signing out, with a frame for the app and the way on by itself.
    let bye = clinic.host.at("/bye");
    let query = format!("client_id=clinic&post_logout_redirect_uri={bye}");
    browser.open(&format!("{}/logout?{query}", clinic.server.url)).await;
    assert_eq!(text("logout-confirm").await, "Abmelden");
    browser.click("logout-confirm").await;
    browser.address(&bye).await;
    assert_eq!(clinic.host.visits("/out").len(), 1);
}
