//! Passwords that came from elsewhere, and names to sign in with.

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;

both!(
    case_53_hashes_of_other_systems_sign_in_and_become_our_own,
    case_53_a_file_cannot_ask_for_minutes_of_hashing,
    people_sign_in_with_their_verified_address,
    case_54_one_address_is_one_users,
);

const PASSWORD: &str = "correct horse";

/// What other systems store of [`PASSWORD`]: made by Python's hashlib.
const ELSEWHERE: &[&str] = &[
    "$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM",
    "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=",
    "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$A9lBa6RTbfBovWqamVIqXKovIl4Vk6OZyVojLJmYmSI",
];

async fn sign_in(browser: &Browser, username: &str, password: &str) -> Answer {
    let page = browser.get("/sign-in").await.expect(200);
    let form = Form::of(&page.body, "/sign-in");
    browser.submit(&page, &form, &[("username", username), ("password", password)]).await
}

async fn case_53_hashes_of_other_systems_sign_in_and_become_our_own(db: Kind) {
    let server = TestServer::start_empty(db).await;
    let users: Vec<String> = ELSEWHERE
        .iter()
        .enumerate()
        .map(|(at, hash)| format!("{{ username: user{at}, password: {{ hash: '{hash}' }} }}"))
        .collect();
    let file = format!("users: [{}]", users.join(", "));
    server.apply(&file).await;
    let ours = "SELECT COUNT(*) AS n FROM passwords WHERE phc LIKE '$argon2id$%'";

    for at in 0..ELSEWHERE.len() {
        let name = format!("user{at}");
        sign_in(&server.browser(), &name, "correct horsf").await.expect(403);
        let expected = i64::try_from(at).expect("a small number");
        assert_eq!(server.count(ours).await, expected);

        let browser = server.browser();
        sign_in(&browser, &name, PASSWORD).await.expect(200);

        assert_eq!(server.count(ours).await, expected + 1, "{name}");
        // The file is declared again: nobody is signed out, nobody gets the old hash back.
        server.apply(&file).await;
        assert_eq!(browser.get("/").await.status, 200);
        sign_in(&server.browser(), &name, PASSWORD).await.expect(200);
    }
}

async fn case_53_a_file_cannot_ask_for_minutes_of_hashing(db: Kind) {
    let server = TestServer::start_empty(db).await;
    let tail = "$c2FsdHNhbHRzYWx0c2FsdA$BBs+1+PaslLtBPULUr8/lQicvVuHiEPMz0i8MjLCbzM";
    for dear in [
        format!("$argon2id$v=19$m=1048576,t=64,p=1{tail}"),
        format!("$pbkdf2-sha256$i=4294967295{tail}"),
        format!("$scrypt$ln=26,r=8,p=1{tail}"),
        "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned(),
    ] {
        let file = format!("users: [{{ username: ada, password: {{ hash: '{dear}' }} }}]");

        let error = server.try_apply(&file).await.expect_err("it is refused").to_string();

        assert!(error.contains("cost too much") && error.contains("users[0].password"), "{error}");
    }
}

async fn people_sign_in_with_their_verified_address(db: Kind) {
    let server = TestServer::start(db).await;

    let wrong = sign_in(&server.browser(), "ada@acme.example", "wrong").await;
    let code = sign_in(&server.browser(), " ADA@Acme.Example ", "ada-correct-horse").await;
    let unproved = sign_in(&server.browser(), "ben@acme.example", "ben-correct-horse").await;

    assert_eq!(wrong.status, 403);
    assert!(code.url.ends_with("/sign-in/totp"), "{code:?}");
    assert_eq!(unproved.status, 403, "nobody proved to have the address");
}

async fn case_54_one_address_is_one_users(db: Kind) {
    let server = TestServer::start(db).await;
    for (file, field) in [
        ("{ username: x, email: ADA@acme.example, email_verified: true }", "users[0].email"),
        ("{ username: Ada@Acme.example }", "users[0].username"),
        ("{ username: x, email: ben, email_verified: true }", "users[0].email"),
    ] {
        let error = server.try_apply(&format!("users: [{file}]")).await.expect_err("refused");
        assert!(error.to_string().contains(field), "{error}");
    }
    // Anybody may say that an address is theirs; until it is verified, it opens nothing.
    server.apply("users: [{ username: x, email: ada@acme.example }]").await;
}
