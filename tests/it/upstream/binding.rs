//! Whose browser it is: nobody is made to sign in as somebody else. Source: RFC 9700 section 4.7.

use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::world::portal;
use crate::upstream::op::{code, is_signed_in, leave, sign_in_page, world};

both!(
    case_43_an_answer_is_taken_in_the_browser_that_left_for_it,
    case_44_nobody_is_sent_to_a_provider_by_another_site,
    case_18_who_has_to_sign_in_anew_does_so_there,
);

/// Login CSRF: the attacker's answer, planted into the victim's browser.
async fn case_43_an_answer_is_taken_in_the_browser_that_left_for_it(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (attacker, victim) = (server.browser(), server.browser());
    let trip = leave(&attacker, "/sign-in", "op").await;
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "attacker")));

    let planted = op.send_back(&victim, &trip).await;
    let own = leave(&victim, "/sign-in", "op").await;
    let mixed = op.send_back(&victim, &trip).await;

    assert_eq!(planted.refusal(), "400 page");
    assert_eq!(mixed.refusal(), "400 page");
    assert!(!is_signed_in(&victim).await);
    // Whoever tried that has not used it up for whose it is, and the victim's own goes on.
    op.send_back(&attacker, &trip).await.expect(303);
    assert!(is_signed_in(&attacker).await);
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &own, "victim")));
    op.send_back(&victim, &own).await.expect(303);
    assert_ne!(attacker.cookie("session").unwrap().value, victim.cookie("session").unwrap().value);
}

async fn case_44_nobody_is_sent_to_a_provider_by_another_site(db: Kind) {
    let (server, _op) = world(db, "creates_users: true").await;
    let browser = server.browser();
    let page = sign_in_page(&browser, "/sign-in").await;
    let form = Form::of(&page.body, "/upstream/op/start");
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (&**name, &**value)).collect();

    let path = "/upstream/op/start";
    let elsewhere = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(browser.post_with(path, &elsewhere, &fields).await.refusal(), "403 page");
    assert_eq!(browser.post(path, &[("csrf", "x")]).await.refusal(), "403 page");
    assert_eq!(browser.post(path, &[]).await.refusal(), "403 page");
    assert_eq!(server.browser().post(path, &fields).await.refusal(), "403 page");
    assert_eq!(browser.get(path).await.refusal(), "405 page");
    for path in ["/upstream/none/start", "/upstream/NONE/start", "/upstream/%00/start"] {
        assert_eq!(browser.post(path, &fields).await.refusal(), "403 page", "{path}");
    }
}

async fn case_18_who_has_to_sign_in_anew_does_so_there(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (app, browser) = (portal(&server), server.browser());
    let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &[])).await;
    code(&browser, answer).await;
    let again = app.authorize_url_with(&[("prompt", "login")]);

    let trip = leave(&browser, &again, "op").await;
    assert_eq!((trip.param("prompt").as_str(), trip.param("max_age").as_str()), ("login", "0"));
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));
    let silent = op.send_back(&browser, &trip).await;
    let old = [("auth_time", serde_json::json!(server.now() - 61))];
    let stale = op.arrive(&server, &browser, &again, ("g-1", &old)).await;
    let now = [("auth_time", serde_json::json!(server.now()))];
    let fresh = op.arrive(&server, &browser, &again, ("g-1", &now)).await;

    for refused in [silent, stale] {
        assert_eq!(refused.refusal(), "403 page");
        assert!(refused.body.contains("did not say that you did"), "{refused:?}");
    }
    code(&browser, fresh.expect(303)).await;
}
