//! Coming back to a page of ours after signing in for it.
//!
//! The way is a cookie of a few fixed words, so that no link can send anybody anywhere else.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;

use crate::base::id::GrantId;
use crate::http::cookies::Cookie;
use crate::http::pages::account::section::Section;
use crate::http::pages::see_other;
use crate::http::session;
use crate::oauth::device::UserCode;
use crate::server::Server;

/// The page that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http::pages) enum Place {
    /// `/device`, perhaps with a code filled in.
    Device(Option<UserCode>),
    /// `/approvals`.
    Approvals,
    /// A page of one's own account.
    Account(Section),
    /// `/upstream/link`, with the secret of the question.
    UpstreamLink(String),
    /// `/invitation`, with the id of the invitation, the secret of its letter, and the authorization
    /// that goes on then.
    Invitation(String, String, Option<GrantId>),
}

impl Place {
    fn to_cookie(&self) -> String {
        match self {
            Self::Approvals => "approvals".to_owned(),
            Self::Device(None) => "device".to_owned(),
            Self::Device(Some(code)) => format!("device.{}", code.shown()),
            Self::Account(section) => format!("account.{}", section.name()),
            Self::UpstreamLink(secret) => format!("link.{secret}"),
            Self::Invitation(id, secret, None) => format!("invitation.{id}.{secret}"),
            Self::Invitation(id, secret, Some(grant)) => format!("invited.{grant}.{id}.{secret}"),
        }
    }

    /// The invitation of this letter.
    pub(in crate::http::pages) fn invitation(
        id: &str,
        secret: &str,
        grant: Option<GrantId>,
    ) -> Option<Self> {
        let is_own = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(is_own);
        let invitation = || Self::Invitation(id.to_owned(), secret.to_owned(), grant);
        (is_id && is_secret(secret)).then(invitation)
    }

    /// The question of this secret: a number, and 43 characters of base64url.
    pub(in crate::http::pages) fn upstream_link(secret: &str) -> Option<Self> {
        is_secret(secret).then(|| Self::UpstreamLink(secret.to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        match text.split_once('.') {
            Some(("device", code)) => UserCode::parse(code).map(|code| Self::Device(Some(code))),
            Some(("account", name)) => Section::named(name).map(Self::Account),
            Some(("link", secret)) => Self::upstream_link(secret),
            Some(("invitation", rest)) => {
                let (id, secret) = rest.split_once('.')?;
                Self::invitation(id, secret, None)
            }
            Some(("invited", rest)) => {
                let (grant, rest) = rest.split_once('.')?;
                let (id, secret) = rest.split_once('.')?;
                Self::invitation(id, secret, Some(grant.parse().ok()?))
            }
            None if text == "device" => Some(Self::Device(None)),
            None if text == "approvals" => Some(Self::Approvals),
            _ => None,
        }
    }

    pub(in crate::http::pages) fn path(&self) -> String {
        match self {
            Self::Approvals => "/approvals".to_owned(),
            Self::Device(None) => "/device".to_owned(),
            Self::Device(Some(code)) => format!("/device?user_code={}", code.shown()),
            Self::Account(section) => section.path().to_owned(),
            Self::UpstreamLink(secret) => format!("/upstream/link?link={secret}"),
            Self::Invitation(id, secret, grant) => {
                let grant = grant.map(|grant| format!("&grant={grant}")).unwrap_or_default();
                format!("/invitation?inviteId={id}&evc={secret}{grant}")
            }
        }
    }
}

/// A number, and 43 characters of base64url.
fn is_secret(text: &str) -> bool {
    let Some((number, rest)) = text.split_once('.') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let is_own = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    is_number && rest.len() == 43 && rest.bytes().all(is_own)
}

/// Where a browser was when it was sent to sign in, if it was anywhere.
#[derive(Clone, Debug)]
pub(in crate::http::pages) struct Errand {
    place: Option<Place>,
    https: bool,
}

impl Errand {
    /// Sends the browser back there, once.
    pub(in crate::http::pages) fn back(&self) -> Option<Response> {
        let mut answer = see_other(&self.place.as_ref()?.path());
        session::set(answer.headers_mut(), vec![Cookie::Errand.remove(self.https)]);
        Some(answer)
    }
}

impl FromRequestParts<Server> for Errand {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, std::convert::Infallible> {
        let https = server.config.issuer.is_https();
        let place = Cookie::Errand.read(&parts.headers, https).and_then(Place::parse);
        Ok(Self { place, https })
    }
}

/// Sends somebody to sign in who is to come back to `place`.
pub(in crate::http::pages) fn sign_in_first(server: &Server, place: &Place) -> Response {
    on_errand(server, "/sign-in", place)
}

/// Sends somebody who is signed in to sign in again, and to come back to `place`.
pub(in crate::http::pages) fn sign_in_again(server: &Server, place: &Place) -> Response {
    on_errand(server, "/sign-in/again", place)
}

fn on_errand(server: &Server, path: &str, place: &Place) -> Response {
    let mut answer = see_other(path);
    let cookie = Cookie::Errand.set(&place.to_cookie(), server.config.issuer.is_https());
    session::set(answer.headers_mut(), vec![cookie]);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_can_be_come_back_to() {
        for text in ["device", "device.WDJB-MJHT", "approvals", "account.overview", "account.data"]
        {
            assert_eq!(Place::parse(text).map(|place| place.to_cookie()), Some(text.to_owned()));
        }
        for text in [
            "",
            "device.",
            "device.//evil.test",
            "//evil.test",
            "home",
            "device.A",
            "device/",
            "account",
            "account.",
            "account.//evil.test",
            "account.data.data",
            "link.1",
            "link.1.//evil.test",
            "link.1.A&x=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "invitation.1",
            "invitation.a.1",
            "invitation.//evil.test.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "invited.x.a.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "invitation.a&x=y.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(Place::parse(text), None, "{text}");
        }
        let invitation = "invitation.0199-a.1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(Place::parse(invitation).unwrap().to_cookie(), invitation);
        let invited = invitation.replacen("invitation.", "invited.7.", 1);
        assert_eq!(Place::parse(&invited).unwrap().to_cookie(), invited);
        assert!(Place::parse(&invited).unwrap().path().ends_with("&grant=7"));
        let place = Place::parse("device.WDJB-MJHT").unwrap();
        assert_eq!(place.path(), "/device?user_code=WDJB-MJHT");
    }
}
