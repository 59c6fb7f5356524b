//! What is ours: names, addresses, and the metadata that says so. Source: SAML metadata
//! section 2.4.4.

use std::fmt::Write as _;

use crate::base::id::ProviderId;
use crate::config::model::Issuer;
use crate::upstream::saml::names::{CIPHERS, DSIG, KEY_TRANSPORTS, METADATA, POST, PROTOCOL};
use crate::upstream::saml::settings::Saml;
use crate::upstream::saml::xml::escaped;

/// Our names towards one identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Who we are.
    pub entity_id: String,
    /// Where responses go.
    pub acs: String,
}

impl Places {
    /// Those towards this provider.
    pub fn of(issuer: &Issuer, id: &ProviderId, saml: &Saml) -> Self {
        let base = format!("{}/saml/{id}", issuer.as_str().trim_end_matches('/'));
        let own = saml.own_entity_id.clone();
        Self {
            entity_id: own.unwrap_or_else(|| format!("{base}/metadata")),
            acs: format!("{base}/acs"),
        }
    }

    /// Our metadata, for the operator of the provider.
    pub fn metadata(&self, saml: &Saml) -> String {
        let signs = saml.own_certificate.is_some();
        let (entity, acs) = (escaped(&self.entity_id), escaped(&self.acs));
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <md:EntityDescriptor xmlns:md=\"{METADATA}\" entityID=\"{entity}\">\
             <md:SPSSODescriptor AuthnRequestsSigned=\"{signs}\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"{PROTOCOL}\">"
        );
        if let Some(certificate) = &saml.own_certificate {
            let mut methods = String::new();
            for name in CIPHERS.iter().chain(&KEY_TRANSPORTS) {
                let _ = write!(methods, "<md:EncryptionMethod Algorithm=\"{name}\"/>");
            }
            for (usage, more) in [("signing", ""), ("encryption", methods.as_str())] {
                let _ = write!(
                    out,
                    "<md:KeyDescriptor use=\"{usage}\"><ds:KeyInfo xmlns:ds=\"{DSIG}\">\
                     <ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
                     </ds:KeyInfo>{more}</md:KeyDescriptor>",
                    escaped(certificate)
                );
            }
        }
        let format = saml.name_id.uri();
        let _ = writeln!(
            out,
            "<md:NameIDFormat>{format}</md:NameIDFormat>\
             <md:AssertionConsumerService Binding=\"{POST}\" Location=\"{acs}\" index=\"0\" \
             isDefault=\"true\"/></md:SPSSODescriptor></md:EntityDescriptor>"
        );
        out
    }
}
