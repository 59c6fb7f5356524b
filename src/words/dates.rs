//! Days and times, as people write them. In UTC: a server does not know where somebody is.

use chrono::{DateTime, Datelike as _, Utc};

use crate::words::Language;

impl Language {
    /// A day: `1 June 2026`, `1. Juni 2026`.
    pub fn day(self, at: DateTime<Utc>) -> String {
        // Years are text: a number may get separators.
        let (day, year) = (at.day().to_string(), at.year().to_string());
        let values = [("day", day.into()), ("month", at.month().into()), ("year", year.into())];
        self.say_with("date-day", &values)
    }

    /// A day and a time: `1 June 2026, 12:00 UTC`.
    pub fn minute(self, at: DateTime<Utc>) -> String {
        let time = at.format("%H:%M").to_string();
        self.say_with("date-minute", &[("day", self.day(at).into()), ("time", time.into())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_written_as_people_write_them() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (summer, winter) = (at("2026-06-01T12:05:59Z"), at("1999-12-31T00:00:00Z"));

        assert_eq!(Language::English.day(summer), "1 June 2026");
        assert_eq!(Language::German.day(winter), "31. Dezember 1999");
        assert_eq!(Language::English.minute(summer), "1 June 2026, 12:05 UTC");
        assert_eq!(Language::German.minute(summer), "1. Juni 2026, 12:05 UTC");
    }
}
