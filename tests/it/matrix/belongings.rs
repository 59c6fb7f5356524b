//! What an account has, made through the API: one real id for each parameter of each route.

use std::collections::BTreeMap;

use narthex::gate::routes::{Route, table};
use serde_json::{Value, json};

use crate::common::server::TestServer;
use crate::matrix::callers::{app, desk, somebody};
use crate::tenants::Desk;

/// The account that has it all.
pub const ACCOUNT: &str = "fresh";
/// A member of it, besides those whom it begins with.
pub const MEMBER: &str = "kai";

/// A Patient of a project, who the member is.
const PATIENT: &str = "patient-of-theirs";

/// The id that each path ends in, as the table of routes writes the path.
pub struct Belongings {
    /// Who made all of it, and may see it.
    pub owner: Desk,
    ids: BTreeMap<&'static str, String>,
}

impl Belongings {
    /// Makes one of each, on behalf of kim.
    pub async fn of(server: &TestServer) -> Self {
        let kim = somebody(server, "kim");
        let owner = desk(server, &kim).await;
        // What kim gave an app that nobody else uses.
        app(server, "m-elsewhere").tokens(server, &kim).await;
        let at = async |path: &str, body: Value, id: &str| {
            owner.post(path, ACCOUNT, body).await.expect(201).text(id)
        };
        let group = at("/v1/account/groups", json!({"name": "Theirs"}), "id").await;
        let member = format!("/v1/account/groups/{group}/members/{MEMBER}");
        owner.put(&member, ACCOUNT, Value::Null).await;
        let invited = json!({"email": "somebody@fresh.example", "groupId": "fresh-users"});
        let invitation = at("/v1/account/invitations", invited, "id").await;
        let key = json!({"name": "Theirs", "expireInDays": 9});
        let own_key = at("/v1/api-keys", key.clone(), "id").await;
        let service = at("/v1/service-accounts", json!({"name": "Theirs"}), "id").await;
        let keys = format!("/v1/service-accounts/{service}/api-keys");
        let service_key = at(&keys, key, "id").await;
        let policy = json!({"name": "Theirs", "policy": {"rules": {"readData": true}}});
        let policy = at("/v1/policies", policy, "name").await;
        let project = at("/v1/projects", json!({"name": "Theirs"}), "id").await;
        let api = json!({
            "id": "theirs", "title": "Theirs", "identifier": "https://theirs.example",
            "basePath": "/", "scopes": [{"name": "theirs.read", "description": "Read theirs"}],
            "routes": [{"method": "GET", "path": "/{id}", "scope": "theirs.read"}],
        });
        let api = at("/v1/apis", api, "id").await;
        let (registered, secret) = registered(&owner).await;
        map(server, &owner, &project).await;
        let known = json!({"attributes": {"ward": "W1"}});
        let attributes = format!("/v1/policy-attributes/users/{MEMBER}");
        owner.put(&attributes, ACCOUNT, known).await.expect(200);
        let ids = BTreeMap::from([
            ("/v1/accounts/{id}", ACCOUNT.to_owned()),
            ("/v1/account/groups/{id}", group),
            ("/v1/account/groups/{id}/members/{user}", MEMBER.to_owned()),
            ("/v1/account/users/{id}", MEMBER.to_owned()),
            ("/v1/account/users/{id}/patients/{patient}", PATIENT.to_owned()),
            ("/v1/account/invitations/{id}", invitation.clone()),
            ("/v1/invitations/{id}", invitation),
            ("/v1/policies/{name}", policy),
            ("/v1/policy-attributes/users/{id}", MEMBER.to_owned()),
            ("/v1/api-keys/{id}", own_key),
            ("/v1/service-accounts/{id}", service),
            ("/v1/service-accounts/{id}/api-keys/{key}", service_key),
            ("/v1/projects/{id}", project),
            ("/v1/apis/{id}", api),
            ("/v1/apps/{id}", registered.clone()),
            ("/v1/account/apps/{id}", registered.clone()),
            ("/v1/apps/{id}/secrets/{name}", secret),
            ("/v1/reviews/{id}", registered),
            ("/v1/consents/{id}", "m-elsewhere".to_owned()),
        ]);
        Self { owner, ids }
    }

