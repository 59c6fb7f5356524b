//! What an app asks at `/authorize`, parsed, without any I/O.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apps::model::{App, GrantType};
use crate::base::scope::Scope;
use crate::oauth::acr::AcrRequest;
use crate::oauth::claims_request::ClaimsRequest;
use crate::oauth::dpop::is_thumbprint;
use crate::oauth::params::Params;
use crate::oauth::pkce::Challenge;
use crate::oauth::response::ResponseMode;
use crate::words::Language;

/// Longest `state`, in bytes; it goes back in a header field.
const STATE_BYTES_MAX: usize = 4096;
/// Longest `nonce`, in bytes; it goes into the ID token.
const NONCE_BYTES_MAX: usize = 1024;
/// Longest `login_hint`, in bytes.
const LOGIN_HINT_BYTES_MAX: usize = 256;

/// An authorization request that is well-formed and within what the app may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizeRequest {
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Whether the app named it, and so must name it again at `/token`.
    pub redirect_uri_given: bool,
    /// How it gets there.
    #[serde(default, skip_serializing_if = "ResponseMode::is_default")]
    pub response_mode: ResponseMode,
    /// Returned unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is asked for; the app's defaults if it named nothing.
    pub scope: Scope,
    /// For the ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// What the code will be bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// The key that the code will be bound to, by its thumbprint. Source: RFC 9449 section 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    /// What the user must be shown, or not.
    #[serde(default)]
    pub prompt: Prompt,
    /// Oldest acceptable sign-in, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// For the sign-in form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// For whom access tokens are to be; empty: for this server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<String>,
    /// What is asked for in detail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Value>,
    /// The `sub` that `id_token_hint` names.
    #[serde(alias = "user_hint", skip_serializing_if = "Option::is_none")]
    pub sub_hint: Option<String>,
    /// The claims that are asked for by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Box<ClaimsRequest>>,
    /// How sure the sign-in has to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<AcrRequest>,
    /// The number under which it was pushed; a sign-in uses it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<i64>,
    /// The first of ours among `ui_locales`. Source: OpenID Connect Core section 3.1.2.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// `prompt`. Source: OpenID Connect Core section 3.1.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word that may stand beside others")]
pub struct Prompt {
    /// No page at all.
    pub none: bool,
    /// Sign in again.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
    /// Ask whether to go on as who is signed in.
    #[serde(default)]
    pub select_account: bool,
    /// Sign up. Source: Initiating User Registration via OpenID Connect section 4.
    #[serde(default)]
    pub create: bool,
}

/// Why a request is refused; the app is told by redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// `error` of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6.
    pub code: &'static str,
    /// `error_description`: fixed text, never from input.
    pub description: &'static str,
}

const fn fault(code: &'static str, description: &'static str) -> Fault {
    Fault { code, description }
}

const fn invalid(description: &'static str) -> Fault {
    fault("invalid_request", description)
}

/// Parameters that we must not ignore, because ignoring them would lose protection.
/// Source: OpenID Connect Core section 3.1.2.6.
const UNSUPPORTED: &[(&str, Fault)] = &[
    ("request", invalid("a request inside a request")),
    ("request_uri", invalid("a request inside a request")),
    ("registration", fault("registration_not_supported", "registration is not supported")),
];

impl AuthorizeRequest {
    /// Parses what stands beside `client_id` and `redirect_uri`, which are verified before.
    ///
    /// Unknown parameters are ignored. `id_token_hint` needs keys, `response_mode` the verified
    /// `redirect_uri`, and what tokens reach the issuer: they are the caller's.
    ///
    /// # Errors
    /// The first [`Fault`]. Source: RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1.
    pub fn parse(params: &Params, app: &App) -> Result<Self, Fault> {
        if let Some((_, fault)) = UNSUPPORTED.iter().find(|(name, _)| params.has(name)) {
            return Err(*fault);
        }
        check_response(params, app)?;
        let (claims, acr) = claims(params, app)?;
        Ok(Self {
            redirect_uri: String::new(),
            redirect_uri_given: params.has("redirect_uri"),
            response_mode: ResponseMode::default(),
            state: bounded(params, "state", STATE_BYTES_MAX, "state is too long")?,
            scope: requested_scope(params, app)?,
            nonce: bounded(params, "nonce", NONCE_BYTES_MAX, "nonce is too long")?,
            challenge: challenge(params, app)?,
            dpop_jkt: dpop_jkt(params)?,
            prompt: Prompt::parse(params.get("prompt").unwrap_or_default())?,
            max_age: max_age(params)?.or(app.metadata.default_max_age),
            login_hint: bounded(
                params,
                "login_hint",
                LOGIN_HINT_BYTES_MAX,
                "login_hint is too long",
            )?,
            resource: Vec::new(),
            authorization_details: Vec::new(),
            sub_hint: None,
            claims: claims.map(Box::new),
            acr,
            pushed: None,
            language: params.get("ui_locales").and_then(Language::of_tags),
        })
    }

