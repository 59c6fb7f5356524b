//! Which apps may do what, and taking it back.

use chrono::TimeDelta;

use crate::account::{send, text_of};
use crate::common::actors::Tokens;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ben, dev, portal, workbench};

both!(
    apps_are_listed_with_what_they_may_do,
    access_that_is_taken_away_ends_at_once,
    case_59_only_ones_own_access_is_taken_away,
    an_app_that_is_only_remembered_can_be_forgotten,
);

async fn apps_are_listed_with_what_they_may_do(db: Kind) {
    let server = TestServer::start(db).await;
    let (dev, portal, workbench) = (dev(&server), portal(&server), workbench(&server));
    let given = portal.tokens(&server, &dev).await;
    server.advance(TimeDelta::hours(14));
    portal.refresh(&given.refresh).await.expect(200);
    workbench.tokens(&server, &dev).await;

    let page = dev.browser.get("/account/apps").await.expect(200);

    assert_eq!(text_of(&page, "app-title-1"), "Patient Portal");
    assert_eq!(text_of(&page, "app-title-2"), "Workbench");
    assert!(page.body.contains("An app of Acme Hospital (acme)"), "{page:?}");
    assert!(page.body.contains("<li>See your projects</li>"), "{page:?}");
    let (first, _) = page.body.split_once("app-title-2").unwrap();
    assert!(first.contains("<dd>1 June 2026</dd>"), "since: {first}");
    assert!(first.contains("<dd>2 June 2026</dd>"), "last used: {first}");
}

async fn access_that_is_taken_away_ends_at_once(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, app) = (ben(&server), portal(&server));
    let given = app.tokens(&server, &ben).await;
    let code = app.code(&server, &ben).await;
    assert_eq!(app.userinfo(&given.access).await.status, 200);

    let page = send(&ben.browser, "/account/apps", |form| form.has("app"), &[]).await.expect(200);

    assert_eq!(text_of(&page, "apps-none"), "No app has access to your account.");
    assert_eq!(app.userinfo(&given.access).await.status, 401);
    assert_eq!(app.api("/v1/projects", &given.access, "acme").await.status, 401);
    assert_eq!(app.refresh(&given.refresh).await.refusal(), "400 invalid_grant");
    assert_eq!(app.exchange(&code).await.refusal(), "400 invalid_grant");
    // It has to ask again; and may have it again.
    let asked = ben.browser.get(&app.authorize_url()).await;
    let asked = ben.browser.follow(asked).await;
    assert!(asked.body.contains("id=\"consent-allow\""), "{asked:?}");
    let again = app.tokens(&server, &ben).await;
    assert_eq!(app.userinfo(&again.access).await.status, 200);
}

async fn case_59_only_ones_own_access_is_taken_away(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, dev, app) = (ben(&server), dev(&server), portal(&server));
    let bens = app.tokens(&server, &ben).await;
    let devs = app.tokens(&server, &dev).await;
    workbench(&server).tokens(&server, &dev).await;

    for other in ["workbench", "nobody", "../portal", &"x".repeat(3000)] {
        let fields = [("app", other), ("user", "dev"), ("user_id", "dev")];
        send(&ben.browser, "/account/apps", |form| form.has("app"), &fields).await.expect(200);
    }
    let fields = [("user", "dev"), ("user_id", "dev")];
    send(&ben.browser, "/account/apps", |form| form.has("app"), &fields).await.expect(200);

    assert_eq!(app.refresh(&bens.refresh).await.refusal(), "400 invalid_grant");
    Tokens::of(&app.refresh(&devs.refresh).await);
    let page = dev.browser.get("/account/apps").await.expect(200);
    assert_eq!(Form::all(&page.body).len(), 2, "dev keeps both");
}

async fn an_app_that_is_only_remembered_can_be_forgotten(db: Kind) {
    let server = TestServer::start(db).await;
    let (ben, app) = (ben(&server), portal(&server));
    let given = app.tokens(&server, &ben).await;
    app.revoke(&given.refresh).await.expect(200);

    let page = ben.browser.get("/account/apps").await.expect(200);
    assert!(page.body.contains("It has no access now"), "{page:?}");
    send(&ben.browser, "/account/apps", |form| form.has("app"), &[]).await.expect(200);

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM consents").await, 0);
}
