//! What resource servers are told about tokens, and how tokens are given back.

use chrono::TimeDelta;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, betaware, eve, portal};

both!(
    rfc7662_2_2_a_good_token_is_described,
    case_33_only_an_authenticated_app_is_told_and_only_of_its_own_account,
    case_33_what_is_not_good_is_inactive_and_says_no_more,
    case_34_a_revoked_refresh_token_takes_its_grant_along,
    case_34_a_revoked_access_token_is_over_alone,
    case_34_nobody_revokes_for_others_and_unknown_tokens_are_fine,
    case_62_no_scope_gives_claims_of_an_account_one_is_not_in,
);

async fn rfc7662_2_2_a_good_token_is_described(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let tokens = app.tokens(&server, &ada).await;

    let access = backend(&server).introspect(&tokens.access).await.expect(200);

    assert_eq!(access.header("cache-control"), "no-store");
    let info = access.json();
    let claims = crate::common::jwt::claims(&tokens.access);
    assert_eq!((&info["active"], &info["token_type"]), (&true.into(), &"Bearer".into()));
    for same in ["sub", "scope", "client_id", "username", "exp", "iat", "iss", "jti", "aud"] {
        assert_eq!(info[same], claims[same], "{same}");
    }
    let own = backend(&server).tokens(&server, &ada).await;
    let refresh = backend(&server).introspect(&own.refresh).await.json();
    assert_eq!((&refresh["active"], &refresh["client_id"]), (&true.into(), &"backend".into()));
}

async fn case_33_only_an_authenticated_app_is_told_and_only_of_its_own_account(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    let foreign = betaware(&server).tokens(&server, &eve(&server)).await;

    let stranger = server.browser().post("/introspect", &[("token", &tokens.access)]).await;
    let public = app.introspect(&tokens.access).await;
    let wrong = [("token", &*tokens.access), ("client_id", "backend"), ("client_secret", "x")];
    let wrong = server.browser().post("/introspect", &wrong).await;
    let bearer = format!("Bearer {}", tokens.access);
    let bearer = [("authorization", &*bearer)];
    let bearer = server.browser().post_with("/introspect", &bearer, &[("token", "x")]).await;
    let other_account = backend(&server).introspect(&foreign.access).await.expect(200);
    let others_refresh = backend(&server).introspect(&tokens.refresh).await.expect(200);

    for refused in [stranger, public, wrong, bearer] {
        assert_eq!(refused.refusal(), "401 invalid_client", "{refused:?}");
    }
    assert_eq!(other_account.body, r#"{"active":false}"#);
    assert_eq!(others_refresh.body, r#"{"active":false}"#);
}

async fn case_33_what_is_not_good_is_inactive_and_says_no_more(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    let bent = format!("{}x", tokens.access);
    let unknown = "1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    for token in [&*bent, &*tokens.id, "x", unknown, "é", "a.b.c"] {
        let answer = backend(&server).introspect(token).await.expect(200);
        assert_eq!(answer.body, r#"{"active":false}"#, "{token}");
    }
    server.advance(TimeDelta::seconds(3_601));
    let late = backend(&server).introspect(&tokens.access).await.expect(200);
    assert_eq!(late.body, r#"{"active":false}"#);
    let none = backend(&server).authenticated("/introspect", &[]).await;
    assert_eq!(none.refusal(), "400 invalid_request");
}

async fn case_34_a_revoked_refresh_token_takes_its_grant_along(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    app.userinfo(&tokens.access).await.expect(200);

    app.revoke(&tokens.refresh).await.expect(200);

    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    assert_eq!(app.api("/v1/projects", &tokens.access, "acme").await.status, 401);
    app.revoke(&tokens.refresh).await.expect(200);
}

async fn case_34_a_revoked_access_token_is_over_alone(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;

    app.revoke(&tokens.access).await.expect(200);

    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    let info = backend(&server).introspect(&tokens.access).await;
    assert_eq!(info.body, r#"{"active":false}"#);
    app.refresh(&tokens.refresh).await.expect(200);
}

async fn case_34_nobody_revokes_for_others_and_unknown_tokens_are_fine(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, other, ben) = (portal(&server), backend(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;

    for token in [&tokens.access, &tokens.refresh] {
        let answer = other.revoke(token).await;
        assert!([200, 400].contains(&answer.status), "{answer:?}");
        let stranger = server.browser().post("/revoke", &[("token", token)]).await;
        assert_eq!(stranger.refusal(), "401 invalid_client");
    }
    // Knowing the number of a grant is not knowing its token.
    let (number, _) = tokens.refresh.split_once('.').unwrap();
    let guess = format!("{number}.AAAAAAAAAAAAAAAAAAAAAA.{}", "A".repeat(43));
    for token in [&*guess, "x", "a.b.c", "1.x", &tokens.id] {
        app.revoke(token).await.expect(200);
    }
    let hinted = [("token", &*tokens.access), ("token_type_hint", "nonsense")];
    let none = app.authenticated("/revoke", &[]).await;

    assert_eq!(none.refusal(), "400 invalid_request");
    app.userinfo(&tokens.access).await.expect(200);
    app.refresh(&tokens.refresh).await.expect(200);
    // A hint is only a hint. Source: RFC 7009 section 2.1.
    app.authenticated("/revoke", &hinted).await.expect(200);
    assert_eq!(app.userinfo(&tokens.access).await.status, 401);
}

/// What an account knows of its members reaches tokens only by the app's configuration, and only
/// for those who are in the account.
async fn case_62_no_scope_gives_claims_of_an_account_one_is_not_in(db: Kind) {
    let server = TestServer::start(db).await;
    let claims = "type: confidential\n    custom_claims:\n      - { name: ward, member_attribute: { account: acme, attribute: ward } }\n      - { name: department, user_attribute: department }\n      - { name: edition, value: gold, in: [access_token] }";
    server.change_app("backend", "type: confidential", claims).await;
    let app = backend(&server);
    let of = async |person: crate::common::actors::Person| {
        let tokens = app.tokens(&server, &person).await;
        (crate::common::jwt::claims(&tokens.access), crate::common::jwt::claims(&tokens.id))
    };

    let (member, member_id) = of(ada(&server)).await;
    let (stranger, _) = of(eve(&server)).await;
    let asked = app.authorize_url_with(&[("scope", "openid ward")]);
    let asked = server.browser().get(&asked).await;

    assert_eq!((&member["ward"], &member["department"]), (&"W1".into(), &"cardiology".into()));
    assert_eq!((&member["edition"], &member_id["edition"]), (&"gold".into(), &().into()));
    assert_eq!(stranger.get("ward"), None);
    assert_eq!(stranger["edition"], "gold");
    assert_eq!(asked.refusal(), "303 invalid_scope");
}
