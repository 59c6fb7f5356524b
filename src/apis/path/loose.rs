//! Paths as services read them that make nothing of case, or of a slash at the end.

use crate::apis::path::{Part, Pattern, RequestPath};

impl Pattern {
    /// Whether a service that makes nothing of case, or of a slash at the end, could take the path
    /// for one of these.
    pub fn matches_loosely(&self, path: &RequestPath) -> bool {
        let RequestPath(segments) = path;
        let has_rest = matches!(self.0.last(), Some(Part::Rest(_)));
        let bare = match segments.split_last() {
            Some((last, rest)) if last.is_empty() => rest,
            Some(_) | None => segments.as_slice(),
        };
        let own = match self.0.split_last() {
            Some((Part::Text(last), rest)) if last.is_empty() => rest,
            Some(_) | None => self.0.as_slice(),
        };
        let fits = if has_rest { bare.len() >= own.len() } else { bare.len() == own.len() };
        fits && own.iter().zip(bare).all(|(part, segment)| match part {
            Part::Text(text) => text.eq_ignore_ascii_case(segment),
            Part::Param(_) | Part::Rest(_) => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_67_case_and_the_last_slash_count_for_nothing() {
        let fits = |text: &str, one: &str| {
            let path = RequestPath::parse(one).unwrap();
            text.parse::<Pattern>().unwrap().matches_loosely(&path)
        };

        for one in ["/files", "/FILES", "/files/", "/Files/"] {
            assert!(fits("/files", one) && fits("/files/", one), "{one}");
        }
        assert!(fits("/f/{id}", "/F/x/") && fits("/f/{*rest}", "/F/x/y/"));
        assert!(!fits("/files", "/file") && !fits("/f/{id}", "/f/") && !fits("/f/{id}", "/f/x/y"));
    }
}
