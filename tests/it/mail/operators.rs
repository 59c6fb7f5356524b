//! What operators do about letters, with the real program.

use narthex::config::load::{Overrides, load};
use narthex::config::mail::SmtpTls;
use narthex::db::error::DbError;
use narthex::keys::vault::Vault;
use narthex::mail::service::post;
use narthex::words::Language;

use crate::common::both;
use crate::common::database::{Kind, TestDatabase};
use crate::common::program::{Running, flags, free_port, narthex, with_flags};
use crate::mail::letter;
use crate::mail::smtpd::Smtpd;

both!(
    a_letter_leaves_although_the_process_dies,
    a_test_letter_says_what_happened,
    what_was_given_up_is_listed_and_tried_again,
);

/// Writes a letter as a process does that dies right after its commit.
async fn post_and_die(database: &TestDatabase, flags: &[String], to: &str) {
    let pairs = flags.chunks(2).map(|pair| match pair[0].as_str() {
        "--data-dir" => ("data_dir".to_owned(), pair[1].clone()),
        "--database-url" => ("database.url".to_owned(), pair[1].clone()),
        _ => {
            pair[1].split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap()
        }
    });
    let flags = pairs.map(|(key, value)| ("--set".to_owned(), key, value)).collect();
    let overrides = Overrides { file: None, flags, folder: "narthex", own_key: false };
    let entropy = narthex::base::entropy::OsEntropy::default();
    let config = load(&overrides, &entropy).expect("a configuration").config;
    assert!(config.data_dir.starts_with(database.folder.path()));
    let (ctx, _) = narthex::cli::open::database(&config).await.expect("a database");
    let vault = Vault::new(config.encryption_key.bytes());
    let input = (ctx.clone(), vault, letter(to, Language::English, "x", None));
    let unit = ctx.db.write(input, |tx, (ctx, vault, letter)| {
        Box::pin(async move { post(tx, ctx, vault, letter).await })
    });
    unit.await.unwrap_or_else(|error: DbError| panic!("{error}"));
}

fn serve(database: &TestDatabase, flags: &[String], smtp_port: u16) -> Running {
    let address = format!("127.0.0.1:{}", free_port());
    let smtp = format!("mail.smtp_url=smtp+plain://127.0.0.1:{smtp_port}");
    let args = ["serve", "--listen", &address, "--set", &smtp];
    Running::start(narthex(database.folder.path(), &with_flags(&args, flags)), "Narthex serves")
}

fn run(database: &TestDatabase, args: &[&str]) -> (Option<i32>, String) {
    let mut command = narthex(database.folder.path(), args);
    let output = command.output().expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).expect("text"))
}

async fn a_letter_leaves_although_the_process_dies(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let flags = flags(&database);
    post_and_die(&database, &flags, "ada@example.org").await;
    let port = free_port();
    // One that tries and fails, and dies with the job in its hands.
    serve(&database, &flags, port).kill();
    let smtpd = Smtpd::start_at(SmtpTls::None, port);
    post_and_die(&database, &flags, "ben@example.org").await;

    let _server = serve(&database, &flags, port);

    let mut readers: Vec<_> =
        smtpd.wait_for(2).await.into_iter().flat_map(|taken| taken.to).collect();
    readers.sort();
    assert_eq!(readers, ["ada@example.org", "ben@example.org"]);
}

async fn a_test_letter_says_what_happened(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let flags = flags(&database);
    let smtpd = Smtpd::start(SmtpTls::StartTls);
    let ca_file = smtpd.smtp().ca_file.expect("a file");
    let url = format!("mail.smtp_url=smtp://narthex:p%40ss%3Aword@localhost:{}", smtpd.port);
    let wrong = url.replace("p%40ss", "hunter2");
    let ca = format!("mail.smtp_ca_file={}", ca_file.display());
    let test = |url: &str, to: &str| {
        let args = ["mail", "test", to, "--language", "de", "--set", url, "--set", &ca];
        run(&database, &with_flags(&args, &flags))
    };

    let (code, said) = test(&url, "ada@example.org");
    assert_eq!((code, said.trim()), (Some(0), "it left: taken as 1"));
    assert!(smtpd.letters()[0].all("subject")[0].starts_with("Eine Testnachricht"));
    let (code, said) = test(&url, "refused@example.org");
    assert_eq!(code, Some(1));
    assert!(said.contains("there is nobody of that name"), "{said}");
    let (code, said) = test(&wrong, "ada@example.org");
    assert_eq!(code, Some(1));
    assert!(said.contains("does not accept our user") && !said.contains("hunter2"), "{said}");
    let (code, _) = test(&url, "Ada <ada@example.org>");
    assert_eq!(code, Some(2));
    let (code, said) = run(&database, &with_flags(&["mail", "test", "a@b.example"], &flags));
    assert!(code == Some(0) && said.contains("a file in "), "{said}");
}

async fn what_was_given_up_is_listed_and_tried_again(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let flags = flags(&database);
    let smtpd = Smtpd::start(SmtpTls::None);
    post_and_die(&database, &flags, "refused@example.org").await;
    let mut server = serve(&database, &flags, smtpd.port);
    let dead = || run(&database, &with_flags(&["queue", "dead"], &flags)).1;
    for _ in 0..200 {
        if !dead().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let said = dead();
    assert!(said.contains("mail") && said.contains("1 attempts"), "{said}");
    assert!(!said.contains("refused@"));
    server.stop();
    let id = said.split_whitespace().next().expect("a number");

    let retry = |id: &str| run(&database, &with_flags(&["queue", "retry", id], &flags));
    assert_eq!(retry("4711").0, Some(1));
    assert_eq!(retry(id), (Some(0), "1 will be tried again\n".to_owned()));
    assert_eq!(dead(), "");
    assert_eq!(retry("--all"), (Some(0), "0 will be tried again\n".to_owned()));
}
