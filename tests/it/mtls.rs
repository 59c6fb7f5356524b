//! Certificates of clients: who an app is, and what its tokens are bound to. Source: RFC 8705.

use rcgen::date_time_ymd;
use serde_json::{Value, json};

use crate::common::actors::{Tokens, VERIFIER, basic};
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::proof::{self, ProofKey};
use crate::common::server::TestServer;
use crate::common::signer::bent;
use crate::common::tls::{Authority, Identity, TlsServer, params};
use crate::common::world::{ada, backend, portal};
use crate::common::{both, jwt};

both!(
    tls_client_auth_takes_a_certificate_of_a_trusted_authority,
    tls_client_auth_by_a_name_beside_the_subject,
    self_signed_tls_client_auth_takes_the_registered_key,
    tokens_are_bound_to_the_certificate,
    refresh_tokens_of_public_apps_stay_with_the_certificate,
    case_30_a_header_is_believed_from_the_proxy_only,
    what_is_advertised_follows_the_configuration,
    rfc8705_5_aliases_lead_to_where_certificates_are_seen,
    authorities_are_taken_up_again_when_their_file_changes,
);

const NAME: &str = "CN=back end,O=Acme\\, Inc.,C=DE";

/// What a certificate, in DER, is called in tokens.
fn thumbprint(identity: &Identity) -> Value {
    json!({"x5t#S256": jwt::encode(narthex::base::secret::Digest::of(&identity.der()).0)})
}

/// Gives the app `backend` these metadata.
async fn backend_with(server: &TestServer, metadata: &Value) {
    let lines = format!("type: confidential\n    client_metadata: {metadata}");
    server.change_app("backend", "type: confidential", &lines).await;
}

/// `backend` asks for a token of its own, naming itself only.
async fn own_token(http: &Browser) -> Answer {
    let fields =
        [("grant_type", "client_credentials"), ("client_id", "backend"), ("scope", "project.read")];
    http.post("/token", &fields).await
}

async fn tls_client_auth_takes_a_certificate_of_a_trusted_authority(db: Kind) {
    let (authority, stranger) = (Authority::new("Clients"), Authority::new("Clients"));
    let tls = TlsServer::start(db, |config| authority.trusted_by(config)).await;
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME,
    });
    backend_with(&tls.server, &metadata).await;
    let mut old = params("back end", &[]);
    old.not_after = date_time_ymd(2026, 5, 1);
    let mut new = params("back end", &[]);
    new.not_before = date_time_ymd(2026, 7, 1);

    let good = own_token(&tls.client(Some(&authority.client("back end", &[])))).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert!(jwt::claims(&good.text("access_token")).get("cnf").is_none(), "it was not asked for");
    for (what, identity) in [
        ("another name", Some(authority.client("front end", &[]))),
        ("another authority", Some(stranger.client("back end", &[]))),
        ("its own authority", Some(Identity::self_signed("back end"))),
        ("expired", Some(authority.issue(old))),
        ("not good yet", Some(authority.issue(new))),
        ("no certificate", None),
    ] {
        let answer = own_token(&tls.client(identity.as_ref())).await;
        assert_eq!(answer.refusal(), "401 invalid_client", "{what}: {answer:?}");
    }
    // The registered method and no other.
    let secret = basic("backend", backend(&tls.server).secret.expect("a secret"));
    let fields = [("grant_type", "client_credentials"), ("scope", "project.read")];
    let headers = [("authorization", &*secret)];
    let by_secret = tls.client(None).post_with("/token", &headers, &fields).await;
    assert_eq!(by_secret.refusal(), "401 invalid_client");
    for path in ["/introspect", "/revoke"] {
        let fields = [("client_id", "backend"), ("token", "x")];
        let certificate = authority.client("back end", &[]);
        let shown = tls.client(Some(&certificate)).post(path, &fields).await;
        let bare = tls.client(None).post(path, &fields).await;
        assert_eq!((shown.status, bare.status), (200, 401), "{path}");
    }
}

async fn tls_client_auth_by_a_name_beside_the_subject(db: Kind) {
    let authority = Authority::new("Clients");
    let tls = TlsServer::start(db, |config| authority.trusted_by(config)).await;
    let certificate = authority.client("x", &["client.acme.example", "192.0.2.7"]);
    let ask = async |name: &str, value: &str| {
        let method = "tls_client_auth";
        backend_with(&tls.server, &json!({"token_endpoint_auth_method": method, name: value}))
            .await;
        own_token(&tls.client(Some(&certificate))).await.status
    };

    assert_eq!(ask("tls_client_auth_san_dns", "client.acme.example").await, 200);
    assert_eq!(ask("tls_client_auth_san_dns", "acme.example").await, 401);
    assert_eq!(ask("tls_client_auth_san_ip", "192.0.2.7").await, 200);
    assert_eq!(ask("tls_client_auth_san_ip", "192.0.2.8").await, 401);
    assert_eq!(ask("tls_client_auth_san_uri", "https://client.acme.example").await, 401);
    assert_eq!(ask("tls_client_auth_san_email", "client@acme.example").await, 401);
}

