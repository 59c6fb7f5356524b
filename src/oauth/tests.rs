//! What the unit tests of this folder share.

use serde_json::{Map, json};

use crate::base::clock::from_micros;
use crate::base::id::GrantId;
use crate::base::scope::Scope;
use crate::base::secret::Digest;
use crate::oauth::grant::{Approval, CODE_TTL, Grant, Stage};
use crate::oauth::pkce::Challenge;
use crate::oauth::request::AuthorizeRequest;
use crate::users::model::{Status, User};

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Digest of the code of [`approved`].
pub(in crate::oauth) const CODE: Digest = Digest([1; 32]);

/// An approved grant of the app `portal`, made at the beginning of time.
pub(in crate::oauth) fn approved() -> Grant {
    let now = from_micros(0);
    let by = Approval {
        user: "u1".parse().unwrap(),
        session: Digest([2; 32]),
        auth_time: now,
        amr: vec!["pwd".to_owned()],
        scope: Scope::parse("openid").unwrap(),
    };
    Grant {
        id: GrantId(7),
        app: "portal".parse().unwrap(),
        request: AuthorizeRequest {
            redirect_uri: "https://portal.example/cb".to_owned(),
            redirect_uri_given: true,
            challenge: Some(Challenge::parse(Some("S256"), CHALLENGE).unwrap()),
            ..AuthorizeRequest::default()
        },
        stage: Stage::Approved { by, code: CODE },
        refresh: None,
        access: None,
        binding: None,
        revoked_at: None,
        created_at: now,
        expires_at: now + CODE_TTL,
    }
}

/// A user of whom everything is known.
pub(in crate::oauth) fn user() -> User {
    let text = |text: &str| Some(text.to_owned());
    User {
        id: "u1".parse().unwrap(),
        username: "ada".to_owned(),
        email: text("ada@acme.example"),
        email_verified: true,
        name: text("Ada King Lovelace"),
        given_name: text("Ada"),
        family_name: text("Lovelace"),
        profile: serde_json::from_value(json!({
            "middle_name": "King", "nickname": "adi", "profile": "https://ada.example/me",
            "picture": "https://ada.example/me.png", "website": "https://ada.example",
            "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
            "locale": "en-GB", "phone_number": "+44 20 7946 0000", "phone_number_verified": true,
            "address": { "locality": "London", "country": "United Kingdom" },
        }))
        .unwrap(),
        attributes: Map::new(),
        status: Status::Active,
        deletion_at: None,
        password_changed_at: None,
        signed_out_at: None,
        has_totp: false,
        has_keys: false,
        created_at: from_micros(0),
        updated_at: from_micros(0),
    }
}
