//! All pages, and how each is reached.

use std::collections::BTreeMap;

use crate::common::actors::CHALLENGE;
use crate::common::chromium::Chromium;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev};

/// Who looks at a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Somebody who is not signed in.
    Nobody,
    /// Ben, who has no second factor.
    Ben,
    /// Ada, who has one.
    Ada,
    /// A developer.
    Dev,
}

/// One page.
pub struct Page {
    pub name: &'static str,
    pub who: Who,
    open: String,
    steps: Vec<Step>,
}

/// What is done until it is shown.
enum Step {
    Type(&'static str, String),
    Click(&'static str),
    Wait(&'static str),
}

/// A page that is shown at `open`, which has an element `id`.
fn page(name: &'static str, who: Who, open: impl Into<String>, id: &'static str) -> Page {
    Page { name, who, open: open.into(), steps: vec![Step::Wait(id)] }
}

impl Page {
    fn typing(mut self, id: &'static str, text: impl Into<String>) -> Self {
        self.steps.push(Step::Type(id, text.into()));
        self
    }

    /// Clicks on an element, until another is shown.
    fn clicking(mut self, id: &'static str, until: &'static str) -> Self {
        self.steps.extend([Step::Click(id), Step::Wait(until)]);
        self
    }

    /// Goes there.
    pub async fn reach(&self, scene: &Scene, browser: &Chromium) {
        browser.open(&format!("{}{}", scene.server.url, self.open)).await;
        for step in &self.steps {
            match step {
                Step::Type(id, text) => {
                    let _ = browser.element(id).await.clear().await;
                    browser.type_into(id, text).await;
                }
                Step::Click(id) => browser.click(id).await,
                Step::Wait(id) => drop(browser.element(id).await),
            }
        }
    }
}

const SECRET: &str = "desk-secret-0123456789-abcdefghijklmnopqrs";

const APPS: &str = "
apps:
  - id: showy
    account: acme
    title: Donau-Universitätsklinikum Patientenportal für Terminvereinbarungen und Befunde
    url: https://showy.example
    icon_url: https://showy.example/logo.png
    status: developing
    type: public
    allowed_accounts: all
    allowed_scopes: [openid, profile, email, phone, address, offline_access, project.read, project.write]
    callback_urls: [https://a-rather-long-name-of-a-host.clinic.showy.example/callback]
    client_metadata:
      policy_uri: https://showy.example/privacy
      tos_uri: https://showy.example/terms
      authorization_details_types: [appointment]
      localized: { 'client_name#en': 'Patient Portal of the Danube University Hospital for Appointments and Reports' }
  - id: tv
    account: acme
    title: Living Room TV
    status: live
    type: public
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, 'urn:ietf:params:oauth:grant-type:device_code']
  - id: desk
    account: acme
    title: Help Desk
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, 'urn:openid:params:grant-type:ciba']
    secrets: [desk-secret-0123456789-abcdefghijklmnopqrs]
    client_metadata: { backchannel_token_delivery_mode: poll }
  - id: poster
    account: acme
    title: Poster
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid]
    callback_urls: ['HOST/stay']
";

/// A server on which every page has something to show.
pub struct Scene {
    pub server: TestServer,
    host: Host,
    cookies: BTreeMap<Who, Vec<(String, String)>>,
    user_codes: [String; 3],
}

impl Scene {
    pub async fn set(db: Kind) -> Self {
        let server = TestServer::start(db).await;
        let host = Host::start().await;
        // A browser stays on the page that sent a form here.
        host.answer_with("/stay", 204, "text/plain", "");
        server.apply(&APPS.replace("HOST", &host.url)).await;
        let mut cookies = BTreeMap::new();
        for (who, person) in
            [(Who::Ben, ben(&server)), (Who::Ada, ada(&server)), (Who::Dev, dev(&server))]
        {
            person.sign_in(&server).await;
            let all = person.browser.cookies().into_iter();
            cookies.insert(who, all.map(|(name, cookie)| (name, cookie.value)).collect());
        }
        let http = server.browser();
        let mut user_codes = [const { String::new() }; 3];
        for code in &mut user_codes {
            let fields = [("client_id", "tv"), ("scope", "openid project.read")];
            *code = http.post("/device_authorization", &fields).await.text("user_code");
        }
        let asked = [
            ("client_id", "desk"),
            ("client_secret", SECRET),
            ("scope", "openid project.read"),
            ("login_hint", "ben"),
            ("binding_message", "W4SCT"),
        ];
        http.post("/bc-authorize", &asked).await.expect(200);
        Self { server, host, cookies, user_codes }
    }

