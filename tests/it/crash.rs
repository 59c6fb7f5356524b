//! `kill -9` in the middle of 2,000 concurrent exchanges: no answered token is lost, and nothing
//! is accepted twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::redirect::Policy;
use tokio::sync::Notify;

use crate::common::actors::{CHALLENGE, Tokens, VERIFIER, basic};
use crate::common::answer::Answer;
use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::{Kind, TestDatabase};
use crate::common::form::Form;
use crate::common::program::{Running, apply, flags, free_port, narthex, with_flags};

both!(kill_9_among_2000_exchanges_loses_no_answer_and_accepts_nothing_twice);

/// Code exchanges, and as many refreshes.
const EACH: usize = 1_000;
/// Answers after which the server dies.
const KILL_AFTER: usize = 700;
/// Requests that are under way at once while nothing is being killed.
const AT_ONCE: usize = 32;
const CALLBACK: &str = "https://portal.example/callback";
const SECRET: &str = "checker-secret-0123456789-abcdefghijklmnop";

const DECLARED: &str = "
users:
  - { id: ben, username: ben, password: ben-correct-horse }
accounts:
  - { id: acme, name: Acme, groups: [{ id: staff, name: Staff, members: [ben] }] }
apps:
  - id: portal
    account: acme
    title: Portal
    status: live
    type: public
    allowed_accounts: all
    allowed_scopes: [openid]
    callback_urls: [https://portal.example/callback]
    id_token_algorithm: ES256
  - id: checker
    account: acme
    title: Checker
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid]
    callback_urls: []
    grant_types: [client_credentials]
    secrets: [checker-secret-0123456789-abcdefghijklmnop]
";

/// One thing that is good for one exchange.
#[derive(Clone, Debug)]
enum Ticket {
    Code(String),
    Refresh(String),
}

struct Site {
    database: TestDatabase,
    port: u16,
    http: Browser,
}

impl Site {
    fn new(database: TestDatabase) -> Self {
        let port = free_port();
        // A connection that is held may be to the server that was killed: each request has its own.
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
        let client = client.pool_max_idle_per_host(0).build().expect("a client");
        Self { database, port, http: Browser::over(client, &format!("http://127.0.0.1:{port}")) }
    }

    fn serve(&self) -> Running {
        let (flags, address) = (flags(&self.database), format!("127.0.0.1:{}", self.port));
        let args = with_flags(&["serve", "--listen", &address], &flags);
        Running::start(narthex(self.database.folder.path(), &args), "Narthex serves")
    }

