//! What an access token reaches beside its scope: its audience, and the details of what it allows.
//!
//! Both are asked for when an app is authorized, and may shrink, never grow, with each token.

use serde_json::Value;

use crate::apps::model::App;
use crate::oauth::error::TokenError;
use crate::oauth::params::Params;
use crate::oauth::request::{AuthorizeRequest, Fault};
use crate::oauth::{details, target};

/// What an access token reaches. Empty: this server alone, and no details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::oauth) struct Reach {
    /// For whom it is; empty: for this server. Source: RFC 8707 section 2.
    pub(in crate::oauth) audience: Vec<String>,
    /// What it allows in detail. Source: RFC 9396 section 2.
    pub(in crate::oauth) details: Vec<Value>,
}

impl From<Fault> for TokenError {
    fn from(fault: Fault) -> Self {
        match fault.code {
            "invalid_scope" => Self::InvalidScope,
            code => Self::Named(code, fault.description),
        }
    }
}

impl Reach {
    /// What a request asks for, within what the app may ask.
    ///
    /// # Errors
    /// `invalid_target` or `invalid_authorization_details`.
    pub(in crate::oauth) fn asked(params: &Params, app: &App, issuer: &str) -> Result<Self, Fault> {
        Ok(Self {
            audience: target::read(params.all("resource"), &app.metadata.resources, issuer)?,
            details: details::read(
                params.get("authorization_details"),
                &app.metadata.authorization_details_types,
            )?,
        })
    }

    /// What a token request asks for of what was granted; all of it, if it asks for nothing.
    ///
    /// # Errors
    /// `invalid_target` or `invalid_authorization_details` for more than was granted.
    /// Source: RFC 8707 section 2.2, RFC 9396 section 6.
    pub(in crate::oauth) fn within(
        params: &Params,
        app: &App,
        granted: &AuthorizeRequest,
        issuer: &str,
    ) -> Result<Self, TokenError> {
        let asked = Self::asked(params, app, issuer)?;
        let audience = if asked.audience.is_empty() {
            granted.resource.clone()
        } else if target::is_within(&asked.audience, &granted.resource, issuer) {
            asked.audience
        } else {
            return Err(target::BEYOND.into());
        };
        let details = if asked.details.is_empty() {
            granted.authorization_details.clone()
        } else if details::is_within(&asked.details, &granted.authorization_details) {
            asked.details
        } else {
            return Err(details::BEYOND.into());
        };
        Ok(Self { audience, details })
    }
}
