//! What acts without a person at a browser: API keys, service accounts, apps that act by themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::Person;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, eve};
use crate::tenants::{Desk, each};

both!(
    a_key_acts_for_its_user_and_is_shown_once,
    a_key_ends_when_it_is_revoked_or_old_or_its_user_may_not,
    case_61_a_key_is_good_in_its_account_alone,
    case_63_a_key_opens_no_more_than_the_token_that_made_it,
    case_59_keys_and_service_accounts_of_others_do_not_exist,
    case_63_a_service_account_gets_nothing_that_its_maker_does_not_hold,
    a_service_account_acts_by_its_keys_until_it_is_disabled,
    an_app_acts_for_the_service_account_that_it_is_bound_to,
    case_63_a_secret_of_an_app_is_what_its_service_account_holds,
    what_a_service_account_is_called_and_holds_its_administrators_say,
    what_makes_no_sense_is_refused,
);

const KEY: &str = "/v1/api-keys";
const SERVICE: &str = "/v1/service-accounts";

/// The world, where administrators of acme may use keys and everybody of beta may.
async fn start(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    let rules =
        "rules: { apiKeyUser: [{ user.groups: { comparison: includes, value: acme-admins } }] }";
    server
        .apply(&format!(
            "accounts:
  - {{ id: acme, name: Acme Hospital, type: ENTERPRISE, policies: [{{ name: Keys, {rules} }}] }}
  - {{ id: beta, name: Beta Clinic, policies: [{{ name: Keys, rules: {{ apiKeyUser: true }} }}] }}"
        ))
        .await;
    server
}

async fn make_key(desk: &Desk, account: &str, more: Value) -> Value {
    let mut body = json!({"name": "A key", "expireInDays": 30});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    desk.post(KEY, account, body).await.expect(201).json()
}

async fn a_key_acts_for_its_user_and_is_shown_once(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let made = make_key(&desk, "acme", json!({})).await;

    let text = made["apiKey"].as_str().unwrap();
    let payload = URL_SAFE_NO_PAD.decode(text.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["iss"], format!("{}/v1/api-keys", server.url));
    assert_eq!((&claims["account"], &claims["username"]), (&json!("acme"), &json!("ada")));
    assert_eq!((&claims["token_use"], &claims["jti"]), (&json!("access"), &made["id"]));
    assert_eq!(claims["exp"], server.now() + 30 * 86_400);
    assert!(claims["rnd"].is_string() && claims["version"].is_number());
    let by_key = Desk::holding(&server, text);
    let name = json!({"name": "Made by a key"});
    let group = by_key.post("/v1/account/groups", "acme", name).await.expect(201).text("id");
    assert_eq!(each(&by_key.get("/v1/projects", "acme").await, "id").len(), 3);
    let accounts = by_key.get("/v1/accounts", "").await.expect(200).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
    let told = desk.get(&format!("/v1/audit?target={group}"), "acme").await.json();
    assert_eq!(told["items"][0]["user"], "ada");
    assert_eq!((&told["items"][0]["apiKey"], told["items"][0].get("app")), (&made["id"], None));
    let listed = desk.get(KEY, "acme").await.expect(200);
    assert_eq!(each(&listed, "id"), [made["id"].as_str().unwrap()]);
    assert!(!listed.body.contains(text) && !listed.body.contains("\"apiKey\""), "{listed:?}");
    let stored = server.count("SELECT COUNT(*) AS n FROM api_keys WHERE LENGTH(digest) = 32");
    assert_eq!(stored.await, 1);
    assert_eq!(by_key.get("/userinfo", "").await.status, 401);
}

async fn a_key_ends_when_it_is_revoked_or_old_or_its_user_may_not(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let [first, second, third] = [(); 3].map(|()| make_key(&desk, "acme", json!({})));
    let (first, second, third) = (first.await, second.await, third.await);
    let by = |made: &Value| Desk::holding(&server, made["apiKey"].as_str().unwrap());
    let status = async |made: &Value| by(made).get("/v1/projects", "acme").await.refusal();
    assert_eq!(status(&first).await, "200 ");

    desk.delete(&format!("{KEY}/{}", first["id"].as_str().unwrap()), "acme").await.expect(204);
    assert_eq!(status(&first).await, "401 invalid_token");
    assert_eq!(status(&second).await, "200 ");
    server.apply("accounts: [{ id: acme, name: A, type: ENTERPRISE, policies: [{ name: Keys, rules: { readMaskedData: true } }] }]").await;
    assert_eq!(status(&second).await, "403 key_not_allowed");
    server.apply("accounts: [{ id: acme, name: A, type: ENTERPRISE, policies: [{ name: Keys, rules: { apiKeyUser: true } }] }]").await;
    assert_eq!(status(&second).await, "200 ");
    server.apply("users: [{ username: ada, status: disabled }]").await;
    assert_eq!(status(&second).await, "401 invalid_token");
    server.apply("users: [{ username: ada }]").await;
    assert_eq!(status(&third).await, "200 ");
    server.advance(TimeDelta::days(30));
    assert_eq!(status(&third).await, "401 invalid_token");
    let text = second["apiKey"].as_str().unwrap();
    for bent in [&text[..text.len() - 2], &format!("{text}A"), &text.replace('.', "..")] {
        let answer = Desk::holding(&server, bent).get("/v1/projects", "acme").await;
        assert_eq!(answer.refusal(), "401 invalid_token");
    }
}

