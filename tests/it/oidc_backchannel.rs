//! OpenID Connect Back-Channel Logout 1.0: apps hear of the end of a session, whatever happens.

use chrono::TimeDelta;
use narthex::queue::model::Lane;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::common::actors::{ClientApp, Person};
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev, eve, portal, workbench};
use crate::common::{both, jwt};

both!(
    oidcc_backchannel_rp_initiated_logout_discovery,
    oidcc_backchannel_rp_initiated_logout,
    every_end_of_a_session_is_told,
    only_apps_that_took_part_are_told_even_if_their_grant_was_swept,
    what_fails_is_tried_again_and_a_crash_in_between_loses_nothing,
    case_57_no_private_address_is_told,
    case_24_a_session_that_signs_in_again_stays_one_session,
    case_43_the_session_of_whoever_was_there_before_ends,
    case_24_what_a_lost_permission_gave_does_not_come_back_with_it,
    case_24_an_operator_signs_a_user_out,
);

const PATH: &str = "/signed-out-there";

/// A public app that wants to be told.
fn told(server: &TestServer, id: &'static str) -> ClientApp {
    let scope = "openid project.read";
    let redirect_uri = "https://told.example/callback";
    ClientApp { id, secret: None, redirect_uri, scope, http: server.browser() }
}

async fn declare(server: &TestServer, id: &str, metadata: &Value) {
    let yaml = format!(
        "apps:
  - id: {id}
    account: acme
    title: Told
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [https://told.example/callback]
    logout_urls: [https://told.example/bye]
    client_metadata: {metadata}"
    );
    server.apply(&yaml).await;
}

struct Scene {
    server: TestServer,
    host: Host,
    app: ClientApp,
}

impl Scene {
    /// A server with an app that wants to be told, and the app's site.
    async fn set(db: Kind) -> Self {
        let server = TestServer::start_reaching_loopback(db).await;
        let host = Host::start().await;
        host.put(PATH, "text/plain", "");
        let uri = host.at(PATH);
        let metadata = json!({
            "backchannel_logout_uri": uri,
            "backchannel_logout_session_required": true,
        });
        declare(&server, "told", &metadata).await;
        let app = told(&server, "told");
        server.deliver().await;
        Self { server, host, app }
    }

    /// The logout tokens that the app was sent.
    fn tokens(&self) -> Vec<String> {
        let visits = self.host.visits(PATH);
        let token = |body: &str| {
            let mut pairs = form_urlencoded::parse(body.as_bytes());
            pairs.find(|(name, _)| name == "logout_token").map(|(_, value)| value.into_owned())
        };
        visits.iter().map(|visit| token(&visit.body).expect("a token")).collect()
    }

    async fn told(&self) -> usize {
        self.server.deliver().await;
        self.tokens().len()
    }
}

/// Signs out on the page.
async fn sign_out(browser: &Browser) {
    let page = browser.get("/logout").await;
    browser.submit(&page, &Form::of(&page.body, "/logout"), &[]).await;
}

async fn oidcc_backchannel_rp_initiated_logout_discovery(db: Kind) {
    let server = TestServer::start_empty(db).await;

    let says = server.browser().get("/.well-known/openid-configuration").await.json();

    assert_eq!(says["backchannel_logout_supported"], true);
    assert_eq!(says["backchannel_logout_session_supported"], true);
}

async fn oidcc_backchannel_rp_initiated_logout(db: Kind) {
    let scene = Scene::set(db).await;
    let (server, ben) = (&scene.server, ben(&scene.server));
    let id = scene.app.tokens(server, &ben).await.id;
    let url = format!(
        "/logout?id_token_hint={id}&post_logout_redirect_uri=https://told.example/bye&state=s1"
    );
    ben.browser.follow(ben.browser.get(&url).await).await;
    assert_eq!(scene.told().await, 1);

    let (token, id) = (scene.tokens().remove(0), jwt::claims(&id));
    let (header, claims) = (jwt::header(&token), jwt::claims(&token));
    assert_eq!(header["typ"], "logout+jwt");
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
    for name in ["iss", "sub", "aud", "sid"] {
        assert_eq!(claims[name], id[name], "{name}");
    }
    assert_eq!(claims["iat"], server.now());
    assert_eq!(claims["exp"], server.now() + 120);
    let event = "http://schemas.openid.net/event/backchannel-logout";
    assert_eq!(claims["events"], json!({ event: {} }));
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 22));
    assert!(claims.get("nonce").is_none());
    let visit = scene.host.visits(PATH).remove(0);
    assert_eq!((visit.method.as_str(), visit.authorization.as_str()), ("POST", ""));
    // It is told once.
    server.advance(TimeDelta::days(2));
    assert_eq!(scene.told().await, 1);
    // And it is no ID token. Source: security case 37.
    let hint = format!("/logout?id_token_hint={token}");
    assert_eq!(ben.browser.get(&hint).await.refusal(), "400 page");
}

