//! The encryption key: given as text, in a file, or generated into the data directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::config::fault::Fault;
use crate::config::gather::Settings;
use crate::config::model::EncryptionKey;

/// Name of the generated key's file in the data directory.
pub const KEY_FILE: &str = "encryption.key";

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Where the key is to be found.
#[derive(Clone, Debug)]
pub enum KeyPlace {
    /// In the configuration itself.
    Given,
    /// In a file that somebody named.
    Named(PathBuf),
    /// In the data directory, where it is generated when it is missing.
    Own(PathBuf),
}

/// Reads a key of 256 bits from 64 hexadecimal digits, or from base64 of either alphabet.
pub fn parse(text: &str) -> Option<EncryptionKey> {
    let text = text.trim();
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(if text.len() == 64 {
        from_hex(text)?
    } else {
        let url_safe = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
        let standard = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
        url_safe.decode(text).or_else(|_| standard.decode(text)).ok()?
    });
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(EncryptionKey::new)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}

/// Decides where the key is to be found, from what was given.
///
/// With PostgreSQL there is a `demand` for a given one: a key generated beside one node would be
/// unknown to the next, and lost with its disk.
///
/// # Errors
/// A [`Fault`] if it is given twice, or not at all in spite of the demand.
pub fn place(settings: &Settings, data_dir: &Path, demand: bool) -> Result<KeyPlace, Fault> {
    let given = settings.given("encryption_key");
    match (given, settings.given("encryption_key_file")) {
        (Some(key), Some(_)) => Err(Fault::new(
            "encryption_key",
            Some(&key.origin),
            "is given twice: leave out either encryption_key or encryption_key_file",
        )),
        (Some(_), None) => Ok(KeyPlace::Given),
        (None, Some(file)) => Ok(KeyPlace::Named(PathBuf::from(&file.text))),
        (None, None) if demand => Err(Fault::new(
            "encryption_key",
            None,
            "is missing: with PostgreSQL it must be given, as the same on every node; \
             `narthex config new-key` makes one",
        )),
        (None, None) => Ok(KeyPlace::Own(data_dir.join(KEY_FILE))),
    }
}

/// Fetches the key, and generates it at its own place when `generate` is given.
///
/// Without `generate` a key that is not there yet is answered by an arbitrary one: for commands
/// that only look.
///
/// # Errors
/// A [`Fault`] that names the key or the file, never the value.
pub fn fetch(
    place: &KeyPlace,
    settings: &Settings,
    generate: Option<&dyn Entropy>,
) -> Result<EncryptionKey, Fault> {
    const FORM: &str = "must be 256 bits: 64 hexadecimal digits, or their base64";
    let (path, is_own) = match place {
        KeyPlace::Given => {
            let given = settings.given("encryption_key");
            let origin = given.map(|given| &given.origin);
            return given
                .and_then(|given| parse(&given.text))
                .ok_or_else(|| Fault::new("encryption_key", origin, FORM));
        }
        KeyPlace::Named(path) => (path, false),
        KeyPlace::Own(path) => (path, true),
    };
    let origin = settings.given("encryption_key_file").map(|given| &given.origin);
    let shown = path.display();
    match std::fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => parse(&text).ok_or_else(|| {
            Fault::new("encryption_key_file", origin, format!("the text of {shown} {FORM}"))
        }),
        Err(error) if is_own && error.kind() == std::io::ErrorKind::NotFound => match generate {
            None => Ok(EncryptionKey::new([0; 32])),
            Some(entropy) => create(path, entropy).map_err(|error| {
                Fault::new("data_dir", None, format!("cannot write {shown}: {error}"))
            }),
        },
        Err(error) => {
            Err(Fault::new("encryption_key_file", origin, format!("cannot read {shown}: {error}")))
        }
    }
}

/// A fresh key as text.
pub fn generate_text(entropy: &dyn Entropy) -> Zeroizing<String> {
    let engine = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new());
    Zeroizing::new(engine.encode(entropy.bytes::<32>()))
}

/// Writes a fresh key, readable by its owner alone. If another process is faster, its key counts.
fn create(path: &Path, entropy: &dyn Entropy) -> std::io::Result<EncryptionKey> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let text = generate_text(entropy);
    // Written aside and linked into place: nobody ever sees a half-written key, and an existing
    // one is never replaced.
    let aside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    let written = file.write_all(format!("{}\n", text.as_str()).as_bytes()).and_then(|()| {
        file.sync_all()?;
        match std::fs::hard_link(&aside, path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    });
    std::fs::remove_file(&aside)?;
    written?;
    let bad = || std::io::Error::other("its text is not a key");
    parse(&Zeroizing::new(std::fs::read_to_string(path)?)).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::base::entropy::{CountedEntropy, OsEntropy};

    #[test]
    fn a_key_is_read_from_hex_and_both_kinds_of_base64() {
        let hex = "fb".repeat(32);
        let standard = "+/v7".repeat(10) + "+/s=";
        assert_eq!(parse(&hex).unwrap().bytes(), &[0xfb; 32]);
        assert!(
            parse(&format!("{}\n", generate_text(&CountedEntropy::default()).as_str())).is_some()
        );
        for text in [&standard, &standard[..43], &standard.replace('+', "-").replace('/', "_")] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in ["", "abc", &"f".repeat(63), &"g".repeat(64), &"A".repeat(44), "ää"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_generated_key_is_private_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let place = KeyPlace::Own(folder.path().join(KEY_FILE));
        let settings = Settings::default();

        let first = fetch(&place, &settings, Some(&OsEntropy::default())).unwrap();
        let again = fetch(&place, &settings, Some(&OsEntropy::default())).unwrap();

        assert_eq!(first.bytes(), again.bytes());
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn looking_generates_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = KeyPlace::Own(folder.path().join(KEY_FILE));

        assert!(fetch(&place, &Settings::default(), None).is_ok());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_named_file_must_hold_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let problem = |path: &Path| {
            fetch(&KeyPlace::Named(path.to_owned()), &Settings::default(), None)
                .unwrap_err()
                .to_string()
        };
        assert!(problem(&path).starts_with("encryption_key_file: cannot read "));

        std::fs::write(&path, "not-a-key").unwrap();
        assert!(problem(&path).contains("must be 256 bits"));
        assert!(!problem(&path).contains("not-a-key"));
    }
}
