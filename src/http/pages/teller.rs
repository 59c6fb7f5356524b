//! How pages tell of apps, and of what they want.

use std::sync::Arc;

use crate::apis::service::{Catalogue, scope_of};
use crate::apps::model::App;
use crate::config::model::Issuer;
use crate::db::error::DbError;
use crate::http::logos::path_of;
use crate::server::Server;
use crate::words::Language;

/// The words for what scopes let an app do. Source: OpenID Connect Core section 5.4.
const WISHES: [(&str, &str); 34] = [
    ("openid", "wish-openid"),
    ("profile", "wish-profile"),
    ("email", "wish-email"),
    ("phone", "wish-phone"),
    ("address", "wish-address"),
    ("offline_access", "wish-offline-access"),
    ("account.read", "wish-account-read"),
    ("group.read", "wish-group-read"),
    ("policy.read", "wish-policy-read"),
    ("policy.write", "wish-policy-write"),
    ("project.read", "wish-project-read"),
    ("project.write", "wish-project-write"),
    ("account.write", "wish-account-write"),
    ("api.read", "wish-api-read"),
    ("api.write", "wish-api-write"),
    ("apiKey.read", "wish-api-key-read"),
    ("apiKey.write", "wish-api-key-write"),
    ("app.read", "wish-app-read"),
    ("app.write", "wish-app-write"),
    ("audit.read", "wish-audit-read"),
    ("client-token.write", "wish-client-token-write"),
    ("consent.read", "wish-consent-read"),
    ("consent.write", "wish-consent-write"),
    ("decision.ask", "wish-decision-ask"),
    ("group.write", "wish-group-write"),
    ("invitation.read", "wish-invitation-read"),
    ("invitation.write", "wish-invitation-write"),
    ("review.read", "wish-review-read"),
    ("review.write", "wish-review-write"),
    ("serviceAccount.read", "wish-service-account-read"),
    ("serviceAccount.write", "wish-service-account-write"),
    ("usage.read", "wish-usage-read"),
    ("user.read", "wish-user-read"),
    ("user.write", "wish-user-write"),
];

/// What stands beside the title of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// The path of its picture, if it has one here: those from elsewhere are not loaded.
    pub logo: Option<String>,
    /// What stands in place of a picture.
    pub letter: String,
}

/// Tells it in one language.
#[derive(Clone, Debug)]
pub struct Teller {
    issuer: Issuer,
    apis: Arc<Catalogue>,
    language: Language,
}

impl Teller {
    /// Who knows the scopes of all APIs.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn of(server: &Server, language: Language) -> Result<Self, DbError> {
        let apis = server.apis.all().await?;
        Ok(Self { issuer: server.config.issuer.clone(), apis, language })
    }

    /// What a scope lets an app do, in words. Those of somebody else's API are its owner's words, so
    /// that its name, which begins with the API's, stands beside them; without words it stands alone.
    pub fn wish(&self, scope: &str) -> String {
        if let Some((_, words)) = WISHES.iter().find(|(name, _)| *name == scope) {
            return self.language.say(words);
        }
        match scope_of(&self.apis, scope) {
            Some(found) => {
                let said = [("what", found.description.as_str().into()), ("scope", scope.into())];
                self.language.say_with("wish-outside", &said)
            }
            None => self.language.say_with("wish-other", &[("scope", scope.into())]),
        }
    }

    /// What stands beside the title of an app.
    pub fn face(&self, app: &App) -> Face {
        let title = app.title_in(self.language);
        let letter = title.chars().find(|c| c.is_alphanumeric()).unwrap_or('?');
        Face { logo: path_of(app, &self.issuer), letter: letter.to_uppercase().collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::apis::model::{Api, NewApi};
    use crate::gate::routes::scopes;

    fn teller(language: Language) -> Teller {
        let definition = json!({
            "title": "Files", "identifier": "https://files.example/", "basePath": "/",
            "scopes": [{"name": "files.read", "description": "See <files>"}], "routes": [],
        });
        let api = Api::new(NewApi {
            id: "files".parse().unwrap(),
            account: "acme".parse().unwrap(),
            definition: serde_json::from_value(definition).unwrap(),
        });
        let apis = Catalogue::from([(api.id().clone(), Arc::new(api))]);
        let issuer = Issuer::parse("https://id.example").unwrap();
        Teller { issuer, apis: Arc::new(apis), language }
    }

    #[test]
    fn every_scope_is_told_in_words_or_named() {
        let english = teller(Language::English);

        assert_eq!(english.wish("openid"), "Know who you are");
        assert_eq!(teller(Language::German).wish("openid"), "wissen, wer Sie sind");
        assert_eq!(english.wish("files.read"), "See <files> (files.read)");
        assert_eq!(english.wish("files.write"), "Use “files.write”");
        assert_eq!(english.wish("FHIR.read"), "Use “FHIR.read”");
        for info in scopes() {
            assert_eq!(english.wish(info.name), info.description);
        }
    }
}
