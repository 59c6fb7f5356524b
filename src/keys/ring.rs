//! All keys of the server at one moment: who signs, who verifies, what is published.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::document::Document;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::{KeyError, TokenFault};
use crate::keys::provider::{Registered, named};

/// Longest token that is looked at, in bytes: a longer one is refused unread.
pub(in crate::keys) const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Longest `kid` that is looked up, in bytes: ours have 43.
const KID_BYTES_MAX: usize = 64;

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Published, so that others know it before it signs.
    Next,
    /// Signs.
    Current,
    /// Still verifies what it signed.
    Retired,
}

/// One key, ready.
#[derive(Debug)]
struct Key {
    registered: Registered,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

/// A token whose signature is good. Its claims are still to be checked.
#[derive(Clone, Debug)]
pub struct Verified {
    /// `typ` of the header.
    pub typ: Option<String>,
    /// How it was signed.
    pub algorithm: Algorithm,
    /// The claims.
    pub claims: Map<String, Value>,
}

#[derive(Debug)]
pub(in crate::keys) struct Ring {
    by_kid: HashMap<String, Arc<Key>>,
    current: HashMap<Algorithm, Arc<Key>>,
    jwks: Document,
}

impl Ring {
    pub(in crate::keys) fn new(pairs: Vec<(Stage, Registered)>) -> Self {
        let mut by_kid = HashMap::new();
        let mut current = HashMap::new();
        let mut published = Vec::new();
        for (stage, registered) in pairs {
            let algorithm = registered.pair().algorithm();
            let mut validation = Validation::new(named(algorithm));
            // Claims are checked by whoever knows what the token is for.
            validation.required_spec_claims.clear();
            validation.validate_exp = false;
            validation.validate_aud = false;
            let key = Arc::new(Key {
                encoding: registered.encoding_key(),
                decoding: registered.decoding_key(),
                validation,
                registered,
            });
            published.push(key.registered.pair().jwk().clone());
            by_kid.insert(key.registered.pair().kid().to_owned(), Arc::clone(&key));
            if stage == Stage::Current {
                current.insert(algorithm, key);
            }
        }
        let jwks = Document::new(json!({ "keys": published }).to_string());
        Self { by_kid, current, jwks }
    }

    pub(in crate::keys) fn jwks(&self) -> Document {
        self.jwks.clone()
    }

    pub(in crate::keys) fn sign<T: Serialize>(
        &self,
        algorithm: Algorithm,
        typ: &str,
        claims: &T,
    ) -> Result<String, KeyError> {
        let key = self.current.get(&algorithm).ok_or(KeyError::Unusable("there is none"))?;
        let mut header = Header::new(named(algorithm));
        header.typ = Some(typ.to_owned());
        header.kid = Some(key.registered.pair().kid().to_owned());
        jsonwebtoken::encode(&header, claims, &key.encoding)
            .map_err(|error| KeyError::Sign(error.to_string()))
    }

    /// Source: RFC 7515 section 5.2, RFC 8725 section 3.
    pub(in crate::keys) fn verify(&self, token: &str) -> Result<Verified, TokenFault> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault("too long"));
        }
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| TokenFault("header is malformed"))?;
        if header.crit.is_some() || header.zip.is_some() || header.enc.is_some() {
            return Err(TokenFault("header asks for what is not supported"));
        }
        // RFC 7797: a payload that is not encoded would be another one than what was signed.
        if header.extras.inner().contains_key("b64") {
            return Err(TokenFault("header asks for what is not supported"));
        }
        let kid = header.kid.as_deref().ok_or(TokenFault("no kid"))?;
        // Keys that the token brings along (jwk, jku, x5u, x5c) are never looked at.
        let key = Some(kid)
            .filter(|kid| kid.len() <= KID_BYTES_MAX)
            .and_then(|kid| self.by_kid.get(kid))
            .ok_or(TokenFault("unknown kid"))?;
        let algorithm = key.registered.pair().algorithm();
        if header.alg != named(algorithm) {
            return Err(TokenFault("the algorithm is not the key's"));
        }
        let token = jsonwebtoken::decode(token, &key.decoding, &key.validation)
            .map_err(|_| TokenFault("the signature does not verify"))?;
        Ok(Verified { typ: token.header.typ, algorithm, claims: token.claims })
    }
}
