//! OpenID Connect RP-Initiated Logout 1.0: one test for each module of the certification plan.

use serde_json::json;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks, strange_headers};
use crate::common::world::{ben, portal};
use crate::common::{both, jwt};

both!(
    oidcc_rp_initiated_logout_discovery_endpoint_verification,
    oidcc_rp_initiated_logout,
    oidcc_rp_initiated_logout_bad_post_logout_redirect_uri,
    oidcc_rp_initiated_logout_modified_id_token_hint,
    oidcc_rp_initiated_logout_no_id_token_hint,
    oidcc_rp_initiated_logout_no_params,
    oidcc_rp_initiated_logout_no_post_logout_redirect_uri,
    oidcc_rp_initiated_logout_no_state,
    oidcc_rp_initiated_logout_only_state,
    oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri,
    oidcc_rp_initiated_logout_bad_id_token_hint,
    case_57_a_hint_of_another_session_asks_first,
    case_35_no_header_talks_us_out_of_the_signature_of_a_hint,
    case_37_nothing_but_an_id_token_is_a_hint,
);

const BYE: &str = "https://portal.example/bye";

struct Scene {
    server: TestServer,
    app: ClientApp,
    ben: Person,
    tokens: Tokens,
}

impl Scene {
    /// Somebody is signed in to an app.
    async fn set(db: Kind) -> Self {
        let server = TestServer::start(db).await;
        let (app, ben) = (portal(&server), ben(&server));
        let tokens = app.tokens(&server, &ben).await;
        Self { server, app, ben, tokens }
    }

    async fn ask(&self, params: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.ben.browser.get(&format!("/logout?{query}")).await
    }

    async fn is_signed_in(&self) -> bool {
        let url = self.app.authorize_url_with(&[("prompt", "none")]);
        self.ben.browser.get(&url).await.refusal() != "303 login_required"
    }

    /// The request is refused on a page, and nothing happens.
    async fn refused(&self, params: &[(&str, &str)]) {
        let answer = self.ask(params).await;
        assert_eq!(answer.refusal(), "400 page", "{params:?} {answer:?}");
        assert!(answer.body.contains("id=\"error-text\""), "{answer:?}");
        assert!(self.is_signed_in().await);
    }

    /// The user is asked, says yes, and ends at our own page.
    async fn confirmed(&self, params: &[(&str, &str)]) {
        let page = self.ask(params).await.expect(200);
        assert!(page.body.contains("id=\"logout-confirm\""), "{page:?}");
        assert!(self.is_signed_in().await, "asking is not doing");
        let form = Form::of(&page.body, "/logout");
        let done = self.ben.browser.submit(&page, &form, &[]).await.expect(200);
        assert!(done.body.contains("id=\"signed-out\""), "{done:?}");
        assert!(!self.is_signed_in().await);
    }
}

async fn oidcc_rp_initiated_logout_discovery_endpoint_verification(db: Kind) {
    let server = TestServer::start_empty(db).await;

    let says = server.browser().get("/.well-known/openid-configuration").await.json();

    assert_eq!(says["end_session_endpoint"], format!("{}/logout", server.url));
}

async fn oidcc_rp_initiated_logout(db: Kind) {
    let scene = Scene::set(db).await;
    let id = scene.tokens.id.as_str();
    let params = [("id_token_hint", id), ("post_logout_redirect_uri", BYE), ("state", "a b&c")];

    let answer = scene.ask(&params).await.expect(303);

    assert_eq!(answer.location(), format!("{BYE}?state=a+b%26c"));
    assert!(!scene.is_signed_in().await);
}

async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(db: Kind) {
    let scene = Scene::set(db).await;
    let id = scene.tokens.id.as_str();
    for url in ["https://portal.example/foo", "https://portal.example/callback"] {
        let params = [("id_token_hint", id), ("post_logout_redirect_uri", url), ("state", "s")];
        scene.refused(&params).await;
    }
}

