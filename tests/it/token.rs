//! Exchanging codes: once, by the one they were given to.

use chrono::TimeDelta;
use futures_util::future::join_all;

use crate::common::actors::{Tokens, VERIFIER};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{backend, ben, legacy, portal};
use crate::common::{both, jwt};

both!(
    case_19_a_replayed_code_revokes_what_it_gave,
    case_19_of_many_exchanges_at_once_one_wins,
    case_20_a_code_is_bound_to_app_redirect_and_verifier,
    case_20_a_bent_code_is_no_code,
    case_20_a_code_ends_after_a_minute,
    case_21_no_secret_is_good_for_another_kind,
    case_22_the_verifier_is_demanded_and_has_its_grammar,
    case_25_a_code_is_refused_when_its_user_or_app_may_no_longer,
    case_73_the_token_endpoint_answers_to_registered_origins_only,
    case_78_time_that_goes_back_revives_nothing,
);

async fn case_19_a_replayed_code_revokes_what_it_gave(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let code = app.code(&server, &ben).await;
    let tokens = Tokens::of(&app.exchange(&code).await);
    app.userinfo(&tokens.access).await.expect(200);

    let replay = app.exchange(&code).await;

    assert_eq!(replay.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    let api = app.api("/v1/projects", &tokens.access, "acme").await;
    assert_eq!(api.refusal(), "401 invalid_token");
    // Whoever replays it, with whatever else: the alarm is the code itself.
    let code = app.code(&server, &ben).await;
    let tokens = Tokens::of(&app.exchange(&code).await);
    let bent =
        [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "https://x")];
    app.token(&bent).await.expect(400);
    assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
}

async fn case_19_of_many_exchanges_at_once_one_wins(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    for _ in 0..3 {
        let code = app.code(&server, &ben).await;

        let answers = join_all((0..12).map(|_| app.exchange(&code))).await;

        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(won <= 1, "{answers:?}");
        assert!(answers.iter().all(|answer| [200, 400].contains(&answer.status)), "{answers:?}");
        // The losers are replays: whatever the winner got is over.
        for winner in answers.iter().filter(|answer| answer.status == 200) {
            let tokens = Tokens::of(winner);
            assert_eq!(app.userinfo(&tokens.access).await.refusal(), "401 invalid_token");
        }
    }
}

async fn case_20_a_code_is_bound_to_app_redirect_and_verifier(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let (other, public) = (backend(&server), legacy(&server));
    let wrong = "x".repeat(43);

    for thief in [&other, &public] {
        let code = app.code(&server, &ben).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        assert_eq!(thief.token(&fields).await.refusal(), "400 invalid_grant", "{}", thief.id);
    }
    let bent: [(&str, &str); 6] = [
        ("redirect_uri", "https://portal.example/callback/"),
        ("redirect_uri", "https://portal.example/bye"),
        ("redirect_uri", ""),
        ("code_verifier", &wrong),
        ("code_verifier", ""),
        ("code", ""),
    ];
    for (name, value) in bent {
        let code = app.code(&server, &ben).await;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        fields.retain(|(held, _)| *held != name);
        fields.extend((!value.is_empty()).then_some((name, value)));
        let answer = app.token(&fields).await;
        assert!(
            ["400 invalid_grant", "400 invalid_request"].contains(&&*answer.refusal()),
            "{name}={value}: {answer:?}"
        );
    }
}

async fn case_20_a_bent_code_is_no_code(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let (first, second) = (app.code(&server, &ben).await, app.code(&server, &ben).await);
    let (number, _) = first.split_once('.').unwrap();
    let (_, secret) = second.split_once('.').unwrap();
    let bent = [
        format!("{number}.{secret}"),
        format!("0{first}"),
        format!("+{first}"),
        format!("-{first}"),
        format!("{first}x"),
        format!("{first}="),
        first[..first.len() - 1].to_owned(),
        first.to_uppercase(),
        format!("9223372036854775807.{secret}"),
        format!("99999999999999999999.{secret}"),
        format!("{number}."),
        number.to_owned(),
        ".".to_owned(),
        format!("{number}.{}", "A".repeat(43)),
    ];

    for code in bent {
        assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant", "{code}");
    }
    // None of that harmed the real ones.
    app.exchange(&second).await.expect(200);
    app.exchange(&first).await.expect(200);
}

async fn case_20_a_code_ends_after_a_minute(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let (in_time, late) = (app.code(&server, &ben).await, app.code(&server, &ben).await);

    server.advance(TimeDelta::seconds(59));
    app.exchange(&in_time).await.expect(200);
    server.advance(TimeDelta::seconds(2));

    assert_eq!(app.exchange(&late).await.refusal(), "400 invalid_grant");
}

