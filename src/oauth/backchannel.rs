//! Telling apps that a session is over. Source: OpenID Connect Back-Channel Logout 1.0.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::apps::model::App;
use crate::base::id::{AppId, UserId};
use crate::db::error::DbError;
use crate::oauth::sealing::seal_id;
use crate::oauth::service::OAuth;
use crate::oauth::subject;
use crate::outbound::OutboundError;
use crate::queue::model::{Job, Undelivered};

/// The kind of the job that tells one app; its payload is a [`Notice`].
pub(in crate::oauth) const LOGOUT: &str = "backchannel_logout";
/// `typ` of logout tokens. Source: OpenID Connect Back-Channel Logout section 2.4.
pub(in crate::oauth) const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";
/// How long a logout token is good, in seconds. Source: the same, "at most two minutes".
const LIFE_SECONDS: i64 = 120;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What an app has to be told. The token is made when it is sent, for it does not live long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::oauth) struct Notice {
    pub(in crate::oauth) app: AppId,
    pub(in crate::oauth) user: UserId,
    pub(in crate::oauth) sid: String,
}

impl Notice {
    pub(in crate::oauth) fn payload(&self) -> Result<Value, DbError> {
        serde_json::to_value(self)
            .map_err(|_| DbError::CorruptRow { table: "jobs", column: "payload" })
    }
}

/// Sends one app its logout token.
pub(in crate::oauth) async fn deliver(oauth: &OAuth, job: &Job) -> Result<(), Undelivered> {
    let notice: Notice = serde_json::from_value(job.payload.clone())
        .map_err(|_| Undelivered::Never("it cannot be read"))?;
    let found = oauth.parts().apps.find(&notice.app).await;
    let app = found.map_err(|_| Undelivered::Again("storage failed"))?;
    // Whoever is gone, or does not want to hear of it any more, is not told.
    let Some(app) = app else { return Ok(()) };
    let Some(url) = &app.metadata.backchannel_logout_uri else { return Ok(()) };
    let token = sealed(oauth, &app, logout_token(oauth, &app, &notice)?).await?;
    let body = Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let form = "application/x-www-form-urlencoded";
    match oauth.parts().outbound.post(url, form, HeaderMap::new(), body).await {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => {
            tracing::info!(app = %app.id, status = answer.status, "an app did not sign a user out");
            Err(Undelivered::Again("the app answers no success"))
        }
        Err(OutboundError::Refused(_)) => Err(Undelivered::Never("its URL may not be asked")),
        Err(error) => {
            tracing::info!(app = %app.id, %error, "an app could not be told of a sign-out");
            Err(Undelivered::Again("the app cannot be reached"))
        }
    }
}

/// Source: OpenID Connect Back-Channel Logout section 2.4.
fn logout_token(oauth: &OAuth, app: &App, notice: &Notice) -> Result<String, Undelivered> {
    let now = oauth.now().timestamp();
    let claims = json!({
        "iss": oauth.issuer(),
        "sub": subject::of(&oauth.parts().vault, app, &notice.user),
        "aud": app.id,
        "iat": now,
        "exp": now.saturating_add(LIFE_SECONDS),
        "jti": URL_SAFE_NO_PAD.encode(oauth.ctx().entropy().bytes::<16>()),
        "events": { EVENT: {} },
        "sid": notice.sid,
    });
    oauth
        .parts()
        .keys
        .sign(app.id_token_algorithm, LOGOUT_TOKEN_TYPE, &claims)
        .map_err(|_| Undelivered::Again("the token could not be signed"))
}

/// Encrypted, if the app wants its ID tokens so: an app may not tell one from the other otherwise.
async fn sealed(oauth: &OAuth, app: &App, token: String) -> Result<String, Undelivered> {
    seal_id(oauth, app, token).await.map_err(|fault| {
        tracing::info!(app = %app.id, %fault, "a logout token could not be encrypted");
        Undelivered::Again("the token could not be encrypted")
    })
}
