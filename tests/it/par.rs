//! Authorization requests that apps push before they send the browser. Source: RFC 9126.

use chrono::TimeDelta;
use reqwest::Method;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, portal};

both!(
    an_app_pushes_a_request_and_sends_only_its_name,
    case_09_no_parameter_is_pushed_twice,
    case_12_a_pushed_request_is_for_one_sign_in,
    case_12_a_pushed_request_is_for_its_app_and_for_a_minute,
    case_12_two_sign_ins_of_one_request_have_one_winner,
    case_12_what_is_pushed_is_checked_at_once,
    case_12_nothing_beside_the_name_counts,
    case_28_who_pushes_shows_who_it_is,
    an_app_may_have_to_push,
);

/// Pushes the good request of an app with parameters changed; an empty value leaves one out.
async fn push(app: &ClientApp, changed: &[(&str, &str)]) -> Answer {
    let mut fields = app.request();
    if app.secret.is_none() {
        fields.retain(|(name, _)| *name != "client_id");
    }
    let mut all: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, _)| !changed.iter().any(|(other, _)| other == name))
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    all.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
    app.authenticated("/par", &all).await
}

async fn pushed(app: &ClientApp) -> String {
    push(app, &[]).await.expect(201).text("request_uri")
}

fn url(app: &ClientApp, request_uri: &str) -> String {
    let uri = request_uri.replace(':', "%3A");
    format!("/authorize?client_id={}&request_uri={uri}", app.id)
}

async fn code(server: &TestServer, app: &ClientApp, person: &Person, uri: &str) -> Option<String> {
    person.authorize(server, &url(app, uri)).await.location_param("code")
}

async fn an_app_pushes_a_request_and_sends_only_its_name(db: Kind) {
    let server = TestServer::start(db).await;

    for app in [backend(&server), portal(&server)] {
        let ben = ben(&server);
        let answer = push(&app, &[]).await.expect(201);
        assert_eq!(answer.json()["expires_in"], 60);
        assert_eq!(answer.header("cache-control"), "no-store");
        let uri = answer.text("request_uri");
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"), "{uri}");
        let back = ben.authorize(&server, &url(&app, &uri)).await;
        assert_eq!(back.location_param("state").as_deref(), Some("st-1"));
        assert_eq!(back.location_param("iss").as_deref(), Some(&*server.url));
        let tokens = Tokens::of(&app.exchange(&back.location_param("code").unwrap()).await);
        assert_eq!(crate::common::jwt::claims(&tokens.id)["nonce"], "n-1");
    }
    let metadata = server.browser().get("/.well-known/oauth-authorization-server").await.json();
    let endpoint = format!("{}/par", server.url);
    assert_eq!(metadata["pushed_authorization_request_endpoint"], endpoint);
}

async fn case_09_no_parameter_is_pushed_twice(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = "client_id=portal&response_type=code&scope=openid&scope=openid";
    let twice = server.browser().send(Method::POST, "/par", &[form], body).await;
    assert_eq!(twice.refusal(), "400 invalid_request");
    let good = url(&app, &pushed(&app).await);
    let twice = server.browser().get(&format!("{good}&client_id=portal")).await;
    assert_eq!(twice.refusal(), "400 page");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = server.browser().send(method.clone(), "/par", &[form], body).await;
        assert_eq!(answer.refusal(), "405 invalid_request", "{method}");
    }
    let large = format!("client_id=portal&state={}", "x".repeat(200_000));
    let large = server.browser().send(Method::POST, "/par", &[form], large).await;
    assert_eq!(large.refusal(), "413 invalid_request");
}

async fn case_12_a_pushed_request_is_for_one_sign_in(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let uri = pushed(&app).await;

    // Looking at the sign-in page, even twice, uses nothing up.
    for _ in 0..2 {
        let first = ben.browser.get(&url(&app, &uri)).await;
        ben.browser.follow(first).await.expect(200);
    }
    let code = code(&server, &app, &ben, &uri).await.expect("a code");
    let again = ben.browser.get(&url(&app, &uri)).await;
    let by_another = ada(&server).browser.get(&url(&app, &uri)).await;

    for answer in [again, by_another] {
        assert_eq!(answer.refusal(), "303 invalid_request_uri");
        assert_eq!(answer.location_param("code"), None);
    }
    Tokens::of(&app.exchange(&code).await);
    let uri = pushed(&app).await;
    let page = ada(&server).browser.get(&url(&app, &uri)).await;
    assert!(!format!("{:?}", page.headers).contains(&uri[34..]), "not in cookies: {page:?}");
}

