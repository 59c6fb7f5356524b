//! What people are shown before an app may act for them.

use crate::common::both;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, dev, portal, workbench};

both!(
    case_16_what_developers_wrote_is_shown_as_text,
    case_17_the_account_and_the_destination_stand_beside_the_title,
    case_17_an_app_in_development_says_so,
    case_15_a_consent_of_another_session_is_nothing,
    a_user_can_say_no,
    scopes_of_other_apis_are_told_in_the_words_of_their_owner,
    an_app_is_shown_with_its_own_picture_and_none_from_elsewhere,
);

/// The consent page of an app for somebody who signs in now.
async fn consent_page(
    server: &TestServer,
    person: &crate::common::actors::Person,
    url: &str,
) -> crate::common::answer::Answer {
    let first = person.browser.get(url).await;
    let mut page = person.browser.follow(first).await;
    while page.status == 200 && !page.body.contains("id=\"consent-form\"") {
        page = person.answer_page(server, &page).await;
    }
    page
}

async fn case_16_what_developers_wrote_is_shown_as_text(db: Kind) {
    let server = TestServer::start(db).await;
    let title = "title: \"<img src=https://evil.example onerror=alert(1)>\"";
    server.change_app("portal", "title: Patient Portal", title).await;

    let page = consent_page(&server, &ben(&server), &portal(&server).authorize_url()).await;

    assert!(page.body.contains("&#60;img src=https://evil.example"), "{page:?}");
    assert!(!page.body.contains("<img src=https"), "{page:?}");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("img-src 'self'"));
}

async fn case_17_the_account_and_the_destination_stand_beside_the_title(db: Kind) {
    let server = TestServer::start(db).await;
    server.change_app("portal", "title: Patient Portal", "title: Narthex Security").await;

    let page = consent_page(&server, &ben(&server), &portal(&server).authorize_url()).await;

    for text in ["Narthex Security", "Acme Hospital (acme)", ">portal.example<", "Ben Brandt"] {
        assert!(page.body.contains(text), "{text}: {page:?}");
    }
    assert!(page.body.contains("See your projects") && page.body.contains("Know who you are"));
    assert!(!page.body.contains("in development"));
}

async fn case_17_an_app_in_development_says_so(db: Kind) {
    let server = TestServer::start(db).await;

    let page = consent_page(&server, &dev(&server), &workbench(&server).authorize_url()).await;

    assert!(page.body.contains("id=\"app-developing\""), "{page:?}");
}

async fn case_15_a_consent_of_another_session_is_nothing(db: Kind) {
    let server = TestServer::start(db).await;
    let person = ben(&server);
    let url = portal(&server).authorize_url();
    let page = consent_page(&server, &person, &url).await;
    let form = Form::of(&page.body, "/consent");
    let fields: Vec<_> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();

    // The same browser, the same request, but somebody else has signed in meanwhile.
    let again = portal(&server).authorize_url_with(&[("prompt", "login")]);
    let other = crate::common::actors::Person { browser: person.browser.clone(), ..ada(&server) };
    consent_page(&server, &other, &again).await;
    let all = [&fields[..], &[("decision", "allow")]].concat();
    let answer = person.browser.post("/consent", &all).await;

    assert_eq!(answer.refusal(), "403 page");
    let codes = "SELECT COUNT(*) AS n FROM grants WHERE code_digest IS NOT NULL";
    assert_eq!(server.count(codes).await, 0);
}

async fn a_user_can_say_no(db: Kind) {
    let server = TestServer::start(db).await;
    let person = ben(&server);
    let page = consent_page(&server, &person, &portal(&server).authorize_url()).await;

    let answer = person.decide(&page, false).await;

    assert_eq!(answer.location_param("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.location_param("state").as_deref(), Some("st-1"));
}

async fn scopes_of_other_apis_are_told_in_the_words_of_their_owner(db: Kind) {
    let server = crate::gateway::start(db).await;
    let (app, ben) = (crate::gateway::reader(&server), ben(&server));

    let page = consent_page(&server, &ben, &app.authorize_url()).await;
    app.tokens(&server, &ben).await;
    let given = ben.browser.get("/account/apps").await.expect(200);

    for shown in [&page, &given] {
        assert!(shown.body.contains("<li>Read the handbook (handbook.read)</li>"), "{shown:?}");
        assert!(shown.body.contains("<li>Change the handbook (handbook.write)</li>"), "{shown:?}");
    }
}

async fn an_app_is_shown_with_its_own_picture_and_none_from_elsewhere(db: Kind) {
    let server = TestServer::start(db).await;
    let (app, dev) = (workbench(&server), dev(&server));
    let own = format!("{}/logos/workbench/abc123", server.url);
    let face = |page: &crate::common::answer::Answer| {
        let letter = page.body.split_once("class=\"letter\"").expect("a face").1;
        letter.split_once('>').expect("an element").0.to_owned()
    };
    for (icon, shown) in [
        (own, " src=\"/logos/workbench/abc123\" alt=\"\" width=\"52\" height=\"52\""),
        (format!("{}/logos/portal/abc123", server.url), " aria-hidden=\"true\""),
        ("https://evil.example/logos/workbench/abc123".to_owned(), " aria-hidden=\"true\""),
    ] {
        let icon = format!("title: Workbench\n    icon_url: \"{icon}\"");
        server.change_app("workbench", "title: Workbench", &icon).await;
        let page = consent_page(&server, &dev, &app.authorize_url()).await;
        assert_eq!(face(&page), shown);
        assert!(!page.body.contains("src=\"https"), "{page:?}");
    }
    server.change_app("workbench", "title: Workbench", "title: Work bench").await;
    app.tokens(&server, &dev).await;
    let given = dev.browser.get("/account/apps").await.expect(200);
    assert_eq!(face(&given), " aria-hidden=\"true\"");
}
