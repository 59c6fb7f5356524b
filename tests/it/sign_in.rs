//! Signing in with the real pages, and what people try against them.

use chrono::TimeDelta;
use narthex::config::model::Issuer;
use reqwest::Method;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::{TestServer, totp};
use crate::common::world::{ada, ben, portal};

both!(
    case_07_a_form_is_answered_with_303_and_nothing_is_kept,
    case_43_a_planted_session_is_not_taken_up,
    case_43_each_step_up_has_a_new_session,
    case_44_a_form_needs_its_token_its_browser_and_our_own_site,
    case_44_cookies_belong_to_the_host_alone,
    case_47_known_and_unknown_names_are_answered_alike,
    case_48_guesses_wait_and_the_users_own_browser_does_not,
    case_49_a_code_is_taken_once,
    case_50_half_a_sign_in_opens_nothing,
    case_53_odd_forms_are_refused_and_never_break_anything,
    case_79_a_forged_forwarded_for_does_not_help,
    case_79_behind_a_proxy_the_client_counts,
    a_page_of_another_time_leads_on,
    people_see_who_they_are,
    what_is_not_there_is_a_page,
);

const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The answer to a sign-in form, without following it.
async fn post(browser: &Browser, page: &str, fields: &[(&str, &str)]) -> Answer {
    let shown = browser.get(page).await.expect(200);
    let form = Form::of(&shown.body, "/sign-in");
    let mut all: Vec<(&str, &str)> = fields.to_vec();
    for (name, value) in &form.fields {
        if all.iter().all(|(given, _)| given != name) {
            all.push((name, value));
        }
    }
    let headers = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    browser.post_with(&form.action, &headers, &all).await
}

/// The answer to a name and a password.
async fn try_password(browser: &Browser, username: &str, password: &str) -> Answer {
    post(browser, "/sign-in", &[("username", username), ("password", password)]).await
}

/// Whether this browser is signed in.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/").await.status == 200
}

fn cookie(browser: &Browser, name: &str) -> String {
    browser.cookie(name).map(|cookie| cookie.value).unwrap_or_default()
}

