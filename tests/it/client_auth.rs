//! How apps prove who they are, and what they may ask for in their own name.

use chrono::TimeDelta;

use crate::common::actors::{Tokens, basic};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben, portal};
use crate::common::{both, jwt};

both!(
    an_app_gets_a_token_of_its_own,
    case_28_exactly_one_method_and_the_right_one,
    case_28_two_secrets_are_good_while_they_are_changed,
    case_32_no_app_gets_more_than_it_registered,
    an_app_alone_is_no_user,
);

const SECRET: &str = "backend-secret-0123456789-abcdefghijklmnop";
type Fields<'a> = &'a [(&'a str, &'a str)];

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

async fn an_app_gets_a_token_of_its_own(db: Kind) {
    let server = TestServer::start(db).await;
    let app = backend(&server);

    let answer = app.client_credentials("project.read").await.expect(200);

    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["scope"], "project.read");
    // RFC 6749 section 4.4.3: no refresh token; there is no user, so no ID token.
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let claims = jwt::claims(&answer.text("access_token"));
    assert_eq!(claims["sub"], "backend");
    assert_eq!(claims["client_id"], "backend");
    assert!(claims.get("username").is_none() && claims.get("auth_time").is_none());
    let info = app.introspect(&answer.text("access_token")).await.json();
    assert_eq!(info["active"], true);
}

async fn case_28_exactly_one_method_and_the_right_one(db: Kind) {
    let server = TestServer::start(db).await;
    let http = server.browser();
    let ask = async |header: Option<String>, fields: &[(&str, &str)]| -> Answer {
        let header = header.unwrap_or_default();
        let headers = [("authorization", &*header)];
        let headers = if header.is_empty() { &[][..] } else { &headers[..] };
        http.post_with("/token", headers, &[&[GRANT], fields].concat()).await
    };
    let good = basic("backend", SECRET);
    let (id, secret) = (("client_id", "backend"), ("client_secret", SECRET));

    ask(Some(good.clone()), &[]).await.expect(200);
    ask(None, &[id, secret]).await.expect(200);
    ask(Some(good.clone()), &[id]).await.expect(200);
    ask(Some(good.replace("Basic", "bAsIc")), &[]).await.expect(200);
    let both = ask(Some(good.clone()), &[id, secret]).await;
    assert_eq!(both.refusal(), "400 invalid_request");
    let other = ask(Some(good.clone()), &[("client_id", "portal")]).await;
    assert_eq!(other.status, 400, "{other:?}");
    let wrong: [(Option<String>, Fields<'_>); 12] = [
        (Some(basic("backend", "wrong")), &[]),
        (Some(basic("backend", "")), &[]),
        (Some(basic("nobody", SECRET)), &[]),
        (Some(basic("", "")), &[]),
        (Some("Basic".to_owned()), &[]),
        (Some("Basic !!!".to_owned()), &[]),
        (Some("Basic YmFja2VuZA==".to_owned()), &[]),
        (Some(format!("Bearer {SECRET}")), &[]),
        (None, &[id]),
        (None, &[id, ("client_secret", "wrong")]),
        (None, &[]),
        (None, &[id, ("client_assertion", "x"), ("client_assertion_type", "y")]),
    ];
    for (header, fields) in wrong {
        let answer = ask(header.clone(), fields).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{header:?} {fields:?}: {answer:?}");
        // RFC 6749 section 5.2: who tried a header is told which one.
        let told = answer.header("www-authenticate").starts_with("Basic");
        assert!(told || header.is_none(), "{answer:?}");
    }
    let twice = [("authorization", &*good), ("authorization", &*good)];
    let twice = http.post_with("/token", &twice, &[GRANT]).await;
    assert!([400, 401].contains(&twice.status), "{twice:?}");
    // A public app has nothing to prove itself with.
    let public = portal(&server).client_credentials("").await;
    assert_eq!(public.refusal(), "400 unauthorized_client");
    let pretending = ask(Some(basic("portal", "x")), &[]).await;
    assert_eq!(pretending.refusal(), "401 invalid_client");
}

async fn case_28_two_secrets_are_good_while_they_are_changed(db: Kind) {
    let server = TestServer::start(db).await;
    let new = "another-secret-0123456789-abcdefghijklmnop";
    let ask = async |secret: &str| {
        let header = basic("backend", secret);
        server.browser().post_with("/token", &[("authorization", &header)], &[GRANT]).await.status
    };

    server.change_app("backend", SECRET, &format!("{SECRET}, {new}")).await;
    let during = (ask(SECRET).await, ask(new).await);
    server.change_app("backend", SECRET, new).await;
    let after = (ask(SECRET).await, ask(new).await);

    assert_eq!(during, (200, 200));
    assert_eq!(after, (401, 200));
    let id = "backend".parse().unwrap();
    let third = server.server.apps.add_secret(&id, 86_400).await.unwrap();
    assert_eq!((ask(new).await, ask(third.reveal()).await), (200, 200));
    server.advance(TimeDelta::days(2));
    assert_eq!((ask(new).await, ask(third.reveal()).await), (401, 200));
}

async fn case_32_no_app_gets_more_than_it_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let long = vec!["project.read"; 200_000].join(" ");
    let names: Vec<String> = (0..20_000).map(|n| format!("s{n}")).collect();

    for scope in
        ["policy.write", "project.read policy.write", "project.read \"", "*", "PROJECT.READ"]
    {
        assert_eq!(app.client_credentials(scope).await.refusal(), "400 invalid_scope", "{scope}");
        let url = app.authorize_url_with(&[("scope", scope)]);
        let answer = ben.browser.get(&url).await;
        assert_eq!(answer.refusal(), "303 invalid_scope", "{scope}");
    }
    for scope in [long, names.join(" ")] {
        let begun = std::time::Instant::now();
        let answer = app.client_credentials(&scope).await;
        assert!([400, 413].contains(&answer.status), "{}", answer.status);
        assert!(begun.elapsed() < std::time::Duration::from_secs(2), "cheap to refuse");
    }
}

async fn an_app_alone_is_no_user(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let token = app.client_credentials("openid project.read").await;
    let own = token.text("access_token");

    let info = app.userinfo(&own).await;
    let api = app.api("/v1/projects", &own, "acme").await;

    assert!([401, 403].contains(&info.status), "{info:?}");
    assert_eq!(api.refusal(), "403 not_a_member");
    // An app with the id of a user is still not the user.
    let of_ben = app.tokens(&server, &ben).await;
    assert_ne!(jwt::claims(&own)["sub"], jwt::claims(&of_ben.access)["sub"]);
    let _ = Tokens::of(&app.refresh(&of_ben.refresh).await);
}
