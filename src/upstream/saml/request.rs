//! Asking an identity provider to sign somebody in. Source: SAML core section 3.4, SAML bindings
//! sections 3.4 and 3.5.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::load_rsa_private_pem;
use bergshamra::{DsigContext, KeysManager};
use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::upstream::error::Refused;
use crate::upstream::journey::Departure;
use crate::upstream::saml::names::{
    ASSERTION, DSIG, ENVELOPED, EXC_C14N, POST, PROTOCOL, RSA_SHA256, SHA256,
};
use crate::upstream::saml::own::Places;
use crate::upstream::saml::settings::{RequestBinding, Saml};
use crate::upstream::saml::xml::escaped;

/// A request about to be sent.
pub(in crate::upstream) struct Request<'a> {
    pub(in crate::upstream) saml: &'a Saml,
    pub(in crate::upstream) places: &'a Places,
    /// The private key in PEM, if requests are signed.
    pub(in crate::upstream) key: Option<&'a str>,
    /// Its id, which the response names.
    pub(in crate::upstream) id: &'a str,
    /// What comes back with the response.
    pub(in crate::upstream) relay_state: &'a str,
    /// Whether the user has to sign in anew.
    pub(in crate::upstream) anew: bool,
    pub(in crate::upstream) now: DateTime<Utc>,
}

const fn broken() -> Refused {
    Refused::Fails("we cannot sign our request")
}

impl Request<'_> {
    /// Where the browser is sent.
    pub(in crate::upstream) fn departure(&self) -> Result<Departure, Refused> {
        match self.saml.request_binding {
            RequestBinding::Redirect => self.url().map(Departure::Redirect),
            RequestBinding::Post => {
                let xml = match self.key {
                    Some(key) => signed(&self.xml(&self.template()), key)?,
                    None => self.xml(""),
                };
                let fields = vec![
                    ("SAMLRequest", STANDARD.encode(xml)),
                    ("RelayState", self.relay_state.to_owned()),
                ];
                Ok(Departure::Form { action: self.saml.sso_url.clone(), fields })
            }
        }
    }

    fn xml(&self, signature: &str) -> String {
        let anew = if self.anew { " ForceAuthn=\"true\"" } else { "" };
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" \
             ID=\"{}\" Version=\"2.0\" IssueInstant=\"{}\" Destination=\"{}\"{anew} \
             AssertionConsumerServiceURL=\"{}\" ProtocolBinding=\"{POST}\">\
             <saml:Issuer>{}</saml:Issuer>{signature}\
             <samlp:NameIDPolicy Format=\"{}\" AllowCreate=\"true\"/></samlp:AuthnRequest>",
            escaped(self.id),
            self.now.to_rfc3339_opts(SecondsFormat::Secs, true),
            escaped(&self.saml.sso_url),
            escaped(&self.places.acs),
            escaped(&self.places.entity_id),
            self.saml.name_id.uri(),
        )
    }

    /// Where the signature goes. Source: SAML core section 5.4.
    fn template(&self) -> String {
        format!(
            "<ds:Signature xmlns:ds=\"{DSIG}\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"/>\
             <ds:SignatureMethod Algorithm=\"{RSA_SHA256}\"/>\
             <ds:Reference URI=\"#{}\"><ds:Transforms>\
             <ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{EXC_C14N}\"/>\
             </ds:Transforms><ds:DigestMethod Algorithm=\"{SHA256}\"/><ds:DigestValue/>\
             </ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>",
            escaped(self.id)
        )
    }

    /// The request in the query, with the signature beside it. Source: SAML bindings
    /// section 3.4.4.1.
    fn url(&self) -> Result<String, Refused> {
        let encode = |bytes: &[u8]| byte_serialize(bytes).collect::<String>();
        let request = STANDARD.encode(stored(self.xml("").as_bytes()).ok_or_else(broken)?);
        let mut query = format!(
            "SAMLRequest={}&RelayState={}",
            encode(request.as_bytes()),
            encode(self.relay_state.as_bytes())
        );
        if let Some(key) = self.key {
            query.push_str("&SigAlg=");
            query.push_str(&encode(RSA_SHA256.as_bytes()));
            let signature = rsa_sha256(key, query.as_bytes()).ok_or_else(broken)?;
            query.push_str("&Signature=");
            query.push_str(&encode(STANDARD.encode(signature).as_bytes()));
        }
        let sign = if self.saml.sso_url.contains('?') { '&' } else { '?' };
        Ok(format!("{}{sign}{query}", self.saml.sso_url))
    }
}

/// DEFLATE without compression: one stored block. Source: RFC 1951 section 3.2.4.
fn stored(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok()?;
    let head = [[1].as_slice(), &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
    Some([head.as_slice(), bytes].concat())
}

fn rsa_sha256(pem: &str, message: &[u8]) -> Option<Vec<u8>> {
    let inner = pem.trim().strip_prefix("-----BEGIN PRIVATE KEY-----")?;
    let inner = inner.strip_suffix("-----END PRIVATE KEY-----")?;
    let text: Zeroizing<String> = Zeroizing::new(inner.split_whitespace().collect());
    let der = Zeroizing::new(STANDARD.decode(text.as_bytes()).ok()?);
    let pair = RsaKeyPair::from_pkcs8(&der).ok()?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
    Some(signature)
}

fn signed(template: &str, pem: &str) -> Result<String, Refused> {
    let key = load_rsa_private_pem(pem.trim().as_bytes()).map_err(|_| broken())?;
    let mut keys = KeysManager::new();
    keys.add_key(key);
    bergshamra::sign(&DsigContext::new(keys), template).map_err(|_| broken())
}
