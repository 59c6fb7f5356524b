//! The operations that the platform itself asks about, as types.

/// An operation that a [`crate::policy::permit::Permit`] may be for.
pub trait Privilege: Send + Sync + 'static {
    /// Its name in policies.
    const NAME: &'static str;
}

macro_rules! privileges {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Privilege for $name {
                const NAME: &'static str = $text;
            }
        )*

        /// The names of all operations that the platform itself asks about.
        pub const NAMES: &[&str] = &[$($text),*];
    };
}

privileges! {
    /// List files and view subject data.
    ReadData = "readData";
    /// View subject data with identifying information masked.
    ReadMaskedData = "readMaskedData";
    /// Download file based data.
    DownloadFile = "downloadFile";
    /// Add subject data and files.
    CreateData = "createData";
    /// Delete subject data and files.
    DeleteData = "deleteData";
    /// Alter subject data and files.
    UpdateData = "updateData";
    /// Create, update and delete subject viewer layouts.
    LayoutAdmin = "layoutAdmin";
    /// Create, update and delete groups and policies.
    AccessAdmin = "accessAdmin";
    /// Update and delete the account, manage auth clients.
    AccountAdmin = "accountAdmin";
    /// Manage billing and usage.
    BillingAdmin = "billingAdmin";
    /// Create, update and delete projects.
    ProjectAdmin = "projectAdmin";
    /// Create and revoke one's own API keys.
    ApiKeyUser = "apiKeyUser";
    /// Develop and release apps.
    DevelopApps = "developApps";
    /// Manage education content.
    EduContentAdmin = "eduContentAdmin";
}
