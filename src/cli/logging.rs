//! Logging: one event is one line, whatever stands in it.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::model::{Log, LogFormat};

/// Starts logging to standard error. Later calls change nothing.
///
/// # Errors
/// If the filter does not parse, which the configuration has checked.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::builder().parse(&log.filter)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
    let lines = lines.with_writer(OneLine::new(io::stderr));
    // An error means that logging has started already.
    let _ = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Makes writers that keep an event on one line: text from outside cannot forge a second one, nor
/// send escape sequences to a terminal.
#[derive(Clone, Debug)]
pub struct OneLine<M>(M);

impl<M> OneLine<M> {
    /// Around the writers that `inner` makes.
    pub fn new(inner: M) -> Self {
        Self(inner)
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = Line<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { inner: self.0.make_writer(), event: Vec::new() }
    }
}

/// Collects one event, and writes it as one line when it is complete.
#[derive(Debug)]
pub struct Line<W: Write> {
    inner: W,
    event: Vec<u8>,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.event.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<W> {
    fn drop(&mut self) {
        if !self.event.is_empty() {
            let _ = self.inner.write_all(one_line(&self.event).as_bytes());
        }
    }
}

fn one_line(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.strip_suffix('\n').unwrap_or(&text).chars() {
        match c {
            // Line and paragraph separators, and marks that turn the direction of text.
            '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                line.extend(c.escape_unicode());
            }
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn case_74_log_lines_cannot_be_forged() {
        let written = Shared::default();
        let target = written.clone();
        let writer = OneLine::new(move || target.clone());
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();

        tracing::subscriber::with_default(log, || {
            let user = "ada\r\n2026-01-01 INFO forged\u{1b}[2J\u{85}\u{2028}x";
            tracing::info!(%user, "signed in as {user}");
        });

        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.ends_with('\n') && text.contains("ada"));
        assert!(!text.trim_end().chars().any(|c| c.is_control() || c == '\u{2028}'), "{text:?}");
    }
}
