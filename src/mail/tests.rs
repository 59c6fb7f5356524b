//! Letters: what they say, what cannot get into them, and what is kept of them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::config::mail::MAIL_FOLDER;
use crate::config::model::Config;
use crate::db::Fetch as _;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::built_sql;
use crate::db::testing::{self, Guard};
use crate::keys::vault::Vault;
use crate::mail::model::Letter;
use crate::mail::read::{Kept, newest};
use crate::mail::service::{MAIL, Mail, post};
use crate::queue::model::{Job, Lane, Undelivered};
use crate::queue::service::Queue;
use crate::words::Language;

/// A value with everything that ends a header, opens a tag or turns a line around.
const HOSTILE: &str =
    "Eve\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>\u{202E}\u{2028}&\"";

struct Post {
    guard: Guard,
    clock: Arc<ManualClock>,
    ctx: Ctx,
    vault: Vault,
    mail: Mail,
    queue: Queue,
}

async fn start() -> Post {
    let (guard, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_800_000_000_000_000)));
    let ctx = Ctx { db, clock: clock.clone(), entropy: Arc::new(OsEntropy::default()), seal: None };
    let config = Config::for_test(guard.path());
    let vault = Vault::new(config.encryption_key.bytes());
    let mail = Mail::new(&config, &vault).unwrap();
    Post { queue: Queue::new(&ctx), guard, clock, ctx, vault, mail }
}

impl Post {
    fn folder(&self) -> PathBuf {
        self.guard.path().join(MAIL_FOLDER)
    }

    async fn post(&self, letter: Letter) {
        let input = (self.ctx.clone(), self.vault.clone(), letter);
        let unit = self.ctx.db.write(input, |tx, (ctx, vault, letter)| {
            Box::pin(async move { post(tx, ctx, vault, letter).await })
        });
        unit.await.unwrap();
    }

    async fn job(&self) -> Job {
        self.queue.lease(Lane::Only(MAIL), 1).await.unwrap().into_iter().next().unwrap()
    }

    async fn sent(&self, letter: Letter) -> (Kept, String) {
        self.post(letter).await;
        self.mail.deliver(&self.job().await).await.unwrap();
        let raw = std::fs::read_dir(self.folder()).unwrap().next().unwrap().unwrap().path();
        let letters = newest(&self.folder(), 10).unwrap();
        (letters.last().unwrap().clone(), std::fs::read_to_string(raw).unwrap())
    }
}

fn letter(language: Language, host: &str) -> Letter {
    Letter {
        to: "ada@example.org".to_owned(),
        language,
        kind: "mail-test",
        values: vec![("host", host.to_owned())],
        link: None,
    }
}

#[tokio::test]
async fn a_letter_is_a_message_in_the_readers_language() {
    let (kept, raw) = start().await.sent(letter(Language::German, "Zürich")).await;

    assert_eq!(kept.to, "ada@example.org");
    assert_eq!(kept.subject, "Eine Testnachricht von Zürich");
    assert!(kept.text.contains("wurde geprüft") && kept.text.contains("\n\nSie müssen"));
    assert!(kept.html.contains("<html lang=\"de\">") && kept.html.contains("wurde geprüft"));
    for line in [
        "From: Narthex <no-reply@localhost>",
        "Auto-Submitted: auto-generated",
        "Content-Language: de",
        "Date: Fri, 15 Jan 2027 08:00:00 +0000",
        "MIME-Version: 1.0",
    ] {
        assert!(raw.contains(&format!("{line}\r\n")), "{line}: {raw}");
    }
    assert!(raw.contains("Message-ID: <") && raw.contains("@localhost>\r\n"));
}

#[tokio::test]
async fn case_56_what_others_wrote_stays_one_line_of_text() {
    let (kept, raw) = start().await.sent(letter(Language::English, HOSTILE)).await;

    let head = raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
    assert_eq!(head.matches("\nTo: ").count(), 1);
    assert!(kept.subject.contains("Eve Bcc: eve@example.org <script>"), "{}", kept.subject);
    assert!(!kept.html.contains("<script") && kept.html.contains("&#60;script&#62;"));
    assert!(!kept.text.contains('\u{202E}') && !kept.text.contains('\u{2028}'));
}

#[tokio::test]
async fn case_56_an_address_that_is_none_gets_no_letter() {
    let post = start().await;
    for to in ["ada@example.org\r\nBcc: eve@example.org", "Ada <ada@example.org>", "", "ada"] {
        post.post(Letter { to: to.to_owned(), ..letter(Language::English, "x") }).await;
        let outcome = post.mail.deliver(&post.job().await).await;
        assert_eq!(outcome, Err(Undelivered::Never("it goes to no address")), "{to:?}");
    }
    assert!(!post.folder().exists());
}

