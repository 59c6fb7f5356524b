//! What a user is asked on the consent page.

use std::sync::Arc;

use serde_json::Value;

use crate::apps::model::App;
use crate::apps::redirect::VerifiedRedirect;
use crate::base::id::AccountId;
use crate::db::error::DbError;
use crate::oauth::request::AuthorizeRequest;
use crate::oauth::service::OAuth;
use crate::users::model::User;

/// What the consent page shows.
#[derive(Clone, Debug)]
pub struct ConsentAsk {
    /// Who asks. Title and description are the developer's words.
    pub app: Arc<App>,
    /// The account that answers for the app: what its title cannot fake.
    pub account: AccountId,
    /// The name of that account.
    pub account_name: String,
    /// Where the answer goes, as far as people can judge it: scheme, host and port.
    pub destination: String,
    /// What is asked for, sorted.
    pub scopes: Vec<String>,
    /// What is asked for in detail. Source: RFC 9396.
    pub details: Vec<Value>,
    /// Who is asked.
    pub user: Arc<User>,
}

impl ConsentAsk {
    pub(in crate::oauth) async fn new(
        oauth: &OAuth,
        app: &Arc<App>,
        (to, request): (&VerifiedRedirect, &AuthorizeRequest),
        user: Arc<User>,
    ) -> Result<Self, DbError> {
        let account = oauth.parts().accounts.find(&app.account).await?;
        let destination = url::Url::parse(to.as_str())
            .map(|url| url.origin())
            .ok()
            .filter(url::Origin::is_tuple)
            .map_or_else(|| to.as_str().to_owned(), |origin| origin.ascii_serialization());
        Ok(Self {
            app: app.clone(),
            account: app.account.clone(),
            account_name: account.map_or_else(String::new, |account| account.name.clone()),
            destination,
            scopes: request.consent_scope().tokens().map(str::to_owned).collect(),
            details: request.authorization_details.clone(),
            user,
        })
    }
}
