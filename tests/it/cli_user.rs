//! `narthex user invite`, `show` and `keep`, beside a running server.

use std::process::Output;

use chrono::TimeDelta;
use narthex::base::clock::{Clock as _, SystemClock};
use narthex::config::sign_up::SignUp;
use narthex::words::Language;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::program::{narthex, with_flags};
use crate::common::server::TestServer;

both!(users_are_shown_and_kept, people_are_invited_from_the_command_line);

/// Runs the program on the database of the server, with its encryption key.
fn run(server: &TestServer, args: &[&str]) -> (Option<i32>, String, String) {
    let folder = server.database.folder.path();
    let mut flags = vec!["--data-dir".to_owned(), folder.display().to_string()];
    if let Some(url) = server.database.postgres_url() {
        flags.extend(["--database-url".to_owned(), url]);
    }
    flags.extend(["--set".to_owned(), format!("encryption_key={}", "07".repeat(32))]);
    let output: Output = narthex(folder, &with_flags(args, &flags)).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn users_are_shown_and_kept(db: Kind) {
    let server = TestServer::start(db).await;
    // The program looks at the clock of this machine.
    server.advance(SystemClock.now() - server.clock.now());
    let users = &server.server.users;

    let (code, shown, error) = run(&server, &["user", "show", "ben"]);
    assert_eq!(code, Some(0), "{error}");
    for line in ["id        ben", "username  ben", "e-mail    ben@acme.example", "status    active"]
    {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(shown.contains("deletion  not asked for"), "{shown}");
    let (code, said, _) = run(&server, &["user", "keep", "ben"]);
    assert_eq!((code, said.as_str()), (Some(0), "ben was not about to be deleted\n"));

    let ben = "ben".parse().expect("an id");
    let at = server.server.tenancy.ask_own_deletion(&ben, Language::English).await.expect("asked");
    let (_, shown, _) = run(&server, &["user", "show", "BEN"]);
    assert!(shown.contains(&format!("deletion  {}", at.format("%Y-%m-%d"))), "{shown}");
    let (code, said, error) = run(&server, &["user", "keep", "ben"]);
    assert_eq!((code, said.as_str()), (Some(0), "ben will not be deleted\n"), "{error}");
    server.server.ctx.db.poll_changes().await.expect("changes");
    assert_eq!(users.find(&ben).await.expect("an answer").expect("ben").deletion_at, None);

    for command in ["show", "keep"] {
        let (code, said, error) = run(&server, &["user", command, "nobody"]);
        assert_eq!((code, said.as_str()), (Some(1), ""));
        assert!(error.contains("there is no user nobody"), "{error}");
    }
}

async fn people_are_invited_from_the_command_line(db: Kind) {
    let server = TestServer::start_with(db, |config| config.sign_up = SignUp::Invitation).await;
    server.apply(include_str!("common/world.yaml")).await;
    server.advance(SystemClock.now() - server.clock.now());
    let invite = |address: &str, more: &[&str]| {
        let args = [&["user", "invite", address], more].concat();
        run(&server, &args)
    };
    let open = ["--set", "sign_up.mode=invitation"];

    let (code, _, error) = invite("grace@x.example", &[]);
    assert_eq!(code, Some(1));
    assert!(error.contains("set sign_up.mode to invitation or open"), "{error}");
    let (code, _, error) = invite("no address", &open);
    assert_eq!(code, Some(1), "{error}");
    let german = [&open[..], &["--language", "de"]].concat();
    let (code, said, error) = invite("grace@x.example", &german);
    assert_eq!((code, said.as_str()), (Some(0), "invited grace@x.example\n"), "{error}");
    let (code, said, _) = invite("ada@acme.example", &open);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "invited ada@acme.example\n"),
        "nobody learns more"
    );

    // The program posted them by the clock of this machine.
    server.advance(TimeDelta::minutes(5));
    let letters = server.letters().await;
    let to = |address: &str| letters.iter().find(|it| it.to.contains(address)).expect("a letter");
    assert_eq!(to("grace@x.example").subject, "Sie sind eingeladen");
    assert_eq!(to("ada@acme.example").subject, "You have an account already");
    let link = to("grace@x.example").links.last().expect("a link").clone();
    let path = link.split_once("/sign-up").expect("a path").1.to_owned();
    let page = server.browser().get(&format!("/sign-up{path}")).await.expect(200);
    assert!(page.body.contains("grace@x.example"), "{page:?}");
}
