//! All pages, and how each is reached.

use std::collections::BTreeMap;

use narthex::base::secret::{Digest, Secret};
use narthex::config::sign_up::SignUp;
use narthex::users::login::Source;
use narthex::users::mailed::Begun;
use narthex::users::mailed::email::Proof;
use narthex::users::mailed::sign_up::Wanted;
use narthex::words::Language;

use crate::common::actors::CHALLENGE;
use crate::common::chromium::Chromium;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev};
use crate::pages::account::account;
use crate::pages::arrivals::Arrivals;
use crate::pages::invited;

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
    /// Somebody who came from a provider, with ada's address.
    Arrived,
    /// Ada, who came from a provider and then signed in.
    Asked,
    /// Somebody whom a provider made a user.
    Grace,
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
pub fn page(name: &'static str, who: Who, open: impl Into<String>, id: &'static str) -> Page {
    Page { name, who, open: open.into(), steps: vec![Step::Wait(id)] }
}

impl Page {
    pub fn typing(mut self, id: &'static str, text: impl Into<String>) -> Self {
        self.steps.push(Step::Type(id, text.into()));
        self
    }

    /// Clicks on an element, until another is shown.
    pub fn clicking(mut self, id: &'static str, until: &'static str) -> Self {
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
  - id: strict
    account: acme
    title: Strict
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid]
    callback_urls: [https://strict.example/callback]
    client_metadata: { require_second_factor: true }
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
    /// Where letters lead: to sign up, to set a password, to prove an address, to take one back.
    links: [String; 4],
    /// Where an invitation leads: of somebody new, of Ada, and of Ben, who proved no address.
    invitations: [String; 3],
    arrivals: Arrivals,
}

impl Scene {
    pub async fn set(db: Kind) -> Self {
        // Each page is looked at many times.
        let server = TestServer::start_with(db, |config| {
            config.sign_up = SignUp::Open;
            config.outbound.allowed_hosts = vec!["127.0.0.1".to_owned()];
            config.throttle.free_failures = 1_000;
        })
        .await;
        server.apply(include_str!("../common/world.yaml")).await;
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
        let links = links(&server).await;
        let invitations = invited::invite(&server).await;
        let users = &server.server.users;
        let leaver = users.find_by_username("dev").await.unwrap().expect("the developer");
        server.server.tenancy.ask_own_deletion(&leaver.id, Language::English).await.unwrap();
        let arrivals = Arrivals::come(&server).await;
        cookies.extend(arrivals.cookies.iter().cloned());
        Self { server, host, cookies, user_codes, links, invitations, arrivals }
    }