async fn self_signed_tls_client_auth_takes_the_registered_key(db: Kind) {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let tls = TlsServer::start(db, |_| ()).await;
    let (own, thief) = (Identity::self_signed("back end"), Identity::self_signed("back end"));
    let key = rcgen::KeyPair::from_pem(&own.key).expect("a key");
    let point = rcgen::PublicKeyData::der_bytes(&key);
    let (x, y) = (jwt::encode(&point[1..33]), jwt::encode(&point[33..]));
    let by_key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    let mut by_certificate = by_key.clone();
    by_certificate["x5c"] = json!([STANDARD.encode(own.der())]);

    for jwk in [by_key, by_certificate] {
        let metadata = json!({
            "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [jwk]},
        });
        backend_with(&tls.server, &metadata).await;
        let good = own_token(&tls.client(Some(&own))).await;
        assert_eq!(good.status, 200, "{good:?}");
        for identity in [Some(&thief), None] {
            let answer = own_token(&tls.client(identity)).await;
            assert_eq!(answer.refusal(), "401 invalid_client", "{answer:?}");
        }
    }
}

async fn tokens_are_bound_to_the_certificate(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;
    let lines =
        "type: public\n    client_metadata: { tls_client_certificate_bound_access_tokens: true }";
    tls.server.change_app("portal", "type: public", lines).await;
    let (own, thief) = (Identity::self_signed("own"), Identity::self_signed("thief"));
    let app = portal(&tls.server);
    let code = app.code(&tls.server, &ada(&tls.server)).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "portal"),
        ("code", &*code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];

    let bare = tls.client(None).post("/token", &fields).await;
    assert_eq!(bare.refusal(), "400 invalid_request", "{bare:?}");
    let answer = tls.client(Some(&own)).post("/token", &fields).await.expect(200);
    let token = answer.text("access_token");
    assert_eq!(answer.text("token_type"), "Bearer");
    assert_eq!(jwt::claims(&token)["cnf"], thumbprint(&own));
    let told = backend(&tls.server).introspect(&token).await.json();
    assert_eq!((&told["cnf"], &told["token_type"]), (&thumbprint(&own), &json!("Bearer")));

    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    for path in ["/userinfo", "/v1/projects"] {
        let good = tls.client(Some(&own)).get_with(path, &headers).await;
        assert_eq!(good.status, 200, "{path}: {good:?}");
        let stolen = tls.client(Some(&thief)).get_with(path, &headers).await;
        let bare = tls.client(None).get_with(path, &headers).await;
        let plain = tls.server.browser().get_with(path, &headers).await;
        for answer in [stolen, bare, plain] {
            assert_eq!(answer.refusal(), "401 invalid_token", "{path}: {answer:?}");
            assert!(answer.header("www-authenticate").starts_with("Bearer "), "{path}");
        }
        let dpop = [("authorization", &*format!("DPoP {token}")), ("lifeomic-account", "acme")];
        let other = tls.client(Some(&own)).get_with(path, &dpop).await;
        assert_eq!(other.refusal(), "401 invalid_token", "{path}: {other:?}");
    }
}

async fn refresh_tokens_of_public_apps_stay_with_the_certificate(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;
    let lines =
        "type: public\n    client_metadata: { tls_client_certificate_bound_access_tokens: true }";
    tls.server.change_app("portal", "type: public", lines).await;
    let (own, thief) = (Identity::self_signed("own"), Identity::self_signed("thief"));
    let app = portal(&tls.server);
    let code = app.code(&tls.server, &ada(&tls.server)).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "portal"),
        ("code", &*code),
        ("redirect_uri", app.redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let tokens = Tokens::of(&tls.client(Some(&own)).post("/token", &fields).await);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "portal"),
        ("refresh_token", &*tokens.refresh),
    ];

    let stolen = tls.client(Some(&thief)).post("/token", &refresh).await;
    let good = tls.client(Some(&own)).post("/token", &refresh).await;

    assert_eq!(stolen.refusal(), "400 invalid_grant");
    assert_eq!(good.status, 200, "{good:?}");
}

