//! What an app brings to one of the endpoints that are its own.

use crate::oauth::certificate::Certificate;
use crate::oauth::params::Params;

/// A request by an app: its parameters, and all by which it may show who it is.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'a> {
    /// The path of the endpoint, as it is published: what a DPoP proof must be for.
    pub path: &'static str,
    /// The parameters of the body.
    pub params: &'a Params,
    /// The header field `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header field `DPoP`. Source: RFC 9449 section 4.1.
    pub dpop: Option<&'a str>,
    /// The certificate whose key the client holds, shown by TLS. Source: RFC 8705.
    pub certificate: Option<&'a Certificate>,
}

impl<'a> Presented<'a> {
    /// Parameters and an `Authorization` header, nothing else.
    pub fn plain(path: &'static str, params: &'a Params, authorization: Option<&'a str>) -> Self {
        Self { path, params, authorization, dpop: None, certificate: None }
    }
}
