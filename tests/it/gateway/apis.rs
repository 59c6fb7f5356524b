//! APIs of others: registered by administrators and operators, shown to everybody.

use http::Method;
use serde_json::{Value, json};

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::gateway::{reader, start};

both!(
    administrators_register_apis_and_change_them,
    case_59_an_api_of_another_account_is_not_there,
    case_64_an_api_takes_no_scope_that_is_not_its_own,
    operators_declare_apis,
    a_key_opens_what_its_token_opened_of_other_apis,
    the_table_of_scopes_has_those_of_others,
);

const ADMINS: &str = "
accounts:
  - id: acme
    name: Acme Hospital
    type: ENTERPRISE
    policies:
      - name: Account Administration
        rules: { accountAdmin: [{ user.groups: { comparison: includes, value: acme-admins } }] }
  - id: beta
    name: Beta Clinic
    policies: [{ name: Account Administration, rules: { accountAdmin: true } }]
";

fn wards() -> Value {
    json!({
        "id": "wards", "title": "Wards", "identifier": "https://wards.example", "basePath": "/",
        "scopes": [{"name": "wards.read", "description": "See wards"}],
        "routes": [{"method": "GET", "path": "/wards/{id}", "scope": "wards.read"}],
    })
}

struct Caller<'s> {
    server: &'s TestServer,
    token: String,
    account: &'static str,
}

impl Caller<'_> {
    async fn ask(&self, method: Method, path: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("authorization", &*bearer),
            ("lifeomic-account", self.account),
            ("content-type", "application/json"),
        ];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.server.browser().send(method, path, &headers, body).await
    }
}

async fn callers(server: &TestServer) -> [Caller<'_>; 3] {
    server.apply(ADMINS).await;
    let app = reader(server);
    let [ada, ben, eve] = [ada(server), ben(server), eve(server)];
    let token = async |person| app.tokens(server, person).await.access;
    [
        Caller { server, token: token(&ada).await, account: "acme" },
        Caller { server, token: token(&ben).await, account: "acme" },
        Caller { server, token: token(&eve).await, account: "beta" },
    ]
}

async fn administrators_register_apis_and_change_them(db: Kind) {
    let server = start(db).await;
    let [ada, ben, _] = callers(&server).await;

    let made = ada.ask(Method::POST, "/v1/apis", &wards()).await.expect(201).json();
    let twice = ada.ask(Method::POST, "/v1/apis", &wards()).await;
    let list = ada.ask(Method::GET, "/v1/apis", &Value::Null).await.expect(200).json();
    let mut changed = wards();
    changed["title"] = "Beds".into();
    let replaced = ada.ask(Method::PUT, "/v1/apis/wards", &changed).await.expect(200).json();

    assert_eq!(made["account"], "acme");
    assert_eq!(twice.refusal(), "409 already_exists");
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, ["handbook", "wards"]);
    assert_eq!(replaced["title"], "Beds");
    let denied = ben.ask(Method::POST, "/v1/apis", &wards()).await;
    assert_eq!(denied.refusal(), "403 policy_denies");
    let other = ada.ask(Method::PUT, "/v1/apis/handbook", &changed).await;
    assert_eq!(other.refusal(), "400 invalid_body");
    ada.ask(Method::DELETE, "/v1/apis/wards", &Value::Null).await.expect(204);
    let gone = ada.ask(Method::GET, "/v1/apis/wards", &Value::Null).await;
    assert_eq!(gone.refusal(), "404 not_found");
    let entries = "SELECT COUNT(*) AS n FROM audit_entries WHERE kind = 'api' AND target = 'wards'";
    assert_eq!(server.count(entries).await, 3);
}

async fn case_59_an_api_of_another_account_is_not_there(db: Kind) {
    let server = start(db).await;
    let [_, _, eve] = callers(&server).await;
    let mut forged = wards();
    forged["id"] = "handbook".into();
    forged["scopes"][0]["name"] = "handbook.read".into();
    forged["routes"][0]["scope"] = "handbook.read".into();

    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let body = if method == Method::PUT { forged.clone() } else { Value::Null };
        let answer = eve.ask(method.clone(), "/v1/apis/handbook", &body).await;
        assert_eq!(answer.refusal(), "404 not_found", "{method}");
    }
    let list = eve.ask(Method::GET, "/v1/apis", &Value::Null).await.json();
    assert_eq!(list["items"], json!([]));
    let taken = eve.ask(Method::POST, "/v1/apis", &forged).await;
    assert_eq!(taken.refusal(), "409 already_exists");
}

