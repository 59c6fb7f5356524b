//! Signing up: open, by invitation, for an app; and what strangers try with it.

use chrono::TimeDelta;
use narthex::config::sign_up::SignUp;
use narthex::words::Language;

use crate::common::actors::Tokens;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::portal;

both!(
    an_app_sends_somebody_to_sign_up_and_gets_a_code,
    case_43_a_link_signs_in_nobody_elses_browser,
    case_44_sign_up_forms_need_their_token,
    case_47_known_and_unknown_addresses_sign_up_alike,
    case_55_an_invitation_is_good_once_for_one_address,
    case_75_strangers_make_no_users_and_no_rows_without_end,
    a_closed_server_takes_nobody,
    a_weak_password_costs_nobody_what_they_typed,
);

const PASSWORD: &str = "seven green trains to Oslo";
const USERS: &str = "SELECT COUNT(*) AS n FROM users";

async fn open(db: Kind, mode: SignUp) -> TestServer {
    let server = TestServer::start_with(db, |config| config.sign_up = mode).await;
    server.apply(include_str!("common/world.yaml")).await;
    server
}

/// Fills in the form that the page shows, and follows where it leads.
async fn fill(browser: &Browser, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
    browser.submit(page, &Form::of(&page.body, action), fields).await
}

async fn sign_up(browser: &Browser, email: &str) -> Answer {
    let page = browser.get("/sign-up").await.expect(200);
    let fields = [("name", "Grace Hopper"), ("email", email), ("password", PASSWORD)];
    fill(browser, &page, "/sign-up", &fields).await
}

/// The link of the newest letter to an address.
async fn link(server: &TestServer, to: &str) -> String {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to.contains(to)).expect("a letter");
    letter.links.last().expect("a link").clone()
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

async fn an_app_sends_somebody_to_sign_up_and_gets_a_code(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let (app, browser) = (portal(&server), server.browser());
    let offered = browser.get("/.well-known/openid-configuration").await.json();
    assert!(offered["prompt_values_supported"].as_array().unwrap().contains(&"create".into()));

    let first = browser.get(&app.authorize_url_with(&[("prompt", "create")])).await;
    let page = browser.follow(first).await;
    assert!(page.url.contains("/sign-up?grant=") && page.body.contains("Patient Portal"));
    let fields = [("name", "Grace Hopper"), ("email", "grace@x.example"), ("password", PASSWORD)];
    let sent = fill(&browser, &page, "/sign-up", &fields).await;
    assert!(sent.body.contains("grace@x.example"), "{sent:?}");
    let again = fill(&browser, &sent, "/sign-up/again", &[]).await;
    assert!(again.body.contains("check-mail-again"), "{again:?}");
    let opened = browser.get(&link(&server, "grace@x.example").await).await.expect(200);
    assert_eq!(opened.header("referrer-policy"), "no-referrer");
    assert_eq!(server.count(USERS).await, 4, "to open a link changes nothing");
    let consent = fill(&browser, &opened, "/sign-up/confirm", &[]).await;
    let form = Form::of(&consent.body, "/consent");
    let (name, value) = form.buttons.iter().find(|(_, value)| value == "allow").expect("a button");
    let done = browser.submit(&consent, &form, &[(name, value)]).await;

    let tokens = Tokens::of(&app.exchange(&done.location_param("code").expect("a code")).await);
    let claims = app.userinfo(&tokens.access).await.json();
    assert_eq!(claims["email"], "grace@x.example");
    assert_eq!(
        (claims["email_verified"].clone(), claims["name"].clone()),
        (true.into(), "Grace Hopper".into())
    );
    // Whoever has an account already signs in instead.
    let first = server.browser().get(&app.authorize_url_with(&[("prompt", "create")])).await;
    assert!(first.location().starts_with("/sign-up?grant="));
}

async fn case_43_a_link_signs_in_nobody_elses_browser(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let (asker, owner) = (server.browser(), server.browser());
    sign_up(&asker, "grace@x.example").await.expect(200);
    let link = link(&server, "grace@x.example").await;

    // The owner of the address follows a link that an attacker asked for.
    let page = owner.get(&link).await.expect(200);
    let refused = fill(&owner, &page, "/sign-up/confirm", &[]).await;
    let guessed =
        fill(&owner, &page, "/sign-up/confirm", &[("password", "a guess, a guess")]).await;

    assert_eq!((refused.status, guessed.status), (403, 403));
    assert_eq!(server.count(USERS).await, 4, "nobody got a password of somebody else's");
    assert!(!is_signed_in(&asker).await && !is_signed_in(&owner).await);
    // Whoever chose the password may go on anywhere; the browser that asked is not signed in by it.
    fill(&owner, &page, "/sign-up/confirm", &[("password", PASSWORD)]).await;
    assert!(is_signed_in(&owner).await && !is_signed_in(&asker).await);
    assert_eq!(asker.get(&link).await.status, 410, "once");
}

async fn case_44_sign_up_forms_need_their_token(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let browser = server.browser();
    browser.get("/sign-up").await.expect(200);
    for path in [
        "/sign-up",
        "/sign-up/again",
        "/sign-up/confirm",
        "/forgot",
        "/reset",
        "/verify-email",
        "/revert-email",
    ] {
        let fields = [("email", "grace@x.example"), ("name", "x"), ("password", PASSWORD)];
        assert_eq!(browser.post(path, &fields).await.status, 403, "{path}");
        let elsewhere = [("sec-fetch-site", "cross-site")];
        assert_eq!(browser.post_with(path, &elsewhere, &fields).await.status, 403, "{path}");
    }
    assert!(server.letters().await.is_empty());
}

