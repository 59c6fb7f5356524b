//! What a user tells of themselves beyond name and e-mail address: the other standard claims.
//! Source: OpenID Connect Core sections 5.1 and 5.1.1.

use serde::{Deserialize, Serialize};

use crate::base::text::line;

/// Longest text of a profile, in bytes.
const TEXT_BYTES_MAX: usize = 1024;

/// The standard claims that are kept as one JSON object. Texts are shown to apps as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names are those of the standard claims")]
pub struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The URL of a page about the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The URL of a picture of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// `YYYY-MM-DD`, `0000-MM-DD` without the year, or `YYYY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub phone_number_verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address. Source: OpenID Connect Core section 5.1.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the names are those of the standard")]
pub struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Profile {
    /// The texts of one line, by their names.
    pub fn texts(&self) -> [(&'static str, Option<&str>); 10] {
        [
            ("middle_name", self.middle_name.as_deref()),
            ("nickname", self.nickname.as_deref()),
            ("profile", self.profile.as_deref()),
            ("picture", self.picture.as_deref()),
            ("website", self.website.as_deref()),
            ("gender", self.gender.as_deref()),
            ("birthdate", self.birthdate.as_deref()),
            ("zoneinfo", self.zoneinfo.as_deref()),
            ("locale", self.locale.as_deref()),
            ("phone_number", self.phone_number.as_deref()),
        ]
    }

    /// Checks every field.
    ///
    /// # Errors
    /// The first field that breaks a rule, and the rule.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        for (field, text) in self.texts() {
            let Some(text) = text else { continue };
            line(text, TEXT_BYTES_MAX).map_err(|_| (field, "must be one line of text"))?;
            let is_link = matches!(field, "profile" | "picture" | "website");
            if is_link && !is_web_address(text) {
                return Err((field, "must be an http or https URL"));
            }
            if field == "birthdate" && !is_birthdate(text) {
                return Err((field, "must be YYYY-MM-DD, 0000-MM-DD or YYYY"));
            }
        }
        self.address.as_ref().map_or(Ok(()), Address::check)
    }

    /// What is asked of people who type it, beyond [`Profile::check`]: operators take over what
    /// other systems hold.
    ///
    /// # Errors
    /// The first field that is not of its shape.
    pub fn check_typed(&self) -> Result<(), &'static str> {
        let fits = |text: &Option<String>, has_shape: fn(&str) -> bool| {
            text.as_deref().is_none_or(has_shape)
        };
        let shapes = [
            ("phone_number", fits(&self.phone_number, is_phone_number)),
            ("zoneinfo", fits(&self.zoneinfo, is_zone)),
            ("locale", fits(&self.locale, is_language_tag)),
        ];
        let bent = shapes.iter().find(|(_, fits)| !fits);
        bent.map_or(Ok(()), |(field, _)| Err(*field))
    }
}

/// Digits, and what people write between them. Source: OpenID Connect Core section 5.1, E.164.
fn is_phone_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (3..=15).contains(&digits)
        && text.bytes().all(|b| b.is_ascii_digit() || b"+-./() ".contains(&b))
        && text.rfind('+').is_none_or(|at| at == 0)
}

/// A name of the time zone database: `Europe/Zurich`. Source: OpenID Connect Core section 5.1.
fn is_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        part.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+-".contains(&b))
    };
    text.len() <= 64 && text.split('/').count() <= 3 && text.split('/').all(is_part)
}

/// `de`, `de-CH`, and `de_CH`, which some write. Source: RFC 5646 section 2.1.
fn is_language_tag(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let begins = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    text.len() <= 35 && begins >= 2 && text.split(['-', '_']).all(is_part)
}

