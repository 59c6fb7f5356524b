//! What commands print: results to standard output, everything else to standard error.

use std::io::{self, Write};

/// Standard output. A reader that went away ends the program quietly, as `head` expects.
pub struct Output(Box<dyn Write>);

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// The process's own.
    pub fn stdout() -> Self {
        Self(Box::new(io::stdout()))
    }

    /// Prints `text` as it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        match self.0.write_all(text.as_bytes()).and_then(|()| self.0.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            other => other,
        }
    }

    /// Prints one line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(&format!("{text}\n"))
    }
}

/// Says on standard error what went wrong, causes included.
pub fn report(error: &anyhow::Error) {
    let mut text = String::from("narthex: ");
    let mut last = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // A cause that only repeats what was said adds nothing.
        if !last.contains(&cause) {
            if !last.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
            last = cause;
        }
    }
    let _ = writeln!(io::stderr(), "{text}");
}
