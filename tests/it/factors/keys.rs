//! Passkeys and security keys, as honest people use them.

use serde_json::json;

use super::authenticator::{Authenticator, PRESENT, options};
use super::{CARA, TWO, cara, form, is_signed_in, password, said};
use crate::common::actors::Person;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::portal;

both!(
    a_passkey_signs_in_without_name_and_password,
    a_security_key_is_a_second_factor,
    keys_are_named_renamed_and_removed,
    a_passkey_can_be_the_factor_that_is_demanded,
    an_address_has_no_passkeys,
);

/// A server under a name, as browsers ask for.
pub async fn start(db: Kind) -> TestServer {
    let server = TestServer::start_with(db, |config| {
        let name = config.issuer.as_str().replace("127.0.0.1", "localhost");
        config.issuer = narthex::config::model::Issuer::parse(&name).expect("an issuer");
    })
    .await;
    server.apply(include_str!("../common/world.yaml")).await;
    server.apply(CARA).await;
    server
}

pub fn origin(server: &TestServer) -> String {
    server.url.replace("127.0.0.1", "localhost")
}

/// Adds a key in one's account, by the form with this id.
pub async fn add(person: &Person, key: &mut Authenticator, id: &str, name: &str) -> Answer {
    let page = person.browser.get("/account/factors").await.expect(200);
    let answer = key.create(&options(&page, id));
    let fields = [("credential", &*answer), ("name", name)];
    person.browser.submit(&page, &form(&page, id), &fields).await
}

/// Signs in by passkey alone.
pub async fn sign_in(person: &Person, key: &mut Authenticator) -> Answer {
    let page = person.browser.get("/sign-in").await.expect(200);
    let answer = key.get(&options(&page, "passkey-form"));
    let sent = form(&page, "passkey-form");
    person.browser.submit(&page, &sent, &[("credential", &answer)]).await
}

async fn a_passkey_signs_in_without_name_and_password(db: Kind) {
    let server = start(db).await;
    let owner = cara(&server);
    password(&owner).await;
    let mut key = Authenticator::new(&origin(&server), b"key-1");
    let added = add(&owner, &mut key, "new-passkey-form", "My phone").await;
    assert_eq!(super::codes(&added).len(), 10, "{added:?}");

    let person = cara(&server);
    let page = person.browser.get("/sign-in").await.expect(200);
    sign_in(&person, &mut key).await.expect(200);

    let asked = options(&page, "passkey-form");
    assert_eq!(
        (&asked["rpId"], &asked["userVerification"]),
        (&json!("localhost"), &json!("required"))
    );
    assert!(asked["allowCredentials"].as_array().unwrap().is_empty());
    assert!(page.body.contains("autocomplete=\"username webauthn\""));
    let policy = page.header("content-security-policy");
    assert!(policy.contains("/assets/passkeys.js;") && !policy.contains("unsafe"), "{policy}");
    assert!(is_signed_in(&person.browser).await);
    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["hwk", "user", "mfa"]), json!(TWO)));
    // A key that is copied between devices says so.
    let mut copied = Authenticator::new(&origin(&server), b"key-2").synchronised();
    add(&owner, &mut copied, "new-passkey-form", "All my devices").await;
    let person = cara(&server);
    sign_in(&person, &mut copied).await.expect(200);
    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["swk", "user", "mfa"]), json!(TWO)));
}

async fn a_security_key_is_a_second_factor(db: Kind) {
    let server = start(db).await;
    let owner = cara(&server);
    password(&owner).await;
    let mut key = Authenticator::new(&origin(&server), b"key-1");
    key.flags = PRESENT;
    add(&owner, &mut key, "new-key-form", "On my keyring").await.expect(200);

    let person = cara(&server);
    let page = password(&person).await;
    let half = is_signed_in(&person.browser).await;
    let asked = options(&page, "key-form");
    key.counter = 1;
    let answer = key.get(&asked);
    let sent = form(&page, "key-form");
    person.browser.submit(&page, &sent, &[("credential", &answer)]).await.expect(200);
    let alone = cara(&server);
    key.counter = 2;
    let refused = sign_in(&alone, &mut key).await;

    assert!(page.url.ends_with("/sign-in/key") && !half, "{page:?}");
    assert!(page.body.contains("id=\"way-recovery\"") && !page.body.contains("id=\"way-code\""));
    assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);
    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["pwd", "hwk", "user", "mfa"]), json!(TWO)));
    assert_eq!(refused.status, 403, "it does not check who holds it");
    assert!(!is_signed_in(&alone.browser).await);
}

async fn keys_are_named_renamed_and_removed(db: Kind) {
    let server = start(db).await;
    let owner = cara(&server);
    password(&owner).await;
    let mut key = Authenticator::new(&origin(&server), b"key-1");
    add(&owner, &mut key, "new-passkey-form", "<b>My & phone</b>").await;
    sign_in(&cara(&server), &mut key).await.expect(200);

    let page = owner.browser.get("/account/factors").await.expect(200);
    let rename = form(&page, "key-rename-1-form");
    let named = owner.browser.submit(&page, &rename, &[("name", "Old phone")]).await;
    let nameless = owner.browser.submit(&page, &rename, &[("name", " ")]).await;
    let remove = form(&page, "key-remove-1-form");
    let gone = owner.browser.submit(&page, &remove, &[]).await;
    let again = owner.browser.submit(&page, &remove, &[]).await;

    assert!(page.body.contains("&#60;b&#62;My &#38; phone"), "{page:?}");
    assert!(page.body.contains("Last used on"), "{page:?}");
    assert!(named.body.contains("<strong class=\"title\">Old phone</strong>"), "{named:?}");
    assert_eq!((nameless.status, gone.status, again.status), (403, 200, 403));
    assert!(!gone.body.contains("Old phone"), "{gone:?}");
    let refused = sign_in(&cara(&server), &mut key).await;
    assert_eq!(refused.status, 403);
    let letters = server.letters().await;
    let about = |start: &str| letters.iter().filter(|it| it.subject.starts_with(start)).count();
    assert_eq!((about("A second step was added"), about("A second step was removed")), (1, 1));
}

async fn a_passkey_can_be_the_factor_that_is_demanded(db: Kind) {
    let server = start(db).await;
    server.apply("accounts: [{ id: gamma, name: Gamma, requires_second_factor: true, groups: [{ id: gamma-all, name: All, members: [cara] }] }]").await;
    let person = cara(&server);
    let page = password(&person).await;
    let mut key = Authenticator::new(&origin(&server), b"key-1").synchronised();

    let answer = key.create(&options(&page, "new-passkey-form"));
    let fields = [("credential", &*answer), ("name", "My phone")];
    let sent = form(&page, "new-passkey-form");
    let done = person.browser.submit(&page, &sent, &fields).await;

    assert_eq!(super::codes(&done).len(), 10, "{done:?}");
    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["pwd", "swk", "user", "mfa"]), json!(TWO)));
    // It is the last factor, which has to stay.
    let page = person.browser.get("/account/factors").await.expect(200);
    let kept = person.browser.submit(&page, &form(&page, "key-remove-1-form"), &[]).await;
    assert_eq!(kept.status, 403);
    assert!(kept.body.contains("Please add another one first"), "{kept:?}");
}

async fn an_address_has_no_passkeys(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);

    let page = person.browser.get("/sign-in").await.expect(200);
    password(&person).await;
    let account = person.browser.get("/account/factors").await.expect(200);

    assert!(!page.body.contains("passkey") && !page.body.contains("<script"), "{page:?}");
    assert!(!account.body.contains("new-passkey"), "{account:?}");
}
