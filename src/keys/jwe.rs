//! Encrypting to others: compact JWE with RSA-OAEP-256 or ECDH-ES, and AES-GCM.
//!
//! It only encrypts: nothing here opens what others send, so none of what makes JWE dangerous
//! (oracles, compression, passwords as keys) is there. Source: RFC 7516 section 5.1, RFC 7518
//! sections 4.3, 4.6 and 5.3, RFC 8037 section 3.2.

use std::fmt;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{
    self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519, agree,
};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::keys::error::KeyError;
use crate::keys::foreign::BadKey;

/// How content is encrypted. Source: RFC 7518 section 5.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `A128GCM`.
    A128Gcm,
    /// `A256GCM`.
    A256Gcm,
}

impl Content {
    fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}

/// A curve on which keys are agreed.
struct Curve {
    kty: &'static str,
    crv: &'static str,
    algorithm: &'static agreement::Algorithm,
    /// Bytes of one coordinate.
    bytes: usize,
}

static CURVES: [Curve; 4] = [
    Curve { kty: "EC", crv: "P-256", algorithm: &ECDH_P256, bytes: 32 },
    Curve { kty: "EC", crv: "P-384", algorithm: &ECDH_P384, bytes: 48 },
    Curve { kty: "EC", crv: "P-521", algorithm: &ECDH_P521, bytes: 66 },
    Curve { kty: "OKP", crv: "X25519", algorithm: &X25519, bytes: 32 },
];

/// The public key of somebody to whom content can be encrypted; its type says how.
pub struct EncryptionKey {
    kid: Option<String>,
    material: Material,
}

enum Material {
    Rsa(OaepPublicEncryptingKey),
    Agreement(&'static Curve, Vec<u8>),
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({:?})", self.kid)
    }
}

impl EncryptionKey {
    /// Reads a public JWK.
    ///
    /// # Errors
    /// [`BadKey`] for anything but RSA of 2,048 to 8,192 bits, the NIST curves and X25519.
    pub fn from_jwk(jwk: &Value) -> Result<Self, BadKey> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let bytes = |name: &str| text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let kty = text("kty").unwrap_or_default();
        let material = if kty == "RSA" {
            let (Some(n), Some(e)) = (bytes("n"), bytes("e")) else {
                return Err(BadKey("n or e is missing or malformed"));
            };
            let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
            if !(256..=1024).contains(&n.len()) {
                return Err(BadKey("an RSA key must have 2048 to 8192 bits"));
            }
            let key: PublicEncryptingKey = PublicKeyComponents { n, e }
                .try_into()
                .map_err(|_| BadKey("the RSA key is not valid"))?;
            let key = OaepPublicEncryptingKey::new(key);
            Material::Rsa(key.map_err(|_| BadKey("the RSA key is not valid"))?)
        } else {
            let crv = text("crv").unwrap_or_default();
            let curve = CURVES.iter().find(|curve| (curve.kty, curve.crv) == (kty, crv));
            let curve = curve.ok_or(BadKey("must be RSA, EC or X25519"))?;
            let x = bytes("x").filter(|x| x.len() == curve.bytes);
            let x = x.ok_or(BadKey("x is missing or malformed"))?;
            let public = if kty == "EC" {
                let y = bytes("y").filter(|y| y.len() == curve.bytes);
                [&[4][..], &x, &y.ok_or(BadKey("y is missing or malformed"))?].concat()
            } else {
                x
            };
            Material::Agreement(curve, public)
        };
        Ok(Self { kid: text("kid").map(str::to_owned), material })
    }

    /// `plain` as a compact JWE that only the holder of the private half can open. `cty` is `JWT`
    /// if it is one. Source: RFC 7516 section 5.1, RFC 7519 section 5.2.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if the library refuses, for example a point that is not on its curve.
    pub fn encrypt(
        &self,
        content: Content,
        cty: Option<&str>,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<String, KeyError> {
        let failed = || KeyError::Sign("content could not be encrypted".to_owned());
        let mut header = Map::new();
        header.insert("enc".to_owned(), content.name().into());
        for (name, value) in [("kid", self.kid.as_deref()), ("cty", cty)] {
            if let Some(value) = value {
                header.insert(name.to_owned(), value.into());
            }
        }
        let (key, encrypted_key) = match &self.material {
            Material::Rsa(public) => {
                let mut key = Zeroizing::new(vec![0; content.key_bytes()]);
                entropy.fill(&mut key);
                header.insert("alg".to_owned(), "RSA-OAEP-256".into());
                let mut room = vec![0; public.ciphertext_size()];
                let sealed = public.encrypt(&OAEP_SHA256_MGF1SHA256, &key, &mut room, None);
                let sealed = URL_SAFE_NO_PAD.encode(sealed.map_err(|_| failed())?);
                (key, sealed)
            }
            Material::Agreement(curve, public) => {
                let (key, epk) = agreed(curve, public, content).ok_or_else(failed)?;
                header.insert("alg".to_owned(), "ECDH-ES".into());
                header.insert("epk".to_owned(), epk);
                (key, String::new())
            }
        };
        let header = URL_SAFE_NO_PAD.encode(Value::Object(header).to_string());
        let iv: [u8; NONCE_LEN] = entropy.bytes();
        let (ciphertext, tag) =
            sealed(content, &key, (iv, header.as_bytes()), plain).ok_or_else(failed)?;
        let [iv, ciphertext, tag] = [&iv[..], &ciphertext, &tag].map(|b| URL_SAFE_NO_PAD.encode(b));
        Ok(format!("{header}.{encrypted_key}.{iv}.{ciphertext}.{tag}"))
    }
}

