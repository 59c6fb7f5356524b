//! The real program, as an operator starts it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::database::TestDatabase;

/// Where ports begin that Linux gives to no connection by itself (`ip_local_port_range`).
const FIRST_PORT: u16 = 20_000;
/// How many there are.
const PORTS: u16 = 12_000;

/// The program in a world of its own: no variables, no home but `folder`.
pub fn narthex(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex"));
    command.env_clear().env("HOME", folder).current_dir(folder).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Flags that lead to a database of the test's own.
pub fn flags(database: &TestDatabase) -> Vec<String> {
    let mut flags = vec!["--data-dir".to_owned(), database.folder.path().display().to_string()];
    if let Some(url) = database.postgres_url() {
        flags.extend(["--database-url".to_owned(), url]);
        flags.extend(["--set".to_owned(), format!("encryption_key={}", "ab".repeat(32))]);
    }
    flags
}

pub fn with_flags<'a>(args: &[&'a str], flags: &'a [String]) -> Vec<&'a str> {
    args.iter().copied().chain(flags.iter().map(String::as_str)).collect()
}

/// Declares what a text says.
#[track_caller]
pub fn apply(database: &TestDatabase, yaml: &str) {
    let folder = database.folder.path();
    std::fs::write(folder.join("declared.yaml"), yaml).expect("a file");
    let flags = flags(database);
    let mut command = narthex(folder, &with_flags(&["apply", "declared.yaml"], &flags));
    let output = command.output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A program that runs until it is dropped.
pub struct Running {
    child: Child,
    /// What it said until it was ready.
    pub said: String,
}

impl Running {
    /// Starts it, and waits for a line of its output that has `ready` in it.
    pub fn start(command: Command, ready: &str) -> Self {
        Self::try_start(command, ready).unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same; what it said, if it ended before it was ready.
    pub fn try_start(mut command: Command, ready: &str) -> Result<Self, String> {
        let mut child = command.spawn().expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("its output"));
        let mut errors = child.stderr.take().expect("its errors");
        let mut said = String::new();
        while !said.lines().any(|line| line.contains(ready)) {
            if reader.read_line(&mut said).expect("text") == 0 {
                let mut complaint = String::new();
                let _ = errors.read_to_string(&mut complaint);
                let _ = child.wait();
                return Err(format!("it ended before it was ready: {said}{complaint}"));
            }
        }
        // What it says later must not fill the pipes.
        std::thread::spawn(move || reader.read_to_end(&mut Vec::new()));
        std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
        Ok(Self { child, said })
    }

    /// The first word after `label` in what it said, without a comma.
    #[track_caller]
    pub fn word_after(&self, label: &str) -> String {
        let rest = self.said.split_once(label).map(|(_, rest)| rest);
        let word = rest.and_then(|rest| rest.split_whitespace().next());
        let word = word.unwrap_or_else(|| panic!("no {label} in {}", self.said));
        word.trim_end_matches(',').to_owned()
    }

    /// Asks it to stop, and answers its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let id = i32::try_from(self.child.id()).expect("an id");
        kill_process(Pid::from_raw(id).expect("an id"), Signal::TERM).expect("it can be asked");
        self.child.wait().expect("it ends").code()
    }

    /// Ends it at once, without a chance to tidy up: `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it has ended");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that is free, and stays so until somebody listens at it: it is none of those that
/// connections are given, and is handed out once by this process, whose number says where it begins.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() % u32::from(PORTS);
    loop {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = (begin + step) % u32::from(PORTS);
        let port = FIRST_PORT + u16::try_from(port).expect("a port");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
