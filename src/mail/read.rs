//! Reading the letters that are kept in a folder: for the demo's page, and for tests. It knows the
//! messages that we write, no others.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::mail::directory;

/// A letter as its reader sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// When it was posted, as its Date says.
    pub date: String,
    /// Its reader.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The URLs that stand in the plain part.
    pub links: Vec<String>,
}

/// The newest letters of a folder, the newest last.
///
/// # Errors
/// If the folder cannot be read.
pub fn newest(folder: &Path, most: usize) -> std::io::Result<Vec<Kept>> {
    let files = directory::files(folder)?;
    let skipped = files.len().saturating_sub(most);
    let mut letters = Vec::new();
    for file in files.iter().skip(skipped) {
        match std::fs::read(file) {
            Ok(bytes) => letters.push(parse(&String::from_utf8_lossy(&bytes))),
            // It was the oldest, and made place for another.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(letters)
}

fn parse(message: &str) -> Kept {
    let message = message.replace("\r\n", "\n");
    let (head, body) = message.split_once("\n\n").unwrap_or((&message, ""));
    let content_type = field(head, "Content-Type");
    let boundary =
        content_type.split_once("boundary=\"").and_then(|(_, rest)| rest.split_once('"'));
    let mut kept = Kept {
        date: field(head, "Date"),
        to: field(head, "To"),
        subject: words(&field(head, "Subject")),
        ..Kept::default()
    };
    let Some((boundary, _)) = boundary else { return kept };
    for part in body.split(&format!("--{boundary}")) {
        let (head, body) = part.trim_start().split_once("\n\n").unwrap_or(("", ""));
        let text = decoded(&field(head, "Content-Transfer-Encoding"), body.trim_end());
        match field(head, "Content-Type").split(';').next() {
            Some("text/plain") => kept.text = text,
            Some("text/html") => kept.html = text,
            _ => {}
        }
    }
    let is_link = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    kept.links = kept.text.split_whitespace().filter(is_link).map(str::to_owned).collect();
    kept
}

/// The value of a header field, unfolded. Source: RFC 5322 section 2.2.3.
fn field(head: &str, name: &str) -> String {
    let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
    let found = unfolded.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}

/// A header's text, its encoded words decoded. Source: RFC 2047 section 2.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("=?utf-8?b?") {
        // White space between two encoded words is none.
        if !before.trim().is_empty() {
            out.push_str(before);
        }
        let Some((encoded, after)) = tail.split_once("?=") else { break };
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        out.push_str(&String::from_utf8_lossy(&bytes));
        rest = after;
    }
    out + rest
}

fn decoded(encoding: &str, body: &str) -> String {
    match encoding {
        "base64" => {
            let bytes = STANDARD.decode(body.replace('\n', "")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        "quoted-printable" => quoted_printable(body),
        _ => body.to_owned(),
    }
}

/// Source: RFC 2045 section 6.7.
fn quoted_printable(body: &str) -> String {
    let mut out = Vec::new();
    let mut pieces = body.split('=');
    out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        if let Some(rest) = piece.strip_prefix('\n') {
            out.extend_from_slice(rest.as_bytes());
            continue;
        }
        let (hex, rest) = piece.split_at_checked(2).unwrap_or((piece, ""));
        out.extend(u8::from_str_radix(hex, 16).ok());
        out.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_file_makes_it_panic(text: String, body in "[a-z=A-F0-9\\n:;\"?-]{0,200}") {
            let _ = parse(&text);
            let head = "Content-Type: multipart/alternative; boundary=\"a\"\n\n--a\n";
            let _ = parse(&format!("{head}{body}"));
            let _ = (quoted_printable(&body), words(&body));
        }
    }
}
