//! The parameter `claims`: which claims an app wants where. Without any I/O.
//! Source: OpenID Connect Core section 5.5.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::scope::Scope;
use crate::oauth::acr::{AcrRequest, VALUES_MAX};
use crate::oauth::standard_claims::{scope_of, value};
use crate::users::model::User;

/// Longest parameter that is looked at, in bytes.
const BYTES_MAX: usize = 8 * 1024;

/// What an app asks for by name. Claims that we do not have, or that the app's scopes do not reach,
/// are left out when it is read: "the Authorization Server MUST ignore" what it does not
/// understand, and an app gets by name nothing that it could not ask for by scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// For userinfo: the names, and the values that will do; none: any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Vec<Value>>,
    /// For the ID token.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Vec<Value>>,
    /// The only `sub` values that will do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subs: Option<Vec<String>>,
}

/// The parameter is not what the standard says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadClaims;

/// How one claim is asked for. Source: OpenID Connect Core section 5.5.1.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    essential: bool,
    value: Option<Value>,
    values: Option<Vec<Value>>,
}

impl Asked {
    fn values(self) -> (bool, Vec<Value>) {
        (self.essential, self.value.into_iter().chain(self.values.into_iter().flatten()).collect())
    }
}

impl ClaimsRequest {
    /// Reads the parameter, and with it what it says of `acr`.
    ///
    /// # Errors
    /// [`BadClaims`] if it is too long, no JSON, or not of the shape that the standard gives it.
    pub fn parse(text: &str, allowed: &Scope) -> Result<(Self, Option<AcrRequest>), BadClaims> {
        if text.len() > BYTES_MAX {
            return Err(BadClaims);
        }
        let whole: Map<String, Value> = serde_json::from_str(text).map_err(|_| BadClaims)?;
        let mut request = Self::default();
        let mut acr = None;
        for (place, members) in whole {
            if place != "userinfo" && place != "id_token" {
                continue;
            }
            let members = match members {
                Value::Object(members) => members,
                Value::Null => continue,
                _ => return Err(BadClaims),
            };
            for (name, asked) in members {
                let asked: Option<Asked> = serde_json::from_value(asked).map_err(|_| BadClaims)?;
                let (essential, values) = asked.unwrap_or_default().values();
                match name.as_str() {
                    "sub" if !values.is_empty() => request.demand_sub(&values)?,
                    "acr" if place == "id_token" && !values.is_empty() => {
                        acr = Some(acr_request(essential, &values)?);
                    }
                    _ if !scope_of(&name).is_some_and(|scope| allowed.contains(scope)) => {}
                    _ if place == "id_token" => drop(request.id_token.insert(name, values)),
                    _ => drop(request.userinfo.insert(name, values)),
                }
            }
        }
        Ok((request, acr))
    }

    /// Both places may name a `sub`; it has to please both.
    fn demand_sub(&mut self, values: &[Value]) -> Result<(), BadClaims> {
        let asked = texts(values)?;
        self.subs = Some(match self.subs.take() {
            Some(before) => before.into_iter().filter(|sub| asked.contains(sub)).collect(),
            None => asked,
        });
        Ok(())
    }

