//! `narthex policy`: the policy engine, offline.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

use crate::policy::document::{Document, Fault};
use crate::policy::vectors::answer_line;

/// Check policies, or evaluate them, without a server.
#[derive(Debug, clap::Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say what is wrong with policies, with the JSON pointer of each fault.
    ///
    /// A file holds one policy as JSON: {"rules": …} or {"name": …, "policy": {"rules": …}}.
    /// Ends with code 1 if one of them is not valid.
    Check {
        /// Files with one policy each; `-` is standard input.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Answer requests on standard input: one JSON object a line in, one a line out.
    ///
    /// {"id", "op": "enforce", "operation", "policy", "attributes"} asks whether the operation is
    /// allowed; "enforceAny" with "operations" asks which is the first allowed; "privileges" asks
    /// for all that are; "validate" asks whether the policy is valid. The answer is
    /// {"id", "result"} or {"id", "error"}. Ends with code 1 if a line is no request.
    Eval,
}

/// Runs `narthex policy`.
///
/// # Errors
/// If a file cannot be read, or standard input or output fails.
pub fn run(
    args: &PolicyArgs,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let is_good = match &args.command {
        Command::Check { files } => check(files, input, output)?,
        Command::Eval => eval(input, output)?,
    };
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(
    files: &[PathBuf],
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut is_good = true;
    for file in files {
        let mut text = String::new();
        if file == Path::new("-") {
            input.read_to_string(&mut text).context("cannot read standard input")?;
        } else {
            text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?;
        }
        let faults = faults(&text);
        is_good &= faults.is_empty();
        if faults.is_empty() {
            writeln!(output, "{}: valid", file.display())?;
        }
        for Fault { pointer, message } in faults {
            let pointer = if pointer.is_empty() { "/" } else { &pointer };
            writeln!(output, "{}: {pointer}: {message}", file.display())?;
        }
    }
    Ok(is_good)
}

fn faults(text: &str) -> Vec<Fault> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            return vec![Fault { pointer: String::new(), message: format!("not JSON: {error}") }];
        }
    };
    let (document, prefix) = match value.get("policy") {
        Some(policy) if value.get("rules").is_none() => (policy, "/policy"),
        _ => (&value, ""),
    };
    let mut faults = Document::parse(document).err().unwrap_or_default();
    for fault in &mut faults {
        fault.pointer.insert_str(0, prefix);
    }
    faults
}

/// Answers line by line, but writes in large pieces.
fn eval(input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<bool> {
    const PIECE_BYTES: usize = 64 * 1024;
    let mut line = Vec::new();
    let mut answers = Vec::with_capacity(2 * PIECE_BYTES);
    let mut is_good = true;
    loop {
        line.clear();
        let read = input.read_until(b'\n', &mut line).context("cannot read standard input")?;
        let is_last = read == 0;
        if !line.trim_ascii().is_empty() {
            is_good &= answer_line(&line, &mut answers);
        }
        if is_last || answers.len() >= PIECE_BYTES {
            output.write_all(&answers).context("cannot write to standard output")?;
            answers.clear();
        }
        if is_last {
            output.flush()?;
            return Ok(is_good);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(command: Command, mut input: &[u8]) -> (bool, String) {
        let mut output = Vec::new();
        let code = run(&PolicyArgs { command }, &mut input, &mut output).unwrap();
        (code == ExitCode::SUCCESS, String::from_utf8(output).unwrap())
    }

    #[test]
    fn check_names_each_fault_by_its_pointer() {
        let check =
            |text: &str| output(Command::Check { files: vec!["-".into()] }, text.as_bytes());

        assert_eq!(check(r#"{"rules":{"readData":true}}"#), (true, "-: valid\n".to_owned()));
        assert!(check(r#"{"name":"A","policy":{"rules":{}}}"#).0);
        let (is_good, text) = check(r#"{"name":"A","policy":{"rules":{"readData":[{}]}}}"#);
        assert!(
            !is_good && text.starts_with("-: /policy/rules/readData/0: an empty rule"),
            "{text}"
        );
        let (is_good, text) = check("{");
        assert!(!is_good && text.starts_with("-: /: not JSON"), "{text}");
    }

    #[test]
    fn eval_answers_each_line_and_tells_what_is_no_request() {
        let good = r#"{"id":"1","op":"validate","policy":{"rules":{}}}"#;
        let bad = "{}";

        let (is_good, text) = output(Command::Eval, format!("{good}\n\n{good}").as_bytes());
        assert_eq!(
            (is_good, text.as_str()),
            (true, "{\"id\":\"1\",\"result\":true}\n".repeat(2).as_str())
        );
        let (is_good, text) = output(Command::Eval, format!("{bad}\n{good}\n").as_bytes());
        assert!(!is_good && text.starts_with("{\"id\":null,\"error\":"), "{text}");
        assert_eq!(text.lines().count(), 2);
    }
}
