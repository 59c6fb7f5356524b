//! The authorization code flow from `/authorize` to the tokens.

use chrono::TimeDelta;
use serde_json::json;

use crate::common::actors::Tokens;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, legacy, portal};
use crate::common::{both, jwt};

both!(
    the_code_flow_gives_tokens,
    a_token_has_the_claims_of_the_platform,
    an_id_token_is_signed_with_rs256_and_says_who_signed_in_and_when,
    the_lo_client_needs_no_scope_no_pkce_and_no_rotation,
    case_07_the_credential_post_is_answered_with_303_and_nothing_is_cached,
    case_10_every_authorization_response_names_the_issuer,
    case_18_prompt_and_max_age_sign_in_again,
    prompt_none_shows_no_page,
    consent_is_asked_once_and_remembered,
    who_denies_is_sent_back_with_access_denied,
    who_cancels_at_sign_in_is_sent_back_with_access_denied,
    case_15_consent_belongs_to_one_browser_and_one_request,
    case_43_a_stranger_cannot_go_on_with_somebody_elses_request,
);

async fn the_code_flow_gives_tokens(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    let code = app.code(&server, &ben).await;
    let answer = app.exchange(&code).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    let tokens = Tokens::of(&answer);
    assert!(!tokens.refresh.is_empty() && !tokens.id.is_empty());
    let claims = app.userinfo(&tokens.access).await.expect(200).json();
    assert_eq!(claims["preferred_username"], "ben");
    assert_eq!(claims["sub"], jwt::claims(&tokens.access)["sub"]);
    app.api("/v1/projects", &tokens.access, "acme").await.expect(200);
}

async fn a_token_has_the_claims_of_the_platform(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let signed_in_about = server.now();

    let tokens = app.tokens(&server, &ada).await;

    let header = jwt::header(&tokens.access);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let claims = jwt::claims(&tokens.access);
    assert_eq!(claims["iss"], server.url);
    assert_eq!(claims["client_id"], "portal");
    assert_eq!(claims["username"], "ada");
    assert_eq!(claims["token_use"], "access");
    assert_eq!(claims["version"], 2);
    assert_eq!(claims["iat"], server.now());
    assert_eq!(claims["exp"], server.now() + 3600);
    assert!((signed_in_about..=server.now()).contains(&claims["auth_time"].as_i64().unwrap()));
    let scope: Vec<&str> = claims["scope"].as_str().unwrap().split(' ').collect();
    assert_eq!(
        scope,
        app.scope
            .split(' ')
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() > 20));
    assert_eq!(claims.get("deletion_date"), None);
}

async fn an_id_token_is_signed_with_rs256_and_says_who_signed_in_and_when(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));

    let tokens = app.tokens(&server, &ada).await;

    assert_eq!(jwt::header(&tokens.id)["alg"], "RS256");
    let claims = jwt::claims(&tokens.id);
    assert_eq!(claims["iss"], server.url);
    assert_eq!(claims["aud"], "portal");
    assert_eq!(claims["nonce"], "n-1");
    assert_eq!(claims["sub"], jwt::claims(&tokens.access)["sub"]);
    assert_eq!(claims["auth_time"], jwt::claims(&tokens.access)["auth_time"]);
    let amr = claims["amr"].as_array().unwrap();
    assert!(amr.contains(&json!("pwd")) && amr.contains(&json!("otp")), "{amr:?}");
}

/// The platform's command-line client: no scope, a loopback redirect without a path, the same
/// refresh token for ever.
async fn the_lo_client_needs_no_scope_no_pkce_and_no_rotation(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (legacy(&server), ben(&server));
    let url = app.authorize_url_with(&[
        ("scope", ""),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ]);
    let code = app.code_for(&server, &ben, &url).await;

    let answer = app
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", app.redirect_uri),
        ])
        .await;

    let tokens = Tokens::of(&answer);
    assert!(jwt::claims(&tokens.id)["sub"].is_string());
    for _ in 0..3 {
        let again = app.refresh(&tokens.refresh).await.expect(200);
        assert!(["", &tokens.refresh].contains(&&*again.text("refresh_token")), "{again:?}");
    }
}

