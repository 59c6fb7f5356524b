//! Encrypted assertions. Source: SAML core section 2.3.4, XML Encryption 1.1.

use bergshamra::keys::loader::load_rsa_private_pem;
use bergshamra::{EncContext, KeysManager};

use crate::upstream::error::Refused;
use crate::upstream::saml::names::{ASSERTION, CIPHERS, KEY_TRANSPORTS, XENC};
use crate::upstream::saml::xml::Xml;

/// Most keys that one assertion is encrypted to.
const KEYS_MAX: usize = 4;

/// Whether something in it is encrypted.
pub(in crate::upstream) fn is_encrypted(xml: &Xml<'_>) -> bool {
    !xml.all(ASSERTION, "EncryptedAssertion").is_empty()
        || !xml.all(XENC, "EncryptedData").is_empty()
}

/// The text with its assertion decrypted; `xml` is what it was read from.
///
/// One answer for whatever is wrong with what is encrypted: who tries learns nothing.
pub(in crate::upstream) fn opened(
    text: &str,
    xml: &Xml<'_>,
    key: Option<&str>,
) -> Result<String, Refused> {
    let failed = || Refused::Untrue("the assertion cannot be decrypted");
    let sealed = xml.all(ASSERTION, "EncryptedAssertion");
    let data = xml.all(XENC, "EncryptedData");
    let ([sealed], [data]) = (sealed.as_slice(), data.as_slice()) else { return Err(failed()) };
    let is_in_place = xml.parent(*data) == Some(*sealed) && xml.parent(*sealed) == xml.root();
    let keys = xml.all(XENC, "EncryptedKey");
    let method = |node, allowed: &[&str]| {
        let method = xml.one(node, XENC, "EncryptionMethod");
        let found = method.and_then(|method| xml.attribute(method, "Algorithm"));
        found.is_some_and(|found| allowed.contains(&found))
    };
    let is_known = method(*data, &CIPHERS)
        && (1..=KEYS_MAX).contains(&keys.len())
        && keys.iter().all(|key| method(*key, &KEY_TRANSPORTS))
        && xml.all(XENC, "CipherReference").is_empty()
        && xml.all(XENC, "AgreementMethod").is_empty()
        && xml.all(ASSERTION, "Assertion").is_empty();
    if !is_in_place || !is_known {
        return Err(failed());
    }
    let key = key.and_then(|pem| load_rsa_private_pem(pem.trim().as_bytes()).ok());
    let mut manager = KeysManager::new();
    manager.add_key(key.ok_or_else(failed)?);
    let context =
        EncContext::new(manager).with_disable_cipher_reference(true).with_max_pbkdf2_iterations(0);
    bergshamra::decrypt(&context, text).map_err(|_| failed())
}
