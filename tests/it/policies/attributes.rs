//! What the policies of an account know of its members, over HTTP.

use serde_json::json;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::session::{Session, ids};
use crate::common::world::{ada, ben, eve};

both!(
    attributes_are_written_and_read,
    case_63_attributes_give_nothing_that_is_not_held,
    case_59_attributes_of_others_members_are_not_there,
);

const OF_BEN: &str = "/v1/policy-attributes/users/ben";
const WARDS: &str = "accounts:
  - id: acme
    name: Acme Hospital
    policies:
      - name: Wards
        rules:
          readData: [{ user.customAttributes.ward: { comparison: equals, value: W2 } }]
          billingAdmin: [{ user.customAttributes.books: { comparison: equals, value: true } }]
          accessAdmin: [{ user.customAttributes.delegate: { comparison: equals, value: true } }]
";

async fn attributes_are_written_and_read(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(WARDS).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let ben = Session::of(&server, &ben(&server), "acme").await;

    assert_eq!(ada.get(OF_BEN).await.expect(200).json(), json!({ "attributes": {} }));
    let body = json!({ "attributes": { "ward": "W2", "nested": { "a": [1, null] } } });
    assert_eq!(ada.put(OF_BEN, &body).await.expect(200).json(), body);
    assert_eq!(ada.get(OF_BEN).await.expect(200).json(), body);
    assert_eq!(ids(&ben.get("/v1/projects").await), "heart liver lung");
    ada.put(OF_BEN, &json!({ "attributes": {} })).await.expect(200);
    assert_eq!(ids(&ben.get("/v1/projects").await), "heart");
    for bad in [json!({}), json!({ "attributes": [] }), json!({ "attributes": {}, "user": "x" })] {
        assert_eq!(ada.put(OF_BEN, &bad).await.refusal(), "400 invalid_body", "{bad}");
    }
    let many = json!({ "attributes": { "a": "x".repeat(17 * 1024) } });
    assert_eq!(ada.put(OF_BEN, &many).await.refusal(), "400 invalid_body");
    assert_eq!(ben.put(OF_BEN, &json!({ "attributes": {} })).await.refusal(), "403 policy_denies");
}

async fn case_63_attributes_give_nothing_that_is_not_held(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(WARDS).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let ben = Session::of(&server, &ben(&server), "acme").await;
    let books = json!({ "attributes": { "books": true } });
    let more = "403 grants_more_than_held";

    // Neither to others nor to oneself.
    assert_eq!(ada.put(OF_BEN, &books).await.refusal(), more);
    assert_eq!(ada.put("/v1/policy-attributes/users/ada", &books).await.refusal(), more);
    let delegate = json!({ "attributes": { "delegate": true } });
    ada.put(OF_BEN, &delegate).await.expect(200);
    let both = json!({ "attributes": { "delegate": true, "ward": "W2" } });
    assert_eq!(ben.put(OF_BEN, &both).await.refusal(), more);
    ben.put("/v1/policy-attributes/users/dev", &delegate).await.expect(200);
    let reads = json!({ "attributes": { "ward": "W2" } });
    // dev reads everything already.
    ben.put("/v1/policy-attributes/users/dev", &reads).await.expect(200);
}

async fn case_59_attributes_of_others_members_are_not_there(db: Kind) {
    let server = TestServer::start(db).await;
    let ada = Session::of(&server, &ada(&server), "acme").await;
    let eve = Session::of(&server, &eve(&server), "beta").await;
    let body = json!({ "attributes": {} });

    for user in ["eve", "nobody"] {
        let path = format!("/v1/policy-attributes/users/{user}");
        assert_eq!(ada.get(&path).await.refusal(), "404 not_found");
        assert_eq!(ada.put(&path, &body).await.refusal(), "404 not_found");
    }
    assert_eq!(eve.get(OF_BEN).await.refusal(), "404 not_found");
    assert_eq!(eve.put(OF_BEN, &body).await.refusal(), "404 not_found");
}
