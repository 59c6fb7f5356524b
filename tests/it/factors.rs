//! Second factors: adding, showing, losing and demanding them.

mod authenticator;
mod browser;
mod keys;
mod keys_refused;
mod recovery;
mod required;
mod totp;

use serde_json::Value;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::form::Form;
use crate::common::jwt;
use crate::common::server::TestServer;

/// Cara has an address that she has shown to be hers, and no second factor.
const CARA: &str = "users: [{ id: cara, username: cara, email: cara@acme.example, email_verified: true, password: cara-correct-horse }]";

fn cara(server: &TestServer) -> Person {
    let browser = server.browser();
    Person { username: "cara", password: "cara-correct-horse", totp: None, browser }
}

/// Shows name and password, and goes where that leads.
pub async fn password(person: &Person) -> Answer {
    let page = person.browser.get("/sign-in").await;
    let form = Form::of(&page.body, "/sign-in");
    let fields = [("username", person.username), ("password", person.password)];
    person.browser.submit(&page, &form, &fields).await
}

/// The form with this id.
#[track_caller]
pub fn form(page: &Answer, id: &str) -> Form {
    let mark = format!("id=\"{id}\"");
    let found = page.body.split("<form").skip(1).find(|part| part.contains(&mark));
    let part = found.unwrap_or_else(|| panic!("no form {id} in {page:?}"));
    Form::all(&format!("<form{part}")).remove(0)
}

/// The text of the element with this id.
#[track_caller]
fn text(page: &Answer, id: &str) -> String {
    let rest = page.body.split_once(&format!("id=\"{id}\">")).map(|(_, rest)| rest);
    let rest = rest.unwrap_or_else(|| panic!("no {id} in {page:?}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

/// The secret that a page shows to be typed.
fn secret(page: &Answer) -> String {
    text(page, "totp-secret").replace(' ', "")
}

/// The recovery codes that a page shows.
pub fn codes(page: &Answer) -> Vec<String> {
    let list = page.body.split_once("id=\"recovery-codes\"").map_or("", |(_, rest)| rest);
    let list = list.split("</ol>").next().unwrap_or_default();
    list.split("<code>").skip(1).filter_map(|it| it.split('<').next()).map(str::to_owned).collect()
}

/// Whether this browser is signed in.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/account").await.status == 200
}

/// Sets up an authenticator app in one's account; answers its secret and the page that follows.
pub async fn enrol(server: &TestServer, browser: &Browser) -> (String, Answer) {
    let page = browser.get("/account/factors/app").await.expect(200);
    let secret = secret(&page);
    let code = server.totp(&secret);
    let done = browser.submit(&page, &form(&page, "app-form"), &[("code", &code)]).await;
    (secret, done.expect(200))
}

/// What the tokens say of a sign-in in this browser: `amr` and `acr`.
async fn said(server: &TestServer, app: &ClientApp, person: &Person) -> (Value, Value) {
    let code = app.code(server, person).await;
    let tokens = Tokens::of(&app.exchange(&code).await);
    let claims = jwt::claims(&tokens.id);
    (claims["amr"].clone(), claims["acr"].clone())
}

const ONE: &str = "urn:narthex:acr:1";
const TWO: &str = "urn:narthex:acr:2";
