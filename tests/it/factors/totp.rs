//! Authenticator apps, as people set them up.

use chrono::TimeDelta;
use serde_json::json;

use super::{CARA, TWO, cara, enrol, form, is_signed_in, password, said, secret};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::portal;

both!(
    case_49_a_secret_is_shown_until_its_first_code_and_never_again,
    case_51_factors_need_a_fresh_sign_in_with_all_of_them,
    an_app_that_is_removed_is_asked_for_no_more,
    a_new_phone_replaces_the_old_one,
);

async fn case_49_a_secret_is_shown_until_its_first_code_and_never_again(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);
    password(&person).await;

    let page = person.browser.get("/account/factors/app").await.expect(200);
    let app_form = form(&page, "app-form");
    let wrong = person.browser.submit(&page, &app_form, &[("code", "000000")]).await;
    let code = server.totp(&secret(&page));
    let done = person.browser.submit(&wrong, &form(&wrong, "app-form"), &[("code", &code)]).await;

    assert!(page.body.contains("<svg class=\"qr\"") && page.body.contains("aria-label=\"QR code"));
    assert!(page.body.contains("otpauth://totp/"), "{page:?}");
    assert_eq!((wrong.status, secret(&wrong)), (403, secret(&page)));
    assert!(wrong.body.contains("role=\"alert\""));
    assert_eq!(super::codes(&done).len(), 10, "{done:?}");
    let listed = person.browser.get("/account/factors").await.expect(200);
    let again = person.browser.get("/account/factors/app").await.expect(200);
    for shown in [&done, &listed, &again] {
        assert!(!shown.body.contains(&secret(&page)));
    }
    assert_ne!(secret(&again), secret(&page));
    // The code that turned it on is spent.
    let other = cara(&server);
    let asked = password(&other).await;
    let spent = other.browser.submit(&asked, &form(&asked, "totp-form"), &[("code", &code)]).await;
    assert_eq!(spent.status, 403);
    let next = server.totp(&secret(&page));
    let asked = form(&spent, "totp-form");
    other.browser.submit(&spent, &asked, &[("code", &next)]).await.expect(200);
    let told = said(&server, &portal(&server), &other).await;
    assert_eq!(told, (json!(["pwd", "otp", "mfa"]), json!(TWO)));
    let letters = server.letters().await;
    let subjects: Vec<&str> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    assert!(subjects.iter().any(|it| it.starts_with("A second step was added")), "{subjects:?}");
    assert!(subjects.iter().any(|it| it.starts_with("New recovery codes")), "{subjects:?}");
    assert!(letters.iter().all(|letter| letter.to == "cara@acme.example"));
}

async fn case_51_factors_need_a_fresh_sign_in_with_all_of_them(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let (owner, thief) = (cara(&server), cara(&server));
    // Somebody else knows the password, and got in before there was a second factor.
    password(&thief).await;
    password(&owner).await;
    let early = thief.browser.get("/account/factors/app").await.expect(200);
    enrol(&server, &owner.browser).await;

    let late = thief.browser.get("/account/factors").await;
    let code = server.totp(&secret(&early));
    let early_form = form(&early, "app-form");
    let replaced = thief.browser.submit(&early, &early_form, &[("code", &code)]).await;
    let page = owner.browser.get("/account/factors").await.expect(200);
    let remove = form(&page, "app-remove-form");
    let stolen = thief.browser.submit(&page, &remove, &[]).await;
    server.advance(TimeDelta::minutes(6));
    let stale = owner.browser.get("/account/factors").await;
    server.advance(TimeDelta::minutes(10));
    let too_late = owner.browser.submit(&page, &remove, &[]).await;

    for refused in [&late, &stale] {
        assert!(refused.location().starts_with("/sign-in"), "{refused:?}");
    }
    for refused in [&replaced, &stolen, &too_late] {
        assert!(refused.body.contains("id=\"sign-in-form\""), "{refused:?}");
    }
    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM totp_factors WHERE user_id = 'cara'").await,
        1
    );
    for path in ["/account/factors", "/account/factors/app"] {
        assert_eq!(server.browser().get(path).await.location(), "/sign-in", "{path}");
    }
    let bare = owner.browser.post("/account/factors/recovery", &[("csrf", "AAAA")]).await;
    assert!(bare.location().starts_with("/sign-in"), "{bare:?}");
}

async fn an_app_that_is_removed_is_asked_for_no_more(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);
    password(&person).await;
    enrol(&server, &person.browser).await;

    let page = person.browser.get("/account/factors").await.expect(200);
    let removed = person.browser.submit(&page, &form(&page, "app-remove-form"), &[]).await;
    let again = person.browser.submit(&page, &form(&page, "app-remove-form"), &[]).await;

    assert!(removed.body.contains("id=\"app-add\""), "{removed:?}");
    assert_eq!(again.status, 403, "{again:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM recovery_codes").await, 0);
    let other = cara(&server);
    password(&other).await;
    assert!(is_signed_in(&other.browser).await);
    let letters = server.letters().await;
    assert!(letters.iter().any(|it| it.subject.starts_with("A second step was removed")));
    let link = format!("{}/account/factors", server.url);
    assert!(letters.iter().all(|letter| letter.links.contains(&link)), "{letters:?}");
}

async fn a_new_phone_replaces_the_old_one(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);
    password(&person).await;
    let (old, _) = enrol(&server, &person.browser).await;

    let (new, listed) = enrol(&server, &person.browser).await;

    assert!(listed.body.contains("id=\"app-since\""), "the codes of before stay: {listed:?}");
    let other = cara(&server);
    let asked = password(&other).await;
    let code = server.totp(&old);
    let refused =
        other.browser.submit(&asked, &form(&asked, "totp-form"), &[("code", &code)]).await;
    assert_eq!(refused.status, 403);
    let code = server.totp(&new);
    other.browser.submit(&refused, &form(&refused, "totp-form"), &[("code", &code)]).await;
    assert!(is_signed_in(&other.browser).await);
}