    /// Exchanges a ticket; `None` if no whole answer came.
    async fn exchange(&self, ticket: &Ticket) -> Option<Answer> {
        let fields = match ticket {
            Ticket::Code(code) => vec![
                ("grant_type", "authorization_code"),
                ("code", &**code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", VERIFIER),
                ("client_id", "portal"),
            ],
            Ticket::Refresh(token) => vec![
                ("grant_type", "refresh_token"),
                ("refresh_token", &**token),
                ("client_id", "portal"),
            ],
        };
        self.http.try_post("/token", &[], &fields).await
    }

    async fn must_exchange(&self, ticket: &Ticket) -> Answer {
        self.exchange(ticket).await.expect("the server answers")
    }

    async fn is_active(&self, token: &str) -> bool {
        let header = basic("checker", SECRET);
        let headers = [("authorization", &*header)];
        let answer = self.http.try_post("/introspect", &headers, &[("token", token)]).await;
        let answer = answer.expect("the server answers").expect(200);
        answer.json()["active"] == true
    }

    fn authorize_url() -> String {
        format!(
            "/authorize?response_type=code&client_id=portal&scope=openid&redirect_uri={CALLBACK}\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
    }

    /// Signs in and consents.
    async fn sign_in(&self) {
        let page = self.http.follow(self.http.get(&Self::authorize_url()).await).await;
        let form = Form::of(&page.body, "/sign-in");
        let fields = [("username", "ben"), ("password", "ben-correct-horse")];
        let page = self.http.submit(&page, &form, &fields).await;
        let form = Form::of(&page.body, "/consent");
        self.http.submit(&page, &form, &[("decision", "allow")]).await;
    }

    /// Collects codes in the session that is there already.
    async fn codes(&self, count: usize) -> Vec<String> {
        let url = Self::authorize_url();
        let one = async || {
            let answer = self.http.get(&url).await;
            answer.location_param("code").unwrap_or_else(|| panic!("no code: {answer:?}"))
        };
        stream::iter(0..count).map(|_| one()).buffered(AT_ONCE).collect().await
    }
}

/// Sends all tickets at once and kills the server in between. What was answered, by ticket.
async fn storm(site: &Site, server: &mut Running, tickets: &[Ticket]) -> Vec<Option<Answer>> {
    let answered = Arc::new(AtomicUsize::new(0));
    let enough = Notify::new();
    let one = async |ticket: &Ticket| {
        let answer = site.exchange(ticket).await;
        if answer.is_some() && answered.fetch_add(1, Ordering::SeqCst) + 1 == KILL_AFTER {
            enough.notify_one();
        }
        answer
    };
    let kill = async {
        enough.notified().await;
        server.kill();
    };
    let (answers, ()) = tokio::join!(join_all(tickets.iter().map(one)), kill);
    answers
}

async fn kill_9_among_2000_exchanges_loses_no_answer_and_accepts_nothing_twice(db: Kind) {
    let site = Site::new(TestDatabase::empty(db).await);
    apply(&site.database, DECLARED);
    let mut server = site.serve();
    let tickets = tickets(&site).await;

    let answers = storm(&site, &mut server, &tickets).await;

    let _server = site.serve();
    let (mut given, mut open) = (Vec::new(), Vec::new());
    for (ticket, answer) in tickets.iter().zip(answers) {
        match answer {
            Some(answer) => given.push((ticket.clone(), Tokens::of(&answer))),
            None => open.push(ticket.clone()),
        }
    }
    assert!(given.len() >= KILL_AFTER, "{} answers", given.len());
    assert!(open.len() > 100, "it was killed in the middle: {} are open", open.len());

    // Every token that was answered works.
    let works = async |(ticket, tokens): &(Ticket, Tokens)| {
        assert!(site.is_active(&tokens.access).await, "a lost access token: {ticket:?}");
        let next = site.must_exchange(&Ticket::Refresh(tokens.refresh.clone())).await;
        assert_eq!(next.status, 200, "a lost refresh token: {ticket:?} {next:?}");
        assert!(site.is_active(&Tokens::of(&next).access).await);
    };
    for_all(&given, works).await;
    // Nothing that was answered is accepted a second time.
    let twice = async |(ticket, _): &(Ticket, Tokens)| {
        let again = site.must_exchange(ticket).await;
        assert_eq!(again.refusal(), "400 invalid_grant", "accepted twice: {ticket:?}");
    };
    for_all(&given, twice).await;
    // What was not answered is good at most once; a refresh whose answer was lost goes on.
    let at_most_once = async |ticket: &Ticket| {
        let first = site.must_exchange(ticket).await;
        if matches!(ticket, Ticket::Refresh(_)) || first.status == 200 {
            assert!(site.is_active(&Tokens::of(&first).access).await, "{ticket:?}");
        }
        let second = site.must_exchange(ticket).await;
        assert_eq!(second.refusal(), "400 invalid_grant", "accepted twice: {ticket:?}");
    };
    for_all(&open, at_most_once).await;
}

/// Refresh tokens first and codes last, for codes live a minute; then mixed.
async fn tickets(site: &Site) -> Vec<Ticket> {
    site.sign_in().await;
    let early = site.codes(EACH).await;
    let refresh = async |code: String| {
        let answer = site.must_exchange(&Ticket::Code(code)).await;
        Ticket::Refresh(Tokens::of(&answer).refresh)
    };
    let refreshes: Vec<Ticket> = stream::iter(early).map(refresh).buffered(AT_ONCE).collect().await;
    let codes = site.codes(EACH).await.into_iter().map(Ticket::Code);
    refreshes.into_iter().zip(codes).flat_map(|(one, other)| [one, other]).collect()
}

async fn for_all<T, F: AsyncFn(&T)>(items: &[T], check: F) {
    stream::iter(items).for_each_concurrent(AT_ONCE, |item| check(item)).await;
}