/// A content key agreed with `public` by an ephemeral key, and that key's public half.
/// Source: RFC 7518 section 4.6.
fn agreed(curve: &Curve, public: &[u8], content: Content) -> Option<(Zeroizing<Vec<u8>>, Value)> {
    let own = PrivateKey::generate(curve.algorithm).ok()?;
    let half = own.compute_public_key().ok()?;
    let half = half.as_ref();
    let epk = if curve.kty == "EC" {
        let (x, y) = half.get(1..)?.split_at_checked(curve.bytes)?;
        let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({ "kty": curve.kty, "crv": curve.crv, "x": x, "y": y })
    } else {
        json!({ "kty": curve.kty, "crv": curve.crv, "x": URL_SAFE_NO_PAD.encode(half) })
    };
    let peer = UnparsedPublicKey::new(curve.algorithm, public);
    let key = agree(&own, peer, (), |secret| {
        derived(secret, content.name(), (b"", b""), content.key_bytes()).ok_or(())
    });
    Some((key.ok()?, epk))
}

/// The Concat KDF with SHA-256, of which one round gives all that is needed.
/// Source: RFC 7518 section 4.6.2, NIST SP 800-56A section 5.8.1.
fn derived(
    secret: &[u8],
    algorithm: &str,
    (apu, apv): (&[u8], &[u8]),
    bytes: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut input = Zeroizing::new(1_u32.to_be_bytes().to_vec());
    input.extend_from_slice(secret);
    for part in [algorithm.as_bytes(), apu, apv] {
        input.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        input.extend_from_slice(part);
    }
    input.extend_from_slice(&u32::try_from(bytes.checked_mul(8)?).ok()?.to_be_bytes());
    Some(Zeroizing::new(digest(&SHA256, &input).as_ref().get(..bytes)?.to_vec()))
}