async fn case_07_a_form_is_answered_with_303_and_nothing_is_kept(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();

    let page = browser.get("/sign-in").await;
    let answer = try_password(&browser, "ben", "ben-correct-horse").await;

    for answer in [&page, &answer] {
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(answer.line(), "303 -> /");
    assert!(is_signed_in(&browser).await);
}

async fn case_43_a_planted_session_is_not_taken_up(db: Kind) {
    let server = TestServer::start(db).await;
    let (attacker, victim) = (server.browser(), server.browser());
    try_password(&attacker, "ben", "ben-correct-horse").await;
    let planted = cookie(&attacker, "session");
    victim.set_cookie("session", &planted);

    try_password_of_ada(&server, &victim).await;

    assert_ne!(cookie(&victim, "session"), planted);
    assert!(is_signed_in(&victim).await);
    assert!(!is_signed_in(&attacker).await, "what was planted ended");
    victim.set_cookie("session", "AAAAAAAAAAAAAAAAAAAAAA");
    try_password_of_ada(&server, &victim).await;
    assert_ne!(cookie(&victim, "session"), "AAAAAAAAAAAAAAAAAAAAAA");
}

async fn try_password_of_ada(server: &TestServer, browser: &Browser) {
    // Somebody may be signed in already; an app that insists shows the page all the same.
    let url = portal(server).authorize_url_with(&[("prompt", "login")]);
    let first = browser.get(&url).await;
    let page = browser.follow(first).await;
    let person = crate::common::actors::Person { browser: browser.clone(), ..ada(server) };
    let page = person.answer_page(server, &page).await;
    person.answer_page(server, &page).await;
}

async fn case_43_each_step_up_has_a_new_session(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();
    browser.get("/sign-in").await;
    assert_eq!(cookie(&browser, "session"), "", "nobody signed in");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM sessions").await, 0);

    let password = try_password(&browser, "ada", "ada-correct-horse").await;
    let pending = cookie(&browser, "pending");
    let code = server.totp(TOTP);
    let done = post(&browser, "/sign-in/totp", &[("code", &code)]).await;

    assert_eq!(password.line(), "303 -> /sign-in/totp");
    assert_eq!(done.line(), "303 -> /");
    let session = cookie(&browser, "session");
    assert!(!session.is_empty() && session != pending);
    assert_eq!(cookie(&browser, "pending"), "");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM sessions").await, 1);
}

async fn case_44_a_form_needs_its_token_its_browser_and_our_own_site(db: Kind) {
    let server = TestServer::start(db).await;
    let own = server.browser();
    let page = own.get("/sign-in").await;
    let form = Form::of(&page.body, "/sign-in");
    let token = form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let good = [("csrf", &*token), ("username", "ben"), ("password", "ben-correct-horse")];
    let other = server.browser();
    other.get("/sign-in").await;
    let site = |site| vec![("sec-fetch-site", site)];

    for (browser, headers, fields) in [
        (&own, vec![], &good[1..]),
        (&own, vec![], &[("csrf", "AAAA"), good[1], good[2]][..]),
        (&own, site("cross-site"), &good[..]),
        (&own, site("same-site"), &good[..]),
        (&own, vec![("origin", "https://evil.example")], &good[..]),
        (&other, vec![], &good[..]),
        (&server.browser(), vec![], &good[..]),
    ] {
        let answer = browser.post_with("/sign-in", &headers, fields).await;
        assert_eq!(answer.refusal(), "403 page", "{headers:?} {answer:?}");
        assert_eq!(cookie(browser, "session"), "");
    }
    let answer = own.post_with("/sign-in", &site("same-origin"), &good).await;
    assert_eq!(answer.status, 303);
}

async fn case_44_cookies_belong_to_the_host_alone(db: Kind) {
    let server = TestServer::start_with(db, |config| {
        config.issuer = Issuer::parse("https://id.example.org").unwrap();
    })
    .await;
    server.apply("users: [{ username: ben, password: ben-correct-horse }]").await;
    let browser = server.browser();

    let page = browser.get("/sign-in").await;
    try_password(&browser, "ben", "ben-correct-horse").await;

    for name in ["__Host-browser", "__Host-session", "__Host-known"] {
        let line = browser.cookie(name).expect(name).line;
        assert!(line.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{line}");
        assert!(!line.to_lowercase().contains("domain"), "{line}");
    }
    assert!(page.header("strict-transport-security").starts_with("max-age="));
    assert!(is_signed_in(&browser).await);
}

async fn case_47_known_and_unknown_names_are_answered_alike(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply("users: [{ username: nopass }, { username: retired, password: retired-horse, status: disabled }]").await;
    let mut seen = Vec::new();

    for (name, password) in
        [("ben", "wrong"), ("nobody", "wrong"), ("nopass", ""), ("retired", "retired-horse")]
    {
        let browser = server.browser();
        let answer = try_password(&browser, name, password).await;
        let token = Form::of(&answer.body, "/sign-in").fields[0].1.clone();
        let body = answer.body.replace(&token, "token").replace(&format!("\"{name}\""), "name");
        seen.push((answer.status, body, cookie(&browser, "pending"), cookie(&browser, "session")));
    }

    assert_eq!(seen[0].0, 403);
    assert!(seen[0].1.contains("role=\"alert\"") && seen[0].1.contains("value=name"));
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
}

async fn case_48_guesses_wait_and_the_users_own_browser_does_not(db: Kind) {
    let server = TestServer::start(db).await;
    let own = server.browser();
    try_password(&own, "ben", "ben-correct-horse").await;
    own.get("/logout").await;
    let old = server.browser();
    for name in ["browser", "known"] {
        old.set_cookie(name, &cookie(&own, name));
    }
    let stranger = server.browser();
    for _ in 0..6 {
        assert_eq!(try_password(&stranger, "ben", "wrong").await.status, 403);
    }

    let blocked = try_password(&stranger, "ben", "ben-correct-horse").await;
    let unknown = server.browser();
    for _ in 0..6 {
        try_password(&unknown, "nobody", "wrong").await;
    }

    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.header("retry-after"), "2");
    assert!(blocked.body.contains("role=\"alert\"") && blocked.body.contains("value=\"ben\""));
    assert_eq!(try_password(&unknown, "nobody", "wrong").await.status, 429);
    assert_eq!(try_password(&old, "ben", "ben-correct-horse").await.status, 303);
    server.advance(TimeDelta::seconds(1));
    assert_eq!(try_password(&stranger, "ben", "ben-correct-horse").await.status, 303);
}

async fn case_49_a_code_is_taken_once(db: Kind) {
    let server = TestServer::start(db).await;
    let (first, second) = (server.browser(), server.browser());
    for browser in [&first, &second] {
        try_password(browser, "ada", "ada-correct-horse").await;
    }
    let code = totp(TOTP, server.now());
    let old = totp(TOTP, server.now() - 60);

    let wrong = post(&first, "/sign-in/totp", &[("code", &old)]).await;
    let right = post(&first, "/sign-in/totp", &[("code", &code)]).await;
    let again = post(&second, "/sign-in/totp", &[("code", &code)]).await;

    assert_eq!((wrong.status, right.status, again.status), (403, 303, 403));
    assert!(is_signed_in(&first).await && !is_signed_in(&second).await);
    assert!(!wrong.body.contains(TOTP));
}

async fn case_50_half_a_sign_in_opens_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();
    try_password(&browser, "ada", "ada-correct-horse").await;
    let pending = cookie(&browser, "pending");

    assert!(!is_signed_in(&browser).await);
    browser.set_cookie("session", &pending);
    assert!(!is_signed_in(&browser).await);
    let asked = browser.get(&portal(&server).authorize_url()).await;
    assert!(asked.location().starts_with("/sign-in?grant="), "{asked:?}");
    let grant = asked.location().trim_start_matches("/sign-in?grant=").to_owned();
    for path in [format!("/consent?grant={grant}"), format!("/authorize/{grant}")] {
        assert_eq!(browser.get(&path).await.location(), format!("/sign-in?grant={grant}"));
    }
    server.advance(TimeDelta::minutes(5));
    let late = browser.get("/sign-in/totp").await;
    assert_eq!(late.line(), "303 -> /sign-in");
}

