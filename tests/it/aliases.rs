//! The URLs that the platform's clients have built in: the same answers as at our own.

use crate::common::actors::{Tokens, VERIFIER};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::proof::ProofKey;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, ben, legacy, portal};

both!(
    each_family_signs_in_and_refreshes_with_the_one_issuer,
    case_31_a_proof_is_for_the_url_that_was_asked,
    a_client_that_asks_for_no_scope_and_keeps_its_refresh_token_goes_on,
);

/// Where to authorize, and where to get tokens.
const FAMILIES: [(&str, &str); 3] = [
    ("/v1/oauth/authorize", "/v1/oauth/token"),
    ("/oauth2/authorize", "/oauth2/token"),
    ("/oidc-provider/auth", "/oidc-provider/token"),
];

async fn each_family_signs_in_and_refreshes_with_the_one_issuer(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let mut last = None;
    for (authorize, token) in FAMILIES {
        let url = app.authorize_url().replacen("/authorize", authorize, 1);
        let code = app.code_for(&server, &ben, &url).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", app.redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let tokens = Tokens::of(&app.authenticated(token, &fields).await);
        assert_eq!(jwt::claims(&tokens.access)["iss"], *server.url, "{token}");
        assert_eq!(jwt::claims(&tokens.id)["iss"], *server.url, "{token}");
        let again = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
        let again = Tokens::of(&app.authenticated(token, &again).await);
        assert_eq!(app.http.get(token).await.refusal(), "405 invalid_request");
        last = Some(again);
    }
    let says = server.browser().get("/.well-known/openid-configuration").await.json();
    assert_eq!(says["token_endpoint"], format!("{}/token", server.url), "published is our own");

    let last = last.expect("tokens");
    let fields = [("token", &*last.refresh)];
    app.authenticated("/oidc-provider/token/revocation", &fields).await.expect(200);
    assert_eq!(app.refresh(&last.refresh).await.refusal(), "400 invalid_grant");
}

async fn case_31_a_proof_is_for_the_url_that_was_asked(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, key) = (backend(&server), ProofKey::new());
    let basic = crate::common::actors::basic(app.id, app.secret.expect("a secret"));
    let fields = [("grant_type", "client_credentials"), ("scope", "project.read")];
    let ask = async |path: &str, proven: &str| {
        let proof = key.proof(&server, "POST", proven);
        let headers = [("authorization", &*basic), ("dpop", &*proof)];
        app.http.post_with(path, &headers, &fields).await
    };

    for (_, token) in FAMILIES {
        let good = ask(token, token).await.expect(200);
        assert_eq!(good.text("token_type"), "DPoP");
        assert_eq!(ask(token, "/token").await.refusal(), "400 invalid_dpop_proof", "{token}");
        assert_eq!(ask("/token", token).await.refusal(), "400 invalid_dpop_proof", "{token}");
    }
}

/// The command-line tool: no scope, no path behind the port, a refresh token that is used again
/// and again.
async fn a_client_that_asks_for_no_scope_and_keeps_its_refresh_token_goes_on(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ada) = (legacy(&server), ada(&server));
    for redirect_uri in ["http://localhost:8787", "http://localhost:8787/"] {
        let url = app.authorize_url_with(&[("redirect_uri", redirect_uri), ("scope", "")]);
        let url = url.replacen("/authorize", "/v1/oauth/authorize", 1);
        let code = app.code_for(&server, &ada, &url).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ];
        let tokens = Tokens::of(&app.authenticated("/v1/oauth/token", &fields).await);
        assert!(!tokens.id.is_empty() && !tokens.refresh.is_empty());
        for _ in 0..3 {
            let again = [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh)];
            let answer = app.authenticated("/v1/oauth/token", &again).await.expect(200);
            app.api("/v1/projects", &answer.text("access_token"), "acme").await.expect(200);
        }
    }
}
