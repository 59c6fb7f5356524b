//! The standard claims of a user, and which scope asks for which. Without any I/O.
//! Source: OpenID Connect Core sections 5.1 and 5.4.

use serde_json::{Map, Value};

use crate::base::scope::Scope;
use crate::users::model::User;

/// Scopes of OpenID Connect. `offline_access` is taken and changes nothing: whether an app gets
/// refresh tokens is a matter of its grant types. Source: OpenID Connect Core sections 5.4 and 11.
pub const SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Each claim, and the scope that asks for it.
pub const CLAIMS: [(&str, &str); 19] = [
    ("name", "profile"),
    ("given_name", "profile"),
    ("family_name", "profile"),
    ("middle_name", "profile"),
    ("nickname", "profile"),
    ("preferred_username", "profile"),
    ("profile", "profile"),
    ("picture", "profile"),
    ("website", "profile"),
    ("gender", "profile"),
    ("birthdate", "profile"),
    ("zoneinfo", "profile"),
    ("locale", "profile"),
    ("updated_at", "profile"),
    ("email", "email"),
    ("email_verified", "email"),
    ("address", "address"),
    ("phone_number", "phone"),
    ("phone_number_verified", "phone"),
];

/// The scope that asks for `claim`; `None` if it is no standard claim.
pub fn scope_of(claim: &str) -> Option<&'static str> {
    CLAIMS.iter().find(|(name, _)| *name == claim).map(|(_, scope)| *scope)
}

/// What `scope` lets an app know of a user, apart from `sub`.
pub fn of_scope(user: &User, scope: &Scope) -> Map<String, Value> {
    let mut claims = Map::new();
    for of in ["profile", "email", "address", "phone"] {
        if scope.contains(of) {
            for (name, _) in CLAIMS.iter().filter(|(_, scope)| *scope == of) {
                if let Some(value) = value(user, name) {
                    claims.insert((*name).to_owned(), value);
                }
            }
        }
    }
    claims
}

/// One claim of a user; `None` if there is no such claim, or the user has none: "If a Claim is not
/// returned, that Claim Name SHOULD be omitted". Source: OpenID Connect Core section 5.3.2.
pub fn value(user: &User, claim: &str) -> Option<Value> {
    let profile = &user.profile;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    match claim {
        "name" => text(&user.name),
        "given_name" => text(&user.given_name),
        "family_name" => text(&user.family_name),
        "preferred_username" => Some(user.username.as_str().into()),
        "updated_at" => Some(user.updated_at.timestamp().into()),
        "email" => text(&user.email),
        "email_verified" => user.email.as_ref().map(|_| user.email_verified.into()),
        "phone_number_verified" => {
            profile.phone_number.as_ref().map(|_| profile.phone_number_verified.into())
        }
        "address" => serde_json::to_value(profile.address.as_ref()?).ok(),
        other => {
            let texts = profile.texts();
            texts.iter().find(|(name, _)| *name == other)?.1.map(Value::from)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::tests::user;

    #[test]
    fn oidc_core_5_4_every_claim_comes_by_its_scope_and_no_other() {
        let user = user();
        for (claim, scope) in CLAIMS {
            assert!(value(&user, claim).is_some(), "{claim}");
            for asked in SCOPES {
                let found = of_scope(&user, &Scope::parse(asked).unwrap());
                assert_eq!(found.contains_key(claim), asked == scope, "{claim} {asked}");
            }
        }
        assert!(of_scope(&user, &Scope::parse("openid offline_access").unwrap()).is_empty());
    }

    #[test]
    fn what_a_user_has_not_is_left_out() {
        let mut user = user();
        user.email = None;
        user.profile = serde_json::from_value(json!({ "phone_number_verified": true })).unwrap();

        for claim in ["email", "email_verified", "phone_number_verified", "address", "sub", "x"] {
            assert_eq!(value(&user, claim), None, "{claim}");
        }
    }
}
