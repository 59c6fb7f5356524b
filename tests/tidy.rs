//! The rules of the house, as tests: what `src/ARCHITECTURE.md` promises, kept by reading the text.
#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, process};

/// The folders of `src/`, lowest first. A folder imports from rows above its own in this table,
/// and from nowhere else; folders in one row do not know each other.
const LAYERS: &[&[&str]] = &[
    &["base"],
    &["config", "words"],
    &["db", "outbound", "places", "tls"],
    &["audit", "once", "queue", "usage"],
    &["keys"],
    &["mail", "policy", "resource"],
    &["users"],
    &["accounts"],
    &["apis", "apps", "upstream"],
    &["oauth", "programs", "projects"],
    &["gate"],
    &["setup"],
    &["server"],
    &["http", "worker"],
    &["cli"],
    &["main"],
];

const FILE_LINES_MAX: usize = 400;
const DECISION_LINES_MAX: usize = 60;

/// Text that may not stand in the code (tests apart), where it may after all, and what to do
/// instead.
const BANNED: &[(&str, &[&str], &str)] = &[
    ("Utc::now", &["src/base/clock.rs"], "take the time from `ctx.now()`"),
    ("SystemTime::now", &["src/base/clock.rs"], "take the time from `ctx.now()`"),
    ("Instant::now", &["src/cli/", "src/http/"], "take the time from `ctx.now()`"),
    ("thread_rng", &[], "take randomness from `ctx.entropy()`"),
    ("OsRng", &["src/keys/"], "take randomness from `ctx.entropy()`"),
    ("axum::", &["src/http/"], "keep HTTP out of the domain"),
    ("askama", &["src/http/", "src/mail/"], "keep pages out of the domain"),
    ("lettre::", &["src/mail/", "src/config/mail.rs"], "post a letter: `crate::mail`"),
    ("StatusCode", &["src/http/", "src/cli/"], "status codes belong to src/http"),
    ("sqlx::", &["src/db/"], "talk to `crate::db`"),
    ("sql(\"", &["src/db/", "/store"], "put SQL into a store"),
    ("built_sql(", &["src/db/", "/store"], "put SQL into a store"),
    ("anyhow", &["src/main.rs", "src/cli/"], "make an error type"),
    ("println!", &["src/main.rs", "src/cli/"], "use tracing"),
    ("use crate::{", &[], "write one `use crate::folder::file::Item;` for each file"),
    ("::*;", &[], "name what you import"),
    ("todo!", &[], "finish it"),
    ("unimplemented!", &[], "finish it"),
    ("dbg!", &[], "use tracing"),
    ("FIXME", &[], "finish it"),
    ("#[ignore", &[], "a test runs or is not there"),
    ("#[allow", &[], "write `#[expect(…, reason = \"…\")]`"),
    ("#![allow", &[], "write `#[expect(…, reason = \"…\")]`"),
    (".unwrap()", &[], "answer an error"),
    ("pkcs1v15::SigningKey", &[], "RUSTSEC-2023-0071: aws-lc-rs signs"),
    ("JavaScript:", &[], "no scripts in links"),
];

/// Files that decide and do nothing else: no I/O, so no `async`.
const PURE: &[&str] = &[
    "/model.rs",
    "src/base/",
    "src/gate/checks.rs",
    "src/oauth/grant.rs",
    "src/oauth/refresh.rs",
    "src/oauth/request.rs",
    "src/oauth/prompt.rs",
    "src/oauth/pkce.rs",
    "src/oauth/claims.rs",
    "src/policy/compare.rs",
    "src/policy/document.rs",
    "src/policy/explain.rs",
    "src/policy/filter.rs",
    "src/policy/parse.rs",
    "src/policy/permit.rs",
    "src/policy/reduce.rs",
    "src/policy/rule.rs",
    "src/words/",
];

/// The attack cases that do not touch what is built; every other number from 1 to 80 has a test.
const NOT_BUILT: &[(u32, &str)] = &[];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The text without its unit tests and comments.
    fn code(&self) -> String {
        if self.file().starts_with("test") || self.path.contains("/tests/") {
            return String::new();
        }
        let tests = ["mod", "pub(in crate::http) mod"]
            .iter()
            .filter_map(|module| self.text.find(&format!("\n#[cfg(test)]\n{module} ")))
            .min();
        let text = self.text.get(..tests.unwrap_or(self.text.len())).unwrap_or_default();
        text.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// `oauth` for `src/oauth/grant.rs`, `main` for `src/main.rs`.
    fn folder(&self) -> &str {
        self.path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default()
    }

    fn file(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

fn walk(folder: &str, extension: &str, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&path, extension, found);
        } else if path.ends_with(extension) {
            found.push(Source { text: fs::read_to_string(entry.path()).unwrap(), path });
        }
    }
}

