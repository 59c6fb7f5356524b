//! OpenID Connect from the other side: we are the app. Source: OpenID Connect Core section 3.1.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded::Serializer;

use crate::base::id::ProviderId;
use crate::keys::algorithm::Algorithm;
use crate::keys::error::TokenFault;
use crate::keys::foreign::Jws;
use crate::keys::published::{self, Want};
use crate::upstream::arrival::{self, Arrival};
use crate::upstream::client_auth;
use crate::upstream::discovery::Metadata;
use crate::upstream::error::Refused;
use crate::upstream::id_token::{self, Expected, Fault};
use crate::upstream::journey::{Begun, Own};
use crate::upstream::model::{Name, Provider};
use crate::upstream::service::Upstream;
use crate::upstream::settings::{Oidc, ResponseMode, TENANT};

/// Longest code that is looked at.
const CODE_BYTES_MAX: usize = 4_096;

/// What a provider's answer says, as it came in the query or in a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcResponse {
    /// What the ID token is had for.
    pub code: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
    /// Who answers. Source: RFC 9207 section 2.
    pub iss: Option<String>,
    /// What one provider tells of a new user, beside its ID token and only once.
    pub user: Option<String>,
}

/// The provider, its settings, and what it says of itself.
pub(in crate::upstream) struct Peer<'a> {
    pub(in crate::upstream) provider: &'a Provider,
    pub(in crate::upstream) oidc: &'a Oidc,
    pub(in crate::upstream) metadata: &'a Metadata,
}

