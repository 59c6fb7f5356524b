//! Recovery codes.

use chrono::TimeDelta;
use serde_json::json;

use super::{CARA, TWO, cara, codes, enrol, form, is_signed_in, password, said};
use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::portal;

both!(
    a_recovery_code_stands_for_the_second_factor_once,
    case_48_recovery_codes_are_throttled_with_the_other_codes,
    new_codes_make_the_old_ones_void,
    case_50_a_recovery_code_needs_the_password_first,
);

/// Shows the password, and then a recovery code.
async fn recover(person: &Person, code: &str) -> Answer {
    password(person).await;
    let page = person.browser.get("/sign-in/recovery").await.expect(200);
    person.browser.submit(&page, &form(&page, "recovery-form"), &[("code", code)]).await
}

async fn with_codes(db: Kind) -> (TestServer, Person, Vec<String>) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);
    password(&person).await;
    let (_, page) = enrol(&server, &person.browser).await;
    let shown = codes(&page);
    assert!(page.body.contains("href=\"data:text/plain;charset=utf-8,"), "{page:?}");
    (server, person, shown)
}

async fn a_recovery_code_stands_for_the_second_factor_once(db: Kind) {
    let (server, owner, codes) = with_codes(db).await;
    let person = cara(&server);
    let asked = password(&person).await;
    assert!(asked.body.contains("id=\"way-recovery\""), "{asked:?}");

    let typed = codes[0].to_uppercase().replace('-', " ");
    recover(&person, &typed).await.expect(200);
    let again = recover(&cara(&server), &codes[0]).await;

    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["pwd", "recovery", "mfa"]), json!(TWO)));
    assert_eq!(again.status, 403, "{again:?}");
    let page = owner.browser.get("/account/factors").await.expect(200);
    assert!(page.body.contains("9 codes are left."), "{page:?}");
    let used = |it: &&narthex::mail::read::Kept| it.subject.starts_with("A recovery code was used");
    assert_eq!(server.letters().await.iter().filter(used).count(), 1);
}

async fn case_48_recovery_codes_are_throttled_with_the_other_codes(db: Kind) {
    let (server, _, codes) = with_codes(db).await;
    let stranger = cara(&server);
    for _ in 0..3 {
        assert_eq!(recover(&stranger, "0000-0000-0000").await.status, 403);
        let page = stranger.browser.get("/sign-in/totp").await.expect(200);
        let wrong = [("code", "000000")];
        let wrong = stranger.browser.submit(&page, &form(&page, "totp-form"), &wrong).await;
        assert_eq!(wrong.status, 403);
    }

    let blocked = recover(&stranger, &codes[0]).await;

    assert_eq!(blocked.status, 429, "{blocked:?}");
    assert!(!blocked.header("retry-after").is_empty());
    server.advance(TimeDelta::seconds(2));
    recover(&stranger, &codes[0]).await.expect(200);
    assert!(is_signed_in(&stranger.browser).await);
    // Many at once: one of them is the first.
    let together: Vec<Person> = (0..4).map(|_| cara(&server)).collect();
    let races = together.iter().map(|person| recover(person, &codes[1]));
    futures_util::future::join_all(races).await;
    let mut inside = 0;
    for person in &together {
        inside += u32::from(is_signed_in(&person.browser).await);
    }
    assert_eq!(inside, 1);
}

async fn new_codes_make_the_old_ones_void(db: Kind) {
    let (server, owner, old) = with_codes(db).await;

    let page = owner.browser.get("/account/factors").await.expect(200);
    let made = owner.browser.submit(&page, &form(&page, "codes-form"), &[]).await;
    let new = codes(&made);

    assert_eq!(new.len(), 10);
    assert!(new.iter().all(|code| !old.contains(code)));
    assert_eq!(recover(&cara(&server), &old[0]).await.status, 403);
    let person = cara(&server);
    recover(&person, &new[0]).await.expect(200);
    assert!(is_signed_in(&person.browser).await);
    let stored = server.count("SELECT COUNT(*) AS n FROM recovery_codes").await;
    assert_eq!(stored, 10);
}

async fn case_50_a_recovery_code_needs_the_password_first(db: Kind) {
    let (server, _, codes) = with_codes(db).await;
    let browser = server.browser();
    browser.get("/sign-in").await;

    let shown = browser.get("/sign-in/recovery").await;
    let posted = browser.post("/sign-in/recovery", &[("code", &codes[0])]).await;

    assert_eq!(shown.location(), "/sign-in");
    assert_eq!(posted.status, 403);
    assert!(!is_signed_in(&browser).await);
}
