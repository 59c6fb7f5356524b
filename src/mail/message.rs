//! A letter as a message: texts in the reader's language, plain and as HTML. Source: RFC 5322,
//! RFC 2046 section 5.1.4.

use askama::Template as _;
use fluent_bundle::FluentValue;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, MultiPartKind, SinglePart};

use crate::base::clock::from_micros;
use crate::mail::model::{flatten, is_address};
use crate::mail::page::{LetterPage, LinkShown};
use crate::mail::sealed::Posted;
use crate::queue::model::Undelivered;

/// Whom letters are from.
#[derive(Clone, Debug)]
pub(in crate::mail) struct Sender {
    pub(in crate::mail) mailbox: Mailbox,
    /// Where the reader finds this server: host and port of the issuer.
    pub(in crate::mail) host: String,
}

/// What a letter says.
struct Texts {
    subject: String,
    text: String,
    link: Option<[String; 3]>,
    footer: String,
}

impl Texts {
    fn of(posted: &Posted, sender: &Sender) -> Self {
        let language = posted.language;
        let flat: Vec<(&str, String)> =
            posted.values.iter().map(|(name, value)| (name.as_str(), flatten(value))).collect();
        let values: Vec<(&str, FluentValue<'_>)> =
            flat.iter().map(|(name, value)| (*name, fluent(value))).collect();
        let part = |part: &str| language.say_with(&format!("{}-{part}", posted.kind), &values);
        let host = [("host", FluentValue::from(sender.host.as_str()))];
        Self {
            subject: flatten(&part("subject")),
            text: part("text"),
            link: posted
                .link
                .as_ref()
                .map(|url| [url.clone(), flatten(&part("link")), language.say("mail-or-copy")]),
            footer: language.say_with("mail-footer", &host),
        }
    }

    fn plain(&self) -> String {
        let Self { text, link, footer, .. } = self;
        let link = link.as_ref().map(|[url, label, _]| format!("{label}:\n{url}\n\n"));
        format!("{}\n\n{}-- \n{footer}\n", text.trim(), link.unwrap_or_default())
    }

    fn html(&self, language: &'static str) -> Result<String, askama::Error> {
        let page = LetterPage {
            language,
            subject: &self.subject,
            paragraphs: self.text.trim().split("\n\n").map(|all| all.lines().collect()).collect(),
            link: self.link.as_ref().map(|[url, label, or_copy]| LinkShown { url, label, or_copy }),
            footer: &self.footer,
        };
        page.render()
    }
}

/// A number chooses between singular and plural, but only one that is written as we write them: a
/// name that happens to consist of digits stays what it is.
fn fluent(value: &str) -> FluentValue<'_> {
    match value.parse::<i32>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value),
    }
}

/// The message, the same in every attempt.
///
/// # Errors
/// [`Undelivered::Never`] if no message can be made of it.
pub(in crate::mail) fn message(posted: &Posted, sender: &Sender) -> Result<Message, Undelivered> {
    let unusable = Undelivered::Never("no letter can be made of it");
    if !is_address(&posted.to) {
        return Err(Undelivered::Never("it goes to no address"));
    }
    let to = posted.to.parse().map_err(|_| unusable)?;
    let language = posted.language.code();
    let texts = Texts::of(posted, sender);
    let html = texts.html(language).map_err(|_| unusable)?;
    let id = format!("<{}@{}>", posted.id, sender.mailbox.email.domain());
    let parts = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(&posted.id)
        .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(texts.plain()))
        .singlepart(SinglePart::builder().header(ContentType::TEXT_HTML).body(html));
    Message::builder()
        .from(sender.mailbox.clone())
        .to(Mailbox::new(None, to))
        .subject(texts.subject)
        .date(from_micros(posted.at).into())
        .message_id(Some(id))
        .raw_header(header(HeaderName::new_from_ascii_str("Content-Language"), language))
        // Nobody's absence note answers it. Source: RFC 3834 section 5.
        .raw_header(header(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated"))
        .multipart(parts)
        .map_err(|_| unusable)
}

fn header(name: HeaderName, value: &str) -> HeaderValue {
    HeaderValue::new(name, value.to_owned())
}
