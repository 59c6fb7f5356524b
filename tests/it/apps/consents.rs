//! What users gave to apps, over the API.

use serde_json::Value;

use crate::apps::{Api, start};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::{ada, backend, ben};

both!(consent_is_remembered_by_scope_and_taken_back_by_scope);

async fn consent_is_remembered_by_scope_and_taken_back_by_scope(db: Kind) {
    let server = start(db).await;
    let (app, ben) = (backend(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    let (api, other) =
        (Api::of(&server, &ben, "").await, Api::of(&server, &ada(&server), "").await);
    let silent = async |scope: &str| {
        let url = app.authorize_url_with(&[("prompt", "none"), ("scope", scope)]);
        let answer = ben.browser.get(&url).await;
        answer.location_param("error").unwrap_or_default()
    };
    let given = |list: Value| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let own = items.into_iter().find(|item| item["id"] == "backend");
        own.map(|item| item["scopes"].to_string()).unwrap_or_default()
    };
    let list = async || given(api.get("/v1/consents").await.expect(200).json());
    assert_eq!(list().await, r#"["openid","project.read"]"#);
    assert_eq!(silent("openid project.read").await, "");

    other.delete("/v1/consents/backend").await;
    assert_eq!(silent("openid project.read").await, "", "one's own alone");
    for (bad, refusal) in [("", "400 invalid_query"), ("project.write", "404 not_found")] {
        let path = format!("/v1/consents/backend?scope={bad}");
        assert_eq!(api.delete(&path).await.refusal(), refusal, "nothing is taken back by mistake");
    }
    assert_eq!(api.delete("/v1/consents/backend?scope=project.read").await.status, 204);

    assert_eq!(list().await, r#"["openid"]"#);
    assert_eq!(silent("openid").await, "", "what was not taken back stays");
    assert_eq!(silent("openid project.read").await, "consent_required");
    assert_eq!(app.refresh(&tokens.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(
        app.api("/v1/projects", &tokens.access, "acme").await.refusal(),
        "401 invalid_token"
    );
    assert_eq!(api.delete("/v1/consents/backend").await.status, 204);
    assert_eq!(list().await, "");
    assert_eq!(silent("openid").await, "consent_required");
    for nothing in ["/v1/consents/no-such", "/v1/consents/backend"] {
        assert_eq!(api.delete(nothing).await.refusal(), "404 not_found");
    }
}
