//! Providers of accounts: what one account's says is nothing to another, and an account may demand
//! its own of its members.

use serde_json::json;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::world::{ben, betaware, eve, portal};
use crate::upstream::op::{Op, code, id_claims, leave, sign_in_page, world};

both!(
    case_54_a_provider_is_offered_to_its_own_accounts_apps,
    case_54_a_session_of_one_accounts_provider_is_none_for_another_account,
    case_54_an_accounts_word_for_an_address_is_not_the_truth,
    members_come_from_the_provider_that_their_account_demands,
    a_provider_that_moves_knows_nobody_any_more,
    declarations_are_checked,
);

async fn case_54_a_provider_is_offered_to_its_own_accounts_apps(db: Kind) {
    let (server, _op) = world(db, "account: acme\n    creates_users: true").await;
    let (own, other) = (portal(&server), betaware(&server));
    let browser = server.browser();

    let page = sign_in_page(&browser, &own.authorize_url()).await;
    let form = Form::of(&page.body, "/upstream/op/start");
    let elsewhere = sign_in_page(&browser, &other.authorize_url()).await;
    let plain = sign_in_page(&browser, "/sign-in").await;

    assert!(!elsewhere.body.contains("/upstream/") && !plain.body.contains("/upstream/"));
    // The form of one app's page, for the sign-in of another.
    let grant = Form::of(&elsewhere.body, "/sign-in").fields;
    let grant = grant.iter().find(|(name, _)| name == "grant").map(|(_, value)| value.clone());
    let grant = grant.expect("a grant");
    let swapped = browser.submit(&page, &form, &[("grant", &grant)]).await;
    assert_eq!(swapped.refusal(), "403 page");
    let none = browser.submit(&page, &form, &[("grant", "")]).await;
    assert_eq!(none.refusal(), "403 page");
}

async fn case_54_a_session_of_one_accounts_provider_is_none_for_another_account(db: Kind) {
    let (server, op) = world(db, "account: acme\n    creates_users: true").await;
    server
        .apply(
            "accounts:\n  - { id: beta, name: Beta Clinic, groups: [{ id: beta-staff, name: Staff }] }",
        )
        .await;
    let (own, other) = (portal(&server), betaware(&server));
    let browser = server.browser();
    let answer = op.arrive(&server, &browser, &own.authorize_url(), ("g-1", &[])).await;
    code(&browser, answer).await;

    let silent = browser.get(&other.authorize_url_with(&[("prompt", "none")])).await;
    let page = sign_in_page(&browser, &other.authorize_url()).await;

    assert_eq!(silent.refusal(), "303 login_required");
    assert!(page.body.contains("id=\"password\""), "{page:?}");
    // A provider of the whole server is good for both.
    let common = Op::start().await;
    server.apply(&common.declaration("op", "creates_users: true")).await;
    let browser = server.browser();
    let answer = common.arrive(&server, &browser, &own.authorize_url(), ("c-1", &[])).await;
    code(&browser, answer).await;
    let next = browser.get(&other.authorize_url_with(&[("prompt", "none")])).await;
    assert_ne!(next.refusal(), "303 login_required", "{next:?}");
}

async fn case_54_an_accounts_word_for_an_address_is_not_the_truth(db: Kind) {
    let more = "account: beta\n    creates_users: true\n    email_domains: [beta.example]";
    let (server, op) = world(db, more).await;
    let app = betaware(&server);
    let said = |address: &str| [("email", json!(address)), ("email_verified", json!(true))];

    for (subject, address) in [("1", "ada@acme.example"), ("2", "new@acme.example")] {
        let browser = server.browser();
        let start = app.authorize_url();
        let answer = op.arrive(&server, &browser, &start, (subject, &said(address))).await;
        assert!(!answer.location().contains("/upstream/link"), "{address}");
    }
    let browser = server.browser();
    op.arrive(&server, &browser, &app.authorize_url(), ("3", &said("x@beta.example"))).await;

    let own =
        "SELECT COUNT(*) AS n FROM users WHERE email_verified = 1 AND email = 'x@beta.example'";
    assert_eq!(server.count(own).await, 1);
    let other =
        "SELECT COUNT(*) AS n FROM users WHERE email_verified = 1 AND email = 'new@acme.example'";
    assert_eq!(server.count(other).await, 0);
}

