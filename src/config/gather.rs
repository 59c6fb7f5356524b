//! What was said, and by whom: the file, the variables and the flags in one map. Pure.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::fault::{Fault, Origin};
use crate::config::nearest::nearest;
use crate::config::table::{FILE_VARIABLE, KEYS, Key, Kind, PREFIX, find};

/// The raw material.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Name and text of the file, if there is one.
    pub file: Option<(String, String)>,
    /// Variables, of which only those of ours are looked at.
    pub variables: Vec<(String, String)>,
    /// Flags: how the flag is called, the key that it sets, and its value.
    pub flags: Vec<(String, String, String)>,
}

/// A value that somebody gave. Lists are joined by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value.
    pub text: String,
    /// Who gave it.
    pub origin: Origin,
}

/// What was said, by key.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<&'static str, Given>);

impl Settings {
    /// Merges the inputs, each over the one before. Whatever can't be understood is a fault.
    pub fn gather(inputs: &Inputs) -> (Self, Vec<Fault>) {
        let mut settings = Self::default();
        let mut faults = Vec::new();
        if let Some((name, text)) = &inputs.file {
            settings.add_file(name, text, &mut faults);
        }
        settings.add_variables(&inputs.variables, &mut faults);
        for (flag, name, text) in &inputs.flags {
            let origin = Origin::Flag(flag.clone());
            match find(name) {
                Some(key) => settings.set(key, text.clone(), origin),
                None => faults.push(unknown(name, &origin)),
            }
        }
        (settings, faults)
    }

    /// What was given for the key called `name`.
    pub fn given(&self, name: &str) -> Option<&Given> {
        self.0.get(name)
    }

    /// Whether somebody gave a value for `name`.
    pub fn is_given(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|given| given.origin != Origin::Default)
    }

    /// The text given for `name`, or its fixed default.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(given) => Some(&given.text),
            None => find(name).and_then(Key::fixed_default),
        }
    }

    /// Gives `name` a value that follows from others, unless somebody gave one.
    pub(in crate::config) fn complete(&mut self, name: &'static str, text: String) {
        self.0.entry(name).or_insert(Given { text, origin: Origin::Default });
    }

    fn set(&mut self, key: &'static Key, text: String, origin: Origin) {
        self.0.insert(key.name, Given { text, origin });
    }

    fn add_variables(&mut self, variables: &[(String, String)], faults: &mut Vec<Fault>) {
        let ours = |name: &str| name.starts_with(PREFIX) && name != FILE_VARIABLE;
        for (name, value) in variables.iter().filter(|(name, _)| ours(name)) {
            match KEYS.iter().find(|key| key.variable() == *name) {
                Some(key) => self.set(key, value.clone(), Origin::Variable(name.clone())),
                None => faults.push(unknown_variable(name)),
            }
        }
    }

    fn add_file(&mut self, name: &str, text: &str, faults: &mut Vec<Fault>) {
        let file = File { name, text };
        let (document, errors) = DeTable::parse_recoverable(text);
        let mut found = Vec::new();
        for error in errors {
            let at = file.origin(error.span().map_or(0, |span| span.start));
            found.push(Fault::new("syntax", Some(&at), error.message()));
        }
        self.add_table(&file, "", document.get_ref(), &mut found);
        found.sort_by_key(|fault| match &fault.origin {
            Some(Origin::File { line, .. }) => *line,
            _ => 0,
        });
        faults.append(&mut found);
    }

    fn add_table(
        &mut self,
        file: &File<'_>,
        path: &str,
        table: &DeTable<'_>,
        faults: &mut Vec<Fault>,
    ) {
        for (word, value) in table {
            let name = if path.is_empty() {
                word.get_ref().to_string()
            } else {
                format!("{path}.{}", word.get_ref())
            };
            let origin = file.origin(word.span().start);
            match (find(&name), value.get_ref()) {
                (Some(key), _) => match canonical(key.kind, value) {
                    Ok(text) => self.set(key, text, origin),
                    Err(problem) => faults.push(Fault::new(&name, Some(&origin), problem)),
                },
                (None, DeValue::Table(inner)) if path.is_empty() && is_table(&name) => {
                    self.add_table(file, &name, inner, faults);
                }
                (None, _) => faults.push(unknown(&name, &origin)),
            }
        }
    }
}

fn is_table(name: &str) -> bool {
    KEYS.iter().any(|key| key.place().0 == name)
}

fn unknown(name: &str, origin: &Origin) -> Fault {
    let problem = match nearest(name) {
        Some(meant) => format!("there is no such key; did you mean {meant}?"),
        None => "there is no such key; `narthex config keys` lists them".to_owned(),
    };
    Fault::new(name, Some(origin), problem)
}

fn unknown_variable(name: &str) -> Fault {
    let tail = name.strip_prefix(PREFIX).unwrap_or_default();
    let problem = match nearest(tail).and_then(find) {
        Some(meant) => format!("there is no such variable; did you mean {}?", meant.variable()),
        None => "there is no such variable; `narthex config keys` lists them".to_owned(),
    };
    Fault::new(name, None, problem)
}

