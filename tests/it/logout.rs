//! Signing out, by hand and on behalf of an app.

use chrono::TimeDelta;

use crate::common::actors::Person;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, eve, portal};
use crate::common::{both, jwt};

both!(
    case_57_an_app_that_proves_the_session_ends_it,
    case_57_without_proof_the_user_is_asked,
    case_57_nobody_is_sent_to_an_address_that_is_not_registered,
    case_57_a_hint_of_others_is_refused,
    case_44_nobody_is_signed_out_by_a_link_or_a_foreign_form,
);

async fn is_signed_in(server: &TestServer, person: &Person) -> bool {
    let app = portal(server);
    let answer = person.browser.get(&app.authorize_url_with(&[("prompt", "none")])).await;
    answer.refusal() != "303 login_required"
}

async fn case_57_an_app_that_proves_the_session_ends_it(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let tokens = app.tokens(&server, &ben).await;
    // An ID token proves who it was although it has expired.
    server.advance(TimeDelta::seconds(3_500));
    assert!(is_signed_in(&server, &ben).await);

    let url = format!(
        "/logout?id_token_hint={}&post_logout_redirect_uri=https://portal.example/bye&state=s%26t",
        tokens.id
    );
    let answer = ben.browser.follow(ben.browser.get(&url).await).await;

    assert_eq!(answer.location(), "https://portal.example/bye?state=s%26t");
    assert_eq!(answer.status, 303);
    assert!(!is_signed_in(&server, &ben).await);
}

async fn case_57_without_proof_the_user_is_asked(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    ben.sign_in(&server).await;
    let by_app = "/logout?client_id=portal&logout_uri=https://portal.example/bye";

    for url in ["/logout", by_app] {
        let page = ben.browser.follow(ben.browser.get(url).await).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(is_signed_in(&server, &ben).await, "asking is not doing");
    }
    let page = ben.browser.get(by_app).await;
    let form = Form::of(&page.body, "/logout");
    let done = ben.browser.submit(&page, &form, &[]).await;

    assert!(!is_signed_in(&server, &ben).await, "{done:?}");
    assert_eq!(done.location(), "https://portal.example/bye");

    // As somebody else, says the other dialect of Cognito.
    ben.sign_in(&server).await;
    let query = "client_id=portal&response_type=code&\
        redirect_uri=https%3A%2F%2Fportal.example%2Fcallback&state=a%26b";
    let page = ben.browser.get(&format!("/logout?{query}")).await;
    let form = Form::of(&page.body, "/logout");
    let done = ben.browser.submit(&page, &form, &[]).await;
    assert!(!is_signed_in(&server, &ben).await, "{done:?}");
    let back = done.location();
    assert!(back.starts_with("https://portal.example/callback?error=invalid_request"), "{back}");
    assert!(back.contains("state=a%26b") && back.contains("PKCE"), "{back}");
    let evil = "/logout?client_id=portal&response_type=code&redirect_uri=https://evil.example/";
    assert_eq!(ben.browser.get(evil).await.status, 400);
}

async fn case_57_nobody_is_sent_to_an_address_that_is_not_registered(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let id = app.tokens(&server, &ben).await.id;
    let bad = [
        "https://evil.example/",
        "https://portal.example/bye/",
        "https://portal.example/bye?x",
        "https://portal.example/callback",
        "https://portal.example@evil.example/bye",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example",
        "/\\evil.example",
        "\"><script>alert(1)</script>",
    ];

    for to in bad {
        for who in [format!("id_token_hint={id}"), "client_id=portal".to_owned(), String::new()] {
            for name in ["post_logout_redirect_uri", "logout_uri"] {
                let query = form_urlencoded::Serializer::new(String::new())
                    .append_pair(name, to)
                    .append_pair("state", "<script>alert(1)</script>")
                    .finish();
                let answer = ben.browser.get(&format!("/logout?{who}&{query}")).await;
                assert_eq!(answer.location(), "", "{to}: {answer:?}");
                assert!(!answer.body.contains("<script>alert"), "{to}: {answer:?}");
                assert!(!answer.body.to_lowercase().contains("javascript:"), "{to}: {answer:?}");
            }
        }
    }
    assert!(is_signed_in(&server, &ben).await);
}

async fn case_57_a_hint_of_others_is_refused(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben, eve) = (portal(&server), ben(&server), eve(&server));
    let tokens = app.tokens(&server, &ben).await;
    let of_eve = app.tokens(&server, &eve).await;
    let claims = jwt::claims(&tokens.id);
    let none = format!("{}.{}.", jwt::encode(r#"{"alg":"none"}"#), jwt::encode(claims.to_string()));
    let mut foreign = claims.clone();
    foreign["iss"] = "https://other.example".into();
    let foreign = server.sign("JWT", &foreign);
    let mut header = jwt::header(&tokens.id);
    header["alg"] = "HS256".into();

    for hint in [&*none, &foreign, &jwt::forged(&tokens.id, &header, &claims), "x", &tokens.access]
    {
        let answer = ben.browser.get(&format!("/logout?id_token_hint={hint}")).await;
        assert_eq!(answer.refusal(), "400 page", "{hint}: {answer:?}");
    }
    // Somebody else's, though genuine, ends nothing without being asked.
    let answer = ben.browser.get(&format!("/logout?id_token_hint={}", of_eve.id)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let mixed = format!("/logout?id_token_hint={}&client_id=backend", tokens.id);
    assert_eq!(ben.browser.get(&mixed).await.refusal(), "400 page");
    assert!(is_signed_in(&server, &ben).await);
    assert!(is_signed_in(&server, &eve).await);
}

async fn case_44_nobody_is_signed_out_by_a_link_or_a_foreign_form(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    ben.sign_in(&server).await;
    let page = ben.browser.get("/logout").await;
    let form = Form::of(&page.body, "/logout");
    let pairs: Vec<(&str, &str)> = form.fields.iter().map(|(k, v)| (&**k, &**v)).collect();

    let bare = ben.browser.post("/logout", &[]).await;
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let foreign = ben.browser.post_with("/logout", &foreign, &[]).await;
    let proof_of_other = {
        let other = server.browser();
        let page = other.get("/sign-in").await;
        let form = Form::all(&page.body)[0].clone();
        form.fields.iter().find(|(name, _)| name == "csrf").cloned()
    };
    let (_, proof) = proof_of_other.expect("the sign-in form has a proof");
    let swapped: Vec<(&str, &str)> =
        pairs.iter().map(|(k, v)| (*k, if *k == "csrf" { &*proof } else { *v })).collect();
    let swapped = ben.browser.post("/logout", &swapped).await;

    // Refused, or asked once more.
    for refused in [bare, foreign, swapped] {
        let asked = refused.location().starts_with("/logout");
        assert!(asked || [400, 403].contains(&refused.status), "{refused:?}");
    }
    assert!(is_signed_in(&server, &ben).await);
}
