//! Passkeys and security keys, as attackers use them.

use super::authenticator::{Authenticator, PRESENT, VERIFIED, options};
use super::keys::{add, origin, sign_in, start};
use super::{cara, form, is_signed_in, password};
use crate::common::actors::Person;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ben;

both!(
    case_47_a_passkey_is_asked_for_without_a_name,
    case_48_passkeys_are_charged_to_the_address,
    case_52_a_challenge_is_good_once_in_one_browser_for_a_while,
    case_52_bent_answers_are_refused,
    case_52_a_counter_that_goes_back_shows_a_copy,
    case_52_a_key_is_added_by_who_is_signed_in_and_to_nobody_else,
    case_52_a_key_belongs_to_its_user,
);

/// What an attacker changes.
type Bend = fn(&mut Authenticator);

/// Cara with a passkey.
async fn with_key(db: Kind) -> (TestServer, Person, Authenticator) {
    let server = start(db).await;
    let owner = cara(&server);
    password(&owner).await;
    let mut key = Authenticator::new(&origin(&server), b"key-1");
    add(&owner, &mut key, "new-passkey-form", "My phone").await.expect(200);
    (server, owner, key)
}

async fn case_47_a_passkey_is_asked_for_without_a_name(db: Kind) {
    let (server, _, mut key) = with_key(db).await;
    let mut stranger = Authenticator::new(&origin(&server), b"unknown");
    stranger.handle = key.handle.clone();

    let first = server.browser().get("/sign-in").await.expect(200);
    let mut asked = options(&first, "passkey-form");
    let mut other = options(&server.browser().get("/sign-in").await, "passkey-form");
    assert_ne!(asked["challenge"].take(), other["challenge"].take());
    assert_eq!(asked, other, "whoever comes is asked the same");
    assert!(asked["allowCredentials"].as_array().unwrap().is_empty());
    // A key that nobody has, and one that does not fit, are answered alike.
    let unknown = sign_in(&cara(&server), &mut stranger).await;
    key.origin = "https://evil.example".to_owned();
    let known = sign_in(&cara(&server), &mut key).await;
    let fault = |body: &str| super::form(&unknown, "sign-in-form").action + body;
    assert_eq!((unknown.status, known.status), (403, 403));
    let said = |page: &crate::common::answer::Answer| super::text(page, "error-text");
    assert_eq!(said(&unknown), said(&known));
    assert!(fault("").starts_with("/sign-in"));
}

async fn case_48_passkeys_are_charged_to_the_address(db: Kind) {
    let (server, _, mut key) = with_key(db).await;
    let stranger = cara(&server);
    key.flags = PRESENT;
    let mut last = 0;
    for _ in 0..52 {
        last = sign_in(&stranger, &mut key).await.status;
    }

    assert_eq!(last, 429);
}

async fn case_52_a_challenge_is_good_once_in_one_browser_for_a_while(db: Kind) {
    let (server, _, mut key) = with_key(db).await;
    let person = cara(&server);
    let page = person.browser.get("/sign-in").await.expect(200);
    let sent = form(&page, "passkey-form");
    let answer = key.get(&options(&page, "passkey-form"));
    let fields = [("credential", &*answer)];

    // Another browser brings its own token, but the state of this one.
    let thief = cara(&server);
    let own = thief.browser.get("/sign-in").await.expect(200);
    let state = sent.fields.iter().find(|(name, _)| name == "state").unwrap().1.clone();
    let stolen = [("credential", &*answer), ("state", &*state)];
    let stolen = thief.browser.submit(&own, &form(&own, "passkey-form"), &stolen).await;
    let first = person.browser.submit(&page, &sent, &fields).await;
    let again = person.browser.submit(&page, &sent, &fields).await;
    let late = cara(&server);
    let page = late.browser.get("/sign-in").await.expect(200);
    let answer = key.get(&options(&page, "passkey-form"));
    server.advance(chrono::TimeDelta::minutes(15));
    let fields = [("credential", &*answer)];
    let late = late.browser.submit(&page, &form(&page, "passkey-form"), &fields).await;

    assert_eq!((stolen.status, first.status, again.status, late.status), (403, 200, 403, 403));
    assert!(!is_signed_in(&thief.browser).await);
}

