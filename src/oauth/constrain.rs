//! What the tokens of a request will be bound to: the key or the certificate that it shows.

use crate::apps::model::App;
use crate::oauth::binding::Binding;
use crate::oauth::dpop::accept::accept;
use crate::oauth::dpop::{DpopFault, Target};
use crate::oauth::error::TokenError;
use crate::oauth::presented::Presented;
use crate::oauth::service::OAuth;

/// The binding for a token request of an app that is who it says.
///
/// A proof binds to its key, for any app. An app that asked for bound tokens gets no others.
///
/// # Errors
/// [`TokenError::InvalidDpopProof`], [`TokenError::UseDpopNonce`], and
/// [`TokenError::InvalidRequest`] without the certificate that is needed. Source: RFC 9449
/// sections 5 and 5.2, RFC 8705 section 3.
pub(in crate::oauth) async fn binding(
    oauth: &OAuth,
    app: &App,
    presented: &Presented<'_>,
) -> Result<Option<Binding>, TokenError> {
    let metadata = &app.metadata;
    if let Some(key) = proven_key(oauth, app, presented).await? {
        return Ok(Some(Binding::Key(key)));
    }
    if metadata.dpop_bound_access_tokens {
        return Err(TokenError::InvalidDpopProof("a DPoP proof is needed"));
    }
    if metadata.tls_client_certificate_bound_access_tokens {
        let certificate = presented
            .certificate
            .ok_or(TokenError::InvalidRequest("a client certificate is needed"))?;
        return Ok(Some(Binding::Certificate(certificate.thumbprint())));
    }
    if app.needs_bound_tokens() {
        return Err(TokenError::InvalidDpopProof("the app must have bound tokens"));
    }
    Ok(None)
}

/// The thumbprint of the key that a request is proven with, if it is: `dpop_jkt` of a pushed
/// authorization request. Source: RFC 9449 section 10.1.
///
/// # Errors
/// [`TokenError::InvalidDpopProof`], [`TokenError::UseDpopNonce`].
pub(in crate::oauth) async fn proven_key(
    oauth: &OAuth,
    app: &App,
    presented: &Presented<'_>,
) -> Result<Option<String>, TokenError> {
    let Some(proof) = presented.dpop else { return Ok(None) };
    let url = oauth.parts().issuer.url(presented.path);
    let alias = oauth.parts().mtls_url.as_ref().map(|alias| alias.url(presented.path));
    let target = Target { method: "POST", url: &url, alias: alias.as_deref(), token: None };
    Ok(Some(Box::pin(accept(oauth, app, proof, &target)).await?))
}

impl From<DpopFault> for TokenError {
    fn from(fault: DpopFault) -> Self {
        match fault {
            DpopFault::Invalid(why) => Self::InvalidDpopProof(why),
            DpopFault::Nonce(nonce) => Self::UseDpopNonce(nonce),
            DpopFault::Internal(error) => Self::Internal(error),
        }
    }
}
