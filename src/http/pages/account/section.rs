//! The pages of one's own account: their names, their order, their paths.

/// A page of one's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http::pages) enum Section {
    /// `/account`.
    Overview,
    /// `/account/profile`.
    Profile,
    /// `/account/email`.
    Email,
    /// `/account/password`.
    Password,
    /// `/account/factors`.
    Factors,
    /// `/account/sessions`.
    Sessions,
    /// `/account/apps`.
    Apps,
    /// `/account/providers`.
    Providers,
    /// `/account/data`.
    Data,
    /// `/account/deletion`.
    Deletion,
}

impl Section {
    /// All of them, in the order of the navigation.
    pub(in crate::http::pages) const ALL: [Self; 10] = [
        Self::Overview,
        Self::Profile,
        Self::Email,
        Self::Password,
        Self::Factors,
        Self::Sessions,
        Self::Apps,
        Self::Providers,
        Self::Data,
        Self::Deletion,
    ];

    /// Its name in cookies, ids of elements and ids of words.
    pub(in crate::http::pages) fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Password => "password",
            Self::Factors => "factors",
            Self::Sessions => "sessions",
            Self::Apps => "apps",
            Self::Providers => "providers",
            Self::Data => "data",
            Self::Deletion => "deletion",
        }
    }

    /// The section of this name.
    pub(in crate::http::pages) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    /// The words that lead to it.
    pub(in crate::http::pages) fn words(self) -> &'static str {
        match self {
            Self::Overview => "account-nav-overview",
            Self::Profile => "account-nav-profile",
            Self::Email => "account-nav-email",
            Self::Password => "account-nav-password",
            Self::Factors => "account-nav-factors",
            Self::Sessions => "account-nav-sessions",
            Self::Apps => "account-nav-apps",
            Self::Providers => "account-nav-providers",
            Self::Data => "account-nav-data",
            Self::Deletion => "account-nav-deletion",
        }
    }

    /// Where it is.
    pub(in crate::http::pages) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/account",
            Self::Profile => "/account/profile",
            Self::Email => "/account/email",
            Self::Password => "/account/password",
            Self::Factors => "/account/factors",
            Self::Sessions => "/account/sessions",
            Self::Apps => "/account/apps",
            Self::Providers => "/account/providers",
            Self::Data => "/account/data",
            Self::Deletion => "/account/deletion",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_one_name_and_one_path() {
        for section in Section::ALL {
            assert_eq!(Section::named(section.name()), Some(section));
            let tail = section.path().strip_prefix("/account").unwrap();
            assert!(tail.is_empty() || tail.strip_prefix('/') == Some(section.name()));
        }
        assert_eq!(Section::named(""), None);
    }
}