async fn case_07_the_credential_post_is_answered_with_303_and_nothing_is_cached(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let first = ben.browser.get(&app.authorize_url()).await;
    let page = ben.browser.follow(first.clone()).await;
    let form = &crate::common::form::Form::all(&page.body)[0];
    let action = url::Url::parse(&page.url).unwrap().join(&form.action).unwrap();
    let mut fields: Vec<(&str, &str)> =
        form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.retain(|(name, _)| !["username", "password"].contains(name));
    fields.extend([("username", ben.username), ("password", ben.password)]);

    let origin = [("origin", server.url.as_str())];
    let answer = ben.browser.post_with(action.as_str(), &origin, &fields).await;

    assert_eq!(first.status, 303);
    assert_eq!(answer.status, 303, "{answer:?}");
    for answer in [&first, &page, &answer] {
        assert!(answer.header("cache-control").contains("no-store"), "{answer:?}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{answer:?}");
    }
}

async fn case_10_every_authorization_response_names_the_issuer(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let discovery = server.browser().get("/.well-known/openid-configuration").await.json();

    let good = ben.authorize(&server, &app.authorize_url()).await;
    let denied = ben.browser.get(&app.authorize_url_with(&[("scope", "nobody.knows")])).await;
    let unseen = server.browser().get(&app.authorize_url_with(&[("prompt", "none")])).await;

    assert!(good.location_param("code").is_some(), "{good:?}");
    assert_eq!(denied.refusal(), "303 invalid_scope");
    assert_eq!(unseen.refusal(), "303 login_required");
    for answer in [good, denied, unseen] {
        assert_eq!(answer.location_param("iss").as_deref(), discovery["issuer"].as_str());
        assert_eq!(answer.location_param("state").as_deref(), Some("st-1"));
    }
    assert_eq!(discovery["authorization_response_iss_parameter_supported"], true);
}

async fn case_18_prompt_and_max_age_sign_in_again(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let first = app.tokens(&server, &ben).await;

    for again in [("prompt", "login"), ("max_age", "60"), ("max_age", "0")] {
        server.advance(TimeDelta::seconds(100));
        let url = app.authorize_url_with(&[again]);
        let answer = ben.browser.get(&url).await;
        let page = ben.browser.follow(answer).await;
        assert!(page.body.contains("name=\"password\""), "{again:?}: {page:?}");
        // Going round the page by its URL does not help.
        let round = ben.browser.get(&page.url.replace("/sign-in?grant=", "/authorize/")).await;
        assert!(round.location().contains("/sign-in"), "{again:?}: {round:?}");
        let code = app.code_for(&server, &ben, &url).await;
        let tokens = Tokens::of(&app.exchange(&code).await);
        assert_eq!(jwt::claims(&tokens.id)["auth_time"], server.now(), "{again:?}");
    }
    let kept = app.code_for(&server, &ben, &app.authorize_url_with(&[("max_age", "3000")])).await;

    assert!(!kept.is_empty());
    assert_ne!(jwt::claims(&first.id)["auth_time"], server.now());
}

async fn prompt_none_shows_no_page(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let url = app.authorize_url_with(&[("prompt", "none")]);

    let stranger = ben.browser.get(&url).await;
    ben.sign_in(&server).await;
    let unasked = ben.browser.get(&url).await;
    app.code(&server, &ben).await;
    let known = ben.browser.get(&url).await;

    assert_eq!(stranger.refusal(), "303 login_required");
    assert_eq!(unasked.refusal(), "303 consent_required");
    assert!(known.location_param("code").is_some(), "{known:?}");
    let both = ben.browser.get(&app.authorize_url_with(&[("prompt", "none login")])).await;
    assert_eq!(both.refusal(), "303 invalid_request");
}

