//! Randomness as an argument.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// Gives random bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills `target` with random bytes.
    fn fill(&self, target: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The operating system's generator, through AWS-LC.
#[derive(Debug, Default)]
pub struct OsEntropy(SystemRandom);

impl Entropy for OsEntropy {
    #[expect(clippy::expect_used, reason = "without randomness nothing here may go on")]
    fn fill(&self, target: &mut [u8]) {
        self.0.fill(target).expect("the operating system gives randomness");
    }
}

/// A counter in place of randomness: for tests that compare whole answers.
#[derive(Debug, Default)]
pub struct CountedEntropy(AtomicU64);

impl Entropy for CountedEntropy {
    fn fill(&self, target: &mut [u8]) {
        for chunk in target.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            for (to, from) in chunk.iter_mut().zip(next) {
                *to = from;
            }
        }
    }
}
