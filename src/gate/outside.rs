//! Requests to APIs of others, as their proxies tell of them.

use crate::apis::model::{Api, ApiRoute, Found};
use crate::apis::path::RequestPath;
use crate::audit::model::Actor;
use crate::base::method::Method;
use crate::gate::checks::{self, Header};
use crate::gate::refusal::Refusal;
use crate::gate::routes::{AccountNeed, Demand};
use crate::gate::service::{Caller, Gate, Presented};
use crate::oauth::possession::Elsewhere;
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;

/// Longest policy in a header field, in bytes: proxies hold no more of an answer.
const POLICY_BYTES_MAX: usize = 8 * 1024;

/// A request that somebody else answers.
#[derive(Clone, Copy, Debug)]
pub struct Original<'r> {
    /// Its method, as its proxy says.
    pub method: Header<'r>,
    /// Its target, as its proxy says: path and query as they stood in the request line.
    pub target: Header<'r>,
    /// Whether it carries a field by which services are told another method than its own.
    pub overrides_method: bool,
    /// Whether it carries a field that services may take for one of the answer's.
    pub forges_answer: bool,
}

/// A request that was let through.
#[derive(Clone, Debug)]
pub struct LetThrough {
    /// Who sent it.
    pub caller: Caller,
    /// What the policies leave for the service to decide: `{"rules": …}`.
    pub policy: String,
}

impl Gate {
    /// Decides on a request to an API of others.
    ///
    /// # Errors
    /// [`Refusal`]: as at our own API, and [`Refusal::NoRoute`] for what the API does not have.
    pub async fn outside(
        &self,
        api: &Api,
        original: &Original<'_>,
        presented: &Presented<'_>,
    ) -> Result<LetThrough, Refusal> {
        let asked = match read(original).and_then(|asked| asked.route(api).map(|it| (asked, it))) {
            Ok(asked) => asked,
            Err(refusal) => {
                Box::pin(self.note_unread(api, presented, &refusal)).await;
                return Err(refusal);
            }
        };
        let (Asked { method, path, query }, found) = asked;
        let mut resource = Attributes::new();
        for (name, value) in found.params {
            resource.put(RESOURCE, name, value);
        }
        let url = format!("{}{path}", origin(&api.definition().identifier));
        let presented = Presented {
            token_in_query: presented.token_in_query || has_token(query),
            method,
            path,
            elsewhere: Some(Elsewhere { audience: &api.definition().identifier, url: &url }),
            ..*presented
        };
        let wanted = found.route.privilege.as_deref();
        let caller = self.decide(&demand(found.route), wanted, &resource, &presented).await?;
        let place = caller.place.as_ref().ok_or(Refusal::AccountRequired)?;
        let policy = place.reduced().to_json().to_string();
        let refusal = if !api.serves(&place.account) {
            Refusal::ApiNotAllowed
        } else if policy.len() > POLICY_BYTES_MAX {
            tracing::warn!(api = %api.id(), "a reduced policy is too long for a header field");
            Refusal::InvalidRequest("the policy is too long for a header field")
        } else {
            return Ok(LetThrough { caller, policy });
        };
        let account = Some(place.account.clone());
        self.note(caller.actor, account, &found.route.scope, &refusal);
        Err(refusal)
    }

    /// Notes a request that no route of the API fits, with whoever sent it, if that can be known.
    async fn note_unread(&self, api: &Api, presented: &Presented<'_>, refusal: &Refusal) {
        let mut actor = Actor::default().from(presented.ip);
        if let Ok(shown) = checks::bearer(presented.authorization, presented.token_in_query) {
            if self.programs.is_key(shown.1) {
                if let Ok(Some(key)) = self.programs.key(shown.1).await {
                    (actor.user, actor.key) = (Some(key.user.clone()), Some(key.id.clone()));
                }
            } else {
                let audience = &api.definition().identifier;
                let elsewhere = Some(Elsewhere { audience, url: audience });
                let presented = Presented { elsewhere, ..*presented };
                if let Ok(token) = self.token(shown, &presented).await {
                    (actor.user, actor.app) = (token.sub.clone(), Some(token.client.clone()));
                }
            }
        }
        self.refused(actor, presented, api.id().as_str(), refusal);
    }
}

/// What a proxy asks about, taken apart.
struct Asked<'r> {
    method: &'r str,
    path: &'r str,
    query: &'r str,
}

impl Asked<'_> {
    fn route<'a>(&self, api: &'a Api) -> Result<Found<'a>, Refusal> {
        let path = RequestPath::parse(self.path).map_err(|_| {
            Refusal::InvalidRequest("the path of the request is not in normal form")
        })?;
        let method = Method::of_request(self.method).map_err(|_| Refusal::NoRoute)?;
        api.route(method, &path).ok_or(Refusal::NoRoute)
    }
}

fn demand(route: &ApiRoute) -> Demand<'_> {
    Demand { scope: &route.scope, account: AccountNeed::Required, sensitive: route.sensitive }
}

fn read<'r>(original: &Original<'r>) -> Result<Asked<'r>, Refusal> {
    if original.overrides_method {
        return Err(Refusal::InvalidRequest("a request has one method"));
    }
    if original.forges_answer {
        return Err(Refusal::InvalidRequest("a field of the request looks like one of the gate's"));
    }
    let text = |field| match field {
        Header::Once(value) => std::str::from_utf8(value).ok(),
        Header::Absent | Header::Repeated => None,
    };
    let missing = Refusal::InvalidRequest("the proxy does not say which request this is about");
    let (Some(method), Some(target)) = (text(original.method), text(original.target)) else {
        return Err(missing);
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Asked { method, path, query })
}

/// Whether a query carries a token. Source: RFC 6750 section 2.3.
pub fn has_token(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "access_token")
}

/// Scheme, host and port of a URI that was checked when it was registered.
fn origin(identifier: &str) -> &str {
    let after_scheme = identifier.find("://").map_or(0, |at| at + 3);
    let rest = identifier.get(after_scheme..).unwrap_or_default();
    let end = rest.find('/').map_or(identifier.len(), |at| after_scheme + at);
    identifier.get(..end).unwrap_or(identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_stands_before_the_path() {
        assert_eq!(origin("https://a.example/b/c"), "https://a.example");
        assert_eq!(origin("https://a.example:8443"), "https://a.example:8443");
    }

    #[test]
    fn case_67_what_the_proxy_says_comes_once_and_no_field_changes_the_method() {
        let good = Original {
            method: Header::Once(b"GET"),
            target: Header::Once(b"/a?b"),
            overrides_method: false,
            forges_answer: false,
        };

        let asked = read(&good).unwrap();
        assert_eq!((asked.method, asked.path, asked.query), ("GET", "/a", "b"));
        for bad in [
            Original { method: Header::Absent, ..good },
            Original { method: Header::Repeated, ..good },
            Original { target: Header::Absent, ..good },
            Original { target: Header::Repeated, ..good },
            Original { target: Header::Once(b"/\xff"), ..good },
            Original { overrides_method: true, ..good },
            Original { forges_answer: true, ..good },
        ] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
    }
}
