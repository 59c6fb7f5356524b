//! Letters as files in a folder, for a server without SMTP.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Most letters that are kept: strangers cause letters, and the disk is ours.
const KEPT_MAX: usize = 1_000;
const EXTENSION: &str = "eml";

/// Writes a letter; one that is delivered twice is one file. Readable by its owner alone: links are
/// as good as passwords.
pub(in crate::mail) fn write(folder: &Path, name: &str, message: &[u8]) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let file = folder.join(format!("{name}.{EXTENSION}"));
    // Written aside: whoever looks into the folder never sees half a letter.
    let aside = file.with_extension("new");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&aside)?
        .write_all(message)?;
    std::fs::rename(&aside, &file)?;
    for old in files(folder)?.iter().rev().skip(KEPT_MAX) {
        match std::fs::remove_file(old) {
            // Another attempt was faster.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}

/// The letters in a folder, the oldest first; none if there is no folder yet.
pub(in crate::mail) fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
