//! What this machine can do at most: the figures beside which a server's are read.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::cli::bench::stats::per_second;

/// How many of each the machine does in a second, on one core and with nothing around them.
///
/// Computations are counted by CPU time, so that neighbours do not disturb the figure; writes by
/// the clock on the wall.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limits {
    /// ES256 signatures of 250 bytes.
    pub es256_signatures_per_second: f64,
    /// RS256 signatures of 250 bytes with a key of 2,048 bits.
    pub rs256_signatures_per_second: f64,
    /// Passwords hashed with argon2id, 19 MiB and 2 passes.
    pub argon2id_per_second: f64,
    /// SHA-256 digests of 64 bytes.
    pub sha256_64_bytes_per_second: f64,
    /// Pages of 4 KiB written to the data directory, each followed by fdatasync.
    pub durable_writes_per_second: f64,
}

/// How long each figure is measured.
const SPAN: Duration = Duration::from_millis(400);
/// About the length of a token's signed part.
const MESSAGE: [u8; 250] = [0x61; 250];
/// A page of SQLite.
const PAGE: [u8; 4096] = [0x61; 4096];
/// Pages written in turn, as a write-ahead log is.
const PAGES: u64 = 256;

impl Limits {
    /// Measures all; takes about three seconds. `dir` is where the durable writes go.
    ///
    /// # Errors
    /// `dir` cannot be written to, or the library refuses to sign or hash.
    pub fn measure(dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            es256_signatures_per_second: es256()?,
            rs256_signatures_per_second: rs256()?,
            argon2id_per_second: argon2id()?,
            sha256_64_bytes_per_second: sha256()?,
            durable_writes_per_second: durable_writes(dir)?,
        })
    }
}

/// CPU time that this thread has used.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Repeats `act` for [`SPAN`] of CPU time, looking at the clock after each `batch`.
fn rate(batch: u32, mut act: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    act()?;
    let start = thread_time();
    let mut count = 0;
    loop {
        for _ in 0..batch {
            act()?;
        }
        count += u64::from(batch);
        let spent = thread_time().saturating_sub(start);
        if spent >= SPAN {
            return Ok(per_second(count, spent));
        }
    }
}

fn es256() -> anyhow::Result<f64> {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    rate(16, || {
        std::hint::black_box(key.sign(&random, &MESSAGE)?);
        Ok(())
    })
}

fn rs256() -> anyhow::Result<f64> {
    let random = SystemRandom::new();
    let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let mut signature = vec![0; key.public_modulus_len()];
    rate(4, || {
        key.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature)?;
        std::hint::black_box(&signature);
        Ok(())
    })
}

fn argon2id() -> anyhow::Result<f64> {
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| anyhow!("{error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; 32];
    rate(1, || {
        argon2
            .hash_password_into(b"correct horse battery", b"0123456789abcdef", &mut out)
            .map_err(|error| anyhow!("{error}"))?;
        std::hint::black_box(&out);
        Ok(())
    })
}

fn sha256() -> anyhow::Result<f64> {
    let message = [0x61; 64];
    rate(1_000, || {
        std::hint::black_box(digest(&SHA256, std::hint::black_box(&message)));
        Ok(())
    })
}

fn durable_writes(dir: &Path) -> anyhow::Result<f64> {
    let path = dir.join("durable-writes.bench");
    let result = write_pages(&path).with_context(|| format!("cannot write {}", path.display()));
    let _ = std::fs::remove_file(&path);
    result
}

fn write_pages(path: &Path) -> io::Result<f64> {
    let mut file = File::create(path)?;
    for _ in 0..PAGES {
        file.write_all(&PAGE)?;
    }
    file.sync_all()?;
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < SPAN {
        file.write_all_at(&PAGE, (count % PAGES) * 4096)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(per_second(count, start.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_a_rate() {
        let limits = Limits::measure(&std::env::temp_dir()).unwrap();

        let Limits {
            es256_signatures_per_second: es256,
            rs256_signatures_per_second: rs256,
            argon2id_per_second: argon2id,
            sha256_64_bytes_per_second: sha256,
            durable_writes_per_second: writes,
        } = limits;
        assert!(es256 > rs256 && rs256 > argon2id && sha256 > es256, "{limits:?}");
        assert!(writes > 1.0, "{limits:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = durable_writes(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
