//! Configuration as code, against both databases.

use chrono::TimeDelta;
use narthex::base::secret::Secret;
use narthex::server::ServerParts;
use narthex::setup::difference::Difference;
use narthex::setup::service::{Setup, SetupError};

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;

both!(
    applying_again_changes_nothing,
    a_difference_names_what_changes,
    a_dry_run_writes_nothing,
    contradictions_are_named_by_line_and_nothing_is_written,
    a_list_of_members_is_the_whole_list,
    what_the_file_leaves_out_stays,
    hashes_and_references_are_as_good_as_clear_text,
    one_file_may_rename_and_refer_at_once,
);

const FILE: &str = "\
users:
  - username: ada
    id: ada
    name: Ada Byron
    email: ada@example.org
    password: notes-on-the-engine
    totp: MFSGCLLUNBSS2ZLOMNUGC3TUMVZGK43T
  - username: ben
    password: heart-beats-steady
accounts:
  - id: acme
    name: Acme
    groups:
      - { id: staff, name: Staff, members: [ada, ben] }
    members:
      - { user: ada, attributes: { clearance: high } }
    policies:
      - name: Staff reads
        rules:
          readData:
            - user.groups: { comparison: includes, value: staff }
    projects:
      - { id: heart, name: Heart study }
apps:
  - id: portal
    account: acme
    title: Portal
    status: live
    type: confidential
    allowed_scopes: [openid, project.read]
    allowed_accounts: [acme]
    callback_urls: [https://portal.example.org/cb]
    secrets: [a-secret-that-is-long-enough-to-be-one]
";

fn setup(server: &TestServer) -> Setup {
    let ServerParts { users, accounts, apis, apps, policies, projects, providers, .. } =
        &*server.server;
    Setup::new(users, accounts, (apps, apis), policies, projects, providers)
}

async fn apply(server: &TestServer, text: &str) -> Result<Difference, SetupError> {
    let declaration = Setup::read(text, server.database.folder.path())?;
    setup(server).apply(&declaration).await
}

async fn compare(server: &TestServer, text: &str) -> Result<Difference, SetupError> {
    let declaration = Setup::read(text, server.database.folder.path())?;
    setup(server).compare(&declaration).await
}

/// The lines of a difference that change something.
fn lines(difference: &Difference) -> Vec<String> {
    let text = difference.to_string();
    text.lines().filter(|line| line.starts_with(['+', '~'])).map(str::to_owned).collect()
}

async fn applying_again_changes_nothing(db: Kind) {
    let server = TestServer::start_empty(db).await;
    let first = apply(&server, FILE).await.expect("a good file");
    let written = server.count("SELECT MAX(changed_at) AS n FROM passwords").await;
    server.advance(TimeDelta::hours(1));

    let again = apply(&server, FILE).await.expect("a good file");

    assert_eq!(lines(&first).len(), 9 + 1, "{first}");
    assert!(again.is_empty(), "{again}");
    let kept = server.count("SELECT MAX(changed_at) AS n FROM passwords").await;
    assert_eq!(kept, written, "a password that is right already is not hashed anew");
}

async fn a_difference_names_what_changes(db: Kind) {
    let server = TestServer::start_empty(db).await;
    apply(&server, FILE).await.expect("a good file");
    let changed = FILE
        .replace("name: Ada Byron", "name: Ada Lovelace")
        .replace("notes-on-the-engine", "notes-on-another-engine")
        .replace("Heart study", "Heart rhythm study")
        .replace("status: live", "status: developing")
        .replace("a-secret-that-is-long", "another-secret-that-is-long");

    let difference = apply(&server, &changed).await.expect("a good file");

    assert_eq!(
        lines(&difference),
        [
            "~ user ada: name, password",
            "~ project acme/heart",
            "~ app portal: status",
            "~ secrets of app portal",
        ]
    );
    assert!(compare(&server, &changed).await.expect("a good file").is_empty());
}

async fn a_dry_run_writes_nothing(db: Kind) {
    let server = TestServer::start_empty(db).await;

    let planned = compare(&server, FILE).await.expect("a good file");

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 0);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM accounts").await, 0);
    let done = apply(&server, FILE).await.expect("a good file");
    assert_eq!(planned, done, "the plan is what happens");
}

