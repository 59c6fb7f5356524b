//! Going live: drafted, asked for, decided by the platform.

use serde_json::{Value, json};

use crate::apps::manage::made;
use crate::apps::{Api, start};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::{ada, ben, dev, eve};

both!(
    an_app_goes_live_as_it_was_looked_at,
    a_live_app_stays_as_it_is_until_its_change_is_approved,
    case_64_nobody_decides_for_themselves_or_for_others,
    an_app_that_leaves_an_account_loses_it_at_once,
);

fn notes() -> Value {
    json!({
        "title": "Notes", "callbackUrls": ["https://notes.example/cb"],
        "allowedScopes": ["openid", "project.read"],
    })
}

fn everywhere() -> Value {
    json!({"note": "For both of us", "app": {"allowedAccounts": ["acme", "beta"]}})
}

const SHARED: &str = "apps: [{ id: shared, account: acme, title: Shared, status: live,
    type: public, allowed_accounts: [acme, beta], allowed_scopes: [openid, project.read],
    callback_urls: ['https://notes.example/cb'] }]";

fn verdict(status: &str, review: &Value) -> Value {
    json!({"status": status, "version": review["version"], "reason": "looked at"})
}

async fn an_app_goes_live_as_it_was_looked_at(db: Kind) {
    let server = start(db).await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let platform = Api::of(&server, &eve(&server), "beta").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let (review, decide) = (format!("/v1/apps/{id}/review"), format!("/v1/reviews/{id}"));
    assert_eq!(dev.get(&review).await.refusal(), "404 not_found");
    assert_eq!(dev.post(&review, &Value::Null).await.refusal(), "409 stale", "nothing is drafted");

    let draft = dev.put(&review, &everywhere()).await.expect(200).json();
    assert_eq!(draft["status"], "draft");
    assert_eq!(platform.get(&decide).await.refusal(), "404 not_found", "a draft is its author's");
    let asked = dev.post(&review, &Value::Null).await.expect(200).json();
    let listed = platform.get("/v1/reviews").await.expect(200).json();
    assert_eq!(listed["items"][0]["id"], *id);
    let seen = platform.get(&decide).await.expect(200).json();
    assert_eq!(seen["wanted"]["allowedAccounts"], json!(["acme", "beta"]));
    assert_eq!(seen["app"]["allowedAccounts"], json!(["acme"]));
    assert_eq!(platform.patch(&decide, &verdict("approved", &draft)).await.refusal(), "409 stale");
    let live = platform.patch(&decide, &verdict("approved", &asked)).await.expect(200).json();

    assert_eq!(
        (&live["status"], &live["allowedAccounts"]),
        (&json!("live"), &json!(["acme", "beta"]))
    );
    let app = made(&server, &id, None);
    for (person, account) in [(ben(&server), "acme"), (eve(&server), "beta")] {
        let tokens = app.tokens(&server, &person).await;
        app.api("/v1/projects", &tokens.access, account).await.expect(200);
    }
    assert_eq!(dev.get(&review).await.text("reason"), "looked at");
    assert_eq!(platform.patch(&decide, &verdict("approved", &asked)).await.refusal(), "409 stale");
}

async fn a_live_app_stays_as_it_is_until_its_change_is_approved(db: Kind) {
    let server = start(db).await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let platform = Api::of(&server, &eve(&server), "beta").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let (path, review) = (format!("/v1/apps/{id}"), format!("/v1/apps/{id}/review"));
    let decide = format!("/v1/reviews/{id}");
    dev.put(&review, &everywhere()).await.expect(200);
    let asked = dev.post(&review, &Value::Null).await.expect(200).json();
    platform.patch(&decide, &verdict("approved", &asked)).await.expect(200);
    let more = json!({"allowedScopes": ["openid", "project.read", "project.write"]});
    let other = json!({"callbackUrls": ["https://notes.example/cb", "https://evil.example/cb"]});

    for who in [&dev, &admin] {
        for change in [&more, &other, &json!({"title": "Bank"}), &json!({"requirePkce": false})] {
            assert_eq!(who.patch(&path, change).await.refusal(), "409 needs_review", "{change}");
        }
        who.patch(&path, &json!({"accessTokenSeconds": 600})).await.expect(200);
    }
    dev.put(&review, &json!({"app": more})).await.expect(200);
    let asked = dev.post(&review, &Value::Null).await.expect(200).json();
    let still = dev.get(&path).await.json();
    assert_eq!((&still["status"], &still["review"]), (&json!("live"), &json!("submitted")));
    assert_eq!(still["allowedScopes"], json!(["openid", "project.read"]));

    platform.patch(&decide, &verdict("rejected", &asked)).await.expect(200);
    assert_eq!(dev.get(&review).await.text("status"), "rejected");
    assert_eq!(dev.get(&path).await.json()["allowedScopes"], json!(["openid", "project.read"]));
    let asked = dev.post(&review, &Value::Null).await;
    assert_eq!(asked.refusal(), "409 stale", "it is drafted anew first");
    assert_eq!(dev.delete(&review).await.status, 204);
}

async fn case_64_nobody_decides_for_themselves_or_for_others(db: Kind) {
    let server = start(db).await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let platform = Api::of(&server, &eve(&server), "beta").await;
    let own = platform.post("/v1/apps", &notes()).await.expect(201).text("id");
    platform.put(&format!("/v1/apps/{own}/review"), &everywhere()).await.expect(200);
    let asked = platform.post(&format!("/v1/apps/{own}/review"), &Value::Null).await.json();
    let decide = format!("/v1/reviews/{own}");

    assert_eq!(
        platform.patch(&decide, &verdict("approved", &asked)).await.refusal(),
        "403 own_request"
    );
    for path in ["/v1/reviews", &decide] {
        assert_eq!(admin.get(path).await.refusal(), "403 not_the_platform");
        assert_eq!(dev.get(path).await.refusal(), "403 policy_denies");
    }
    assert_eq!(
        admin.patch(&decide, &verdict("approved", &asked)).await.refusal(),
        "403 not_the_platform"
    );

    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let suspend = json!({"status": "suspended", "reason": "phishing"});
    platform.patch(&format!("/v1/reviews/{id}"), &suspend).await.expect(200);
    let status = format!("/v1/apps/{id}/status");
    for wanted in ["live", "developing"] {
        let answer = admin.put(&status, &json!({"status": wanted})).await;
        assert_eq!(answer.refusal(), "409 needs_review", "what the platform switched off stays so");
    }
    assert_eq!(admin.get(&format!("/v1/apps/{id}")).await.json()["suspended"], true);
}

async fn an_app_that_leaves_an_account_loses_it_at_once(db: Kind) {
    let server = start(db).await;
    server.apply(SHARED).await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let app = made(&server, "shared", None);
    let (of_ben, of_eve) =
        (app.tokens(&server, &ben(&server)).await, app.tokens(&server, &eve(&server)).await);

    let less = json!({"allowedAccounts": ["acme"]});
    admin.patch("/v1/apps/shared", &less).await.expect(200);

    let answer = app.api("/v1/projects", &of_eve.access, "beta").await;
    assert_eq!(answer.refusal(), "403 app_not_allowed");
    assert_eq!(app.refresh(&of_eve.refresh).await.refusal(), "400 invalid_grant");
    let goes_on = app.refresh(&of_ben.refresh).await.expect(200).text("refresh_token");
    server.deliver().await;
    server.apply(SHARED).await;
    assert_eq!(app.refresh(&of_eve.refresh).await.refusal(), "400 invalid_grant", "gone for good");
    app.refresh(&goes_on).await.expect(200);
}
