//! What must be true of a response, once it is known who signed it. Source: SAML profiles
//! sections 4.1.4.2 and 4.1.4.3, SAML core section 2.5.

use bergshamra::xml::NodeId;
use chrono::{DateTime, TimeDelta, Utc};

use crate::upstream::error::Refused;
use crate::upstream::saml::attributes::Attributes;
use crate::upstream::saml::names::{
    ASSERTION, AUTHN_FAILED, BEARER, PROTOCOL, STATUS_CODE, SUCCESS,
};
use crate::upstream::saml::own::Places;
use crate::upstream::saml::settings::{NameIdFormat, Saml};
use crate::upstream::saml::signature::Signed;
use crate::upstream::saml::xml::Xml;

/// How far another clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// Longest that an assertion is good here, whatever it says: so long it is remembered.
const LIFE_MAX: TimeDelta = TimeDelta::hours(1);
/// Longest name of a person. Source: SAML core section 8.3.7.
const SUBJECT_BYTES_MAX: usize = 256;

/// What a response is held against.
#[derive(Clone, Copy)]
pub(in crate::upstream) struct Expected<'a> {
    /// Whom we asked.
    pub(in crate::upstream) saml: &'a Saml,
    /// What is ours.
    pub(in crate::upstream) places: &'a Places,
    /// The id of our request.
    pub(in crate::upstream) request: &'a str,
    /// If the user had to sign in anew: since when.
    pub(in crate::upstream) anew_since: Option<DateTime<Utc>>,
    /// The current instant.
    pub(in crate::upstream) now: DateTime<Utc>,
}

/// Whom an assertion is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::upstream) struct Said {
    pub(in crate::upstream) assertion_id: String,
    pub(in crate::upstream) subject: String,
    is_address: bool,
    pub(in crate::upstream) attributes: Attributes,
    pub(in crate::upstream) context: Option<String>,
    /// Until when it could be brought again.
    pub(in crate::upstream) end: DateTime<Utc>,
}

impl Said {
    /// The name, if it is an address.
    pub(in crate::upstream) fn email_name(&self) -> Option<&str> {
        self.is_address.then_some(self.subject.as_str())
    }
}

const fn untrue<T>(reason: &'static str) -> Result<T, Refused> {
    Err(Refused::Untrue(reason))
}

/// Whether the provider says that all went well. It may say that it did not without signing it:
/// whoever lies about that has only spoiled their own sign-in.
pub(in crate::upstream) fn check_status(xml: &Xml<'_>) -> Result<(), Refused> {
    let root = xml.root().filter(|root| xml.is(*root, PROTOCOL, "Response"));
    let status = root.and_then(|root| xml.one(root, PROTOCOL, "Status"));
    let code = status.and_then(|status| xml.one(status, PROTOCOL, STATUS_CODE));
    let Some(code) = code else { return untrue("there is no status") };
    if xml.attribute(code, "Value") == Some(SUCCESS) {
        return Ok(());
    }
    let inner = xml.one(code, PROTOCOL, STATUS_CODE);
    let turned_back = inner.and_then(|inner| xml.attribute(inner, "Value")) == Some(AUTHN_FAILED);
    if turned_back { Err(Refused::TurnedBack) } else { Err(Refused::Fails("it says so")) }
}

/// Holds what was signed against what was expected.
pub(in crate::upstream) fn check(
    xml: &Xml<'_>,
    signed: &Signed,
    expected: &Expected<'_>,
) -> Result<Said, Refused> {
    let Signed { response, assertion } = *signed;
    check_response(xml, response, expected)?;
    if xml.attribute(assertion, "Version") != Some("2.0") {
        return untrue("the assertion is not of version 2.0");
    }
    if !issued_by(xml, assertion, expected).unwrap_or(false) {
        return untrue("the assertion is another issuer's");
    }
    let id = xml.attribute(assertion, "ID").filter(|id| !id.is_empty());
    let Some(id) = id else { return untrue("the assertion has no id") };
    let issued = time(xml, assertion, "IssueInstant")?;
    if issued.is_none_or(|at| at > expected.now + SKEW || at < expected.now - LIFE_MAX) {
        return untrue("the assertion was not made just now");
    }
    let Some(subject) = xml.one(assertion, ASSERTION, "Subject") else {
        return untrue("there is no subject");
    };
    let end = check_confirmation(xml, subject, expected)?;
    check_conditions(xml, assertion, expected)?;
    let context = check_statement(xml, assertion, expected)?;
    let attributes = Attributes::of(xml, assertion);
    let (subject, is_address) = match &expected.saml.subject_attribute {
        Some(name) => match attributes.only(name) {
            Some(value) => (value.to_owned(), false),
            None => return untrue("the attribute that names people is missing"),
        },
        None => named(xml, subject, expected)?,
    };
    let has_control = subject.chars().any(char::is_control);
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || has_control {
        return untrue("the name is missing or malformed");
    }
    let assertion_id = id.to_owned();
    Ok(Said { assertion_id, subject, is_address, attributes, context, end })
}

fn check_response(xml: &Xml<'_>, response: NodeId, expected: &Expected<'_>) -> Result<(), Refused> {
    if xml.attribute(response, "Version") != Some("2.0") {
        return untrue("the response is not of version 2.0");
    }
    if xml.attribute(response, "Destination") != Some(expected.places.acs.as_str()) {
        return untrue("the response was sent to somebody else");
    }
    if xml.attribute(response, "InResponseTo") != Some(expected.request) {
        return untrue("the response answers another request");
    }
    if issued_by(xml, response, expected) == Some(false) {
        return untrue("the response is another issuer's");
    }
    Ok(())
}