    /// The scopes that reach the claims: what the user is asked to agree to.
    pub fn scope(&self) -> Scope {
        let names = self.userinfo.keys().chain(self.id_token.keys());
        let scopes: Vec<&str> = names.filter_map(|name| scope_of(name)).collect();
        Scope::parse(&scopes.join(" ")).unwrap_or_default()
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Adds what `asked` names of a user. A claim whose value is not one that was asked for stays out.
pub fn add(claims: &mut Map<String, Value>, user: &User, asked: &BTreeMap<String, Vec<Value>>) {
    for (name, values) in asked {
        if let Some(value) = value(user, name)
            && (values.is_empty() || values.contains(&value))
        {
            claims.insert(name.clone(), value);
        }
    }
}

fn acr_request(essential: bool, values: &[Value]) -> Result<AcrRequest, BadClaims> {
    let values = texts(values)?;
    if values.len() > VALUES_MAX {
        return Err(BadClaims);
    }
    Ok(AcrRequest { values, essential })
}

fn texts(values: &[Value]) -> Result<Vec<String>, BadClaims> {
    values.iter().map(|value| value.as_str().map(str::to_owned).ok_or(BadClaims)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::oauth::tests::user;

    fn all() -> Scope {
        Scope::parse("openid profile email address phone").unwrap()
    }

    #[test]
    fn oidc_core_5_5_the_example_is_read() {
        let text = json!({
            "userinfo": {
                "given_name": { "essential": true }, "nickname": null,
                "email": { "essential": true }, "email_verified": { "essential": true },
                "picture": null, "http://example.info/claims/groups": null,
            },
            "id_token": {
                "auth_time": { "essential": true }, "name": null,
                "acr": { "values": ["urn:mace:incommon:iap:silver"] },
            },
        });
        let (request, acr) = ClaimsRequest::parse(&text.to_string(), &all()).unwrap();

        let names: Vec<&String> = request.userinfo.keys().collect();
        assert_eq!(names, ["email", "email_verified", "given_name", "nickname", "picture"]);
        assert_eq!(request.id_token.keys().collect::<Vec<_>>(), ["name"]);
        assert_eq!(request.scope().to_string(), "email profile");
        assert_eq!(acr.unwrap().values, ["urn:mace:incommon:iap:silver"]);
        assert_eq!(request.subs, None);
        let kept = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<ClaimsRequest>(&kept).unwrap(), request);
    }

    #[test]
    fn nothing_comes_by_name_that_the_app_may_not_ask_for_by_scope() {
        let text = r#"{"userinfo": {"email": null, "name": null}, "id_token": {"email": null}}"#;
        let allowed = Scope::parse("openid profile").unwrap();
        let (request, _) = ClaimsRequest::parse(text, &allowed).unwrap();

        assert_eq!(request.userinfo.keys().collect::<Vec<_>>(), ["name"]);
        assert!(request.id_token.is_empty());
        let (request, _) = ClaimsRequest::parse(text, &Scope::default()).unwrap();
        assert!(request.is_empty());
    }

    #[test]
    fn a_sub_has_to_please_both_places() {
        let subs = |text: &str| ClaimsRequest::parse(text, &all()).unwrap().0.subs;

        assert_eq!(subs(r#"{"id_token": {"sub": {"value": "a"}}}"#).unwrap(), ["a"]);
        let both =
            r#"{"id_token": {"sub": {"values": ["a", "b"]}}, "userinfo": {"sub": {"value": "b"}}}"#;
        assert_eq!(subs(both).unwrap(), ["b"]);
        let never = r#"{"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}"#;
        assert_eq!(subs(never).unwrap(), Vec::<String>::new());
        assert_eq!(subs(r#"{"id_token": {"sub": null}}"#), None);
    }

    #[test]
    fn malformed_parameters_are_refused() {
        for bad in [
            "",
            "x",
            "[]",
            "1",
            r#"{"userinfo": 1}"#,
            r#"{"id_token": []}"#,
            r#"{"userinfo": {"name": 1}}"#,
            r#"{"userinfo": {"name": {"essential": "yes"}}}"#,
            r#"{"userinfo": {"name": {"values": "x"}}}"#,
            r#"{"id_token": {"sub": {"value": 1}}}"#,
            r#"{"id_token": {"acr": {"values": [1]}}}"#,
        ] {
            assert_eq!(ClaimsRequest::parse(bad, &all()), Err(BadClaims), "{bad}");
        }
        for odd in ["{}", r#"{"userinfo": null}"#, r#"{"x": 1}"#, r#"{"userinfo": {"x": null}}"#] {
            assert!(ClaimsRequest::parse(odd, &all()).unwrap().0.is_empty(), "{odd}");
        }
    }

    #[test]
    fn a_value_that_was_not_asked_for_stays_out() {
        let text = r#"{"userinfo": {"email": {"value": "x@y.example"}, "name": {"values": ["Ada King Lovelace", "x"]}}}"#;
        let (request, _) = ClaimsRequest::parse(text, &all()).unwrap();
        let mut claims = Map::new();
        add(&mut claims, &user(), &request.userinfo);

        assert_eq!(Value::Object(claims), json!({ "name": "Ada King Lovelace" }));
    }

    proptest! {
        #[test]
        fn any_text_is_a_request_or_is_refused(text in "\\PC{0,80}") {
            let _ = ClaimsRequest::parse(&text, &all());
        }

        #[test]
        fn any_shape_is_a_request_or_is_refused(
            name in "(sub|acr|name|x)", value in "(null|1|true|\"a\"|\\[1\\]|\\{\"value\": 1\\})",
        ) {
            let text = format!("{{\"id_token\": {{\"{name}\": {value}}}}}");
            let _ = ClaimsRequest::parse(&text, &all());
        }
    }
}
