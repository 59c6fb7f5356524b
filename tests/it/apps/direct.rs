//! Signing in without our pages: for apps that are trusted with it, and no further than pages go.

use chrono::TimeDelta;
use narthex::worker::recorder;
use reqwest::Method;
use serde_json::{Value, json};

use crate::apps::{Api, start};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(
    a_trusted_app_signs_in_with_a_password,
    case_47_known_and_unknown_users_are_answered_alike,
    case_50_no_second_factor_is_skipped,
    a_code_by_mail_signs_in_once_where_it_was_asked_for,
    case_48_codes_are_not_guessed,
    an_embedded_app_is_signed_in_by_its_host_alone,
    whoever_signs_in_from_somewhere_new_is_told_once,
    providers_are_found_by_the_domain_of_an_address,
    case_48_strangers_lock_nobody_out_of_their_own_phone,
);

const APPS: &str = "
users:
  - { id: carl, username: carl, email: carl@acme.example, email_verified: true, password: carl-correct-horse }
accounts:
  - id: acme
    name: Acme Hospital
    groups: [{ id: acme-guests, name: Guests, members: [carl] }]
apps:
  - { id: phone, account: acme, title: Phone, status: live, type: public, allowed_accounts: [acme],
      allowed_scopes: [openid, project.read], callback_urls: ['org.acme.phone:/cb'],
      client_metadata: { may_take_passwords: true } }
  - { id: tablet, account: acme, title: Tablet, status: live, type: public, allowed_accounts: [acme],
      allowed_scopes: [openid], callback_urls: ['org.acme.tablet:/cb'],
      client_metadata: { may_take_passwords: true } }
  - { id: widget, account: acme, title: Widget, status: live, type: public, allowed_accounts: [acme],
      allowed_scopes: [openid, project.read], callback_urls: ['https://widget.example/cb'],
      client_metadata: { embedded_in: [portal] } }
";

/// Providers of accounts, in use and not, and one of the whole server.
const PROVIDERS: &str = "
providers:
  - { id: of-acme, account: acme, kind: oidc, title: Acme, issuer: 'https://op.acme.example',
      client_id: narthex, client_secret: secret-of-op-0123456789, email_domains: [acme.example] }
  - { id: gone, account: beta, kind: oidc, title: Gone, issuer: 'https://op.gone.example',
      client_id: narthex, client_secret: secret-of-op-0123456789, email_domains: [gone.example],
      enabled: false }
  - { id: anybody, account: beta, kind: oidc, title: Any, issuer: 'https://op.any.example',
      client_id: narthex, client_secret: secret-of-op-0123456789 }
  - { id: common, kind: oidc, title: Common, issuer: 'https://op.common.example',
      client_id: narthex, client_secret: secret-of-op-0123456789, email_domains: [beta.example] }
";

async fn world(db: Kind) -> TestServer {
    let server = start(db).await;
    server.apply(APPS).await;
    server
}

async fn call(server: &TestServer, path: &str, body: &Value) -> Answer {
    let kind = [("content-type", "application/json")];
    server.browser().send(Method::POST, path, &kind, body.to_string()).await
}

async fn login(server: &TestServer, app: &str, username: &str, password: &str) -> Answer {
    let body = json!({"clientId": app, "username": username, "password": password, "more": 1});
    call(server, "/auth/v1/api/login", &body).await
}