async fn every_end_of_a_session_is_told(db: Kind) {
    let scene = Scene::set(db).await;
    let server = &scene.server;
    let users = &server.server.users;
    let mut expected = 0;

    for way in ["page", "password", "operator", "disabled"] {
        let ben = ben(server);
        let tokens = scene.app.tokens(server, &ben).await;
        let id = "ben".parse().expect("an id");
        match way {
            "page" => sign_out(&ben.browser).await,
            "password" => {
                let both = ["ben-other-horse-staple", "ben-correct-horse"];
                for password in both {
                    let yaml =
                        format!("users: [{{ id: ben, username: ben, password: {password} }}]");
                    server.apply(&yaml).await;
                }
            }
            "operator" => users.sign_out(&id).await.expect("signed out"),
            _ => server.apply("users: [{ id: ben, username: ben, status: disabled }]").await,
        }
        expected += 1;
        assert_eq!(scene.told().await, expected, "{way}");
        let last = jwt::claims(scene.tokens().last().expect("a token"));
        assert_eq!(last["sid"], jwt::claims(&tokens.id)["sid"], "{way}");
        let refused = scene.app.refresh(&tokens.refresh).await;
        assert_eq!(refused.refusal(), "400 invalid_grant", "{way}");
        assert_eq!(scene.app.userinfo(&tokens.access).await.status, 401, "{way}");
    }

    // What has ended stays so, although the user is let in again.
    let open = "SELECT COUNT(*) AS n FROM grants WHERE revoked_at IS NULL";
    assert_eq!(server.count(open).await, 0);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM jobs").await, 0);
}

