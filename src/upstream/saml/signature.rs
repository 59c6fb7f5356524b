//! Which element somebody signed: by a key of the operator's, of a shape that leaves no choice.
//!
//! A signature stands in the element that it signs and refers to it by its id; there is one
//! response and one assertion, each in its place. So whatever is moved, copied or wrapped is
//! refused before anybody asks what it says. Source: SAML core section 5.4, Somorovsky et al., "On
//! Breaking SAML" (2012).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::dsig::verify::{VerifyResult, verify_all_document_with_source};
use bergshamra::keys::loader::load_x509_cert_der;
use bergshamra::xml::NodeId;
use bergshamra::{DsigContext, KeysManager};

use crate::upstream::error::Refused;
use crate::upstream::saml::names::{
    ASSERTION, DIGESTS, DSIG, ENVELOPED, EXC_C14N, PROTOCOL, SIGNATURES,
};
use crate::upstream::saml::settings::Saml;
use crate::upstream::saml::xml::Xml;

/// The response and its one assertion, which somebody signed, together or apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::upstream) struct Signed {
    pub(in crate::upstream) response: NodeId,
    pub(in crate::upstream) assertion: NodeId,
}

const fn untrue<T>(reason: &'static str) -> Result<T, Refused> {
    Err(Refused::Untrue(reason))
}

/// The response as the root, and nowhere else.
fn response(xml: &Xml<'_>) -> Result<NodeId, Refused> {
    let root = xml.root().filter(|root| xml.is(*root, PROTOCOL, "Response"));
    match (root, xml.all(PROTOCOL, "Response").len()) {
        (Some(root), 1) => Ok(root),
        _ => untrue("there is not exactly one response"),
    }
}

/// The elements that were signed, once every signature in the document was verified.
///
/// Of an assertion that was decrypted, what was signed around it was verified before: `vouched`
/// says that there was such a signature, which then stands for the assertion, too.
pub(in crate::upstream) fn signed(
    xml: &Xml<'_>,
    saml: &Saml,
    vouched: bool,
) -> Result<Signed, Refused> {
    let response = response(xml)?;
    let all = xml.all(ASSERTION, "Assertion");
    let [assertion] = all.as_slice() else {
        return untrue("there is not exactly one assertion");
    };
    let parent = xml.parent(*assertion);
    let is_sealed = parent.is_some_and(|parent| {
        xml.is(parent, ASSERTION, "EncryptedAssertion") && xml.parent(parent) == Some(response)
    });
    if parent != Some(response) && !is_sealed {
        return untrue("the assertion is not in its place");
    }
    let places = if is_sealed { vec![*assertion] } else { vec![response, *assertion] };
    let count = verify(xml, saml, &places)?;
    if count == 0 && !(is_sealed && vouched) {
        return untrue("nothing is signed");
    }
    Ok(Signed { response, assertion: *assertion })
}

/// Whether the response around an assertion that is still encrypted is signed; if it is, that holds.
pub(in crate::upstream) fn check_before_opening(
    xml: &Xml<'_>,
    saml: &Saml,
) -> Result<bool, Refused> {
    let response = response(xml)?;
    Ok(verify(xml, saml, &[response])? == 1)
}

/// The text without the signature of its response, which was verified.
pub(in crate::upstream) fn without_outer(xml: &Xml<'_>) -> String {
    let outer = xml.root().and_then(|root| xml.one(root, DSIG, "Signature"));
    let range = outer.and_then(|node| xml.doc.node_range(node));
    let halves =
        range.and_then(|range| Some((xml.text.get(..range.start)?, xml.text.get(range.end..)?)));
    halves.map_or_else(|| xml.text.to_owned(), |(before, after)| [before, after].concat())
}

/// Verifies every signature, and says how many there are: each has to be the only one of one of
/// these elements.
fn verify(xml: &Xml<'_>, saml: &Saml, places: &[NodeId]) -> Result<usize, Refused> {
    let mut owners = Vec::new();
    for signature in xml.all(DSIG, "Signature") {
        let owner = xml.parent(signature);
        let Some(owner) = owner.filter(|owner| places.contains(owner) && !owners.contains(owner))
        else {
            return untrue("a signature is not in its place");
        };
        check_shape(xml, signature, owner)?;
        owners.push(owner);
    }
    if owners.is_empty() {
        return Ok(0);
    }
    let context = DsigContext::new(keys(saml)?);
    let results = verify_all_document_with_source(&context, &xml.doc, Some(xml.text));
    let results = results.or(untrue("the signatures cannot be read"))?;
    let mut verified = Vec::new();
    for result in results {
        if let VerifyResult::Valid { signature_node, references, .. } = result
            && let [reference] = references.as_slice()
            && reference.digest_verified
            && reference.resolved_node.is_some()
            && reference.resolved_node == xml.parent(signature_node)
        {
            verified.extend(reference.resolved_node);
        }
    }
    if owners.iter().all(|owner| verified.contains(owner)) {
        Ok(owners.len())
    } else {
        untrue("a signature does not hold")
    }
}

/// The keys of the operator's certificates, and no others.
fn keys(saml: &Saml) -> Result<KeysManager, Refused> {
    let mut keys = KeysManager::new();
    for certificate in &saml.certificates {
        let key = STANDARD.decode(certificate).ok().and_then(|der| load_x509_cert_der(&der).ok());
        keys.add_key(key.ok_or(Refused::Fails("its certificate cannot be read"))?);
    }
    Ok(keys)
}

/// A signature has one reference, to the id of the element it stands in, transforms that only cut
/// itself out, and algorithms that hold; it carries nothing.
fn check_shape(xml: &Xml<'_>, signature: NodeId, owner: NodeId) -> Result<(), Refused> {
    let is_plain = xml.children(signature).iter().all(|child| {
        ["SignedInfo", "SignatureValue", "KeyInfo"].iter().any(|name| xml.is(*child, DSIG, name))
    });
    let info = xml.one(signature, DSIG, "SignedInfo");
    let (Some(info), true) = (info, is_plain) else { return untrue("a signature is odd") };
    let algorithm = |node: NodeId, name: &str| {
        let node = xml.one(node, DSIG, name)?;
        xml.attribute(node, "Algorithm").map(str::to_owned)
    };
    let has = |found: Option<String>, allowed: &[&str]| {
        found.is_some_and(|found| allowed.contains(&found.as_str()))
    };
    if !has(algorithm(info, "CanonicalizationMethod"), &[EXC_C14N])
        || !has(algorithm(info, "SignatureMethod"), &SIGNATURES)
    {
        return untrue("a signature is made in a way that does not count");
    }
    let Some(reference) = xml.one(info, DSIG, "Reference") else {
        return untrue("a signature does not refer to one element");
    };
    if !has(algorithm(reference, "DigestMethod"), &DIGESTS) {
        return untrue("a digest is made in a way that does not count");
    }
    let id = xml.attribute(owner, "ID").filter(|id| !id.is_empty());
    let uri = xml.attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#'));
    if id.is_none() || id != uri {
        return untrue("a signature refers to another element");
    }
    let transforms = xml.one(reference, DSIG, "Transforms").map(|node| xml.children(node));
    let known = transforms.unwrap_or_default().iter().all(|transform| {
        xml.is(*transform, DSIG, "Transform")
            && matches!(xml.attribute(*transform, "Algorithm"), Some(ENVELOPED | EXC_C14N))
    });
    if known { Ok(()) } else { untrue("a signature transforms what it signs") }
}
