//! Letters: a real mail server takes them, whatever happens to it and to us.

mod operators;
pub mod smtpd;

use chrono::TimeDelta;
use narthex::config::mail::{SmtpTls, Way};
use narthex::db::error::DbError;
use narthex::mail::model::Letter;
use narthex::mail::service::post;
use narthex::words::Language;

use crate::common::both;
use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::common::program::free_port;
use crate::common::server::TestServer;
use crate::mail::smtpd::Smtpd;

both!(
    a_server_takes_letters_over_starttls_with_a_private_authority,
    a_server_takes_letters_over_implicit_tls,
    a_server_without_starttls_gets_nothing,
    a_server_with_anothers_certificate_gets_nothing,
    a_server_that_is_down_gets_its_letters_later_and_once,
    what_is_refused_for_ever_is_given_up_and_what_is_not_comes_again,
    case_56_a_hostile_letter_has_the_headers_of_any_other,
    letters_are_kept_without_a_server,
    the_link_of_a_letter_leads_here,
);

const HOSTILE: &str = "x\r\nBcc: eve@example.org\r\nSubject: other\r\n\r\n<b>\u{202E}y</b>";

pub fn letter(to: &str, language: Language, host: &str, link: Option<String>) -> Letter {
    let values = vec![("host", host.to_owned())];
    Letter { to: to.to_owned(), language, kind: "mail-test", values, link }
}

pub async fn post_letter(server: &TestServer, letter: Letter) {
    let input = (server.server.ctx.clone(), server.server.vault.clone(), letter);
    let unit = server.server.ctx.db.write(input, |tx, (ctx, vault, letter)| {
        Box::pin(async move { post(tx, ctx, vault, letter).await })
    });
    unit.await.unwrap_or_else(|error: DbError| panic!("{error}"));
}

async fn server_with(db: Kind, way: Way) -> TestServer {
    TestServer::start_with(db, |config| config.mail.way = way).await
}

async fn jobs(server: &TestServer) -> i64 {
    server.count("SELECT COUNT(*) AS n FROM jobs WHERE dead_at IS NULL").await
}

async fn a_server_takes_letters_over_starttls_with_a_private_authority(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::StartTls);
    let server = server_with(db, smtpd.way()).await;
    post_letter(&server, letter("ada@example.org", Language::German, "Zürich", None)).await;

    server.deliver().await;

    let taken = &smtpd.letters()[0];
    assert_eq!(
        (taken.from.as_str(), &*taken.to),
        ("no-reply@localhost", &["ada@example.org".to_owned()][..])
    );
    assert!(taken.tls);
    assert_eq!(taken.all("subject"), ["Eine Testnachricht von Zürich"]);
    assert_eq!(taken.all("from"), ["Narthex <no-reply@localhost>"]);
    assert_eq!(taken.all("to"), ["ada@example.org"]);
    assert_eq!(taken.all("auto-submitted"), ["auto-generated"]);
    assert_eq!(taken.all("content-language"), ["de"]);
    assert_eq!(taken.all("date"), ["Mon, 01 Jun 2026 12:00:00 +0000"]);
    assert_eq!(taken.all("message-id").len(), 1);
    assert!(taken.text.contains("wurde geprüft") && taken.html.contains("wurde geprüft"));
    assert_eq!(jobs(&server).await, 0);
}

async fn a_server_takes_letters_over_implicit_tls(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::Implicit);
    let server = server_with(db, smtpd.way()).await;
    for number in 0..5 {
        let to = format!("ada{number}@example.org");
        post_letter(&server, letter(&to, Language::English, "x", None)).await;
    }

    server.deliver().await;

    let letters = smtpd.letters();
    assert_eq!(letters.len(), 5);
    assert!(letters.iter().all(|taken| taken.tls));
}

async fn a_server_without_starttls_gets_nothing(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::None);
    let mut smtp = smtpd.smtp();
    smtp.tls = SmtpTls::StartTls;
    let server = server_with(db, Way::Smtp(smtp)).await;
    post_letter(&server, letter("ada@example.org", Language::English, "x", None)).await;

    server.deliver().await;

    assert!(smtpd.letters().is_empty());
    assert_eq!(jobs(&server).await, 1, "it is tried again");
}

async fn a_server_with_anothers_certificate_gets_nothing(db: Kind) {
    let (smtpd, other) = (Smtpd::start(SmtpTls::StartTls), Smtpd::start(SmtpTls::StartTls));
    for ca_file in [None, other.smtp().ca_file] {
        let mut smtp = smtpd.smtp();
        smtp.ca_file = ca_file;
        let server = server_with(db, Way::Smtp(smtp)).await;
        post_letter(&server, letter("ada@example.org", Language::English, "x", None)).await;

        server.deliver().await;

        assert!(smtpd.letters().is_empty());
        assert_eq!(jobs(&server).await, 1, "it is tried again");
    }
}

