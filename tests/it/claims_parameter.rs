//! The parameter `claims`: what comes by name, where, and what does not.
//! Source: OpenID Connect Core section 5.5.

use serde_json::{Value, json};

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, portal};
use crate::common::{both, jwt};

both!(
    claims_come_by_name_where_they_were_asked_for,
    the_user_is_asked_for_what_comes_by_name,
    nothing_comes_by_name_that_does_not_come_by_scope,
    malformed_claims_are_refused,
    a_sub_that_is_not_this_user_is_refused,
    an_essential_acr_is_met_or_refused,
    acr_values_are_wishes,
    claims_outlive_a_refresh,
);

async fn tokens(
    server: &TestServer,
    (app, person): (&ClientApp, &Person),
    changed: &[(&str, &str)],
) -> Tokens {
    let code = app.code_for(server, person, &app.authorize_url_with(changed)).await;
    Tokens::of(&app.exchange(&code).await)
}

async fn claims_come_by_name_where_they_were_asked_for(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let claims = json!({
        "userinfo": { "name": { "essential": true }, "email": null, "nickname": null },
        "id_token": { "email_verified": null, "given_name": { "value": "Ada" },
                      "family_name": { "values": ["Lovelace"] } },
    });

    let changed = [("scope", "openid"), ("claims", &*claims.to_string())];
    let tokens = tokens(&server, (&app, &ada), &changed).await;
    let userinfo = app.userinfo(&tokens.access).await.expect(200).json();

    let expected = json!({ "sub": "ada", "name": "Ada Alvarez", "email": "ada@acme.example" });
    assert_eq!(userinfo, expected);
    let id = jwt::claims(&tokens.id);
    assert_eq!((&id["email_verified"], &id["given_name"]), (&true.into(), &"Ada".into()));
    for absent in ["name", "email", "family_name", "nickname"] {
        assert!(id.get(absent).is_none(), "{absent}: {id}");
    }
}

