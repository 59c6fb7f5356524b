//! ID tokens of ours that apps bring back to say whom they mean: `id_token_hint`, and the subject
//! of a token exchange.

use serde_json::{Map, Value};

use crate::apps::model::App;
use crate::base::id::{AppId, UserId};
use crate::oauth::claims::is_id_token;
use crate::oauth::service::OAuth;
use crate::oauth::subject;

/// An ID token that we signed, expired or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::oauth) struct Hint {
    /// The app that it is for.
    pub(in crate::oauth) app: AppId,
    /// The user, as that app knows them.
    pub(in crate::oauth) sub: String,
    /// The session, as that app knows it.
    pub(in crate::oauth) sid: Option<String>,
    /// When it ends, in seconds since 1970.
    pub(in crate::oauth) exp: i64,
    /// What leads back to the user of a pairwise app.
    reference: Option<String>,
}

/// Reads an ID token that we signed for one app, and nothing else that we sign. Whether it has
/// expired is the caller's question: "The current time SHOULD NOT be a factor" where it is a hint.
/// Source: OpenID Connect Core section 3.1.2.1, OpenID Connect RP-Initiated Logout section 4.
pub(in crate::oauth) fn read(oauth: &OAuth, text: &str) -> Option<Hint> {
    let token = oauth.parts().keys.verify(text).ok()?;
    let is_ours = token.claims.get("iss").and_then(Value::as_str) == Some(oauth.issuer());
    let is_good = is_ours && is_id_token(token.typ.as_deref(), &token.claims);
    is_good.then(|| of(&token.claims))?
}

fn of(claims: &Map<String, Value>) -> Option<Hint> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    Some(Hint {
        app: text("aud")?.parse().ok()?,
        sub: text("sub")?.to_owned(),
        sid: text("sid").map(str::to_owned),
        exp: claims.get("exp")?.as_i64()?,
        reference: text("jti").map(str::to_owned),
    })
}

impl Hint {
    /// Whom it means, if it is for `app`.
    pub(in crate::oauth) fn user(&self, oauth: &OAuth, app: &App) -> Option<UserId> {
        if self.app != app.id {
            return None;
        }
        subject::referred(oauth, app, &self.sub, self.reference.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(claims: &Value) -> Option<Hint> {
        of(claims.as_object().unwrap())
    }

    #[test]
    fn case_38_claims_of_odd_types_make_no_hint() {
        let good = json!({"aud": "portal", "sub": "ada", "sid": "s", "exp": 10, "jti": "r"});
        let hint = read(&good).unwrap();
        assert_eq!((hint.app.as_str(), &*hint.sub, hint.exp), ("portal", "ada", 10));

        for (name, odd) in [
            ("aud", json!(["portal"])),
            ("aud", json!("a b")),
            ("aud", Value::Null),
            ("sub", json!(1)),
            ("exp", json!("10")),
            ("exp", json!(u64::MAX)),
        ] {
            let mut bent = good.clone();
            bent[name] = odd.clone();
            assert_eq!(read(&bent), None, "{name} {odd}");
        }
    }

    proptest! {
        #[test]
        fn any_claims_are_a_hint_or_are_none(aud in "\\PC{0,20}", sub in "\\PC{0,20}", exp: i64) {
            let hint = read(&json!({"aud": aud, "sub": sub, "exp": exp}));
            prop_assert!(hint.is_none_or(|hint| hint.app.as_str() == aud && hint.sub == sub));
        }
    }
}
