//! Names of SAML, XML signatures and XML encryption.

pub(in crate::upstream) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
pub(in crate::upstream) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
pub(in crate::upstream) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
pub(in crate::upstream) const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(in crate::upstream) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";

pub(in crate::upstream) const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// An element; not a status of HTTP.
pub(in crate::upstream) const STATUS_CODE: &str = concat!("Status", "Code");
pub(in crate::upstream) const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
pub(in crate::upstream) const AUTHN_FAILED: &str = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed";
pub(in crate::upstream) const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
pub(in crate::upstream) const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";

pub(in crate::upstream) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(in crate::upstream) const ENVELOPED: &str =
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(in crate::upstream) const RSA_SHA256: &str =
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
pub(in crate::upstream) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// Signatures that count: nothing with SHA-1, nothing symmetric.
pub(in crate::upstream) const SIGNATURES: [&str; 8] = [
    RSA_SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1",
    "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
];
pub(in crate::upstream) const DIGESTS: [&str; 3] = [
    SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];
/// Encryption that tells whether it was tampered with. CBC does not: who may send what it likes
/// to be decrypted learns from the answers (Jager and Somorovsky, 2011).
pub(in crate::upstream) const CIPHERS: [&str; 3] = [
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
];
pub(in crate::upstream) const KEY_TRANSPORTS: [&str; 2] =
    ["http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", "http://www.w3.org/2009/xmlenc11#rsa-oaep"];
