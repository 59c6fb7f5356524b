//! Who a user is to an app: `sub`. Source: OpenID Connect Core section 8.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::apps::metadata::SubjectType;
use crate::apps::model::App;
use crate::base::id::UserId;
use crate::keys::vault::Vault;
use crate::oauth::service::OAuth;

const PURPOSE: &str = "pairwise subject";
const REFERENCE: &str = "user of an ID token";

/// Whether `app` gets a `sub` that no app of another sector gets.
pub(in crate::oauth) fn is_pairwise(app: &App) -> bool {
    app.metadata.subject_type == Some(SubjectType::Pairwise)
}

/// The `sub` of `user` for `app`: the user's id, or for a pairwise app a MAC over its sector and
/// the user. It stays the same as long as the server keeps its encryption key; nobody without
/// that key can tell which subjects are one user.
pub(in crate::oauth) fn of<'a>(vault: &Vault, app: &App, user: &'a UserId) -> Cow<'a, str> {
    if !is_pairwise(app) {
        return Cow::Borrowed(user.as_str());
    }
    let sector = sector(app);
    let mac = vault.mac(PURPOSE, &[sector.as_bytes(), user.as_str().as_bytes()]);
    Cow::Owned(URL_SAFE_NO_PAD.encode(mac.0))
}

/// What leads from an ID token of `app` back to its user, where `sub` does not: sealed, another
/// one each time, and so of no use for comparing.
pub(in crate::oauth) fn reference(oauth: &OAuth, app: &App, user: &UserId) -> Option<String> {
    is_pairwise(app).then(|| {
        let entropy = oauth.ctx().entropy();
        let sealed = oauth.parts().vault.seal(REFERENCE, user.as_str().as_bytes(), entropy);
        URL_SAFE_NO_PAD.encode(sealed)
    })
}

/// The user whom `app` knows as `sub`, by the reference that stood beside it.
pub(in crate::oauth) fn referred(
    oauth: &OAuth,
    app: &App,
    sub: &str,
    reference: Option<&str>,
) -> Option<UserId> {
    let vault = &oauth.parts().vault;
    let user: UserId = if is_pairwise(app) {
        let plain = vault.open(REFERENCE, &URL_SAFE_NO_PAD.decode(reference?).ok()?)?;
        std::str::from_utf8(&plain).ok()?.parse().ok()?
    } else {
        sub.parse().ok()?
    };
    (of(vault, app, &user) == sub).then_some(user)
}

/// The host of `sector_identifier_uri`, or the one host of the redirect URIs; registration sees to
/// it that there is only one. An app of native schemes alone is a sector of its own.
fn sector(app: &App) -> String {
    let host = |text: &str| url::Url::parse(text).ok()?.host_str().map(str::to_owned);
    let metadata = &app.metadata;
    let found = match &metadata.sector_identifier_uri {
        Some(uri) => host(uri),
        None => app.callback_urls.iter().find_map(|uri| host(uri.as_str())),
    };
    found.unwrap_or_else(|| format!("app:{}", app.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::new_app::NewApp;
    use crate::apps::redirect::RedirectUri;

    fn pairwise(id: &str, callback: &str, sector: Option<&str>) -> App {
        let mut new = NewApp::new(id.parse().unwrap(), "acme".parse().unwrap(), "App");
        new.callback_urls = vec![RedirectUri::parse(callback).unwrap()];
        new.metadata.subject_type = Some(SubjectType::Pairwise);
        new.metadata.sector_identifier_uri = sector.map(str::to_owned);
        new.with_secrets(Vec::new())
    }

    #[test]
    fn oidc_core_8_1_a_pairwise_subject_is_of_its_sector_its_user_and_this_server() {
        let vault = Vault::new(&[7; 32]);
        let (ada, ben): (UserId, UserId) = ("ada".parse().unwrap(), "ben".parse().unwrap());
        let one = pairwise("one", "https://portal.example/cb", None);
        let same = pairwise("two", "https://portal.example:8443/other", None);
        let named = pairwise("three", "https://x.example/cb", Some("https://portal.example/s"));
        let other = pairwise("four", "https://other.example/cb", None);
        let native = pairwise("five", "com.example.app:/cb", None);

        let sub = of(&vault, &one, &ada);
        assert_eq!((sub.len(), &sub), (43, &of(&vault, &one, &ada)));
        assert_eq!(sub, of(&vault, &same, &ada));
        assert_eq!(sub, of(&vault, &named, &ada));
        for different in [of(&vault, &other, &ada), of(&vault, &native, &ada)] {
            assert_ne!(sub, different);
        }
        assert_ne!(sub, of(&vault, &one, &ben));
        assert_ne!(sub, of(&Vault::new(&[8; 32]), &one, &ada));
        let mut public = one;
        public.metadata.subject_type = None;
        assert_eq!(of(&vault, &public, &ada), "ada");
    }
}
