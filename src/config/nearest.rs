//! Slips: which key somebody may have meant.

use crate::config::table::KEYS;

/// The key that somebody who wrote `name` may have meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let fold = |text: &str| text.to_ascii_lowercase().replace(['-', '_', '.'], "");
    let wanted = fold(name);
    KEYS.iter()
        .map(|key| (distance(&fold(key.name), &wanted), key.name))
        .min()
        .filter(|(steps, _)| *steps <= 3)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, for short texts.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut next = vec![above + 1];
        for ((to, diagonal), up) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            let beside = next.last().copied().unwrap_or_default();
            next.push((diagonal + usize::from(from != *to)).min(up + 1).min(beside + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_key_that_was_meant() {
        assert_eq!(nearest("isuer"), Some("issuer"));
        assert_eq!(nearest("DATABASE_URI"), Some("database.url"));
        assert_eq!(nearest("session.idle_second"), Some("sessions.idle_seconds"));
        assert_eq!(nearest("colour"), None);
        assert_eq!(nearest(""), None);
    }
}