/// Whether an element names the provider as its issuer; `None` if it names nobody.
fn issued_by(xml: &Xml<'_>, node: NodeId, expected: &Expected<'_>) -> Option<bool> {
    let issuers = xml.named(node, ASSERTION, "Issuer");
    match issuers.as_slice() {
        [] => None,
        [one] => Some(xml.text(*one).as_deref() == Some(expected.saml.entity_id.as_str())),
        _ => Some(false),
    }
}

/// Finds a confirmation for the bearer that is for us, and says until when it is good.
fn check_confirmation(
    xml: &Xml<'_>,
    subject: NodeId,
    expected: &Expected<'_>,
) -> Result<DateTime<Utc>, Refused> {
    let Expected { places, request, now, .. } = *expected;
    for confirmation in xml.named(subject, ASSERTION, "SubjectConfirmation") {
        if xml.attribute(confirmation, "Method") != Some(BEARER) {
            continue;
        }
        let Some(data) = xml.one(confirmation, ASSERTION, "SubjectConfirmationData") else {
            continue;
        };
        let end = time(xml, data, "NotOnOrAfter")?;
        let is_ours = xml.attribute(data, "Recipient") == Some(places.acs.as_str())
            && xml.attribute(data, "InResponseTo") == Some(request)
            && time(xml, data, "NotBefore")?.is_none();
        if let (true, Some(end)) = (is_ours, end)
            && now < end + SKEW
        {
            return Ok(end.min(now + LIFE_MAX) + SKEW);
        }
    }
    untrue("the subject is not confirmed for us")
}

fn check_conditions(
    xml: &Xml<'_>,
    assertion: NodeId,
    expected: &Expected<'_>,
) -> Result<(), Refused> {
    let Some(conditions) = xml.one(assertion, ASSERTION, "Conditions") else {
        return untrue("there are no conditions");
    };
    if time(xml, conditions, "NotBefore")?.is_some_and(|at| at > expected.now + SKEW) {
        return untrue("the assertion is from the future");
    }
    if time(xml, conditions, "NotOnOrAfter")?.is_some_and(|at| at + SKEW <= expected.now) {
        return untrue("the assertion is over");
    }
    let known = ["AudienceRestriction", "OneTimeUse", "ProxyRestriction"];
    let is_known = |node: &NodeId| known.iter().any(|name| xml.is(*node, ASSERTION, name));
    if !xml.children(conditions).iter().all(is_known) {
        return untrue("there is a condition that nobody knows");
    }
    let restrictions = xml.named(conditions, ASSERTION, "AudienceRestriction");
    let is_for_us = |restriction: &NodeId| {
        let audiences = xml.named(*restriction, ASSERTION, "Audience");
        let own = expected.places.entity_id.as_str();
        audiences.iter().any(|audience| xml.text(*audience).as_deref() == Some(own))
    };
    if restrictions.is_empty() || !restrictions.iter().all(is_for_us) {
        return untrue("the assertion is for somebody else");
    }
    Ok(())
}

/// Checks that and when the user signed in, and says how.
fn check_statement(
    xml: &Xml<'_>,
    assertion: NodeId,
    expected: &Expected<'_>,
) -> Result<Option<String>, Refused> {
    let statements = xml.named(assertion, ASSERTION, "AuthnStatement");
    let Some(statement) = statements.first() else {
        return untrue("it does not say that anybody signed in");
    };
    if time(xml, *statement, "SessionNotOnOrAfter")?.is_some_and(|at| at <= expected.now) {
        return untrue("the session there is over");
    }
    if let Some(since) = expected.anew_since {
        let at = time(xml, *statement, "AuthnInstant")?.ok_or(Refused::NotAnew)?;
        if at < since - SKEW {
            return Err(Refused::NotAnew);
        }
    }
    let context = xml.one(*statement, ASSERTION, "AuthnContext");
    let class = context.and_then(|node| xml.one(node, ASSERTION, "AuthnContextClassRef"));
    Ok(class.and_then(|class| xml.text(class)))
}

/// The name, and whether it is an address.
fn named(
    xml: &Xml<'_>,
    subject: NodeId,
    expected: &Expected<'_>,
) -> Result<(String, bool), Refused> {
    let Some(name) = xml.one(subject, ASSERTION, "NameID") else {
        return untrue("there is not one name");
    };
    let wanted = expected.saml.name_id;
    let is_wanted = match xml.attribute(name, "Format") {
        Some(format) => format == wanted.uri(),
        None => wanted == NameIdFormat::Unspecified,
    };
    let is_own = |attribute: &str, own: &str| {
        xml.attribute(name, attribute).is_none_or(|given| given == own)
    };
    if !is_wanted
        || !is_own("NameQualifier", &expected.saml.entity_id)
        || !is_own("SPNameQualifier", &expected.places.entity_id)
    {
        return untrue("the name is of another kind");
    }
    let text = xml.text(name).unwrap_or_default();
    Ok((text, wanted == NameIdFormat::EmailAddress))
}

/// A time, if it is there. Source: SAML core section 1.3.3.
fn time(xml: &Xml<'_>, node: NodeId, name: &str) -> Result<Option<DateTime<Utc>>, Refused> {
    let Some(text) = xml.attribute(node, name) else { return Ok(None) };
    let read = DateTime::parse_from_rfc3339(text).ok();
    let time = read.filter(|_| text.len() <= 40).map(|time| time.with_timezone(&Utc));
    let bounds = |time: &DateTime<Utc>| (0..=253_402_300_799).contains(&time.timestamp());
    time.filter(bounds).map(Some).ok_or(Refused::Untrue("a time is malformed"))
}
