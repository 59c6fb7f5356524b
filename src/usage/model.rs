//! What is counted, and how it is asked for.

use chrono::{DateTime, Days, NaiveDate, Utc};

use crate::base::id::{AccountId, AppId, UserId};

/// A day of UTC, counted from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i64);

impl Day {
    /// The day of an instant.
    pub fn of(at: DateTime<Utc>) -> Self {
        Self(at.timestamp().div_euclid(86_400))
    }

    /// As `2026-11-21`.
    pub fn text(self) -> String {
        let days = Days::new(self.0.unsigned_abs());
        let date = NaiveDate::default().checked_add_days(days).unwrap_or_default();
        date.format("%Y-%m-%d").to_string()
    }

    /// Reads `2026-11-21`; `None` for anything else, and for days before 1970.
    pub fn parse(text: &str) -> Option<Self> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        (text.len() == 10 && days >= 0).then_some(Self(days))
    }
}

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The account.
    pub account: AccountId,
    /// The day.
    pub day: Day,
    /// The app; `None` for keys.
    pub app: Option<AppId>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests that the gate let pass.
    pub calls: i64,
    /// How long answering them took, in microseconds.
    pub micros: i64,
}

/// What was counted since the last time it was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Calls.
    pub calls: Vec<(Whose, Count)>,
    /// Users who were not seen that day before.
    pub users: Vec<(Whose, UserId)>,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.users.is_empty()
    }
}

/// Which usage is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub until: Day,
    /// Only by this app, or by keys, if the text is empty.
    pub app: Option<String>,
    /// Whether each app has a line of its own.
    pub by_app: bool,
    /// Only after this day and app.
    pub after: Option<(Day, String)>,
    /// At most so many lines.
    pub limit: u32,
}

/// A line of usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which day.
    pub day: Day,
    /// Which app, if each has a line of its own; empty for keys.
    pub app: Option<String>,
    /// How much.
    pub count: Count,
    /// How many users were active.
    pub users: i64,
    /// What lay in the account, in bytes, if it was looked at that day; not by app.
    pub bytes: Option<i64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_day_has_one_spelling() {
        assert_eq!(Day::parse("1970-01-02"), Some(Day(1)));
        assert_eq!(Day(20_778).text(), "2026-11-21");
        for bad in ["", "2026-13-01", "2026-1-1", "1969-12-31", "2026-11-21T", "+026-11-21"] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_day_is_read_as_it_is_written(day in 0..100_000_i64) {
            prop_assert_eq!(Day::parse(&Day(day).text()), Some(Day(day)));
        }

        #[test]
        fn any_text_is_a_day_or_none(text in "[ -~]{0,20}") {
            if let Some(day) = Day::parse(&text) {
                prop_assert_eq!(day.text(), text);
            }
        }
    }
}
