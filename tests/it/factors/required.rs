//! Second factors that an account, an app or a request demands.

use serde_json::json;

use super::{CARA, ONE, TWO, cara, codes, enrol, form, is_signed_in, password, said, secret};
use crate::common::actors::Person;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

both!(
    case_50_a_member_without_a_factor_adds_one_and_cannot_skip_it,
    case_50_half_a_sign_in_adds_nothing_beside_a_factor,
    case_50_the_last_factor_stays_while_one_is_required,
    case_50_an_app_that_demands_two_factors_lets_nobody_in_with_one,
    rfc9470_5_a_demand_of_the_request_leads_to_a_first_factor,
    a_demand_that_is_new_holds_for_old_sessions_and_tokens,
);

const STRICT: &str = "accounts: [{ id: gamma, name: Gamma, requires_second_factor: true, groups: [{ id: gamma-all, name: All, members: [cara] }] }]";

async fn strict(db: Kind) -> TestServer {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    server.apply(STRICT).await;
    server
}

async fn case_50_a_member_without_a_factor_adds_one_and_cannot_skip_it(db: Kind) {
    let server = strict(db).await;
    let person = cara(&server);
    let browser = &person.browser;

    let page = password(&person).await;

    assert!(page.url.ends_with("/sign-in/enrol"), "{page:?}");
    assert!(!is_signed_in(browser).await);
    let asked = browser.get(&portal(&server).authorize_url()).await;
    assert!(asked.location().starts_with("/sign-in?grant="), "{asked:?}");
    for path in ["/account/factors", "/account/factors/app", "/account"] {
        assert!(browser.get(path).await.location().starts_with("/sign-in"), "{path}");
    }
    let wrong = browser.submit(&page, &form(&page, "enrol-form"), &[("code", "000000")]).await;
    assert_eq!((wrong.status, secret(&wrong)), (403, secret(&page)));
    assert!(!is_signed_in(browser).await);
    let code = server.totp(&secret(&page));
    let done = browser.submit(&wrong, &form(&wrong, "enrol-form"), &[("code", &code)]).await;
    assert_eq!(codes(&done).len(), 10, "{done:?}");
    assert!(is_signed_in(browser).await);
    let told = said(&server, &portal(&server), &person).await;
    assert_eq!(told, (json!(["pwd", "otp", "mfa"]), json!(TWO)));
}

async fn case_50_half_a_sign_in_adds_nothing_beside_a_factor(db: Kind) {
    let server = strict(db).await;
    let (owner, thief) = (cara(&server), cara(&server));
    let early = password(&thief).await;
    let page = password(&owner).await;
    let code = server.totp(&secret(&page));
    owner.browser.submit(&page, &form(&page, "enrol-form"), &[("code", &code)]).await.expect(200);

    let code = server.totp(&secret(&early));
    let late = thief.browser.submit(&early, &form(&early, "enrol-form"), &[("code", &code)]).await;
    let shown = thief.browser.get("/sign-in/enrol").await;

    assert!(late.body.contains("id=\"totp-form\""), "{late:?}");
    assert_eq!(shown.location(), "/sign-in/totp");
    assert!(!is_signed_in(&thief.browser).await);
    let code = server.totp(&secret(&early));
    let wrong = thief.browser.submit(&late, &form(&late, "totp-form"), &[("code", &code)]).await;
    assert_eq!(wrong.status, 403);
    // Who has a factor all along is never asked to add one.
    let ada = ada(&server);
    password(&ada).await;
    assert_eq!(ada.browser.get("/sign-in/enrol").await.location(), "/sign-in/totp");
}

async fn case_50_the_last_factor_stays_while_one_is_required(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let person = cara(&server);
    password(&person).await;
    enrol(&server, &person.browser).await;
    server.apply(STRICT).await;

    let page = person.browser.get("/account/factors").await.expect(200);
    let refused = person.browser.submit(&page, &form(&page, "app-remove-form"), &[]).await;

    assert!(page.body.contains("id=\"factors-required\""), "{page:?}");
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("Please add another one first"), "{refused:?}");
    assert_eq!(
        server.count("SELECT COUNT(*) AS n FROM totp_factors WHERE user_id = 'cara'").await,
        1
    );
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM recovery_codes").await, 10);
}

