//! An authenticator of our own, which does what it is told: also what no honest one would.
//! Source: `WebAuthn` Level 3 sections 6.1, 6.5.1 and 7.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use narthex::base::secret::Digest;
use serde_json::{Value, json};

use crate::common::answer::Answer;
use crate::common::jwt::encode;

pub const PRESENT: u8 = 0x01;
pub const VERIFIED: u8 = 0x04;
const SYNCHRONISED: u8 = 0x08 | 0x10;
const ATTESTED: u8 = 0x40;

/// A key, and how it answers.
pub struct Authenticator {
    key: EcdsaKeyPair,
    pub id: Vec<u8>,
    pub handle: String,
    pub origin: String,
    pub rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub kind: &'static str,
}

/// What a page asks a key: the `publicKey` of its form.
#[track_caller]
pub fn options(page: &Answer, form: &str) -> Value {
    let mark = format!("id=\"{form}\" data-options=\"");
    let rest = page.body.split_once(&mark).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("no {form} in {page:?}"));
    let text = rest.split('"').next().unwrap_or_default();
    let text = text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#38;", "&");
    let options: Value = serde_json::from_str(&text).expect("JSON");
    options["publicKey"].clone()
}

impl Authenticator {
    /// A fresh key for a site at this origin, which checks its user.
    pub fn new(origin: &str, id: &[u8]) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self {
            key,
            id: id.to_vec(),
            handle: String::new(),
            origin: origin.to_owned(),
            rp_id: "localhost".to_owned(),
            flags: PRESENT | VERIFIED,
            counter: 0,
            kind: "",
        }
    }

    /// One that is copied to all devices of its owner.
    pub fn synchronised(mut self) -> Self {
        self.flags |= SYNCHRONISED;
        self
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let kind = if self.kind.is_empty() { kind } else { self.kind };
        let data = json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let hash = Digest::of(self.rp_id.as_bytes()).0;
        [&hash[..], &[self.flags | more], &self.counter.to_be_bytes()].concat()
    }

    /// Answers the question for a new key.
    pub fn create(&mut self, options: &Value) -> String {
        self.handle = options["user"]["id"].as_str().expect("a handle").to_owned();
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        // COSE: EC2, ES256, P-256.
        let cose = [&[0xA5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y];
        let length = u16::try_from(self.id.len()).expect("a short id").to_be_bytes();
        let data =
            [self.data(ATTESTED), vec![0; 16], length.to_vec(), self.id.clone(), cose.concat()];
        let data = data.concat();
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": bytes}.
        let size = u16::try_from(data.len()).expect("short data").to_be_bytes();
        let object = [
            &[0xA3, 0x63][..],
            b"fmt",
            &[0x64],
            b"none",
            &[0x67],
            b"attStmt",
            &[0xA0, 0x68],
            b"authData",
            &[0x59],
            &size,
            &data,
        ];
        let response = json!({
            "clientDataJSON": encode(self.client_data("webauthn.create", options)),
            "attestationObject": encode(object.concat()),
        });
        self.answer(&response)
    }

    /// Answers the question for a key that is there.
    pub fn get(&mut self, options: &Value) -> String {
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(0);
        let signed = [data.clone(), Digest::of(&client_data).to_vec()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("a signature");
        let mut response = json!({
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(signature.as_ref()),
        });
        if !self.handle.is_empty() {
            response["userHandle"] = json!(self.handle);
        }
        self.answer(&response)
    }

    fn answer(&self, response: &Value) -> String {
        let id = encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {} })
            .to_string()
    }
}
