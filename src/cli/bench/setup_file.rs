//! What the load needs on a server, as a file for `narthex apply`.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::cli::bench::client::Site;
use crate::cli::bench::target::{Credentials, Target};

/// The account, and the name of the user who signs in.
const BENCH: &str = "bench";
/// Where codes go: nobody listens there, the load reads them from the redirect.
const REDIRECT_URI: &str = "https://bench.invalid/callback";
/// What the app of the code flow asks for.
const SCOPE: &str = "openid profile project.read";
const ES256_APP: &str = "bench-es256";
const RS256_APP: &str = "bench-rs256";
const CODE_APP: &str = "bench-code";
/// Policies in the account.
const POLICIES: usize = 1_000;
/// Groups that the policies speak of, each in as many policies.
const TEAMS: usize = 250;
/// Groups that the user is in: what the policies give to those survives the reduction.
const TEAMS_OF_USER: usize = 2;
/// Projects in the account.
const PROJECTS: usize = 20;

/// The secrets that the load presents. The rest of the set-up is always the same.
#[derive(Clone, Debug)]
pub struct SetupFile {
    password: Secret,
    es256: Secret,
    rs256: Secret,
    code: Secret,
}

impl SetupFile {
    /// A set-up with secrets that nobody else knows.
    pub fn fresh(entropy: &dyn Entropy) -> Self {
        Self {
            password: Secret::generate(entropy),
            es256: Secret::generate(entropy),
            rs256: Secret::generate(entropy),
            code: Secret::generate(entropy),
        }
    }

    /// Reads the secrets from a file that [`SetupFile::text`] made, YAML or JSON.
    ///
    /// # Errors
    /// The file has another shape, or lacks an app or the user.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        let file: File = serde_saphyr::from_str(text)
            .map_err(|_| anyhow::anyhow!("not a set-up as --print-setup prints it"))?;
        let secret = |app: &str| {
            let found = file.apps.iter().find(|line| line.id == app);
            found
                .and_then(|line| line.secrets.first())
                .map(|secret| Secret::presented(secret.as_str()))
                .with_context(|| format!("the set-up lacks the app {app}"))
        };
        let user = file.users.iter().find(|user| user.username == BENCH);
        let user = user.with_context(|| format!("the set-up lacks the user {BENCH}"))?;
        Ok(Self {
            password: Secret::presented(user.password.clone()),
            es256: secret(ES256_APP)?,
            rs256: secret(RS256_APP)?,
            code: secret(CODE_APP)?,
        })
    }

    /// The server at `site`, as the load sees it.
    pub fn target(&self, site: Site) -> Target {
        let app =
            |id: &str, secret: &Secret| Credentials { id: id.to_owned(), secret: secret.clone() };
        Target {
            site,
            account: BENCH.to_owned(),
            project: project_id(0),
            es256: app(ES256_APP, &self.es256),
            rs256: app(RS256_APP, &self.rs256),
            code_app: app(CODE_APP, &self.code),
            redirect_uri: REDIRECT_URI.to_owned(),
            scope: SCOPE.to_owned(),
            username: BENCH.to_owned(),
            password: self.password.clone(),
        }
    }

    /// The file.
    pub fn text(&self) -> String {
        let own = |id: &str, algorithm: &str, secret: &Secret| {
            json!({
                "id": id,
                "account": BENCH,
                "title": format!("Load ({algorithm})"),
                "status": "live",
                "type": "confidential",
                "grant_types": ["client_credentials"],
                "allowed_scopes": ["decision.ask", "project.read"],
                "allowed_accounts": [BENCH],
                "access_token_algorithm": algorithm,
                "secrets": [secret.reveal()],
            })
        };
        let code = json!({
            "id": CODE_APP,
            "account": BENCH,
            "title": "Load (code flow)",
            "status": "live",
            "type": "confidential",
            "grant_types": ["authorization_code", "refresh_token"],
            "allowed_scopes": SCOPE.split(' ').collect::<Vec<_>>(),
            "allowed_accounts": "all",
            "callback_urls": [REDIRECT_URI],
            "access_token_algorithm": "ES256",
            "id_token_algorithm": "ES256",
            "secrets": [self.code.reveal()],
        });
        let document = json!({
            "users": [{ "id": BENCH, "username": BENCH, "name": "Load", "password": self.password.reveal() }],
            "accounts": [account()],
            "apps": [own(ES256_APP, "ES256", &self.es256), own(RS256_APP, "RS256", &self.rs256), code],
        });
        format!("{document:#}")
    }
}

