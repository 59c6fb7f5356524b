//! Authentication by a certificate of one's own. Source: RFC 8705 section 2.

use crate::apps::metadata::AuthMethod;
use crate::apps::model::{App, Kind};
use crate::oauth::certificate::Certificate;
use crate::oauth::certificate::names::{has_name_of, is_of_key};
use crate::oauth::client_keys;
use crate::oauth::service::OAuth;

/// Whether a certificate shows that its holder is `app`, by the method that the app registered.
pub(in crate::oauth::client_auth) async fn shows(
    oauth: &OAuth,
    app: &App,
    certificate: &Certificate,
) -> bool {
    if app.kind != Kind::Confidential {
        return false;
    }
    match app.metadata.token_endpoint_auth_method {
        Some(AuthMethod::TlsClientAuth) => {
            has_name_of(certificate, &app.metadata)
                && oauth.parts().authorities.as_ref().is_some_and(|authorities| {
                    authorities.vouch_for(certificate.der(), certificate.chain(), oauth.now())
                })
        }
        Some(AuthMethod::SelfSignedTlsClientAuth) => {
            client_keys::any(oauth, app, |jwk| is_of_key(certificate, jwk)).await
        }
        _ => false,
    }
}
