//! A forgotten password, and changes of one's own password and address.

use chrono::TimeDelta;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(
    case_45_links_are_built_from_the_issuer_alone,
    case_46_a_reset_takes_the_newest_link_once_and_ends_all_sessions,
    case_46_a_reset_skips_no_second_factor,
    case_47_forgetting_tells_nobody_who_is_a_user,
    case_51_another_password_takes_the_current_one,
    case_51_an_address_takes_a_fresh_sign_in_and_can_be_taken_back,
    case_51_two_changes_of_address_shut_nobody_out,
    case_54_an_address_of_somebody_else_is_not_taken_over,
    was_this_you,
);

const NEW: &str = "seven green trains to Oslo";

const BEN: &str = "users: [{ id: ben, username: ben, email: ben@acme.example, email_verified: true, name: Ben Brandt, password: ben-correct-horse }]";

async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(BEN).await;
    server
}

async fn fill(browser: &Browser, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
    browser.submit(page, &Form::of(&page.body, action), fields).await
}

async fn forgot(browser: &Browser, name: &str) -> Answer {
    let page = browser.get("/forgot").await.expect(200);
    fill(browser, &page, "/forgot", &[("username", name)]).await
}

async fn link(server: &TestServer, to: &str) -> String {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to == to).expect("a letter");
    letter.links.last().expect("a link").clone()
}

async fn sign_in(browser: &Browser, name: &str, password: &str) -> u16 {
    let page = browser.get("/sign-in").await.expect(200);
    fill(browser, &page, "/sign-in", &[("username", name), ("password", password)]).await.status
}

async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

async fn case_45_links_are_built_from_the_issuer_alone(db: Kind) {
    let server = start(db).await;
    let browser = server.browser();
    let page = browser.get("/forgot").await.expect(200);
    let form = Form::of(&page.body, "/forgot");
    let csrf = form.fields.iter().find(|(name, _)| name == "csrf").expect("a token").1.clone();
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=evil.example;proto=https"),
    ];

    let fields = [("csrf", csrf.as_str()), ("username", "ben")];
    browser.post_with("/forgot", &headers, &fields).await.expect(200);

    let letters = server.letters().await;
    let letter = letters.last().expect("a letter");
    assert!(letter.links.iter().all(|link| link.starts_with(&server.url)), "{:?}", letter.links);
    assert!(!letter.text.contains("evil") && !letter.html.contains("evil"));
}

async fn case_46_a_reset_takes_the_newest_link_once_and_ends_all_sessions(db: Kind) {
    let server = start(db).await;
    let (own, app) = (ben(&server), portal(&server));
    let tokens = app.tokens(&server, &own).await;
    let browser = server.browser();
    forgot(&browser, "ben").await.expect(200);
    let old = link(&server, "ben@acme.example").await;
    forgot(&browser, "BEN@acme.example").await.expect(200);
    let new = link(&server, "ben@acme.example").await;
    let bent = format!("{new}x");
    for over in
        [&old, &bent, &format!("{}/reset", server.url), &format!("{}/reset?token=1.x", server.url)]
    {
        assert_eq!(browser.get(over).await.status, 410, "{over}");
    }
    let page = browser.get(&new).await.expect(200);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    let secret = new.split("token=").nth(1).expect("a token").split('.').nth(1).expect("a secret");
    let stored =
        "SELECT COUNT(*) AS n FROM one_time_secrets WHERE kind = 'reset' AND data LIKE '%.%'";
    assert!(!page.header("location").contains(secret) && server.count(stored).await == 0);

    server.advance(TimeDelta::seconds(1));
    let weak = fill(&browser, &page, "/reset", &[("password", "ben-brandt-ben")]).await;
    let done = fill(&browser, &page, "/reset", &[("password", NEW)]).await.expect(200);
    let again = fill(&browser, &page, "/reset", &[("password", "another long one for Oslo")]).await;

    assert_eq!((weak.status, again.status), (400, 410));
    assert!(done.body.contains("id=\"done\""));
    assert!(!is_signed_in(&own.browser).await && !is_signed_in(&browser).await);
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(sign_in(&server.browser(), "ben", "ben-correct-horse").await, 403);
    assert_eq!(sign_in(&server.browser(), "ben@acme.example", NEW).await, 200);
    let told = server.letters().await;
    assert!(told.iter().any(|letter| letter.subject == "Your password was changed"));
    forgot(&browser, "ben").await.expect(200);
    let late = link(&server, "ben@acme.example").await;
    server.advance(TimeDelta::minutes(30));
    assert_eq!(browser.get(&late).await.status, 410);
}