async fn the_user_is_asked_for_what_comes_by_name(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let bare = [("scope", "openid")];
    let named = [("scope", "openid"), ("claims", r#"{"userinfo": {"email": null}}"#)];

    ben.authorize(&server, &app.authorize_url_with(&bare)).await;
    let silent = [&named[..], &[("prompt", "none")]].concat();
    let silent = ben.browser.get(&app.authorize_url_with(&silent)).await;
    let page = ben.browser.follow(ben.browser.get(&app.authorize_url_with(&named)).await).await;
    let agreed = ben.decide(&page, true).await;
    let again = ben.browser.get(&app.authorize_url_with(&named)).await;

    assert_eq!(silent.refusal(), "303 consent_required");
    assert!(page.body.contains("e-mail address"), "{page:?}");
    assert!(agreed.location_param("code").is_some(), "{agreed:?}");
    assert!(again.location_param("code").is_some(), "{again:?}");
}

async fn nothing_comes_by_name_that_does_not_come_by_scope(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (backend(&server), ada(&server));
    let claims = json!({ "userinfo": { "email": null, "name": { "essential": true }, "x": null },
                         "id_token": { "email": null, "password": null, "amr": null } });

    let changed = [("scope", "openid"), ("claims", &*claims.to_string())];
    let tokens = tokens(&server, (&app, &ada), &changed).await;

    assert_eq!(app.userinfo(&tokens.access).await.json(), json!({ "sub": "ada" }));
    assert!(jwt::claims(&tokens.id).get("email").is_none());
}

async fn malformed_claims_are_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let deep = format!("{{\"userinfo\": {}1{}}}", "[".repeat(4000), "]".repeat(4000));
    let long = format!("{{\"userinfo\": {{\"{}\": null}}}}", "x".repeat(9000));

    for bad in
        ["x", "[]", "null", "{", r#"{"userinfo": 1}"#, r#"{"id_token": {"a": 1}}"#, &deep, &long]
    {
        let url = app.authorize_url_with(&[("claims", bad)]);
        let answer = server.browser().get(&url).await;
        assert_eq!(answer.refusal(), "303 invalid_request", "{bad}");
    }
}

async fn a_sub_that_is_not_this_user_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let url = |sub: &str, prompt: &str| {
        let claims = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
        app.authorize_url_with(&[("claims", &claims), ("prompt", prompt)])
    };

    let own = app.code_for(&server, &ada, &url("ada", "")).await;
    let silent = ada.browser.get(&url("ben", "none")).await;
    let page = ada.browser.follow(ada.browser.get(&url("ben", "")).await).await;
    let code = ada.answer_page(&server, &page).await;
    let refused = ada.answer_page(&server, &code).await;

    assert!(!own.is_empty());
    assert_eq!(silent.refusal(), "303 login_required");
    assert_eq!(refused.refusal(), "303 login_required", "{refused:?}");
}

fn acr(essential: bool, values: &[&str]) -> String {
    json!({ "id_token": { "acr": { "essential": essential, "values": values } } }).to_string()
}

const TWO: &str = "urn:narthex:acr:2";
const ONE: &str = "urn:narthex:acr:1";

async fn an_essential_acr_is_met_or_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada, ben) = (portal(&server), ada(&server), ben(&server));
    let essential = acr(true, &[TWO]);
    let url = app.authorize_url_with(&[("claims", &essential)]);

    let two = tokens(&server, (&app, &ada), &[("claims", &essential)]).await;
    let one = tokens(&server, (&app, &ben), &[]).await;
    let silent = app.authorize_url_with(&[("claims", &essential), ("prompt", "none")]);
    let silent = ben.browser.get(&silent).await;
    // Ben has no second factor: he is asked to sign in once more, and then to add one.
    let page = ben.browser.follow(ben.browser.get(&url).await).await;
    let enrolling = ben.answer_page(&server, &page).await;
    let unknown = app.authorize_url_with(&[("claims", &acr(true, &["urn:x"]))]);
    let unknown = ben.browser.get(&unknown).await;

    for token in [&two.id, &two.access] {
        assert_eq!(jwt::claims(token)["acr"], TWO);
    }
    assert_eq!(jwt::claims(&one.id)["acr"], ONE);
    assert!(page.body.contains("id=\"sign-in-form\""), "{page:?}");
    assert!(enrolling.body.contains("id=\"enrol-form\""), "{enrolling:?}");
    for answer in [&silent, &unknown] {
        assert_eq!(answer.refusal(), "303 unmet_authentication_requirements", "{answer:?}");
    }
}

async fn acr_values_are_wishes(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada, ben) = (portal(&server), ada(&server), ben(&server));
    let shown = async |person: &Person, values: &str| {
        let tokens = tokens(&server, (&app, person), &[("acr_values", values)]).await;
        jwt::claims(&tokens.id)["acr"].clone()
    };

    assert_eq!(shown(&ben, "1 2").await, ONE);
    assert_eq!(shown(&ben, TWO).await, ONE);
    assert_eq!(shown(&ada, &format!("{ONE} {TWO}")).await, ONE);
    assert_eq!(
        shown(&ada, "https://refeds.org/profile/mfa").await,
        "https://refeds.org/profile/mfa"
    );
    // With a session of one factor the wish is asked for, and granted as far as it goes.
    let page = ben.browser.get(&app.authorize_url_with(&[("acr_values", TWO)])).await;
    assert!(page.location().starts_with("/sign-in"), "{page:?}");
    let line = format!("type: public\n    client_metadata: {{ default_acr_values: [\"{TWO}\"] }}");
    server.change_app("portal", "type: public", &line).await;
    let page = ben.browser.get(&app.authorize_url()).await;
    assert!(page.location().starts_with("/sign-in"), "{page:?}");
}

async fn claims_outlive_a_refresh(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let claims = r#"{"userinfo": {"email": null}, "id_token": {"email": null}}"#;

    let first = tokens(&server, (&app, &ada), &[("scope", "openid"), ("claims", claims)]).await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);

    assert_eq!(jwt::claims(&second.id)["email"], "ada@acme.example");
    let userinfo: Value = app.userinfo(&second.access).await.expect(200).json();
    assert_eq!(userinfo["email"], "ada@acme.example");
}
