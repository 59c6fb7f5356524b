//! People who came from a provider of others, each in a browser of their own.

use serde_json::json;

use crate::common::browser::Browser;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::common::world::ada;
use crate::pages::table::Who;
use crate::upstream::op::Op;

/// The provider, and where its people stand.
pub struct Arrivals {
    pub _op: Op,
    /// The page that asks somebody with ada's address to sign in.
    pub prove: String,
    /// The page that asks ada whether it was her.
    pub connect: String,
    pub cookies: Vec<(Who, Vec<(String, String)>)>,
}

fn cookies(browser: &Browser) -> Vec<(String, String)> {
    browser.cookies().into_iter().map(|(name, cookie)| (name, cookie.value)).collect()
}

impl Arrivals {
    pub async fn come(server: &TestServer) -> Self {
        let op = Op::start().await;
        server.apply(&op.declaration("op", "creates_users: true")).await;
        let said = [("email", json!("ada@acme.example")), ("email_verified", json!(true))];
        let (stranger, person, new) = (server.browser(), ada(server), server.browser());
        let asked = op.arrive(server, &stranger, "/sign-in", ("x-1", &said)).await.expect(303);
        let prove = asked.location().to_owned();
        let asked = op.arrive(server, &person.browser, "/sign-in", ("x-2", &said)).await;
        let connect = asked.location().to_owned();
        let page = person.browser.follow(asked).await;
        let form = Form::of(&page.body, "/upstream/link");
        let mut page = person.browser.submit(&page, &form, &[("answer", "sign-in")]).await;
        for _ in 0..2 {
            page = person.answer_page(server, &page).await;
        }
        let email = [("email", json!("grace@navy.example"))];
        op.arrive(server, &new, "/sign-in", ("g-1", &email)).await.expect(303);
        let cookies = vec![
            (Who::Arrived, cookies(&stranger)),
            (Who::Asked, cookies(&person.browser)),
            (Who::Grace, cookies(&new)),
        ];
        Self { _op: op, prove, connect, cookies }
    }
}