async fn case_61_a_key_is_good_in_its_account_alone(db: Kind) {
    let server = start(db).await;
    server.apply("accounts: [{ id: beta, name: Beta Clinic, groups: [{ id: beta-guests, name: Guests, members: [ada] }] }]").await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let made = make_key(&desk, "acme", json!({})).await;
    let by_key = Desk::holding(&server, made["apiKey"].as_str().unwrap());

    desk.get("/v1/projects", "beta").await.expect(200);
    assert_eq!(by_key.get("/v1/projects", "beta").await.refusal(), "403 key_not_allowed");
    assert_eq!(by_key.get("/v1/projects", "nowhere").await.refusal(), "403 key_not_allowed");
    assert_eq!(by_key.get("/v1/projects", "").await.refusal(), "400 account_required");
    let accounts = by_key.get("/v1/accounts", "").await.expect(200).json();
    assert_eq!(accounts["accounts"][0]["id"], "acme");
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
}

async fn case_63_a_key_opens_no_more_than_the_token_that_made_it(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let narrow = make_key(&desk, "acme", json!({"scopes": ["project.read"]})).await;
    let by_key = Desk::holding(&server, narrow["apiKey"].as_str().unwrap());
    by_key.get("/v1/projects", "acme").await.expect(200);
    let refused = by_key.post("/v1/projects", "acme", json!({"name": "x"})).await;
    assert_eq!(refused.refusal(), "403 insufficient_scope");

    let wide = make_key(&desk, "acme", json!({})).await;
    let scopes = wide["scopes"].to_string();
    assert!(scopes.contains("project.write") && !scopes.contains("apiKey.write"), "{scopes}");
    let by_wide = Desk::holding(&server, wide["apiKey"].as_str().unwrap());
    let body = json!({"name": "More", "expireInDays": 365});
    let refused = by_wide.post(KEY, "acme", body.clone()).await;
    assert_eq!(refused.refusal(), "403 insufficient_scope");
    for scopes in [json!(["apiKey.write"]), json!(["made.up"]), json!(["openid"])] {
        let body = json!({"name": "More", "expireInDays": 365, "scopes": scopes});
        let refused = desk.post(KEY, "acme", body).await;
        assert_eq!(refused.refusal(), "400 invalid_body", "{scopes}");
    }
}

async fn case_59_keys_and_service_accounts_of_others_do_not_exist(db: Kind) {
    let server = start(db).await;
    let (ours, theirs) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    let key = make_key(&ours, "acme", json!({})).await;
    let body = json!({"name": "Robot"});
    let service = ours.post(SERVICE, "acme", body).await.expect(201).text("id");

    let theirs_is = async |path: String| {
        let answer = theirs.delete(&path, "beta").await;
        assert_eq!(answer.refusal(), "404 not_found", "{path}");
        assert_eq!(theirs.delete(&path, "acme").await.refusal(), "403 not_a_member", "{path}");
    };
    theirs_is(format!("{KEY}/{}", key["id"].as_str().unwrap())).await;
    theirs_is(format!("{SERVICE}/{service}")).await;
    theirs_is(format!("{SERVICE}/{service}/api-keys/{}", key["id"].as_str().unwrap())).await;
    let path = format!("{SERVICE}/{service}");
    assert_eq!(theirs.get(&path, "beta").await.refusal(), "404 not_found");
    let body = json!({"name": "x", "expireInDays": 1});
    let answer = theirs.post(&format!("{path}/api-keys"), "beta", body).await;
    assert_eq!(answer.refusal(), "404 not_found");
    assert_eq!(theirs.patch(&path, "beta", json!({"name": "x"})).await.refusal(), "404 not_found");
    assert!(each(&theirs.get(SERVICE, "beta").await, "id").is_empty());
    assert!(each(&theirs.get(KEY, "beta").await, "id").is_empty());
    // A key of one's own is no key of a service account, and the other way round.
    let mixed = format!("{path}/api-keys/{}", key["id"].as_str().unwrap());
    assert_eq!(ours.delete(&mixed, "acme").await.refusal(), "404 not_found");
}