async fn case_53_odd_forms_are_refused_and_never_break_anything(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();
    let page = browser.get("/sign-in").await;
    let token = Form::of(&page.body, "/sign-in").fields[0].1.clone();
    let form = "application/x-www-form-urlencoded";
    let long = |count| "x".repeat(count);

    for (kind, rest, expected) in [
        (form, format!("&username=ben&password={}", long(1_025)), 403),
        (form, format!("&username=ben&password={}", long(9_000)), 403),
        (form, format!("&username={}&password=x", long(1_025)), 400),
        (form, format!("&username=ben&password={}", long(20_000)), 413),
        (form, "&username=ben&password=a%00b".to_owned(), 400),
        (form, "&username=b%00n&password=ab".to_owned(), 400),
        (form, "&username=b%ffn&password=ab".to_owned(), 400),
        (form, "&username=ben&username=ada&password=ab".to_owned(), 400),
        (form, "&username=ben&password=ab&grant=x".to_owned(), 400),
        (form, "&username=ben&password=ab&grant=99999999999999999999".to_owned(), 400),
        (form, String::new(), 403),
        ("text/plain", "&username=ben&password=ab".to_owned(), 400),
        ("application/json", "&username=ben&password=ab".to_owned(), 400),
        ("", "&username=ben&password=ab".to_owned(), 400),
    ] {
        let body = format!("csrf={token}{rest}");
        let answer = browser.send(Method::POST, "/sign-in", &[("content-type", kind)], body).await;
        let shown: String = rest.chars().take(60).collect();
        assert_eq!(answer.status, expected, "{kind} {shown}: {}", answer.line());
        assert!(answer.header("content-type").starts_with("text/html"), "{shown}");
    }
    for path in ["/sign-in?grant=0", "/sign-in?grant=%00", "/sign-in?grant=1&grant=2"] {
        assert_eq!(browser.get(path).await.refusal(), "400 page", "{path}");
    }
}

