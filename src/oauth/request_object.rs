//! Authorization requests inside a JWT. Source: RFC 9101, OpenID Connect Core section 6, FAPI 2.0
//! Message Signing section 5.3.

use serde_json::{Map, Value};

use crate::apps::metadata::SigningAlg;
use crate::apps::model::App;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::oauth::client_keys;
use crate::oauth::params::Params;
use crate::oauth::service::OAuth;
use crate::oauth::validity::{Validity, audiences};

/// How long a request may be good at most, and how old it may be, in seconds, if it must say so.
const LIFE_SECONDS_MAX: i64 = 3_600;

/// What `typ` may say. Source: RFC 9101 sections 4 and 10.8.
const TYPES: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];

/// Claims of the JWT itself, which are no parameters of the request.
const OF_THE_TOKEN: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// A request object that may be believed.
#[derive(Debug)]
pub(in crate::oauth) struct Opened {
    /// The parameters inside.
    pub(in crate::oauth) params: Params,
    /// Whether a key of the app vouches for them.
    pub(in crate::oauth) is_signed: bool,
}

/// Opens the request object of `app`.
///
/// # Errors
/// [`TokenFault`], for our log.
pub(in crate::oauth) async fn open(
    oauth: &OAuth,
    app: &App,
    text: &str,
) -> Result<Opened, TokenFault> {
    let jws = Jws::parse(text)?;
    if jws.header.contains_key("typ") && !TYPES.iter().any(|typ| jws.is_typed(typ)) {
        return Err(TokenFault("the request object is a token of another kind"));
    }
    let registered = app.metadata.request_object_signing_alg;
    let is_signed = jws.header_text("alg") != Some("none");
    let claims = if is_signed {
        client_keys::verified(oauth, app, jws, &app.signing_algorithms(registered)).await?
    } else {
        unsigned(app, jws, text)?
    };
    let now = oauth.now().timestamp();
    Rules { app, issuer: oauth.issuer(), now }.check(&claims)?;
    Ok(Opened { params: parameters(&claims)?, is_signed })
}

/// What nobody signed says no more than the same parameters in the query would, so it is believed
/// where those are. Source: OpenID Connect Core section 6.1.
fn unsigned(app: &App, jws: Jws<'_>, text: &str) -> Result<Map<String, Value>, TokenFault> {
    let registered = app.metadata.request_object_signing_alg;
    let may = matches!(registered, None | Some(SigningAlg::Unsigned)) && !app.has_strict_requests();
    if may && text.ends_with('.') {
        Ok(jws.unverified)
    } else {
        Err(TokenFault("the request object must be signed"))
    }
}

/// What a request object is measured by.
struct Rules<'a> {
    app: &'a App,
    issuer: &'a str,
    now: i64,
}

impl Rules<'_> {
    fn check(&self, claims: &Map<String, Value>) -> Result<(), TokenFault> {
        let is_strict = self.app.has_strict_requests();
        let id = self.app.id.as_str();
        for name in ["iss", "client_id"] {
            match claims.get(name) {
                Some(value) if value.as_str() == Some(id) => {}
                None if !is_strict => {}
                _ => return Err(TokenFault("iss or client_id is not the app")),
            }
        }
        // An assertion about the app itself is no request. Source: RFC 9101 section 10.8.
        if claims.get("sub").and_then(Value::as_str) == Some(id) {
            return Err(TokenFault("the request object is a client assertion"));
        }
        if (is_strict || claims.contains_key("aud")) && !audiences(claims)?.contains(&self.issuer) {
            return Err(TokenFault("aud is not this server"));
        }
        if ["request", "request_uri"].iter().any(|name| claims.contains_key(*name)) {
            return Err(TokenFault("a request object inside a request object"));
        }
        let validity = Validity::read(claims)?;
        validity.check(self.now)?;
        if is_strict { self.check_strictly(validity) } else { Ok(()) }
    }

    /// Source: FAPI 2.0 Message Signing section 5.3.1.
    fn check_strictly(&self, validity: Validity) -> Result<(), TokenFault> {
        let nbf = validity.nbf.ok_or(TokenFault("nbf is missing"))?;
        let exp = validity.exp.ok_or(TokenFault("exp is missing"))?;
        if nbf < self.now.saturating_sub(LIFE_SECONDS_MAX) {
            return Err(TokenFault("nbf is too long ago"));
        }
        if exp > nbf.saturating_add(LIFE_SECONDS_MAX) {
            return Err(TokenFault("exp is too far from nbf"));
        }
        Ok(())
    }
}

