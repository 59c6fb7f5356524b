//! Front-Channel Logout 1.0 and Session Management 1.0 in headless Chromium: apps in other tabs and
//! frames notice that a session ends.

use serde_json::json;
use url::form_urlencoded;

use crate::common::actors::CHALLENGE;
use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::world::ben;

both!(
    oidcc_frontchannel_rp_initiated_logout_discovery,
    oidcc_frontchannel_rp_initiated_logout,
    oidcc_session_management_discovery,
    oidcc_session_management_rp_initiated_logout,
    case_14_only_the_page_for_frames_may_be_framed,
);

async fn says(db: Kind) -> serde_json::Value {
    let server = TestServer::start_empty(db).await;
    let says = server.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(says["check_session_iframe"], format!("{}/session/check", server.url));
    says
}

async fn oidcc_frontchannel_rp_initiated_logout_discovery(db: Kind) {
    let says = says(db).await;
    assert_eq!(says["frontchannel_logout_supported"], true);
    assert_eq!(says["frontchannel_logout_session_supported"], true);
}

async fn oidcc_session_management_discovery(db: Kind) {
    assert!(says(db).await["check_session_iframe"].is_string());
}

/// An app at a site of its own, which notes who comes.
struct Scene {
    server: TestServer,
    host: Host,
}

impl Scene {
    async fn set(db: Kind, metadata: &str) -> Self {
        let server = TestServer::start(db).await;
        let host = Host::start().await;
        for path in ["/callback", "/bye", "/out"] {
            host.put(path, "text/html", "<h1 id=\"app\">The app</h1>");
        }
        let metadata = metadata.replace("HOST", &host.url);
        let yaml = format!(
            "apps:
  - {{ id: framed, account: acme, title: Framed, status: live, type: public,
      allowed_accounts: all, allowed_scopes: [openid], callback_urls: [{}],
      logout_urls: [{}], client_metadata: {metadata} }}",
            host.at("/callback"),
            host.at("/bye"),
        );
        server.apply(&yaml).await;
        Self { server, host }
    }

    fn authorize_url(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", "framed")
            .append_pair("redirect_uri", &self.host.at("/callback"))
            .append_pair("scope", "openid")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        format!("{}/authorize?{query}", self.server.url)
    }

    /// Signs in in a browser, and gets the ID token. Answers it with the `session_state`.
    async fn sign_in(&self, browser: &Chromium) -> (String, String) {
        let ben = ben(&self.server);
        browser.open(&self.authorize_url()).await;
        browser.type_into("username", ben.username).await;
        browser.type_into("password", ben.password).await;
        browser.click("sign-in").await;
        browser.click("consent-allow").await;
        browser.element("app").await;
        let url = browser.page.current_url().await.expect("a URL");
        let param = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found.unwrap_or_else(|| panic!("no {name}: {url}")).1.into_owned()
        };
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "framed"),
            ("code", &param("code")),
            ("redirect_uri", &self.host.at("/callback")),
            ("code_verifier", crate::common::actors::VERIFIER),
        ];
        let tokens = self.server.browser().post("/token", &fields).await.expect(200);
        (tokens.text("id_token"), param("session_state"))
    }
}

async fn oidcc_frontchannel_rp_initiated_logout(db: Kind) {
    let metadata = "{ frontchannel_logout_uri: 'HOST/out?x=1', \
                     frontchannel_logout_session_required: true }";
    let scene = Scene::set(db, metadata).await;
    // It works without scripts.
    let browser = Chromium::start(Look::NoScripts).await;
    let (id, _) = scene.sign_in(&browser).await;

    let bye = scene.host.at("/bye");
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", &id)
        .append_pair("post_logout_redirect_uri", &bye)
        .append_pair("state", "s1")
        .finish();
    browser.open(&format!("{}/logout?{query}", scene.server.url)).await;
    browser.element("app").await;

    assert_eq!(browser.page.current_url().await.unwrap().as_str(), format!("{bye}?state=s1"));
    let visits = scene.host.visits("/out");
    assert_eq!(visits.len(), 1, "{visits:?}");
    let claims = crate::common::jwt::claims(&id);
    let query = form_urlencoded::parse(visits[0].query.as_bytes());
    let pairs: serde_json::Map<_, _> =
        query.map(|(name, value)| (name.into_owned(), json!(value))).collect();
    assert_eq!(json!(pairs), json!({"x": "1", "iss": claims["iss"], "sid": claims["sid"]}));
    // Nobody is signed in any more.
    browser.open(&scene.authorize_url()).await;
    browser.element("password").await;
}

/// Asks the frame of the server, as a script of an app does, and answers what it says.
const ASK: &str = "
    const [frame_url, message] = arguments;
    const done = arguments[arguments.length - 1];
    const frame = document.createElement('iframe');
    frame.onload = () => frame.contentWindow.postMessage(message, new URL(frame_url).origin);
    window.addEventListener('message', (event) => {
        if (event.source === frame.contentWindow) done([event.origin, event.data]);
    }, { once: true });
    frame.src = frame_url;
    document.body.append(frame);";

async fn oidcc_session_management_rp_initiated_logout(db: Kind) {
    let scene = Scene::set(db, "{}").await;
    let browser = Chromium::start(Look::Desktop).await;
    let (id, state) = scene.sign_in(&browser).await;
    let frame = format!("{}/session/check", scene.server.url);
    let ask = async |message: String| {
        let arguments = vec![json!(frame), json!(message)];
        let answer = browser.page.execute_async(ASK, arguments).await.expect("an answer");
        assert_eq!(answer[0], scene.server.url);
        answer[1].as_str().expect("a text").to_owned()
    };

    assert_eq!(ask(format!("framed {state}")).await, "unchanged");
    assert_eq!(ask(format!("other {state}")).await, "changed");
    for bad in ["framed", "", "framed x", "framed x.y.z", "a b c.d"] {
        assert_eq!(ask(bad.to_owned()).await, "error", "{bad:?}");
    }
    // The same session gives another app's origin another state.
    let other = Host::start().await;
    other.put("/", "text/html", "<h1 id=\"app\">Another app</h1>");
    browser.open(&other.at("/")).await;
    assert_eq!(ask(format!("framed {state}")).await, "changed");
    let script = "return document.cookie";
    let cookie = browser.page.execute(script, Vec::new()).await.unwrap();
    assert!(!cookie.to_string().contains("session="), "{cookie}");

    browser.open(&format!("{}/logout?id_token_hint={id}", scene.server.url)).await;
    browser.element("signed-out").await;
    browser.open(&scene.host.at("/bye")).await;
    assert_eq!(ask(format!("framed {state}")).await, "changed");
}

async fn case_14_only_the_page_for_frames_may_be_framed(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();

    for path in ["/sign-in", "/signed-out", "/logout", "/", "/nothing", "/session/check/"] {
        let page = browser.follow(browser.get(path).await).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
    }
    let frame = browser.get("/session/check").await.expect(200);
    let policy = frame.header("content-security-policy");
    assert_eq!(policy, "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors *");
    assert_eq!(frame.header("x-frame-options"), "");
    assert!(frame.headers.get("set-cookie").is_none());
}