async fn case_63_a_service_account_gets_nothing_that_its_maker_does_not_hold(db: Kind) {
    let server = start(db).await;
    let rules =
        "rules: { accessAdmin: [{ user.groups: { comparison: includes, value: acme-nurses } }] }";
    server
        .apply(&format!(
            "accounts: [{{ id: acme, name: A, type: ENTERPRISE, policies: [{{ name: Heads, {rules} }}] }}]"
        ))
        .await;
    let (boss, head) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &ben(&server)).await);
    let strong = json!({"name": "Strong", "groups": ["acme-admins"]});

    let refused = head.post(SERVICE, "acme", strong.clone()).await;
    assert_eq!(refused.refusal(), "403 grants_more_than_held");
    assert!(each(&boss.get(SERVICE, "acme").await, "id").is_empty());
    let id = boss.post(SERVICE, "acme", strong).await.expect(201).text("id");
    let body = json!({"name": "x", "expireInDays": 1});
    let keys = format!("{SERVICE}/{id}/api-keys");
    assert_eq!(head.post(&keys, "acme", body).await.refusal(), "403 grants_more_than_held");
    let bound = head.patch(&format!("{SERVICE}/{id}"), "acme", json!({"app": "backend"})).await;
    assert_eq!(bound.refusal(), "403 grants_more_than_held");
}

async fn a_service_account_acts_by_its_keys_until_it_is_disabled(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let body = json!({"name": "Robot", "description": "At night", "groups": ["acme-nurses"]});
    let made = desk.post(SERVICE, "acme", body).await.expect(201);
    let path = format!("{SERVICE}/{}", made.text("id"));
    assert_eq!(desk.get(&path, "acme").await.expect(200).text("description"), "At night");
    let body = json!({"name": "Night", "expireInDays": 7});
    let key = desk.post(&format!("{path}/api-keys"), "acme", body).await.expect(201);
    let robot = Desk::holding(&server, &key.text("apiKey"));

    assert_eq!(each(&robot.get("/v1/projects", "acme").await, "id"), ["heart"]);
    assert_eq!(each(&desk.get(&format!("{path}/api-keys"), "acme").await, "name"), ["Night"]);
    desk.patch(&path, "acme", json!({"disabled": true})).await.expect(200);
    assert_eq!(robot.get("/v1/projects", "acme").await.refusal(), "401 invalid_token");
    desk.patch(&path, "acme", json!({"disabled": false, "name": "Robo"})).await.expect(200);
    assert_eq!(each(&robot.get("/v1/projects", "acme").await, "id"), ["heart"]);
    desk.delete(&path, "acme").await.expect(204);
    assert_eq!(robot.get("/v1/projects", "acme").await.refusal(), "401 invalid_token");
    assert_eq!(desk.get(&path, "acme").await.refusal(), "404 not_found");
    let told = desk.get("/v1/audit?type=serviceAccount", "acme").await;
    assert_eq!(each(&told, "action"), ["delete", "update", "update", "create"]);
}

async fn an_app_acts_for_the_service_account_that_it_is_bound_to(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let token = backend(&server).client_credentials("").await.expect(200).text("access_token");
    let machine = Desk::holding(&server, &token);
    let seen = async |account: &str| machine.get("/v1/projects", account).await;
    assert_eq!(seen("acme").await.refusal(), "403 not_a_member");

    let body = json!({"name": "Robot", "groups": ["acme-nurses"]});
    let made = desk.post(SERVICE, "acme", body).await.expect(201);
    let path = format!("{SERVICE}/{}", made.text("id"));
    let bound = desk.patch(&path, "acme", json!({"app": "backend"})).await.expect(200);

    assert_eq!(bound.text("app"), "backend");
    assert_eq!(each(&seen("acme").await, "id"), ["heart"]);
    assert_eq!(seen("beta").await.refusal(), "403 not_a_member");
    let other = desk.post(SERVICE, "acme", json!({"name": "Second"})).await.expect(201).text("id");
    for (id, app) in [(&*other, "backend"), (&other, "portal"), (&other, "betaware"), (&other, "x")]
    {
        let path = format!("{SERVICE}/{id}");
        let refused = desk.patch(&path, "acme", json!({"app": app})).await;
        assert_eq!(refused.refusal(), "400 invalid_body", "{app}");
    }
    desk.patch(&path, "acme", json!({"app": null})).await.expect(200);
    assert_eq!(seen("acme").await.refusal(), "403 not_a_member");
}

