//! What one tells of oneself.

use serde_json::json;

use crate::account::{held, send};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, portal};

both!(
    a_profile_is_changed_and_apps_see_it,
    nothing_that_was_typed_is_lost,
    a_new_phone_number_is_not_a_verified_one,
    what_the_page_does_not_show_stays,
);

const PATH: &str = "/account/profile";

async fn a_profile_is_changed_and_apps_see_it(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, app) = (ben(&server), portal(&server));
    let given = app.tokens(&server, &ben).await;
    let fields = [
        ("name", " Benedikt Brandt "),
        ("given_name", "Benedikt"),
        ("nickname", "<b>Ben</b>"),
        ("birthdate", "1948-03-27"),
        ("locale", "de-CH"),
        ("zoneinfo", "Europe/Zurich"),
        ("locality", "Bern"),
    ];

    let page = send(&ben.browser, PATH, |_| true, &fields).await.expect(200);

    assert!(page.body.contains("id=\"saved\""), "{page:?}");
    assert!(!page.body.contains("<b>Ben"), "{page:?}");
    let claims = app.userinfo(&given.access).await.json();
    assert_eq!(claims["name"], "Benedikt Brandt");
    assert_eq!(claims["nickname"], "<b>Ben</b>");
    assert_eq!(claims["birthdate"], "1948-03-27");
    assert_eq!(claims["zoneinfo"], "Europe/Zurich");
    assert_eq!(claims["preferred_username"], "ben");
    send(&ben.browser, PATH, |_| true, &[("name", ""), ("nickname", " ")]).await.expect(200);
    let claims = app.userinfo(&given.access).await.json();
    assert_eq!((claims.get("name"), claims.get("nickname")), (None, None));
}

async fn nothing_that_was_typed_is_lost(db: Kind) {
    let server = TestServer::start(db).await;
    let ben = ben(&server);
    ben.sign_in(&server).await;
    for (field, bad) in [
        ("birthdate", "27.3.1948"),
        ("phone_number", "call me"),
        ("website", "javascript:alert(1)"),
        ("zoneinfo", "the usual"),
        ("locale", "german please"),
        ("name", &"x".repeat(400)),
    ] {
        let fields = [("family_name", "\"Brandt\" & <sons>"), (field, bad)];

        let page = send(&ben.browser, PATH, |_| true, &fields).await.expect(400);

        let form = Form::of(&page.body, PATH);
        assert_eq!(held(&form, field), bad);
        assert_eq!(held(&form, "family_name"), "\"Brandt\" & <sons>");
        let (_, marked) =
            page.body.split_once(&format!("<input type=\"text\" id=\"{field}\"")).unwrap();
        let (marked, _) = marked.split_once('>').unwrap();
        assert!(marked.contains("aria-invalid=\"true\""), "{marked}");
        assert_eq!(page.body.matches("aria-invalid").count(), 1, "{page:?}");
        assert!(page.body.contains("role=\"alert\""), "{page:?}");
    }
    let held_now = held(&Form::of(&ben.browser.get(PATH).await.body, PATH), "family_name");
    assert_eq!(held_now, "", "nothing of it was saved");
}

async fn a_new_phone_number_is_not_a_verified_one(db: Kind) {
    let server = TestServer::start(db).await;
    server
        .apply(
            "users: [{ id: ben, username: ben, password: ben-correct-horse,
               profile: { phone_number: +41 31 123 45 67, phone_number_verified: true } }]",
        )
        .await;
    let (ben, id) = (ben(&server), "ben".parse().unwrap());
    ben.sign_in(&server).await;
    let user = async || server.server.users.find(&id).await.unwrap().unwrap();

    send(&ben.browser, PATH, |_| true, &[("nickname", "Benny")]).await.expect(200);
    assert!(user().await.profile.phone_number_verified);
    let fields = [("phone_number", "+41 31 765 43 21"), ("phone_number_verified", "true")];
    send(&ben.browser, PATH, |_| true, &fields).await.expect(200);

    assert_eq!(user().await.profile.phone_number.as_deref(), Some("+41 31 765 43 21"));
    assert!(!user().await.profile.phone_number_verified);
}

async fn what_the_page_does_not_show_stays(db: Kind) {
    let server = TestServer::start(db).await;
    let address =
        "{ formatted: \"1 Way\\nBern\", street_address: \"1 Way\\nBack house\", region: BE }";
    server
        .apply(&format!(
            "users: [{{ id: ben, username: ben, email: ben@acme.example, email_verified: true,
               attributes: {{ ward: W1 }}, password: ben-correct-horse,
               profile: {{ gender: x, picture: https://ben.example/me.png, address: {address} }} }}]"
        ))
        .await;
    let (ben, id) = (ben(&server), "ben".parse().unwrap());
    ben.sign_in(&server).await;
    let user = async || server.server.users.find(&id).await.unwrap().unwrap();

    let fields = [("nickname", "Benny"), ("email", "eve@evil.example"), ("username", "eve")];
    send(&ben.browser, PATH, |_| true, &fields).await.expect(200);

    let now = user().await;
    assert_eq!((now.username.as_str(), now.email.as_deref()), ("ben", Some("ben@acme.example")));
    assert!(now.email_verified);
    assert_eq!(now.attributes["ward"], json!("W1"));
    assert_eq!(now.profile.gender.as_deref(), Some("x"));
    assert_eq!(now.profile.picture.as_deref(), Some("https://ben.example/me.png"));
    let address = now.profile.address.clone().unwrap();
    assert_eq!(address.street_address.as_deref(), Some("1 Way\nBack house"));
    assert_eq!(address.formatted.as_deref(), Some("1 Way\nBern"));
    assert_eq!(address.region.as_deref(), Some("BE"));
}
