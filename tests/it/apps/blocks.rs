//! Which apps may be used for an account, and keeping one out.

use reqwest::Method;
use serde_json::{Value, json};

use crate::apps::manage::made;
use crate::apps::{Api, start};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};

both!(
    an_account_sees_which_apps_may_be_used_for_it,
    an_app_that_an_account_keeps_out_is_refused_there_at_once,
    case_59_each_account_says_so_for_itself_alone,
);

const APPS: &str = "
apps:
  - { id: shared, account: acme, title: Shared, status: live, type: public,
      allowed_accounts: [acme, beta], allowed_scopes: [openid, project.read],
      callback_urls: ['https://notes.example/cb'] }
  - { id: common, account: acme, title: Common, status: live, type: public,
      allowed_accounts: all, allowed_scopes: [openid, project.read],
      callback_urls: ['https://notes.example/cb'] }
  - { id: own, account: acme, title: Own, status: live, type: public,
      allowed_accounts: [acme], allowed_scopes: [openid, project.read],
      callback_urls: ['https://notes.example/cb'] }
";

async fn world(db: Kind) -> TestServer {
    let server = start(db).await;
    server.apply(APPS).await;
    server
}

fn block(app: &str) -> String {
    format!("/v1/account/apps/{app}/block")
}

/// The apps of the list, each with whether it is kept out.
async fn listed(who: &Api) -> Vec<(String, bool)> {
    let list = who.get("/v1/account/apps").await.expect(200).json();
    let app = |app: &Value| (app["id"].as_str().map(str::to_owned), app["blocked"].as_bool());
    let items = list["items"].as_array().expect("items").iter().map(app);
    items.map(|(id, blocked)| (id.expect("an id"), blocked.expect("told"))).collect()
}

async fn an_account_sees_which_apps_may_be_used_for_it(db: Kind) {
    let server = world(db).await;
    let eve = Api::of(&server, &eve(&server), "beta").await;
    let told = async || {
        let all = listed(&eve).await;
        all.into_iter().filter(|(id, _)| ["shared", "common", "own"].contains(&&**id)).collect()
    };

    let before: Vec<(String, bool)> = told().await;
    assert_eq!(before, [("common".to_owned(), false), ("shared".to_owned(), false)]);
    let first = eve.get("/v1/account/apps?name=Sha").await.expect(200).json();
    assert_eq!(
        (&first["items"][0]["account"], &first["items"][0]["title"]),
        (&json!("acme"), &json!("Shared"))
    );
    assert_eq!(first["items"][0].get("callbackUrls"), None, "what is its owner's business");
    for _ in 0..2 {
        assert_eq!(eve.put(&block("shared"), &Value::Null).await.status, 204);
    }
    let after: Vec<(String, bool)> = told().await;
    assert_eq!(after, [("common".to_owned(), false), ("shared".to_owned(), true)]);
    for _ in 0..2 {
        assert_eq!(eve.delete(&block("shared")).await.status, 204);
    }
    assert_eq!(told().await, before);
    let recorded = "SELECT COUNT(*) AS n FROM audit_entries
                     WHERE chain = 'beta' AND kind = 'app' AND target = 'shared'";
    assert_eq!(server.count(recorded).await, 2, "what changes nothing is not recorded");
    let page = eve.get("/v1/account/apps?pageSize=1").await.expect(200).json();
    let next = page["links"]["next"].as_str().expect("another page").to_owned();
    assert_eq!(eve.get(&next).await.expect(200).json()["items"].as_array().map(Vec::len), Some(1));
}

async fn an_app_that_an_account_keeps_out_is_refused_there_at_once(db: Kind) {
    let server = world(db).await;
    server
        .apply(
            "accounts: [{ id: beta, groups: [{ id: beta-guests, name: Guests,
        members: [ada] }], name: Beta Clinic }]",
        )
        .await;
    let admin = Api::of(&server, &eve(&server), "beta").await;
    let (ada, ben, eve) = (ada(&server), ben(&server), eve(&server));
    for id in ["shared", "common"] {
        let app = made(&server, id, None);
        let of_eve = app.tokens(&server, &eve).await;
        let (of_ada, of_ben) = (app.tokens(&server, &ada).await, app.tokens(&server, &ben).await);
        app.api("/v1/projects", &of_eve.access, "beta").await.expect(200);

        admin.put(&block(id), &Value::Null).await.expect(204);

        for token in [&of_eve.access, &of_ada.access] {
            let answer = app.api("/v1/projects", token, "beta").await;
            assert_eq!(answer.refusal(), "403 app_not_allowed", "{id}");
        }
        assert_eq!(app.refresh(&of_eve.refresh).await.refusal(), "400 invalid_grant", "{id}");
        let refused = eve.authorize(&server, &app.authorize_url()).await;
        assert_eq!(refused.location_param("error").as_deref(), Some("access_denied"), "{id}");
        for token in [&of_ada.access, &of_ben.access] {
            app.api("/v1/projects", token, "acme").await.expect(200);
        }
        app.refresh(&of_ada.refresh).await.expect(200);
        server.deliver().await;
        admin.delete(&block(id)).await.expect(204);
        let answer = app.refresh(&of_eve.refresh).await;
        assert_eq!(answer.refusal(), "400 invalid_grant", "{id}: gone for good");
        let again = app.tokens(&server, &eve).await;
        app.api("/v1/projects", &again.access, "beta").await.expect(200);
    }
}

async fn case_59_each_account_says_so_for_itself_alone(db: Kind) {
    let server = world(db).await;
    let eve = Api::of(&server, &eve(&server), "beta").await;
    let acme = Api::of(&server, &ada(&server), "acme").await;

    for id in ["own", "backend-of-nobody", "workbench"] {
        for method in [Method::PUT, Method::DELETE] {
            let answer = eve.json(method, &block(id), &Value::Null).await;
            assert_eq!(answer.refusal(), "404 not_found", "{id} is not for beta");
        }
    }
    let answer = eve.put(&block("portal"), &Value::Null).await;
    assert_eq!(answer.refusal(), "403 own_app", "nobody locks themselves out by it");
    eve.put(&block("common"), &Value::Null).await.expect(204);
    assert!(listed(&acme).await.contains(&("common".to_owned(), false)));
    let of_ben = Api::of(&server, &ben(&server), "acme").await;
    assert_eq!(of_ben.get("/v1/account/apps").await.refusal(), "403 policy_denies");
    assert_eq!(of_ben.put(&block("common"), &Value::Null).await.refusal(), "403 policy_denies");
    let elsewhere = Api { account: "acme", ..eve };
    assert_eq!(elsewhere.delete(&block("common")).await.refusal(), "403 not_a_member");
}
