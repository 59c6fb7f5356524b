//! Refresh tokens: rotated, bound, and over with what they stand on.

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::common::actors::Tokens;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, legacy, portal};
use crate::common::{both, jwt};

both!(
    a_refresh_gives_new_tokens_of_the_same_user,
    case_23_a_second_use_ends_the_whole_family,
    case_23_of_many_uses_at_once_one_is_good_in_the_end,
    case_23_a_lost_answer_is_forgiven_and_its_tokens_die,
    case_24_a_refresh_token_is_bound_to_its_app,
    case_24_the_scope_can_only_shrink_and_shrinks_for_one_token_only,
    offline_access_that_an_app_may_not_have_is_ignored_again,
    case_24_it_ends_24_hours_after_sign_in_however_often_it_is_used,
    case_24_it_dies_with_logout,
    case_24_it_dies_with_a_new_password,
    case_25_it_is_refused_when_its_user_or_app_may_no_longer,
    case_58_a_user_who_is_to_be_deleted_carries_the_date,
);

async fn a_refresh_gives_new_tokens_of_the_same_user(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let first = app.tokens(&server, &ada).await;
    server.advance(TimeDelta::seconds(1_800));

    let answer = app.refresh(&first.refresh).await;

    let second = Tokens::of(&answer);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_ne!(second.refresh, first.refresh);
    let (old, new) = (jwt::claims(&first.access), jwt::claims(&second.access));
    for same in ["sub", "scope", "auth_time", "client_id", "username"] {
        assert_eq!(new[same], old[same], "{same}");
    }
    assert_ne!(new["jti"], old["jti"]);
    assert_eq!(new["exp"], server.now() + 3600);
    // OpenID Connect Core section 12.2.
    let (old, new) = (jwt::claims(&first.id), jwt::claims(&second.id));
    for same in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(new[same], old[same], "{same}");
    }
    app.userinfo(&first.access).await.expect(200);
    app.userinfo(&second.access).await.expect(200);
}

async fn case_23_a_second_use_ends_the_whole_family(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let first = app.tokens(&server, &ben).await;
    let second = Tokens::of(&app.refresh(&first.refresh).await);
    let third = Tokens::of(&app.refresh(&second.refresh).await);
    app.userinfo(&third.access).await.expect(200);

    let reuse = app.refresh(&first.refresh).await;

    assert_eq!(reuse.refusal(), "400 invalid_grant");
    assert_eq!(app.refresh(&third.refresh).await.refusal(), "400 invalid_grant");
    for tokens in [&first, &second, &third] {
        assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    }
}

async fn case_23_of_many_uses_at_once_one_is_good_in_the_end(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let first = app.tokens(&server, &ben).await;

    let answers = join_all((0..12).map(|_| app.refresh(&first.refresh))).await;

    assert!(answers.iter().all(|answer| [200, 400].contains(&answer.status)), "{answers:?}");
    let given: Vec<Tokens> =
        answers.iter().filter(|answer| answer.status == 200).map(Tokens::of).collect();
    assert!(!given.is_empty(), "{answers:?}");
    // An answer may have been replaced by a later one, while nobody had used it; at most one is
    // alive when all have arrived.
    let mut alive = 0;
    for tokens in &given {
        alive += usize::from(app.userinfo(&tokens.access).await.status == 200);
    }
    assert!(alive <= 1, "{alive} of {} are alive", given.len());
    let mut good = 0;
    for tokens in &given {
        good += usize::from(app.refresh(&tokens.refresh).await.status == 200);
    }
    assert!(good <= 1, "{good} of {} are good", given.len());
}

/// The answer of a rotation was lost on the way: the client tries again. As nobody used what was
/// in the lost answer, the client goes on, and the lost tokens die.
async fn case_23_a_lost_answer_is_forgiven_and_its_tokens_die(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let first = app.tokens(&server, &ben).await;
    let lost = Tokens::of(&app.refresh(&first.refresh).await);

    let again = Tokens::of(&app.refresh(&first.refresh).await);

    assert_eq!(app.userinfo(&lost.access).await.refusal(), "401 invalid_token");
    app.userinfo(&again.access).await.expect(200);
    // Now it is used, so the old token is an alarm.
    assert_eq!(app.refresh(&first.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&again.access).await.refusal(), "401 invalid_token");
    // And the lost refresh token is one, too.
    let first = app.tokens(&server, &ben).await;
    let lost = Tokens::of(&app.refresh(&first.refresh).await);
    let again = Tokens::of(&app.refresh(&first.refresh).await);
    assert_eq!(app.refresh(&lost.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.refresh(&again.refresh).await.refusal(), "400 invalid_grant");
}

async fn case_24_a_refresh_token_is_bound_to_its_app(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, other, ben) = (portal(&server), legacy(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;

    for thief in [&other, &backend(&server)] {
        assert_eq!(thief.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    }
    let secret = backend(&server).tokens(&server, &ben).await;
    let bare = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*secret.refresh),
        ("client_id", "backend"),
    ];
    let unauthenticated = server.browser().post("/token", &bare).await;

    assert_eq!(unauthenticated.refusal(), "401 invalid_client");
    app.refresh(&tokens.refresh).await.expect(200);
}

async fn case_24_the_scope_can_only_shrink_and_shrinks_for_one_token_only(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let url = app.authorize_url_with(&[("scope", "openid project.read")]);
    let code = app.code_for(&server, &ben, &url).await;
    let first = Tokens::of(&app.exchange(&code).await);
    let ask = async |token: &str, scope: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)];
        app.token(&fields).await
    };

    // The app may ask for policy.write, but this user did not agree to it.
    for wider in ["openid project.read policy.write", "policy.write", "admin", "openid \"x"] {
        assert_eq!(ask(&first.refresh, wider).await.refusal(), "400 invalid_scope", "{wider}");
    }
    let narrow = ask(&first.refresh, "project.read").await;
    let second = Tokens::of(&narrow);
    let full = app.refresh(&second.refresh).await;

    assert_eq!(jwt::claims(&second.access)["scope"], "project.read");
    assert_eq!(narrow.text("scope"), "project.read");
    assert_eq!(jwt::claims(&Tokens::of(&full).access)["scope"], "openid project.read");
}

