//! Passwords and secrets in a declaration: in clear, as a hash, or by reference.
//!
//! ```yaml
//! password: correct-horse-battery      # in clear
//! password: { hash: $argon2id$v=19$… } # as a hash
//! password: { env: ADA_PASSWORD }      # in an environment variable
//! password: { file: secrets/ada.txt }  # in a file, beside the declaration
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use crate::apps::secrets::GivenSecret;
use crate::base::secret::{Digest, Secret};
use crate::setup::read::{Notes, Part, any};
use crate::setup::tree::Item;

/// Largest file that a secret is read from, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1_024;

/// Shortest client secret that may be given in clear, in characters: it is stored as a plain
/// digest, which only chance protects.
const CLIENT_SECRET_CHARS_MIN: usize = 32;

/// Where references lead.
pub struct Outside<'a> {
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths begin at.
    pub folder: PathBuf,
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outside({})", self.folder.display())
    }
}

/// A secret as it was declared.
#[derive(Clone, Debug)]
pub enum Declared {
    /// Itself.
    Clear(Secret),
    /// Its hash, in the form of whatever it belongs to.
    Hash(String),
}

/// Reads a secret, and follows its reference.
pub fn read(part: &Part<'_>, outside: &Outside<'_>, notes: &mut Notes) -> Option<Declared> {
    if let Item::Text(text) = &part.node().item {
        return Some(Declared::Clear(Secret::presented(text.as_str())));
    }
    if !matches!(part.node().item, Item::Map(_)) {
        part.fault(notes, "must be a text in quotes, or an object with hash, env or file");
        return None;
    }
    let object = part.object(&["hash", "env", "file"], notes)?;

    match (object.get("hash"), object.get("env"), object.get("file")) {
        (Some(hash), None, None) => Some(Declared::Hash(hash.parse(any, notes)?.value)),
        (None, Some(name), None) => {
            let found = name.parse(
                |name| (outside.variable)(name).ok_or("this environment variable is not set"),
                notes,
            )?;
            clear(&found.value, &name, notes)
        }
        (None, None, Some(path)) => {
            let found = path.parse(|path| from_file(&outside.folder.join(path)), notes)?;
            clear(&found.value, &path, notes)
        }
        _ => {
            part.fault(notes, "must have exactly one of the keys hash, env and file");
            None
        }
    }
}

/// Editors end files with a line break, which is no part of a secret.
fn clear(text: &str, part: &Part<'_>, notes: &mut Notes) -> Option<Declared> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        part.fault(notes, "leads to an empty text");
        return None;
    }
    Some(Declared::Clear(Secret::presented(text)))
}

fn from_file(path: &Path) -> Result<String, String> {
    let problem = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let size = std::fs::metadata(path).map_err(problem)?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{} is too large for a secret", path.display()));
    }
    std::fs::read_to_string(path).map_err(problem)
}

/// What is stored of a client secret: the digest of the one in clear, or `sha256:` and 64
/// hexadecimal digits.
pub fn client_secret(
    part: &Part<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<GivenSecret> {
    let given = match read(part, outside, notes)? {
        Declared::Clear(secret) if secret.reveal().chars().count() < CLIENT_SECRET_CHARS_MIN => {
            part.fault(
                notes,
                format!("must have at least {CLIENT_SECRET_CHARS_MIN} random characters"),
            );
            return None;
        }
        Declared::Clear(secret) => Some((&secret).into()),
        Declared::Hash(text) => text.strip_prefix("sha256:").and_then(from_hex).map(Into::into),
    };
    if given.is_none() {
        part.fault(notes, "the hash must be sha256: and 64 hexadecimal digits");
    }
    given
}

fn from_hex(text: &str) -> Option<Digest> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes: Option<Vec<u8>> = text
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect();
    Digest::from_slice(&bytes?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::tree::Node;

    fn outside(folder: &Path) -> Outside<'static> {
        let variable = &|name: &str| (name == "SET").then(|| "from-the-environment\n".to_owned());
        Outside { variable, folder: folder.to_owned() }
    }

    #[track_caller]
    fn reads(text: &str, expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s.txt"), "from-a-file\r\n").unwrap();
        std::fs::write(folder.path().join("empty.txt"), "\n").unwrap();
        let node = Node::parse(text).unwrap();
        let mut notes = Notes::default();
        let got = match read(&Part::root(&node), &outside(folder.path()), &mut notes) {
            Some(Declared::Clear(secret)) => format!("clear {}", secret.reveal()),
            Some(Declared::Hash(hash)) => format!("hash {hash}"),
            None => notes.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        };
        assert!(got.starts_with(expected), "{got}");
    }

    #[test]
    fn a_secret_is_given_in_clear_as_a_hash_or_by_reference() {
        reads("'hunter2'", "clear hunter2");
        reads("{hash: $argon2id$x}", "hash $argon2id$x");
        reads("{env: SET}", "clear from-the-environment");
        reads("{file: s.txt}", "clear from-a-file");
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_a_fault_with_a_place() {
        reads("{env: UNSET}", "line 1, column 7: env: this environment variable is not set");
        reads("{file: none.txt}", "line 1, column 8: file: cannot read ");
        reads("{file: empty.txt}", "line 1, column 8: file: leads to an empty text");
        reads("{env: SET, file: s.txt}", "line 1, column 1: must have exactly one");
        reads("{}", "line 1, column 1: must have exactly one");
        reads("12345", "line 1, column 1: must be a text in quotes");
        reads("{var: X}", "line 1, column 2: var: there is no such key");
    }

    #[test]
    fn a_client_secret_is_long_or_a_digest() {
        let digest = |text: &str| {
            let node = Node::parse(text).unwrap();
            client_secret(&Part::root(&node), &outside(Path::new(".")), &mut Notes::default())
                .map(|given| given.digest)
        };
        let long = "x".repeat(32);
        assert_eq!(digest(&long), Some(Secret::presented(long.as_str()).digest()));
        let hex = "ab".repeat(32);
        assert_eq!(digest(&format!("{{hash: 'sha256:{hex}'}}")), Some(Digest([0xab; 32])));
        for bad in ["short", "{hash: abc}", "{hash: 'sha256:ab'}", "{hash: 'sha256:ä'}"] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
