//! What an assertion says of somebody beside their name. Source: SAML core section 2.7.3.

use std::collections::BTreeMap;

use bergshamra::xml::NodeId;

use crate::upstream::saml::names::ASSERTION;
use crate::upstream::saml::settings::Saml;
use crate::upstream::saml::xml::Xml;

/// Most attributes that are looked at.
const ATTRIBUTES_MAX: usize = 200;

/// Attributes by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::upstream) struct Attributes(BTreeMap<String, Vec<String>>);

impl Attributes {
    /// Those of an assertion.
    pub(in crate::upstream) fn of(xml: &Xml<'_>, assertion: NodeId) -> Self {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for statement in xml.named(assertion, ASSERTION, "AttributeStatement") {
            let all = xml.named(statement, ASSERTION, "Attribute");
            for attribute in all.into_iter().take(ATTRIBUTES_MAX) {
                let Some(name) = xml.attribute(attribute, "Name") else { continue };
                let values = xml.named(attribute, ASSERTION, "AttributeValue");
                let texts = values.into_iter().filter_map(|value| xml.text(value));
                let kept = found.entry(name.to_owned()).or_default();
                kept.extend(texts.filter(|text| !text.is_empty()));
            }
        }
        Self(found)
    }

    /// The value of the first of these names that has exactly one: of several nobody says which
    /// is meant.
    fn first(&self, names: &[String]) -> Option<&str> {
        names.iter().find_map(|name| match self.0.get(name)?.as_slice() {
            [one] => Some(one.as_str()),
            _ => None,
        })
    }

    /// The value of a name that has exactly one.
    pub(in crate::upstream) fn only(&self, name: &str) -> Option<&str> {
        self.first(&[name.to_owned()])
    }

    pub(in crate::upstream) fn email(&self, saml: &Saml) -> Option<&str> {
        self.first(&saml.attributes.email)
    }

    pub(in crate::upstream) fn full_name(&self, saml: &Saml) -> Option<&str> {
        self.first(&saml.attributes.name)
    }

    pub(in crate::upstream) fn given_name(&self, saml: &Saml) -> Option<&str> {
        self.first(&saml.attributes.given_name)
    }

    pub(in crate::upstream) fn family_name(&self, saml: &Saml) -> Option<&str> {
        self.first(&saml.attributes.family_name)
    }
}