async fn case_64_an_api_takes_no_scope_that_is_not_its_own(db: Kind) {
    let server = start(db).await;
    let [ada, _, _] = callers(&server).await;
    let bent = |change: &dyn Fn(&mut Value)| {
        let mut api = wards();
        change(&mut api);
        api
    };

    for api in [
        bent(&|api| api["scopes"][0]["name"] = "project.write".into()),
        bent(&|api| api["scopes"][0]["name"] = "handbook.read".into()),
        bent(&|api| api["id"] = "project".into()),
        bent(&|api| api["routes"][0]["scope"] = "wards.write".into()),
        bent(&|api| api["identifier"] = server.url.clone().into()),
        bent(&|api| api["account"] = "beta".into()),
        bent(&|api| api["routes"][0]["path"] = "/a//b".into()),
    ] {
        let answer = ada.ask(Method::POST, "/v1/apis", &api).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{api}");
    }
}

async fn a_key_opens_what_its_token_opened_of_other_apis(db: Kind) {
    let server = start(db).await;
    let keys = "accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE, policies: [{ name: Keys, rules: { apiKeyUser: true } }] }]";
    server.apply(keys).await;
    let scopes = "openid apiKey.write handbook.read";
    server
        .apply(
            "apps: [{ id: maker, account: acme, title: Maker, status: live, type: public,
              allowed_accounts: all, allowed_scopes: [openid, apiKey.write, handbook.read],
              callback_urls: ['https://maker.example/cb'] }]",
        )
        .await;
    let maker = ClientApp {
        id: "maker",
        redirect_uri: "https://maker.example/cb",
        scope: scopes,
        ..reader(&server)
    };
    let token = maker.tokens(&server, &ada(&server)).await.access;
    let desk = Caller { server: &server, token, account: "acme" };
    let key_of = async |more: Value| {
        let mut body = json!({"name": "Night", "expireInDays": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        desk.ask(Method::POST, "/v1/api-keys", &body).await
    };

    for more in [json!({}), json!({"scopes": ["handbook.read"]})] {
        let made = key_of(more).await.expect(201).json();
        assert_eq!(made["scopes"], json!(["handbook.read"]));
        let bearer = format!("Bearer {}", made["apiKey"].as_str().unwrap());
        let headers = [
            ("authorization", &*bearer),
            ("lifeomic-account", "acme"),
            ("x-original-method", "GET"),
            ("x-original-uri", "/book/index"),
        ];
        let http = server.browser();
        let answer = http.send(Method::GET, "/gateway/nginx/handbook", &headers, "").await;
        assert_eq!(answer.expect(200).header("lifeomic-user"), "ada");
    }
    for beyond in ["handbook.write", "handbook.none", "wards.read"] {
        let refused = key_of(json!({"scopes": [beyond]})).await;
        assert_eq!(refused.refusal(), "400 invalid_body", "{beyond}");
    }
}

async fn operators_declare_apis(db: Kind) {
    let server = start(db).await;

    server.apply(crate::gateway::WORLD).await;
    let moved = crate::gateway::WORLD
        .replace("account: acme\n    title: Handbook", "account: beta\n    title: Handbook");
    let taken = server.try_apply(&moved).await.unwrap_err().to_string();
    let unknown = crate::gateway::WORLD.replace("[decision.ask]", "[nothing.read]");
    let unknown = server.try_apply(&unknown).await.unwrap_err().to_string();

    assert!(taken.contains("already exists"), "{taken}");
    assert!(unknown.contains("there is no scope nothing.read"), "{unknown}");
}

async fn the_table_of_scopes_has_those_of_others(db: Kind) {
    let server = start(db).await;

    let table = server.browser().get("/v1/scopes").await.expect(200).json();

    let scopes = table["scopes"].as_array().unwrap();
    let found = scopes.iter().find(|scope| scope["name"] == "handbook.read").unwrap();
    assert_eq!(found["description"], "Read the handbook");
    assert_eq!(found["api"]["id"], "handbook");
    let study = found["opens"].as_array().unwrap().iter().find(|one| one["summary"] == "A study");
    assert_eq!(
        study.unwrap(),
        &json!({
            "method": "GET", "path": "/book/studies/{dataset}", "summary": "A study",
            "account": "required", "privilege": "readData",
        })
    );
}