async fn consent_is_asked_once_and_remembered(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let narrow = app.authorize_url_with(&[("scope", "openid project.read")]);
    app.code_for(&server, &ben, &narrow).await;

    let again = ben.browser.get(&narrow).await;
    let wider = ben.browser.get(&app.authorize_url()).await;
    let wider = ben.browser.follow(wider).await;
    let asked = [("scope", "openid project.read"), ("prompt", "consent")];
    let asked = ben.browser.get(&app.authorize_url_with(&asked)).await;
    let asked = ben.browser.follow(asked).await;

    assert!(again.location_param("code").is_some(), "{again:?}");
    assert!(wider.url.contains("/consent"), "{wider:?}");
    assert!(asked.url.contains("/consent"), "{asked:?}");
}

async fn who_denies_is_sent_back_with_access_denied(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    ben.sign_in(&server).await;
    let page = ben.browser.follow(ben.browser.get(&app.authorize_url()).await).await;

    let answer = ben.decide(&page, false).await;

    assert_eq!(answer.refusal(), "303 access_denied");
    assert!(answer.location().starts_with(app.redirect_uri), "{answer:?}");
    // It cannot be taken back by sending the form again.
    let changed = ben.decide(&page, true).await;
    assert_eq!(changed.location_param("code"), None, "{changed:?}");
}

async fn who_cancels_at_sign_in_is_sent_back_with_access_denied(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let page = ben.browser.follow(ben.browser.get(&app.authorize_url()).await).await;
    let form = crate::common::form::Form::of(&page.body, "/sign-in/cancel");
    let stranger = server.browser();
    stranger.get("/sign-in").await;

    let by_another = stranger.submit(&page, &form, &[]).await;
    let answer = ben.browser.submit(&page, &form, &[]).await;
    let again = ben.browser.submit(&page, &form, &[]).await;

    assert_eq!(by_another.location(), "", "{by_another:?}");
    assert_eq!(answer.refusal(), "303 access_denied");
    assert!(answer.location().starts_with(app.redirect_uri), "{answer:?}");
    assert_eq!((again.status, again.location()), (400, ""), "{again:?}");
}

async fn case_15_consent_belongs_to_one_browser_and_one_request(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    ben.sign_in(&server).await;
    let page = ben.browser.follow(ben.browser.get(&app.authorize_url()).await).await;
    let other = crate::common::world::ben(&server);
    other.sign_in(&server).await;

    let from_other_browser = other.decide(&page, true).await;
    let form = crate::common::form::Form::of(&page.body, "/consent");
    let without_proof: Vec<(String, String)> =
        form.fields.iter().map(|(name, _)| (name.clone(), "x".to_owned())).collect();
    let bent = crate::common::form::Form { fields: without_proof, ..form.clone() };
    let forged = ben.browser.submit(&page, &bent, &[("decision", "allow")]).await;
    let good = ben.decide(&page, true).await;
    let twice = ben.decide(&page, true).await;

    assert_eq!(from_other_browser.location_param("code"), None, "{from_other_browser:?}");
    assert!(from_other_browser.status >= 400, "{from_other_browser:?}");
    assert!(forged.status >= 400 && forged.status < 500, "{forged:?}");
    assert!(good.location_param("code").is_some(), "{good:?}");
    assert_eq!(twice.location_param("code"), None, "{twice:?}");
}

/// An attacker begins a request and sends the link to a victim: the victim's browser is not the
/// one that began it, so it can do nothing with it.
async fn case_43_a_stranger_cannot_go_on_with_somebody_elses_request(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let attacker = server.browser();
    let page = attacker.follow(attacker.get(&app.authorize_url()).await).await;
    ben.sign_in(&server).await;
    let resume = page.url.replace("/sign-in?grant=", "/authorize/");

    for link in [resume.as_str(), page.url.as_str(), &page.url.replace("sign-in", "consent")] {
        let answer = ben.browser.follow(ben.browser.get(link).await).await;
        assert_eq!(answer.location_param("code"), None, "{link}: {answer:?}");
        assert!(!answer.body.contains("/consent"), "{link}: {answer:?}");
    }
    assert_ne!(resume, page.url, "the link was bent");
}
