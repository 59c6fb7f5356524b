//! OpenID Providers, and others, that lie.

use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::signer::{Signer, attacks, bent, strange_headers};
use crate::upstream::op::{CLIENT_ID, Op, is_signed_in, leave, world};

both!(
    case_54_an_id_token_that_is_not_true_lets_nobody_in,
    case_54_another_provider_does_not_answer_for_one,
    case_35_no_header_talks_us_out_of_a_check,
    case_54_a_provider_that_was_switched_off_lets_nobody_in,
    an_answer_is_good_once,
    garbage_is_refused,
);

async fn case_54_an_id_token_that_is_not_true_lets_nobody_in(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let now = server.now();
    let lies: Vec<(&str, Value)> = vec![
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", op.host.url))),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", json!([])),
        ("aud", json!([CLIENT_ID, "another"])),
        ("aud", json!(7)),
        ("aud", Value::Null),
        ("azp", json!("another")),
        ("exp", json!(now - 61)),
        ("exp", json!("never")),
        ("exp", json!(f64::from(u32::MAX) + 0.5)),
        ("exp", Value::Null),
        ("iat", json!(now + 61)),
        ("iat", json!(now - 601)),
        ("iat", Value::Null),
        ("nbf", json!(now + 61)),
        ("at_hash", json!("of-another-token")),
        ("at_hash", json!(7)),
        ("sub", json!("")),
        ("sub", json!(7)),
        ("sub", json!("x".repeat(256))),
        ("sub", Value::Null),
    ];
    for (name, value) in lies {
        let browser = server.browser();
        let said = [(name, value.clone())];
        let answer = op.arrive(&server, &browser, "/sign-in", ("g-1", &said)).await;
        assert_eq!(answer.refusal(), "403 page", "{name}: {value}");
        assert!(!is_signed_in(&browser).await, "{name}: {value}");
    }
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
    let both = [("aud", json!([CLIENT_ID, "another"])), ("azp", json!(CLIENT_ID))];
    op.arrive(&server, &server.browser(), "/sign-in", ("g-1", &both)).await.expect(303);
}

/// Mix-up: the browser was sent to one provider, and another one's answer comes.
/// Source: RFC 9207 section 1, RFC 9700 section 4.4.
async fn case_54_another_provider_does_not_answer_for_one(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let evil = Op::start().await;
    server.apply(&evil.declaration("evil", "creates_users: true")).await;

    for more in [vec![("iss", &*evil.host.url)], vec![], vec![("iss", "")]] {
        let browser = server.browser();
        let trip = leave(&browser, "/sign-in", "op").await;
        op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));
        let answer = op.send_back_with(&browser, &trip.state, &more).await;
        assert_eq!(answer.refusal(), "403 page", "{more:?}");
    }
    assert_eq!(op.host.visits("/token").len(), 0, "no code goes out");
    let answer = {
        let browser = server.browser();
        let trip = leave(&browser, "/sign-in", "op").await;
        let token = evil.signer.sign("JWT", &op.claims(&server, &trip, "g-1"));
        op.gives(&token);
        op.send_back(&browser, &trip).await
    };
    assert_eq!(answer.refusal(), "403 page", "a key of another provider's");
}

async fn case_35_no_header_talks_us_out_of_a_check(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let attacker = Signer::new("ES256");
    let browser = server.browser();
    let trip = leave(&browser, "/sign-in", "op").await;
    let claims = op.claims(&server, &trip, "g-1");
    let mut all = attacks(&attacker, &op.signer.jwk(), "JWT", &claims);
    all.extend(strange_headers(&op.signer, "JWT", &claims));

    for (attack, _) in &all {
        let browser = server.browser();
        let trip = leave(&browser, "/sign-in", "op").await;
        let claims = bent(&claims, &[("nonce", json!(trip.nonce))]);
        let mut fresh = attacks(&attacker, &op.signer.jwk(), "JWT", &claims);
        fresh.extend(strange_headers(&op.signer, "JWT", &claims));
        let (_, token) = fresh.into_iter().find(|(name, _)| name == attack).expect("it again");
        op.gives(&token);
        let answer = op.send_back(&browser, &trip).await;
        assert_eq!(answer.refusal(), "403 page", "{attack}");
        assert!(!is_signed_in(&browser).await, "{attack}");
    }
}

async fn case_54_a_provider_that_was_switched_off_lets_nobody_in(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (known, midway) = (server.browser(), server.browser());
    op.arrive(&server, &known, "/sign-in", ("g-1", &[])).await.expect(303);
    let trip = leave(&midway, "/sign-in", "op").await;
    let page = server.browser();
    let before = page.get("/sign-in").await;
    let form = crate::common::form::Form::of(&before.body, "/upstream/op/start");

    server.apply(&op.declaration("op", "creates_users: true\n    enabled: false")).await;

    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));
    assert_eq!(op.send_back(&midway, &trip).await.refusal(), "403 page");
    assert_eq!(page.submit(&before, &form, &[]).await.refusal(), "403 page");
    assert!(!server.browser().get("/sign-in").await.body.contains("/upstream/op/"));
    let app = crate::common::world::portal(&server);
    let silent = known.get(&app.authorize_url_with(&[("prompt", "none")])).await;
    assert_eq!(silent.refusal(), "303 login_required", "a session that came from it");
}

async fn an_answer_is_good_once(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let browser = server.browser();
    let trip = leave(&browser, "/sign-in", "op").await;
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));

    let (one, two) = tokio::join!(op.send_back(&browser, &trip), op.send_back(&browser, &trip));
    let third = op.send_back(&browser, &trip).await;

    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [303, 400]);
    assert_eq!(third.refusal(), "400 page");
    let late = leave(&browser, "/sign-in/again", "op").await;
    server.advance(chrono::TimeDelta::minutes(15));
    assert_eq!(op.send_back(&browser, &late).await.refusal(), "400 page");
}

async fn garbage_is_refused(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let browser = server.browser();
    for query in [
        "",
        "?",
        "?state=",
        "?state=1.x&code=1",
        "?state=a&state=b",
        "?code=%00",
        "?state=%ff",
        &format!("?state={}", "x".repeat(20_000)),
    ] {
        let answer = browser.get(&format!("/upstream/callback{query}")).await;
        assert_eq!(answer.refusal(), "400 page", "{query:.40}");
    }
    for body in ["", "state=1.x", "state=a&state=b", "\u{0}", "state=%ff"] {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let answer =
            browser.send(reqwest::Method::POST, "/upstream/callback", &kind, body.to_owned()).await;
        assert_eq!(answer.refusal(), "400 page", "{body:?}");
    }
    for tokens in ["", "[]", "{}", "{\"id_token\":7}", &format!("{{\"id_token\":\"{}\"}}", "a.b.c")]
    {
        let browser = server.browser();
        let trip = leave(&browser, "/sign-in", "op").await;
        op.host.put("/token", "application/json", tokens.to_owned());
        let answer = op.send_back(&browser, &trip).await;
        assert!([403, 502].contains(&answer.status), "{tokens}: {answer:?}");
    }
    assert_eq!(browser.get("/upstream/link?link=1.x").await.refusal(), "400 page");
    assert_eq!(browser.get("/upstream/link").await.refusal(), "400 page");
}