#[tokio::test]
async fn a_link_is_a_button_and_stands_in_clear() {
    let link = format!("https://id.example.org/reset?secret=17.{}&x=1", "a".repeat(80));
    let mut with_link = letter(Language::English, "x");
    with_link.link = Some(link.clone());

    let (kept, _) = start().await.sent(with_link).await;

    assert_eq!(kept.links, std::slice::from_ref(&link));
    let escaped = link.replace('&', "&#38;");
    assert_eq!(kept.html.matches(&escaped).count(), 2, "{}", kept.html);
    for banned in ["<img", "<link", "<script", "url(", "src=", "http://"] {
        assert!(!kept.html.contains(banned), "{banned}");
    }
}

#[tokio::test]
async fn case_74_a_letter_at_rest_is_sealed() {
    let post = start().await;
    let mut secret = letter(Language::English, "hidden-value");
    secret.link = Some("https://id.example.org/reset?hidden-secret".to_owned());
    assert_eq!(format!("{secret:?}"), "Letter(mail-test)");
    post.post(secret).await;

    let query = built_sql("SELECT payload, kind FROM jobs".to_owned());
    let row = post.ctx.db.fetch_optional(query).await.unwrap().unwrap();
    let payload: String = row.get("payload").unwrap();
    assert_eq!(row.get::<String>("kind").unwrap(), MAIL);
    for hidden in ["hidden", "ada", "example"] {
        assert!(!payload.contains(hidden), "{payload}");
    }
    let config = Config::for_test(post.guard.path());
    let other = Mail::new(&config, &Vault::new(&[9; 32])).unwrap();
    let refused = other.deliver(&post.job().await).await;
    assert_eq!(refused, Err(Undelivered::Never("the letter cannot be opened with our key")));
}

#[tokio::test]
async fn a_letter_goes_with_its_act_and_twice_is_once() {
    let post = start().await;
    let input = (post.ctx.clone(), post.vault.clone(), letter(Language::English, "x"));
    let unit = post.ctx.db.write(input, |tx, (ctx, vault, letter)| {
        Box::pin(async move {
            crate::mail::service::post(tx, ctx, vault, letter).await?;
            Err::<(), DbError>(DbError::Closed)
        })
    });
    assert!(unit.await.is_err());
    assert!(post.queue.lease(Lane::Only(MAIL), 1).await.unwrap().is_empty());

    post.post(letter(Language::English, "x")).await;
    let job = post.job().await;
    post.mail.deliver(&job).await.unwrap();
    post.clock.advance(TimeDelta::hours(1));
    post.mail.deliver(&job).await.unwrap();

    assert_eq!(newest(&post.folder(), 10).unwrap().len(), 1);
}

#[tokio::test]
async fn kept_letters_are_private_and_do_not_fill_the_disk() {
    let post = start().await;
    let (_, _) = post.sent(letter(Language::English, "x")).await;
    for number in 0..1_010 {
        let file = post.folder().join(format!("{number:020}-0-0.eml"));
        std::fs::write(file, "Subject: old\n\n").unwrap();
    }

    let (last, _) = post.sent(letter(Language::English, "newest")).await;

    let files = std::fs::read_dir(post.folder()).unwrap();
    assert_eq!(files.count(), 1_000);
    assert!(last.subject.contains("newest"));
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(post.folder()), 0o700);
    let mut files: Vec<_> =
        std::fs::read_dir(post.folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(mode(files.pop().unwrap()), 0o600);
}

fn read(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => read(&path, found),
            path if path.extension().is_some_and(|extension| extension == "rs") => {
                found.push_str(&std::fs::read_to_string(path).unwrap());
            }
            _ => {}
        }
    }
}

/// A letter without words would stay in the queue for ever.
#[test]
fn each_kind_of_letter_has_a_subject_and_a_text() {
    let mut code = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut code);
    let words = include_str!("../../templates/words/en/mail.ftl");

    let kinds: BTreeSet<&str> = code
        .split(&['"', '\n'])
        .filter(|text| text.strip_prefix("mail-").is_some_and(|rest| !rest.is_empty()))
        .filter(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        .filter(|text| !["mail-footer", "mail-or-copy"].contains(text))
        .collect();
    assert!(kinds.contains("mail-test"));
    for kind in kinds {
        for part in ["subject", "text"] {
            assert!(words.contains(&format!("\n{kind}-{part} =")), "{kind}-{part}");
        }
    }
}