async fn a_server_that_is_down_gets_its_letters_later_and_once(db: Kind) {
    let port = free_port();
    let mut smtp = Smtpd::start(SmtpTls::None).smtp();
    smtp.port = port;
    let server = server_with(db, Way::Smtp(smtp)).await;
    post_letter(&server, letter("ada@example.org", Language::English, "x", None)).await;

    server.deliver().await;
    server.advance(TimeDelta::seconds(5));
    server.deliver().await;
    let smtpd = Smtpd::start_at(SmtpTls::None, port);
    server.advance(TimeDelta::seconds(24));
    server.deliver().await;
    assert!(smtpd.letters().is_empty(), "the third attempt is 25 seconds after the second");
    server.advance(TimeDelta::seconds(1));
    server.deliver().await;

    assert_eq!(smtpd.letters().len(), 1);
    server.advance(TimeDelta::days(1));
    server.deliver().await;
    assert_eq!(smtpd.letters().len(), 1);
}

async fn what_is_refused_for_ever_is_given_up_and_what_is_not_comes_again(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::None);
    let server = server_with(db, smtpd.way()).await;
    for to in ["refused@example.org", "later@example.org"] {
        post_letter(&server, letter(to, Language::English, "x", None)).await;
    }

    server.deliver().await;

    assert!(smtpd.letters().is_empty());
    let dead = server.server.queue.dead().await.expect("a list");
    let dead: Vec<_> = dead.iter().map(|dead| (dead.kind.as_str(), dead.attempts)).collect();
    assert_eq!(dead, [("mail", 1)]);
    server.advance(TimeDelta::seconds(5));
    server.deliver().await;
    assert_eq!(smtpd.letters()[0].to, ["later@example.org"]);
    assert_eq!(jobs(&server).await, 0);
}

async fn case_56_a_hostile_letter_has_the_headers_of_any_other(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::None);
    let server = server_with(db, smtpd.way()).await;
    post_letter(&server, letter("ada@example.org", Language::English, "plain", None)).await;
    post_letter(&server, letter("ada@example.org", Language::English, HOSTILE, None)).await;
    post_letter(&server, letter("a@b.example\r\nBcc: eve@c.example", Language::English, "x", None))
        .await;

    server.deliver().await;

    let letters = smtpd.letters();
    assert_eq!(letters.len(), 2, "no letter to an address that is none");
    let names =
        |at: usize| -> Vec<&String> { letters[at].headers.iter().map(|(name, _)| name).collect() };
    assert_eq!(names(0), names(1));
    assert!(letters.iter().all(|taken| taken.to == ["ada@example.org"]));
    let hostile = letters.iter().find(|taken| taken.text.contains("Bcc")).expect("it");
    assert_eq!(hostile.all("subject").len(), 1);
    assert!(hostile.html.contains("&#60;b&#62;") && !hostile.html.contains("<b>"));
}

async fn letters_are_kept_without_a_server(db: Kind) {
    let server = TestServer::start_empty(db).await;
    assert!(server.letters().await.is_empty());
    let link = Some(server.server.config.issuer.url("/somewhere"));
    post_letter(&server, letter("ada@example.org", Language::English, "x", link.clone())).await;
    post_letter(&server, letter("ben@example.org", Language::German, "y", None)).await;

    let letters = server.letters().await;

    let shown: Vec<_> = letters.iter().map(|kept| (&*kept.to, &*kept.subject)).collect();
    let expected = [
        ("ada@example.org", "A test e-mail from x"),
        ("ben@example.org", "Eine Testnachricht von y"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(letters[0].links, Vec::from_iter(link));
}

async fn the_link_of_a_letter_leads_here(db: Kind) {
    let smtpd = Smtpd::start(SmtpTls::StartTls);
    let server = server_with(db, smtpd.way()).await;
    let link = server.server.config.issuer.url("/sign-in");
    post_letter(&server, letter("ada@example.org", Language::English, "x", Some(link))).await;
    server.deliver().await;
    let taken = &smtpd.letters()[0];
    let file = server.database.folder.path().join("letter.html");
    std::fs::write(&file, &taken.html).expect("a file");

    for look in [Look::Desktop, Look::Phone, Look::DarkPhone] {
        let chromium = Chromium::start(look).await;
        chromium.open(&format!("file://{}", file.display())).await;
        chromium.picture("letter").await;
        let wide =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(chromium.ask(wide).await, false);
        let button = chromium.page.find(fantoccini::Locator::Css("a")).await.expect("a button");
        button.click().await.expect("a click");
        chromium.address(taken.link()).await;
        chromium.element("username").await;
    }
}