async fn case_47_known_and_unknown_addresses_sign_up_alike(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let seen = |answer: &Answer, email: &str| {
        let lines = answer.body.replace(&format!(">{email}<"), "");
        let lines: Vec<String> = lines
            .lines()
            .filter(|line| !line.contains("type=\"hidden\""))
            .map(str::to_owned)
            .collect();
        (answer.status, lines)
    };

    let known = sign_up(&server.browser(), "ADA@acme.example").await;
    let unknown = sign_up(&server.browser(), "new@acme.example").await;

    assert_eq!(seen(&known, "ADA@acme.example"), seen(&unknown, "new@acme.example"));
    let letters = server.letters().await;
    assert_eq!(letters.len(), 2);
    let subject = |to: &str| letters.iter().find(|it| it.to == to).map(|it| it.subject.as_str());
    assert_eq!(subject("ada@acme.example"), Some("You have an account already"));
    assert_eq!(subject("new@acme.example"), Some("Confirm your e-mail address"));
    assert_eq!(server.count(USERS).await, 4);
}

async fn case_55_an_invitation_is_good_once_for_one_address(db: Kind) {
    let server = open(db, SignUp::Invitation).await;
    let browser = server.browser();
    browser.get("/sign-up").await.expect(403);
    let users = &server.server.users;
    users.invite("grace@x.example", Language::English).await.expect("invited");
    let old = link(&server, "grace@x.example").await;
    users.invite("grace@x.example", Language::German).await.expect("invited");
    users.invite("ada@acme.example", Language::English).await.expect("the same answer");
    let new = link(&server, "grace@x.example").await;

    assert_eq!(browser.get(&old).await.status, 410, "a new one voids the old one");
    let page = browser.get(&new).await.expect(200);
    let fields = [("name", "Grace"), ("email", "eve@evil.example"), ("password", PASSWORD)];
    fill(&browser, &page, "/sign-up", &fields).await;
    let again = fill(&server.browser(), &page, "/sign-up", &fields).await;

    assert!(is_signed_in(&browser).await);
    assert_eq!(again.status, 403, "another browser's token");
    assert_eq!(browser.get(&new).await.status, 410, "once");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users WHERE username = 'grace@x.example' AND email_verified = 1").await, 1);
    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM users WHERE email LIKE 'eve@evil%'").await,
        0
    );
    users.invite("late@x.example", Language::English).await.expect("invited");
    let late = link(&server, "late@x.example").await;
    server.advance(TimeDelta::days(7));
    assert_eq!(browser.get(&late).await.status, 410);
}

async fn case_75_strangers_make_no_users_and_no_rows_without_end(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let browser = server.browser();
    let mut last = 0;
    for number in 0..60 {
        last = sign_up(&browser, &format!("x{number}@x.example")).await.status;
        if last == 429 {
            break;
        }
    }

    assert_eq!(last, 429);
    server.letters().await;
    let rows = "SELECT COUNT(*) AS n FROM one_time_secrets WHERE kind = 'sign_up'";
    assert!(server.count(rows).await <= 51);
    assert_eq!(server.count(USERS).await, 4);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM one_time_secrets WHERE data LIKE '%x.example%' OR data LIKE '%argon2%'").await, 0, "sealed");
    server.advance(TimeDelta::hours(24));
    server.server.oauth.sweep().await.expect("swept");
    assert_eq!(server.count(rows).await, 0);
}

async fn a_closed_server_takes_nobody(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();

    let page = browser.get("/sign-up").await;
    let told = browser.get(&portal(&server).authorize_url_with(&[("prompt", "create")])).await;

    assert_eq!(page.status, 404);
    assert_eq!(told.refusal(), "303 invalid_request");
    assert!(!browser.get("/sign-in").await.body.contains("/sign-up"));
    let offered = browser.get("/.well-known/openid-configuration").await.json();
    assert!(!offered["prompt_values_supported"].as_array().unwrap().contains(&"create".into()));
}

async fn a_weak_password_costs_nobody_what_they_typed(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let browser = server.browser();
    for (password, said) in [
        ("short", "at least 12 characters"),
        ("1qaz2wsx3edc", "attackers try it first"),
        ("grace-hopper-grace", "made of your name"),
        (&*"x".repeat(1025), "at most 1,024 bytes"),
    ] {
        let page = browser.get("/sign-up").await.expect(200);
        let fields =
            [("name", "Grace Hopper"), ("email", "grace@x.example"), ("password", password)];
        let answer = fill(&browser, &page, "/sign-up", &fields).await.expect(400);
        assert!(answer.body.contains(said), "{password}: {answer:?}");
        assert!(answer.body.contains("Grace Hopper") && answer.body.contains("grace@x.example"));
        assert!(!answer.body.contains(&format!("value=\"{password}")));
    }
    let page = browser.get("/sign-up").await.expect(200);
    let fields = [("name", " "), ("email", "not an address\r\nBcc: x"), ("password", PASSWORD)];
    fill(&browser, &page, "/sign-up", &fields).await.expect(400);
    assert!(server.letters().await.is_empty());
}
