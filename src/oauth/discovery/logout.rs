//! How people sign out. Source: OpenID Connect RP-Initiated Logout section 2.1, Back-Channel
//! Logout section 2.1, Front-Channel Logout section 3, Session Management section 3.3.

use serde_json::{Value, json};

use crate::config::model::Issuer;

pub(in crate::oauth::discovery) fn metadata(issuer: &Issuer) -> Value {
    json!({
        "end_session_endpoint": issuer.url("/logout"),
        "check_session_iframe": issuer.url("/session/check"),
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    })
}
