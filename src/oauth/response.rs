//! How an app is answered: one type for every authorization response, good or bad.
//!
//! Source: RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207 section 2, OAuth 2.0 Form Post Response
//! Mode, JWT Secured Authorization Response Mode (JARM) section 2.

use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::apps::model::App;
use crate::apps::redirect::VerifiedRedirect;
use crate::keys::error::KeyError;
use crate::oauth::error::AuthorizeError;
use crate::oauth::params::Params;
use crate::oauth::request::Fault;
use crate::oauth::service::OAuth;

/// How long a signed response is good: "a maximum JWT lifetime of 10 minutes is RECOMMENDED".
/// Source: JARM section 2.1.
const SIGNED_FOR: TimeDelta = TimeDelta::minutes(10);
/// Responses are no tokens: see [`crate::oauth::claims::ID_TOKEN_TYPE`] for what tells them apart.
const SIGNED_TYPE: &str = "JWT";

/// `response_mode`. A code goes into the query unless the app asks for something else; never into
/// the fragment, which scripts of the page can read and which is meant for tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// Parameters of the redirect.
    #[default]
    #[serde(rename = "query")]
    Query,
    /// A form that the browser sends.
    #[serde(rename = "form_post")]
    FormPost,
    /// One signed parameter of the redirect.
    #[serde(rename = "query.jwt")]
    QueryJwt,
    /// A form with one signed field.
    #[serde(rename = "form_post.jwt")]
    FormPostJwt,
}

impl ResponseMode {
    /// Their names; `jwt` is `query.jwt`, because a code is all that is given out here.
    /// Source: JARM section 2.3.4.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("query", Self::Query),
        ("form_post", Self::FormPost),
        ("query.jwt", Self::QueryJwt),
        ("form_post.jwt", Self::FormPostJwt),
        ("jwt", Self::QueryJwt),
    ];

    /// What a request asks for.
    ///
    /// # Errors
    /// `invalid_request` for a mode that we do not have, and for a form that would have to be
    /// sent to a native app. Answer such a request in [`ResponseMode::Query`].
    pub(in crate::oauth) fn read(params: &Params, to: &VerifiedRedirect) -> Result<Self, Fault> {
        let Some(text) = params.get("response_mode") else { return Ok(Self::Query) };
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        let (_, mode) = found.ok_or(Fault {
            code: "invalid_request",
            description: "this response_mode is not supported",
        })?;
        if mode.is_form() && to.origin().is_none() {
            return Err(Fault {
                code: "invalid_request",
                description: "a form can only be sent to a web address",
            });
        }
        Ok(*mode)
    }

    /// Whether the browser sends a form.
    pub fn is_form(self) -> bool {
        matches!(self, Self::FormPost | Self::FormPostJwt)
    }

    /// Whether the answer is one JWT.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::QueryJwt | Self::FormPostJwt)
    }

    /// Whether it is the one that nobody has to ask for.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
    pub(in crate::oauth) fn is_default(&self) -> bool {
        *self == Self::Query
    }
}

/// Where and how an app is answered. It holds a [`VerifiedRedirect`], so nothing can be answered
/// before the address is known to be the app's own.
#[derive(Clone, Debug)]
pub struct ReplyTo {
    /// Who asked.
    pub app: Arc<App>,
    /// Where.
    pub to: VerifiedRedirect,
    /// How.
    pub mode: ResponseMode,
    /// The request's `state`, returned unchanged.
    pub state: Option<String>,
}

/// An authorization response, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Send the browser to this URL.
    Redirect(String),
    /// Let the browser send a form.
    Form {
        /// Where to.
        action: String,
        /// Names and values, to be escaped.
        fields: Vec<(&'static str, String)>,
    },
}

impl ReplyTo {
    /// The response that carries `pairs`, and with them `state` and `iss`.
    ///
    /// # Errors
    /// [`KeyError`] if it has to be signed and cannot be.
    pub fn reply(&self, oauth: &OAuth, pairs: &[(&'static str, &str)]) -> Result<Reply, KeyError> {
        let mut fields = pairs.to_vec();
        if let Some(state) = &self.state {
            fields.push(("state", state));
        }
        fields.push(("iss", oauth.issuer()));
        let signed;
        if self.mode.is_signed() {
            signed = self.signed(oauth, &fields)?;
            fields = vec![("response", signed.as_str())];
        }
        Ok(if self.mode.is_form() {
            Reply::Form {
                action: self.to.as_str().to_owned(),
                fields: fields.into_iter().map(|(name, value)| (name, value.to_owned())).collect(),
            }
        } else {
            Reply::Redirect(self.to.with_params(&fields))
        })
    }

    /// All parameters as the claims of one JWT for this app. Source: JARM section 2.1.
    fn signed(&self, oauth: &OAuth, fields: &[(&'static str, &str)]) -> Result<String, KeyError> {
        let mut claims: Map<String, Value> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        claims.insert("aud".to_owned(), self.app.id.as_str().into());
        claims.insert("exp".to_owned(), (oauth.now() + SIGNED_FOR).timestamp().into());
        let registered = self.app.metadata.authorization_signed_response_alg;
        oauth.parts().keys.sign(self.app.answers_with(registered), SIGNED_TYPE, &claims)
    }
}

impl AuthorizeError {
    /// What the app is told, if it may be told.
    ///
    /// # Errors
    /// [`KeyError`] if that has to be signed and cannot be.
    pub fn reply(&self, oauth: &OAuth) -> Result<Option<Reply>, KeyError> {
        let Self::Told { reply, code, description } = self else { return Ok(None) };
        let pairs = [("error", *code), ("error_description", *description)];
        reply.reply(oauth, &pairs).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apps::redirect::{RedirectUri, match_registered};

    fn mode(text: &str, to: &str) -> Result<ResponseMode, &'static str> {
        let registered = [RedirectUri::parse(to).unwrap()];
        let to = match_registered(&registered, to).unwrap();
        let params = Params::from([("response_mode", text)]);
        ResponseMode::read(&params, &to).map_err(|fault| fault.code)
    }

    #[test]
    fn case_08_modes_that_are_not_there_are_refused() {
        for (name, expected) in ResponseMode::NAMES {
            assert_eq!(mode(name, "https://portal.example/cb"), Ok(expected));
        }
        for name in ["fragment", "fragment.jwt", "web_message", "Query", "query ", "é"] {
            assert_eq!(mode(name, "https://portal.example/cb"), Err("invalid_request"), "{name}");
        }
    }

    #[test]
    fn a_form_is_not_sent_to_a_native_app() {
        assert_eq!(mode("form_post", "com.example.app:/cb"), Err("invalid_request"));
        assert_eq!(mode("query.jwt", "com.example.app:/cb"), Ok(ResponseMode::QueryJwt));
    }
}
