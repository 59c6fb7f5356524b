//! Whom an app means, and what else it asks beside scope.

use serde_json::json;

use crate::ciba::{CIBA, approvals, approve, begin, decide, desk, poll, start};
use crate::common::actors::{ClientApp, Tokens};
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::signer::{Signer, attacks};
use crate::common::world::{ada, ben, portal};
use crate::common::{both, jwt};

both!(
    an_id_token_names_the_user_of_a_pairwise_app,
    case_37_nothing_but_an_id_token_of_the_app_is_a_hint,
    the_acr_that_was_asked_for_is_told_if_it_is_true,
    a_code_of_the_user_is_refused_rather_than_passed_over,
);

const SECRET: &str = "kiosk-secret-0123456789-abcdefghijklmnopqr";

/// A desk that knows its users by names of its own.
async fn kiosk(server: &TestServer) -> ClientApp {
    let yaml = format!(
        "
apps:
  - id: kiosk
    account: acme
    title: Kiosk
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    grant_types: [refresh_token, '{CIBA}']
    secrets: [{SECRET}]
    client_metadata: {{ backchannel_token_delivery_mode: poll, subject_type: pairwise, default_acr_values: ['urn:narthex:acr:2'] }}
"
    );
    server.apply(&yaml).await;
    ClientApp { id: "kiosk", secret: Some(SECRET), ..desk(server) }
}

async fn an_id_token_names_the_user_of_a_pairwise_app(db: Kind) {
    let (server, _) = start(db).await;
    let (app, ben) = (kiosk(&server).await, ben(&server));
    let begun = begin(&app, &[]).await.expect(200);
    approve(&server, &ben).await;
    let first = Tokens::of(&poll(&app, &begun).await);
    let sub = jwt::claims(&first.id)["sub"].clone();
    assert_ne!(sub, "ben");

    let fields = [("scope", app.scope), ("id_token_hint", &*first.id)];
    let begun = app.authenticated("/bc-authorize", &fields).await.expect(200);
    approve(&server, &ben).await;

    let again = Tokens::of(&poll(&app, &begun).await);
    assert_eq!(jwt::claims(&again.id)["sub"], sub);
}

async fn case_37_nothing_but_an_id_token_of_the_app_is_a_hint(db: Kind) {
    let (server, app) = start(db).await;
    let ben = ben(&server);
    let begun = begin(&app, &[]).await.expect(200);
    approve(&server, &ben).await;
    let own = Tokens::of(&poll(&app, &begun).await);
    let other = portal(&server).tokens(&server, &ben).await;
    let info = json!({"iss": server.url, "aud": "desk", "sub": "ben"});

    let ask = async |hint: &str| {
        let fields = [("scope", app.scope), ("id_token_hint", hint)];
        app.authenticated("/bc-authorize", &fields).await.refusal()
    };
    assert_eq!(ask(&own.id).await, "200 ");
    for (what, hint) in [
        ("an access token", &*own.access),
        ("of another app", &other.id),
        ("signed userinfo", &server.sign("JWT", &info)),
        ("a logout token", &server.sign("logout+jwt", &jwt::claims(&own.id))),
    ] {
        assert_eq!(ask(hint).await, "400 unknown_user_id", "{what}");
    }
    let head = json!({"kid": "x"});
    for (what, hint) in attacks(&Signer::new("ES256"), &head, "JWT", &json!({"sub": "ben"})) {
        assert!(ask(&hint).await.starts_with("400 "), "{what}");
    }
}

async fn the_acr_that_was_asked_for_is_told_if_it_is_true(db: Kind) {
    let (server, app) = start(db).await;
    let kiosk = kiosk(&server).await;
    let acr = async |app: &ClientApp, who: &str, values: Option<&str>| {
        let values: Vec<_> = values.map(|values| ("acr_values", values)).into_iter().collect();
        let person = if who == "ada" { ada(&server) } else { ben(&server) };
        let fields = [&[("scope", app.scope), ("login_hint", who)], &values[..]].concat();
        let begun = app.authenticated("/bc-authorize", &fields).await.expect(200);
        let page = approvals(&server, &person).await;
        decide(&person, &page, "allow").await.expect(200);
        jwt::claims(&Tokens::of(&poll(app, &begun).await).id)["acr"].clone()
    };
    let mfa = "https://refeds.org/profile/mfa";

    assert_eq!(acr(&app, "ada", Some(mfa)).await, mfa);
    assert_eq!(acr(&app, "ada", Some("urn:narthex:acr:1")).await, "urn:narthex:acr:1");
    assert_eq!(acr(&app, "ben", Some(mfa)).await, "urn:narthex:acr:1", "never more than is true");
    assert_eq!(acr(&kiosk, "ada", None).await, "urn:narthex:acr:2");
    assert_eq!(acr(&app, "ben", Some("x y")).await, "urn:narthex:acr:1");
}

async fn a_code_of_the_user_is_refused_rather_than_passed_over(db: Kind) {
    let (_server, app) = start(db).await;

    assert_eq!(begin(&app, &[("user_code", "1234")]).await.refusal(), "400 invalid_request");
}