async fn members_come_from_the_provider_that_their_account_demands(db: Kind) {
    let more = "account: acme\n    creates_users: true\n    groups: [acme-nurses]\n    \
                required_for_members: true";
    let (server, op) = world(db, more).await;
    let (app, member, guest) = (portal(&server), ben(&server), eve(&server));

    // A member's password is refused for the account's app, in clear words and with the way out.
    let page = sign_in_page(&member.browser, &app.authorize_url()).await;
    let refused = member.answer_page(&server, &page).await;
    assert_eq!(refused.refusal(), "403 page");
    let text = "Acme Hospital asks its members to sign in with The op";
    assert!(refused.body.contains(text), "{refused:?}");
    assert!(refused.body.contains("/upstream/op/start"), "{refused:?}");
    // A session of theirs is led there, too.
    let elsewhere = ben(&server);
    elsewhere.sign_in(&server).await;
    let led = sign_in_page(&elsewhere.browser, &app.authorize_url()).await;
    assert!(led.body.contains(text), "{led:?}");
    let silent = elsewhere.browser.get(&app.authorize_url_with(&[("prompt", "none")])).await;
    assert_eq!(silent.refusal(), "303 login_required");
    // Whoever is no member signs in as always.
    guest.authorize(&server, &app.authorize_url()).await.location_param("code").expect("a code");
    // Who comes from it is let in, as a member.
    let browser = server.browser();
    let answer = op.arrive(&server, &browser, &app.authorize_url(), ("g-1", &[])).await;
    let claims = id_claims(&browser, &app, answer).await;
    assert_eq!(claims["amr"], json!(["fed"]));
    // Once it is switched off, nobody is locked out.
    let off = format!("{more}\n    enabled: false");
    server.apply(&op.declaration("op", &off)).await;
    app.tokens(&server, &ben(&server)).await;
}

async fn a_provider_that_moves_knows_nobody_any_more(db: Kind) {
    let (server, op) = world(db, "account: acme\n    creates_users: true").await;
    let browser = server.browser();
    let start = portal(&server).authorize_url();
    op.arrive(&server, &browser, &start, ("g-1", &[])).await.expect(303);

    server.apply(&op.declaration("op", "account: beta\n    creates_users: true")).await;

    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
    let trip = leave(&server.browser(), &betaware(&server).authorize_url(), "op").await;
    assert!(!trip.state.is_empty());
}

async fn declarations_are_checked(db: Kind) {
    let (server, op) = world(db, "").await;
    for (bad, expected) in [
        ("account: none", "there is no account none"),
        ("groups: [acme-nurses]", "belong to an account"),
        ("account: acme\n    groups: [beta-admins]", "there is no group beta-admins"),
        ("required_for_members: true", "needs an account"),
        ("client_auth: magic", "must be none"),
        ("client_auth: signed_secret", "team_id is missing"),
        ("preset: myspace", "must be google"),
        ("response_mode: fragment", "must be query or form_post"),
        ("scopes: [email]", "openid"),
        ("email_domains: [nonsense]", "must be a domain"),
        ("secret: x", "there is no such key"),
    ] {
        let error = server.try_apply(&op.declaration("bad", bad)).await.expect_err(bad);
        assert!(error.to_string().contains(expected), "{bad}: {error}");
    }
    for (preset, more) in
        [("google", "client_secret: s"), ("microsoft", "tenant: common\n    client_secret: s")]
    {
        let yaml = format!(
            "providers:\n  - id: {preset}\n    kind: oidc\n    title: T\n    preset: {preset}\n    \
             client_id: c\n    {more}\n"
        );
        server.apply(&yaml).await;
        server.apply(&yaml).await;
    }
}