async fn oidcc_rp_initiated_logout_modified_id_token_hint(db: Kind) {
    let scene = Scene::set(db).await;
    let claims = jwt::claims(&scene.tokens.id).to_string();
    let none = format!("{}.{}.", jwt::encode(r#"{"alg":"none"}"#), jwt::encode(claims));
    let params = [("id_token_hint", &*none), ("post_logout_redirect_uri", BYE), ("state", "s")];
    scene.refused(&params).await;
}

async fn oidcc_rp_initiated_logout_no_id_token_hint(db: Kind) {
    let scene = Scene::set(db).await;
    let params = [("post_logout_redirect_uri", BYE), ("state", "s")];
    scene.refused(&params).await;
}

async fn oidcc_rp_initiated_logout_no_params(db: Kind) {
    Scene::set(db).await.confirmed(&[]).await;
}

async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri(db: Kind) {
    let scene = Scene::set(db).await;

    let answer = scene.ask(&[("id_token_hint", &scene.tokens.id), ("state", "s")]).await;

    let page = scene.ben.browser.follow(answer).await.expect(200);
    assert!(page.body.contains("id=\"signed-out\""), "{page:?}");
    assert!(!scene.is_signed_in().await);
}

async fn oidcc_rp_initiated_logout_no_state(db: Kind) {
    let scene = Scene::set(db).await;
    let params = [("id_token_hint", scene.tokens.id.as_str()), ("post_logout_redirect_uri", BYE)];

    let answer = scene.ask(&params).await.expect(303);

    assert_eq!(answer.location(), BYE);
}

async fn oidcc_rp_initiated_logout_only_state(db: Kind) {
    Scene::set(db).await.confirmed(&[("state", "s")]).await;
}

async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(db: Kind) {
    let scene = Scene::set(db).await;
    let url = format!("{BYE}?foo=bar");
    let params = [("id_token_hint", &*scene.tokens.id), ("post_logout_redirect_uri", &url)];
    scene.refused(&params).await;
}

async fn oidcc_rp_initiated_logout_bad_id_token_hint(db: Kind) {
    let scene = Scene::set(db).await;
    let thief = Signer::new("RS256").named(jwt::header(&scene.tokens.id)["kid"].as_str().unwrap());
    let fake = thief.sign("JWT", &jwt::claims(&scene.tokens.id));
    let params = [("id_token_hint", &*fake), ("post_logout_redirect_uri", BYE), ("state", "s")];
    scene.refused(&params).await;
}

async fn case_57_a_hint_of_another_session_asks_first(db: Kind) {
    let scene = Scene::set(db).await;
    // The same user at another browser: the token is genuine, but of a session elsewhere.
    let elsewhere = ben(&scene.server);
    let other = scene.app.tokens(&scene.server, &elsewhere).await;
    let params = [("id_token_hint", other.id.as_str()), ("post_logout_redirect_uri", BYE)];

    let page = scene.ask(&params).await.expect(200);

    assert!(page.body.contains("id=\"logout-confirm\""), "{page:?}");
    assert!(scene.is_signed_in().await);
    let form = Form::of(&page.body, "/logout");
    let done = scene.ben.browser.submit(&page, &form, &[]).await;
    assert_eq!(done.location(), BYE);
    assert!(!scene.is_signed_in().await);
    // What the other session gave goes on.
    assert_eq!(scene.app.refresh(&other.refresh).await.status, 200);
    assert_eq!(scene.app.refresh(&scene.tokens.refresh).await.refusal(), "400 invalid_grant");
}

async fn case_35_no_header_talks_us_out_of_the_signature_of_a_hint(db: Kind) {
    let scene = Scene::set(db).await;
    let keys = scene.server.browser().get("/jwks").await.json();
    let claims = jwt::claims(&scene.tokens.id);
    let header = jwt::header(&scene.tokens.id);
    let public = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]);
    let public = public.expect("the key of the token").clone();
    let thief = Signer::new("ES256");
    let mut all = attacks(&thief, &public, "JWT", &claims);
    all.extend(strange_headers(&thief.named(public["kid"].as_str().unwrap()), "JWT", &claims));

    for (attack, token) in all {
        if token.is_empty() {
            continue;
        }
        let answer = scene.ask(&[("id_token_hint", &token)]).await;
        assert_eq!(answer.refusal(), "400 page", "{attack}: {answer:?}");
    }
    assert!(scene.is_signed_in().await);
}

async fn case_37_nothing_but_an_id_token_is_a_hint(db: Kind) {
    let scene = Scene::set(db).await;
    let mut claims = jwt::claims(&scene.tokens.id);
    claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    for typ in ["logout+jwt", "at+jwt", "dpop+jwt", "oauth-authz-req+jwt", "secevent+jwt"] {
        let token = scene.server.sign(typ, &claims);
        let answer = scene.ask(&[("id_token_hint", &token)]).await;
        assert_eq!(answer.refusal(), "400 page", "{typ}: {answer:?}");
    }
    let answer = scene.ask(&[("id_token_hint", &scene.tokens.access)]).await;
    assert_eq!(answer.refusal(), "400 page");
    assert!(scene.is_signed_in().await);
}
