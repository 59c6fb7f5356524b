//! Guessing against several processes at once, and what the time of an answer tells.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures_util::future::join_all;
use narthex::config::sign_up::SignUp;

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};
use crate::common::form::Form;
use crate::common::program::{Running, apply, flags, free_port, narthex, with_flags};
use crate::common::server::TestServer;

both!(
    case_47_the_time_of_a_letter_does_not_tell_who_has_an_account,
    case_47_the_time_of_an_answer_does_not_tell_who_has_an_account,
    case_48_two_processes_count_together,
);

/// A page with a form, filled in again and again by one browser.
struct Page {
    browser: Browser,
    form: Form,
}

impl Page {
    async fn open(browser: Browser, path: &str) -> Self {
        let shown = browser.get(path).await.expect(200);
        Self { browser, form: Form::of(&shown.body, path) }
    }

    /// The answer to the form with these fields.
    async fn post(&self, fields: &[(&str, &str)]) -> Answer {
        let mut all = fields.to_vec();
        for (name, value) in &self.form.fields {
            if all.iter().all(|(given, _)| given != name) {
                all.push((name, value));
            }
        }
        let headers = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        self.browser.post_with(&self.form.action, &headers, &all).await
    }

    /// How long the answer takes.
    async fn time(&self, fields: &[(&str, &str)], status: u16) -> Duration {
        let start = Instant::now();
        let answer = self.post(fields).await;
        let elapsed = start.elapsed();
        assert_eq!(answer.status, status, "{}", answer.body);
        elapsed
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The part by which answers about somebody take longer than those about nobody: the median over
/// 200 pairs, each asked one right after the other, in turns.
async fn difference(
    page: &Page,
    known: &[(&str, &str)],
    unknown: &[(&str, &str)],
    status: u16,
) -> f64 {
    let (mut differences, mut times) = (Vec::new(), Vec::new());
    for pair in 0..200 {
        let (first, second) = if pair % 2 == 0 { (known, unknown) } else { (unknown, known) };
        let (one, two) = (page.time(first, status).await, page.time(second, status).await);
        let (known, unknown) = if pair % 2 == 0 { (one, two) } else { (two, one) };
        differences.push(known.as_secs_f64() - unknown.as_secs_f64());
        times.push(unknown.as_secs_f64());
    }
    median(differences) / median(times)
}

/// What is there shows in every round; what neighbours on the machine do, in one or the other.
async fn alike(page: &Page, known: &[(&str, &str)], unknown: &[(&str, &str)], status: u16) {
    let mut seen = Vec::new();
    for _ in 0..6 {
        let part = difference(page, known, unknown, status).await;
        seen.push(part);
        if part.abs() < 0.05 {
            return;
        }
    }
    panic!("answers about somebody take another time: {seen:?}");
}

async fn case_47_the_time_of_an_answer_does_not_tell_who_has_an_account(db: Kind) {
    let server = TestServer::start_with(db, |config| {
        config.passwords.argon2_memory_kib = 8_192;
        config.throttle.free_failures = 100_000;
    })
    .await;
    let ben = "{ username: ben, email: ben@acme.example, email_verified: true, \
               password: ben-correct-horse }";
    server.apply(&format!("users: [{ben}]")).await;
    let page = Page::open(server.browser(), "/sign-in").await;
    let with = |name| [("username", name), ("password", "wrong")];

    alike(&page, &with("ben"), &with("bob"), 403).await;
    alike(&page, &with("ben@acme.example"), &with("bob@acme.example"), 403).await;
}

async fn case_47_the_time_of_a_letter_does_not_tell_who_has_an_account(db: Kind) {
    let server = TestServer::start_with(db, |config| {
        config.throttle.free_failures = 100_000;
        config.sign_up = SignUp::Open;
    })
    .await;
    let ben = "{ username: ben, email: ben@acme.example, email_verified: true, \
               password: ben-correct-horse }";
    server.apply(&format!("users: [{ben}]")).await;

    let page = Page::open(server.browser(), "/forgot").await;
    let with = |name| [("username", name)];
    alike(&page, &with("ben@acme.example"), &with("bob@acme.example"), 200).await;
    let page = Page::open(server.browser(), "/sign-up").await;
    let with = |email| {
        [("name", "Grace Hopper"), ("email", email), ("password", "a wide sea of quiet stones")]
    };
    alike(&page, &with("ben@acme.example"), &with("bob@acme.example"), 200).await;
}

/// Ten thousand wrong passwords in a minute for one user, from the very address of that user.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn case_48_ten_thousand_guesses_a_minute_keep_nobody_out_of_their_own_browser() {
    let server = TestServer::start(Kind::Sqlite).await;
    server.apply("users: [{ username: ben, password: ben-correct-horse }]").await;
    let right = [("username", "ben"), ("password", "ben-correct-horse")];
    let wrong = [("username", "ben"), ("password", "wrong")];
    let own = server.browser();
    let known = Page::open(own, "/sign-in").await;
    known.post(&right).await.expect(303);
    let stranger = Page::open(server.browser(), "/sign-in").await;

    let mut looked_at = 0;
    for second in 0..60 {
        let guesses = join_all((0..167).map(|_| stranger.post(&wrong))).await;
        assert!(guesses.iter().all(|answer| [403, 429, 503].contains(&answer.status)));
        looked_at += guesses.iter().filter(|answer| answer.status == 403).count();
        if second % 10 == 9 {
            assert_eq!(known.post(&right).await.status, 303, "after {second} s");
        }
        server.advance(TimeDelta::seconds(1));
    }

    assert!((1..=20).contains(&looked_at), "{looked_at}");
}

fn serve(database: &TestDatabase, port: u16) -> Running {
    let (flags, address) = (flags(database), format!("127.0.0.1:{port}"));
    let args = ["serve", "--listen", &address, "--issuer", "http://localhost:1"];
    Running::start(narthex(database.folder.path(), &with_flags(&args, &flags)), "Narthex serves")
}

async fn case_48_two_processes_count_together(db: Kind) {
    let database = TestDatabase::empty(db).await;
    apply(&database, "users: [{ username: ben, password: ben-correct-horse }]");
    let ports = [free_port(), free_port()];
    let _running = ports.map(|port| serve(&database, port));
    let mut pages = Vec::new();
    for port in ports {
        let browser = Browser::new(&format!("http://127.0.0.1:{port}"));
        pages.push(Page::open(browser, "/sign-in").await);
    }
    let wrong = [("username", "ben"), ("password", "wrong")];

    let guesses = (0..16).map(|guess| pages[guess % 2].post(&wrong));
    let answers: Vec<u16> =
        join_all(guesses).await.into_iter().map(|answer| answer.status).collect();

    let count = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    // Five are free, the sixth blocks for a second, in which the others come; at most one more.
    assert!((6..=7).contains(&count(403)), "{answers:?}");
    assert_eq!(count(403) + count(429), 16, "{answers:?}");
}
