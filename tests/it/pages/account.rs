//! The pages of one's own account.

use crate::pages::table::{Page, Who, page};

pub fn account() -> Vec<Page> {
    use Who::{Ada, Ben, Dev};
    vec![
        page("account-profile", Ada, "/account/profile", "profile-save"),
        page("account-profile-saved", Ben, "/account/profile", "profile-save")
            .clicking("profile-save", "saved"),
        page("account-profile-wrong", Ben, "/account/profile", "profile-save")
            .typing("birthdate", "yesterday")
            .clicking("profile-save", "error"),
        page("account-sessions", Ada, "/account/sessions", "session-1"),
        page("account-apps", Ben, "/account/apps", "account-user"),
        page("account-data", Ada, "/account/data", "data-download"),
        page("account-deletion", Ada, "/account/deletion", "deletion-ask"),
        page("account-deletion-wrong", Ben, "/account/deletion", "deletion-ask")
            .typing("deletion-password", "wrong")
            .clicking("deletion-ask", "error"),
        page("account-leaving", Dev, "/account/deletion", "account-user"),
    ]
}
