//! An OpenID Provider that behaves, in all the ways that it may.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::world::portal;
use crate::common::{both, jwt};
use crate::upstream::op::{CLIENT_ID, Op, id_claims, is_signed_in, leave, sign_in_page, world};

both!(
    somebody_new_comes_in_and_is_known_from_then_on,
    who_nobody_knows_is_turned_away_unless_users_are_made,
    the_request_is_bound_to_its_answer,
    userinfo_is_asked_where_configured,
    methods_are_believed_only_from_whom_they_are_to_be,
    an_answer_comes_as_a_form_from_another_site,
    we_show_who_we_are_as_configured,
    a_provider_of_many_tenants_speaks_for_those_that_are_let_in,
    a_provider_that_fails_is_said_to_fail,
    who_turns_back_is_told_so,
);

fn person() -> Vec<(&'static str, Value)> {
    vec![
        ("email", json!("grace@navy.example")),
        ("email_verified", json!(true)),
        ("name", json!("Grace Hopper")),
        ("given_name", json!("Grace")),
        ("amr", json!(["pwd", "otp", "mfa"])),
    ]
}

async fn somebody_new_comes_in_and_is_known_from_then_on(db: Kind) {
    let more = "account: acme\n    creates_users: true\n    groups: [acme-nurses]\n    \
                email_domains: [navy.example]";
    let (server, op) = world(db, more).await;
    let (app, browser) = (portal(&server), server.browser());

    let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &person())).await;
    let first = id_claims(&browser, &app, answer.expect(303)).await;
    let again = server.browser();
    let answer = op.arrive(&server, &again, &app.authorize_url(), ("g-1", &[])).await;
    let second = id_claims(&again, &app, answer).await;

    assert_eq!(first["sub"], second["sub"]);
    assert_eq!((&first["amr"], &first["acr"]), (&json!(["fed"]), &json!("urn:narthex:acr:1")));
    let me = server.browser();
    op.arrive(&server, &me, &app.authorize_url(), ("g-1", &[])).await.expect(303);
    let user = server.server.users.find(&first["sub"].as_str().unwrap().parse().unwrap()).await;
    let user = user.unwrap().expect("a user");
    assert_eq!(user.name.as_deref(), Some("Grace Hopper"));
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("grace@navy.example"), true));
    assert!(user.username.starts_with("grace-") && !user.username.contains('@'));
    let account = "acme".parse().unwrap();
    let membership = server.server.accounts.membership(&account, &user.id).await.unwrap();
    assert_eq!(membership.expect("a member").groups[0].as_str(), "acme-nurses");
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 1);
}

async fn who_nobody_knows_is_turned_away_unless_users_are_made(db: Kind) {
    let (server, op) = world(db, "creates_users: false").await;
    let browser = server.browser();

    let answer = op.arrive(&server, &browser, "/sign-in", ("g-1", &person())).await.expect(403);

    assert!(answer.body.contains("Nobody here is known"), "{answer:?}");
    assert!(!is_signed_in(&browser).await);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
}

async fn the_request_is_bound_to_its_answer(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let browser = server.browser();

    let trip = leave(&browser, "/sign-in", "op").await;

    assert_eq!(trip.param("response_type"), "code");
    assert_eq!(trip.param("client_id"), CLIENT_ID);
    assert_eq!(trip.param("redirect_uri"), format!("{}/upstream/callback", server.url));
    assert_eq!(trip.param("code_challenge_method"), "S256");
    assert_eq!((trip.nonce.len(), trip.param("code_challenge").len()), (43, 43));
    let other = leave(&server.browser(), "/sign-in", "op").await;
    assert!(trip.nonce != other.nonce && trip.state != other.state);
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));
    op.send_back(&browser, &trip).await.expect(303);
    assert!(is_signed_in(&browser).await);
    let visit = op.host.visits("/token").pop().expect("a visit");
    let basic = STANDARD.encode(format!("{CLIENT_ID}:upstream-secret-0123456789"));
    assert_eq!(visit.authorization, format!("Basic {basic}"));
    let verifier = visit.body.split("code_verifier=").nth(1).unwrap();
    assert_eq!(crate::common::actors::challenge(verifier), trip.param("code_challenge"));
}

