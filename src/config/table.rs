//! The table of all keys. Files, variables, flags, help and `config show` are made from it.

use crate::config::mail::FROM_NAME;
use crate::config::registration::SCOPES;

/// What a key's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text; what it means is checked when the configuration is built.
    Text,
    /// Text that is never shown.
    Secret,
    /// A whole number within limits.
    Number {
        /// The smallest that makes sense.
        min: u32,
        /// The largest that makes sense.
        max: u32,
    },
    /// Texts; in a variable or flag they are separated by commas.
    List,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name, with a dot after its table: `database.url`.
    pub name: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// Its value when nobody says anything; in parentheses when it follows from something else.
    pub default: &'static str,
    /// One sentence for people.
    pub about: &'static str,
}

impl Key {
    /// The environment variable that sets it: `NARTHEX_DATABASE_URL`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The default as a value, unless it follows from something else.
    pub fn fixed_default(&self) -> Option<&'static str> {
        (!self.default.starts_with('(')).then_some(self.default)
    }

    /// The table of the TOML file that it stands in, empty for the top, and its name there.
    pub fn place(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }
}

/// What every variable of ours begins with.
pub const PREFIX: &str = "NARTHEX_";

/// The variable that names the file; it can't stand in the file itself.
pub const FILE_VARIABLE: &str = "NARTHEX_CONFIG";

