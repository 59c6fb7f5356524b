//! For whom access tokens are. Source: RFC 8707.
//!
//! Known are this server, whose API it protects itself, and the resource servers that an operator
//! lets an app have tokens for. Without any I/O.

use crate::oauth::request::Fault;

/// Most targets of one request.
const TARGETS_MAX: usize = 8;

/// A target that was not granted.
pub(in crate::oauth) const BEYOND: Fault =
    Fault { code: "invalid_target", description: "the resource is beyond what was granted" };
const UNKNOWN: Fault =
    Fault { code: "invalid_target", description: "the app may not have tokens for this resource" };
const TOO_MANY: Fault =
    Fault { code: "invalid_target", description: "there are too many resources" };

/// The targets that a request names, each once. Only this server and what is `known` for the app is
/// let through, to the letter, and so nothing that is malformed.
///
/// # Errors
/// `invalid_target`. Source: RFC 8707 section 2.
pub(in crate::oauth) fn read<'a>(
    named: impl Iterator<Item = &'a str>,
    known: &[String],
    issuer: &str,
) -> Result<Vec<String>, Fault> {
    let mut targets: Vec<String> = Vec::new();
    for name in named {
        if name != issuer && !known.iter().any(|one| one == name) {
            return Err(UNKNOWN);
        }
        if targets.iter().all(|held| held != name) {
            targets.push(name.to_owned());
        }
        if targets.len() > TARGETS_MAX {
            return Err(TOO_MANY);
        }
    }
    Ok(targets)
}

/// Whether all of `asked` was granted; nothing granted by name is a grant for this server.
pub(in crate::oauth) fn is_within(asked: &[String], granted: &[String], issuer: &str) -> bool {
    asked.iter().all(|one| granted.contains(one) || (granted.is_empty() && one == issuer))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example";

    #[test]
    fn rfc8707_2_only_known_targets_are_let_through_each_once() {
        let known = ["https://a.example/x".to_owned()];
        let read = |names: &[&'static str]| read(names.iter().copied(), &known, ISSUER);

        assert_eq!(read(&[]), Ok(Vec::new()));
        assert_eq!(read(&[ISSUER, "https://a.example/x", ISSUER]).map(|all| all.len()), Ok(2));
        for bad in [
            "https://a.example/X",
            "https://a.example/x#",
            "https://a.example/x/",
            "a",
            "/x",
            "https://id.example/",
            "https://b.example",
        ] {
            assert_eq!(read(&[bad]), Err(UNKNOWN), "{bad}");
        }
    }

    #[test]
    fn rfc8707_2_2_targets_only_shrink() {
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let granted = list(&["https://a.example", "https://b.example"]);

        assert!(is_within(&list(&["https://b.example"]), &granted, ISSUER));
        assert!(!is_within(&list(&["https://b.example", ISSUER]), &granted, ISSUER));
        assert!(is_within(&list(&[ISSUER]), &[], ISSUER));
        assert!(!is_within(&list(&["https://a.example"]), &[], ISSUER));
    }
}
