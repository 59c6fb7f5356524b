//! A copy of what is kept about oneself.

use chrono::TimeDelta;
use serde_json::json;

use crate::account::send;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(the_copy_holds_what_is_kept_and_no_secrets, case_51_a_copy_asks_for_a_fresh_sign_in,);

const PATH: &str = "/account/data";

async fn the_copy_holds_what_is_kept_and_no_secrets(db: Kind) {
    let server = TestServer::start(db).await;
    let (ada, ben, app) = (ada(&server), ben(&server), portal(&server));
    let given = app.tokens(&server, &ada).await;
    app.tokens(&server, &ben).await;

    let copy = send(&ada.browser, PATH, |_| true, &[("user", "ben")]).await.expect(200);

    assert_eq!(copy.header("content-type"), "application/json");
    assert_eq!(copy.header("content-disposition"), "attachment; filename=\"my-data.json\"");
    let data = copy.json();
    assert_eq!(data["user"]["username"], "ada");
    assert_eq!(data["user"]["attributes"]["department"], "cardiology");
    assert_eq!(data["memberships"][0]["account"], "acme");
    assert_eq!(data["memberships"][0]["groups"][0], "acme-admins");
    assert_eq!(data["memberships"][0]["patients"], json!([]));
    assert_eq!(data["invitations"], json!([]));
    assert_eq!(data["sessions"][0]["signed_in_by"][0], "pwd");
    assert_eq!(data["apps"][0]["app"], "portal");
    assert_eq!(data["factors"]["authenticator_app"], true);
    assert_eq!(data["factors"]["keys"], json!([]));
    assert_eq!(data["factors"]["recovery_codes_left"], 0);
    assert_eq!(data["identities"], json!([]));
    let session = ada.browser.cookie("session").unwrap().value;
    for secret in ["argon2", "GEZDGNBVGY3TQOJQ", &*session, &*given.refresh, "Ben", "\"ben\""] {
        assert!(!copy.body.contains(secret), "{secret}: {}", copy.body);
    }
}

async fn case_51_a_copy_asks_for_a_fresh_sign_in(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    ben.sign_in(&server).await;
    let page = ben.browser.get(PATH).await.expect(200);
    let form = Form::of(&page.body, PATH);
    assert_eq!(ben.browser.post(PATH, &[("csrf", "AAAA")]).await.status, 403);

    server.advance(TimeDelta::minutes(16));

    assert_eq!(ben.browser.get(PATH).await.line(), "303 -> /sign-in/again");
    let csrf = form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let answer = ben.browser.post(PATH, &[("csrf", &*csrf)]).await;
    assert_eq!(answer.line(), "303 -> /sign-in/again");
}