async fn what_makes_no_sense_is_refused(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    for body in [
        json!({"name": "x", "expireInDays": 0}),
        json!({"name": "x", "expireInDays": 366}),
        json!({"name": "x", "expireInDays": -1}),
        json!({"name": "", "expireInDays": 1}),
        json!({"name": "x\u{1b}", "expireInDays": 1}),
        json!({"name": "x", "expireInDays": 1, "scopes": []}),
        json!({"name": "x", "expireInDays": 1, "user": "ben"}),
        json!({"name": "x"}),
    ] {
        let answer = desk.post(KEY, "acme", body.clone()).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{body}");
    }
    for body in [json!({"name": ""}), json!({"name": "x", "groups": ["no-such"]}), json!({})] {
        let answer = desk.post(SERVICE, "acme", body.clone()).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{body}");
    }
    desk.post(SERVICE, "acme", json!({"name": "Robot"})).await.expect(201);
    let twice = desk.post(SERVICE, "acme", json!({"name": "Robot"})).await;
    assert_eq!(twice.refusal(), "409 already_exists");
}

async fn case_63_a_secret_of_an_app_is_what_its_service_account_holds(db: Kind) {
    let server = start(db).await;
    server
        .apply(
            "users: [{ id: adm, username: adm, password: adm-correct-horse }]
accounts: [{ id: acme, name: Acme Hospital, type: ENTERPRISE,
  groups: [{ id: acme-adm, name: App people, members: [adm] }],
  policies: [{ name: Apps, rules: { accountAdmin: [{ user.groups: { comparison: includes, value: acme-adm } }, { user.groups: { comparison: includes, value: acme-admins } }] } }] }]",
        )
        .await;
    let desk = Desk::of(&server, &ada(&server)).await;
    let (username, password) = ("adm", "adm-correct-horse");
    let adm = Person { username, password, totp: None, browser: server.browser() };
    let adm = Desk::of(&server, &adm).await;
    let secret = async |who: &Desk| {
        who.post("/v1/apps/backend/secrets", "acme", json!({"overlapSeconds": 60})).await.refusal()
    };
    assert_eq!(secret(&adm).await, "201 ", "the app holds nothing yet");
    // Two are good at once, and no more.
    server.advance(TimeDelta::minutes(2));
    let body = json!({"name": "Robot", "groups": ["acme-admins"]});
    let made = desk.post(SERVICE, "acme", body).await.expect(201);
    let path = format!("{SERVICE}/{}", made.text("id"));
    desk.patch(&path, "acme", json!({"app": "backend"})).await.expect(200);

    assert_eq!(secret(&adm).await, "403 grants_more_than_held");
    let keys = json!({"title": "Mine"});
    let changed = adm.patch("/v1/apps/backend", "acme", keys).await;
    assert_eq!(changed.refusal(), "403 grants_more_than_held");
    assert_eq!(secret(&desk).await, "201 ");
}

async fn what_a_service_account_is_called_and_holds_its_administrators_say(db: Kind) {
    let server = start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let twice = json!({"name": "Robot", "groups": ["acme-nurses", "acme-nurses"]});
    let made = desk.post(SERVICE, "acme", twice).await.expect(201);

    assert_eq!(made.json()["groups"], json!(["acme-nurses"]));
    let path = format!("{SERVICE}/{}", made.text("id"));
    desk.patch(&path, "acme", json!({"name": "Bot"})).await.expect(200);
    let named = async || {
        let all = desk.get("/v1/account/users", "acme").await.expect(200);
        all.body.contains("\"Bot\"") && !all.body.contains("\"Robot\"")
    };
    assert!(named().await);
    let body = json!({"name": "K", "expireInDays": 1});
    let key = desk.post(&format!("{path}/api-keys"), "acme", body).await.expect(201);
    let by_key = Desk::holding(&server, &key.text("apiKey"));
    let other = json!({"profile": {"displayName": "Somebody"}});
    assert_eq!(by_key.patch("/v1/user", "", other).await.refusal(), "403 key_not_allowed");
    assert!(named().await);
    desk.delete(&path, "acme").await.expect(204);
    let told = desk.get("/v1/audit?type=serviceAccount&action=delete", "acme").await.json();
    let before = &told["items"][0]["before"];
    assert_eq!(before["groups"], json!(["acme-nurses"]), "{told}");
    assert_eq!(before["apiKeys"].as_array().map(Vec::len), Some(1), "{told}");
}