    /// The id that a path of the table ends in.
    pub fn id(&self, path: &str) -> &str {
        let id = self.ids.get(path).map(String::as_str);
        id.unwrap_or_else(|| panic!("make what {path} leads to, so that the walk has its id"))
    }

    /// The path of the table, with ids that are there.
    pub fn path(&self, path: &str) -> String {
        let mut known = String::new();
        let mut real = String::new();
        for part in path.split('/').skip(1) {
            known = format!("{known}/{part}");
            let part = if part.starts_with('{') { self.id(&known) } else { part };
            real = format!("{real}/{}", part.replace(' ', "%20"));
        }
        real
    }

    /// All of it, as the API shows it to its owner and to the platform.
    pub async fn shown(&self, platform: &Desk) -> BTreeMap<&'static str, String> {
        let mut shown = BTreeMap::new();
        for route in table().filter(|route| is_shown(route)) {
            let is_review = route.path.starts_with("/v1/reviews");
            let (whose, account) =
                if is_review { (platform, "platform") } else { (&self.owner, ACCOUNT) };
            let answer = whose.get(&self.path(route.path), account).await;
            shown.insert(route.path, answer.expect(200).body);
        }
        shown
    }

    /// Whether each of the ids leads to something: it is there, or it stands in its list.
    pub fn check(&self, shown: &BTreeMap<&'static str, String>) {
        for (path, id) in &self.ids {
            // One's own invitations are shown to whoever is invited: it is the one of the account.
            let path = path.replace("/v1/invitations/", "/v1/account/invitations/");
            let (list, _) = path.rsplit_once('/').expect("a path");
            let listed = shown.get(list).is_some_and(|shown| shown.contains(id.as_str()));
            assert!(shown.contains_key(&*path) || listed, "{path} leads nowhere: {id}");
        }
    }
}

/// An app with a secret that waits for its review: the ids of both.
async fn registered(owner: &Desk) -> (String, String) {
    let at = async |path: &str, body: Value, id: &str| {
        owner.post(path, ACCOUNT, body).await.expect(201).text(id)
    };
    let app = json!({
        "title": "Theirs", "type": "confidential", "callbackUrls": ["https://theirs.example/"],
        "allowedScopes": ["openid", "project.read"],
    });
    let app = at("/v1/apps", app, "id").await;
    let secrets = format!("/v1/apps/{app}/secrets");
    let secret = at(&secrets, json!({"overlapSeconds": 60}), "name").await;
    let review = format!("/v1/apps/{app}/review");
    let draft = json!({"app": {"allowedAccounts": [ACCOUNT, "acme"]}});
    owner.put(&review, ACCOUNT, draft).await.expect(200);
    owner.post(&review, ACCOUNT, Value::Null).await.expect(200);
    (app, secret)
}

/// Makes the member a Patient of the project.
async fn map(server: &TestServer, owner: &Desk, project: &str) {
    let email = format!("{MEMBER}@fresh.example");
    let invited = json!({"email": email, "projectId": project, "patientId": PATIENT});
    let made = owner.post("/v1/account/invitations", ACCOUNT, invited).await.expect(201);
    let member = desk(server, &somebody(server, MEMBER)).await;
    let path = format!("/v1/invitations/{}", made.text("id"));
    member.patch(&path, "", json!({"status": "ACCEPTED"})).await.expect(200);
}

/// What answers the same as long as nothing changes.
fn is_shown(route: &Route) -> bool {
    let others = ["/v1/audit", "/v1/usage", "/v1/policy-", "/v1/invitations/{id}", "/v1/scopes"];
    let is_attributes = route.path.starts_with("/v1/policy-attributes");
    route.method.as_str() == "GET"
        && (is_attributes || !others.iter().any(|other| route.path.starts_with(other)))
}
