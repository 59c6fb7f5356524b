//! What a password has to be that somebody chooses.
//!
//! Long enough, not on a list of common ones, and not to be guessed by what people usually build
//! passwords of: words, names, dates, keyboards, and what is known of themselves. There are no
//! rules of composition. Source: NIST SP 800-63B section 5.1.1.2.

use std::io::BufRead as _;
use std::path::Path;

use unicode_normalization::UnicodeNormalization as _;
use zxcvbn::feedback::Warning;
use zxcvbn::{Entropy, Score, zxcvbn};

use crate::base::secret::Digest;
use crate::users::password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};

/// Of 3 it is said: safely unguessable, ten billion guesses.
const SCORE_MIN: Score = Score::Three;
/// Most facts about a person that are looked for, and how much of each.
const FACTS_MAX: usize = 32;
const FACT_CHARS_MAX: usize = 64;
/// A shorter piece of a name says nothing about anybody.
const FACT_CHARS_MIN: usize = 3;

/// What has to be left of a password when all that is known of its owner is cut out of it.
const REST_CHARS_MIN: usize = 8;

const COMMON: &str = include_str!("common_passwords.txt");

/// Why a password that somebody chose is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Too few characters.
    #[error("a password must have at least {PASSWORD_CHARS_MIN} characters")]
    TooShort,
    /// Too many bytes.
    #[error("a password must have at most {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
    /// It is on a list.
    #[error("many people have used this password, and attackers try it first")]
    Common,
    /// It is made of what is known of its owner, or of this server.
    #[error("this password is made of a name or an address that others know")]
    Personal,
    /// Keys beside each other.
    #[error("a row of keys is easy to guess; take a few words that do not belong together")]
    Keyboard,
    /// The same again and again.
    #[error("repeating something makes it hardly harder to guess; take more words")]
    Repeated,
    /// `abcdef`, `987654`.
    #[error("a sequence such as abc or 6543 is easy to guess; take more words")]
    Sequence,
    /// Dates and years.
    #[error("dates and years are easy to guess; take a few words that do not belong together")]
    Date,
    /// Too little besides.
    #[error("this password is easy to guess; take more words that do not belong together")]
    Guessable,
}

/// The list of an operator cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the list of common passwords cannot be read: {0}")]
pub struct BadList(#[from] std::io::Error);

/// What chosen passwords are held to.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The beginnings of the digests of common passwords, sorted: 64 bits of each are enough.
    common: Vec<u64>,
    /// What everybody knows of this server.
    house: Vec<String>,
}

impl Rules {
    /// The built-in list, and that of an operator: a password in each line.
    ///
    /// # Errors
    /// [`BadList`] if it cannot be read.
    pub fn load(own_list: Option<&Path>, host: &str) -> Result<Self, BadList> {
        let built_in = COMMON.lines().filter(|line| !line.starts_with('#'));
        let mut common: Vec<u64> = built_in.map(short).collect();
        if let Some(path) = own_list {
            for line in std::io::BufReader::new(std::fs::File::open(path)?).split(b'\n') {
                let line = line?;
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end_matches('\r');
                // What is too short is refused anyway.
                if text.chars().count() >= PASSWORD_CHARS_MIN {
                    common.push(short(text));
                }
            }
        }
        common.sort_unstable();
        common.dedup();
        let mut house = vec!["narthex".to_owned()];
        house.extend(facts(&[host]));
        Ok(Self { common, house })
    }

    /// Whether a password may be chosen by somebody of whom `own` is known: names, addresses.
    ///
    /// Takes some milliseconds of a core: it runs where hashes are made.
    ///
    /// # Errors
    /// The first [`Weakness`].
    pub fn check(&self, password: &str, own: &[&str]) -> Result<(), Weakness> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(Weakness::TooLong);
        }
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(Weakness::TooShort);
        }
        if self.common.binary_search(&short(password)).is_ok() {
            return Err(Weakness::Common);
        }
        if is_mostly(password, own) {
            return Err(Weakness::Personal);
        }
        let known: Vec<String> = self.house.iter().cloned().chain(facts(own)).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        // Only the first hundred characters are looked at, whatever the length.
        let judged = zxcvbn(password, &known);
        if judged.score() >= SCORE_MIN {
            return Ok(());
        }
        if zxcvbn(password, &[]).score() >= SCORE_MIN {
            return Err(Weakness::Personal);
        }
        Err(reason(&judged))
    }
}

/// Whether hardly anything is left of a password without what is known of its owner.
fn is_mostly(password: &str, own: &[&str]) -> bool {
    let mut rest = folded(password);
    let mut facts = facts(own);
    facts.sort_by_key(|fact| std::cmp::Reverse(fact.len()));
    for fact in &facts {
        rest = rest.replace(&folded(fact), "");
    }
    rest.chars().count() < REST_CHARS_MIN
}