async fn a_trusted_app_signs_in_with_a_password(db: Kind) {
    let server = world(db).await;

    let answer = login(&server, "phone", "ben", "ben-correct-horse").await.expect(200);

    let token = answer.text("accessToken");
    assert_eq!(jwt::claims(&token)["client_id"], "phone");
    assert_eq!(jwt::claims(&answer.text("idToken"))["amr"], json!(["pwd"]));
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    server.browser().get_with("/v1/projects", &headers).await.expect(200);
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "phone"),
        ("refresh_token", &answer.text("refreshToken")),
    ];
    server.browser().post("/v1/oauth/token", &fields).await.expect(200);

    for app in ["portal", "backend", "no-such", "", "../x"] {
        for password in ["ben-correct-horse", "wrong"] {
            let answer = login(&server, app, "ben", password).await;
            assert_eq!(answer.refusal(), "403 app_not_trusted", "{app}");
        }
    }
    server
        .change_app(
            "workbench",
            "type: public",
            "type: public\n    client_metadata: { may_take_passwords: true }",
        )
        .await;
    assert_eq!(
        login(&server, "workbench", "ben", "ben-correct-horse").await.refusal(),
        "403 access_denied"
    );
    for odd in ["a\u{0}b", "a\nb", &"x".repeat(400)] {
        let answer = login(&server, "phone", odd, "x").await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{odd:?}");
    }
    for bad in ["{}", "[]", "null", r#"{"clientId":1}"#, ""] {
        let kind = [("content-type", "application/json")];
        let answer = server.browser().send(Method::POST, "/auth/v1/api/login", &kind, bad).await;
        assert_eq!(answer.refusal(), "400 invalid_body", "{bad}");
    }
}

async fn case_47_known_and_unknown_users_are_answered_alike(db: Kind) {
    let server = world(db).await;
    let shown = |answer: &Answer| (answer.status, answer.body.clone());

    let known = login(&server, "phone", "ben", "wrong").await;
    let unknown = login(&server, "phone", "nobody", "wrong").await;
    assert_eq!(shown(&known), shown(&unknown));
    assert_eq!(known.refusal(), "403 invalid_credentials");

    let begin = async |name: &str| {
        let body = json!({"clientId": "phone", "username": name, "appsBaseUri": "https://evil.example",
            "loginAppBasePath": "/x"});
        call(&server, "/auth/v1/api/passwordless-auth", &body).await.expect(200).text("session")
    };
    let verify = async |name: &str, session: &str| {
        let body =
            json!({"clientId": "phone", "username": name, "session": session, "code": "00000000"});
        call(&server, "/auth/v1/api/passwordless-auth/verify", &body).await
    };
    let (known, unknown) = (begin("carl").await, begin("nobody").await);
    assert_eq!(shown(&verify("carl", &known).await), shown(&verify("nobody", &unknown).await));
    let letters = server.letters().await;
    assert_eq!(letters.len(), 1, "nobody's address gets a letter");
    assert!(!letters[0].text.contains("evil.example"), "case 45: {}", letters[0].text);
    for login in ["carl@acme.example", "nobody@acme.example"] {
        for client in ["", "&clientId=phone"] {
            let path = format!("/auth/v1/api/login-methods?login={login}{client}");
            assert_eq!(server.browser().get(&path).await.expect(200).body, "[]");
        }
    }
}

async fn case_50_no_second_factor_is_skipped(db: Kind) {
    let server = world(db).await;

    let right = login(&server, "phone", "ada", "ada-correct-horse").await;
    let wrong = login(&server, "phone", "ada", "wrong").await;

    assert_eq!(right.refusal(), "403 second_factor_required");
    assert_eq!(wrong.refusal(), "403 invalid_credentials");
    let body = json!({"clientId": "phone", "username": "ada"});
    let session = call(&server, "/auth/v1/api/passwordless-auth", &body).await.text("session");
    let code = code_of(&server, "ada@acme.example").await;
    let body = json!({"clientId": "phone", "username": "ada", "session": session, "code": code});
    let answer = call(&server, "/auth/v1/api/passwordless-auth/verify", &body).await;
    assert_eq!(answer.refusal(), "403 second_factor_required");
}

/// The code in the newest letter to an address.
pub async fn code_of(server: &TestServer, to: &str) -> String {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to.contains(to)).expect("a letter");
    letter.subject.rsplit(' ').next().expect("a code").to_owned()
}

