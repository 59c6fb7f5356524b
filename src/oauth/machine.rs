//! What the loops around oxide-auth's machines share.
//!
//! The machines lead: they say what is to be done next, in the order of the RFC. Our loops do it,
//! decide with our own functions, and keep our own errors and our own clock. What the machines
//! want to know of times and tokens is therefore filled with values that decide nothing.

use chrono::{DateTime, Utc};
use oxide_auth::code_grant::error::AccessTokenErrorType;
use oxide_auth::primitives::grant::{Extensions, Grant as MachineGrant};
use oxide_auth::primitives::scope::Scope as MachineScope;
use url::Url;

use crate::base::scope::Scope;
use crate::oauth::error::{Refusal, TokenError};
use crate::oauth::grant::{Approval, Grant};

/// Stands where a machine asks for a URL that the grant type does not have, or that the client
/// may leave out.
pub(in crate::oauth) const NO_URL: &str = "https://none.invalid/";

/// An end that the machine's own clock never reaches: ours decides.
pub(in crate::oauth) fn never() -> DateTime<Utc> {
    DateTime::<Utc>::MAX_UTC
}

/// The machine's view of a scope.
pub(in crate::oauth) fn scope(scope: &Scope) -> Result<MachineScope, TokenError> {
    scope.to_string().parse().map_err(|_| TokenError::Bug("a scope that oxide-auth cannot read"))
}

/// The machine's view of a grant whose `redirect_uri` we have compared ourselves.
pub(in crate::oauth) fn grant(
    grant: &Grant,
    by: &Approval,
    redirect_uri: &str,
) -> Result<Box<MachineGrant>, TokenError> {
    let redirect_uri = Url::parse(redirect_uri)
        .map_err(|_| TokenError::InvalidRequest("redirect_uri is malformed"))?;
    Ok(Box::new(MachineGrant {
        owner_id: by.user.to_string(),
        client_id: grant.app.to_string(),
        scope: scope(&by.scope)?,
        redirect_uri,
        until: never(),
        extensions: Extensions::new(),
    }))
}

/// The machine's own verdict on a request.
pub(in crate::oauth) fn verdict(
    kind: Option<AccessTokenErrorType>,
    malformed: &'static str,
) -> TokenError {
    use AccessTokenErrorType as Kind;
    match kind {
        Some(Kind::InvalidRequest) => TokenError::InvalidRequest(malformed),
        Some(Kind::InvalidClient) => TokenError::InvalidClient { basic: false },
        Some(Kind::InvalidGrant) => TokenError::InvalidGrant(Refusal::Machine),
        Some(Kind::UnsupportedGrantType) => TokenError::UnsupportedGrantType,
        Some(Kind::InvalidScope) => TokenError::InvalidScope,
        Some(_) | None => TokenError::Bug("oxide-auth's machine was fed out of order"),
    }
}
