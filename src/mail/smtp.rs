//! Letters to an SMTP server. Source: RFC 5321; RFC 8314 for TLS.

use std::time::Duration;

use lettre::message::Message;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};

use crate::config::mail::{Smtp, SmtpTls};
use crate::mail::service::{BadMail, Unsent};
use crate::queue::model::Undelivered;

/// How long the server may take for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// How long one attempt may take in all: less than the lease of a job.
const ATTEMPT_WITHIN: Duration = Duration::from_secs(45);
/// Most connections at once: servers of others count them.
const CONNECTIONS_MAX: u32 = 4;
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(20);

/// The way to a server.
pub(in crate::mail) struct SmtpWay(AsyncSmtpTransport<Tokio1Executor>);

impl SmtpWay {
    pub(in crate::mail) fn new(smtp: &Smtp, own_name: &str) -> Result<Self, BadMail> {
        let tls = match smtp.tls {
            SmtpTls::Implicit => Tls::Wrapper(parameters(smtp)?),
            SmtpTls::StartTls => Tls::Required(parameters(smtp)?),
            SmtpTls::None => Tls::None,
        };
        let pool = PoolConfig::new().max_size(CONNECTIONS_MAX).idle_timeout(IDLE);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(tls)
            .hello_name(ClientId::Domain(own_name.to_owned()))
            .timeout(Some(ANSWER_WITHIN))
            .pool_config(pool);
        if let Some((user, password)) = &smtp.credentials {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            builder = builder.credentials(credentials);
        }
        Ok(Self(builder.build()))
    }

    /// Hands a message over; answers what the server said.
    pub(in crate::mail) async fn send(&self, message: Message) -> Result<String, Unsent> {
        match tokio::time::timeout(ATTEMPT_WITHIN, self.0.send(message)).await {
            Ok(Ok(answer)) => Ok(answer.message().collect::<Vec<_>>().join(" ")),
            Ok(Err(error)) => {
                Err(Unsent { reason: reason(&error), detail: crate::mail::service::chain(&error) })
            }
            Err(_) => Err(Unsent {
                reason: Undelivered::Again("the SMTP server takes too long"),
                detail: String::new(),
            }),
        }
    }
}

fn parameters(smtp: &Smtp) -> Result<TlsParameters, BadMail> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca_file {
        let unusable = || BadMail::Authorities;
        let pem = std::fs::read(path).map_err(|_| unusable())?;
        builder =
            builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|_| unusable())?);
    }
    builder.build_rustls().map_err(|_| BadMail::Authorities)
}

/// Whether another attempt makes sense. What is wrong with our own user is the operator's to mend,
/// and no fault of the letter. Source: RFC 5321 section 4.2.1, RFC 4954 section 6.
fn reason(error: &Error) -> Undelivered {
    let code = error.status().map(u16::from);
    match code {
        Some(530 | 534 | 535 | 538 | 454) => {
            Undelivered::Again("the SMTP server does not accept our user")
        }
        _ if error.is_permanent() => Undelivered::Never("the SMTP server refuses the letter"),
        _ if error.is_transient() => Undelivered::Again("the SMTP server cannot take it now"),
        _ if error.is_tls() => Undelivered::Again("TLS with the SMTP server fails"),
        _ if error.is_timeout() => Undelivered::Again("the SMTP server takes too long"),
        _ if error.is_client() => Undelivered::Again("the SMTP server lacks what the letter needs"),
        _ => Undelivered::Again("the SMTP server cannot be reached"),
    }
}
