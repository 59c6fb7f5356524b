//! Methods of HTTP.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The methods that APIs have. HEAD follows GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Adds.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

/// Text that names none of the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of GET, POST, PUT, PATCH, DELETE")]
pub struct BadMethod;

impl Method {
    /// The method by which a request is judged: HEAD is judged as GET. Methods are case-sensitive
    /// (RFC 9110 section 9.1).
    ///
    /// # Errors
    /// [`BadMethod`].
    pub fn of_request(text: &str) -> Result<Self, BadMethod> {
        if text == "HEAD" { Ok(Self::Get) } else { text.parse() }
    }

    /// As HTTP writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl FromStr for Method {
    type Err = BadMethod;

    fn from_str(text: &str) -> Result<Self, BadMethod> {
        [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(BadMethod)
    }
}
