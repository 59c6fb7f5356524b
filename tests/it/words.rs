//! The language of pages: what the app asks for, else what the browser prefers, else English.

use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ben, portal};

both!(
    a_page_is_in_the_language_that_the_browser_prefers,
    oidcc_3_1_2_1_ui_locales_win_until_another_app_asks,
    error_pages_speak_the_language_of_the_browser,
);

const GERMAN: (&str, &str) = ("accept-language", "de-AT,de;q=0.9,en;q=0.5");

/// What a page says that it is in, in all places where it says so.
#[track_caller]
fn language(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("<html lang=\"").expect("a page");
    let language = rest.split('"').next().expect("a language").to_owned();
    assert_eq!(page.header("content-language"), language, "{page:?}");
    assert!(page.header("vary").contains("accept-language"), "{page:?}");
    language
}

/// Follows redirects with an `Accept-Language`.
async fn open(browser: &Browser, path: &str, header: (&str, &str)) -> Answer {
    let mut answer = browser.get_with(path, &[header]).await;
    while !answer.location().is_empty() {
        answer = browser.get_with(answer.location(), &[header]).await;
    }
    answer
}

async fn a_page_is_in_the_language_that_the_browser_prefers(db: Kind) {
    let server = TestServer::start(db).await;

    for (header, expected, title) in [
        ("de", "de", "<h1>Anmelden</h1>"),
        ("en-GB, de;q=0.9", "en", "<h1>Sign in</h1>"),
        ("fr, *;q=0.1", "en", "<h1>Sign in</h1>"),
        ("\u{e4}", "en", "<h1>Sign in</h1>"),
        ("de;q=0", "en", "<h1>Sign in</h1>"),
    ] {
        let page = open(&server.browser(), "/sign-in", ("accept-language", header)).await;
        assert_eq!(language(&page), expected, "{header}");
        assert!(page.body.contains(title), "{header}: {page:?}");
    }
}

async fn oidcc_3_1_2_1_ui_locales_win_until_another_app_asks(db: Kind) {
    let server = TestServer::start(db).await;
    let app = portal(&server);
    let browser = server.browser();
    let asking = |tags: &str| format!("{}&ui_locales={tags}", app.authorize_url());
    let english = ("accept-language", "en");

    let page = open(&browser, &asking("fr+de"), english).await;
    assert_eq!(language(&page), "de");
    // Other pages on the way, too.
    assert_eq!(language(&open(&browser, "/nothing", english).await), "de");
    // None of ours is asked for, or nothing at all.
    assert_eq!(language(&open(&browser, &asking("fr"), english).await), "en");
    assert_eq!(language(&open(&browser, &asking("de"), english).await), "de");
    assert_eq!(language(&open(&browser, &app.authorize_url(), english).await), "en");
    assert_eq!(language(&open(&browser, &app.authorize_url(), GERMAN).await), "de");

    // The whole way works in German.
    let ben = ben(&server);
    let answer = ben.authorize(&server, &asking("de")).await;
    assert!(answer.location().contains("code="), "{answer:?}");
}

async fn error_pages_speak_the_language_of_the_browser(db: Kind) {
    let server = TestServer::start(db).await;
    let browser = server.browser();

    for (path, text) in [
        ("/nothing", "Hier ist nichts"),
        ("/consent", "Hier gibt es nichts zu erlauben"),
        ("/sign-in?grant=x", "Dieser Link funktioniert nicht"),
        ("/authorize", "nicht gesagt, wer sie ist"),
        ("/authorize?a=1&amp;a=2&a=3", "Ein Parameter kommt mehrmals vor"),
        ("/logout?client_id=x", "diesem Server nicht bekannt"),
    ] {
        let page = browser.get_with(path, &[GERMAN]).await;
        assert_eq!(language(&page), "de", "{path}");
        assert!(page.body.contains(text), "{path}: {page:?}");
        assert!(page.status >= 400, "{page:?}");
        assert_eq!(language(&browser.get(path).await), "en", "{path}");
    }
    let page = browser.get("/logout?ui_locales=fr+de-CH&client_id=x").await;
    assert_eq!(language(&page), "de");
}