    /// What makes a browser somebody's.
    pub fn cookies(&self, who: Who) -> Vec<(String, String)> {
        self.cookies.get(&who).cloned().unwrap_or_default()
    }
}

/// Asks for letters, and answers the paths that they lead to.
async fn links(server: &TestServer) -> [String; 4] {
    let users = &server.server.users;
    let source = Source {
        ip: "192.0.2.1".parse().expect("an address"),
        browser: Digest::of(b"browser"),
        marks: Vec::new(),
    };
    let begun = Begun { browser: source.browser, grant: None, language: Language::English };
    let password = Secret::presented("seven green trains to Oslo");
    let wanted = Wanted { name: "Grace", email: "grace@x.example", password: &password };
    users.sign_up(&wanted, begun.clone(), &source).await.expect("a letter");
    let dev = users.find_by_username("dev").await.expect("an answer").expect("a user");
    for email in ["dev@old.example", "dev@new.example", "dev@newest.example"] {
        let dev = users.find(&dev.id).await.expect("an answer").expect("a user");
        let asked = users.ask_for_email(&dev, email, Language::English, &source).await;
        asked.expect("a letter");
        let letters = server.letters().await;
        let link =
            letters.iter().rev().find(|it| it.to == email).expect("a letter").links[0].clone();
        if email != "dev@newest.example" {
            let token = link.split("token=").nth(1).expect("a token");
            let link = users.email_link(token).await.expect("a link");
            users.prove_email(link, Proof::SignedIn(&dev.id), &source).await.expect("proved");
        }
    }
    users.forgot("ada", begun, &source).await.expect("a letter");
    let letters = server.letters().await;
    let path = |to: &str| {
        let letter = letters.iter().rev().find(|letter| letter.to == to).expect("a letter");
        letter.links[0].replace(&server.url, "")
    };
    ["grace@x.example", "ada@acme.example", "dev@newest.example", "dev@old.example"].map(path)
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
    let invited = invited::pages(&scene.invitations);
    let signing_in = [sign_in(scene), letters(scene), elsewhere(scene), invited];
    let signed_in = [consent(), requests(scene), factors(), others(), account()];
    signing_in.into_iter().chain(signed_in).flatten().collect()
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

fn letters(scene: &Scene) -> Vec<Page> {
    use Who::{Ben, Nobody};
    let [confirm, reset, verify, revert] = &scene.links;
    let sign_up = |name, password: &str| {
        page(name, Nobody, "/sign-up", "password")
            .typing("name", "Grace Hopper")
            .typing("email", "grace@x.example")
            .typing("password", password)
    };
    vec![
        page("sign-up", Nobody, portal("&prompt=create"), "password"),
        sign_up("sign-up-weak", "gracehoppergrace").clicking("sign-up", "error-text"),
        sign_up("sign-up-sent", "seven green trains to Oslo").clicking("sign-up", "send-again"),
        page("sign-up-confirm", Nobody, confirm, "link-confirm"),
        page("link-over", Nobody, "/reset?token=1.x", "error-text"),
        page("forgot", Nobody, "/forgot", "username"),
        page("forgot-sent", Nobody, "/forgot", "username")
            .typing("username", "ben@acme.example")
            .clicking("forgot", "send-again"),
        page("reset", Nobody, reset, "password"),
        page("verify-email", Nobody, verify, "link-confirm"),
        page("revert-email", Nobody, revert, "link-confirm"),
        page("account-email", Ben, "/account/email", "email-submit"),
        page("account-password", Ben, "/account/password", "password-submit"),
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

fn factors() -> Vec<Page> {
    use Who::{Ada, Ben, Nobody};
    let strict = authorize("strict", "https://strict.example/callback", "openid", "");
    let app = |name| page(name, Ben, "/account/factors/app", "totp-submit");
    vec![
        page("factors", Ada, "/account/factors", "factors"),
        page("factors-none", Ben, "/account/factors", "factors"),
        app("factors-app"),
        app("factors-app-wrong").typing("totp-code", "000000").clicking("totp-submit", "error"),
        page("factors-codes", Ada, "/account/factors", "codes-new").clicking("codes-new", "codes"),
        page("recovery", Nobody, portal(""), "password")
            .typing("username", "ada")
            .typing("password", "ada-correct-horse")
            .clicking("sign-in", "way-recovery")
            .clicking("way-recovery", "recovery-submit"),
        page("enrol", Nobody, strict, "password")
            .typing("username", "ben")
            .typing("password", "ben-correct-horse")
            .clicking("sign-in", "enrol-form"),
    ]
}

fn others() -> Vec<Page> {
    use Who::{Ada, Ben, Nobody};
    vec![
        page("home", Ada, "/", "home-username"),
        page("providers", Ada, "/account/providers", "providers-none"),
        page("sign-out", Ben, "/logout", "logout-confirm"),
        page("signed-out", Nobody, "/signed-out", "signed-out"),
        page("error-nothing", Nobody, "/nothing", "error-link"),
        page("error-link", Nobody, "/sign-in?grant=x", "error-text"),
        page("error-app", Nobody, "/authorize?client_id=x&client_id=y", "error-text"),
    ]
}

fn elsewhere(scene: &Scene) -> Vec<Page> {
    use Who::{Arrived, Asked, Grace, Nobody};
    let Arrivals { prove, connect, .. } = &scene.arrivals;
    vec![
        page("providers-sign-in", Nobody, "/sign-in", "provider-op"),
        page("providers-prove", Arrived, prove, "prove-sign-in"),
        page("providers-connect", Asked, connect, "connect"),
        page("providers-own", Grace, "/account/providers", "connected-op"),
    ]
}
