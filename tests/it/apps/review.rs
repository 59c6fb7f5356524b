//! Going live: drafted, asked for, decided by the platform.

use serde_json::{Value, json};

use crate::apps::logos::png;
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
    whoever_asked_hears_what_was_decided_and_why,
    case_64_what_was_looked_at_is_what_goes_live,
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
    assert_eq!(dev.post(&review, &Value::Null).await.refusal(), "404 not_found");

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
    let unsaid = json!({"status": "approved"});
    assert_eq!(platform.patch(&decide, &unsaid).await.refusal(), "400 invalid_body");
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
    let drafted = dev.put(&review, &json!({"app": more})).await.expect(200);
    assert_eq!(drafted.text("note"), "", "what was approved is over, with its note");
    dev.put(&review, &json!({"note": "More"})).await.expect(200);
    assert_eq!(dev.put(&review, &json!({"app": {}})).await.text("note"), "More");
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
    let seen = platform.patch(&format!("/v1/reviews/{id}"), &suspend).await.expect(200).json();
    assert_eq!((&seen["status"], &seen["suspended"]), (&json!("disabled"), &json!(true)));
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

/// A developer who proved to receive mail.
const REACHED: &str =
    "users: [{ id: dev, username: dev, email: dev@acme.example, email_verified: true }]";

async fn whoever_asked_hears_what_was_decided_and_why(db: Kind) {
    let server = start(db).await;
    server.apply(REACHED).await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let platform = Api::of(&server, &eve(&server), "beta").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let (review, decide) = (format!("/v1/apps/{id}/review"), format!("/v1/reviews/{id}"));
    for (status, words) in [("rejected", "not approved"), ("approved", "is live")] {
        dev.put(&review, &everywhere()).await.expect(200);
        let asked = dev.post(&review, &Value::Null).await.expect(200).json();
        let stale = platform.patch(&decide, &verdict(status, &json!({"version": 1}))).await;
        assert_eq!(stale.refusal(), "409 stale");
        let before = server.letters().await.len();

        platform.patch(&decide, &verdict(status, &asked)).await.expect(200);

        let letters = server.letters().await;
        let letter = letters.last().expect("a letter");
        assert_eq!(letters.len(), before + 1);
        assert!(letter.to.contains("dev@acme.example"), "{}", letter.to);
        assert!(letter.subject.contains(words) && letter.subject.contains("Notes"));
        assert!(letter.text.contains("looked at"), "{}", letter.text);
    }
    let suspend = json!({"status": "suspended", "reason": "phishing\r\nBcc: eve@beta.example"});
    assert_eq!(platform.patch(&decide, &suspend).await.refusal(), "400 invalid_app");
    let suspend = json!({"status": "suspended", "reason": "phishing"});
    platform.patch(&decide, &suspend).await.expect(200);
    let letters = server.letters().await;
    let letter = letters.last().expect("a letter");
    assert!(letter.subject.contains("switched off") && letter.text.contains("phishing"));
    let told = "SELECT COUNT(*) AS n FROM audit_entries WHERE kind = 'app-review'
                   AND chain = 'acme' AND detail LIKE '%phishing%'";
    assert_eq!(server.count(told).await, 1);
}

async fn case_64_what_was_looked_at_is_what_goes_live(db: Kind) {
    let server = start(db).await;
    let dev = Api::of(&server, &dev(&server), "acme").await;
    let platform = Api::of(&server, &eve(&server), "beta").await;
    let id = dev.post("/v1/apps", &notes()).await.expect(201).text("id");
    let (review, decide) = (format!("/v1/apps/{id}/review"), format!("/v1/reviews/{id}"));
    let ask = async |app: &Value| {
        dev.put(&review, &json!({ "app": app })).await.expect(200);
        dev.post(&review, &Value::Null).await.expect(200).json()
    };

    let asked = ask(&json!({"title": "Notes"})).await;
    assert_eq!(dev.delete(&review).await.status, 204);
    let again = ask(&json!({"callbackUrls": ["https://evil.example/cb"]})).await;
    assert_ne!(asked["version"], again["version"], "no version is counted twice");
    assert_eq!(platform.patch(&decide, &verdict("approved", &asked)).await.refusal(), "409 stale");

    let picture = png(b"one");
    dev.send(reqwest::Method::PUT, &format!("/v1/apps/{id}/logo"), "image/png", &picture)
        .await
        .expect(200);
    let answer = platform.patch(&decide, &verdict("approved", &again)).await;
    assert_eq!(answer.refusal(), "409 stale", "people know an app by its picture");
    let seen = platform.get(&decide).await.expect(200).json();
    platform.patch(&decide, &verdict("approved", &seen)).await.expect(200);
}