async fn contradictions_are_named_by_line_and_nothing_is_written(db: Kind) {
    let server = TestServer::start_empty(db).await;
    apply(&server, FILE).await.expect("a good file");
    let wrong = "\
users:
  - { username: ada, id: somebody-else }
  - { username: carl }
accounts:
  - id: other
    name: Other
    groups:
      - { id: other-staff, name: Staff, members: [carl, nobody] }
apps:
  - id: second
    account: nowhere
    title: Second
    callback_urls: [https://second.example.org/cb]
";

    let refused = apply(&server, wrong).await.expect_err("three contradictions").to_string();

    let lines: Vec<&str> = refused.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "line 2, column 7: users[0].username: there is a user of this name with another id",
            "line 8, column 57: accounts[0].groups[0].members[1]: there is no user nobody",
            "line 11, column 14: apps[0].account: there is no account nowhere",
        ]
    );
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM users").await, 2);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM accounts").await, 1);
}

async fn a_list_of_members_is_the_whole_list(db: Kind) {
    let server = TestServer::start_empty(db).await;
    apply(&server, FILE).await.expect("a good file");

    let without_ben = FILE.replace("members: [ada, ben]", "members: [ada]");
    let difference = apply(&server, &without_ben).await.expect("a good file");

    assert_eq!(lines(&difference), ["~ members of group acme/staff"]);
    let ben = server.server.users.find_by_username("ben").await.expect("users").expect("ben");
    let acme = "acme".parse().expect("an id");
    let membership = server.server.accounts.membership(&acme, &ben.id).await.expect("accounts");
    assert!(membership.is_none());
}

async fn what_the_file_leaves_out_stays(db: Kind) {
    let server = TestServer::start_empty(db).await;
    apply(&server, FILE).await.expect("a good file");
    let less = "\
users:
  - { username: ADA, name: Ada Byron, email: ada@example.org }
accounts:
  - { id: acme, name: Acme, groups: [{ id: staff, name: Staff }] }
";

    let difference = apply(&server, less).await.expect("a good file");

    // The name to sign in with is the same in any case, but shown as the file writes it.
    assert_eq!(lines(&difference), ["~ user ADA: username"]);
    let kept = compare(&server, &FILE.replace("username: ada", "username: ADA")).await;
    assert!(kept.expect("a good file").is_empty());
}

async fn hashes_and_references_are_as_good_as_clear_text(db: Kind) {
    let server = TestServer::start_empty(db).await;
    let secret = Secret::presented("a-secret-that-is-long-enough-to-be-one");
    let digest = secret.digest().0;
    let hex = digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    std::fs::write(server.database.folder.path().join("ben.txt"), "heart-beats-steady\n")
        .expect("a file");
    apply(&server, FILE).await.expect("a good file");

    let referring = FILE
        .replace(
            "[a-secret-that-is-long-enough-to-be-one]",
            &format!("[{{ hash: 'sha256:{hex}' }}]"),
        )
        .replace("password: heart-beats-steady", "password: { file: ben.txt }");

    let difference = compare(&server, &referring).await.expect("a good file");
    assert!(difference.is_empty(), "{difference}");
    let portal = "portal".parse().expect("an id");
    let portal = server.server.apps.find(&portal).await.expect("apps").expect("portal");
    assert!(portal.secret_matches(&secret, server.server.ctx.now()));
}

async fn one_file_may_rename_and_refer_at_once(db: Kind) {
    let server = TestServer::start_empty(db).await;
    apply(&server, FILE).await.expect("a good file");
    let renamed = FILE
        .replace("username: ada", "username: countess")
        .replace("[ada,", "[countess,")
        .replace("user: ada", "user: countess");

    let difference = apply(&server, &renamed).await.expect("a good file");

    assert_eq!(lines(&difference), ["~ user countess: username"]);
    assert!(server.server.users.find_by_username("ada").await.expect("users").is_none());
}
