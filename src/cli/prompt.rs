//! Asking for a password: at a terminal without showing it, otherwise one line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::base::secret::Secret;

/// Reads a password; at a terminal twice.
///
/// # Errors
/// If nothing can be read, or the two differ.
pub fn new_password(username: &str) -> anyhow::Result<Secret> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Ok(Secret::presented(line()?.as_str()));
    }
    let _quiet = Quiet::start()?;
    let first = asked(&format!("Password for {username}: "))?;
    let second = asked("Once more: ")?;
    anyhow::ensure!(*first == *second, "the two passwords differ");
    Ok(Secret::presented(first.as_str()))
}

fn asked(question: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut terminal = io::stderr();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let answer = line();
    writeln!(terminal)?;
    answer
}

fn line() -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut text)?;
    let bare = text.trim_end_matches(['\n', '\r']);
    anyhow::ensure!(!bare.is_empty(), "no password was given");
    Ok(Zeroizing::new(bare.to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Quiet(Termios);

impl Quiet {
    fn start() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