async fn case_50_an_app_that_demands_two_factors_lets_nobody_in_with_one(db: Kind) {
    let server = TestServer::start(db).await;
    let line = "type: public\n    client_metadata: { require_second_factor: true }";
    server.change_app("portal", "type: public", line).await;
    let (app, ben) = (portal(&server), ben(&server));
    // A session of one factor, and a request that asks for no more than that.
    password(&ben).await;
    assert!(is_signed_in(&ben.browser).await);
    let url = app.authorize_url_with(&[("acr_values", ONE)]);

    let silent = app.authorize_url_with(&[("prompt", "none")]);
    let silent = ben.browser.get(&silent).await;
    let page = ben.browser.follow(ben.browser.get(&url).await).await;
    let enrolling = ben.answer_page(&server, &page).await;

    assert_eq!(silent.refusal(), "303 login_required");
    assert!(enrolling.url.contains("/sign-in/enrol?grant="), "{enrolling:?}");
    let grant = enrolling.url.split_once("?grant=").unwrap().1.to_owned();
    let back = ben.browser.get(&format!("/authorize/{grant}")).await;
    assert!(back.location().starts_with("/sign-in?grant="), "the old session is not enough");
    let code = server.totp(&secret(&enrolling));
    let enrol_form = form(&enrolling, "enrol-form");
    let done = ben.browser.submit(&enrolling, &enrol_form, &[("code", &code)]).await.expect(200);
    assert!(done.body.contains(&format!("href=\"/authorize/{grant}\"")), "{done:?}");
    let told = said(&server, &app, &ben).await;
    assert_eq!(told, (json!(["pwd", "otp", "mfa"]), json!(TWO)));
}

async fn rfc9470_5_a_demand_of_the_request_leads_to_a_first_factor(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, ben) = (portal(&server), ben(&server));
    let acr = json!({ "id_token": { "acr": { "essential": true, "values": [TWO] } } });
    let url = app.authorize_url_with(&[("claims", &acr.to_string())]);

    let page = ben.browser.follow(ben.browser.get(&url).await).await;
    let enrolling = ben.answer_page(&server, &page).await;
    let cancel = Form::of(&enrolling.body, "/sign-in/cancel");
    let cancelled = ben.browser.submit(&enrolling, &cancel, &[]).await;

    assert!(enrolling.url.contains("/sign-in/enrol?grant="), "{enrolling:?}");
    assert_eq!(cancelled.refusal(), "303 access_denied");
    assert!(!is_signed_in(&ben.browser).await, "to cancel is not to be done");
    let page = ben.browser.follow(ben.browser.get(&url).await).await;
    let enrolling = ben.answer_page(&server, &page).await;
    let code = server.totp(&secret(&enrolling));
    let enrol_form = form(&enrolling, "enrol-form");
    ben.browser.submit(&enrolling, &enrol_form, &[("code", &code)]).await.expect(200);
    let code = app.code_for(&server, &ben, &url).await;
    let claims = crate::common::jwt::claims(&app.exchange(&code).await.text("id_token"));
    assert_eq!(claims["acr"], TWO);
}

async fn a_demand_that_is_new_holds_for_old_sessions_and_tokens(db: Kind) {
    let server = TestServer::start(db).await;
    server.apply(CARA).await;
    let (app, person) = (portal(&server), cara(&server));
    let before = said(&server, &app, &person).await;
    let held = app.tokens(&server, &person).await;

    server.apply(STRICT).await;
    let refreshed = app.refresh(&held.refresh).await;
    let after = person.browser.get(&app.authorize_url()).await;
    let page = person.browser.follow(after).await;
    let enrolling = Person { ..person }.answer_page(&server, &page).await;

    assert_eq!(before, (json!(["pwd"]), json!(ONE)));
    assert_eq!(refreshed.refusal(), "400 invalid_grant");
    assert!(enrolling.url.contains("/sign-in/enrol?grant="), "{enrolling:?}");
}
