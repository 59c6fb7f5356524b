//! A letter, and what may stand in one.

use lettre::Address;

use crate::words::Language;

/// Longest address. Source: RFC 5321 section 4.5.3.1.3, without the angle brackets.
const ADDRESS_BYTES_MAX: usize = 254;
/// Longest value within a letter, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// A letter to one person.
#[derive(Clone)]
pub struct Letter {
    /// The address it goes to.
    pub to: String,
    /// The language it is written in.
    pub language: Language,
    /// What it says: `mail-reset` is made of the texts `mail-reset-subject`, `mail-reset-text` and,
    /// if there is a link, `mail-reset-link`.
    pub kind: &'static str,
    /// What the texts mention. Each becomes one line of plain text, whoever wrote it; but what the
    /// person who causes a letter wrote must not go to an address that nobody proved to own.
    pub values: Vec<(&'static str, String)>,
    /// Where it leads to: an absolute URL, built from the issuer alone.
    pub link: Option<String>,
}

// Neither the address nor the secret in the link belongs into a log.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({})", self.kind)
    }
}

/// Whether letters can go to an address: one plain address, without a name, comment or quotes.
///
/// Source: RFC 5321 section 4.1.2; quoted local parts and address literals are left out, for nobody
/// has them but those who try what happens.
pub fn is_address(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace() || is_invisible(c);
    text.len() <= ADDRESS_BYTES_MAX
        && !text.contains(['"', '(', ')', '<', '>', '[', ']', ',', ';', ':', '\\'])
        && !text.contains(odd)
        && text.parse::<Address>().is_ok_and(|address| !is_ip(address.domain()))
}

fn is_ip(domain: &str) -> bool {
    domain.parse::<std::net::IpAddr>().is_ok()
}

/// One line of plain text: line breaks, control characters and whatever turns the direction of
/// the text around it become spaces, and a long text is cut.
pub(in crate::mail) fn flatten(text: &str) -> String {
    let visible = |c: char| if c.is_control() || is_invisible(c) { ' ' } else { c };
    let spaced: String = text.chars().take(VALUE_CHARS_MAX).map(visible).collect();
    let mut flat = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().nth(VALUE_CHARS_MAX).is_some() {
        flat.push('…');
    }
    flat
}

/// Characters that show nothing but change what is shown, and separators of lines.
/// Source: Unicode Standard Annex #9, section 2.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_56_an_address_is_one_plain_address() {
        for good in [
            "ada@example.org",
            "ada+x@example.org",
            "a.b-c_d@mx.example.org",
            "jürgen@müller.example",
        ] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@example.org", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@example.org\r\nBcc: eve@example.org",
            "ada@example.org\nBcc:eve@example.org",
            "ada@example.org,eve@example.org",
            "ada@example.org;eve@example.org",
            "Ada <ada@example.org>",
            "<ada@example.org>",
            "\"a b\"@example.org",
            "\"a\\\r\nb\"@example.org",
            "ada@example.org\0",
            "ada @example.org",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada(comment)@example.org",
            "\u{202E}ada@example.org",
            "ada@exam\u{200B}ple.org",
            &long,
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn case_56_a_value_is_one_line_of_plain_text() {
        assert_eq!(flatten("Ada\r\nBcc: eve@example.org"), "Ada Bcc: eve@example.org");
        assert_eq!(flatten("a\u{2028}b\u{202E}c\0d\te"), "a b c d e");
        assert_eq!(flatten("  Jürgen   Müller  "), "Jürgen Müller");
        assert_eq!(flatten(&"x".repeat(300)), format!("{}…", "x".repeat(200)));
        assert_eq!(flatten(&"x".repeat(200)), "x".repeat(200));
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_a_second_line(text: String) {
            let flat = flatten(&text);
            proptest::prop_assert!(!flat.chars().any(char::is_control));
            proptest::prop_assert_eq!(flatten(&flat).chars().count(), flat.chars().count());
            let _ = is_address(&text);
        }

        #[test]
        fn whatever_is_an_address_is_one_for_the_library(text in "[a-z@.,<>\"\\r\\n ]{0,30}") {
            proptest::prop_assert!(!is_address(&text) || text.parse::<Address>().is_ok());
        }
    }
}
