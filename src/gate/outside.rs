//! Requests to APIs of others, as their proxies tell of them.

use crate::apis::model::{Api, ApiRoute};
use crate::apis::path::RequestPath;
use crate::base::method::Method;
use crate::gate::checks::Header;
use crate::gate::refusal::Refusal;
use crate::gate::routes::{AccountNeed, Demand};
use crate::gate::service::{Caller, Gate, Presented};
use crate::oauth::possession::Elsewhere;
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;

/// A request that somebody else answers.
#[derive(Clone, Copy, Debug)]
pub struct Original<'r> {
    /// Its method, as its proxy says.
    pub method: Header<'r>,
    /// Its target, as its proxy says: path and query as they stood in the request line.
    pub target: Header<'r>,
    /// Whether it carries a field by which services are told another method than its own.
    pub overrides_method: bool,
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
        let (method, target) = read(original)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let found = RequestPath::parse(path).map_err(|_| {
            Refusal::InvalidRequest("the path of the request is not in normal form")
        })?;
        let judged = Method::of_request(method).map_err(|_| Refusal::NoRoute)?;
        let found = api.route(judged, &found).ok_or(Refusal::NoRoute)?;
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
        Ok(LetThrough { caller, policy })
    }
}

fn demand(route: &ApiRoute) -> Demand<'_> {
    Demand { scope: &route.scope, account: AccountNeed::Required, sensitive: route.sensitive }
}

fn read<'r>(original: &Original<'r>) -> Result<(&'r str, &'r str), Refusal> {
    if original.overrides_method {
        return Err(Refusal::InvalidRequest("a request has one method"));
    }
    let text = |field| match field {
        Header::Once(value) => std::str::from_utf8(value).ok(),
        Header::Absent | Header::Repeated => None,
    };
    let missing = Refusal::InvalidRequest("the proxy does not say which request this is about");
    let (Some(method), Some(target)) = (text(original.method), text(original.target)) else {
        return Err(missing);
    };
    Ok((method, target))
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
        };

        assert_eq!(read(&good).unwrap(), ("GET", "/a?b"));
        for bad in [
            Original { method: Header::Absent, ..good },
            Original { method: Header::Repeated, ..good },
            Original { target: Header::Absent, ..good },
            Original { target: Header::Repeated, ..good },
            Original { target: Header::Once(b"/\xff"), ..good },
            Original { overrides_method: true, ..good },
        ] {
            assert!(read(&bad).is_err(), "{bad:?}");
        }
    }
}