/// All keys, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    Key {
        name: "issuer",
        kind: Kind::Text,
        default: "(http:// and the address of listen, if that is a loopback address)",
        about: "The URL that names this server, as browsers and apps reach it: scheme, host and \
                port, nothing else. https unless its host is a loopback address.",
    },
    Key {
        name: "listen",
        kind: Kind::Text,
        default: "127.0.0.1:8080",
        about: "Address and port to listen on: plain HTTP, unless tls.certificate_file is given and \
                tls.listen names no other.",
    },
    Key {
        name: "data_dir",
        kind: Kind::Text,
        default: "(narthex in the user's data directory)",
        about: "Folder for the SQLite file and the generated encryption key.",
    },
    Key {
        name: "nodes",
        kind: Kind::Number { min: 1, max: 1_000 },
        default: "1",
        about: "How many processes serve this issuer at once. More than one needs PostgreSQL.",
    },
    Key {
        name: "encryption_key",
        kind: Kind::Secret,
        default: "(encryption.key in data_dir, generated on SQLite; PostgreSQL demands one)",
        about: "256 bits in hex or base64 that seal signing keys and TOTP secrets at rest.",
    },
    Key {
        name: "encryption_key_file",
        kind: Kind::Text,
        default: "(none)",
        about: "File that holds the encryption key, in place of encryption_key.",
    },
    Key {
        name: "trusted_proxies",
        kind: Kind::List,
        default: "",
        about: "IP addresses of proxies whose X-Forwarded-For header is believed.",
    },
    Key {
        name: "tls.certificate_file",
        kind: Kind::Text,
        default: "",
        about: "PEM file with the certificate that this server shows, and what leads to its \
                authority. Read again when it changes.",
    },
    Key {
        name: "tls.key_file",
        kind: Kind::Text,
        default: "",
        about: "PEM file with the private key of that certificate.",
    },
    Key {
        name: "tls.listen",
        kind: Kind::Text,
        default: "(that of listen, which then speaks TLS only)",
        about: "Address and port to listen on for TLS, beside plain HTTP on listen.",
    },
    Key {
        name: "tls.client_certificates",
        kind: Kind::Choice(&["ask", "ignore"]),
        default: "ask",
        about: "Whether clients are asked for a certificate over TLS. None has to have one.",
    },
    Key {
        name: "tls.client_ca_file",
        kind: Kind::Text,
        default: "",
        about: "PEM file with the authorities whose client certificates name apps \
                (tls_client_auth). Read again when it changes.",
    },
    Key {
        name: "tls.client_certificate_header",
        kind: Kind::Text,
        default: "",
        about: "Header in which trusted_proxies pass on the client's certificate: PEM encoded as in \
                a URL, or as RFC 9440 says. The proxy must remove what clients send.",
    },
    Key {
        name: "tls.client_certificate_url",
        kind: Kind::Text,
        default: "",
        about: "Where clients with certificates reach this server, if that is not the issuer: \
                https and a host. Browsers at the issuer are then never asked for one.",
    },
    Key {
        name: "step_up.acr_values",
        kind: Kind::List,
        default: "",
        about: "What a sign-in must be for sensitive routes of the resource API: one of these acr \
                values, such as urn:narthex:acr:2 for two factors.",
    },
    Key {
        name: "step_up.max_age_seconds",
        kind: Kind::Number { min: 0, max: 31_536_000 },
        default: "0",
        about: "Oldest sign-in in seconds that sensitive routes accept; 0: any.",
    },
    Key {
        name: "outbound.allowed_hosts",
        kind: Kind::List,
        default: "",
        about: "Hosts, each with or without a port, that requests to apps may reach although their \
                address is private or they speak plain http. For development and tests.",
    },
    Key {
        name: "outbound.ca_file",
        kind: Kind::Text,
        default: "",
        about: "PEM file with authorities that requests to others trust besides those of the system.",
    },
    Key {
        name: "registration.mode",
        kind: Kind::Choice(&["closed", "token", "open"]),
        default: "closed",
        about: "Who may register apps over HTTP: nobody, holders of an initial access token, or \
                everybody within the quotas.",
    },
    Key {
        name: "registration.account",
        kind: Kind::Text,
        default: "",
        about: "The account that owns apps registered without a token, when the mode is open.",
    },
    Key {
        name: "registration.allowed_scopes",
        kind: Kind::List,
        default: SCOPES,
        about: "The scopes that an app registered over HTTP may ask for at most.",
    },
    Key {
        name: "registration.per_hour_max",
        kind: Kind::Number { min: 1, max: 1_000_000 },
        default: "20",
        about: "Most registrations without a token from one address in an hour.",
    },
    Key {
        name: "registration.total_max",
        kind: Kind::Number { min: 1, max: 1_000_000 },
        default: "1000",
        about: "Most apps registered without a token that exist at once.",
    },
    Key {
        name: "platform.account",
        kind: Kind::Text,
        default: "",
        about: "The account whose administrators decide which apps go live. Without it only the \
                operator does.",
    },
    Key {
        name: "mail.from",
        kind: Kind::Text,
        default: "(no-reply@ and the host of the issuer)",
        about: "The address that letters are from.",
    },
    Key {
        name: "mail.from_name",
        kind: Kind::Text,
        default: FROM_NAME,
        about: "The name beside that address.",
    },
    Key {
        name: "mail.smtp_url",
        kind: Kind::Secret,
        default: "",
        about: "The SMTP server that letters go to: smtps://USER:PASSWORD@HOST:465, \
                smtp://USER:PASSWORD@HOST:587 (never without STARTTLS), or smtp+plain://127.0.0.1:25 \
                for one on the same machine. Without it they stay in mail.directory.",
    },
    Key {
        name: "mail.smtp_ca_file",
        kind: Kind::Text,
        default: "",
        about: "PEM file with authorities that may vouch for the SMTP server besides the public ones.",
    },
    Key {
        name: "mail.directory",
        kind: Kind::Text,
        default: "(mail in data_dir)",
        about: "Folder that gets each letter as an .eml file when there is no mail.smtp_url, for \
                trying out; it keeps the newest 1,000.",
    },
    Key {
        name: "sign_up.mode",
        kind: Kind::Choice(&["operators", "closed", "invitation", "open"]),
        default: "closed",
        about: "Who becomes a user beside those whom operators make: nobody (operators), whoever \
                accepts an invitation into an account (closed), also whoever was invited with \
                narthex user invite (invitation), or everybody who receives mail at their address.",
    },
    Key {
        name: "accounts.creation",
        kind: Kind::Choice(&["operators", "administrators", "users"]),
        default: "administrators",
        about: "Who may make accounts with POST /v1/accounts: nobody but operators (narthex apply), \
                whoever holds accountAdmin in the account that the request names, or every user \
                whose e-mail address is verified.",
    },
    Key {
        name: "database.url",
        kind: Kind::Secret,
        default: "(sqlite: and narthex.db in data_dir)",
        about: "sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE.",
    },
    Key {
        name: "database.connections_max",
        kind: Kind::Number { min: 2, max: 1_000 },
        default: "16",
        about: "Most connections to PostgreSQL at once.",
    },
    Key {
        name: "passwords.argon2_memory_kib",
        kind: Kind::Number { min: 19_456, max: 4_194_304 },
        default: "19456",
        about: "Memory of one argon2id hash, in KiB.",
    },
    Key {
        name: "passwords.argon2_passes",
        kind: Kind::Number { min: 2, max: 100 },
        default: "2",
        about: "Passes of argon2id over that memory.",
    },
    Key {
        name: "passwords.hashes_at_once_max",
        kind: Kind::Number { min: 1, max: 1_024 },
        default: "(one for each core)",
        about: "Password hashes computed at the same time.",
    },
    Key {
        name: "passwords.hashes_waiting_max",
        kind: Kind::Number { min: 0, max: 100_000 },
        default: "64",
        about: "Sign-ins that may wait for their hash; more are answered 503 with Retry-After.",
    },
    Key {
        name: "passwords.list_file",
        kind: Kind::Text,
        default: "",
        about: "File of common passwords, one in each line, that nobody may choose besides those \
                that are built in.",
    },
    Key {
        name: "sessions.idle_seconds",
        kind: Kind::Number { min: 60, max: 31_536_000 },
        default: "3600",
        about: "Seconds without a request after which a session ends.",
    },
    Key {
        name: "sessions.absolute_seconds",
        kind: Kind::Number { min: 60, max: 31_536_000 },
        default: "43200",
        about: "Seconds after which a session ends in any case.",
    },
    Key {
        name: "keys.rotation_days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: "90",
        about: "Age in days at which a signing key is replaced by the next.",
    },
    Key {
        name: "keys.rsa_bits",
        kind: Kind::Number { min: 2_048, max: 4_096 },
        default: "2048",
        about: "Length of new RSA keys: 2048, 3072 or 4096.",
    },
    Key {
        name: "audit.retention_days",
        kind: Kind::Number { min: 0, max: 36_500 },
        default: "0",
        about: "Age in days at which entries of the record of who did what are removed; 0: never.",
    },
    Key {
        name: "throttle.free_failures",
        kind: Kind::Number { min: 1, max: 1_000 },
        default: "5",
        about: "Wrong guesses that cost nothing.",
    },
    Key {
        name: "throttle.backoff_seconds_max",
        kind: Kind::Number { min: 1, max: 86_400 },
        default: "900",
        about: "Longest wait after a wrong guess, in seconds.",
    },
    Key {
        name: "geo.database_file",
        kind: Kind::Text,
        default: "",
        about: "File in the MaxMind DB format with cities or countries, such as \
                GeoLite2-City.mmdb, by which people are told where they signed in from; none: \
                they are told the network.",
    },
    Key {
        name: "log.format",
        kind: Kind::Choice(&["text", "json"]),
        default: "text",
        about: "Shape of a log line.",
    },
    Key {
        name: "log.filter",
        kind: Kind::Text,
        default: "info",
        about: "What is logged: a level, or a list such as info,narthex::gate=debug.",
    },
];

/// The key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_variable_of_its_own() {
        let mut names: Vec<String> = KEYS.iter().map(Key::variable).collect();
        names.sort();
        names.dedup();

        assert_eq!(names.len(), KEYS.len());
        assert!(names.contains(&"NARTHEX_DATABASE_URL".to_owned()));
        assert!(!names.contains(&FILE_VARIABLE.to_owned()));
    }
}