async fn case_46_a_reset_skips_no_second_factor(db: Kind) {
    let server = start(db).await;
    let browser = server.browser();
    forgot(&browser, "ada").await.expect(200);
    let page = browser.get(&link(&server, "ada@acme.example").await).await.expect(200);
    fill(&browser, &page, "/reset", &[("password", NEW)]).await.expect(200);
    assert!(!is_signed_in(&browser).await);

    sign_in(&browser, "ada", NEW).await;

    assert!(!is_signed_in(&browser).await, "the code is missing");
    let page = browser.get("/sign-in/totp").await.expect(200);
    let code = server.totp(ada(&server).totp.expect("a second factor"));
    fill(&browser, &page, "/sign-in/totp", &[("code", &code)]).await;
    assert!(is_signed_in(&browser).await);
}

async fn case_47_forgetting_tells_nobody_who_is_a_user(db: Kind) {
    let server = start(db).await;
    server.apply("users: [{ id: eve, username: eve, email: eve@beta.example, email_verified: true, status: disabled, password: eve-correct-horse }]").await;
    let mut seen = Vec::new();
    for name in ["ben", "ada@acme.example", "nobody", "nobody@x.example", "dev", "eve"] {
        let answer = forgot(&server.browser(), name).await;
        let body = answer.body.replace(&format!(">{name}<"), "");
        let lines: Vec<_> = body
            .lines()
            .filter(|line| !line.contains("type=\"hidden\""))
            .map(str::to_owned)
            .collect();
        seen.push((answer.status, lines));
    }

    assert!(seen.iter().all(|answer| *answer == seen[0] && answer.0 == 200));
    let letters = server.letters().await;
    let mut to: Vec<&str> = letters.iter().map(|letter| letter.to.as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["ada@acme.example", "ben@acme.example"]);
    // Many letters to one person are slowed down, and so are many to nobody.
    for name in ["ben", "nobody"] {
        let mut last = 0;
        for _ in 0..8 {
            last = forgot(&server.browser(), name).await.status;
        }
        assert_eq!(last, 429, "{name}");
    }
}

async fn case_51_another_password_takes_the_current_one(db: Kind) {
    let server = start(db).await;
    let (own, other) = (server.browser(), server.browser());
    sign_in(&own, "ben", "ben-correct-horse").await;
    sign_in(&other, "ben", "ben-correct-horse").await;
    let page = own.get("/account/password").await.expect(200);
    let try_it = async |current: &str, new: &str| {
        fill(&own, &page, "/account/password", &[("current", current), ("password", new)]).await
    };

    assert_eq!(try_it("wrong", NEW).await.status, 403);
    assert_eq!(try_it("ben-correct-horse", "short").await.status, 400);
    let done = try_it("ben-correct-horse", NEW).await;

    assert!(done.status == 200 && done.body.contains("password-done"), "{done:?}");
    assert!(is_signed_in(&own).await && !is_signed_in(&other).await);
    assert_eq!(sign_in(&server.browser(), "ben", "ben-correct-horse").await, 403);
    assert_eq!(sign_in(&server.browser(), "ben", NEW).await, 200);
    let letters = server.letters().await;
    assert_eq!(letters.last().expect("a letter").subject, "Your password was changed");
    // A sign-in of an hour ago is not enough even to see the page; guesses are counted.
    let page = own.get("/account/password").await.expect(200);
    let mut last = 0;
    for _ in 0..8 {
        let fields = [("current", "wrong"), ("password", "a wholly different one")];
        last = fill(&own, &page, "/account/password", &fields).await.status;
    }
    assert_eq!(last, 429);
    server.advance(TimeDelta::minutes(20));
    assert_eq!(own.get("/account/password").await.status, 303);
}

/// Asks for another address, and opens the link in the letter.
async fn change_email(server: &TestServer, browser: &Browser, email: &str) -> Answer {
    let page = browser.get("/account/email").await.expect(200);
    let form = Form::all(&page.body).into_iter().rfind(|form| form.action == "/account/email");
    browser.submit(&page, &form.expect("a form"), &[("email", email)]).await.expect(200);
    browser.get(&link(server, email).await).await.expect(200)
}