    /// What the user is asked to agree to: the scope, and the claims that are asked for by name.
    pub fn consent_scope(&self) -> Cow<'_, Scope> {
        match &self.claims {
            Some(claims) => Cow::Owned(self.scope.union(&claims.scope())),
            None => Cow::Borrowed(&self.scope),
        }
    }

    /// Whether the user with this `sub` may answer, which is only made if it matters.
    pub fn expects(&self, sub: impl FnOnce() -> String) -> bool {
        let subs = self.claims.as_ref().and_then(|claims| claims.subs.as_ref());
        if self.sub_hint.is_none() && subs.is_none() {
            return true;
        }
        let sub = sub();
        self.sub_hint.as_ref().is_none_or(|hint| *hint == sub)
            && subs.is_none_or(|subs| subs.contains(&sub))
    }
}

fn check_response(params: &Params, app: &App) -> Result<(), Fault> {
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Err(fault("unsupported_response_type", "response_type must be code"));
        }
        None => return Err(invalid("response_type is missing")),
    }
    if !app.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(fault("unauthorized_client", "the app may not use the authorization code"));
    }
    Ok(())
}

/// `claims`, and how sure the sign-in has to be: what `claims` says of `acr` (essential or not),
/// else `acr_values`, else what the app registered. Source: OpenID Connect Core sections 5.5 and
/// 3.1.2.1.
fn claims(
    params: &Params,
    app: &App,
) -> Result<(Option<ClaimsRequest>, Option<AcrRequest>), Fault> {
    let (claims, acr) = match params.get("claims") {
        Some(text) => {
            let (claims, acr) = ClaimsRequest::parse(text, &app.allowed_scopes)
                .map_err(|_| invalid("claims is malformed"))?;
            ((!claims.is_empty()).then_some(claims), acr)
        }
        None => (None, None),
    };
    Ok((claims, acr.or_else(|| acr_wish(params, app))))
}

/// How sure a sign-in is wished to be: `acr_values`, else what the app registered.
pub(in crate::oauth) fn acr_wish(params: &Params, app: &App) -> Option<AcrRequest> {
    let asked = AcrRequest::wish(params.get("acr_values").unwrap_or_default().split(' '));
    let registered = app.metadata.default_acr_values.iter().map(String::as_str);
    asked.or_else(|| AcrRequest::wish(registered))
}

/// The scope asked for, within what the app may ask; its default scopes if it names none.
///
/// # Errors
/// `invalid_scope` if it is malformed, empty or beyond. Source: RFC 6749 section 3.3.
fn requested_scope(params: &Params, app: &App) -> Result<Scope, Fault> {
    let malformed = fault("invalid_scope", "scope is malformed");
    let scope = match params.get("scope") {
        Some(text) => Scope::parse(&askable(text, app)).map_err(|_| malformed)?,
        None => app.default_scopes.clone(),
    };
    if scope.is_empty() {
        return Err(fault("invalid_scope", "scope is missing, and the app has no default"));
    }
    if !scope.is_within(&app.allowed_scopes) {
        return Err(fault("invalid_scope", "scope exceeds what the app may ask for"));
    }
    Ok(scope)
}

/// "the Authorization Server MUST ignore the `offline_access` request" where it cannot be granted:
/// it alone is no reason to refuse, here or when the app refreshes with the scope that it asked
/// for. Source: OpenID Connect Core section 11.
pub(in crate::oauth) fn askable<'a>(scope: &'a str, app: &App) -> Cow<'a, str> {
    const OFFLINE: &str = "offline_access";
    if !scope.contains(OFFLINE) || app.allowed_scopes.contains(OFFLINE) {
        return Cow::Borrowed(scope);
    }
    let others: Vec<&str> = scope.split(' ').filter(|token| *token != OFFLINE).collect();
    Cow::Owned(others.join(" "))
}

fn challenge(params: &Params, app: &App) -> Result<Option<Challenge>, Fault> {
    let method = params.get("code_challenge_method");
    match params.get("code_challenge") {
        Some(text) => {
            Challenge::parse(method, text).map(Some).map_err(|e| invalid(e.description()))
        }
        None if method.is_some() => Err(invalid("code_challenge is missing")),
        None if app.needs_pkce() => Err(invalid("code_challenge is missing: PKCE is required")),
        None => Ok(None),
    }
}

fn dpop_jkt(params: &Params) -> Result<Option<String>, Fault> {
    match params.get("dpop_jkt") {
        Some(text) if !is_thumbprint(text) => Err(invalid("dpop_jkt is no thumbprint")),
        found => Ok(found.map(str::to_owned)),
    }
}

fn max_age(params: &Params) -> Result<Option<u32>, Fault> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(invalid("max_age must be a number of seconds")),
    }
}

fn bounded(
    params: &Params,
    name: &str,
    bytes_max: usize,
    too_long: &'static str,
) -> Result<Option<String>, Fault> {
    match params.get(name) {
        Some(text) if text.len() > bytes_max => Err(invalid(too_long)),
        found => Ok(found.map(str::to_owned)),
    }
}

impl Prompt {
    /// Parses the space-delimited list.
    ///
    /// # Errors
    /// `invalid_request` if `none` stands beside another value, and for values that we do not
    /// have.
    fn parse(text: &str) -> Result<Self, Fault> {
        let mut prompt = Self::default();
        let mut count = 0_usize;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            count = count.saturating_add(1);
            match word {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                "create" => prompt.create = true,
                _ => return Err(invalid("this prompt is not supported")),
            }
        }
        if prompt.none && count > 1 {
            return Err(invalid("prompt=none must stand alone"));
        }
        Ok(prompt)
    }
}