async fn a_code_by_mail_signs_in_once_where_it_was_asked_for(db: Kind) {
    let server = world(db).await;
    let body = json!({"clientId": "phone", "username": "CARL@acme.example"});
    let session = call(&server, "/auth/v1/api/passwordless-auth", &body).await.text("session");
    let code = code_of(&server, "carl@acme.example").await;
    let verify = async |app: &str, name: &str, session: &str, code: &str| {
        let body = json!({"clientId": app, "username": name, "session": session, "code": code});
        call(&server, "/auth/v1/api/passwordless-auth/verify", &body).await
    };

    for (app, name, session, code) in [
        ("tablet", "carl@acme.example", &*session, &*code),
        ("phone", "ben", &*session, &*code),
        ("phone", "carl@acme.example", "1.x", &*code),
        ("phone", "carl@acme.example", &*session, ""),
    ] {
        let answer = verify(app, name, session, code).await;
        assert_eq!(answer.refusal(), "403 invalid_credentials", "{app} {name}");
    }
    let spaced = format!("{} {}", &code[..4], &code[4..]);
    let answer = verify("phone", "carl@acme.example", &session, &spaced).await.expect(200);
    assert_eq!(jwt::claims(&answer.text("idToken"))["amr"], json!(["otp"]));
    let again = verify("phone", "carl@acme.example", &session, &code).await;
    assert_eq!(again.refusal(), "403 invalid_credentials", "once");

    let session = call(&server, "/auth/v1/api/passwordless-auth", &body).await.text("session");
    let code = code_of(&server, "carl@acme.example").await;
    server.advance(TimeDelta::minutes(11));
    let late = verify("phone", "carl@acme.example", &session, &code).await;
    assert_eq!(late.refusal(), "403 invalid_credentials");
}

async fn case_48_codes_are_not_guessed(db: Kind) {
    let server = world(db).await;
    let body = json!({"clientId": "phone", "username": "carl"});
    let session = call(&server, "/auth/v1/api/passwordless-auth", &body).await.text("session");
    let code = code_of(&server, "carl@acme.example").await;
    let verify = async |code: &str| {
        let body =
            json!({"clientId": "phone", "username": "carl", "session": session, "code": code});
        call(&server, "/auth/v1/api/passwordless-auth/verify", &body).await
    };

    let mut waits = 0;
    for _ in 0..8 {
        let answer = verify("00000000").await;
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty());
            waits += 1;
        }
    }

    assert!(waits > 0, "guessing is slowed down");
    server.advance(TimeDelta::minutes(5));
    assert_eq!(verify(&code).await.refusal(), "403 invalid_credentials", "five were wrong: over");
}

async fn an_embedded_app_is_signed_in_by_its_host_alone(db: Kind) {
    let server = world(db).await;
    let host = Api::of(&server, &ben(&server), "").await;
    let ask = async |target: &str| {
        host.post("/v1/client-tokens", &json!({"targetClientId": target})).await
    };
    let redeem = async |app: &str, code: &str| {
        call(&server, "/v1/client-tokens/redeem", &json!({"clientId": app, "code": code})).await
    };
    for target in ["phone", "backend", "portal", "no-such"] {
        assert_eq!(ask(target).await.refusal(), "403 app_not_trusted", "{target}");
    }
    let code = ask("widget").await.expect(201).text("code");

    assert_eq!(redeem("phone", &code).await.refusal(), "403 invalid_code");
    assert_eq!(redeem("widget", "1.x").await.refusal(), "403 invalid_code");
    let answer = redeem("widget", &code).await.expect(200);
    assert_eq!(redeem("widget", &code).await.refusal(), "403 invalid_code", "once");
    let claims = jwt::claims(&answer.text("identityToken"));
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("ben"), &json!("widget")));
    assert_eq!(answer.json()["tokenType"], "Bearer");
    let tokens = portal(&server).tokens(&server, &ben(&server)).await;
    let bearer = format!("Bearer {}", tokens.access);
    let other = Api { http: server.browser(), bearer, account: "" };
    let body = json!({"targetClientId": "widget"});
    let void = other.post("/v1/client-tokens", &body).await.expect(201).text("code");
    let fields = [("client_id", "portal"), ("token", &*tokens.refresh)];
    server.browser().post("/oidc-provider/token/revocation", &fields).await.expect(200);
    assert_eq!(
        redeem("widget", &void).await.refusal(),
        "403 invalid_code",
        "it ends with its origin"
    );
    let late = ask("widget").await.expect(201).text("code");
    server.advance(TimeDelta::seconds(61));
    assert_eq!(redeem("widget", &late).await.refusal(), "403 invalid_code");
    let ada = Api::of(&server, &ada(&server), "").await;
    let of_ada = ada.post("/v1/client-tokens", &json!({"targetClientId": "widget"})).await;
    let tokens = redeem("widget", &of_ada.expect(201).text("code")).await.expect(200);
    let amr = &jwt::claims(&tokens.text("identityToken"))["amr"];
    assert!(amr.to_string().contains("mfa"), "how they signed in goes with them: {amr}");
}

