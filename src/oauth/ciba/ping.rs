//! Telling an app that its user has decided. Source: CIBA Core section 10.2.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::apps::metadata::DeliveryMode;
use crate::base::id::AppId;
use crate::base::secret::Secret;
use crate::oauth::service::OAuth;
use crate::oauth::waiting::Ticket;
use crate::queue::model::{Job, Undelivered};

const PURPOSE: &str = "oauth: ciba ping";

/// What a ping needs, so that only this server can read it: the secret that the app holds, and
/// what the app knows us by.
pub(in crate::oauth::ciba) fn seal(oauth: &OAuth, secret: &Secret, token: &str) -> String {
    let plain = format!("{}\n{token}", secret.reveal());
    let sealed = oauth.parts().vault.seal(PURPOSE, plain.as_bytes(), oauth.ctx().entropy());
    URL_SAFE_NO_PAD.encode(sealed)
}

fn open(oauth: &OAuth, sealed: &str) -> Option<(Secret, Secret)> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let plain = oauth.parts().vault.open(PURPOSE, &sealed)?;
    let (secret, token) = std::str::from_utf8(&plain).ok()?.split_once('\n')?;
    Some((Secret::presented(secret), Secret::presented(token)))
}

/// Makes one attempt to tell the app.
///
/// # Errors
/// [`Undelivered`].
pub(in crate::oauth) async fn deliver(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    const BROKEN: Undelivered = Undelivered::Never("the job cannot be read");
    let payload = &job.payload;
    let id = payload.get("id").and_then(Value::as_i64).ok_or(BROKEN)?;
    let app = payload.get("app").and_then(Value::as_str).and_then(|id| id.parse::<AppId>().ok());
    let sealed = payload.get("notice").and_then(Value::as_str).ok_or(BROKEN)?;
    let (secret, token) = open(oauth, sealed).ok_or(BROKEN)?;
    let app = oauth.parts().apps.find(&app.ok_or(BROKEN)?).await;
    let app = app.map_err(|_| Undelivered::Again("storage does not answer"))?;
    let metadata = app.as_ref().map(|app| &app.metadata);
    let metadata = metadata
        .filter(|metadata| metadata.backchannel_token_delivery_mode == Some(DeliveryMode::Ping))
        .ok_or(Undelivered::Never("the app does not want to be told any more"))?;
    let url = metadata.backchannel_client_notification_endpoint.as_deref();
    let url = url.ok_or(Undelivered::Never("the app has no endpoint"))?;
    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", token.reveal());
    let mut bearer = HeaderValue::try_from(bearer).map_err(|_| BROKEN)?;
    bearer.set_sensitive(true);
    headers.insert(AUTHORIZATION, bearer);
    let body = json!({ "auth_req_id": Ticket { id, secret }.to_text().reveal() });
    let sent =
        oauth.parts().outbound.post(url, "application/json", headers, body.to_string()).await;
    match sent {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) if (300..500).contains(&answer.status) && answer.status != 429 => {
            Err(Undelivered::Never("the app does not take it"))
        }
        Ok(_) => Err(Undelivered::Again("the app cannot take it now")),
        Err(error) => {
            tracing::info!(%error, "a ping failed");
            Err(Undelivered::Again("there is no answer"))
        }
    }
}