async fn case_52_bent_answers_are_refused(db: Kind) {
    let (server, owner, mut key) = with_key(db).await;
    let good = (key.origin.clone(), key.rp_id.clone(), key.flags, key.handle.clone());
    let bends: [(&str, Bend); 8] = [
        ("another origin", |key| key.origin = "https://evil.example".to_owned()),
        ("another port", |key| key.origin = "http://localhost:1".to_owned()),
        ("a subdomain", |key| key.origin = key.origin.replace("localhost", "x.localhost")),
        ("another rp", |key| key.rp_id = "evil.example".to_owned()),
        ("no user check", |key| key.flags = PRESENT),
        ("nobody there", |key| key.flags = VERIFIED),
        ("another ceremony", |key| key.kind = "webauthn.create"),
        ("nobody's handle", |key| key.handle = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
    ];

    for (name, bend) in bends {
        bend(&mut key);
        let person = cara(&server);
        let answer = sign_in(&person, &mut key).await;
        assert_eq!(answer.status, 403, "{name}: {answer:?}");
        assert!(!is_signed_in(&person.browser).await, "{name}");
        (key.origin, key.rp_id, key.flags, key.handle) = good.clone();
        key.kind = "";
    }
    // Another key under the same id; a challenge of one's own; and no answer at all.
    let mut forged = Authenticator::new(&origin(&server), b"key-1");
    forged.handle.clone_from(&key.handle);
    assert_eq!(sign_in(&cara(&server), &mut forged).await.status, 403);
    let person = cara(&server);
    let page = person.browser.get("/sign-in").await.expect(200);
    let mut asked = options(&page, "passkey-form");
    asked["challenge"] = serde_json::json!("AAAAAAAAAAAAAAAAAAAAAA");
    let own = key.get(&asked);
    for bad in [own.as_str(), "", "{}", "[]", "null", "\"", "{\"id\":1}"] {
        let page = person.browser.get("/sign-in").await.expect(200);
        let sent = form(&page, "passkey-form");
        let answer = person.browser.submit(&page, &sent, &[("credential", bad)]).await;
        assert_eq!(answer.status, 403, "{bad}");
    }
    assert!(is_signed_in(&owner.browser).await);
    sign_in(&cara(&server), &mut key).await.expect(200);
}

async fn case_52_a_counter_that_goes_back_shows_a_copy(db: Kind) {
    let (server, _, mut key) = with_key(db).await;

    key.counter = 5;
    sign_in(&cara(&server), &mut key).await.expect(200);
    let same = sign_in(&cara(&server), &mut key).await;
    key.counter = 4;
    let back = sign_in(&cara(&server), &mut key).await;
    key.counter = 0;
    let none = sign_in(&cara(&server), &mut key).await;
    // The same as second factor, asked before the counter went on.
    let person = cara(&server);
    let page = password(&person).await;
    key.counter = 7;
    sign_in(&cara(&server), &mut key).await.expect(200);
    key.counter = 6;
    let answer = key.get(&options(&page, "key-form"));
    let fields = [("credential", &*answer)];
    let second = person.browser.submit(&page, &form(&page, "key-form"), &fields).await;

    for refused in [&same, &back, &none, &second] {
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    assert!(!is_signed_in(&person.browser).await);
}

async fn case_52_a_key_is_added_by_who_is_signed_in_and_to_nobody_else(db: Kind) {
    let (server, owner, mut key) = with_key(db).await;
    let other = ben(&server);
    password(&other).await;
    let page = other.browser.get("/account/factors").await.expect(200);
    let sent = form(&page, "new-passkey-form");

    // Cara's key, with the question that Ben was asked; and her question in his form.
    let taken = key.create(&options(&page, "new-passkey-form"));
    let fields = [("credential", &*taken), ("name", "Mine now")];
    let taken = other.browser.submit(&page, &sent, &fields).await;
    let hers = owner.browser.get("/account/factors").await.expect(200);
    let mut fresh = Authenticator::new(&origin(&server), b"key-9");
    let answer = fresh.create(&options(&hers, "new-passkey-form"));
    let state = form(&hers, "new-passkey-form");
    let state = &state.fields.iter().find(|(name, _)| name == "state").unwrap().1;
    let fields = [("credential", &*answer), ("name", "Mine"), ("state", state)];
    let swapped = other.browser.submit(&page, &sent, &fields).await;
    let nobody = server.browser();
    let anonymous = nobody.submit(&page, &sent, &fields).await;
    fresh.origin = "https://evil.example".to_owned();
    let elsewhere = add(&owner, &mut fresh, "new-passkey-form", "Elsewhere").await;
    fresh.origin = origin(&server);
    fresh.flags = PRESENT;
    let unchecked = add(&owner, &mut fresh, "new-passkey-form", "Unchecked").await;

    for refused in [&taken, &swapped, &elsewhere, &unchecked] {
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    assert!(anonymous.body.contains("id=\"sign-in-form\""), "{anonymous:?}");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM passkeys").await, 1);
    assert!(owner.browser.get("/account/factors").await.body.contains("My phone"));
}

async fn case_52_a_key_belongs_to_its_user(db: Kind) {
    let (server, owner, mut key) = with_key(db).await;
    let other = ben(&server);
    password(&other).await;
    let mut own = Authenticator::new(&origin(&server), b"key-2");
    add(&other, &mut own, "new-passkey-form", "Ben's").await.expect(200);

    // Ben knows Cara's password, but has only his own key.
    let thief = cara(&server);
    let page = password(&thief).await;
    let answer = own.get(&options(&page, "key-form"));
    let fields = [("credential", &*answer)];
    let refused = thief.browser.submit(&page, &form(&page, "key-form"), &fields).await;
    // Her number in his forms.
    let page = other.browser.get("/account/factors").await.expect(200);
    let rename = form(&page, "key-rename-2-form");
    let fields = [("key", "1"), ("name", "His")];
    let renamed = other.browser.submit(&page, &rename, &fields).await;
    let remove = form(&page, "key-remove-2-form");
    let removed = other.browser.submit(&page, &remove, &[("key", "1")]).await;
    // And a key that was removed while it was asked for.
    let late = cara(&server);
    let asked = password(&late).await;
    let answer = key.get(&options(&asked, "key-form"));
    let page = owner.browser.get("/account/factors").await.expect(200);
    owner.browser.submit(&page, &form(&page, "key-remove-1-form"), &[]).await.expect(200);
    let fields = [("credential", &*answer)];
    let gone = late.browser.submit(&asked, &form(&asked, "key-form"), &fields).await;

    for refused in [&refused, &renamed, &removed] {
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    assert!(gone.body.contains("id=\"sign-in-form\""), "begins anew: {gone:?}");
    assert!(!is_signed_in(&thief.browser).await && !is_signed_in(&late.browser).await);
}