/// The one spelling that [`Settings`] holds, or what is wrong with the value's type.
fn canonical(kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<String, &'static str> {
    match (kind, value.get_ref()) {
        (Kind::Text | Kind::Secret | Kind::Choice(_), DeValue::String(text)) => {
            Ok(text.to_string())
        }
        (Kind::Text | Kind::Secret | Kind::Choice(_), _) => Err("must be a text in quotes"),
        (Kind::Number { .. }, DeValue::Integer(number)) => {
            let digits = number.as_str();
            i64::from_str_radix(digits, number.radix())
                .map(|number| number.to_string())
                .map_err(|_| "must be a whole number")
        }
        (Kind::Number { .. }, _) => Err("must be a whole number, without quotes"),
        (Kind::List, DeValue::Array(items)) => {
            let texts: Option<Vec<&str>> = items
                .iter()
                .map(|item| match item.get_ref() {
                    DeValue::String(text) => Some(text.as_ref()),
                    _ => None,
                })
                .collect();
            texts.map(|texts| texts.join(",")).ok_or("must be a list of texts in quotes")
        }
        (Kind::List, _) => Err("must be a list, such as [\"10.0.0.1\"]"),
    }
}

struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let line = self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        Origin::File { name: self.name.to_owned(), line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Inputs {
        Inputs { file: Some(("n.toml".to_owned(), text.to_owned())), ..Inputs::default() }
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn faults(inputs: &Inputs, expected: &[&str]) {
        let (_, faults) = Settings::gather(inputs);
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn flags_win_over_variables_and_variables_over_the_file() {
        let mut inputs =
            file("listen = \"127.0.0.1:1\"\nnodes = 2\nissuer = \"https://a.example\"");
        inputs.variables = pairs(&[("NARTHEX_LISTEN", "127.0.0.1:2"), ("NARTHEX_NODES", "3")]);
        inputs.flags = vec![("--listen".to_owned(), "listen".to_owned(), "127.0.0.1:3".to_owned())];

        let (settings, faults) = Settings::gather(&inputs);

        assert_eq!(faults, []);
        assert_eq!(settings.text("listen"), Some("127.0.0.1:3"));
        assert_eq!(settings.given("nodes").unwrap().origin.to_string(), "NARTHEX_NODES");
        assert_eq!(settings.given("issuer").unwrap().origin.to_string(), "n.toml line 3");
        assert_eq!(settings.text("log.filter"), Some("info"));
        assert_eq!(settings.text("issuer"), Some("https://a.example"));
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_named_with_their_lines() {
        faults(
            &file("isuer = \"x\"\n[database]\nport = 5\n[colour]\nred = 1\n"),
            &[
                "isuer: there is no such key; did you mean issuer? (n.toml line 1)",
                "database.port: there is no such key; did you mean database.url? (n.toml line 3)",
                "colour: there is no such key; `narthex config keys` lists them (n.toml line 4)",
            ],
        );
        faults(
            &file("nodes = \"2\"\nlisten = 8080\ntrusted_proxies = \"10.0.0.1\"\n"),
            &[
                "nodes: must be a whole number, without quotes (n.toml line 1)",
                "listen: must be a text in quotes (n.toml line 2)",
                "trusted_proxies: must be a list, such as [\"10.0.0.1\"] (n.toml line 3)",
            ],
        );
    }

    #[test]
    fn unknown_variables_are_faults_but_those_of_others_are_not_ours() {
        let variables =
            pairs(&[("NARTHEX_ISUER", "s3cret"), ("NARTHEX_CONFIG", "x"), ("PATH", "/bin")]);
        faults(
            &Inputs { variables, ..Inputs::default() },
            &["NARTHEX_ISUER: there is no such variable; did you mean NARTHEX_ISSUER?"],
        );
    }

    #[test]
    fn broken_toml_names_its_line() {
        let (_, faults) = Settings::gather(&file("nodes = 1\nlisten = = 2\n"));

        assert!(faults.iter().any(|fault| fault.to_string().ends_with("(n.toml line 2)")));
    }

    #[test]
    fn numbers_may_be_written_with_underscores_or_in_hex() {
        let (settings, faults) = Settings::gather(&file("[passwords]\nargon2_memory_kib = 32_768"));
        assert_eq!((settings.text("passwords.argon2_memory_kib"), faults), (Some("32768"), vec![]));
        let (settings, _) = Settings::gather(&file("nodes = 0x10"));
        assert_eq!(settings.text("nodes"), Some("16"));
    }

    proptest::proptest! {
        #[test]
        fn no_file_and_no_variable_makes_it_panic(text: String, name: String, value: String) {
            let variables = pairs(&[(&format!("NARTHEX_{name}"), &value), (&name, &value)]);
            let mut inputs = file(&text);
            inputs.variables = variables;
            inputs.flags = vec![("--set".to_owned(), name, value)];
            let _ = Settings::gather(&inputs);
        }

        #[test]
        fn nothing_like_toml_makes_it_panic(text in "[a-z\\[\\]=\"'{},.#\\n 0-9_x-]{0,120}") {
            let _ = Settings::gather(&file(&text));
        }
    }
}
