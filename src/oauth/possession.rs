//! Access tokens as they are shown at our own endpoints: a bound one only by who holds its key.
//!
//! Source: RFC 9449 section 7, RFC 8705 section 3.

use std::sync::Arc;

use crate::oauth::access_token::{self, AccessToken, TokenFault};
use crate::oauth::binding::Binding;
use crate::oauth::certificate::Certificate;
use crate::oauth::dpop::accept::accept;
use crate::oauth::dpop::{DpopFault, Target};
use crate::oauth::service::OAuth;

/// The scheme of the header field `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Source: RFC 6750 section 2.1.
    Bearer,
    /// Source: RFC 9449 section 7.1.
    Dpop,
}

impl Scheme {
    /// The scheme of this name, in any case. Source: RFC 9110 section 11.1.
    pub fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"dpop") {
            Some(Self::Dpop)
        } else {
            None
        }
    }
}

/// The header field `DPoP` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofField<'a> {
    /// It is not there.
    Absent,
    /// It is there once, as text.
    Once(&'a str),
    /// It is there twice, or not text.
    Malformed,
}

/// A request to somebody else's API, about which its gateway asks us.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere<'a> {
    /// Who it is for: an audience that is as good as this server itself. Source: RFC 8707.
    pub audience: &'a str,
    /// Its URL without the query, for proofs. Source: RFC 9449 section 4.2.
    pub url: &'a str,
}

/// An access token, and all by which its holder may show that it is theirs.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The token.
    pub token: &'a str,
    /// How it came.
    pub scheme: Scheme,
    /// The proof beside it.
    pub proof: ProofField<'a>,
    /// The method of the request.
    pub method: &'a str,
    /// The path of the request.
    pub path: &'a str,
    /// The certificate whose key the client holds.
    pub certificate: Option<&'a Certificate>,
    /// Whose request it is, if it is not for this server.
    pub elsewhere: Option<Elsewhere<'a>>,
}

impl<'a> Shown<'a> {
    /// A token and nothing else.
    pub fn bearer(token: &'a str) -> Self {
        Self {
            token,
            scheme: Scheme::Bearer,
            proof: ProofField::Absent,
            method: "",
            path: "",
            certificate: None,
            elsewhere: None,
        }
    }
}

/// Why a good token is refused all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// A token that is bound to a key came without a proof, or one that is not came with the
    /// scheme `DPoP`.
    #[error("the access token and its scheme do not belong together")]
    Scheme,
    /// The proof proves nothing.
    #[error("the DPoP proof is invalid: {0}")]
    Proof(&'static str),
    /// The proof needs this nonce.
    #[error("the DPoP proof needs a nonce of this server")]
    Nonce(String),
    /// The token is bound to another certificate.
    #[error("the access token is bound to another client certificate")]
    Certificate,
}

impl ProofFault {
    /// `error`. Source: RFC 9449 section 7.1, RFC 8705 section 3.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Scheme | Self::Certificate => "invalid_token",
            Self::Proof(_) => "invalid_dpop_proof",
            Self::Nonce(_) => "use_dpop_nonce",
        }
    }
}

/// Why a token is refused where it is shown.
#[derive(Debug, thiserror::Error)]
pub enum PossessionFault {
    /// The token itself is not good, or could not be checked.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// Its holder did not show that it is theirs.
    #[error(transparent)]
    Proof(#[from] ProofFault),
}

/// Checks an access token, and that whoever shows it holds what it is bound to.
///
/// # Errors
/// [`PossessionFault`].
pub async fn verify(oauth: &OAuth, shown: &Shown<'_>) -> Result<Arc<AccessToken>, PossessionFault> {
    let access =
        access_token::verify_for(oauth, shown.token, shown.elsewhere.map(|own| own.audience))
            .await?;
    match (&access.binding, shown.scheme) {
        (None, Scheme::Bearer) => {}
        (Some(Binding::Certificate(thumbprint)), Scheme::Bearer) => {
            if shown.certificate.is_none_or(|held| held.thumbprint() != *thumbprint) {
                return Err(ProofFault::Certificate.into());
            }
        }
        (Some(Binding::Key(key)), Scheme::Dpop) => {
            Box::pin(check_proof(oauth, shown, &access, key)).await?;
        }
        (Some(Binding::Key(_)), Scheme::Bearer)
        | (Some(Binding::Certificate(_)) | None, Scheme::Dpop) => {
            return Err(ProofFault::Scheme.into());
        }
    }
    Ok(access)
}

async fn check_proof(
    oauth: &OAuth,
    shown: &Shown<'_>,
    access: &AccessToken,
    key: &str,
) -> Result<(), PossessionFault> {
    let text = match shown.proof {
        ProofField::Once(text) => text,
        ProofField::Absent => return Err(ProofFault::Proof("it is missing").into()),
        ProofField::Malformed => return Err(ProofFault::Proof("it must come once").into()),
    };
    let app = oauth.parts().apps.find(&access.client).await.map_err(TokenFault::from)?;
    let app = app.ok_or(TokenFault::Invalid("its app is gone"))?;
    let url = match shown.elsewhere {
        Some(elsewhere) => elsewhere.url.to_owned(),
        None => oauth.parts().issuer.url(shown.path),
    };
    let alias = oauth.parts().mtls_url.as_ref().filter(|_| shown.elsewhere.is_none());
    let alias = alias.map(|alias| alias.url(shown.path));
    let (method, alias) = (shown.method, alias.as_deref());
    let target = Target { method, url: &url, alias, token: Some(shown.token) };
    match accept(oauth, &app, text, &target).await {
        Ok(held) if held == key => Ok(()),
        Ok(_) => Err(ProofFault::Proof("the access token is bound to another key").into()),
        Err(DpopFault::Invalid(why)) => Err(ProofFault::Proof(why).into()),
        Err(DpopFault::Nonce(nonce)) => Err(ProofFault::Nonce(nonce).into()),
        Err(DpopFault::Internal(error)) => Err(TokenFault::Internal(error).into()),
    }
}
