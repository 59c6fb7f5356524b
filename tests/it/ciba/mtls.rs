//! The same plan by certificates: `tls_client_auth`, and tokens bound to the certificate.
//! Source: FAPI-CIBA section 5.2.2, RFC 8705.

use serde_json::{Value, json};

use crate::ciba::{CIBA, NOTIFY, approve, desk};
use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::host::Host;
use crate::common::tls::{Authority, TlsServer};
use crate::common::world::ben;
use crate::common::{both, jwt};

both!(
    fapi_ciba_id1_by_certificate,
    fapi_ciba_id1_ping_by_certificate,
    fapi_ciba_id1_ensure_client_certificate_required,
);

struct Scene {
    tls: TlsServer,
    authority: Authority,
    host: Host,
}

impl Scene {
    async fn set(db: Kind, mode: &str) -> Self {
        let (authority, host) = (Authority::new("Clients"), Host::start().await);
        host.put("/ping", "text/plain", "");
        let tls = TlsServer::start(db, |config| {
            authority.trusted_by(config);
            config.outbound.allowed_hosts = vec!["127.0.0.1".to_owned()];
        })
        .await;
        let mut metadata = json!({
            "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_subject_dn": "CN=desk,O=Acme\\, Inc.,C=DE",
            "tls_client_certificate_bound_access_tokens": true,
            "backchannel_token_delivery_mode": mode,
        });
        if mode == "ping" {
            metadata["backchannel_client_notification_endpoint"] = host.at("/ping").into();
        }
        tls.server
            .apply(&format!(
                "apps: [{{ id: desk, account: acme, title: Help Desk, status: live, \
                 type: confidential, allowed_accounts: [acme], \
                 allowed_scopes: [openid, project.read], grant_types: [refresh_token, '{CIBA}'], \
                 client_metadata: {metadata} }}]"
            ))
            .await;
        Self { tls, authority, host }
    }

    /// Where the metadata say that clients with certificates come.
    async fn alias(&self, name: &str) -> String {
        let metadata = self.tls.client(None).get("/.well-known/openid-configuration").await.json();
        metadata["mtls_endpoint_aliases"][name].as_str().expect("an alias").to_owned()
    }

    fn by(&self, name: &str) -> Browser {
        self.tls.client(Some(&self.authority.client(name, &[])))
    }

    async fn begin(&self, http: &Browser) -> Answer {
        let fields = [
            ("client_id", "desk"),
            ("scope", "openid project.read"),
            ("login_hint", "ben"),
            ("client_notification_token", NOTIFY),
        ];
        http.post(&self.alias("backchannel_authentication_endpoint").await, &fields).await
    }

    async fn poll(&self, http: &Browser, begun: &Answer) -> Answer {
        let id = begun.text("auth_req_id");
        let fields = [("client_id", "desk"), ("grant_type", CIBA), ("auth_req_id", &*id)];
        http.post(&self.alias("token_endpoint").await, &fields).await
    }
}

/// `desk`, over a connection of one's own.
fn over(scene: &Scene, http: Browser) -> ClientApp {
    ClientApp { secret: None, http, ..desk(&scene.tls.server) }
}

async fn fapi_ciba_id1_by_certificate(db: Kind) {
    let scene = Scene::set(db, "poll").await;
    let http = scene.by("desk");
    let begun = scene.begin(&http).await.expect(200);
    assert_eq!(scene.poll(&http, &begun).await.refusal(), "400 authorization_pending");

    approve(&scene.tls.server, &ben(&scene.tls.server)).await;
    scene.tls.server.advance(chrono::TimeDelta::seconds(5));

    let tokens = scene.poll(&http, &begun).await.expect(200);
    let access = tokens.text("access_token");
    assert_eq!(tokens.text("token_type"), "Bearer");
    assert!(jwt::claims(&access)["cnf"]["x5t#S256"].is_string());
    over(&scene, http.clone()).userinfo(&access).await.expect(200);
    for stranger in [scene.by("other"), scene.tls.client(None)] {
        assert_eq!(over(&scene, stranger).userinfo(&access).await.status, 401);
    }
    let fresh = over(&scene, http).refresh(&tokens.text("refresh_token")).await.expect(200);
    assert!(jwt::claims(&fresh.text("access_token"))["cnf"]["x5t#S256"].is_string());
}

async fn fapi_ciba_id1_ping_by_certificate(db: Kind) {
    let scene = Scene::set(db, "ping").await;
    let http = scene.by("desk");
    let begun = scene.begin(&http).await.expect(200);

    approve(&scene.tls.server, &ben(&scene.tls.server)).await;
    scene.tls.server.deliver().await;

    let visits = scene.host.visits("/ping");
    assert_eq!(visits[0].authorization, format!("Bearer {NOTIFY}"));
    let told: Value = serde_json::from_str(&visits[0].body).expect("JSON");
    assert_eq!(told["auth_req_id"], begun.text("auth_req_id"));
    let tokens = scene.poll(&http, &begun).await.expect(200);
    assert!(jwt::claims(&tokens.text("access_token"))["cnf"]["x5t#S256"].is_string());
}

async fn fapi_ciba_id1_ensure_client_certificate_required(db: Kind) {
    let scene = Scene::set(db, "poll").await;
    let begun = scene.begin(&scene.by("desk")).await.expect(200);

    for stranger in [scene.by("other"), scene.tls.client(None)] {
        assert_eq!(scene.begin(&stranger).await.refusal(), "401 invalid_client");
        assert_eq!(scene.poll(&stranger, &begun).await.refusal(), "401 invalid_client");
    }
}