    /// What makes a browser somebody's.
    pub fn cookies(&self, who: Who) -> Vec<(String, String)> {
        self.cookies.get(&who).cloned().unwrap_or_default()
    }
}

/// A path that asks for a code for an app.
fn authorize(client: &str, redirect: &str, scope: &str, more: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri={redirect}&scope={scope}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256{more}"
    )
}

/// All pages. Each is reached from nothing, by a browser with the cookies of who looks at it.
pub fn pages(scene: &Scene) -> Vec<Page> {
    [sign_in(scene), consent(), requests(scene), others()].into_iter().flatten().collect()
}

fn portal(more: &str) -> String {
    authorize("portal", "https://portal.example/callback", "openid+profile+project.read", more)
}

fn showy(more: &str) -> String {
    let host = "https://a-rather-long-name-of-a-host.clinic.showy.example/callback";
    let scope = "openid+profile+email+phone+address+offline_access+project.read+project.write";
    authorize("showy", host, scope, more)
}

fn sign_in(scene: &Scene) -> Vec<Page> {
    use Who::{Ben, Nobody};
    let password =
        |page: Page, name: &str, text: &str| page.typing("username", name).typing("password", text);
    let ada = || password(page("", Nobody, portal(""), "password"), "ada", "ada-correct-horse");
    let more = "&response_mode=form_post";
    let poster = authorize("poster", &scene.host.at("/stay"), "openid", more);
    vec![
        page("sign-in", Nobody, "/sign-in", "password"),
        page("sign-in-app", Nobody, showy(""), "password"),
        password(page("sign-in-wrong", Nobody, showy(""), "password"), "ben", "wrong-password")
            .clicking("sign-in", "error-text"),
        Page { name: "totp", ..ada().clicking("sign-in", "totp-code") },
        Page {
            name: "totp-wrong",
            ..ada()
                .clicking("sign-in", "totp-code")
                .typing("totp-code", "000000")
                .clicking("totp-submit", "error-text")
        },
        page("sign-in-again", Ben, "/sign-in/again", "password"),
        page("select-account", Ben, portal("&prompt=select_account"), "select-another"),
        page("form-post", Ben, poster, "consent-allow").clicking("consent-allow", "continue"),
    ]
}

fn consent() -> Vec<Page> {
    let details = "%5B%7B%22type%22%3A%22appointment%22%2C%22actions%22%3A%5B%22read%22%2C%22cancel%22%5D%7D%5D";
    let detailed = showy(&format!("&prompt=consent&authorization_details={details}"));
    vec![
        page("consent", Who::Ada, portal("&prompt=consent"), "consent-allow"),
        page("consent-developing", Who::Dev, detailed, "consent-allow"),
    ]
}

fn requests(scene: &Scene) -> Vec<Page> {
    use Who::{Ada, Ben};
    let [first, second, third] = &scene.user_codes;
    let device = |name| page(name, Ben, "/device", "user-code");
    let typed = |name, code: &String| {
        device(name).typing("user-code", code).clicking("device-continue", "device-allow")
    };
    vec![
        device("device"),
        device("device-wrong")
            .typing("user-code", "AAAA-AAAA")
            .clicking("device-continue", "error-text"),
        typed("device-confirm", first),
        typed("device-done", second).clicking("device-allow", "device-done"),
        typed("device-refused", third).clicking("device-deny", "device-refused"),
        page("approvals-none", Ada, "/approvals", "approvals-none"),
        page("approvals", Ben, "/approvals", "approvals-user"),
    ]
}

fn others() -> Vec<Page> {
    use Who::{Ada, Ben, Nobody};
    vec![
        page("home", Ada, "/", "home-username"),
        page("sign-out", Ben, "/logout", "logout-confirm"),
        page("signed-out", Nobody, "/signed-out", "signed-out"),
        page("error-nothing", Nobody, "/nothing", "error-link"),
        page("error-link", Nobody, "/sign-in?grant=x", "error-text"),
        page("error-app", Nobody, "/authorize?client_id=x&client_id=y", "error-text"),
    ]
}
