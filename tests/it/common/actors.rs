//! Who uses a server: people with browsers, and apps.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use narthex::base::secret::Digest;
use url::form_urlencoded::Serializer;

use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::form::Form;
use crate::common::server::TestServer;

/// A code verifier and its challenge. Source: RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Somebody who can sign in, with a browser of their own.
#[derive(Clone)]
pub struct Person {
    pub username: &'static str,
    pub password: &'static str,
    /// The base32 secret of the second factor.
    pub totp: Option<&'static str>,
    pub browser: Browser,
}

impl Person {
    /// Goes through every page from `/authorize` on until the browser is sent to the app: signs
    /// in if asked to, gives the second factor if asked to, consents if asked to.
    pub async fn authorize(&self, server: &TestServer, url: &str) -> Answer {
        let first = self.browser.get(url).await;
        let mut page = self.browser.follow(first).await;
        for _ in 0..4 {
            let forms = Form::all(&page.body);
            // A form for an app is the end: response mode form_post. So is one's own account.
            let goes_on =
                |form: &Form| form.action.starts_with('/') && !form.action.starts_with("/account/");
            if page.status != 200 || !forms.iter().any(goes_on) {
                return page;
            }
            page = self.answer_page(server, &page).await;
        }
        panic!("the pages do not end: {page:?}");
    }

    /// Fills in the form of one page and sends it.
    pub async fn answer_page(&self, server: &TestServer, page: &Answer) -> Answer {
        let forms = Form::all(&page.body);
        let form = forms.iter().find(|form| !form.action.starts_with("/account/"));
        let form = form.expect("a form");
        if form.has("password") {
            let fields = [("username", self.username), ("password", self.password)];
            return self.browser.submit(page, form, &fields).await;
        }
        if form.has("code") {
            let code = server.totp(self.totp.expect("a second factor"));
            return self.browser.submit(page, form, &[("code", &code)]).await;
        }
        self.decide(page, true).await
    }

    /// Answers the consent page.
    pub async fn decide(&self, page: &Answer, approve: bool) -> Answer {
        let form = Form::of(&page.body, "/consent");
        let wanted = if approve { "allow" } else { "deny" };
        let button = form.buttons.iter().find(|(_, value)| value == wanted);
        let (name, value) = button.unwrap_or_else(|| panic!("no button {wanted}: {form:?}"));
        self.browser.submit(page, &form, &[(name, value)]).await
    }

    /// Opens the sign-in page without an app and signs in.
    pub async fn sign_in(&self, server: &TestServer) -> Answer {
        self.authorize(server, "/sign-in").await
    }
}

/// What the token endpoint gives.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    pub id: String,
}

/// A registered app, as its developer knows it.
#[derive(Clone)]
pub struct ClientApp {
    pub id: &'static str,
    pub secret: Option<&'static str>,
    pub redirect_uri: &'static str,
    pub scope: &'static str,
    pub http: Browser,
}

impl ClientApp {
    /// The parameters of a good authorization request.
    pub fn request(&self) -> Vec<(&'static str, String)> {
        vec![
            ("response_type", "code".into()),
            ("client_id", self.id.into()),
            ("redirect_uri", self.redirect_uri.into()),
            ("scope", self.scope.into()),
            ("state", "st-1".into()),
            ("nonce", "n-1".into()),
            ("code_challenge", CHALLENGE.into()),
            ("code_challenge_method", "S256".into()),
        ]
    }

    /// The URL of a good authorization request.
    pub fn authorize_url(&self) -> String {
        self.authorize_url_with(&[])
    }

    /// The URL of an authorization request with parameters changed; an empty value leaves one out.
    pub fn authorize_url_with(&self, changed: &[(&str, &str)]) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.request() {
            let value = changed.iter().find(|(key, _)| *key == name).map_or(&*value, |(_, v)| v);
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let known = self.request();
        for (name, value) in changed {
            if known.iter().all(|(held, _)| held != name) {
                query.append_pair(name, value);
            }
        }
        format!("/authorize?{}", query.finish())
    }

    /// Gets a code for `person`, through all the pages that it takes.
    pub async fn code(&self, server: &TestServer, person: &Person) -> String {
        self.code_for(server, person, &self.authorize_url()).await
    }

    /// Gets a code with an authorization request of one's own.
    pub async fn code_for(&self, server: &TestServer, person: &Person, url: &str) -> String {
        let answer = person.authorize(server, url).await;
        let code = answer.location_param("code");
        code.unwrap_or_else(|| panic!("no code for {}: {answer:?}", person.username))
    }

    /// The whole code flow.
    pub async fn tokens(&self, server: &TestServer, person: &Person) -> Tokens {
        let code = self.code(server, person).await;
        Tokens::of(&self.exchange(&code).await)
    }

    /// Exchanges a code.
    pub async fn exchange(&self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str) -> Answer {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Asks for a token of the app's own.
    pub async fn client_credentials(&self, scope: &str) -> Answer {
        let scope = [("scope", scope)];
        let scope = if scope[0].1.is_empty() { &[][..] } else { &scope[..] };
        self.token(&[&[("grant_type", "client_credentials")], scope].concat()).await
    }

    /// Asks the token endpoint, authenticated as the app authenticates.
    pub async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.authenticated("/token", fields).await
    }

    /// Asks about a token.
    pub async fn introspect(&self, token: &str) -> Answer {
        self.authenticated("/introspect", &[("token", token)]).await
    }

    /// Revokes a token.
    pub async fn revoke(&self, token: &str) -> Answer {
        self.authenticated("/revoke", &[("token", token)]).await
    }

    /// Posts a form, authenticated by a Basic header, or by `client_id` alone for a public app.
    pub async fn authenticated(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        match self.secret {
            Some(secret) => {
                let basic = basic(self.id, secret);
                self.http.post_with(path, &[("authorization", &basic)], fields).await
            }
            None => self.http.post(path, &[&[("client_id", self.id)], fields].concat()).await,
        }
    }

    /// Asks for the user's claims.
    pub async fn userinfo(&self, access_token: &str) -> Answer {
        let bearer = format!("Bearer {access_token}");
        self.http.get_with("/userinfo", &[("authorization", &bearer)]).await
    }

    /// Asks the resource API, in the name of an account.
    pub async fn api(&self, path: &str, access_token: &str, account: &str) -> Answer {
        let bearer = format!("Bearer {access_token}");
        let mut headers = vec![("authorization", &*bearer)];
        if !account.is_empty() {
            headers.push(("lifeomic-account", account));
        }
        self.http.get_with(path, &headers).await
    }
}

impl Tokens {
    /// The tokens of a good answer.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        Self {
            access: answer.text("access_token"),
            refresh: answer.text("refresh_token"),
            id: answer.text("id_token"),
        }
    }
}

/// The header of Basic authentication. Source: RFC 6749 section 2.3.1.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// The S256 challenge of a verifier. Source: RFC 7636 section 4.2.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).0)
}