/// Where the browser is sent. Source: OpenID Connect Core section 3.1.2.1, RFC 7636 section 4.3.
pub(in crate::upstream) fn authorization_url(
    (oidc, metadata): (&Oidc, &Metadata),
    redirect_uri: &str,
    (state, own): (&str, &Own<'_>),
    anew: bool,
) -> String {
    let scope = oidc.scopes.join(" ");
    let (nonce, challenge) = (own.nonce(), own.challenge());
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &oidc.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", &scope)
        .append_pair("state", state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if oidc.response_mode == ResponseMode::FormPost {
        query.append_pair("response_mode", "form_post");
    }
    if anew {
        query.append_pair("prompt", "login").append_pair("max_age", "0");
    }
    let endpoint = &metadata.authorization_endpoint;
    let sign = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{sign}{}", query.finish())
}

/// What is known of whoever an answer is about, once all of it was checked.
pub(in crate::upstream) async fn arrive(
    upstream: &Upstream,
    peer: &Peer<'_>,
    (begun, own): (&Begun, &Own<'_>),
    response: &OidcResponse,
) -> Result<Arrival, Refused> {
    check_sender(peer, response.iss.as_deref())?;
    if let Some(error) = &response.error {
        let turned_back = error == "access_denied" || error == "user_cancelled_authorize";
        tracing::info!(provider = %peer.provider.id, turned_back, "a provider answers an error");
        return Err(if turned_back {
            Refused::TurnedBack
        } else {
            Refused::Fails("it answers an error")
        });
    }
    let code = response.code.as_deref().filter(|code| code.len() <= CODE_BYTES_MAX);
    let code = code.ok_or(Refused::Untrue("there is no code"))?;
    let tokens = exchange(upstream, peer, code, own).await?;
    let (mut claims, algorithm) = verified(upstream, peer, &tokens.id_token).await?;
    let expected = Expected {
        oidc: peer.oidc,
        nonce: &own.nonce(),
        beside: (algorithm, tokens.access_token.as_deref()),
        anew_since: begun.anew_since(),
        now: upstream.ctx().now(),
    };
    let said = id_token::check(&claims, &expected).map_err(|fault| match fault {
        Fault::Untrue(reason) => Refused::Untrue(reason),
        Fault::NotAnew => Refused::NotAnew,
    })?;
    if peer.oidc.userinfo {
        add_userinfo(upstream, peer, tokens.access_token.as_deref(), &mut claims).await?;
    }
    if peer.oidc.flags_are_text {
        add_posted_name(response.user.as_deref(), &mut claims);
    }
    let name =
        Name { provider: peer.provider.id.clone(), issuer: said.issuer, subject: said.subject };
    Ok(arrival::of_claims(peer.provider, name, &claims, peer.oidc.flags_are_text))
}

/// Who answers must be whom we asked. Source: RFC 9207 section 2.4, RFC 9700 section 4.4.2.
fn check_sender(peer: &Peer<'_>, iss: Option<&str>) -> Result<(), Refused> {
    let expected = &peer.metadata.issuer;
    match iss {
        Some(iss) if iss == expected => Ok(()),
        // What a provider of many tenants says here names one of them; its ID token will tell.
        Some(_) if expected.contains(TENANT) => Ok(()),
        Some(_) => Err(Refused::Untrue("another provider answers")),
        None if peer.metadata.authorization_response_iss_parameter_supported => {
            Err(Refused::Untrue("it does not say who answers"))
        }
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: Option<String>,
}

async fn exchange(
    upstream: &Upstream,
    peer: &Peer<'_>,
    code: &str,
    own: &Own<'_>,
) -> Result<Tokens, Refused> {
    let (parts, now) = (upstream.parts(), upstream.ctx().now());
    let secrets = parts.providers.secrets(peer.provider)?;
    let shown = client_auth::shown(upstream, (peer.oidc, peer.metadata), &secrets, now)?;
    let form = {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", &upstream.callback_url())
            .append_pair("code_verifier", &own.verifier())
            .extend_pairs(&shown.fields);
        form.finish()
    };
    let media_type = "application/x-www-form-urlencoded";
    let url = &peer.metadata.token_endpoint;
    let answer = parts.outbound.post(url, media_type, shown.headers, form).await;
    let answer = answer.map_err(|error| unreachable(&peer.provider.id, &error))?;
    if answer.status != 200 {
        tracing::warn!(provider = %peer.provider.id, status = answer.status, "no tokens");
        return Err(Refused::Fails("it gives no tokens"));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Refused::Fails("its tokens cannot be read"))
}

fn unreachable(provider: &ProviderId, error: &crate::outbound::OutboundError) -> Refused {
    tracing::warn!(%provider, %error, "a provider does not answer");
    Refused::Fails("it does not answer")
}

/// The claims of a token that a key of the provider signed as it may.
async fn verified(
    upstream: &Upstream,
    peer: &Peer<'_>,
    token: &str,
) -> Result<(Map<String, Value>, Algorithm), Refused> {
    let untrue = |fault: TokenFault| Refused::Untrue(fault.0);
    let jws = Jws::parse(token).map_err(untrue)?;
    let allowed = &peer.oidc.algorithms;
    let algorithm = jws.algorithm().filter(|algorithm| allowed.contains(algorithm));
    let algorithm = algorithm.ok_or(Refused::Untrue("the algorithm is not allowed"))?;
    let uri = &peer.metadata.jwks_uri;
    let by = (&upstream.parts().outbound, upstream.ctx().now());
    let slot = || upstream.discovery().slot(&peer.provider.id, uri);
    let no_keys = |_| Refused::Fails("its keys cannot be had");
    let want = jws.header_text("kid").map_or(Want::Any, Want::Kid);
    let known = published::ask(by, uri, slot(), want).await.map_err(no_keys)?;
    let fault = match jws.clone().verify(&known.signing, allowed) {
        Ok(claims) => return Ok((claims, algorithm)),
        Err(fault) => fault,
    };
    // Perhaps its keys changed under the same names.
    let fresh = published::ask(by, uri, slot(), Want::NotThis(&known)).await.map_err(no_keys)?;
    if std::sync::Arc::ptr_eq(&fresh, &known) {
        return Err(untrue(fault));
    }
    let claims = jws.verify(&fresh.signing, allowed).map_err(untrue)?;
    Ok((claims, algorithm))
}

/// Adds what the userinfo endpoint knows beyond the ID token. Source: OpenID Connect Core
/// section 5.3.2: `sub` must be the same.
async fn add_userinfo(
    upstream: &Upstream,
    peer: &Peer<'_>,
    access_token: Option<&str>,
    claims: &mut Map<String, Value>,
) -> Result<(), Refused> {
    let failed = Refused::Fails("its userinfo cannot be had");
    let (Some(url), Some(token)) = (&peer.metadata.userinfo_endpoint, access_token) else {
        return Err(failed);
    };
    let Ok(mut bearer) = HeaderValue::try_from(format!("Bearer {token}")) else {
        return Err(failed);
    };
    bearer.set_sensitive(true);
    let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer)]);
    let answer = upstream.parts().outbound.get_with(url, "application/json", headers).await;
    let answer = answer.map_err(|error| unreachable(&peer.provider.id, &error))?;
    let told: Map<String, Value> = match serde_json::from_slice(&answer.body) {
        Ok(told) if answer.status == 200 => told,
        _ => return Err(failed),
    };
    if told.get("sub").and_then(Value::as_str) != claims.get("sub").and_then(Value::as_str) {
        return Err(Refused::Untrue("its userinfo is somebody else's"));
    }
    // An address and its verification are one statement: never one of each.
    if claims.contains_key("email") || !told.contains_key("email") {
        merge(claims, &told, |name| !matches!(name, "email" | "email_verified"));
    } else {
        claims.remove("email_verified");
        merge(claims, &told, |_| true);
    }
    Ok(())
}

fn merge(claims: &mut Map<String, Value>, told: &Map<String, Value>, may: impl Fn(&str) -> bool) {
    const PERSONAL: [&str; 5] = ["email", "email_verified", "name", "given_name", "family_name"];
    for name in PERSONAL.into_iter().filter(|name| may(name)) {
        if let (false, Some(value)) = (claims.contains_key(name), told.get(name)) {
            claims.insert(name.to_owned(), value.clone());
        }
    }
}

/// Apple tells the name of a new user in the form alone, unsigned: good for a name, and for
/// nothing else.
fn add_posted_name(user: Option<&str>, claims: &mut Map<String, Value>) {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Posted {
        name: PostedName,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct PostedName {
        first_name: Option<String>,
        last_name: Option<String>,
    }
    let Some(Ok(posted)) = user.map(serde_json::from_str::<Posted>) else { return };
    let PostedName { first_name, last_name } = posted.name;
    for (name, value) in [("given_name", first_name), ("family_name", last_name)] {
        if let (false, Some(value)) = (claims.contains_key(name), value) {
            claims.insert(name.to_owned(), value.into());
        }
    }
}
