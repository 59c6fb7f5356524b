//! How people sign out. Source: OpenID Connect RP-Initiated Logout section 2.1, Back-Channel
//! Logout section 2.1.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer) -> Value {
    json!({
        "end_session_endpoint": issuer.url("/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}
