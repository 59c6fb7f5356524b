//! What is never logged, however much is.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use narthex::config::sign_up::SignUp;
use tracing_subscriber::fmt::MakeWriter;

use crate::common::actors::{Person, Tokens};
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, portal};

/// Everything that this test program logs.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Runs something that answers secrets, and looks for them in all that was logged meanwhile.
fn look_for(what: impl AsyncFnOnce() -> Vec<String>) {
    // One thread, so that a subscriber of this thread hears all that its server says.
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    // Beside a second one: while there is just one, a thread of another test that comes by a line
    // first decides for all threads that nobody listens to it.
    let _second =
        tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
    let _listening = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let secrets = runtime.block_on(what());

    let log = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(log.contains("narthex"), "something is logged");
    for secret in secrets {
        assert!(secret.len() > 5 && !log.contains(&secret), "{secret} is in the log");
    }
}

#[test]
fn case_74_secrets_do_not_reach_the_log() {
    look_for(async || {
        let server = TestServer::start(Kind::Sqlite).await;
        let (person, app) = (ada(&server), portal(&server));
        let code = app.code(&server, &person).await;
        let tokens = Tokens::of(&app.exchange(&code).await);
        app.exchange(&code).await;
        app.refresh(&tokens.refresh).await;
        app.api("/v1/projects", &tokens.access, "acme").await;
        let typo = Person { password: "ben-incorrect-horse", ..ben(&server) };
        let page = typo.browser.get("/sign-in").await;
        typo.answer_page(&server, &page).await;
        let cookies = person.browser.cookies();
        let mut secrets = vec![code, tokens.access, tokens.refresh, tokens.id];
        secrets.extend(cookies.into_values().map(|cookie| cookie.value));
        secrets.extend(["ada-correct-horse", "ben-incorrect-horse"].map(str::to_owned));
        secrets.push(person.totp.unwrap().to_owned());
        secrets
    });
}

/// The secret in the link of the newest letter to an address, and that link.
async fn link(server: &TestServer, to: &str) -> (String, String) {
    let letters = server.letters().await;
    let letter = letters.iter().rev().find(|letter| letter.to == to).expect("a letter");
    let link = letter.links.last().expect("a link").clone();
    let url = url::Url::parse(&link).expect("a URL");
    let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    let token = query.into_values().last().expect("a token");
    (token.rsplit('.').next().expect("a secret").to_owned(), link)
}

async fn fill(browser: &Browser, path: &str, action: &str, fields: &[(&str, &str)]) {
    let page = browser.get(path).await.expect(200);
    browser.submit(&page, &Form::of(&page.body, action), fields).await;
}

#[test]
fn case_74_links_and_what_they_lead_to_do_not_reach_the_log() {
    const FIRST: &str = "seven green trains to Oslo";
    const NEXT: &str = "nine blue boats from Bergen";
    look_for(async || {
        let open = |config: &mut narthex::config::model::Config| config.sign_up = SignUp::Open;
        let server = TestServer::start_with(Kind::Sqlite, open).await;
        let (browser, email) = (server.browser(), "grace@x.example");
        let fields = [("name", "Grace Hopper"), ("email", email), ("password", FIRST)];
        fill(&browser, "/sign-up", "/sign-up", &fields).await;
        let (sign_up, url) = link(&server, email).await;
        fill(&browser, &url, "/sign-up/confirm", &[]).await;

        let page = browser.get("/account/factors/app").await.expect(200);
        let shown = |id: &str| {
            let rest = page.body.split_once(&format!("id=\"{id}\">")).expect("it is shown").1;
            rest.split('<').next().unwrap_or_default().replace(' ', "")
        };
        let totp = shown("totp-secret");
        let code = server.totp(&totp);
        let codes = browser
            .submit(&page, &Form::of(&page.body, "/account/factors/app"), &[("code", &code)])
            .await;
        let codes = codes.body.split("<code>").skip(1).filter_map(|it| it.split('<').next());
        let codes: Vec<String> = codes.map(str::to_owned).collect();
        assert_eq!(codes.len(), 10);

        fill(&browser, "/forgot", "/forgot", &[("username", email)]).await;
        let (reset, url) = link(&server, email).await;
        fill(&browser, &url, "/reset", &[("password", NEXT)]).await;
        let cookies = browser.cookies().into_values().map(|cookie| cookie.value);
        let typed = [FIRST, NEXT, &sign_up, &reset, &totp].map(str::to_owned);
        typed.into_iter().chain(cookies).chain(codes).collect()
    });
}
