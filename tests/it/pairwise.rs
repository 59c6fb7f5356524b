//! Apps that know their users by a name of their own. Source: OpenID Connect Core section 8.

use crate::common::actors::{ClientApp, Tokens};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ben, portal};
use crate::common::{both, jwt};

both!(
    one_sector_knows_a_user_by_one_name_and_another_by_another,
    a_pairwise_name_works_wherever_a_sub_does,
    several_hosts_need_a_sector_identifier,
    two_apps_cannot_compare_what_they_call_a_session,
);

const APPS: &str = "apps:
  - { id: left, account: acme, title: Left, status: live, type: public, allowed_accounts: all, allowed_scopes: [openid, project.read], callback_urls: [https://left.example/cb], logout_urls: [https://left.example/bye], client_metadata: { subject_type: pairwise } }
  - { id: left-too, account: acme, title: Left too, status: live, type: public, allowed_accounts: all, allowed_scopes: [openid], callback_urls: [https://left.example/other], client_metadata: { subject_type: pairwise } }
  - { id: right, account: acme, title: Right, status: live, type: confidential, allowed_accounts: all, allowed_scopes: [openid], callback_urls: [https://right.example/cb], client_metadata: { subject_type: pairwise }, secrets: [right-secret-0123456789-abcdefghijklmnopq] }
";

fn app(server: &TestServer, id: &'static str, redirect_uri: &'static str) -> ClientApp {
    ClientApp { id, secret: None, redirect_uri, scope: "openid", http: server.browser() }
}

fn sub(tokens: &Tokens) -> String {
    jwt::claims(&tokens.id)["sub"].as_str().unwrap().to_owned()
}

async fn one_sector_knows_a_user_by_one_name_and_another_by_another(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    let ben = ben(&server);
    let left = app(&server, "left", "https://left.example/cb");
    let left_too = app(&server, "left-too", "https://left.example/other");
    let secret = Some("right-secret-0123456789-abcdefghijklmnopq");
    let right = ClientApp { secret, ..app(&server, "right", "https://right.example/cb") };

    let tokens = left.tokens(&server, &ben).await;
    let again = left.tokens(&server, &ben).await;
    let too = left_too.tokens(&server, &ben).await;
    let other = right.tokens(&server, &ben).await;

    assert_eq!((sub(&tokens), sub(&tokens)), (sub(&again), sub(&too)));
    assert_ne!(sub(&tokens), sub(&other));
    assert!(sub(&tokens).len() == 43 && !sub(&tokens).contains("ben"), "{}", sub(&tokens));
    assert_eq!(left.userinfo(&tokens.access).await.text("sub"), sub(&tokens));
    let refreshed = Tokens::of(&left.refresh(&tokens.refresh).await);
    assert_eq!(sub(&refreshed), sub(&tokens));
    for token in [&other.access, &other.refresh] {
        let told = right.introspect(token).await.expect(200).json();
        assert_eq!((&told["active"], told["sub"].as_str()), (&true.into(), Some(&*sub(&other))));
        assert!(told.get("username").is_none(), "{told}");
    }
    // An app of the same account sees the name that the token's own app knows.
    let told = right.introspect(&refreshed.access).await.expect(200).json();
    assert_eq!(told["sub"].as_str(), Some(&*sub(&tokens)));
    assert!(jwt::claims(&tokens.access).get("username").is_none());
}

async fn a_pairwise_name_works_wherever_a_sub_does(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    let ben = ben(&server);
    let left = app(&server, "left", "https://left.example/cb");
    let url = left.authorize_url_with(&[("scope", "openid project.read")]);
    let code = left.code_for(&server, &ben, &url).await;
    let tokens = Tokens::of(&left.exchange(&code).await);
    let public = portal(&server).tokens(&server, &ben).await;

    let silent =
        |name: &str, value: &str| left.authorize_url_with(&[("prompt", "none"), (name, value)]);
    let hint = ben.browser.get(&silent("id_token_hint", &tokens.id)).await;
    let of_other = ben.browser.get(&silent("id_token_hint", &public.id)).await;
    let claims = |sub: &str| format!(r#"{{"id_token": {{"sub": {{"value": "{sub}"}}}}}}"#);
    let named = ben.browser.get(&silent("claims", &claims(&sub(&tokens)))).await;
    let bare = ben.browser.get(&silent("claims", &claims("ben"))).await;
    let api = left.api("/v1/projects", &tokens.access, "acme").await;

    assert!(hint.location_param("code").is_some(), "{hint:?}");
    assert_eq!(of_other.refusal(), "303 invalid_request");
    assert!(named.location_param("code").is_some(), "{named:?}");
    assert_eq!(bare.refusal(), "303 login_required");
    assert_eq!(api.status, 200, "{api:?}");
    let end = format!(
        "/logout?id_token_hint={}&post_logout_redirect_uri=https://left.example/bye",
        tokens.id
    );
    let end = ben.browser.get(&end).await;
    assert_eq!((end.status, end.location()), (303, "https://left.example/bye"), "{end:?}");
}

async fn several_hosts_need_a_sector_identifier(db: Kind) {
    let server = TestServer::start(db).await;
    let yaml = |metadata: &str| {
        format!(
            "apps:\n  - {{ id: wide, account: acme, title: Wide, type: public, callback_urls: [https://a.example/cb, https://b.example/cb], client_metadata: {{ subject_type: pairwise{metadata} }} }}\n"
        )
    };

    server.try_apply(&yaml("")).await.unwrap_err();
    server.apply(&yaml(", sector_identifier_uri: https://a.example/sector.json")).await;
}

async fn two_apps_cannot_compare_what_they_call_a_session(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(APPS).await;
    let ben = ben(&server);
    let left = app(&server, "left", "https://left.example/cb");
    let left_too = app(&server, "left-too", "https://left.example/other");

    let (first, again) = (left.tokens(&server, &ben).await, left.tokens(&server, &ben).await);
    let too = left_too.tokens(&server, &ben).await;
    let public = portal(&server).tokens(&server, &ben).await;

    let claim = |tokens: &Tokens, name: &str| jwt::claims(&tokens.id)[name].clone();
    assert_eq!(claim(&first, "sid"), claim(&again, "sid"));
    for other in [&too, &public] {
        assert_ne!(claim(&first, "sid"), claim(other, "sid"));
    }
    // What names the user to us is another text each time, and not there where sub does it.
    assert_ne!(claim(&first, "jti"), claim(&again, "jti"));
    assert!(claim(&public, "jti").is_null());
}
