//! Every grant asks the same about its user: what one refuses, all refuse.

use serde_json::json;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::signer::Signer;
use crate::common::world::{ben, portal};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CIBA: &str = "urn:openid:params:grant-type:ciba";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const SECRET: &str = "omni-secret-0123456789-abcdefghijklmnopqrs";

both!(case_25_what_one_grant_refuses_all_refuse);

fn yaml(signer: &Signer) -> String {
    format!(
        "
apps:
  - id: omni
    account: acme
    title: Omni
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [openid, project.read]
    callback_urls: [https://omni.example/callback]
    grant_types: [authorization_code, refresh_token, '{DEVICE}', '{EXCHANGE}', '{BEARER}', '{CIBA}']
    secrets: [{SECRET}]
    client_metadata: {{ may_impersonate: true, backchannel_token_delivery_mode: poll, jwks: {} }}
",
        signer.jwks()
    )
}

/// What only has to be taken to the token endpoint, for each grant.
struct Ready {
    app: ClientApp,
    code: String,
    refresh: String,
    device: String,
    ciba: String,
    held: String,
    assertion: String,
}

impl Ready {
    async fn new(server: &TestServer, signer: &Signer, ben: &Person) -> Self {
        let app = ClientApp {
            id: "omni",
            secret: Some(SECRET),
            redirect_uri: "https://omni.example/callback",
            scope: "openid project.read",
            http: server.browser(),
        };
        let refresh = app.tokens(server, ben).await.refresh;
        let scope = [("scope", "openid")];
        let begun = app.authenticated("/device_authorization", &scope).await.expect(200);
        let page = ben.browser.get("/device").await;
        let form = Form::of(&page.body, "/device");
        let fields = [("user_code", &*begun.text("user_code"))];
        let page = ben.browser.submit(&page, &form, &fields).await;
        allow(ben, &page, "/device").await;
        let fields = [("scope", "openid"), ("login_hint", "ben")];
        let asked = app.authenticated("/bc-authorize", &fields).await.expect(200);
        allow(ben, &ben.browser.get("/approvals").await, "/approvals").await;
        let held = portal(server).tokens(server, ben).await.access;
        let claims = json!({
            "iss": "omni", "sub": "ben", "aud": server.url, "jti": "1", "exp": server.now() + 60,
        });
        Self {
            code: app.code(server, ben).await,
            refresh,
            device: begun.text("device_code"),
            ciba: asked.text("auth_req_id"),
            held,
            assertion: signer.sign("JWT", &claims),
            app,
        }
    }

    /// What every grant says, in one line.
    async fn redeem(&self) -> String {
        let code = self.app.exchange(&self.code).await;
        let refresh = self.app.refresh(&self.refresh).await;
        let ask = async |fields: &[(&str, &str)]| self.app.token(fields).await;
        let device = ask(&[("grant_type", DEVICE), ("device_code", &self.device)]).await;
        let ciba = ask(&[("grant_type", CIBA), ("auth_req_id", &self.ciba)]).await;
        let exchange = ask(&[
            ("grant_type", EXCHANGE),
            ("subject_token", &self.held),
            ("subject_token_type", ACCESS),
        ])
        .await;
        let fields =
            [("grant_type", BEARER), ("assertion", &*self.assertion), ("scope", "project.read")];
        let assertion = ask(&fields).await;
        [code, refresh, device, ciba, exchange, assertion].map(|answer| answer.refusal()).join(", ")
    }
}

async fn allow(person: &Person, page: &Answer, path: &str) {
    let form = Form::of(&page.body, path);
    person.browser.submit(page, &form, &[("decision", "allow")]).await.expect(200);
}

async fn case_25_what_one_grant_refuses_all_refuse(db: Kind) {
    let signer = Signer::new("ES256");
    let yaml = yaml(&signer);
    let all = |answer: &str| [answer; 6].join(", ");
    let refused = all("400 invalid_grant");
    // A disabled user's token is none any more.
    let mut disabled: Vec<&str> = refused.split(", ").collect();
    disabled[4] = "400 invalid_request";
    let disabled = disabled.join(", ");
    for (loss, change, expected) in [
        ("nothing", String::new(), all("200 ")),
        ("disabled", "users: [{ username: ben, status: disabled }]".into(), disabled),
        ("in development", yaml.replace("status: live", "status: developing"), refused.clone()),
        (
            "not for the account",
            yaml.replace("allowed_accounts: [acme]", "allowed_accounts: [beta]"),
            refused.clone(),
        ),
    ] {
        let server = TestServer::start(db).await;
        server.apply(&yaml).await;
        let ben = ben(&server);
        ben.sign_in(&server).await;
        let ready = Ready::new(&server, &signer, &ben).await;
        if !change.is_empty() {
            server.apply(&change).await;
        }

        assert_eq!(ready.redeem().await, expected, "{loss}");
    }
    // Whoever is no member never gets that far.
    let server = TestServer::start(db).await;
    server.apply(&yaml).await;
    let eve = crate::common::world::eve(&server);
    let app = portal(&server);
    let held = Tokens::of(&app.exchange(&app.code(&server, &eve).await).await);
    let omni = ClientApp { id: "omni", secret: Some(SECRET), ..app };
    let fields = [
        ("grant_type", EXCHANGE),
        ("subject_token", &*held.access),
        ("subject_token_type", ACCESS),
    ];
    assert_eq!(omni.token(&fields).await.refusal(), "400 invalid_grant");
}