fn reason(judged: &Entropy) -> Weakness {
    match judged.feedback().and_then(zxcvbn::feedback::Feedback::warning) {
        Some(
            Warning::StraightRowsOfKeysAreEasyToGuess
            | Warning::ShortKeyboardPatternsAreEasyToGuess,
        ) => Weakness::Keyboard,
        Some(
            Warning::RepeatsLikeAaaAreEasyToGuess
            | Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
        ) => Weakness::Repeated,
        Some(Warning::SequencesLikeAbcAreEasyToGuess) => Weakness::Sequence,
        Some(Warning::RecentYearsAreEasyToGuess | Warning::DatesAreOftenEasyToGuess) => {
            Weakness::Date
        }
        Some(
            Warning::ThisIsATop10Password
            | Warning::ThisIsATop100Password
            | Warning::ThisIsACommonPassword,
        ) => Weakness::Common,
        _ => Weakness::Guessable,
    }
}

/// The pieces of what is known of somebody that a password may be built of.
fn facts(known: &[&str]) -> Vec<String> {
    let mut facts = Vec::new();
    for text in known {
        let whole: String = text.chars().take(FACT_CHARS_MAX).collect();
        let pieces = whole.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
        let pieces = pieces.collect::<Vec<_>>();
        facts.extend(pieces.into_iter().chain([whole]));
    }
    facts.retain(|fact| fact.chars().count() >= FACT_CHARS_MIN);
    facts.truncate(FACTS_MAX);
    facts
}

fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// Case and compatibility forms do not make a common password another one.
fn short(password: &str) -> u64 {
    let digest = Digest::of(folded(password).as_bytes());
    digest.0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> Rules {
        Rules::load(None, "id.clinic.example").unwrap()
    }

    #[track_caller]
    fn check(password: &str, expected: Result<(), Weakness>) {
        let own = ["Ada Byron-Lovelace", "ada.byron@acme.example"];
        assert_eq!(rules().check(password, &own), expected, "{password}");
    }

    #[test]
    fn passwords_are_judged_by_how_they_would_be_guessed() {
        check("short", Err(Weakness::TooShort));
        check("\u{1F40E}\u{1F50B}\u{1F9F7}", Err(Weakness::TooShort));
        check("1qaz2wsx3edc", Err(Weakness::Common));
        check("1QAZ2WSX3EDC", Err(Weakness::Common));
        check("aaaaaaaaaaaaaaaa", Err(Weakness::Repeated));
        check("abcdefghijklmnop", Err(Weakness::Sequence));
        check("ada.byron@acme.example", Err(Weakness::Personal));
        check("lovelace-byron", Err(Weakness::Personal));
        check("Ada Byron likes trains and tea", Ok(()));
        check("passwordpassword", Err(Weakness::Repeated));
        for guessable in ["password1234", "qwertyuiopasdfghjkl"] {
            assert!(rules().check(guessable, &[]).is_err(), "{guessable}");
        }
        // No rules of composition, spaces and other scripts welcome.
        check("correct horse battery", Ok(()));
        check("der grüne zug fährt rückwärts", Ok(()));
        check("七つの海を越えて行こうよ友よ", Ok(()));
    }

    #[test]
    fn case_53_the_longest_password_is_judged_in_no_time() {
        let rules = rules();
        for piece in ["a", "4@8(3", "abc1", "p4ssw0rd", "ä", "1!|@$", "aA4@bB8cC(eE3gG69"] {
            let long = piece.repeat(PASSWORD_BYTES_MAX / piece.len());
            let begin = std::time::Instant::now();
            let _ = rules.check(&long, &["ada", "4d4"]);
            assert!(begin.elapsed() < std::time::Duration::from_secs(2), "{piece}");
        }
        assert_eq!(rules.check(&"x".repeat(PASSWORD_BYTES_MAX + 1), &[]), Err(Weakness::TooLong));
    }

    #[test]
    fn an_operator_has_a_list_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        std::fs::write(&path, b"short\r\nHippocrates-Oath-1848\r\n\xff\n").unwrap();
        let rules = Rules::load(Some(&path), "").unwrap();

        assert_eq!(rules.check("hippocrates-oath-1848", &[]), Err(Weakness::Common));
        assert!(Rules::load(Some(&folder.path().join("none")), "").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn any_text_is_judged(password in "\\PC{0,60}", own in "\\PC{0,30}") {
            let _ = rules().check(&password, &[&own]);
        }
    }
}
