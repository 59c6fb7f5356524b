//! What a one-time secret is for, whose it is, and one that was found.

use crate::base::id::{AppId, UserId};

/// What a one-time secret is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pushed authorization request. Source: RFC 9126.
    PushedRequest,
    /// Lets somebody register apps. Source: RFC 7591 section 3.
    InitialAccess,
}

/// Whose a one-time secret is: it is gone when they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// Nobody's in particular.
    Nobody,
    /// An app's.
    App(&'a AppId),
    /// A user's.
    User(&'a UserId),
}

impl Kind {
    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PushedRequest => "pushed_request",
            Self::InitialAccess => "initial_access",
        }
    }
}

/// A one-time secret that was found.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// Its number; `consume` takes it.
    pub id: i64,
    /// The app it was given to.
    pub app: Option<AppId>,
    /// The user it was given to.
    pub user: Option<UserId>,
    /// Whether it was used up; only `find_used` answers such.
    pub is_used: bool,
    /// What it stands for.
    pub data: T,
}
