//! Posting letters, and delivering them.

use std::path::PathBuf;
use std::sync::Arc;

use lettre::Address;
use lettre::message::Mailbox;
use url::{Host, Url};

use crate::base::clock::Clock;
use crate::base::entropy::Entropy;
use crate::config::mail::Way as Configured;
use crate::config::model::Config;
use crate::db::Tx;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::mail::directory;
use crate::mail::message::{Sender, message};
use crate::mail::model::Letter;
use crate::mail::sealed::Posted;
use crate::mail::smtp::SmtpWay;
use crate::queue::model::{Job, Undelivered};
use crate::queue::service::push;

/// The kind of job that a letter is.
pub const MAIL: &str = "mail";

/// Why mail cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMail {
    /// The address that letters are to be from is none.
    #[error("mail.from: must be an address, such as no-reply@example.org")]
    From,
    /// The authorities of the SMTP server are refused.
    #[error("mail.smtp_ca_file: cannot be read, or holds no certificates of authorities")]
    Authorities,
}

/// Why a letter did not leave.
#[derive(Debug)]
pub struct Unsent {
    /// Whether another attempt makes sense; says nothing of whom it was for, and may be logged.
    pub reason: Undelivered,
    /// What the other side said: for the operator's eyes, not for the log.
    pub detail: String,
}

/// Posts a letter in the transaction of the act that it tells of; it leaves after the commit.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn post(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    letter: &Letter,
) -> Result<(), DbError> {
    let now = ctx.now();
    let posted = Posted::new(letter, now, ctx.entropy());
    let sealed = posted.seal(vault, ctx.entropy());
    let corrupt = |_| DbError::CorruptRow { table: "jobs", column: "payload" };
    push(tx, MAIL, &sealed.map_err(corrupt)?, now).await
}

/// The way that letters leave by. Cheap to clone.
#[derive(Clone)]
pub struct Mail(Arc<Inner>);

struct Inner {
    vault: Vault,
    sender: Sender,
    way: Way,
}

enum Way {
    Smtp(SmtpWay),
    Directory(PathBuf),
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

impl Mail {
    /// As configured. Nothing is sent and no server asked yet. Within a runtime.
    ///
    /// # Errors
    /// [`BadMail`].
    pub fn new(config: &Config, vault: &Vault) -> Result<Self, BadMail> {
        let address: Address = config.mail.from.parse().map_err(|_| BadMail::From)?;
        let url = config.issuer.as_str();
        let host = url.split_once("://").map_or(url, |(_, host)| host).to_owned();
        let mailbox = Mailbox::new(Some(config.mail.from_name.clone()), address);
        let way = match &config.mail.way {
            Configured::Smtp(smtp) => Way::Smtp(SmtpWay::new(smtp, &own_name(url))?),
            Configured::Directory(folder) => Way::Directory(folder.clone()),
        };
        let sender = Sender { mailbox, host };
        Ok(Self(Arc::new(Inner { vault: vault.clone(), sender, way })))
    }

    /// Makes one attempt to deliver a letter of the queue.
    ///
    /// # Errors
    /// [`Undelivered`]: whether another attempt makes sense.
    pub async fn deliver(&self, job: &Job) -> Result<(), Undelivered> {
        let Some(posted) = Posted::open(&job.payload, &self.0.vault) else {
            return Err(Undelivered::Never("the letter cannot be opened with our key"));
        };
        self.send(posted, job.id).await.map(drop).map_err(|unsent| unsent.reason)
    }

    /// Sends a letter now, past the queue; answers where it is.
    ///
    /// # Errors
    /// [`Unsent`].
    pub async fn send_now(
        &self,
        letter: &Letter,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) -> Result<String, Unsent> {
        self.send(Posted::new(letter, clock.now(), entropy), 0).await
    }

    async fn send(&self, posted: Posted, number: i64) -> Result<String, Unsent> {
        let message = message(&posted, &self.0.sender)
            .map_err(|reason| Unsent { reason, detail: String::new() })?;
        match &self.0.way {
            Way::Smtp(smtp) => smtp.send(message).await,
            Way::Directory(folder) => {
                let name = format!("{:020}-{number:012}-{}", posted.at, posted.id);
                keep(folder.clone(), name, message.formatted()).await
            }
        }
    }
}

/// Keeps a message as a file: by its name, files sort by age.
async fn keep(folder: PathBuf, name: String, bytes: Vec<u8>) -> Result<String, Unsent> {
    let shown = folder.display().to_string();
    let written = tokio::task::spawn_blocking(move || directory::write(&folder, &name, &bytes));
    let unsent = |detail: String| Unsent {
        reason: Undelivered::Again("the folder for letters cannot be written"),
        detail,
    };
    match written.await {
        Ok(Ok(())) => Ok(format!("a file in {shown}")),
        Ok(Err(error)) => Err(unsent(format!("{shown}: {error}"))),
        Err(_) => Err(unsent(shown)),
    }
}

/// What this server calls itself when it greets another. Source: RFC 5321 section 4.1.1.1.
fn own_name(issuer: &str) -> String {
    let url = Url::parse(issuer).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => format!("[{address}]"),
        Some(Host::Ipv6(address)) => format!("[IPv6:{address}]"),
        None => "localhost".to_owned(),
    }
}

/// An error with all that led to it.
pub(in crate::mail) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        next = error.source();
    }
    text
}
