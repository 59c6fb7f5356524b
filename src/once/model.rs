//! What a one-time secret is for, whose it is, and one that was found.

use crate::base::id::{AppId, UserId};
use crate::base::secret::Digest;

/// What a one-time secret is for; one kind is never taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A pushed authorization request. Source: RFC 9126.
    PushedRequest,
    /// Lets somebody register apps. Source: RFC 7591 section 3.
    InitialAccess,
    /// Makes a user of whoever asked for it with an address.
    SignUp,
    /// Lets somebody with an address make a user.
    Invitation,
    /// Lets whoever receives mail at an address answer an invitation into an account.
    AccountInvitation,
    /// Sets another password.
    Reset,
    /// Proves a user's address.
    Email,
    /// Takes back that a user has another address.
    EmailBack,
    /// A sign-in under way at a provider of others: the `state` that it brings back.
    Upstream,
    /// A code that was mailed to whoever signs in without a password.
    MailedCode,
    /// A code that was mailed to whoever signs up in an app.
    SignUpCode,
    /// Signs a user of one app in at another.
    ClientToken,
    /// Somebody who arrived from a provider, and may belong to a user who is to say so.
    UpstreamLink,
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
    /// That of somebody who is no user yet: a MAC of what they are known by.
    Subject(Digest),
}

impl Kind {
    /// Its name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PushedRequest => "pushed_request",
            Self::InitialAccess => "initial_access",
            Self::SignUp => "sign_up",
            Self::Invitation => "invitation",
            Self::AccountInvitation => "account_invitation",
            Self::Reset => "reset",
            Self::Email => "email",
            Self::EmailBack => "email_back",
            Self::Upstream => "upstream",
            Self::MailedCode => "mailed_code",
            Self::SignUpCode => "sign_up_code",
            Self::ClientToken => "client_token",
            Self::UpstreamLink => "upstream_link",
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