fn sources(folders: &[&str], extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(folder, extension, &mut found);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// What a text imports from the crate: `("oauth", "service")` for `crate::oauth::service::OAuth`.
fn imports(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.split("crate::").skip(1).map(move |rest| {
        let mut names = rest.split("::").map(|name| name.split(|c| !is_name(c)).next());
        let mut next = || names.next().flatten().unwrap_or_default();
        (next(), next())
    })
}

#[test]
fn imports_point_down() {
    let row = |folder: &str| LAYERS.iter().position(|layer| layer.contains(&folder));
    let mut faults = Vec::new();
    for source in sources(&["src"], ".rs") {
        let (own, path) = (source.folder(), &source.path);
        if matches!(own, "lib" | "decisions") {
            continue;
        }
        let Some(own_row) = row(own) else {
            faults.push(format!("{path}: folder `{own}` is not in LAYERS"));
            continue;
        };
        for (other, file) in imports(&source.code()).filter(|(other, _)| *other != own) {
            if row(other).is_none_or(|other_row| other_row >= own_row) {
                faults.push(format!("{path}: `crate::{other}` is not below `{own}`"));
            }
            if file.starts_with("store") {
                faults.push(format!("{path}: ask the service of `{other}`, not its store"));
            }
        }
    }
    none(&faults);
}

#[test]
fn inside_a_folder_service_store_and_model_point_down() {
    let mut faults = Vec::new();
    for source in sources(&["src"], ".rs") {
        let above: &[&str] = match source.file() {
            "model.rs" => &["service", "store"],
            name if name.starts_with("store") => &["service"],
            _ => continue,
        };
        for (folder, file) in imports(&source.code()).collect::<BTreeSet<_>>() {
            if folder == source.folder() && above.iter().any(|name| file.starts_with(name)) {
                faults.push(format!("{}: imports `{file}`, which is above it", source.path));
            }
        }
    }
    none(&faults);
}

#[test]
fn decisions_are_pure() {
    let mut faults = Vec::new();
    for source in sources(&["src"], ".rs") {
        let code = source.code();
        if PURE.iter().any(|place| source.path.contains(place)) {
            for banned in ["async ", ".await", "tokio::", "std::fs"] {
                if code.contains(banned) {
                    faults.push(format!("{}: `{banned}` in a file that decides", source.path));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut faults = Vec::new();
    for source in sources(&["src", "tests"], ".rs") {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", source.path));
        }
        if !source.text.starts_with("//!") {
            faults.push(format!("{}: begins without `//!`", source.path));
        }
    }
    for source in sources(&["src/decisions"], ".md") {
        let lines = source.text.lines().count();
        if lines > DECISION_LINES_MAX {
            faults.push(format!("{}: {lines} lines, at most {DECISION_LINES_MAX}", source.path));
        }
    }
    none(&faults);
}

#[test]
fn banned_text_is_absent() {
    let mut faults = Vec::new();
    for source in sources(&["src"], ".rs") {
        let code = source.code();
        for (banned, allowed, instead) in BANNED {
            let excused = allowed.iter().any(|place| source.path.contains(place));
            if !excused && code.contains(banned) {
                faults.push(format!("{}: `{banned}`: {instead}", source.path));
            }
        }
    }
    none(&faults);
}

/// The policy of every page forbids inline code, so a page that has some would lose it silently.
#[test]
fn pages_have_no_inline_code() {
    let mut faults = Vec::new();
    for source in sources(&["src"], ".html").iter().chain(&sources(&["templates"], ".html")) {
        for line in source.text.lines() {
            let lower = line.to_lowercase();
            let inline_script = lower.contains("<script") && !lower.contains(" src=");
            let handler = [" onclick=", " onload=", " onsubmit=", " onerror="];
            // Programs that show mail load no stylesheet, and have no policy.
            let style = [" style=", "<style"].iter().filter(|_| !source.path.contains("/mail/"));
            if inline_script || handler.iter().chain(style).any(|text| lower.contains(text)) {
                faults.push(format!("{}: {}", source.path, line.trim()));
            }
            if lower.contains("|safe") || lower.contains("| safe") {
                faults.push(format!("{}: unescaped: {}", source.path, line.trim()));
            }
        }
    }
    none(&faults);
}

/// What is in the repository works on any machine: no path of the one it was written on.
#[test]
fn no_file_names_a_place_on_one_machine() {
    let list = process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut faults = Vec::new();
    for path in String::from_utf8(list.stdout).unwrap().lines() {
        let Ok(text) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)) else {
            continue;
        };
        for (at, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                faults.push(format!("{path}:{}: {}", at + 1, line.trim()));
            }
        }
    }
    none(&faults);
}

/// Each attack case that touches what is built has a test whose name begins with its number.
#[test]
fn every_line_that_applies_has_a_test() {
    let all: String =
        sources(&["src", "tests"], ".rs").into_iter().map(|source| source.text).collect();
    let mut faults = Vec::new();
    for number in (1..=80).filter(|number| !NOT_BUILT.iter().any(|(not, _)| not == number)) {
        if !all.contains(&format!("fn case_{number:02}_")) {
            faults.push(format!("attack case {number}: no `fn case_{number:02}_…`"));
        }
    }
    none(&faults);
}

#[test]
fn case_80_sqlx_does_not_cut_long_parameters_and_advisories_are_checked() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let version = lock
        .split("[[package]]")
        .find_map(|package| package.trim().strip_prefix("name = \"sqlx\"\nversion = \"0."))
        .and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());

    assert!(version.is_some_and(|minor| minor >= 9), "RUSTSEC-2024-0363 is mended in 0.8.1");
    let ci = fs::read_to_string(root.join(".ci/run")).unwrap();
    for part in ["tests/run", "cargo fmt --check", "-- -D warnings", "cargo deny"] {
        assert!(ci.contains(part), ".ci/run does not run `{part}`");
    }
}