async fn offline_access_that_an_app_may_not_have_is_ignored_again(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (portal(&server), ada(&server));
    let scope = [("scope", "openid offline_access")];
    let code = app.code_for(&server, &ada, &app.authorize_url_with(&scope)).await;
    let first = Tokens::of(&app.exchange(&code).await);

    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*first.refresh)];
    let answer = app.token(&[&refresh[..], &scope].concat()).await;

    assert_eq!(answer.expect(200).json()["scope"], "openid");
}

async fn case_24_it_ends_24_hours_after_sign_in_however_often_it_is_used(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let mut tokens = app.tokens(&server, &ben).await;
    for _ in 0..5 {
        server.advance(TimeDelta::seconds(17_000));
        tokens = Tokens::of(&app.refresh(&tokens.refresh).await);
    }

    server.advance(TimeDelta::seconds(1_401));

    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(backend(&server).introspect(&tokens.refresh).await.json()["active"], false);
}

async fn case_24_it_dies_with_logout(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;

    let url = format!("/logout?id_token_hint={}", tokens.id);
    let answer = ben.browser.follow(ben.browser.get(&url).await).await;

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
}

async fn case_24_it_dies_with_a_new_password(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, person) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &person).await;
    let other = ben(&server);
    let elsewhere = backend(&server).tokens(&server, &other).await;
    server.advance(TimeDelta::seconds(10));

    server.apply("users: [{ username: ben, password: another-long-password }]").await;

    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    let refresh = backend(&server).refresh(&elsewhere.refresh).await;
    assert_eq!(refresh.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    let asked = other.browser.follow(other.browser.get(&app.authorize_url()).await).await;
    assert!(asked.body.contains("name=\"password\""), "sessions are over, too: {asked:?}");
}

async fn case_25_it_is_refused_when_its_user_or_app_may_no_longer(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    let refused = async |why: &str| {
        let answer = app.refresh(&tokens.refresh).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{why}");
    };

    server.apply("users: [{ username: ben, status: disabled }]").await;
    refused("disabled").await;
    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    server.apply("users: [{ username: ben, status: active }]").await;
    server.change_app("portal", "status: live", "status: developing").await;
    refused("in development").await;
    server.change_app("portal", "allowed_accounts: all", "allowed_accounts: [beta]").await;
    refused("for another account").await;
    server.change_app("portal", "allowed_accounts: all", "allowed_accounts: [acme]").await;
    let group = "accounts: [{ id: acme, name: Acme Hospital, groups: [{ id: acme-nurses, name: Nurses, members: [] }] }]";
    server.apply(group).await;
    refused("in no group any more").await;
    server.change_app("portal", "status: live", "status: live").await;
    let types =
        "callback_urls: [https://portal.example/callback]\n    grant_types: [authorization_code]";
    server.change_app("portal", "callback_urls: [https://portal.example/callback]", types).await;
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 unauthorized_client");
    server.change_app("portal", "status: live", "status: live").await;

    app.refresh(&tokens.refresh).await.expect(200);
}

async fn case_58_a_user_who_is_to_be_deleted_carries_the_date(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let before = app.tokens(&server, &ben).await;
    let user = "ben".parse().unwrap();
    let date = narthex::base::clock::Clock::now(&*server.clock) + TimeDelta::days(14);

    server.server.users.set_deletion(&user, Some(date)).await.unwrap();
    let marked = Tokens::of(&app.refresh(&before.refresh).await);
    server.server.users.set_deletion(&user, None).await.unwrap();
    let cancelled = Tokens::of(&app.refresh(&marked.refresh).await);

    assert!(jwt::claims(&before.access).get("deletion_date").is_none());
    assert_eq!(jwt::claims(&marked.access)["deletion_date"], date.timestamp());
    assert!(jwt::claims(&cancelled.access).get("deletion_date").is_none());
}
