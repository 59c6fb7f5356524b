//! An app that has a key of its own to which others encrypt.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narthex::base::secret::Digest;
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::common::jwt::{encode, header};

/// A private key that opens what was encrypted to it.
pub struct Opener {
    jwk: Value,
    key: Key,
}

enum Key {
    Rsa(OaepPrivateDecryptingKey),
    Ec(PrivateKey),
}

impl Opener {
    /// For `RSA-OAEP-256` or `ECDH-ES` on P-256.
    pub fn new(alg: &str) -> Self {
        if alg == "ECDH-ES" {
            let own = PrivateKey::generate(&ECDH_P256).expect("a key");
            let public = own.compute_public_key().expect("its public half");
            let (x, y) = public.as_ref()[1..].split_at(32);
            let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
            return Self::named(jwk, Key::Ec(own));
        }
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key()).expect("DER");
        let public = rsa::RsaPublicKey::from_public_key_der(der.as_ref()).expect("a public key");
        let (n, e) = (encode(public.n().to_bytes_be()), encode(public.e().to_bytes_be()));
        let key = OaepPrivateDecryptingKey::new(private).expect("a key for OAEP");
        Self::named(json!({ "kty": "RSA", "n": n, "e": e }), Key::Rsa(key))
    }

    fn named(mut jwk: Value, key: Key) -> Self {
        jwk["kid"] = "enc-1".into();
        jwk["use"] = "enc".into();
        Self { jwk, key }
    }

    /// The public half, as a JWK set.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk] })
    }

    /// Opens a compact JWE. Source: RFC 7516 section 5.2.
    pub fn open(&self, token: &str) -> String {
        let parts: Vec<&str> = token.split('.').collect();
        assert_eq!(parts.len(), 5, "a compact JWE: {token}");
        let bytes = |at: usize| URL_SAFE_NO_PAD.decode(parts[at]).expect("base64url");
        let header = header(token);
        assert_eq!(header["kid"], "enc-1");
        let (algorithm, length) = match header["enc"].as_str() {
            Some("A128GCM") => (&AES_128_GCM, 16),
            Some("A256GCM") => (&AES_256_GCM, 32),
            other => panic!("enc is {other:?}"),
        };
        let key = match &self.key {
            Key::Rsa(private) => {
                let mut room = vec![0; private.min_output_size()];
                let found = private.decrypt(&OAEP_SHA256_MGF1SHA256, &bytes(1), &mut room, None);
                found.expect("it was encrypted to this key").to_vec()
            }
            Key::Ec(private) => {
                let part = |name: &str| header["epk"][name].as_str().unwrap_or_default();
                let part = |name: &str| URL_SAFE_NO_PAD.decode(part(name)).expect("base64url");
                let peer = [vec![4], part("x"), part("y")].concat();
                let peer = UnparsedPublicKey::new(&ECDH_P256, peer);
                let enc = header["enc"].as_str().unwrap_or_default();
                let found = agree(private, peer, (), |secret| Ok(derived(secret, enc, length)));
                found.expect("a key agreed on")
            }
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, &key).expect("a key of that length"));
        let nonce = Nonce::try_assume_unique_for_key(&bytes(2)).expect("a nonce");
        let mut body = [bytes(3), bytes(4)].concat();
        let plain = key.open_in_place(nonce, Aad::from(parts[0].as_bytes()), &mut body);
        String::from_utf8(plain.expect("it opens").to_vec()).expect("text")
    }
}

/// Source: RFC 7518 section 4.6.2.
fn derived(secret: &[u8], enc: &str, length: usize) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("a length").to_be_bytes();
    let input = [
        &number(1)[..],
        secret,
        &number(enc.len()),
        enc.as_bytes(),
        &number(0),
        &number(0),
        &number(length * 8),
    ]
    .concat();
    Digest::of(&input).0[..length].to_vec()
}
