//! A letter in the queue: sealed, for its link may be as good as a password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::base::clock::micros;
use crate::base::entropy::Entropy;
use crate::keys::vault::Vault;
use crate::mail::model::Letter;
use crate::words::Language;

const PURPOSE: &str = "mail: letter";

/// What is delivered, the same in every attempt.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::mail) struct Posted {
    /// The left side of its Message-ID: mailboxes know by it what they got twice.
    pub(in crate::mail) id: String,
    /// When it was posted, in microseconds since 1970.
    pub(in crate::mail) at: i64,
    pub(in crate::mail) to: String,
    pub(in crate::mail) language: Language,
    pub(in crate::mail) kind: String,
    pub(in crate::mail) values: Vec<(String, String)>,
    pub(in crate::mail) link: Option<String>,
}

impl Posted {
    pub(in crate::mail) fn new(letter: &Letter, now: DateTime<Utc>, entropy: &dyn Entropy) -> Self {
        let value = |(name, value): &(&'static str, String)| ((*name).to_owned(), value.clone());
        Self {
            id: format!("{:032x}", u128::from_be_bytes(entropy.bytes())),
            at: micros(now),
            to: letter.to.clone(),
            language: letter.language,
            kind: letter.kind.to_owned(),
            values: letter.values.iter().map(value).collect(),
            link: letter.link.clone(),
        }
    }

    /// The payload of a job.
    pub(in crate::mail) fn seal(
        &self,
        vault: &Vault,
        entropy: &dyn Entropy,
    ) -> Result<Value, serde_json::Error> {
        let plain = Zeroizing::new(serde_json::to_vec(self)?);
        Ok(json!({ "sealed": STANDARD.encode(vault.seal(PURPOSE, &plain, entropy)) }))
    }

    /// What [`Posted::seal`] made; `None` for anything else, and with another key.
    pub(in crate::mail) fn open(payload: &Value, vault: &Vault) -> Option<Self> {
        let sealed = STANDARD.decode(payload.get("sealed")?.as_str()?).ok()?;
        serde_json::from_slice(&vault.open(PURPOSE, &sealed)?).ok()
    }
}
