//! The configuration as text: what is in force, and the table of all keys. Secrets are masked.

use std::fmt::Write as _;

use url::Url;

use crate::config::fault::Origin;
use crate::config::gather::Settings;
use crate::config::table::{KEYS, Key, Kind};

const MASK: &str = "********";

/// What is in force, as a TOML file that could be used; the source of each value in a comment.
pub fn show(settings: &Settings) -> String {
    let mut out = String::new();
    let mut table = "";
    for key in KEYS {
        let (own_table, name) = key.place();
        if own_table != table {
            table = own_table;
            let _ = write!(out, "\n[{table}]\n");
        }
        let origin = settings.given(key.name).map_or(Origin::Default, |given| given.origin.clone());
        match settings.text(key.name) {
            Some(text) => {
                let _ = writeln!(out, "{name} = {}  # {origin}", toml_value(key, text, &origin));
            }
            None => {
                let _ = writeln!(out, "# {name}: {}", key.default.trim_matches(['(', ')']));
            }
        }
    }
    out
}

fn toml_value(key: &Key, text: &str, origin: &Origin) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    match key.kind {
        Kind::Number { .. } => text.to_owned(),
        Kind::Text | Kind::Choice(_) => quoted(text),
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
        }
        Kind::Secret if *origin == Origin::Default || text.starts_with("sqlite:") => quoted(text),
        Kind::Secret => quoted(&masked(text)),
    }
}

/// Masks a secret. Of a URL everything but the password and the query is kept.
fn masked(text: &str) -> String {
    let url = Url::parse(text)
        .ok()
        .filter(|url| ["postgres", "smtp"].iter().any(|scheme| url.scheme().starts_with(scheme)));
    let Some(mut url) = url else {
        return MASK.to_owned();
    };
    if url.query().is_some() {
        url.set_query(Some(MASK));
    }
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return MASK.to_owned();
    }
    url.to_string()
}

/// All keys, for people at a terminal.
pub fn keys_as_text() -> String {
    let mut out = String::new();
    for key in KEYS {
        let _ = write!(
            out,
            "{}\n    {}\n    Variable: {}. Default: {}.\n",
            key.name,
            key.about,
            key.variable(),
            default(key)
        );
    }
    out
}

/// All keys, as a table in Markdown.
pub fn keys_as_markdown() -> String {
    let mut out =
        String::from("| Key | Variable | Default | Meaning |\n| --- | --- | --- | --- |\n");
    for key in KEYS {
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} |",
            key.name,
            key.variable(),
            default(key),
            key.about
        );
    }
    out
}

fn default(key: &Key) -> &str {
    match key.default {
        "" => "none",
        text => text.trim_matches(['(', ')']),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::gather::Inputs;

    fn shown(flags: &[(&str, &str)]) -> String {
        let flags = flags
            .iter()
            .map(|(key, value)| ("--set".to_owned(), (*key).to_owned(), (*value).to_owned()))
            .collect();
        let (settings, faults) = Settings::gather(&Inputs { flags, ..Inputs::default() });
        assert_eq!(faults, []);
        show(&settings)
    }

    #[test]
    fn what_is_shown_is_toml_with_sources_and_without_secrets() {
        let text = shown(&[
            ("database.url", "postgres://nar:hunter2@db:5432/narthex?password=hunter3"),
            ("encryption_key", "hunter4"),
            ("trusted_proxies", "10.0.0.1, 10.0.0.2"),
            ("log.filter", "info,\"quoted\""),
        ]);

        assert!(!text.contains("hunter"), "{text}");
        assert!(
            text.contains("url = \"postgres://nar:********@db:5432/narthex?********\"  # --set")
        );
        assert!(text.contains("encryption_key = \"********\"  # --set"));
        assert!(text.contains("trusted_proxies = [\"10.0.0.1\", \"10.0.0.2\"]  # --set"));
        assert!(text.contains("nodes = 1  # default"));
        assert!(text.parse::<toml::Table>().is_ok(), "{text}");
    }

    #[test]
    fn a_secret_of_unknown_shape_is_masked_whole() {
        assert_eq!(masked("mysql://root:hunter2@db"), MASK);
        assert_eq!(masked("hunter2"), MASK);
        assert_eq!(masked("postgres://db/narthex"), "postgres://db/narthex");
        let smtp = "smtps://ada:hunter2@mx.example.org";
        assert_eq!(masked(smtp), format!("smtps://ada:{MASK}@mx.example.org"));
    }

    #[test]
    fn the_readme_has_the_table_of_all_keys() {
        let readme = include_str!("../../README.md");

        assert!(readme.contains(&keys_as_markdown()), "narthex config keys --markdown");
    }

    #[test]
    fn every_key_is_documented() {
        for key in KEYS {
            assert!(keys_as_markdown().contains(&key.variable()));
            assert!(keys_as_text().contains(key.about));
        }
    }
}
