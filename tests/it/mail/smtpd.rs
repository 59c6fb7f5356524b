//! A mail server that takes letters: Python's aiosmtpd, driven by `tests/clients/smtpd.py`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use narthex::base::secret::Secret;
use narthex::config::mail::{Smtp, SmtpTls, Way};
use serde::Deserialize;
use tempfile::TempDir;

use crate::common::program::Running;
use crate::common::tls::{Identity, server_identity};

/// A letter as the server took it, read by Python's library.
#[derive(Clone, Debug, Deserialize)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
    pub tls: bool,
}

impl Taken {
    /// The values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The first URL in the plain part.
    pub fn link(&self) -> &str {
        let is_link = |word: &&str| word.starts_with("http");
        self.text.split_whitespace().find(is_link).expect("a link")
    }
}

/// A mail server that runs until it is dropped.
pub struct Smtpd {
    _running: Running,
    folder: TempDir,
    pub port: u16,
    tls: SmtpTls,
}

impl Smtpd {
    pub fn start(tls: SmtpTls) -> Self {
        Self::start_at(tls, 0)
    }

    pub fn start_at(tls: SmtpTls, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let Identity { certificate, key } = server_identity();
        let place = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(place("cert.pem"), certificate).expect("a file");
        std::fs::write(place("key.pem"), key).expect("a file");
        std::fs::create_dir(place("letters")).expect("a folder");
        let mode = match tls {
            SmtpTls::None => "plain",
            SmtpTls::StartTls => "starttls",
            SmtpTls::Implicit => "tls",
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/smtpd.py");
        // Debian's Python, for it has Debian's packages.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).args([mode, &port.to_string(), &place("letters")]);
        command.args([place("cert.pem"), place("key.pem")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let running = Running::start(command, "listening on port");
        let port = running.word_after("listening on port").parse().expect("a port");
        Self { _running: running, folder, port, tls }
    }

    /// How a server of ours is to reach it.
    pub fn way(&self) -> Way {
        Way::Smtp(self.smtp())
    }

    pub fn smtp(&self) -> Smtp {
        let user = || ("narthex".to_owned(), Secret::presented("p@ss:word"));
        let is_plain = self.tls == SmtpTls::None;
        Smtp {
            host: "localhost".to_owned(),
            port: self.port,
            tls: self.tls,
            credentials: (!is_plain).then(user),
            ca_file: (!is_plain).then(|| self.folder.path().join("cert.pem")),
        }
    }

    /// What it took so far.
    pub fn letters(&self) -> Vec<Taken> {
        let folder = self.folder.path().join("letters");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).expect("a folder").map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        let read = |file: &_| std::fs::read_to_string(file).expect("a letter");
        files.iter().map(|file| serde_json::from_str(&read(file)).expect("a letter")).collect()
    }

    /// Waits until it has taken so many.
    pub async fn wait_for(&self, count: usize) -> Vec<Taken> {
        // Longer than the lease of a job, in case a process died with the letter in its hands.
        for _ in 0..1800 {
            if self.letters().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let letters = self.letters();
        assert_eq!(letters.len(), count, "{letters:#?}");
        letters
    }
}
