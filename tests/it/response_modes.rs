//! How authorization responses reach apps: query, form and signed, good news and bad.

use serde_json::Value;

use crate::common::actors::Tokens;
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, legacy, portal};
use crate::common::{both, jwt};

both!(
    form_post_carries_code_state_and_iss,
    form_post_tells_errors_too,
    case_08_a_form_escapes_what_the_request_brought,
    jarm_signs_good_news_and_bad_for_this_app_alone,
    jarm_uses_the_algorithm_that_was_registered,
    case_10_every_mode_names_the_issuer,
    case_37_a_signed_response_is_no_id_token,
    case_06_errors_in_every_mode_go_to_registered_places_only,
);

const MODES: [&str; 6] = ["", "query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

/// What an app gets, by whichever road: names and values.
fn received(answer: &Answer) -> Vec<(String, String)> {
    if answer.location().is_empty() {
        let form = Form::all(&answer.body).remove(0);
        assert!(form.action.starts_with("https://portal.example/callback"), "{form:?}");
        return form.fields;
    }
    let url = url::Url::parse(answer.location()).unwrap();
    assert!(url.as_str().starts_with("https://portal.example/callback?"), "{url}");
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The parameters of a response, out of the JWT if there is one.
fn parameters(answer: &Answer) -> Value {
    let received = received(answer);
    match received.as_slice() {
        [(name, token)] if name == "response" => jwt::claims(token),
        pairs => pairs.iter().map(|(name, value)| (name.clone(), Value::from(&**value))).collect(),
    }
}

async fn form_post_carries_code_state_and_iss(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    let url = app.authorize_url_with(&[("response_mode", "form_post")]);
    let first = ben.browser.follow(ben.browser.get(&url).await).await;
    let consent = ben.answer_page(&server, &first).await;
    let answer = ben.decide(&consent, true).await.expect(200);

    let fields = received(&answer);
    let names: Vec<&str> = fields.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["code", "session_state", "state", "iss"]);
    assert_eq!((&*fields[2].1, &*fields[3].1), ("st-1", &*server.url));
    assert!(answer.body.contains("id=\"continue\""), "{answer:?}");
    let policy = answer.header("content-security-policy");
    let script = format!("script-src {}/assets/form_post.js;", server.url);
    assert!(policy.contains(&script) && !policy.contains("unsafe"), "{policy}");
    server.browser().get("/assets/form_post.js").await.expect(200);
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.header("cache-control"), "no-store");
    Tokens::of(&app.exchange(&fields[0].1).await);
}

async fn form_post_tells_errors_too(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);

    let url = app.authorize_url_with(&[("response_mode", "form_post"), ("prompt", "none")]);
    let answer = server.browser().get(&url).await.expect(200);

    let told = parameters(&answer);
    assert_eq!((&told["error"], &told["state"]), (&"login_required".into(), &"st-1".into()));
}

async fn case_08_a_form_escapes_what_the_request_brought(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let hostile = "\"><script>alert(1)</script>&'";

    let changed = [("response_mode", "form_post"), ("state", hostile), ("prompt", "none")];
    let answer = server.browser().get(&app.authorize_url_with(&changed)).await.expect(200);

    assert_eq!(answer.body.matches("<script").count(), 1, "{answer:?}");
    assert_eq!(parameters(&answer)["state"], hostile);
    let native =
        "    callback_urls: [\"com.example.portal:/callback\", https://portal.example/callback]";
    server
        .change_app("portal", "    callback_urls: [https://portal.example/callback]", native)
        .await;
    let changed =
        [("response_mode", "form_post"), ("redirect_uri", "com.example.portal:/callback")];
    let refused = server.browser().get(&app.authorize_url_with(&changed)).await;
    assert_eq!(refused.refusal(), "303 invalid_request");
}

async fn jarm_signs_good_news_and_bad_for_this_app_alone(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    let good = ben.authorize(&server, &app.authorize_url_with(&[("response_mode", "jwt")])).await;
    let changed = [("response_mode", "query.jwt"), ("scope", "no.such")];
    let bad = ben.browser.get(&app.authorize_url_with(&changed)).await;

    for answer in [&good, &bad] {
        let received = received(answer);
        assert_eq!(received.len(), 1, "{received:?}");
        server.server.keys.verify(&received[0].1).expect("a signature of ours");
        assert_eq!(jwt::header(&received[0].1)["alg"], "RS256");
        let claims = parameters(answer);
        assert_eq!((&claims["iss"], &claims["aud"]), (&(&*server.url).into(), &"portal".into()));
        assert_eq!(claims["exp"], server.now() + 600);
        assert_eq!(claims["state"], "st-1");
    }
    assert_eq!(parameters(&bad)["error"], "invalid_scope");
    Tokens::of(&app.exchange(parameters(&good)["code"].as_str().unwrap()).await);
}

async fn jarm_uses_the_algorithm_that_was_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);

    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let lines = format!(
            "type: public\n    client_metadata: {{ authorization_signed_response_alg: {alg} }}"
        );
        server.change_app("portal", "type: public", &lines).await;
        let changed = [("response_mode", "form_post.jwt"), ("prompt", "none")];
        let answer = server.browser().get(&app.authorize_url_with(&changed)).await.expect(200);
        let token = received(&answer).remove(0).1;
        assert_eq!(jwt::header(&token)["alg"], alg);
        server.server.keys.verify(&token).expect("a signature of ours");
    }
}

async fn case_10_every_mode_names_the_issuer(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    for mode in MODES {
        let good = [("response_mode", mode), ("scope", "openid")];
        let good = ben.authorize(&server, &app.authorize_url_with(&good)).await;
        let bad = [("response_mode", mode), ("scope", "no.such")];
        let bad = server.browser().get(&app.authorize_url_with(&bad)).await;
        assert_eq!(parameters(&good)["iss"], *server.url, "{mode}");
        assert!(parameters(&good)["code"].is_string(), "{mode}");
        assert_eq!(parameters(&bad)["iss"], *server.url, "{mode}");
        assert_eq!(parameters(&bad)["error"], "invalid_scope", "{mode}");
    }
}

async fn case_37_a_signed_response_is_no_id_token(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let changed = [("response_mode", "jwt"), ("prompt", "none")];
    let answer = server.browser().get(&app.authorize_url_with(&changed)).await;
    let response = received(&answer).remove(0).1;

    let hint = app.authorize_url_with(&[("id_token_hint", &response)]);
    let hinted = server.browser().get(&hint).await;
    let logout = server.browser().get(&format!("/logout?id_token_hint={response}")).await;

    assert_eq!(hinted.refusal(), "303 invalid_request");
    assert_eq!(logout.refusal(), "400 page");
    assert_eq!(app.userinfo(&response).await.refusal(), "401 invalid_token");
}

async fn case_06_errors_in_every_mode_go_to_registered_places_only(db: Kind) {
    let server = TestServer::start(db).await;
    let app = legacy(&server);

    for mode in MODES {
        for uri in ["https://evil.example/callback", "http://localhost:8787/x"] {
            let changed = [("response_mode", mode), ("redirect_uri", uri), ("scope", "no.such")];
            let answer = server.browser().get(&app.authorize_url_with(&changed)).await;
            assert_eq!(answer.refusal(), "400 page", "{mode} {uri}");
            assert!(!answer.body.contains("<form"), "{answer:?}");
        }
    }
}
