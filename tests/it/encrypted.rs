//! Answers that are signed or encrypted as apps registered: userinfo and ID tokens.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::common::actors::Tokens;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::opener::Opener;
use crate::common::server::TestServer;
use crate::common::world::{ben, portal};
use crate::common::{both, jwt};

both!(
    userinfo_is_signed_as_registered,
    userinfo_is_encrypted_as_registered,
    id_tokens_are_encrypted_as_registered,
    logout_tokens_are_encrypted_as_id_tokens_are,
    an_app_without_a_key_is_told_so,
    case_37_signed_userinfo_is_no_other_token,
);

/// The portal, with client metadata.
async fn register(server: &TestServer, metadata: &Value) {
    let lines = format!("type: public\n    client_metadata: {metadata}");
    server.change_app("portal", "type: public", &lines).await;
}

async fn userinfo_is_signed_as_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let tokens = app.tokens(&server, &ben(&server)).await;

    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        register(&server, &json!({ "userinfo_signed_response_alg": alg })).await;
        let answer = app.userinfo(&tokens.access).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/jwt");
        assert_eq!(jwt::header(&answer.body)["alg"], alg);
        server.server.keys.verify(&answer.body).expect("a signature of ours");
        let claims = jwt::claims(&answer.body);
        assert_eq!((&claims["iss"], &claims["aud"]), (&(&*server.url).into(), &"portal".into()));
        assert_eq!((&claims["sub"], &claims["name"]), (&"ben".into(), &"Ben Brandt".into()));
    }
}

async fn userinfo_is_encrypted_as_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let tokens = app.tokens(&server, &ben(&server)).await;

    for (alg, enc) in [("RSA-OAEP-256", "A256GCM"), ("ECDH-ES", "A128GCM")] {
        let opener = Opener::new(alg);
        let mut metadata = json!({
            "userinfo_encrypted_response_alg": alg, "userinfo_encrypted_response_enc": enc,
            "jwks": opener.jwks(),
        });
        register(&server, &metadata).await;
        let answer = app.userinfo(&tokens.access).await.expect(200);
        let claims: Value = serde_json::from_str(&opener.open(&answer.body)).unwrap();
        assert_eq!(answer.header("content-type"), "application/jwt");
        assert_eq!((&claims["sub"], &claims["aud"]), (&"ben".into(), &"portal".into()));
        let header = jwt::header(&answer.body);
        assert_eq!((&header["alg"], &header["enc"]), (&alg.into(), &enc.into()));

        metadata["userinfo_signed_response_alg"] = "ES256".into();
        register(&server, &metadata).await;
        let answer = app.userinfo(&tokens.access).await.expect(200);
        assert_eq!(jwt::header(&answer.body)["cty"], "JWT");
        let signed = opener.open(&answer.body);
        server.server.keys.verify(&signed).expect("a signature of ours");
        assert_eq!(jwt::claims(&signed)["sub"], "ben");
    }
}

async fn id_tokens_are_encrypted_as_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));

    for (alg, enc) in [("RSA-OAEP-256", "A128GCM"), ("ECDH-ES", "A256GCM")] {
        let opener = Opener::new(alg);
        let metadata = json!({
            "id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": enc,
            "jwks": opener.jwks(),
        });
        register(&server, &metadata).await;
        let tokens = app.tokens(&server, &ben).await;
        let refreshed = Tokens::of(&app.refresh(&tokens.refresh).await);
        for id in [&tokens.id, &refreshed.id] {
            let header = jwt::header(id);
            assert_eq!((&header["alg"], &header["enc"]), (&alg.into(), &enc.into()));
            assert_eq!(header["cty"], "JWT");
            let signed = opener.open(id);
            server.server.keys.verify(&signed).expect("a signature of ours");
            assert_eq!(jwt::claims(&signed)["sub"], "ben");
        }
        // What was opened is good as a hint; what is closed we cannot read.
        let hint =
            |token: &str| app.authorize_url_with(&[("id_token_hint", token), ("prompt", "none")]);
        let readable = ben.browser.get(&hint(&opener.open(&tokens.id))).await;
        let closed = ben.browser.get(&hint(&tokens.id)).await;
        assert!(readable.location_param("code").is_some(), "{readable:?}");
        assert_eq!(closed.refusal(), "303 invalid_request");
    }
}

async fn logout_tokens_are_encrypted_as_id_tokens_are(db: Kind) {
    let server = TestServer::start_reaching_loopback(db).await;
    let (app, ben, host) = (portal(&server), ben(&server), Host::start().await);
    host.put("/out", "text/plain", "");
    let opener = Opener::new("ECDH-ES");
    let mut metadata = json!({
        "id_token_encrypted_response_alg": "ECDH-ES",
        "id_token_encrypted_response_enc": "A128GCM",
        "jwks": opener.jwks(), "backchannel_logout_uri": host.at("/out"),
    });
    register(&server, &metadata).await;
    let id = opener.open(&app.tokens(&server, &ben).await.id);

    // Nothing is sent in clear while there is no key; it is tried again when there is one.
    metadata["jwks"] = Opener::new("RSA-OAEP-256").jwks();
    register(&server, &metadata).await;
    ben.browser.get(&format!("/logout?id_token_hint={id}")).await;
    server.deliver().await;
    assert_eq!(host.visits("/out").len(), 0);
    metadata["jwks"] = opener.jwks();
    register(&server, &metadata).await;
    server.advance(TimeDelta::minutes(10));
    server.deliver().await;

    let visits = host.visits("/out");
    let (_, token) = visits[0].body.split_once("logout_token=").expect("a token");
    assert_eq!(jwt::header(token)["cty"], "JWT");
    let signed = opener.open(token);
    server.server.keys.verify(&signed).expect("a signature of ours");
    assert_eq!(jwt::header(&signed)["typ"], "logout+jwt");
    assert_eq!(jwt::claims(&signed)["sid"], jwt::claims(&id)["sid"]);
}

async fn an_app_without_a_key_is_told_so(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let before = app.tokens(&server, &ben).await;
    register(
        &server,
        &json!({
            "id_token_encrypted_response_alg": "RSA-OAEP-256",
            "id_token_encrypted_response_enc": "A128GCM",
            "userinfo_encrypted_response_alg": "RSA-OAEP-256",
            "userinfo_encrypted_response_enc": "A128GCM",
            "jwks": Opener::new("ECDH-ES").jwks(),
        }),
    )
    .await;

    let code = app.code(&server, &ben).await;
    let exchanged = app.exchange(&code).await;
    let userinfo = app.userinfo(&before.access).await;

    assert_eq!(exchanged.refusal(), "400 invalid_request");
    assert_eq!(userinfo.refusal(), "400 invalid_request");
}

async fn case_37_signed_userinfo_is_no_other_token(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    register(&server, &json!({ "userinfo_signed_response_alg": "RS256" })).await;
    let tokens = app.tokens(&server, &ben(&server)).await;
    let info = app.userinfo(&tokens.access).await.expect(200).body;

    let hint = server.browser().get(&app.authorize_url_with(&[("id_token_hint", &info)])).await;
    let logout = server.browser().get(&format!("/logout?id_token_hint={info}")).await;
    let access = app.userinfo(&info).await;

    assert_eq!(hint.refusal(), "303 invalid_request");
    assert_eq!(logout.refusal(), "400 page");
    assert_eq!(access.refusal(), "401 invalid_token");
}