async fn whoever_signs_in_from_somewhere_new_is_told_once(db: Kind) {
    let server = world(db).await;
    server.advance(TimeDelta::minutes(11));
    let body = json!({"clientId": "phone", "username": "carl", "password": "carl-correct-horse"});
    let enter = async |browser: &Browser, agent: &str| {
        let headers = [("content-type", "application/json"), ("user-agent", agent)];
        let body = body.to_string();
        browser.send(Method::POST, "/auth/v1/api/login", &headers, body).await.expect(200)
    };
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

    enter(&server.browser(), "okhttp/4.12.0").await;

    let letters = server.letters().await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].to.contains("carl@acme.example"));
    assert!(letters[0].text.contains("Phone"), "by which app: {}", letters[0].text);
    enter(&server.browser(), "okhttp/4.12.0").await;
    assert_eq!(server.letters().await.len(), 1, "the same from the same place, without cookies");
    let kept = server.browser();
    enter(&kept, firefox).await;
    assert_eq!(server.letters().await.len(), 2);
    enter(&kept, "something else").await;
    assert_eq!(server.letters().await.len(), 2, "who keeps cookies is known by them");
    server.advance(TimeDelta::days(91));
    for _ in 0..2 {
        recorder::write_seen(&server.server, true).await;
    }
    let answer = enter(&server.browser(), firefox).await;
    assert_eq!(server.letters().await.len(), 3, "places are forgotten");
    let number = answer.header("x-fapi-interaction-id").to_owned();
    recorder::write_seen(&server.server, true).await;
    let noted = format!(
        "SELECT COUNT(*) AS n FROM audit_entries
          WHERE chain = 'acme' AND kind = 'sign-in' AND target = 'carl' AND app_id = 'phone'
            AND origin LIKE '%127.0.0.1%' AND request_id = '{number}'"
    );
    assert_eq!(server.count(noted.leak()).await, 1);
}

async fn providers_are_found_by_the_domain_of_an_address(db: Kind) {
    let server = world(db).await;
    server.apply(PROVIDERS).await;
    let methods = async |query: &str| {
        let path = format!("/auth/v1/api/login-methods?{query}");
        server.browser().get(&path).await.expect(200).body
    };
    let acme = r#"[{"type":"OIDC","account":"acme","accountName":"Acme Hospital"}]"#;

    assert_eq!(methods("login=nobody@ACME.example").await, acme);
    assert_eq!(methods("login=carl@acme.example&clientId=phone").await, acme);
    for none in [
        "",
        "login=carl",
        "login=carl@",
        "login=@",
        "login=a@evil-acme.example",
        "login=a@beta.example",
        "login=a@gone.example",
    ] {
        assert_eq!(methods(none).await, "[]", "{none}");
    }
}

async fn case_48_strangers_lock_nobody_out_of_their_own_phone(db: Kind) {
    let server = world(db).await;
    let enter = async |browser: &Browser, password: &str| {
        let body = json!({"clientId": "phone", "username": "carl", "password": password});
        let kind = [("content-type", "application/json")];
        browser.send(Method::POST, "/auth/v1/api/login", &kind, body.to_string()).await
    };
    let phone = server.browser();
    enter(&phone, "carl-correct-horse").await.expect(200);

    let mut waits = 0;
    for _ in 0..20 {
        waits += i32::from(enter(&server.browser(), "wrong").await.status == 429);
    }

    assert!(waits > 0, "strangers are slowed down");
    enter(&phone, "carl-correct-horse").await.expect(200);
}
