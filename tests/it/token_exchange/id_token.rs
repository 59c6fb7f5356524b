//! ID tokens as what is exchanged.

use chrono::TimeDelta;

use crate::common::actors::{ClientApp, Tokens, VERIFIER};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::proof::ProofKey;
use crate::common::server::TestServer;
use crate::common::world::ben;
use crate::common::{both, jwt};
use crate::token_exchange::{ACCESS, EXCHANGE, gateway, start};

both!(
    rfc8693_3_an_app_exchanges_its_own_id_token,
    case_27_an_id_token_is_good_for_its_own_app_alone,
    case_27_an_id_token_allows_what_is_left_of_its_session,
    case_31_an_id_token_of_bound_tokens_needs_their_proof,
);

const ID: &str = "urn:ietf:params:oauth:token-type:id_token";
const APPS: &str = "
apps:
  - id: front
    account: acme
    title: Front
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, project.read]
    callback_urls: [https://front.example/cb]
    grant_types: [authorization_code, refresh_token, 'urn:ietf:params:oauth:grant-type:token-exchange']
    secrets: [front-secret-0123456789-abcdefghijklmnopq]
    client_metadata: { subject_type: pairwise }
";

async fn front(db: Kind) -> (TestServer, ClientApp) {
    let server = start(db).await;
    server.apply(APPS).await;
    let app = ClientApp {
        id: "front",
        secret: Some("front-secret-0123456789-abcdefghijklmnopq"),
        redirect_uri: "https://front.example/cb",
        scope: "openid project.read",
        http: server.browser(),
    };
    (server, app)
}

async fn exchange(app: &ClientApp, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ID)];
    app.token(&[&fields[..], more].concat()).await
}

async fn rfc8693_3_an_app_exchanges_its_own_id_token(db: Kind) {
    let (server, app) = front(db).await;
    let held = app.tokens(&server, &ben(&server)).await;

    let answer = exchange(&app, &held.id, &[("scope", "project.read")]).await.expect(200);

    assert_eq!(
        (answer.text("issued_token_type"), answer.text("scope")),
        (ACCESS.into(), "project.read".into())
    );
    let token = answer.text("access_token");
    let (claims, id) = (jwt::claims(&token), jwt::claims(&held.id));
    assert_eq!((&claims["sub"], &claims["client_id"]), (&"ben".into(), &"front".into()));
    assert_eq!(claims["exp"], id["exp"]);
    assert!(claims.get("act").is_none(), "it is the app's own");
    app.api("/v1/projects", &token, "acme").await.expect(200);
    let wider = exchange(&app, &held.id, &[("scope", "project.read project.write")]).await;
    assert_eq!(wider.refusal(), "400 invalid_scope");
}

async fn case_27_an_id_token_is_good_for_its_own_app_alone(db: Kind) {
    let (server, app) = front(db).await;
    let ben = ben(&server);
    let held = app.tokens(&server, &ben).await;
    let others = crate::common::world::portal(&server).tokens(&server, &ben).await;

    for (who, token) in [(&gateway(&server), &held.id), (&app, &others.id)] {
        assert_eq!(exchange(who, token, &[]).await.refusal(), "400 invalid_request", "{}", who.id);
    }
    let mut claims = jwt::claims(&held.id);
    claims["sub"] = "ada".into();
    for bad in ["x", "a.b.c", &held.access, &server.sign("JWT", &claims), &format!("{}x", held.id)]
    {
        assert_eq!(exchange(&app, bad, &[]).await.refusal(), "400 invalid_request", "{bad}");
    }
}

async fn case_27_an_id_token_allows_what_is_left_of_its_session(db: Kind) {
    let (server, app) = front(db).await;
    let ben = ben(&server);
    let held = app.tokens(&server, &ben).await;
    let token = exchange(&app, &held.id, &[]).await.expect(200).text("access_token");

    app.revoke(&held.refresh).await.expect(200);

    assert_eq!(app.userinfo(&token).await.status, 401, "it dies with what was given");
    assert_eq!(exchange(&app, &held.id, &[]).await.refusal(), "400 invalid_request");
    let held = app.tokens(&server, &ben).await;
    exchange(&app, &held.id, &[]).await.expect(200);
    server.advance(TimeDelta::hours(1));
    assert_eq!(exchange(&app, &held.id, &[]).await.refusal(), "400 invalid_request", "it is over");
}

async fn case_31_an_id_token_of_bound_tokens_needs_their_proof(db: Kind) {
    let (server, app) = front(db).await;
    let (key, other) = (ProofKey::new(), ProofKey::new());
    let code = app.code(&server, &ben(&server)).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let proof = key.proof(&server, "POST", "/token");
    let held = Tokens::of(&app.prove(&[&proof], &fields).await);
    let fields =
        [("grant_type", EXCHANGE), ("subject_token", &*held.id), ("subject_token_type", ID)];

    let bare = app.token(&fields).await;
    let stolen = app.prove(&[&other.proof(&server, "POST", "/token")], &fields).await;
    let good = app.prove(&[&key.proof(&server, "POST", "/token")], &fields).await.expect(200);

    assert_eq!(bare.refusal(), "400 invalid_request");
    assert_eq!(stolen.refusal(), "400 invalid_request");
    assert_eq!(good.text("token_type"), "DPoP");
}
