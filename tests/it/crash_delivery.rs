//! `kill -9` between an act and its delivery: whoever has to hear of it does, by the next process.

use std::time::Duration;

use crate::common::actors::{CHALLENGE, VERIFIER};
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};
use crate::common::form::Form;
use crate::common::host::Host;
use crate::common::program::{Running, apply, flags, free_port, narthex, with_flags};

both!(a_sign_out_is_told_although_the_process_dies);

const CALLBACK: &str = "https://told.example/callback";

fn declared(host: &Host) -> String {
    format!(
        "users: [{{ id: ben, username: ben, password: ben-correct-horse }}]
accounts: [{{ id: acme, name: Acme, groups: [{{ id: staff, name: Staff, members: [ben] }}] }}]
apps:
  - {{ id: told, account: acme, title: Told, status: live, type: public, allowed_accounts: all,
      allowed_scopes: [openid], callback_urls: ['{CALLBACK}'], id_token_algorithm: ES256,
      client_metadata: {{ backchannel_logout_uri: '{}' }} }}",
        host.at("/out")
    )
}

fn serve(database: &TestDatabase, port: u16) -> Running {
    let (flags, address) = (flags(database), format!("127.0.0.1:{port}"));
    let args = ["serve", "--listen", &address, "--set", "outbound.allowed_hosts=127.0.0.1"];
    Running::start(narthex(database.folder.path(), &with_flags(&args, &flags)), "Narthex serves")
}

/// Signs in to the app, and gets its tokens.
async fn sign_in(http: &Browser) {
    let url = format!(
        "/authorize?response_type=code&client_id=told&scope=openid&redirect_uri={CALLBACK}\
         &code_challenge={CHALLENGE}&code_challenge_method=S256"
    );
    let page = http.follow(http.get(&url).await).await;
    let fields = [("username", "ben"), ("password", "ben-correct-horse")];
    let page = http.submit(&page, &Form::of(&page.body, "/sign-in"), &fields).await;
    let form = Form::of(&page.body, "/consent");
    let answer = http.submit(&page, &form, &[("decision", "allow")]).await;
    let code = answer.location_param("code").expect("a code");
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("client_id", "told"),
    ];
    http.post("/token", &fields).await.expect(200);
}

async fn a_sign_out_is_told_although_the_process_dies(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let host = Host::start().await;
    host.put("/out", "text/plain", "");
    apply(&database, &declared(&host));
    let port = free_port();
    let mut server = serve(&database, port);
    sign_in(&Browser::new(&format!("http://127.0.0.1:{port}"))).await;
    server.kill();

    // The act is durable; nobody is there to deliver it.
    let flags = flags(&database);
    let args = with_flags(&["user", "sign-out", "ben"], &flags);
    let done = narthex(database.folder.path(), &args).output().expect("the program runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(host.visits("/out").is_empty());
    let _server = serve(&database, port);

    for _ in 0..200 {
        if !host.visits("/out").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let visits = host.visits("/out");
    assert_eq!(visits.len(), 1, "{visits:?}");
    assert!(visits[0].body.starts_with("logout_token=ey"));
}
