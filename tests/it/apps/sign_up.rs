//! Signing up in an app of one's own.

use narthex::config::sign_up::SignUp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::apps::Api;
use crate::apps::direct::code_of;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::jwt;
use crate::common::server::TestServer;
use crate::common::world::{ada, portal};

both!(
    a_code_makes_a_user_and_signs_them_in,
    case_47_an_app_does_not_learn_who_has_an_account,
    a_closed_server_takes_nobody_from_apps,
    an_invitation_is_taken_up_in_an_app,
    whoever_was_invited_joins_on_the_way_to_an_app,
);

const PASSWORD: &str = "seven green trains to Oslo";
const APP: &str = "
apps:
  - { id: phone, account: acme, title: Phone, status: live, type: public, allowed_accounts: all,
      allowed_scopes: [openid], callback_urls: ['org.acme.phone:/cb'],
      client_metadata: { may_take_passwords: true } }
";

async fn open(db: Kind, mode: SignUp) -> TestServer {
    let server = TestServer::start_with(db, |config| config.sign_up = mode).await;
    server.apply(include_str!("../common/world.yaml")).await;
    server.apply(APP).await;
    server
}

async fn call(server: &TestServer, path: &str, body: &Value) -> Answer {
    let kind = [("content-type", "application/json")];
    server.browser().send(Method::POST, path, &kind, body.to_string()).await
}

async fn sign_up(server: &TestServer, email: &str, password: &str) -> Answer {
    let body = json!({"clientId": "phone", "email": email, "username": "x", "password": password,
        "givenName": "Grace", "familyName": "Hopper", "originalUrl": "https://evil.example"});
    call(server, "/auth/v1/api/signup", &body).await
}

async fn confirm(server: &TestServer, email: &str, code: &str) -> Answer {
    let body = json!({"clientId": "phone", "username": email, "code": code});
    call(server, "/auth/v1/api/confirm", &body).await
}

async fn a_code_makes_a_user_and_signs_them_in(db: Kind) {
    let server = open(db, SignUp::Open).await;
    let weak = sign_up(&server, "grace@new.example", "password").await;
    assert_eq!(weak.refusal(), "400 invalid_body");

    let begun = sign_up(&server, "grace@new.example", PASSWORD).await.expect(200);
    assert_eq!(
        (begun.text("email"), begun.text("username")),
        ("grace@new.example".to_owned(), "grace@new.example".to_owned())
    );
    let users = "SELECT COUNT(*) AS n FROM users";
    let before = server.count(users).await;
    let code = code_of(&server, "grace@new.example").await;
    assert_eq!(
        confirm(&server, "grace@new.example", "00000000").await.refusal(),
        "403 invalid_credentials"
    );
    assert_eq!(confirm(&server, "ben", &code).await.refusal(), "403 invalid_credentials");
    let done = confirm(&server, "grace@new.example", &code).await.expect(200);

    assert_eq!(server.count(users).await, before + 1);
    assert_eq!(jwt::claims(&done.text("identityToken"))["aud"], "phone");
    assert!(!done.text("refreshToken").is_empty());
    assert_eq!(
        confirm(&server, "grace@new.example", &code).await.refusal(),
        "403 invalid_credentials"
    );
    let body = json!({"clientId": "phone", "username": "grace@new.example", "password": PASSWORD});
    call(&server, "/auth/v1/api/login", &body).await.expect(200);

    let body = json!({"clientId": "phone", "email": "hal@new.example", "phone": "+49 1"});
    call(&server, "/auth/v1/api/signup", &body).await.expect(200);
    let code = code_of(&server, "hal@new.example").await;
    let done = confirm(&server, "hal@new.example", &code).await.expect(200);
    assert_eq!(jwt::claims(&done.text("identityToken"))["amr"], json!(["otp"]), "no password");
    let body = json!({"clientId": "phone", "username": "hal@new.example", "password": ""});
    let answer = call(&server, "/auth/v1/api/login", &body).await;
    assert_eq!(answer.refusal(), "403 invalid_credentials");
}

async fn case_47_an_app_does_not_learn_who_has_an_account(db: Kind) {
    let server = open(db, SignUp::Open).await;

    let known = sign_up(&server, "ada@acme.example", PASSWORD).await;
    let unknown = sign_up(&server, "new@acme.example", PASSWORD).await;

    assert_eq!((known.status, unknown.status), (200, 200));
    let same = known.body.replace("ada@", "new@");
    assert_eq!(same, unknown.body);
    let letters = server.letters().await;
    assert!(letters.iter().any(|letter| letter.to.contains("ada@") && letter.links.len() == 1));
    let wrong = confirm(&server, "ada@acme.example", "12345678").await;
    assert_eq!(wrong.body, confirm(&server, "new@acme.example", "12345678").await.body);
}