async fn userinfo_is_asked_where_configured(db: Kind) {
    let (server, op) = world(db, "creates_users: true\n    userinfo: true").await;
    let told = json!({ "sub": "g-1", "email": "g@navy.example", "email_verified": true });
    op.host.put("/userinfo", "application/json", told.to_string());

    op.arrive(&server, &server.browser(), "/sign-in", ("g-1", &[])).await.expect(303);
    let swapped = op.arrive(&server, &server.browser(), "/sign-in", ("g-2", &[])).await;
    let half = [("email", json!("x@evil.example"))];
    op.host.put("/userinfo", "application/json", told.to_string().replace("g-1", "g-3"));
    op.arrive(&server, &server.browser(), "/sign-in", ("g-3", &half)).await.expect(303);

    assert_eq!(swapped.refusal(), "403 page");
    assert_eq!(op.host.visits("/userinfo")[0].authorization, "Bearer at-1");
    let verified =
        "SELECT COUNT(*) AS n FROM users WHERE email = 'g@navy.example' AND email_verified = 1";
    assert_eq!(server.count(verified).await, 1);
    let mixed =
        "SELECT COUNT(*) AS n FROM users WHERE email = 'x@evil.example' AND email_verified = 1";
    assert_eq!(server.count(mixed).await, 0, "an address takes its verification from elsewhere");
}

async fn methods_are_believed_only_from_whom_they_are_to_be(db: Kind) {
    let (server, op) = world(db, "creates_users: true\n    trusts_amr: true").await;
    let app = portal(&server);
    let said = [("amr", json!(["pwd", "otp", "mfa", "made-up", 7]))];

    let browser = server.browser();
    let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &said)).await;
    let claims = id_claims(&browser, &app, answer).await;
    assert_eq!(claims["amr"], json!(["fed", "pwd", "otp", "mfa"]));
    assert_eq!(claims["acr"], "urn:narthex:acr:2");

    let by_acr =
        "creates_users: true\n    acr_means: { 'https://refeds.org/profile/mfa': [pwd, hwk, mfa] }";
    server.apply(&op.declaration("op", by_acr)).await;
    for (acr, amr) in [
        ("https://refeds.org/profile/mfa", json!(["fed", "pwd", "hwk", "mfa"])),
        ("https://refeds.org/profile/MFA", json!(["fed"])),
    ] {
        let browser = server.browser();
        let said = [("acr", json!(acr)), ("amr", json!(["pwd", "otp"]))];
        let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &said)).await;
        assert_eq!(id_claims(&browser, &app, answer).await["amr"], amr, "{acr}");
    }
}

/// What comes from another site has no cookies of ours: neither brought, nor given.
async fn an_answer_comes_as_a_form_from_another_site(db: Kind) {
    let more = "creates_users: true\n    response_mode: form_post";
    let (server, op) = world(db, more).await;
    let (browser, site) = (server.browser(), server.browser());

    let trip = leave(&browser, "/sign-in", "op").await;
    assert_eq!(trip.param("response_mode"), "form_post");
    op.gives(&op.signer.sign("JWT", &op.claims(&server, &trip, "g-1")));
    let fields = [("code", "c-1"), ("state", &*trip.state), ("iss", &*op.host.url)];
    let headers = [("origin", &*op.host.url), ("sec-fetch-site", "cross-site")];
    let posted = site.post_with("/upstream/callback", &headers, &fields).await.expect(303);

    assert!(posted.header("set-cookie").is_empty(), "{posted:?}");
    assert_eq!(op.host.visits("/token").len(), 0, "nothing is asked before the browser comes");
    let twice = site.post_with("/upstream/callback", &headers, &fields).await;
    assert_eq!(twice.refusal(), "400 page");
    let stranger = server.browser().get(posted.location()).await;
    assert_eq!(stranger.refusal(), "400 page");
    browser.get(posted.location()).await.expect(303);
    assert!(is_signed_in(&browser).await);
    // An answer that was asked for as a form is taken as a form alone.
    let trip = leave(&server.browser(), "/sign-in", "op").await;
    let query = op.send_back(&server.browser(), &trip).await;
    assert_eq!(query.refusal(), "400 page");
}