async fn case_21_no_secret_is_good_for_another_kind(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let code = app.code(&server, &ben).await;
    let tokens = app.tokens(&server, &ben).await;
    let session = ben.browser.cookies();

    assert_eq!(app.refresh(&code).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&code).await.refusal(), "401 invalid_token");
    assert_eq!(app.exchange(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.exchange(&tokens.access).await.refusal(), "400 invalid_grant");
    assert_eq!(app.refresh(&tokens.access).await.refusal(), "400 invalid_grant");
    assert_eq!(app.refresh(&tokens.id).await.refusal(), "400 invalid_grant");
    assert_eq!(app.userinfo(&tokens.refresh).await.refusal(), "401 invalid_token");
    for cookie in session.values() {
        assert_eq!(app.exchange(&cookie.value).await.refusal(), "400 invalid_grant");
        assert_eq!(app.refresh(&cookie.value).await.refusal(), "400 invalid_grant");
        assert_eq!(app.userinfo(&cookie.value).await.refusal(), "401 invalid_token");
    }
    // Each is still good for what it is.
    app.exchange(&code).await.expect(200);
    app.refresh(&tokens.refresh).await.expect(200);
}

async fn case_22_the_verifier_is_demanded_and_has_its_grammar(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, legacy, ben) = (portal(&server), legacy(&server), ben(&server));
    let (short, long, odd) = ("a".repeat(42), "a".repeat(129), format!("{}!", "a".repeat(43)));

    for verifier in [&*short, &*long, &*odd, "", VERIFIER.trim_end_matches('k')] {
        let code = app.code(&server, &ben).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", verifier),
        ];
        let answer = app.token(&fields).await;
        assert_eq!(answer.status, 400, "{verifier}: {answer:?}");
    }
    // A verifier where there was no challenge: somebody took the challenge out on the way.
    let plain = legacy.authorize_url_with(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let plain = plain.replace("scope=&", "");
    let code = legacy.code_for(&server, &ben, &plain).await;
    let answer = legacy.exchange(&code).await;
    assert_eq!(answer.refusal(), "400 invalid_grant");
    // And an app that need not use PKCE is held to it once it does.
    let code = legacy.code(&server, &ben).await;
    let bare = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", legacy.redirect_uri),
    ];
    assert_eq!(legacy.token(&bare).await.status, 400);
}

async fn case_25_a_code_is_refused_when_its_user_or_app_may_no_longer(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let code = app.code(&server, &ben).await;

    server.apply("users: [{ username: ben, status: disabled }]").await;
    let disabled = app.exchange(&code).await;
    server.apply("users: [{ username: ben, status: active }]").await;

    assert_eq!(disabled.refusal(), "400 invalid_grant");
    let code = app.code(&server, &ben).await;
    server.change_app("portal", "status: live", "status: developing").await;
    assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant");
    server.change_app("portal", "status: live", "status: live").await;
    let code = app.code(&server, &ben).await;
    server.change_app("portal", "allowed_accounts: all", "allowed_accounts: [beta]").await;
    assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant");
}

async fn case_73_the_token_endpoint_answers_to_registered_origins_only(db: Kind) {
    let server = TestServer::start(db).await;
    let http = server.browser();
    let ask = async |path: &str, origin: &str| {
        let fields = [("grant_type", "x"), ("client_id", "portal")];
        http.post_with(path, &[("origin", origin)], &fields).await
    };

    for path in ["/token", "/revoke", "/userinfo", "/v1/projects"] {
        let good = ask(path, "https://portal.example").await;
        assert_eq!(good.header("access-control-allow-origin"), "https://portal.example", "{path}");
        assert_eq!(good.header("access-control-allow-credentials"), "", "{path}");
        for bad in [
            "null",
            "https://evil.example",
            "https://portal.example.evil.example",
            "https://portal.example:8443",
            "http://portal.example",
            "https://PORTAL.example",
        ] {
            let answer = ask(path, bad).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{path} {bad}");
        }
    }
    let preflight = [
        ("origin", "https://portal.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization,lifeomic-account"),
    ];
    let answer = http.send(reqwest::Method::OPTIONS, "/v1/projects", &preflight, "").await;
    let allowed = answer.header("access-control-allow-headers").to_lowercase();
    assert!(allowed.contains("authorization") && allowed.contains("lifeomic-account"), "{allowed}");
    // Pages are for people: no script of another origin reads them.
    for path in ["/sign-in", "/consent", "/authorize", "/logout", "/introspect"] {
        let answer = http.get_with(path, &[("origin", "https://portal.example")]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

async fn case_78_time_that_goes_back_revives_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let code = app.code(&server, &ben).await;
    let tokens = Tokens::of(&app.exchange(&code).await);
    let next = Tokens::of(&app.refresh(&tokens.refresh).await);
    app.userinfo(&next.access).await.expect(200);

    server.advance(TimeDelta::seconds(-50));

    // A token from the future is forgiven for a minute of skew, and no longer.
    app.userinfo(&next.access).await.expect(200);
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    server.advance(TimeDelta::seconds(-3_600));
    assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant");
    assert!(jwt::claims(&next.access)["iat"].as_i64().unwrap() > server.now() + 60);
}