async fn case_30_a_header_is_believed_from_the_proxy_only(db: Kind) {
    let identity = Identity::self_signed("own");
    let escaped: String = percent_encoding::utf8_percent_encode(
        &identity.certificate,
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    let start = async |proxies: &[&str]| {
        let server = TestServer::start_with(db, |config| {
            config.tls.client_certificate_header = Some("x-client-cert".to_owned());
            config.trusted_proxies = proxies.iter().map(|ip| ip.parse().expect("an IP")).collect();
        })
        .await;
        server.apply(include_str!("common/world.yaml")).await;
        let lines = "type: confidential\n    client_metadata: { tls_client_certificate_bound_access_tokens: true }";
        server.change_app("backend", "type: confidential", lines).await;
        server
    };
    let ask = async |server: &TestServer, headers: &[(&str, &str)]| {
        let basic = basic("backend", backend(server).secret.expect("a secret"));
        let headers = [&[("authorization", &*basic)], headers].concat();
        let fields = [("grant_type", "client_credentials"), ("scope", "project.read")];
        server.browser().post_with("/token", &headers, &fields).await
    };
    let told = ("x-client-cert", &*escaped);

    let trusting = start(&["127.0.0.1"]).await;
    let good = ask(&trusting, &[told]).await;
    assert_eq!(jwt::claims(&good.text("access_token"))["cnf"], thumbprint(&identity));
    for headers in
        [&[][..], &[told, told], &[("x-client-cert", "nonsense")], &[("client-cert", &escaped)]]
    {
        let answer = ask(&trusting, headers).await;
        assert_eq!(answer.refusal(), "400 invalid_request", "{headers:?}");
    }
    let wary = start(&["192.0.2.1"]).await;
    let forged = ask(&wary, &[told, ("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(forged.refusal(), "400 invalid_request", "who is no proxy is not believed");
}

async fn what_is_advertised_follows_the_configuration(db: Kind) {
    let authority = Authority::new("Clients");
    let methods = async |server: &TestServer| {
        let document = server.browser().get("/.well-known/openid-configuration").await.json();
        let methods = document["token_endpoint_auth_methods_supported"].to_string();
        let binds = document["tls_client_certificate_bound_access_tokens"] == true;
        let has = |name: &str| methods.contains(&format!("\"{name}\""));
        (has("self_signed_tls_client_auth"), has("tls_client_auth"), binds)
    };

    let without = TestServer::start(db).await;
    let with = TlsServer::start(db, |_| ()).await;
    let trusting = TlsServer::start(db, |config| authority.trusted_by(config)).await;

    assert_eq!(methods(&without).await, (false, false, false));
    assert_eq!(methods(&with.server).await, (true, false, true));
    assert_eq!(methods(&trusting.server).await, (true, true, true));
}

async fn rfc8705_5_aliases_lead_to_where_certificates_are_seen(db: Kind) {
    let authority = Authority::new("Clients");
    let tls = TlsServer::start(db, |config| authority.trusted_by(config)).await;
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME,
    });
    backend_with(&tls.server, &metadata).await;
    let document = tls.server.browser().get("/.well-known/openid-configuration").await.json();
    let aliases = document["mtls_endpoint_aliases"].as_object().expect("aliases");
    let http = tls.client(Some(&authority.client("back end", &[])));
    let own = [("client_id", "backend"), ("scope", "project.read"), ("token", "x")];
    let fields = [&own[..], &[("grant_type", "client_credentials")]].concat();

    for (name, alias) in aliases {
        let alias = alias.as_str().expect("a URL");
        assert_eq!(alias.rsplit('/').next(), document[name].as_str().unwrap().rsplit('/').next());
        let known = http.post(alias, &fields).await;
        assert_ne!(known.status, 404, "{name}");
        assert_ne!(known.refusal(), "401 invalid_client", "{name}");
    }
    // A proof may be for the endpoint by either of its names.
    let key = ProofKey::new();
    let alias = aliases["token_endpoint"].as_str().expect("a URL");
    for (htu, status) in [(alias, 200), ("https://other.example/token", 400)] {
        let claims = bent(&proof::claims(&tls.server, "POST", "/token"), &[("htu", json!(htu))]);
        let proof = key.sign(&key.header(), &claims);
        let answer = http.post_with(alias, &[("dpop", &*proof)], &fields).await;
        assert_eq!(answer.status, status, "{htu}: {answer:?}");
    }
    let without = TestServer::start(db).await;
    let document = without.browser().get("/.well-known/openid-configuration").await.json();
    assert!(document.get("mtls_endpoint_aliases").is_none());
}

async fn authorities_are_taken_up_again_when_their_file_changes(db: Kind) {
    let (old, new) = (Authority::new("Clients"), Authority::new("Clients"));
    let mut place = None;
    let tls = TlsServer::start(db, |config| {
        old.trusted_by(config);
        place.clone_from(&config.tls.client_ca_file);
    })
    .await;
    let metadata = json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": NAME,
    });
    backend_with(&tls.server, &metadata).await;
    let (of_old, of_new) = (old.client("back end", &[]), new.client("back end", &[]));
    let ask = async |identity: &Identity| own_token(&tls.client(Some(identity))).await.status;
    let reload =
        || tls.server.server.authorities.as_ref().expect("authorities").reload_if_changed();
    let put = |text: &str| {
        let file = place.as_ref().expect("a file");
        std::fs::write(file, text).expect("written");
        // The clock of a file system may be coarse.
        let before = std::fs::metadata(file).and_then(|known| known.modified()).unwrap();
        let later = before + std::time::Duration::from_secs(5);
        std::fs::File::options().write(true).open(file).unwrap().set_modified(later).unwrap();
    };
    assert_eq!((ask(&of_old).await, ask(&of_new).await), (200, 401));

    put("nonsense");
    reload().unwrap_err();
    assert_eq!(ask(&of_old).await, 200, "a file that is no good changes nothing");
    put(&new.certificate);
    assert!(reload().expect("good"));

    assert!(!reload().expect("good"), "once is enough");
    assert_eq!((ask(&of_old).await, ask(&of_new).await), (401, 200));
}