async fn we_show_who_we_are_as_configured(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let key = rcgen::KeyPair::generate().expect("a key");
    let pem = key.serialize_pem().replace('\n', "\\n");
    let field = |name: &str| {
        let body = op.host.visits("/token").pop().expect("a visit").body;
        let pairs: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
        let found = pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.to_string()).unwrap_or_default()
    };
    for (at, more) in [
        "client_auth: client_secret_post".to_owned(),
        "client_auth: private_key_jwt".to_owned(),
        format!(
            "client_auth: signed_secret\n    team_id: T1\n    key_id: K1\n    client_key: \"{pem}\""
        ),
    ]
    .iter()
    .enumerate()
    {
        server.apply(&op.declaration("op", &format!("creates_users: true\n    {more}"))).await;
        op.arrive(&server, &server.browser(), "/sign-in", ("g-1", &[])).await.expect(303);
        assert_eq!(field("client_id"), CLIENT_ID);
        match at {
            0 => assert_eq!(field("client_secret"), "upstream-secret-0123456789"),
            1 => {
                let token = field("client_assertion");
                let claims = jwt::claims(&token);
                server.server.keys.verify(&token).expect("a signature of ours");
                assert_eq!((&claims["iss"], &claims["sub"]), (&claims["sub"], &CLIENT_ID.into()));
                assert_eq!(claims["aud"], *op.host.url);
            }
            _ => {
                let token = field("client_secret");
                let (header, claims) = (jwt::header(&token), jwt::claims(&token));
                assert_eq!((&header["kid"], &header["alg"]), (&"K1".into(), &"ES256".into()));
                assert_eq!((&claims["iss"], &claims["sub"]), (&"T1".into(), &CLIENT_ID.into()));
            }
        }
    }
}

async fn a_provider_of_many_tenants_speaks_for_those_that_are_let_in(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let template = format!("{}/{{tenantid}}/v2.0", op.host.url);
    op.describes(&[
        ("issuer", json!(template)),
        ("authorization_response_iss_parameter_supported", Value::Null),
    ]);
    let url = op.host.at("/.well-known/openid-configuration");
    let declaration = op
        .declaration(
            "op",
            &format!("creates_users: true\n    discovery_url: {url}\n    tenants: [t-1]"),
        )
        .replace(&format!("issuer: {}", op.host.url), &format!("issuer: '{template}'"));
    server.apply(&declaration).await;

    for (tenant, issuer, status) in [
        ("t-1", format!("{}/t-1/v2.0", op.host.url), 303),
        ("t-2", format!("{}/t-2/v2.0", op.host.url), 403),
        ("t-1", format!("{}/t-2/v2.0", op.host.url), 403),
        ("{tenantid}", template.clone(), 403),
        ("", format!("{}//v2.0", op.host.url), 403),
    ] {
        let said = [("iss", json!(issuer)), ("tid", json!(tenant))];
        let answer = op.arrive(&server, &server.browser(), "/sign-in", ("g-1", &said)).await;
        assert_eq!(answer.status, status, "{tenant} {issuer}");
    }
}

async fn a_provider_that_fails_is_said_to_fail(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let browser = server.browser();
    let trip = leave(&browser, "/sign-in", "op").await;

    op.host.answer_with("/token", 500, "text/plain", "broken");
    let broken = op.send_back(&browser, &trip).await;
    let other = Op::start().await;
    other.describes(&[("issuer", json!("https://other.example"))]);
    server.apply(&other.declaration("other", "")).await;
    let page = sign_in_page(&browser, "/sign-in").await;
    let form = Form::of(&page.body, "/upstream/other/start");
    let mismatch = browser.submit(&page, &form, &[]).await;

    for answer in [broken, mismatch] {
        assert_eq!(answer.refusal(), "502 page");
        assert!(answer.body.contains("does not work right now"), "{answer:?}");
    }
}

async fn who_turns_back_is_told_so(db: Kind) {
    let (server, op) = world(db, "creates_users: true").await;
    let (app, browser) = (portal(&server), server.browser());
    let trip = leave(&browser, &app.authorize_url(), "op").await;

    let more = [("error", "access_denied"), ("iss", &*op.host.url)];
    let answer = op.send_back_with(&browser, &trip.state, &more).await;

    assert_eq!(answer.refusal(), "403 page");
    assert!(answer.body.contains("/sign-in?grant="), "it leads back: {answer:?}");
}
