//! The platform's own command line, `@lifeomic/cli`, unmodified: pointed here by its configuration
//! file alone.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use narthex::base::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::clients::node::packages;
use crate::common::actors::Person;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ada;

/// How long one command may take.
const TIME_MAX: Duration = Duration::from_mins(1);

/// The app of the command line, as an operator declares it: it asks for no scope, keeps its refresh
/// token for good, and listens on one port.
const APPS: &str = "
apps:
  - id: cli
    account: acme
    title: Command line
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [SCOPES]
    callback_urls: [http://localhost:8787]
    rotate_refresh_tokens: false
    access_token_seconds: SECONDS
";
const PRIVILEGES: &[&str] = &[
    "readData",
    "readMaskedData",
    "downloadFile",
    "createData",
    "deleteData",
    "updateData",
    "layoutAdmin",
    "accessAdmin",
    "accountAdmin",
    "billingAdmin",
    "projectAdmin",
    "apiKeyUser",
    "developApps",
    "eduContentAdmin",
];

/// All scopes of the built-in API, and those of sign-ins.
fn scopes() -> String {
    let own = narthex::gate::routes::scopes().map(|scope| scope.name);
    ["openid", "profile", "email"].into_iter().chain(own).collect::<Vec<_>>().join(", ")
}

pub fn declared(seconds: u32) -> String {
    APPS.replace("SCOPES", &scopes()).replace("SECONDS", &seconds.to_string())
}

/// What lets ada do everything.
pub fn everything() -> String {
    let rule = "[{ user.groups: { comparison: includes, value: acme-admins } }]";
    let rules = PRIVILEGES.iter().map(|name| format!("          {name}: {rule}\n"));
    let rules: String = rules.collect();
    format!(
        "accounts:\n  - id: acme\n    name: Acme Hospital\n    type: ENTERPRISE\n    policies:\n      \
         - name: Everything\n        rules:\n{rules}"
    )
}

/// A home of the command line.
struct Lo {
    home: TempDir,
}

impl Lo {
    fn new(server: &TestServer) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let here = json!({
            "clientId": "cli", "apiUrl": server.url, "appsUrl": server.url,
            "fhirUrl": server.url, "ga4ghUrl": server.url, "defaults": { "account": "acme" },
        });
        let lo = Self { home };
        std::fs::create_dir_all(lo.config().parent().expect("a folder")).expect("a folder");
        lo.write(&json!({ "here": here, "defaults": { "environment": "here" } }));
        let script = format!(
            "#!/bin/sh\nprintf '%s' \"$1\" >'{0}.part' && mv '{0}.part' '{0}'\n",
            lo.asked().display()
        );
        std::fs::write(lo.browser(), script).expect("a script");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(lo.browser(), executable).expect("a script");
        lo
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("configstore/lifeomic-cli.json")
    }

    fn write(&self, config: &Value) {
        std::fs::write(self.config(), config.to_string()).expect("a file");
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.config()).expect("a file")).expect("JSON")
    }

    fn token(&self, name: &str) -> String {
        self.read()["here"]["tokens"][name].as_str().unwrap_or_default().to_owned()
    }

    fn browser(&self) -> PathBuf {
        self.home.path().join("browser")
    }

    /// Where the browser says what it was asked to open.
    fn asked(&self) -> PathBuf {
        self.home.path().join("asked")
    }

    fn command(&self, args: &[&str]) -> Command {
        let program: &Path = &packages().join("@lifeomic/cli/lo.js");
        let mut command = Command::new("node");
        command
            .arg(program)
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("BROWSER", self.browser())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command with this input, and answers what it says.
    async fn run(&self, args: &[&str], input: &str) -> (bool, String) {
        let mut child = self.command(args).spawn().expect("node starts");
        let mut stdin = child.stdin.take().expect("an input");
        stdin.write_all(input.as_bytes()).await.expect("it reads");
        drop(stdin);
        let output = tokio::time::timeout(TIME_MAX, child.wait_with_output()).await;
        let output = output.expect("it ends").expect("its output");
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What a command answers, as JSON.
    async fn json(&self, args: &[&str]) -> Value {
        self.json_of(args, "").await
    }

    async fn json_of(&self, args: &[&str], input: &str) -> Value {
        let (is_good, said) = self.run(&[args, &["--jsonLine"]].concat(), input).await;
        assert!(is_good, "lo {args:?}: {said}");
        let line = said.trim().lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|_| panic!("lo {args:?}: {said}"))
    }

    /// `lo auth`: the command opens a browser, in which the person signs in, and is called back.
    async fn sign_in(&self, server: &TestServer, person: &Person) {
        let child = self.command(&["auth"]).spawn().expect("node starts");
        let asked = async {
            loop {
                if let Ok(url) = tokio::fs::read_to_string(self.asked()).await {
                    return url;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let url = tokio::time::timeout(TIME_MAX, asked).await.expect("a browser is opened");
        let path = url.strip_prefix(&server.url).expect("it is ours").to_owned();
        assert!(path.starts_with("/v1/oauth/authorize?"), "{path}");
        let back = person.authorize(server, &path).await;
        let back = back.location().to_owned();
        assert!(
            back.starts_with("http://localhost:8787/?")
                || back.starts_with("http://localhost:8787?"),
            "{back}"
        );
        reqwest::get(&back).await.expect("the command listens");
        let output = tokio::time::timeout(TIME_MAX, child.wait_with_output()).await;
        let output = output.expect("it ends").expect("its output");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Authentication successful"), "{said}");
    }
}

/// Everything of one kind, one after the other: made, read, changed, listed, removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_command_line_does_all_that_there_is_here() {
    let server = TestServer::start(Kind::Postgres).await;
    server.advance(SystemClock.now() - server.clock.now());
    server.apply(&everything()).await;
    server.apply(&declared(3_600)).await;
    let lo = Lo::new(&server);

    lo.sign_in(&server, &ada(&server)).await;
    for name in ["accessToken", "refreshToken", "idToken"] {
        assert!(!lo.token(name).is_empty(), "{name}");
    }
    refreshes(&server, &lo).await;
    accounts(&lo).await;
    groups(&lo).await;
    projects(&lo).await;
    if is_here("/v1/evaluated-policy") {
        policies(&lo).await;
    }
    if is_here("/v1/api-keys") {
        api_keys(&lo).await;
    }
}

/// Whether the API has such a path.
fn is_here(path: &str) -> bool {
    narthex::gate::routes::table().any(|route| route.path == path)
}

/// By hand, twice with the same refresh token; and by itself, when little time is left.
async fn refreshes(server: &TestServer, lo: &Lo) {
    for _ in 0..2 {
        let before = lo.token("accessToken");
        server.advance(chrono::TimeDelta::seconds(1));
        let (is_good, said) = lo.run(&["auth", "-r"], "").await;
        assert!(is_good && said.contains("Access token refreshed"), "{said}");
        assert_ne!(lo.token("accessToken"), before);
    }
    server.apply(&declared(300)).await;
    lo.run(&["auth", "-r"], "").await;
    let before = lo.token("accessToken");
    server.advance(chrono::TimeDelta::seconds(1));
    lo.json(&["accounts", "list"]).await;
    assert_ne!(lo.token("accessToken"), before);
    server.apply(&declared(3_600)).await;
    lo.run(&["auth", "-r"], "").await;
}

async fn accounts(lo: &Lo) {
    let list = lo.json(&["accounts", "list"]).await;
    assert_eq!(list["accounts"][0]["id"], "acme", "{list}");
    assert_eq!(lo.json(&["accounts", "get", "acme"]).await["name"], "Acme Hospital");
    let (is_good, said) = lo.run(&["accounts", "get", "beta"], "").await;
    assert!(!is_good && said.contains("Request failed"), "{said}");
}

async fn groups(lo: &Lo) {
    let made = lo.json(&["groups", "create", "Night shift", "-d", "At night"]).await;
    let id = made["id"].as_str().expect("an id");
    assert_eq!(lo.json(&["groups", "get", id]).await["description"], "At night");
    let named = lo.json(&["groups", "list", "-p", "Night"]).await;
    assert_eq!(named["items"][0]["id"], id, "{named}");
    lo.json(&["groups", "update", id, "Day shift", "-d", "By day"]).await;
    assert_eq!(lo.json(&["groups", "get", id]).await["name"], "Day shift");
    lo.json(&["groups", "members-add", id, "ben"]).await;
    let members = lo.json(&["groups", "members", id]).await;
    assert_eq!(members["items"][0]["id"], "ben", "{members}");
    lo.json(&["groups", "members-remove", id, "ben"]).await;
    assert_eq!(lo.json(&["groups", "members", id]).await["items"], json!([]));
    let page = lo.json(&["groups", "list", "-n", "1"]).await;
    let token = page["nextPageToken"].as_str().expect("a next page");
    let next = lo.json(&["groups", "list", "-n", "1", "-t", token]).await;
    assert_ne!(page["items"], next["items"]);
}

async fn policies(lo: &Lo) {
    let yaml = "name: Night access\npolicy:\n  rules:\n    readData: true\n";
    let made = lo.json_of(&["policies", "create"], yaml).await;
    assert_eq!(made["name"], "Night access");
    let got = lo.json(&["policies", "get", "Night access"]).await;
    assert_eq!(got["policy"], json!({"rules": {"readData": true}}));
    let list = lo.json(&["policies", "list", "-n", "100"]).await;
    let items = list["items"].as_array().expect("items");
    assert!(items.iter().any(|one| one["name"] == "Night access"), "{list}");
    let yaml = yaml.replace("Night", "Day");
    let renamed = lo.json_of(&["policies", "update", "Night access"], &yaml).await;
    assert_eq!(renamed["name"], "Day access");
    let own = lo.json(&["policies", "evaluate"]).await;
    assert_eq!(own["rules"]["accessAdmin"], true, "{own}");
    let bens = lo.json(&["policies", "evaluate", "ben"]).await;
    assert_eq!(bens["rules"]["readData"], true, "{bens}");
    assert!(bens["rules"].get("accessAdmin").is_none(), "{bens}");
    lo.json(&["policies", "delete", "Day access"]).await;
    let (is_good, said) = lo.run(&["policies", "get", "Day access"], "").await;
    assert!(!is_good && said.contains("404"), "{said}");
}

async fn projects(lo: &Lo) {
    let made = lo.json(&["projects", "create", "Night study"]).await;
    let id = made["id"].as_str().expect("an id");
    assert_eq!(lo.json(&["projects", "get", id]).await["name"], "Night study");
    let named = lo.json(&["projects", "list", "-p", "Night"]).await;
    assert_eq!(named["items"][0]["id"], id, "{named}");
    if narthex::gate::routes::find("DELETE", "/v1/projects/{id}").is_some() {
        lo.json(&["projects", "delete", id]).await;
    }
}

/// A key is made, and then carries the commands by itself.
async fn api_keys(lo: &Lo) {
    let made = lo.json(&["api-keys", "create", "night", "-e", "30"]).await;
    let (id, key) = (made["id"].as_str().expect("an id"), made["apiKey"].as_str().expect("a key"));
    let list = lo.json(&["api-keys", "list"]).await;
    assert_eq!(list["items"][0]["id"], id, "{list}");
    let before = lo.read();
    let mut by_key = before.clone();
    by_key["here"]["defaults"]["useApiKey"] = true.into();
    by_key["here"]["defaults"]["apiKey"] = key.into();
    by_key["here"].as_object_mut().expect("an object").remove("tokens");
    lo.write(&by_key);
    assert_eq!(lo.json(&["accounts", "get", "acme"]).await["id"], "acme");
    lo.write(&before);
    lo.json(&["api-keys", "delete", id]).await;
    lo.write(&by_key);
    let (is_good, said) = lo.run(&["accounts", "get", "acme"], "").await;
    assert!(!is_good && said.contains("have expired"), "{said}");
}
