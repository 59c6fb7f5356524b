//! Who may register apps, and how many.

use chrono::TimeDelta;
use futures_util::future::join_all;
use narthex::config::registration::RegistrationMode;
use narthex::oauth::registration::initial;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::registration::actor::{client, good, register, register_by, server_with};

both!(
    case_75_registrations_from_one_address_are_limited,
    case_75_registrations_are_limited_altogether,
    case_75_a_race_does_not_exceed_the_limit,
    rfc7591_3_a_token_lets_its_holder_register,
    a_token_is_good_for_as_many_apps_as_it_says,
    a_token_ends,
    case_21_no_other_secret_is_a_token,
);

const ACME: &str = "acme";

async fn initial_token(server: &TestServer, uses: u32) -> String {
    let account = ACME.parse().expect("an account");
    let token = initial::give_out(&server.server.ctx, &account, uses, 3_600).await;
    token.expect("a token").reveal().to_owned()
}

async fn case_75_registrations_from_one_address_are_limited(db: Kind) {
    let server = server_with(db, |rules| rules.per_hour_max = 2).await;

    let first = [register(&server, &good()).await.status, register(&server, &good()).await.status];
    let third = register(&server, &good()).await;
    server.advance(TimeDelta::minutes(61));
    let later = register(&server, &good()).await;

    assert_eq!(first, [201, 201]);
    assert_eq!(third.refusal(), "429 too_many_requests");
    assert_eq!(third.header("retry-after"), "3600");
    assert_eq!(later.status, 201);
}

async fn case_75_registrations_are_limited_altogether(db: Kind) {
    let server = server_with(db, |rules| rules.total_max = 1).await;

    let first = register(&server, &good()).await;
    let second = register(&server, &good()).await;
    let by_token = register_by(&server, &initial_token(&server, 1).await, &good()).await;

    assert_eq!(first.status, 201);
    assert_eq!(second.refusal(), "403 access_denied");
    assert_eq!(by_token.status, 201, "whoever holds a token is not one of them");
}

async fn case_75_a_race_does_not_exceed_the_limit(db: Kind) {
    let server = server_with(db, |rules| rules.per_hour_max = 3).await;
    let asked = good();

    let answers = join_all((0..12).map(|_| register(&server, &asked))).await;

    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 3, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 429)), "{answers:?}");
}

async fn rfc7591_3_a_token_lets_its_holder_register(db: Kind) {
    let server = server_with(db, |rules| rules.mode = RegistrationMode::Token).await;
    let token = initial_token(&server, 1).await;

    let without = register(&server, &good()).await;
    let wrong = register_by(&server, "1.nonsense", &good()).await;
    let with = register_by(&server, &token, &good()).await;
    let again = register_by(&server, &token, &good()).await;

    assert_eq!(without.refusal(), "401 invalid_token");
    assert!(without.header("www-authenticate").starts_with("Bearer"));
    assert_eq!(wrong.refusal(), "401 invalid_token");
    assert_eq!(with.status, 201);
    assert_eq!(again.refusal(), "401 invalid_token");
    let app = client(&server, &with.json());
    let stored = server.server.apps.find(&app.id.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.account.as_str(), ACME);
}

async fn a_token_is_good_for_as_many_apps_as_it_says(db: Kind) {
    let server = server_with(db, |rules| rules.mode = RegistrationMode::Token).await;
    let token = initial_token(&server, 4).await;
    let asked = good();
    let bad = serde_json::json!({ "redirect_uris": [] });

    let refused = register_by(&server, &token, &bad).await;
    let answers = join_all((0..10).map(|_| register_by(&server, &token, &asked))).await;

    assert_eq!(refused.status, 400, "a registration that is refused costs nothing");
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(done, 4, "{answers:?}");
}

async fn a_token_ends(db: Kind) {
    let server = server_with(db, |rules| rules.mode = RegistrationMode::Token).await;
    let token = initial_token(&server, 5).await;

    server.advance(TimeDelta::hours(1));

    assert_eq!(register_by(&server, &token, &good()).await.refusal(), "401 invalid_token");
}

async fn case_21_no_other_secret_is_a_token(db: Kind) {
    let server = server_with(db, |_| ()).await;
    let told = register(&server, &good()).await.expect(201).json();

    for field in ["registration_access_token", "client_secret"] {
        let other = told[field].as_str().unwrap();
        let answer = register_by(&server, other, &good()).await;
        assert_eq!(answer.refusal(), "401 invalid_token", "{field}");
    }
}
