//! The protocol: OAuth 2.0 and OpenID Connect.
//!
//! `request`, `prompt`, `pkce`, `grant`, `refresh` and `claims` decide, without I/O and without a
//! clock; `authorize`, `token` and their neighbours do what they decided. Every grant type ends in
//! `issue::issue_tokens`: a rule about who may have a token lives there or nowhere.

pub mod access_token;
pub mod acr;
pub mod authorize;
mod backchannel;
pub mod binding;
pub mod certificate;
pub mod ciba;
pub mod claims;
pub mod claims_request;
pub mod client_auth;
mod client_keys;
pub mod consent_ask;
mod constrain;
pub mod deliver;
pub mod details;
pub mod device;
pub mod direct;
pub mod discovery;
pub mod dpop;
mod eligibility;
mod ending;
pub mod error;
pub mod grant;
mod hint;
mod incoming;
pub mod introspection;
pub mod issue;
pub mod logout;
mod machine;
mod mint;
mod negotiate;
pub mod own_apps;
pub mod params;
pub mod pkce;
pub mod possession;
pub mod presented;
pub mod prompt;
pub mod provenance;
pub mod purge;
pub mod pushed;
mod reach;
pub mod refresh;
pub mod registration;
pub mod request;
mod request_object;
pub mod response;
pub mod revocation;
pub mod sealing;
pub mod select;
pub mod service;
pub mod session_state;
mod sid;
pub mod standard_claims;
mod standing;
mod store;
mod store_logout;
mod store_own;
mod store_prompt;
mod store_purge;
mod store_tokens;
mod store_waiting;
pub mod strength;
mod subject;
mod target;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_flow;
#[cfg(test)]
mod tests_store;
#[cfg(test)]
mod tests_world;
pub mod token;
mod token_app;
mod token_assertion;
mod token_code;
mod token_exchange;
mod token_refresh;
mod token_waiting;
pub mod userinfo;
mod validity;
pub mod waiting;
