//! What the pages show of apps that registered themselves: modules of the plan "dynamic" of the
//! OpenID Foundation, named after them.

use serde_json::json;

use crate::common::actors::ClientApp;
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::dev;
use crate::oidc_dynamic::registered;
use crate::registration::actor::{good, open_server, with};

both!(
    registration_logo_policy_and_tos_uri,
    case_16_what_a_developer_wrote_is_text_and_links,
    case_17_the_account_stands_beside_the_name,
);

/// What the sign-in page and the consent page say of an app.
async fn pages(server: &TestServer, app: &ClientApp) -> [Answer; 2] {
    let person = dev(server);
    let first = person.browser.get(&app.authorize_url()).await;
    let sign_in = person.browser.follow(first).await;
    let consent = person.answer_page(server, &sign_in).await;
    [sign_in, consent]
}

async fn registration_logo_policy_and_tos_uri(db: Kind) {
    let server = open_server(db).await;
    let mut asked = good();
    for (name, path) in [("logo_uri", "logo.png"), ("policy_uri", "policy"), ("tos_uri", "terms")] {
        asked[name] = json!(format!("https://app.example/{path}"));
    }
    let (told, app) = registered(&server, &asked).await;

    for page in pages(&server, &app).await {
        for (id, name) in
            [("app-logo", "logo_uri"), ("app-policy", "policy_uri"), ("app-terms", "tos_uri")]
        {
            let href = told[name].as_str().unwrap();
            let link =
                format!("<a id=\"{id}\" href=\"{href}\" rel=\"noreferrer noopener nofollow\"");
            assert!(page.body.contains(&link), "{id}: {}", page.body);
        }
    }
}

async fn case_16_what_a_developer_wrote_is_text_and_links(db: Kind) {
    let server = open_server(db).await;
    let mut asked = with("client_name", json!("<img src=x onerror=alert(1)>"));
    asked["policy_uri"] = json!("https://app.example/?a=1&b='x'");
    asked["logo_uri"] = json!("https://app.example/logo.svg");
    let (_, app) = registered(&server, &asked).await;

    for page in pages(&server, &app).await {
        assert!(!page.body.contains("<img src=x"), "{}", page.body);
        assert!(page.body.contains("&#60;img src=x onerror=alert(1)&#62;"), "{}", page.body);
        assert!(page.body.contains("href=\"https://app.example/?a=1&#38;b=&#39;x&#39;\""));
        let loads = page.body.matches("src=\"").count();
        assert_eq!(loads, page.body.matches("src=\"/assets/").count(), "{}", page.body);
        assert!(page.header("content-security-policy").contains("img-src 'self'"));
    }
}

async fn case_17_the_account_stands_beside_the_name(db: Kind) {
    let server = open_server(db).await;
    let asked = with("client_name", json!("Patient Portal"));
    let (_, app) = registered(&server, &asked).await;

    let [sign_in, consent] = pages(&server, &app).await;

    for page in [&sign_in, &consent] {
        assert!(page.body.contains("id=\"app-account\">Acme Hospital (acme)<"), "{}", page.body);
    }
    assert!(consent.body.contains("id=\"app-host\">app.example<"));
    assert!(consent.body.contains("id=\"app-developing\""));
}
