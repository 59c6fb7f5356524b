//! Whether a sector vouches for an app's redirect URIs. Source: OpenID Connect Registration
//! section 5.

use std::collections::HashSet;

use crate::apps::new_app::NewApp;
use crate::oauth::registration::RegistrationError;
use crate::oauth::service::OAuth;

/// Asks the sector of an app, if it names one: the answer must hold all of its redirect URIs, or
/// anybody could join a sector and see its users under the same names.
///
/// # Errors
/// [`RegistrationError::Metadata`], the same for whatever went wrong out there.
pub(in crate::oauth::registration) async fn verify(
    oauth: &OAuth,
    app: &NewApp,
) -> Result<(), RegistrationError> {
    let Some(uri) = &app.metadata.sector_identifier_uri else { return Ok(()) };
    let refused = || {
        let text = "sector_identifier_uri: does not answer with the redirect URIs of this app";
        RegistrationError::Metadata(text.to_owned())
    };
    let answer = oauth.parts().outbound.get(uri, "application/json").await.map_err(|error| {
        tracing::info!(%error, "a sector could not be asked");
        refused()
    })?;
    let listed: Option<HashSet<String>> =
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).ok()).flatten();
    let listed = listed.ok_or_else(refused)?;
    let is_listed = |url: &str| listed.contains(url);
    if app.callback_urls.iter().all(|url| is_listed(url.as_str())) {
        Ok(())
    } else {
        Err(refused())
    }
}