async fn case_12_a_pushed_request_is_for_its_app_and_for_a_minute(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, other, ben) = (backend(&server), portal(&server), ben(&server));
    let uri = pushed(&app).await;

    let stolen = ben.browser.get(&url(&other, &uri)).await;
    let nameless = ben.browser.get(&url(&app, &uri).replace("client_id=backend&", "")).await;
    let bent = ben.browser.get(&url(&app, &format!("{uri}x"))).await;
    let guessed = url(&app, "urn:ietf:params:oauth:request_uri:1.x");
    let guessed = ben.browser.get(&guessed).await;
    for answer in [stolen, nameless, bent, guessed] {
        assert_eq!(answer.refusal(), "400 page", "{answer:?}");
    }
    // Who came in time may take longer to sign in.
    let first = ben.browser.get(&url(&app, &uri)).await;
    let page = ben.browser.follow(first).await;
    server.advance(TimeDelta::seconds(61));
    let late = ada(&server).browser.get(&url(&app, &uri)).await;
    assert_eq!(late.refusal(), "303 invalid_request_uri");
    let next = ben.answer_page(&server, &page).await;
    let next = if next.status == 200 { ben.answer_page(&server, &next).await } else { next };
    assert!(next.location_param("code").is_some(), "{next:?}");
}

async fn case_12_two_sign_ins_of_one_request_have_one_winner(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben, ada) = (portal(&server), ben(&server), ada(&server));
    for person in [&ben, &ada] {
        person.sign_in(&server).await;
        app.code(&server, person).await;
    }
    let uri = pushed(&app).await;
    let url = url(&app, &uri);
    let (mut codes, mut refused) = (0, 0);
    let (one, two) = tokio::join!(ben.authorize(&server, &url), ada.authorize(&server, &url),);
    for answer in [one, two] {
        if answer.location_param("code").is_some() {
            codes += 1;
        } else {
            assert!(
                ["303 invalid_request_uri", "400 page"].contains(&&*answer.refusal()),
                "{answer:?}"
            );
            refused += 1;
        }
    }
    assert_eq!((codes, refused), (1, 1));
}

async fn case_12_what_is_pushed_is_checked_at_once(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);
    let uri = pushed(&app).await;

    for (name, value, expected) in [
        ("redirect_uri", "https://evil.example/", "400 invalid_request"),
        ("redirect_uri", "", "400 invalid_request"),
        ("response_type", "", "400 unsupported_response_type"),
        ("response_type", "token", "400 unsupported_response_type"),
        ("response_type", "code id_token", "400 unsupported_response_type"),
        ("code_challenge", "", "400 invalid_request"),
        ("code_challenge_method", "plain", "400 invalid_request"),
        ("scope", "openid policy.write", "400 invalid_scope"),
        ("request_uri", &uri, "400 invalid_request"),
        ("request_uri", "https://backend.example/r", "400 invalid_request"),
        ("request", "x", "400 invalid_request_object"),
        ("client_id", "portal", "400 invalid_request"),
        ("registration", "{}", "400 registration_not_supported"),
        ("prompt", "none login", "400 invalid_request"),
    ] {
        let answer = push(&app, &[(name, value)]).await;
        assert_eq!(answer.refusal(), expected, "{name}={value}");
    }
}

async fn case_12_nothing_beside_the_name_counts(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let uri = push(&app, &[("state", "")]).await.expect(201).text("request_uri");

    let more = "&state=outside&redirect_uri=https%3A%2F%2Fevil.example%2F&scope=policy.write";
    let answer = ben.authorize(&server, &format!("{}{more}", url(&app, &uri))).await;

    assert!(answer.location().starts_with("https://backend.example/callback?code="), "{answer:?}");
    assert_eq!(answer.location_param("state"), None);
}

async fn case_28_who_pushes_shows_who_it_is(db: Kind) {
    let server = TestServer::start(db).await;
    let mut thief = backend(&server);

    thief.secret = Some("wrong-secret-0123456789-abcdefghijklmnop");
    assert_eq!(push(&thief, &[]).await.refusal(), "401 invalid_client");
    thief.secret = None;
    assert_eq!(push(&thief, &[]).await.refusal(), "401 invalid_client");
}

async fn an_app_may_have_to_push(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let must =
        "type: confidential\n    client_metadata: { require_pushed_authorization_requests: true }";
    server.change_app("backend", "type: confidential", must).await;

    let plain = ben.authorize(&server, &app.authorize_url()).await;

    assert_eq!(plain.refusal(), "303 invalid_request");
    assert_eq!(plain.location_param("state").as_deref(), Some("st-1"));
    assert!(code(&server, &app, &ben, &pushed(&app).await).await.is_some());
}