async fn a_closed_server_takes_nobody_from_apps(db: Kind) {
    for mode in [SignUp::Operators, SignUp::Closed, SignUp::Invitation] {
        let server = open(db, mode).await;
        let answer = sign_up(&server, "grace@new.example", PASSWORD).await;
        assert_eq!(answer.refusal(), "403 sign_up_closed");
    }
}

async fn an_invitation_is_taken_up_in_an_app(db: Kind) {
    let server = open(db, SignUp::Closed).await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let invite = async |email: &str| {
        let body = json!({"email": email, "groupId": "acme-nurses"});
        admin.post("/v1/account/invitations", &body).await.expect(201);
        let letters = server.letters().await;
        let letter =
            letters.iter().rev().find(|letter| letter.to.contains(email)).expect("a letter");
        let link = url::Url::parse(letter.links.last().expect("a link")).expect("a URL");
        let find = |name: &str| {
            link.query_pairs().find(|(key, _)| key == name).expect("both").1.into_owned()
        };
        (find("inviteId"), find("evc"))
    };
    let validate = async |id: &str, evc: &str| {
        let body = json!({"inviteId": id, "evc": evc});
        call(&server, "/auth/v1/api/invite-validations", &body).await
    };
    let (id, evc) = invite("grace@new.example").await;

    let valid = validate(&id, &evc).await.expect(200).json();
    assert_eq!(valid["userState"]["isExistingUser"], false);
    assert_eq!(valid["invitation"]["email"], "grace@new.example");
    assert_eq!(valid["invitation"]["group"]["name"], "Nurses");
    for (id, evc) in [(&*id, "1.x"), ("no-such", &*evc), ("", ""), ("../x", &*evc)] {
        assert_eq!(validate(id, evc).await.refusal(), "404 not_found");
    }
    let sign_up = async |email: &str| {
        let body = json!({"clientId": "phone", "email": email, "password": PASSWORD,
            "inviteId": id, "evc": evc, "originalUrl": "https://phone.example/a?b"});
        call(&server, "/auth/v1/api/signup", &body).await
    };
    assert_eq!(sign_up("other@new.example").await.refusal(), "403 other_address");
    let done = sign_up("grace@new.example").await.expect(200);
    assert_eq!(done.json()["userConfirmed"], true);
    assert_eq!(done.json()["originalUrl"], "https://phone.example/a?b");
    assert_eq!(jwt::claims(&done.text("identityToken"))["aud"], "phone");
    assert_eq!(validate(&id, &evc).await.refusal(), "409 already_accepted");
    assert_eq!(sign_up("grace@new.example").await.refusal(), "409 already_accepted");
    let members = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-nurses'";
    assert_eq!(server.count(members).await, 2, "ben, and whoever was invited");
}

async fn whoever_was_invited_joins_on_the_way_to_an_app(db: Kind) {
    let server = open(db, SignUp::Invitation).await;
    let admin = Api::of(&server, &ada(&server), "acme").await;
    let body = json!({"email": "grace@new.example", "groupId": "acme-nurses"});
    admin.post("/v1/account/invitations", &body).await.expect(201);
    let letters = server.letters().await;
    let link = letters.last().expect("a letter").links.last().expect("a link").clone();
    let (_, letter) = link.split_once('?').expect("what the letter holds");
    let app = portal(&server);
    let asked = app.authorize_url_with(&[("prompt", "consent")]);
    let asked = asked.replacen("/authorize", "/oidc-provider/auth", 1);
    let at = |letter: &str| format!("{asked}&{letter}");

    let void = server.browser();
    let page = void.follow(void.get(&at("inviteId=no-such&evc=1.x")).await).await;
    Form::of(&page.body, "/sign-in");
    let browser = server.browser();
    let page = browser.follow(browser.get(&at(letter)).await).await;
    let form = Form::of(&page.body, "/invitation");
    let fields = [("name", "Grace"), ("password", PASSWORD), ("decision", "accept")];
    let done = browser.submit(&page, &form, &fields).await;

    Form::of(&done.body, "/consent");
    let members = "SELECT COUNT(*) AS n FROM group_members WHERE group_id = 'acme-nurses'";
    assert_eq!(server.count(members).await, 2);
}