/// Ciphertext and tag. Source: RFC 7518 section 5.3.
fn sealed(
    content: Content,
    key: &[u8],
    (iv, aad): ([u8; NONCE_LEN], &[u8]),
    plain: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let algorithm = match content {
        Content::A128Gcm => &AES_128_GCM,
        Content::A256Gcm => &AES_256_GCM,
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
    let mut body = plain.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut body).ok()?;
    Some((body, tag.as_ref().to_vec()))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
    use proptest::prelude::*;
    use rsa::pkcs8::DecodePublicKey as _;
    use rsa::traits::PublicKeyParts as _;

    use super::*;
    use crate::base::entropy::OsEntropy;

    fn base64(bytes: impl AsRef<[u8]>) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a JWE with its content key.
    fn open(content: Content, key: &[u8], token: &str) -> Vec<u8> {
        let parts: Vec<&str> = token.split('.').collect();
        let [iv, body, tag] = [2, 3, 4].map(|at| URL_SAFE_NO_PAD.decode(parts[at]).unwrap());
        let algorithm = match content {
            Content::A128Gcm => &AES_128_GCM,
            Content::A256Gcm => &AES_256_GCM,
        };
        let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
        let mut body = [body, tag].concat();
        let nonce = Nonce::try_assume_unique_for_key(&iv).unwrap();
        key.open_in_place(nonce, Aad::from(parts[0].as_bytes()), &mut body).unwrap().to_vec()
    }

    fn header(token: &str) -> Value {
        let header = token.split('.').next().unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
    }

    #[test]
    fn rfc7516_a_1_the_content_of_the_example() {
        let key = [
            177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7,
            110, 91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
        ];
        let iv = [227, 197, 117, 252, 2, 219, 233, 68, 180, 225, 77, 219];
        let aad = b"eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
        let plain = b"The true sign of intelligence is not knowledge but imagination.";

        let (body, tag) = sealed(Content::A256Gcm, &key, (iv, aad), plain).unwrap();

        let expected =
            "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A";
        assert_eq!(
            (base64(body).as_str(), base64(tag).as_str()),
            (expected, "XFBoMYUZodetZdvTiFvSkQ")
        );
    }

    #[test]
    fn rfc7518_c_the_key_of_the_example() {
        let secret = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49,
            110, 163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];

        let key = derived(&secret, "A128GCM", (b"Alice", b"Bob"), 16).unwrap();

        assert_eq!(base64(&*key), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn rsa_oaep_256_opens_with_the_private_key() {
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
        let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(
            &private.public_key(),
        );
        let public = rsa::RsaPublicKey::from_public_key_der(der.unwrap().as_ref()).unwrap();
        let jwk = json!({
            "kty": "RSA", "kid": "k", "n": base64(public.n().to_bytes_be()),
            "e": base64(public.e().to_bytes_be()),
        });
        let opener = OaepPrivateDecryptingKey::new(private).unwrap();

        let key = EncryptionKey::from_jwk(&jwk).unwrap();
        for content in [Content::A128Gcm, Content::A256Gcm] {
            let token = key.encrypt(content, Some("JWT"), b"text", &OsEntropy::default()).unwrap();
            let expected = json!({
                "alg": "RSA-OAEP-256", "enc": content.name(), "kid": "k", "cty": "JWT",
            });
            assert_eq!(header(&token), expected);
            let sealed = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
            let mut room = vec![0; opener.min_output_size()];
            let found = opener.decrypt(&OAEP_SHA256_MGF1SHA256, &sealed, &mut room, None).unwrap();
            assert_eq!(open(content, found, &token), b"text");
        }
    }

    #[test]
    fn ecdh_es_opens_with_the_private_key_on_every_curve() {
        for curve in &CURVES {
            let own = PrivateKey::generate(curve.algorithm).unwrap();
            let public = own.compute_public_key().unwrap();
            let public = public.as_ref();
            let mut jwk = json!({ "kty": curve.kty, "crv": curve.crv });
            if curve.kty == "EC" {
                jwk["x"] = base64(&public[1..=curve.bytes]).into();
                jwk["y"] = base64(&public[1 + curve.bytes..]).into();
            } else {
                jwk["x"] = base64(public).into();
            }
            let content = Content::A128Gcm;
            let key = EncryptionKey::from_jwk(&jwk).unwrap();

            let token = key.encrypt(content, None, b"text", &OsEntropy::default()).unwrap();

            let epk = &header(&token)["epk"];
            let part = |name: &str| URL_SAFE_NO_PAD.decode(epk[name].as_str().unwrap()).unwrap();
            let peer = if curve.kty == "EC" {
                [vec![4], part("x"), part("y")].concat()
            } else {
                part("x")
            };
            let peer = UnparsedPublicKey::new(curve.algorithm, peer);
            let found = agree(&own, peer, (), |z| derived(z, "A128GCM", (b"", b""), 16).ok_or(()));
            assert_eq!(open(content, &found.unwrap(), &token), b"text", "{}", curve.crv);
            assert_eq!(token.split('.').nth(1), Some(""));
            assert_eq!(header(&token)["alg"], "ECDH-ES");
        }
    }

    #[test]
    fn case_39_strange_keys_are_refused_and_none_is_made_of_a_password() {
        let short = json!({ "kty": "RSA", "n": base64([255; 128]), "e": "AQAB" });
        let point = base64([1; 32]);
        let off_curve = json!({ "kty": "EC", "crv": "P-256", "x": point, "y": point });
        for bad in [
            json!(1),
            json!({}),
            json!({ "kty": "oct", "k": "AA" }),
            short,
            json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
            json!({ "kty": "EC", "crv": "secp256k1", "x": point, "y": point }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": point }),
        ] {
            assert!(EncryptionKey::from_jwk(&bad).is_err(), "{bad}");
        }
        let key = EncryptionKey::from_jwk(&off_curve).unwrap();
        assert!(key.encrypt(Content::A128Gcm, None, b"text", &OsEntropy::default()).is_err());
    }

    proptest! {
        #[test]
        fn any_jwk_is_a_key_or_is_refused(
            kty in "(RSA|EC|OKP|oct)", crv in "(P-256|P-384|X25519|x)", x in "[A-Za-z0-9_-]{0,90}",
        ) {
            let jwk = json!({ "kty": kty, "crv": crv, "x": x, "y": x, "n": x, "e": "AQAB" });
            let _ = EncryptionKey::from_jwk(&jwk);
        }
    }
}