impl Address {
    fn check(&self) -> Result<(), (&'static str, &'static str)> {
        const FIELD: &str = "address";
        let one_line = [&self.locality, &self.region, &self.postal_code, &self.country];
        for text in one_line.into_iter().flatten() {
            line(text, TEXT_BYTES_MAX).map_err(|_| (FIELD, "must be lines of text"))?;
        }
        // "Multiple lines, separated by newlines": these two alone may have some.
        for text in [&self.formatted, &self.street_address].into_iter().flatten() {
            let is_text = text.len() <= TEXT_BYTES_MAX
                && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\r');
            if !is_text {
                return Err((FIELD, "must be lines of text"));
            }
        }
        Ok(())
    }
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_birthdate(text: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [year] => digits(year, 4),
        [year, month, day] => {
            let in_range = |text: &str, max: u8| {
                digits(text, 2) && text.parse::<u8>().is_ok_and(|n| (1..=max).contains(&n))
            };
            digits(year, 4) && in_range(month, 12) && in_range(day, 31)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(profile: serde_json::Value) -> Result<(), &'static str> {
        let profile: Profile = serde_json::from_value(profile).unwrap();
        profile.check().map_err(|(field, _)| field)
    }

    #[test]
    fn oidc_core_5_1_claims_keep_to_their_shapes() {
        for good in ["1815", "1815-12-10", "0000-12-10"] {
            assert_eq!(check(json!({ "birthdate": good })), Ok(()), "{good}");
        }
        for bad in ["", "1815-13-10", "1815-12", "10.12.1815", "1815-12-10-1", "١٨١٥"] {
            assert_eq!(check(json!({ "birthdate": bad })), Err("birthdate"), "{bad}");
        }
        assert_eq!(check(json!({ "website": "https://ada.example" })), Ok(()));
        for bad in ["javascript:alert(1)", "data:text/html,x", "ada.example", "a\nb"] {
            assert_eq!(check(json!({ "website": bad })), Err("website"), "{bad}");
        }
        assert_eq!(check(json!({ "nickname": "a\r\nb" })), Err("nickname"));
        assert_eq!(check(json!({ "address": { "formatted": "1 Way\nTown" } })), Ok(()));
        assert_eq!(check(json!({ "address": { "locality": "To\nwn" } })), Err("address"));
        assert!(serde_json::from_value::<Profile>(json!({ "email": "x" })).is_err());
    }

    #[test]
    fn oidc_core_5_1_what_people_type_has_its_shape() {
        let typed = |profile: serde_json::Value| {
            serde_json::from_value::<Profile>(profile).unwrap().check_typed()
        };
        for good in ["+1 (604) 555-1234", "031 123 45 67", "112"] {
            assert_eq!(typed(json!({ "phone_number": good })), Ok(()), "{good}");
        }
        for bad in ["", "12", "call me", "1+2345", "1234567890123456", "+41 31 123 45 67;ext=5"] {
            assert_eq!(typed(json!({ "phone_number": bad })), Err("phone_number"), "{bad}");
        }
        for good in ["Europe/Zurich", "UTC", "America/Argentina/Ushuaia", "Etc/GMT+5"] {
            assert_eq!(typed(json!({ "zoneinfo": good })), Ok(()), "{good}");
        }
        for bad in ["", "/", "Europe/", "../etc", "Europe/Zü", "a/b/c/d"] {
            assert_eq!(typed(json!({ "zoneinfo": bad })), Err("zoneinfo"), "{bad}");
        }
        for good in ["de", "de-CH", "en_US", "zh-Hant-TW"] {
            assert_eq!(typed(json!({ "locale": good })), Ok(()), "{good}");
        }
        for bad in ["", "d", "german language", "de-", "1a"] {
            assert_eq!(typed(json!({ "locale": bad })), Err("locale"), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_has_a_shape_or_not(text in "\\PC{0,40}") {
            let typed = Some(text);
            let profile = Profile {
                phone_number: typed.clone(),
                zoneinfo: typed.clone(),
                locale: typed,
                ..Profile::default()
            };
            let _ = profile.check_typed();
        }

        #[test]
        fn any_text_is_a_birthdate_or_is_refused(text in "\\PC{0,12}") {
            let profile = Profile { birthdate: Some(text), ..Profile::default() };
            let _ = profile.check();
        }
    }
}
