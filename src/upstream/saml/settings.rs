//! What an operator says of an identity provider.

use serde::{Deserialize, Serialize};

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saml {
    /// Its name: the issuer of its assertions, to the letter.
    pub entity_id: String,
    /// Where requests go.
    pub sso_url: String,
    /// How requests go.
    pub request_binding: RequestBinding,
    /// The certificates whose keys sign for it, DER in base64: one, or two while it changes them.
    pub certificates: Vec<String>,
    /// Our name, if it is not the address of our metadata.
    pub own_entity_id: Option<String>,
    /// Our certificate, DER in base64; its key is a secret.
    pub own_certificate: Option<String>,
    /// Which names of people it is to use.
    pub name_id: NameIdFormat,
    /// The attribute that names people instead.
    pub subject_attribute: Option<String>,
    /// Where the rest is.
    pub attributes: AttributeNames,
}

/// How a request goes to an identity provider. Source: SAML bindings sections 3.4 and 3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestBinding {
    /// In the query.
    Redirect,
    /// As a form.
    Post,
}

/// A kind of names. Source: SAML core section 8.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameIdFormat {
    /// Opaque, and the same for ever.
    Persistent,
    /// An e-mail address.
    EmailAddress,
    /// Whatever the provider says; it is for the operator to know that it lasts.
    Unspecified,
}

impl NameIdFormat {
    /// As SAML writes it.
    pub fn uri(self) -> &'static str {
        match self {
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::EmailAddress => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        }
    }
}

/// By which names an identity provider says what; the first that it uses counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeNames {
    /// E-mail address.
    pub email: Vec<String>,
    /// Full name.
    pub name: Vec<String>,
    /// Given name.
    pub given_name: Vec<String>,
    /// Family name.
    pub family_name: Vec<String>,
}

impl Default for AttributeNames {
    /// As Okta and its like write them, as Shibboleth does (MACE-Dir), and as Microsoft does.
    fn default() -> Self {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            email: all(&[
                "email",
                "mail",
                "urn:oid:0.9.2342.19200300.100.1.3",
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            ]),
            name: all(&[
                "displayName",
                "urn:oid:2.16.840.1.113730.3.1.241",
                "http://schemas.microsoft.com/identity/claims/displayname",
            ]),
            given_name: all(&[
                "firstName",
                "givenName",
                "urn:oid:2.5.4.42",
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
            ]),
            family_name: all(&[
                "lastName",
                "sn",
                "urn:oid:2.5.4.4",
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
            ]),
        }
    }
}
