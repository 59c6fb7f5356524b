//! What an identity provider's metadata says, as its operator gives it to ours. Source: SAML
//! metadata section 2.4.3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::{load_rsa_private_pem, load_x509_cert_der};

use crate::upstream::saml::names::{DSIG, METADATA, POST, REDIRECT};
use crate::upstream::saml::settings::RequestBinding;
use crate::upstream::saml::xml::Xml;

/// What metadata says of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub entity_id: String,
    /// Where requests go, and how.
    pub sso: (RequestBinding, String),
    /// The certificates of its signing keys, DER in base64.
    pub certificates: Vec<String>,
}

/// Reads an `EntityDescriptor`. Nothing vouches for it but whoever declares it.
///
/// # Errors
/// What is missing.
pub fn read(text: &str) -> Result<Described, &'static str> {
    let xml = Xml::parse(text)?;
    let root = xml.root().filter(|root| xml.is(*root, METADATA, "EntityDescriptor"));
    let root = root.ok_or("must be an EntityDescriptor")?;
    let entity_id = xml.attribute(root, "entityID").ok_or("has no entityID")?.to_owned();
    let idp = xml.one(root, METADATA, "IDPSSODescriptor").ok_or("has no IDPSSODescriptor")?;
    let service = |binding: &str| {
        let all = xml.named(idp, METADATA, "SingleSignOnService");
        let found = all.into_iter().find(|node| xml.attribute(*node, "Binding") == Some(binding));
        found.and_then(|node| xml.attribute(node, "Location").map(str::to_owned))
    };
    let sso = match (service(REDIRECT), service(POST)) {
        (Some(url), _) => (RequestBinding::Redirect, url),
        (None, Some(url)) => (RequestBinding::Post, url),
        (None, None) => return Err("has no SingleSignOnService that we can use"),
    };
    let mut certificates = Vec::new();
    for key in xml.named(idp, METADATA, "KeyDescriptor") {
        if xml.attribute(key, "use").is_some_and(|usage| usage != "signing") {
            continue;
        }
        let info = xml.one(key, DSIG, "KeyInfo").into_iter();
        let data = info.flat_map(|info| xml.named(info, DSIG, "X509Data"));
        for node in data.flat_map(|data| xml.named(data, DSIG, "X509Certificate")) {
            certificates.push(certificate(&xml.text(node).unwrap_or_default())?);
        }
    }
    Ok(Described { entity_id, sso, certificates })
}

/// A certificate in PEM or in bare base64, as bare base64.
///
/// # Errors
/// If it is none, or its key is none that can verify.
pub fn certificate(text: &str) -> Result<String, &'static str> {
    let bare = text.trim();
    let bare = bare.strip_prefix("-----BEGIN CERTIFICATE-----").unwrap_or(bare);
    let bare = bare.strip_suffix("-----END CERTIFICATE-----").unwrap_or(bare);
    let bare: String = bare.split_whitespace().collect();
    let der = STANDARD.decode(&bare).map_err(|_| "must be a certificate in PEM")?;
    load_x509_cert_der(&der).map_err(|_| "must be a certificate with an RSA or EC key")?;
    Ok(bare)
}

/// Checks that a private key can sign and decrypt for us.
///
/// # Errors
/// If it cannot.
pub fn check_own_key(pem: &str) -> Result<(), &'static str> {
    load_rsa_private_pem(pem.trim().as_bytes())
        .map(drop)
        .map_err(|_| "must be an RSA key in PEM (PKCS#8)")
}
