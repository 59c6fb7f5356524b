//! Programs of Node.js that ask the test to be the user.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long a program may be silent.
const TIME_MAX: Duration = Duration::from_mins(1);

/// A running program; gone when dropped.
pub struct Node {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    _folder: tempfile::TempDir,
}

/// The folder with the packages of `tests/clients/package-lock.json`. A test that needs it fails
/// without it: passing silently would be a lie.
pub fn packages() -> PathBuf {
    let folder = std::env::var_os("TEST_NODE_MODULES").expect(
        "TEST_NODE_MODULES is not set: start the tests with tests/run, which installs the packages",
    );
    PathBuf::from(folder)
}

/// Where the scripts are.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

impl Node {
    /// Starts a script of `tests/clients`.
    pub async fn start(script: &str, arguments: &[&str]) -> Self {
        // Node.js looks for packages beside the script, and they are not kept in the clone.
        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join(script);
        tokio::fs::copy(scripts().join(script), &copy).await.expect("the script");
        std::os::unix::fs::symlink(packages(), folder.path().join("node_modules")).expect("a link");
        let mut child = Command::new("node")
            .arg(copy)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let input = child.stdin.take().expect("an input");
        let lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        Self { child, input, lines, _folder: folder }
    }

    /// What it asks for next; `None` when it has ended.
    pub async fn asks(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(TIME_MAX, self.lines.next_line()).await;
        let line = line.expect("it is silent for too long").expect("a line")?;
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Answers what it asked for.
    pub async fn answer(&mut self, answer: &Value) {
        let line = format!("{answer}\n");
        self.input.write_all(line.as_bytes()).await.expect("it listens");
    }

    /// Fails the test with what it said, unless it went well.
    pub async fn expect_success(mut self) {
        let mut said = String::new();
        let mut errors = self.child.stderr.take().expect("an output for errors");
        errors.read_to_string(&mut said).await.expect("text");
        let status = self.child.wait().await.expect("an end");
        assert!(status.success(), "{said}");
    }
}
