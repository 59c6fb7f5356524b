//! How we show to an OpenID Provider who we are. Source: OpenID Connect Core section 9.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use url::form_urlencoded;

use crate::keys::given::GivenKey;
use crate::upstream::discovery::Metadata;
use crate::upstream::error::Refused;
use crate::upstream::model::Secrets;
use crate::upstream::service::Upstream;
use crate::upstream::settings::{ClientAuth, Oidc};

/// How long what we sign is good: long enough for clocks that differ a little.
const SECONDS: i64 = 240;

/// What goes with a request to the token endpoint.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Shown {
    pub(in crate::upstream) headers: HeaderMap,
    pub(in crate::upstream) fields: Vec<(&'static str, String)>,
}

/// What shows who we are.
pub(in crate::upstream) fn shown(
    upstream: &Upstream,
    (oidc, metadata): (&Oidc, &Metadata),
    secrets: &Secrets,
    now: DateTime<Utc>,
) -> Result<Shown, Refused> {
    let broken = Refused::Fails("we cannot show who we are");
    let id = ("client_id", oidc.client_id.clone());
    let secret = || secrets.client_secret.as_ref().map(|secret| secret.reveal().to_owned());
    match &oidc.client_auth {
        ClientAuth::None => Ok(Shown { fields: vec![id], ..Shown::default() }),
        ClientAuth::ClientSecretBasic => {
            let secret = secret().ok_or(broken)?;
            let headers = basic(&oidc.client_id, &secret);
            Ok(Shown { headers, fields: Vec::new() })
        }
        ClientAuth::ClientSecretPost => {
            let secret = secret().ok_or(broken)?;
            Ok(Shown { fields: vec![id, ("client_secret", secret)], ..Shown::default() })
        }
        ClientAuth::PrivateKeyJwt { algorithm } => {
            let jti = URL_SAFE_NO_PAD.encode(upstream.ctx().entropy().bytes::<16>());
            let at = now.timestamp();
            let claims = json!({
                "iss": oidc.client_id, "sub": oidc.client_id, "aud": metadata.issuer,
                "iat": at, "exp": at + SECONDS, "jti": jti,
            });
            // Source: RFC 7523bis section 4: told apart from every other token of ours.
            let typ = "client-authentication+jwt";
            let signed = upstream.parts().keys.sign(*algorithm, typ, &claims);
            let assertion = signed.map_err(|_| broken)?;
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
            let fields = vec![id, ("client_assertion_type", kind), ("client_assertion", assertion)];
            Ok(Shown { fields, ..Shown::default() })
        }
        ClientAuth::SignedSecret { team_id, key_id } => {
            let key = secrets.client_key.as_ref().map(|pem| GivenKey::from_pem(pem.reveal()));
            let Some(Ok(key)) = key else { return Err(broken) };
            let at = now.timestamp();
            let claims = json!({
                "iss": team_id, "sub": oidc.client_id, "aud": oidc.issuer,
                "iat": at, "exp": at + SECONDS,
            });
            let secret = key.sign(key_id, &claims).map_err(|_| broken)?;
            Ok(Shown { fields: vec![id, ("client_secret", secret)], ..Shown::default() })
        }
    }
}

/// Both halves are encoded as in a form first. Source: RFC 6749 section 2.3.1.
fn basic(id: &str, secret: &str) -> HeaderMap {
    let half = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", half(id), half(secret)));
    let mut headers = HeaderMap::new();
    if let Ok(mut value) = HeaderValue::try_from(format!("Basic {pair}")) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    headers
}
