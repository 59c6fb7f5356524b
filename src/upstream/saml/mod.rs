//! SAML 2.0 from the service's side: web browser single sign-on. Source: SAML profiles section 4.1.
//!
//! ```text
//! text ──xml──▶ document ──decrypt──▶ document ──signature──▶ the signed element ──response──▶ Said
//! ```
//!
//! What is read is what was signed: one response, one assertion, each where it belongs, or nothing.

mod attributes;
mod decrypt;
mod names;
pub mod own;
pub mod request;
mod response;
pub mod settings;
mod signature;
#[cfg(test)]
mod tests;
pub mod theirs;
mod xml;

use chrono::{DateTime, Utc};

use crate::once::service as once;
use crate::upstream::arrival::{self, Arrival};
use crate::upstream::error::Refused;
use crate::upstream::journey::{Begun, Own};
use crate::upstream::model::{Name, Provider, Zeroized};
use crate::upstream::saml::response::Expected;
use crate::upstream::saml::settings::Saml;
use crate::upstream::saml::xml::Xml;
use crate::upstream::service::Upstream;

/// Largest response, in bytes of XML.
pub const RESPONSE_BYTES_MAX: usize = 128 * 1024;

/// What is known of whoever a response is about, once all of it was checked.
pub(in crate::upstream) async fn arrive(
    upstream: &Upstream,
    (provider, saml): (&Provider, &Saml),
    (begun, own): (&Begun, &Own<'_>),
    response: &str,
) -> Result<Arrival, Refused> {
    let secrets = upstream.parts().providers.secrets(provider)?;
    let key = secrets.client_key.as_ref().map(Zeroized::reveal);
    let places = own::Places::of(&upstream.parts().issuer, &provider.id, saml);
    let expected = Expected {
        saml,
        places: &places,
        request: &own.request_id(),
        anew_since: begun.anew_since(),
        now: upstream.ctx().now(),
    };
    let said = read(response, key, &expected)?;
    remember(upstream, provider, &said).await?;
    let attributes = &said.attributes;
    let email = attributes.email(saml).or_else(|| said.email_name());
    let name = Name {
        provider: provider.id.clone(),
        issuer: saml.entity_id.clone(),
        subject: said.subject.clone(),
    };
    let line = |text: Option<&str>| text.and_then(arrival::tidy);
    Ok(Arrival {
        name,
        email: email.and_then(|address| arrival::email(provider, address, false)),
        full_name: line(attributes.full_name(saml)),
        given_name: line(attributes.given_name(saml)),
        family_name: line(attributes.family_name(saml)),
        amr: arrival::amr(provider, &[], said.context.as_deref()),
    })
}

/// Reads a response: decrypts it if need be, checks signatures, and then what it says.
fn read(text: &str, key: Option<&str>, expected: &Expected<'_>) -> Result<response::Said, Refused> {
    let sealed = Xml::parse(text).map_err(Refused::Untrue)?;
    response::check_status(&sealed)?;
    if !decrypt::is_encrypted(&sealed) {
        let found = signature::signed(&sealed, expected.saml, false)?;
        return response::check(&sealed, &found, expected);
    }
    // What is around it was signed as it came: that is verified before anything is opened, and has
    // done its part then. What is inside may well use its ids once more.
    let vouched = signature::check_before_opening(&sealed, expected.saml)?;
    let opened = decrypt::opened(&signature::without_outer(&sealed), &sealed, key)?;
    let opened = Xml::parse(&opened).map_err(Refused::Untrue)?;
    let found = signature::signed(&opened, expected.saml, vouched)?;
    response::check(&opened, &found, expected)
}

/// Each assertion is good once, whoever brings it. Source: SAML profiles section 4.1.4.5.
async fn remember(
    upstream: &Upstream,
    provider: &Provider,
    said: &response::Said,
) -> Result<(), Refused> {
    let (owner, end): (&str, DateTime<Utc>) = (provider.id.as_str(), said.end);
    let name = (owner, said.assertion_id.as_str());
    if once::first_seen(upstream.ctx(), "saml assertion", name, end).await? {
        Ok(())
    } else {
        Err(Refused::Untrue("the assertion was used before"))
    }
}
