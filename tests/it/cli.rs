//! The program itself: its words, its exit codes, its start and its end.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};
use crate::common::program::{self, Running, flags, narthex, with_flags};

/// What a run of the program said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

fn finish(command: &mut Command) -> Said {
    let output = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said {
        code: output.status.code().expect("an exit code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

fn run(folder: &Path, args: &[&str]) -> Said {
    finish(&mut narthex(folder, args))
}

fn with_input(folder: &Path, args: &[&str], input: &str) -> Said {
    let mut child = narthex(folder, args).stdin(Stdio::piped()).spawn().expect("it starts");
    // A program that does not read its input may be gone before all of it is written.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    Said {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn help_tells_how_to_begin() {
    let folder = folder();
    let help = run(folder.path(), &["--help"]);

    assert_eq!(help.code, 0);
    for word in ["demo", "serve", "migrate", "apply", "config", "keys", "user", "app", "policy"] {
        assert!(help.out.contains(&format!("\n  {word} ")), "{word}\n{}", help.out);
    }
    assert!(help.out.contains("Exit codes: 0 done, 1 failed, 2 "));
    assert_eq!(run(folder.path(), &["sevre"]).code, 2);
}

#[test]
fn config_show_masks_secrets_and_names_sources() {
    let folder = folder();
    std::fs::write(folder.path().join("n.toml"), "nodes = 2\n[log]\nformat = \"json\"\n")
        .expect("a file");
    let mut command = narthex(folder.path(), &["config", "show", "--config", "n.toml"]);
    command.env("NARTHEX_DATABASE_URL", "postgres://nar:hunter2@db/narthex");
    command.env("NARTHEX_ENCRYPTION_KEY", "ab".repeat(32));

    let said = finish(&mut command);

    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!said.out.contains("hunter2") && !said.out.contains("abab"), "{}", said.out);
    assert!(said.out.contains("nodes = 2  # n.toml line 1"));
    assert!(
        said.out.contains("url = \"postgres://nar:********@db/narthex\"  # NARTHEX_DATABASE_URL")
    );
    assert!(said.out.contains("listen = \"127.0.0.1:8080\"  # default"));
}

#[test]
fn a_wrong_configuration_stops_every_command_and_leaves_no_trace() {
    let folder = folder();
    for args in [&["config", "check"][..], &["serve"], &["migrate"], &["demo"]] {
        let mut command = narthex(folder.path(), args);
        command.env("NARTHEX_LISEN", "x").env("NARTHEX_NODES", "2");

        let said = finish(&mut command);

        assert_eq!(said.code, 2, "{args:?} {}", said.err);
        assert!(
            said.err
                .contains("NARTHEX_LISEN: there is no such variable; did you mean NARTHEX_LISTEN?")
        );
        assert!(said.err.contains("nodes: more than one node needs PostgreSQL"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn postgresql_without_a_key_does_not_start() {
    let folder = folder();
    let said = run(folder.path(), &["serve", "--database-url", "postgres://u:hunter2@db/n"]);

    assert_eq!(said.code, 2);
    assert!(said.err.contains("encryption_key: is missing"), "{}", said.err);
    assert!(!said.err.contains("hunter2"));
}

/// No key is built in: each server makes its own, and there is nothing to set up over HTTP.
#[test]
fn case_71_each_data_directory_has_a_key_of_its_own() {
    let (one, two) = (folder(), folder());
    let key = |folder: &Path| {
        let args = ["migrate", "--data-dir", folder.to_str().expect("UTF-8")];
        assert_eq!(run(folder, &args).code, 0);
        std::fs::read_to_string(folder.join("encryption.key")).expect("a key")
    };

    let (first, second) = (key(one.path()), key(two.path()));

    assert_ne!(first, second);
    assert_eq!(first, key(one.path()), "a key stays");
    for path in ["encryption.key", "narthex.db"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(one.path().join(path)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path} is for its owner alone");
    }
}

#[test]
fn faults_of_a_file_are_misuse_with_lines() {
    let folder = folder();
    let said =
        with_input(folder.path(), &["apply", "-"], "users:\n  - username: ada\n    pasword: x\n");

    assert_eq!(said.code, 2);
    assert!(said.err.contains("standard input: nothing was changed"), "{}", said.err);
    assert!(said.err.contains("line 3, column 5: users[0].pasword: there is no such key"));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    assert_eq!(run(folder.path(), &["apply", "nowhere.yaml"]).code, 2);
}

both!(
    a_server_is_set_up_from_the_command_line,
    serve_answers_until_it_is_asked_to_stop,
    case_71_nothing_can_be_set_up_over_http,
    the_demo_starts_twice_and_only_on_a_database_of_its_own,
);

async fn a_server_is_set_up_from_the_command_line(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let (place, flags) = (database.folder.path(), flags(&database));
    let file = "users: [{ username: ada, password: { env: ADA } }]\n";
    let apply = |args: &[&str]| {
        let mut command = narthex(place, &with_flags(args, &flags));
        finish(command.env("ADA", "notes-on-the-engine"))
    };
    std::fs::write(place.join("site.yaml"), file).expect("a file");

    let migrated = run(place, &with_flags(&["migrate"], &flags));
    assert!(migrated.out.contains("ran 0001_keys\n"), "{} {}", migrated.out, migrated.err);
    let dry = apply(&["apply", "site.yaml", "--dry-run"]);
    assert_eq!(
        dry.out,
        "+ user ada\n1 created, 0 changed, 0 as declared already\ndry run: nothing was changed\n"
    );
    let done = apply(&["apply", "site.yaml"]);
    assert_eq!((done.code, done.out.lines().next()), (0, Some("+ user ada")), "{}", done.err);
    let again = apply(&["apply", "site.yaml"]);
    assert_eq!(again.out, "0 created, 0 changed, 1 as declared already\n");

    let passwd = with_flags(&["user", "passwd", "ada"], &flags);
    assert_eq!(with_input(place, &passwd, "another-long-password\n").code, 0);
    let short = with_input(place, &passwd, "short\n");
    assert_eq!(
        (short.code, short.err.as_str()),
        (1, "narthex: a password must have at least 12 characters\n")
    );
    let changed = apply(&["apply", "site.yaml", "--dry-run"]);
    assert!(changed.out.starts_with("~ user ada: password\n"), "{}", changed.out);

    let totp = run(place, &with_flags(&["user", "totp", "ada"], &flags));
    assert!(totp.out.contains("otpauth://totp/"), "{}", totp.err);
    let taken = run(place, &with_flags(&["user", "create", "Ada", "--generate-password"], &flags));
    assert_eq!(taken.code, 1);
    assert_eq!(
        (taken.out.as_str(), taken.err.as_str()),
        ("", "narthex: there is a user with this name already\n")
    );
}

async fn serve_answers_until_it_is_asked_to_stop(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let flags = flags(&database);
    let args = with_flags(&["serve", "--listen", "127.0.0.1:0"], &flags);
    let mut running = Running::start(narthex(database.folder.path(), &args), "Narthex serves");
    let url = running.word_after("serves ");

    let answer = Browser::new(&url).get("/.well-known/openid-configuration").await;

    assert_eq!(answer.json()["issuer"], url.as_str());
    let port = url.rsplit(':').next().expect("a port").to_owned();
    let taken = format!("127.0.0.1:{port}");
    let second = run(database.folder.path(), &with_flags(&["serve", "--listen", &taken], &flags));
    assert_eq!(second.code, 1);
    assert!(second.err.contains(&format!("cannot listen on {taken}")), "{}", second.err);
    assert_eq!(running.stop(), Some(0), "it ends in order");
}

async fn case_71_nothing_can_be_set_up_over_http(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let flags = flags(&database);
    let args = with_flags(&["serve", "--listen", "127.0.0.1:0"], &flags);
    let running = Running::start(narthex(database.folder.path(), &args), "Narthex serves");
    let browser = Browser::new(&running.word_after("serves "));

    for path in ["/setup", "/install", "/admin", "/v1/setup", "/v1/users", "/codes.json"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
        let posted =
            browser.post(path, &[("username", "admin"), ("password", "admin-admin")]).await;
        assert_eq!(posted.status, 404, "{path}");
    }
    // Apps register themselves only where the operator said so.
    let registered = browser.post_json("/register", &[], "{}".to_owned()).await;
    assert!([401, 403].contains(&registered.status), "{registered:?}");
}

async fn the_demo_starts_twice_and_only_on_a_database_of_its_own(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let place = database.folder.path();
    let args = ["demo", "--listen", "127.0.0.1:0", "--app-listen", "127.0.0.1:0"];
    let flags = flags(&database);

    for _ in 0..2 {
        let mut running = Running::start(narthex(place, &with_flags(&args, &flags)), "Ctrl-C");
        let app = Browser::new(&running.word_after("Open "));
        let settings = app.get("/config.json").await;
        assert_eq!(settings.json()["issuer"], running.word_after("Narthex  ").as_str());
        let codes = app.get("/codes.json").await;
        let code = codes.json()["people"][0]["code"].as_str().map(str::len);
        assert_eq!(code, Some(6));
        assert_eq!(running.stop(), Some(0));
    }

    let other = TestDatabase::empty(db).await;
    let (place, flags) = (other.folder.path(), program::flags(&other));
    let file =
        with_input(place, &with_flags(&["apply", "-"], &flags), "users: [{ username: ada }]");
    assert_eq!(file.code, 0, "{}", file.err);
    let refused = run(place, &with_flags(&args, &flags));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("this database is not the demo's"), "{}", refused.err);
}