/// An account whose policies speak of many groups; the user is in few of them.
fn account() -> Value {
    let groups = (0..TEAMS).map(|team| {
        let members: &[&str] = if team < TEAMS_OF_USER { &[BENCH] } else { &[] };
        json!({ "id": team_id(team), "name": format!("Team {team}"), "members": members })
    });
    let projects = (0..PROJECTS)
        .map(|project| json!({ "id": project_id(project), "name": format!("Project {project}") }));
    json!({
        "id": BENCH,
        "name": "Load",
        "groups": groups.collect::<Vec<_>>(),
        "projects": projects.collect::<Vec<_>>(),
        "policies": (0..POLICIES).map(policy).collect::<Vec<_>>(),
    })
}

fn team_id(team: usize) -> String {
    format!("bench-team-{team:03}")
}

fn project_id(project: usize) -> String {
    format!("bench-project-{project:02}")
}

/// One team may read one project; each team has four such policies.
fn policy(number: usize) -> Value {
    let team = number % TEAMS;
    let project = (team * 7 + (number / TEAMS) * 11) % PROJECTS;
    json!({
        "name": format!("bench-{number:04}"),
        "rules": { "readData": [{
            "user.groups": { "comparison": "includes", "value": team_id(team) },
            "resource.dataset": { "comparison": "equals", "value": project_id(project) },
        }]},
    })
}

/// What is read of a file.
#[derive(Deserialize)]
struct File {
    users: Vec<UserLine>,
    apps: Vec<AppLine>,
}

#[derive(Deserialize)]
struct UserLine {
    username: String,
    password: String,
}

#[derive(Deserialize)]
struct AppLine {
    id: String,
    #[serde(default)]
    secrets: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entropy::CountedEntropy;

    #[test]
    fn what_is_printed_is_read_again() {
        let written = SetupFile::fresh(&CountedEntropy::default());

        let read = SetupFile::read(&written.text()).unwrap();

        assert_eq!(read.password.reveal(), written.password.reveal());
        assert_eq!(read.es256.reveal(), written.es256.reveal());
        assert_eq!(read.rs256.reveal(), written.rs256.reveal());
        assert_eq!(read.code.reveal(), written.code.reveal());
        assert_ne!(read.es256.reveal(), read.rs256.reveal());
    }

    #[test]
    fn what_a_file_lacks_is_named() {
        let lacks = |text: &str| SetupFile::read(text).unwrap_err().to_string();
        assert_eq!(lacks("{"), "not a set-up as --print-setup prints it");
        assert_eq!(lacks("{users: [], apps: []}"), "the set-up lacks the user bench");
        let user = "{users: [{username: bench, password: x}], apps: []}";
        assert_eq!(lacks(user), "the set-up lacks the app bench-es256");
    }

    #[test]
    fn each_team_reads_four_projects() {
        let account = account();
        let policies = account["policies"].as_array().unwrap();
        assert_eq!(policies.len(), POLICIES);
        let mut of_first_team: Vec<&str> = policies
            .iter()
            .map(|policy| &policy["rules"]["readData"][0])
            .filter(|rule| rule["user.groups"]["value"] == team_id(0))
            .filter_map(|rule| rule["resource.dataset"]["value"].as_str())
            .collect();
        of_first_team.sort_unstable();
        of_first_team.dedup();
        assert_eq!(of_first_team.len(), 4);
    }
}