/// The parameters among the claims: texts as they are, everything else as JSON writes it.
pub(in crate::oauth) fn parameters(claims: &Map<String, Value>) -> Result<Params, TokenFault> {
    let pairs = claims.iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str()));
    // Several resources are a list here, and come one by one otherwise.
    let pairs = pairs.flat_map(|(name, value)| match value {
        Value::Array(items) if name == "resource" => {
            items.iter().map(|item| (name, item)).collect()
        }
        _ => vec![(name, value)],
    });
    let pairs = pairs.filter_map(|(name, value)| match value {
        Value::Null => None,
        Value::String(text) => Some((name.clone(), text.clone())),
        other => Some((name.clone(), other.to_string())),
    });
    Params::of(pairs).map_err(|_| TokenFault("a parameter is malformed"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::apps::metadata::Profile;
    use crate::apps::new_app::NewApp;

    const NOW: i64 = 1_000_000;

    fn good() -> Value {
        json!({"iss": "a", "client_id": "a", "aud": "https://id.example", "nbf": NOW,
               "exp": NOW + 300, "response_type": "code"})
    }

    fn verdict(profile: Option<Profile>, changed: &[(&str, Value)]) -> Result<(), TokenFault> {
        let mut app = NewApp::new("a".parse().unwrap(), "acme".parse().unwrap(), "A");
        app.metadata.profile = profile;
        let app = app.with_secrets(Vec::new());
        let mut claims = good();
        for (name, value) in changed {
            claims[*name] = value.clone();
        }
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|_, value| !value.is_null());
        Rules { app: &app, issuer: "https://id.example", now: NOW }.check(&claims)
    }

    #[test]
    fn case_11_a_strict_request_object_says_who_for_whom_and_how_long() {
        let strict = Some(Profile::Fapi2MessageSigning);
        let ours = "https://id.example";
        for good in [
            vec![],
            vec![("aud", json!(["https://other.example", ours]))],
            vec![("nbf", json!(NOW + 8))],
            vec![("nbf", json!(NOW - 3_600)), ("exp", json!(NOW))],
            vec![("exp", json!(NOW + 3_600))],
        ] {
            assert_eq!(verdict(strict, &good), Ok(()), "{good:?}");
        }
        for (name, value) in [
            ("iss", json!(null)),
            ("iss", json!("b")),
            ("client_id", json!(null)),
            ("client_id", json!("b")),
            ("sub", json!("a")),
            ("aud", json!(null)),
            ("aud", json!("https://other.example")),
            ("exp", json!(null)),
            ("exp", json!(NOW - 11)),
            ("exp", json!(NOW + 3_601)),
            ("nbf", json!(null)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!(NOW - 3_601)),
            ("request", json!("x")),
            ("request_uri", json!("x")),
        ] {
            assert!(verdict(strict, &[(name, value.clone())]).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn case_11_a_plain_one_may_say_less_but_nothing_wrong() {
        let missing = ["iss", "client_id", "aud", "nbf", "exp"].map(|name| (name, json!(null)));
        assert_eq!(verdict(None, &missing), Ok(()));
        for (name, value) in [
            ("iss", json!("b")),
            ("client_id", json!("b")),
            ("aud", json!("https://other.example")),
            ("exp", json!(NOW - 11)),
            ("nbf", json!(NOW + 61)),
            ("request_uri", json!("x")),
        ] {
            assert!(verdict(None, &[(name, value.clone())]).is_err(), "{name} {value}");
        }
    }

    #[test]
    fn claims_become_parameters() {
        let claims = json!({"iss": "a", "max_age": 5, "claims": {"id_token": {}}, "state": "s",
                            "nonce": null, "resource": ["https://a.example", "urn:b"]});
        let params = parameters(claims.as_object().unwrap()).unwrap();
        let pairs: Vec<_> = params.pairs().collect();
        let resources = [("resource", "https://a.example"), ("resource", "urn:b")];
        let claims = ("claims", r#"{"id_token":{}}"#);
        let (age, state) = (("max_age", "5"), ("state", "s"));
        assert_eq!(pairs, [claims, age, resources[0], resources[1], state]);
        assert!(parameters(json!({"state": "a\u{0}"}).as_object().unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn any_claims_become_parameters_or_are_refused(
            claims in proptest::collection::btree_map(".{0,20}", ".{0,40}", 0..60),
        ) {
            let claims: Map<String, Value> =
                claims.into_iter().map(|(name, value)| (name, value.into())).collect();
            let _ = parameters(&claims);
        }
    }
}
