//! How letters leave: through an SMTP server, or into a folder.

use std::borrow::Cow;
use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::base::secret::Secret;
use crate::base::text;
use crate::config::build::{Reader, data_dir};
use crate::config::model::Issuer;

/// Name of the folder for letters in the data directory.
pub const MAIL_FOLDER: &str = "mail";
/// Who letters are from, unless the operator says otherwise.
pub const FROM_NAME: &str = "Narthex";

/// What is said about mail.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The address that letters are from.
    pub from: String,
    /// The name beside it.
    pub from_name: String,
    /// Where they go.
    pub way: Way,
}

/// Where letters go.
#[derive(Clone, Debug)]
pub enum Way {
    /// To an SMTP server. Source: RFC 5321.
    Smtp(Smtp),
    /// Into a folder, one file for each, for people who try the server out.
    Directory(PathBuf),
}

/// An SMTP server.
#[derive(Clone, Debug)]
pub struct Smtp {
    /// Its host, which its certificate has to name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// The user to authenticate as, and their password.
    pub credentials: Option<(String, Secret)>,
    /// A PEM file with authorities that are trusted besides those that everybody trusts.
    pub ca_file: Option<PathBuf>,
}

/// How the connection to an SMTP server is protected. There is no "if it happens to offer it":
/// whoever sits in between would say that it does not. Source: RFC 8314 sections 3 and 4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS before anything else is said. Source: RFC 3207.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

impl Mail {
    /// What a server does without any word about mail.
    pub fn with_data_dir(issuer: &Issuer, data_dir: &std::path::Path) -> Self {
        Self {
            from: default_from(issuer),
            from_name: FROM_NAME.to_owned(),
            way: Way::Directory(data_dir.join(MAIL_FOLDER)),
        }
    }
}

/// The issuer's host after `no-reply@`; of an address on this machine, `localhost`.
fn default_from(issuer: &Issuer) -> String {
    let url = Url::parse(issuer.as_str()).ok();
    let host = match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.to_owned(),
        _ => "localhost".to_owned(),
    };
    format!("no-reply@{host}")
}

impl Smtp {
    /// Reads `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS is a must)
    /// or `smtp+plain://127.0.0.1:25`.
    ///
    /// # Errors
    /// What is wrong, without the text.
    fn parse(text: &str, ca_file: Option<PathBuf>) -> Result<Self, &'static str> {
        const FORM: &str = "must be smtps://USER:PASSWORD@HOST:465, smtp://USER:PASSWORD@HOST:587 \
                            (with STARTTLS) or smtp+plain://127.0.0.1:25";
        let url = Url::parse(text).map_err(|_| FORM)?;
        let (tls, port) = match url.scheme() {
            "smtps" => (SmtpTls::Implicit, 465),
            "smtp" => (SmtpTls::StartTls, 587),
            "smtp+plain" => (SmtpTls::None, 25),
            _ => return Err(FORM),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?.to_owned();
        let bare = matches!(url.path(), "" | "/") && url.query().is_none();
        if !bare || url.fragment().is_some() {
            return Err(FORM);
        }
        // Schemes like these keep the host as text: `[::1]`, `127.0.0.1`.
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = host == "localhost"
            || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if tls == SmtpTls::None && !is_here {
            return Err("smtp+plain:// is for a loopback address only: letters hold secrets");
        }
        let decoded = |text: &str| {
            percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| FORM)
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err("has a user or a password alone"),
            (user, Some(password)) => Some((decoded(user)?, Secret::presented(decoded(password)?))),
        };
        let port = url.port().unwrap_or(port);
        Ok(Self { host: address.to_owned(), port, tls, credentials, ca_file })
    }
}