async fn only_apps_that_took_part_are_told_even_if_their_grant_was_swept(db: Kind) {
    let scene = Scene::set(db).await;
    let server = &scene.server;
    let (ben, ada) = (ben(server), ada(server));
    // Of ben no grant is left when he signs out; ada never used the app.
    let metadata = json!({"backchannel_logout_uri": scene.host.at(PATH)});
    let code_only = format!(
        "apps:
  - {{ id: told, account: acme, title: Told, status: live, type: public, allowed_accounts: all,
      allowed_scopes: [openid], callback_urls: [https://told.example/callback],
      grant_types: [authorization_code], client_metadata: {metadata} }}"
    );
    server.apply(&code_only).await;
    let app = ClientApp { scope: "openid", ..told(server, "told") };
    let code = app.code(server, &ben).await;
    app.exchange(&code).await.expect(200);
    portal(server).tokens(server, &ada).await;
    // The session stays in use meanwhile.
    for _ in 0..4 {
        server.advance(TimeDelta::minutes(40));
        ben.browser.get("/").await.expect(200);
        ada.browser.get("/").await.expect(200);
    }
    server.server.oauth.sweep().await.expect("swept");
    let left = "SELECT COUNT(*) AS n FROM grants WHERE app_id = 'told'";
    assert_eq!(server.count(left).await, 0);

    sign_out(&ada.browser).await;
    assert_eq!(scene.told().await, 0);
    sign_out(&ben.browser).await;
    assert_eq!(scene.told().await, 1);

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM session_apps").await, 0);
}

async fn what_fails_is_tried_again_and_a_crash_in_between_loses_nothing(db: Kind) {
    let scene = Scene::set(db).await;
    let server = &scene.server;
    let ben = ben(server);
    scene.app.tokens(server, &ben).await;
    scene.host.answer_with(PATH, 503, "text/plain", "");
    sign_out(&ben.browser).await;

    // A node takes the jobs and dies: nothing is told yet, and nothing is lost.
    let taken = server.server.queue.lease(Lane::Except("mail"), 10).await.expect("jobs");
    assert_eq!((taken.len(), scene.told().await), (1, 0));
    server.advance(TimeDelta::seconds(60));
    assert_eq!(scene.told().await, 1, "the lease ended");
    assert_eq!(scene.told().await, 1, "it is too early to try again");
    server.advance(TimeDelta::seconds(5));
    assert_eq!(scene.told().await, 2);
    scene.host.answer_with(PATH, 204, "text/plain", "");
    server.advance(TimeDelta::seconds(25));
    assert_eq!(scene.told().await, 3);
    server.advance(TimeDelta::days(1));
    assert_eq!(scene.told().await, 3);

    // Each attempt brings a token of its own, good at that time.
    let all: Vec<Value> = scene.tokens().iter().map(|token| jwt::claims(token)).collect();
    assert_eq!(all[1]["iat"].as_i64().zip(all[0]["iat"].as_i64()).map(|(b, a)| b - a), Some(5));
    assert_ne!(all[0]["jti"], all[1]["jti"]);
    assert_eq!(all[0]["sid"], all[1]["sid"]);
}

async fn case_57_no_private_address_is_told(db: Kind) {
    let server = TestServer::start(db).await;
    let host = Host::start().await;
    let uri = host.at(PATH).replace("http://", "https://");
    declare(&server, "told", &json!({"backchannel_logout_uri": uri})).await;
    let ben = ben(&server);
    told(&server, "told").tokens(&server, &ben).await;

    sign_out(&ben.browser).await;
    server.deliver().await;

    assert!(host.visits(PATH).is_empty());
    let dead = "SELECT COUNT(*) AS n FROM jobs WHERE dead_at IS NOT NULL";
    assert_eq!(server.count(dead).await, 1);
}

async fn case_24_a_session_that_signs_in_again_stays_one_session(db: Kind) {
    let scene = Scene::set(db).await;
    let server = &scene.server;
    let ben = ben(server);
    let first = scene.app.tokens(server, &ben).await;
    let cookie = ben.browser.cookie("session").expect("a session").value;
    let again = scene.app.authorize_url_with(&[("prompt", "login")]);
    let code = scene.app.code_for(server, &ben, &again).await;
    let second = scene.app.exchange(&code).await.expect(200).text("id_token");

    assert_ne!(ben.browser.cookie("session").expect("a session").value, cookie);
    assert_eq!(jwt::claims(&first.id)["sid"], jwt::claims(&second)["sid"]);
    assert_eq!(scene.told().await, 0);
    sign_out(&ben.browser).await;

    assert_eq!(scene.app.refresh(&first.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(scene.told().await, 1);
}

async fn case_43_the_session_of_whoever_was_there_before_ends(db: Kind) {
    let scene = Scene::set(db).await;
    let server = &scene.server;
    let ben = ben(server);
    let tokens = scene.app.tokens(server, &ben).await;

    let eve = Person { browser: ben.browser.clone(), ..eve(server) };
    let url = scene.app.authorize_url_with(&[("prompt", "login")]);
    let other = scene.app.code_for(server, &eve, &url).await;
    let other = scene.app.exchange(&other).await.expect(200).text("id_token");

    assert_ne!(jwt::claims(&tokens.id)["sid"], jwt::claims(&other)["sid"]);
    assert_eq!(scene.app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(scene.told().await, 1);
    assert_eq!(jwt::claims(&scene.tokens()[0])["sub"], "ben");
}

async fn case_24_what_a_lost_permission_gave_does_not_come_back_with_it(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, dev) = (ben(&server), dev(&server));
    let group = |id: &str, members: &str| {
        format!(
            "accounts: [{{ id: acme, name: Acme Hospital, type: ENTERPRISE,
               groups: [{{ id: {id}, name: {id}, members: [{members}] }}] }}]"
        )
    };
    let other = "apps: [{ id: portal, account: acme, title: P, status: live, type: public, \
         allowed_scopes: [openid], callback_urls: [https://portal.example/callback], \
         allowed_accounts: [beta] }]";
    let (live, developing) = ("status: live", "status: developing");
    for (way, person) in [("group", &ben), ("allow-list", &ben), ("status", &ben), ("dev", &dev)] {
        let app_of = if way == "dev" { workbench(&server) } else { portal(&server) };
        let tokens = app_of.tokens(&server, person).await;
        match way {
            "group" => {
                server.apply(&group("acme-nurses", "")).await;
                assert_eq!(app_of.refresh(&tokens.refresh).await.status, 200, "all may use it");
            }
            "allow-list" => server.apply(other).await,
            "status" => server.change_app("portal", live, developing).await,
            _ => server.apply(&group("acme-developers", "")).await,
        }
        if way != "group" {
            let refused = app_of.refresh(&tokens.refresh).await;
            assert_eq!(refused.refusal(), "400 invalid_grant", "{way}");
        }
        server.deliver().await;
        match way {
            "group" => server.apply(&group("acme-nurses", "ben")).await,
            "dev" => server.apply(&group("acme-developers", "dev")).await,
            _ => server.change_app("portal", live, live).await,
        }
        let refused = app_of.refresh(&tokens.refresh).await;
        assert_eq!(refused.refusal(), "400 invalid_grant", "{way}");
        assert_eq!(app_of.userinfo(&tokens.access).await.status, 401, "{way}");
        // Who may use it again gets new tokens without a question.
        app_of.tokens(&server, person).await;
    }
}

async fn case_24_an_operator_signs_a_user_out(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    let app = portal(&server);
    let tokens = app.tokens(&server, &ben).await;
    server.advance(TimeDelta::seconds(1));
    let users = &server.server.users;

    users.sign_out(&"ben".parse().expect("an id")).await.expect("signed out");

    // At once, before anything is delivered.
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
    let silent = ben.browser.get(&app.authorize_url_with(&[("prompt", "none")])).await;
    assert_eq!(silent.refusal(), "303 login_required");
    server.deliver().await;
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM grants WHERE revoked_at IS NULL").await, 0);
}