async fn case_51_an_address_takes_a_fresh_sign_in_and_can_be_taken_back(db: Kind) {
    let server = start(db).await;
    let own = server.browser();
    sign_in(&own, "ben", "ben-correct-horse").await;
    let page = change_email(&server, &own, "ben@new.example").await;
    let elsewhere = server.browser();
    let stranger = elsewhere.get(&link(&server, "ben@new.example").await).await.expect(200);

    let refused = fill(&elsewhere, &stranger, "/verify-email", &[("password", "wrong")]).await;
    let done = fill(&own, &page, "/verify-email", &[]).await.expect(200);

    assert_eq!(refused.status, 403, "a link alone makes nobody's address another's");
    assert!(done.body.contains("id=\"done\""));
    assert_eq!(sign_in(&server.browser(), "ben@new.example", "ben-correct-horse").await, 200);
    assert_eq!(sign_in(&server.browser(), "ben@acme.example", "ben-correct-horse").await, 403);
    let back = link(&server, "ben@acme.example").await;
    assert!(back.contains("/revert-email?token="));
    // Somebody else did it: the old address gets the user back, and all are signed out.
    let victim = server.browser();
    let page = victim.get(&back).await.expect(200);
    fill(&victim, &page, "/revert-email", &[]).await.expect(200);
    assert!(!is_signed_in(&own).await);
    assert_eq!(sign_in(&server.browser(), "ben@new.example", "ben-correct-horse").await, 403);
    let reset = link(&server, "ben@acme.example").await;
    assert!(reset.contains("/reset?token="));
    assert_eq!(victim.get(&back).await.status, 410, "once");
    server.advance(TimeDelta::minutes(20));
    sign_in(&own, "ben", "ben-correct-horse").await;
    server.advance(TimeDelta::minutes(20));
    assert_eq!(own.get("/account/email").await.status, 303, "a fresh sign-in is asked for");
}

async fn case_51_two_changes_of_address_shut_nobody_out(db: Kind) {
    let server = start(db).await;
    let thief = server.browser();
    sign_in(&thief, "ben", "ben-correct-horse").await;
    for email in ["one@evil.example", "two@evil.example"] {
        let page = change_email(&server, &thief, email).await;
        fill(&thief, &page, "/verify-email", &[]).await.expect(200);
    }
    let (first, second) =
        (link(&server, "ben@acme.example").await, link(&server, "one@evil.example").await);
    let page = thief.get(&second).await.expect(200);
    fill(&thief, &page, "/revert-email", &[]).await.expect(200);

    let victim = server.browser();
    let page = victim.get(&first).await.expect(200);
    fill(&victim, &page, "/revert-email", &[]).await.expect(200);

    let own = "SELECT COUNT(*) AS n FROM users WHERE id = 'ben' AND email = 'ben@acme.example'";
    assert_eq!(server.count(own).await, 1);
    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM one_time_secrets WHERE kind = 'email_back'").await,
        0
    );
}

async fn case_54_an_address_of_somebody_else_is_not_taken_over(db: Kind) {
    let server = start(db).await;
    let own = server.browser();
    sign_in(&own, "ben", "ben-correct-horse").await;
    let page = own.get("/account/email").await.expect(200);

    let answer = fill(&own, &page, "/account/email", &[("email", "Ada@Acme.Example")]).await;

    assert!(answer.status == 200 && answer.body.contains("email-sent"), "as for any address");
    let letters = server.letters().await;
    let letter = letters.last().expect("a letter");
    assert_eq!(
        (&*letter.to, &*letter.subject),
        ("ada@acme.example", "You have an account already")
    );
    assert!(letter.links.iter().all(|link| !link.contains("token=")));
}

async fn was_this_you(db: Kind) {
    let server = start(db).await;
    let own = server.browser();
    server.advance(TimeDelta::hours(1));
    for _ in 0..2 {
        let page = own.get("/sign-in").await;
        let page = if page.status == 200 { page } else { own.get("/sign-in/again").await };
        fill(&own, &page, "/sign-in", &[("username", "ben"), ("password", "ben-correct-horse")])
            .await;
    }

    let letters = server.letters().await;

    assert_eq!(letters.len(), 1, "one browser, one letter");
    assert_eq!(
        (&*letters[0].to, &*letters[0].subject),
        ("ben@acme.example", "A new sign-in to your account")
    );
    assert!(letters[0].text.contains("127.0.0.1") && letters[0].text.contains("13:00"));
}