impl Reader<'_> {
    pub(in crate::config) fn mail(&mut self, issuer: Option<&Issuer>) -> Mail {
        let from = match (self.settings.text("mail.from"), issuer) {
            (Some(from), _) => from.to_owned(),
            (None, Some(issuer)) => default_from(issuer),
            (None, None) => String::new(),
        };
        let is_given = self.settings.is_given("mail.from");
        if is_given && from.parse::<lettre::Address>().is_err() {
            self.fault("mail.from", "must be an address, such as no-reply@example.org");
        }
        let from_name = self.text("mail.from_name").to_owned();
        if text::line(&from_name, 200).is_err() {
            self.fault("mail.from_name", "must be a line of text, of at most 200 bytes");
        }
        Mail { from, from_name, way: self.way() }
    }

    fn way(&mut self) -> Way {
        let ca_file = self.file("mail.smtp_ca_file");
        let url = self.text("mail.smtp_url").to_owned();
        if url.is_empty() {
            if ca_file.is_some() {
                self.fault("mail.smtp_ca_file", "needs mail.smtp_url");
            }
            let folder = self.settings.text("mail.directory").map(PathBuf::from);
            let own = || data_dir(self.settings).join(MAIL_FOLDER);
            return Way::Directory(folder.unwrap_or_else(own));
        }
        if self.settings.is_given("mail.directory") {
            self.fault("mail.directory", "is where letters go without mail.smtp_url: name one");
        }
        match Smtp::parse(&url, ca_file) {
            Ok(smtp) => Way::Smtp(smtp),
            Err(problem) => {
                self.fault("mail.smtp_url", problem);
                Way::Directory(PathBuf::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_smtp_url_says_how_the_connection_is_protected() {
        let parsed = |text: &str| {
            let smtp = Smtp::parse(text, None)?;
            let user = smtp
                .credentials
                .as_ref()
                .map(|(user, password)| format!("{user} {}", password.reveal()));
            Ok::<_, &str>((smtp.host, smtp.port, smtp.tls, user))
        };
        let host = || "mx.example.org".to_owned();

        assert_eq!(
            parsed("smtps://ada:p%40ss%3A@mx.example.org"),
            Ok((host(), 465, SmtpTls::Implicit, Some("ada p@ss:".to_owned())))
        );
        assert_eq!(
            parsed("smtp://mx.example.org:2525/"),
            Ok((host(), 2525, SmtpTls::StartTls, None))
        );
        for (text, address) in
            [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("localhost", "localhost")]
        {
            let expected = Ok((address.to_owned(), 25, SmtpTls::None, None));
            assert_eq!(parsed(&format!("smtp+plain://{text}")), expected);
        }
    }

    #[test]
    fn secrets_do_not_leave_in_clear_and_faults_do_not_repeat_them() {
        for text in [
            "smtp+plain://mx.example.org",
            "smtp+plain://127.0.0.1.evil.test",
            "smtp://mx.example.org/hunter2",
            "smtp://mx.example.org?tls=hunter2",
            "smtp://hunter2@mx.example.org",
            "smtp://:hunter2@mx.example.org",
            "http://hunter2",
            "smtp://",
            "hunter2",
        ] {
            let problem = Smtp::parse(text, None).map(|_| ()).unwrap_err();
            assert!(!problem.contains("hunter2"), "{text}: {problem}");
        }
        let smtp = Smtp::parse("smtps://ada:hunter2@mx.example.org", None).unwrap();
        assert!(!format!("{smtp:?}").contains("hunter2"));
    }

    #[test]
    fn letters_are_from_the_host_of_the_issuer() {
        let from = |issuer: &str| default_from(&Issuer::parse(issuer).unwrap());

        assert_eq!(from("https://id.example.org"), "no-reply@id.example.org");
        assert_eq!(from("http://127.0.0.1:8080"), "no-reply@localhost");
        assert_eq!(from("http://localhost:8080"), "no-reply@localhost");
    }

    proptest::proptest! {
        #[test]
        fn no_url_makes_it_panic(text: String, tail: String) {
            let _ = Smtp::parse(&text, None);
            let _ = Smtp::parse(&format!("smtp://{tail}"), None);
        }
    }
}
