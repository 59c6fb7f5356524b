//! Identity providers of SAML in a declaration: by their metadata, or field by field.

use crate::setup::providers::{text, texts, web_address};
use crate::setup::read::{Notes, Object, Part};
use crate::setup::secret::{Declared, Outside, read as read_secret};
use crate::upstream::model::Secrets;
use crate::upstream::saml::settings::{AttributeNames, NameIdFormat, RequestBinding, Saml};
use crate::upstream::saml::theirs::{self, Described};

/// Most certificates of one provider: while it changes them there are two.
const CERTIFICATES_MAX: usize = 4;

/// Reads the settings. What is said beside the metadata counts before it.
pub(in crate::setup) fn read(
    object: &Object<'_>,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<Saml> {
    let described = metadata(object, outside, notes);
    let entity_id = object.text("entity_id", text, notes);
    let sso_url = object.text("sso_url", web_address, notes);
    let binding = object.text("request_binding", request_binding, notes);
    let (described, found) = match described {
        Some(Described { entity_id, sso, certificates }) => (Some((entity_id, sso)), certificates),
        None => (None, Vec::new()),
    };
    let given = certificates(object, outside, notes);
    let certificates = if given.is_empty() { found } else { given };
    if certificates.is_empty() || certificates.len() > CERTIFICATES_MAX {
        object.part().fault(notes, "certificates is missing: whose signatures are believed");
    }
    let (their_id, their_sso) = described.unzip();
    let (their_binding, their_url) = their_sso.unzip();
    let Some(entity_id) = entity_id.or(their_id) else {
        object.part().fault(notes, "entity_id is missing");
        return None;
    };
    let Some(sso_url) = sso_url.or(their_url) else {
        object.part().fault(notes, "sso_url is missing");
        return None;
    };
    Some(Saml {
        entity_id,
        sso_url,
        request_binding: binding.or(their_binding).unwrap_or(RequestBinding::Redirect),
        certificates,
        own_entity_id: object.text("own_entity_id", text, notes),
        own_certificate: pem(object, "own_certificate", outside, notes),
        name_id: object.text("name_id", name_id, notes).unwrap_or(NameIdFormat::Persistent),
        subject_attribute: object.text("subject_attribute", text, notes),
        attributes: attributes(object, notes),
    })
}

fn metadata(object: &Object<'_>, outside: &Outside<'_>, notes: &mut Notes) -> Option<Described> {
    let part = object.get("metadata")?;
    let Declared::Clear(xml) = read_secret(&part, outside, notes)? else {
        part.fault(notes, "cannot be a hash");
        return None;
    };
    match theirs::read(xml.reveal()) {
        Ok(described) => Some(described),
        Err(problem) => {
            part.fault(notes, problem);
            None
        }
    }
}

fn certificate_of(part: &Part<'_>, outside: &Outside<'_>, notes: &mut Notes) -> Option<String> {
    let Declared::Clear(pem) = read_secret(part, outside, notes)? else {
        part.fault(notes, "cannot be a hash");
        return None;
    };
    match theirs::certificate(pem.reveal()) {
        Ok(certificate) => Some(certificate),
        Err(problem) => {
            part.fault(notes, problem);
            None
        }
    }
}

fn certificates(object: &Object<'_>, outside: &Outside<'_>, notes: &mut Notes) -> Vec<String> {
    let parts = object.list("certificates", notes).unwrap_or_default();
    parts.iter().filter_map(|part| certificate_of(part, outside, notes)).collect()
}

fn pem(
    object: &Object<'_>,
    name: &str,
    outside: &Outside<'_>,
    notes: &mut Notes,
) -> Option<String> {
    certificate_of(&object.get(name)?, outside, notes)
}

fn request_binding(given: &str) -> Result<RequestBinding, &'static str> {
    match given {
        "redirect" => Ok(RequestBinding::Redirect),
        "post" => Ok(RequestBinding::Post),
        _ => Err("must be redirect or post"),
    }
}

fn name_id(given: &str) -> Result<NameIdFormat, &'static str> {
    match given {
        "persistent" => Ok(NameIdFormat::Persistent),
        "email" => Ok(NameIdFormat::EmailAddress),
        "unspecified" => Ok(NameIdFormat::Unspecified),
        _ => Err("must be persistent, email or unspecified"),
    }
}

fn attributes(object: &Object<'_>, notes: &mut Notes) -> AttributeNames {
    let usual = AttributeNames::default();
    let known = &["email", "name", "given_name", "family_name"];
    let Some(own) = object.get("attributes").and_then(|part| part.object(known, notes)) else {
        return usual;
    };
    let mut names = |name: &str, usual: Vec<String>| texts(&own, name, notes).unwrap_or(usual);
    AttributeNames {
        email: names("email", usual.email),
        name: names("name", usual.name),
        given_name: names("given_name", usual.given_name),
        family_name: names("family_name", usual.family_name),
    }
}

/// Our certificate and our key belong together.
pub(in crate::setup) fn check_key(
    part: &Part<'_>,
    saml: &Saml,
    secrets: &Secrets,
    notes: &mut Notes,
) {
    match (&saml.own_certificate, &secrets.client_key) {
        (Some(_), None) => part.fault(notes, "client_key is missing: own_certificate has one"),
        (None, Some(_)) => part.fault(notes, "own_certificate is missing: client_key has one"),
        (Some(_), Some(key)) => {
            if let Err(problem) = theirs::check_own_key(key.reveal()) {
                part.fault_of("client_key", problem, notes);
            }
        }
        (None, None) => {}
    }
}
