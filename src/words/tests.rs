//! The choice of a language, and the rules for the texts: both languages have the same, every
//! text is used, and whatever is used is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::words::Language;
use crate::words::Language::{English, German};
use crate::words::bundle::files;

#[test]
fn rfc9110_12_5_4_the_most_wanted_language_is_chosen() {
    for (header, expected) in [
        ("de", Some(German)),
        ("DE-at", Some(German)),
        ("de-CH, en;q=0.8", Some(German)),
        ("en-GB,en;q=0.9,de;q=0.8", Some(English)),
        ("fr, de;q=0.5, en;q=0.7", Some(English)),
        ("fr;q=1.0, de;q=0.5", Some(German)),
        ("de;q=0.001, en;q=0", Some(German)),
        ("de;q=0, en;q=0.1", Some(English)),
        ("de;q=0", None),
        ("*", Some(English)),
        ("*;q=0.1, de;q=0.2", Some(German)),
        ("de;Q=0.5 , en ; q=0.4", Some(German)),
        ("de;q=2, en;q=0.1", Some(English)),
        ("de;q=0.1234, en;q=0.1", Some(English)),
        ("de;q=, en;level=1", None),
        ("den, enx", None),
        ("", None),
        (",;,;=,", None),
    ] {
        assert_eq!(Language::of_accept(header), expected, "{header}");
    }
}

#[test]
fn oidcc_3_1_2_1_ui_locales_come_in_order_of_preference() {
    for (tags, expected) in [
        ("de", Some(German)),
        ("fr-CA fr de en", Some(German)),
        ("en-US de", Some(English)),
        ("de_DE", Some(German)),
        ("fr it", None),
        ("", None),
    ] {
        assert_eq!(Language::of_tags(tags), expected, "{tags}");
    }
}

proptest! {
    #[test]
    fn any_header_is_read(header in ".{0,80}") {
        let _ = Language::of_accept(&header);
        let _ = Language::of_tags(&header);
    }

    #[test]
    fn a_weight_decides(german in 0_u16..=1000, english in 0_u16..=1000) {
        let weight = |it: u16| format!("{}.{:03}", it / 1000, it % 1000);
        let header = format!("de;q={}, en;q={}", weight(german), weight(english));
        let expected = match (german, english) {
            (0, 0) => None,
            _ if german >= english => Some(German),
            _ => Some(English),
        };
        prop_assert_eq!(Language::of_accept(&header), expected);
    }
}

#[test]
fn numbers_choose_between_one_and_many() {
    let wait = |language: Language, seconds: u32| {
        language.say_with("sign-in-wait-seconds", &[("seconds", seconds.into())])
    };

    assert_eq!(wait(English, 1), "a second");
    assert_eq!(wait(English, 12000), "12000 seconds");
    assert_eq!(wait(German, 1), "eine Sekunde");
    assert_eq!(wait(German, 2), "2 Sekunden");
}

/// What a language says: the ids, each with its text.
fn texts(language: Language) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (area, file) in files(language) {
        let mut last = String::new();
        for line in file.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if !line.starts_with([' ', '}']) {
                let (id, _) = line.split_once(" =").unwrap_or_else(|| panic!("{area}: {line}"));
                let is_id = id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                assert!(is_id, "{area}: {line}");
                last = id.to_owned();
                let again = found.insert(last.clone(), String::new());
                assert_eq!(again, None, "{area}: {last} is there twice");
            }
            found.entry(last.clone()).or_default().push_str(line);
        }
    }
    found
}

/// The variables in a text.
fn variables(text: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let names = text.split('$').skip(1);
    names.map(|rest| rest.split(|c| !is_name(c)).next().unwrap_or_default()).collect()
}

#[test]
fn both_languages_say_the_same() {
    let (english, german) = (texts(English), texts(German));

    let ids = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&english), ids(&german));
    for (id, text) in &english {
        assert_eq!(variables(text), variables(&german[id]), "{id}");
    }
}

#[test]
fn every_text_can_be_read() {
    for language in Language::ALL {
        for (area, file) in files(language) {
            if let Err((_, errors)) = fluent_bundle::FluentResource::try_new((*file).to_owned()) {
                panic!("{} {area}: {errors:?}", language.code());
            }
        }
        for (id, text) in texts(language) {
            let names: Vec<String> = variables(&text).into_iter().map(str::to_owned).collect();
            let values: Vec<_> =
                names.into_iter().map(|name| (&*name.leak(), "value".into())).collect();
            assert_ne!(language.say_with(&id, &values), "", "{id}");
        }
    }
}

fn read(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            read(&path, found);
            continue;
        }
        let kind = path.extension().and_then(|kind| kind.to_str());
        if kind == Some("html") || (kind == Some("rs") && !name.starts_with("tests")) {
            found.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// What stands between quotes in the code and the templates.
fn quoted() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    for folder in ["src", "templates"] {
        read(&root.join(folder), &mut text);
    }
    text.lines().flat_map(|line| line.split('"')).map(str::to_owned).collect()
}

/// What follows `stem` where several words have it in common, as those of an error or a letter.
const ENDS: [&str; 4] = ["-title", "-text", "-link", "-subject"];

#[test]
fn every_text_is_used() {
    let quoted = quoted();
    let is_used = |id: &String| {
        let stem = ENDS.iter().find_map(|end| id.strip_suffix(end));
        quoted.contains(id) || stem.is_some_and(|stem| quoted.contains(stem))
    };

    let unused: Vec<String> = texts(English).into_keys().filter(|id| !is_used(id)).collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}

#[test]
fn whatever_is_used_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for folder in ["src", "templates"] {
        read(&root.join(folder), &mut code);
    }
    let english = texts(English);
    let mut missing = BTreeSet::new();
    for call in [".say(\"", ".say_with(\"", ".around(\"", ".around_two(\"", ".count(\""] {
        for id in code.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
            if !english.contains_key(id) {
                missing.insert(id.to_owned());
            }
        }
    }
    // `error-…` is nothing but the name of words, or of several that begin with it.
    for id in quoted().into_iter().filter(|id| id.starts_with("error-") && !id.contains(' ')) {
        let is_element = ["error-title", "error-text", "error-link"].contains(&&*id);
        let begins = || english.keys().any(|known| known.starts_with(&format!("{id}-")));
        if !is_element && !english.contains_key(&id) && !begins() {
            missing.insert(id);
        }
    }
    assert!(missing.is_empty(), "there are no words for {missing:?}");
}
