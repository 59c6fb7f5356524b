//! Which program and which system a browser says that it is: names that people know, or nothing.
//! It is what the browser claims, shown to its owner and to nobody else.

use http::HeaderValue;

/// What a token in `User-Agent` stands for. The first that is found counts: programs that are made
/// of others name those, too. Source: RFC 9110 section 10.1.5.
const PROGRAMS: [(&str, &str); 17] = [
    ("Edg/", "Microsoft Edge"),
    ("EdgA/", "Microsoft Edge"),
    ("EdgiOS/", "Microsoft Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("Trident/", "Internet Explorer"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// The names of the program and of the system that sent a request.
pub(in crate::http) fn names(
    agent: Option<&HeaderValue>,
) -> (Option<&'static str>, Option<&'static str>) {
    let text = agent.and_then(|value| value.to_str().ok()).unwrap_or_default();
    (named(&PROGRAMS, text), named(&SYSTEMS, text))
}

fn named(table: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    table.iter().find(|(token, _)| text.contains(token)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> (Option<&'static str>, Option<&'static str>) {
        names(Some(&HeaderValue::from_bytes(text.as_bytes()).unwrap()))
    }

    #[test]
    fn browsers_are_told_by_what_they_are_not_only_what_they_contain() {
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
        for (text, program, system) in [
            (format!("Mozilla/5.0 (X11; Linux x86_64) {webkit} Chrome/131.0.0.0 Safari/537.36"), "Chrome", "Linux"),
            (format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0"), "Microsoft Edge", "Windows"),
            (format!("Mozilla/5.0 (Linux; Android 10; K) {webkit} SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36"), "Samsung Internet", "Android"),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1".to_owned(), "Safari", "iPhone"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0".to_owned(), "Firefox", "Mac"),
        ] {
            assert_eq!(of(&text), (Some(program), Some(system)), "{text}");
        }
        assert_eq!(of(""), (None, None));
        assert_eq!(names(None), (None, None));
    }

    proptest! {
        #[test]
        fn nothing_but_our_own_names_comes_out(bytes in proptest::collection::vec(32u8..=255, 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let (program, system) = names(Some(&value));
                prop_assert!(program.is_none_or(|it| PROGRAMS.iter().any(|(_, name)| *name == it)));
                prop_assert!(system.is_none_or(|it| SYSTEMS.iter().any(|(_, name)| *name == it)));
            }
        }
    }
}
