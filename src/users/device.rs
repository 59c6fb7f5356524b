//! Browsers that a user has signed in from before.
//!
//! After a sign-in the browser gets a mark: a MAC over the user and the browser's own cookie. Only
//! whoever signed in as this user in this browser can show it, so guesses from there are counted
//! apart from those of strangers: see [`crate::users::throttle`].

use crate::base::id::UserId;
use crate::base::secret::Digest;
use crate::keys::vault::Vault;
use crate::users::login::Source;

const PURPOSE: &str = "users: known device";

/// Most marks that a browser keeps: members of a household share one.
pub const MARKS_MAX: usize = 5;

/// The mark of `user` for the browser whose cookie has this digest.
pub fn mark(vault: &Vault, user: &UserId, browser: &Digest) -> Digest {
    mark_of(vault, user.as_str(), browser)
}

fn mark_of(vault: &Vault, user: &str, browser: &Digest) -> Digest {
    vault.mac(PURPOSE, &[user.as_bytes(), browser.0.as_slice()])
}

/// The mark, if the source shows it. `None` for `user` does the same work, for nobody.
pub(in crate::users) fn known(
    vault: &Vault,
    user: Option<&UserId>,
    source: &Source,
) -> Option<Digest> {
    let expected = mark_of(vault, user.map_or("", UserId::as_str), &source.browser);
    let shown = source.marks.iter().take(MARKS_MAX).filter(|mark| **mark == expected).count() > 0;
    (shown && user.is_some()).then_some(expected)
}

/// The marks of a browser after `user` has signed in: the newest first, the oldest forgotten.
pub fn remember(marks: &[Digest], new: Digest) -> Vec<Digest> {
    let others = marks.iter().copied().filter(|mark| *mark != new);
    std::iter::once(new).chain(others).take(MARKS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(browser: &[u8], marks: Vec<Digest>) -> Source {
        Source { ip: "192.0.2.1".parse().unwrap(), browser: Digest::of(browser), marks }
    }

    #[test]
    fn case_48_a_mark_is_good_for_one_user_in_one_browser() {
        let vault = Vault::new(&[7; 32]);
        let (ada, bob): (UserId, UserId) = ("ada".parse().unwrap(), "bob".parse().unwrap());
        let mark = mark(&vault, &ada, &Digest::of(b"browser"));

        assert_eq!(known(&vault, Some(&ada), &source(b"browser", vec![mark])), Some(mark));
        assert_eq!(known(&vault, Some(&bob), &source(b"browser", vec![mark])), None);
        assert_eq!(known(&vault, Some(&ada), &source(b"stolen", vec![mark])), None);
        assert_eq!(known(&vault, Some(&ada), &source(b"browser", vec![])), None);
        let nobody = mark_of(&vault, "", &Digest::of(b"browser"));
        assert_eq!(known(&vault, None, &source(b"browser", vec![nobody])), None);
    }

    #[test]
    fn a_browser_keeps_few_marks() {
        let marks: Vec<Digest> = (0..MARKS_MAX).map(|n| Digest::of(&n.to_be_bytes())).collect();

        let again = remember(&marks, marks[2]);
        assert_eq!(again.len(), MARKS_MAX);
        assert_eq!(again[0], marks[2]);
        let more = remember(&marks, Digest::of(b"new"));
        assert_eq!(more.len(), MARKS_MAX);
        assert!(!more.contains(&marks[MARKS_MAX - 1]));
    }
}
