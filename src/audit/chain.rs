//! The digest of an entry, which covers the entry before.

use aws_lc_rs::digest::{Context, SHA256};

use crate::audit::model::Entry;
use crate::base::clock::micros;
use crate::base::secret::Digest;

/// What the first entry of a chain has before it.
pub(in crate::audit) const START: Digest = Digest([0; 32]);

/// The digest of an entry that follows the one with the digest `before`.
///
/// Each field has its length before it, and what is absent differs from what is empty, so that no
/// two entries give the same bytes.
pub(in crate::audit) fn digest(before: Digest, entry: &Entry) -> Digest {
    let mut sum = Context::new(&SHA256);
    let mut add = |field: Option<&[u8]>| match field {
        None => sum.update(&u64::MAX.to_be_bytes()),
        Some(bytes) => {
            sum.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            sum.update(bytes);
        }
    };
    let text = |field: &'_ Option<String>| field.as_ref().map(|text| text.clone().into_bytes());
    add(Some(&before.0));
    add(Some(entry.chain.as_bytes()));
    add(Some(&entry.seq.to_be_bytes()));
    add(Some(&micros(entry.at).to_be_bytes()));
    for field in [&entry.user, &entry.app, &entry.key, &entry.request, &entry.reason] {
        add(text(field).as_deref());
    }
    for field in [&entry.action, &entry.kind, &entry.target, &entry.outcome] {
        add(Some(field.as_bytes()));
    }
    add(Some(&entry.times.to_be_bytes()));
    for part in [&entry.detail, &entry.origin] {
        add(part.digest.as_ref().map(|digest| digest.0.as_slice()));
    }
    let mut out = [0; 32];
    out.copy_from_slice(sum.finish().as_ref());
    Digest(out)
}
