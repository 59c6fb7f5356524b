//! A public text, the same for everybody: made once, sent often.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use crate::base::secret::Digest;

/// A text with the tag by which caches know it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: Bytes,
    tag: Bytes,
}

impl Document {
    /// Holds `text` and works out its tag.
    pub fn new(text: String) -> Self {
        let Digest(digest) = Digest::of(text.as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(digest.get(..12).unwrap_or_default());
        Self { text: Bytes::from(text), tag: Bytes::from(format!("\"{tag}\"")) }
    }

    /// The text.
    pub fn text(&self) -> Bytes {
        self.text.clone()
    }

    /// Its strong entity tag, quotes included. Source: RFC 9110 section 8.8.3.
    pub fn tag(&self) -> Bytes {
        self.tag.clone()
    }
}
