//! Taking a proof: what needs time and storage besides. Source: RFC 9449 section 4.3.

use crate::apps::model::App;
use crate::keys::foreign::Jws;
use crate::oauth::dpop::{DpopFault, Proof, Target, algorithms, nonce};
use crate::oauth::service::OAuth;
use crate::once::service as once;

/// The thumbprint of the key that a request was proven with. The proof is used up.
///
/// # Errors
/// [`DpopFault`].
pub(in crate::oauth) async fn accept(
    oauth: &OAuth,
    app: &App,
    text: &str,
    target: &Target<'_>,
) -> Result<String, DpopFault> {
    let proof = Proof::read(text, target, algorithms(app)).map_err(DpopFault::Invalid)?;
    let now = oauth.now();
    let vault = &oauth.parts().vault;
    let is_ours = proof.nonce.as_deref().map(|text| nonce::is_good(vault, text, now));
    if is_ours == Some(false) || (is_ours.is_none() && app.metadata.require_dpop_nonce) {
        return Err(DpopFault::Nonce(nonce::current(vault, now)));
    }
    let end = proof.memorable_until(now, is_ours.is_some()).map_err(DpopFault::Invalid)?;
    if !once::first_seen(oauth.ctx(), "dpop", (&proof.key, &proof.name), end).await? {
        return Err(DpopFault::Invalid("it was used before"));
    }
    Ok(proof.key)
}

/// The nonce for the next proof, for a client whose last one held a nonce, so that it need not be
/// refused first. Source: RFC 9449 section 8.2.
pub fn next_nonce(oauth: &OAuth, last_proof: &str) -> Option<String> {
    let last = Jws::parse(last_proof).ok()?;
    last.unverified.get("nonce")?;
    Some(nonce::current(&oauth.parts().vault, oauth.now()))
}