/// 51 names guessed at once by one client; then one more.
async fn guess_over_many_names(server: &TestServer, forwarded: impl Fn(u32) -> String) -> u16 {
    let browser = server.browser();
    let page = browser.get("/sign-in").await;
    let token = Form::of(&page.body, "/sign-in").fields[0].1.clone();
    let mut last = 0;
    for guess in 0..52 {
        let name = format!("name{guess}");
        let fields = [("csrf", &*token), ("username", &*name), ("password", "wrong")];
        let claimed = forwarded(guess);
        let headers = [("x-forwarded-for", &*claimed)];
        last = browser.post_with("/sign-in", &headers, &fields).await.status;
    }
    last
}

async fn case_79_a_forged_forwarded_for_does_not_help(db: Kind) {
    let server = TestServer::start(db).await;

    let last = guess_over_many_names(&server, |guess| format!("192.0.2.{guess}")).await;

    assert_eq!(last, 429);
}

async fn case_79_behind_a_proxy_the_client_counts(db: Kind) {
    let proxy = "127.0.0.1".parse().unwrap();
    let server = TestServer::start_with(db, |config| config.trusted_proxies = vec![proxy]).await;

    let many = guess_over_many_names(&server, |guess| format!("198.51.100.1, 203.{guess}.113.1"));
    assert_eq!(many.await, 403);
    let one = guess_over_many_names(&server, |guess| format!("192.0.2.{guess}, 203.0.113.1"));
    assert_eq!(one.await, 429);
}

async fn a_page_of_another_time_leads_on(db: Kind) {
    let server = TestServer::start(db).await;
    let person = ben(&server);
    let first = person.browser.get(&portal(&server).authorize_url()).await;
    let page = first.location().to_owned();

    let foreign = server.browser().get(&page).await;
    server.advance(TimeDelta::hours(2));
    let expired = person.browser.get(&page).await;

    for answer in [foreign, expired] {
        assert_eq!(answer.refusal(), "400 page");
        assert!(answer.body.contains("id=\"error-title\""), "{answer:?}");
    }
    assert_eq!(person.browser.get("/sign-in?grant=999999").await.refusal(), "400 page");
}

async fn people_see_who_they_are(db: Kind) {
    let server = TestServer::start(db).await;
    let person = ada(&server);

    assert_eq!(person.browser.get("/").await.line(), "303 -> /sign-in");
    let home = person.sign_in(&server).await;

    assert_eq!(home.line(), "200 page: You are signed in");
    assert!(home.body.contains("Ada Alvarez") && home.body.contains("id=\"sign-out\""));
    assert_eq!(person.browser.get("/sign-in").await.line(), "303 -> /");
    let style = home.body.split("rel=\"stylesheet\" href=\"").nth(1).unwrap();
    let style = person.browser.get(style.split('"').next().unwrap()).await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(style.header("cache-control").contains("immutable"));
}

async fn what_is_not_there_is_a_page(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();

    let gone = browser.get("/no/such/page").await;
    let put = browser.send(Method::PUT, "/sign-in", &[], "").await;

    assert_eq!(gone.line(), "404 page: There is nothing here");
    assert_eq!(put.line(), "405 page: This does not work here");
    assert!(put.header("allow").contains("POST"), "{put:?}");
}
