//! What the templates show about providers of others.

use askama::Template;

use crate::http::pages::templates::Site;

/// `templates/upstream/prove.html`: asks somebody who may be a user here to sign in here.
#[derive(Debug, Template)]
#[template(path = "upstream/prove.html")]
pub struct ProvePage {
    /// Around it.
    pub site: Site,
    /// The secret that the answer brings back.
    pub link: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What the provider is called.
    pub title: String,
    /// The address that they have there, and somebody has here.
    pub address: String,
}

/// `templates/upstream/connect.html`: asks a user whether they are the one at the provider.
#[derive(Debug, Template)]
#[template(path = "upstream/connect.html")]
pub struct ConnectPage {
    /// Around it.
    pub site: Site,
    /// The secret that the answer brings back.
    pub link: String,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What the provider is called.
    pub title: String,
    /// The address that they have there.
    pub address: String,
    /// What they sign in with here.
    pub user: String,
}
