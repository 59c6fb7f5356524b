//! The modules of the official basic plan, as tests of our own: the same steps, the same checks.
//! `oidc_basic` runs them with the default response mode, `oidc_formpost` with `form_post`.

pub mod requests;
pub mod sign_ins;
pub mod tokens;

use serde_json::Value;

use crate::common::actors::{ClientApp, Person, Tokens};
use crate::common::answer::Answer;
use crate::common::database::Kind;
use crate::common::form::Form;
use crate::common::jwt;
use crate::common::server::TestServer;

/// What the plan is run with: a confidential client, and a user of whom everything is known.
const CONFIGURATION: &str = r#"users:
  - id: foo
    username: foo
    password: foo-correct-horse
    email: foo@rp.example
    email_verified: true
    name: Demo T. User
    given_name: Demo
    family_name: User
    profile:
      middle_name: Theresa
      nickname: Dee
      profile: https://demo.example/me
      picture: https://demo.example/me.png
      website: https://demo.example
      gender: female
      birthdate: "2000-02-03"
      zoneinfo: America/Los_Angeles
      locale: en-US
      phone_number: "+1 555 550000"
      phone_number_verified: false
      address: { street_address: 100 Universal City Plaza, locality: Hollywood, region: CA, postal_code: "91608", country: USA }
accounts: [{ id: suite, name: Suite }]
apps:
  - id: rp
    account: suite
    title: Conformance suite
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid, profile, email, address, phone, offline_access]
    callback_urls: [https://rp.example/callback]
    require_pkce: false
    secrets: [rp-secret-0123456789-abcdefghijklmnopqrstuvw]
  - id: rp2
    account: suite
    title: Conformance suite, second client
    status: live
    type: confidential
    allowed_accounts: all
    allowed_scopes: [openid]
    callback_urls: [https://rp2.example/callback]
    require_pkce: false
    secrets: [rp2-secret-0123456789-abcdefghijklmnopqrstuv]
"#;

/// A running plan.
pub struct Plan {
    pub server: TestServer,
    pub mode: &'static str,
    pub app: ClientApp,
    pub user: Person,
}

impl Plan {
    /// A server with the plan's client and user.
    pub async fn start(db: Kind, mode: &'static str) -> Self {
        let server = TestServer::start_empty(db).await;
        server.apply(CONFIGURATION).await;
        let user = Person {
            username: "foo",
            password: "foo-correct-horse",
            totp: None,
            browser: server.browser(),
        };
        let app = ClientApp {
            id: "rp",
            secret: Some("rp-secret-0123456789-abcdefghijklmnopqrstuvw"),
            redirect_uri: "https://rp.example/callback",
            scope: "openid",
            http: server.browser(),
        };
        Self { server, mode, app, user }
    }

    /// An authorization request as the suite makes it: without PKCE, in the plan's mode.
    pub fn url(&self, changed: &[(&str, &str)]) -> String {
        let mode = [("response_mode", self.mode)];
        let mode = if self.mode.is_empty() { &[][..] } else { &mode[..] };
        let no_pkce = [("code_challenge", ""), ("code_challenge_method", "")];
        let own: Vec<_> = no_pkce
            .into_iter()
            .filter(|(name, _)| changed.iter().all(|(held, _)| held != name))
            .collect();
        self.app.authorize_url_with(&[changed, &own, mode].concat())
    }

    /// Sends the user through all pages.
    pub async fn ask(&self, changed: &[(&str, &str)]) -> Value {
        self.response(&self.user.authorize(&self.server, &self.url(changed)).await)
    }

    /// What the client receives, which must come by the plan's mode, with `state` and `iss`.
    #[track_caller]
    pub fn response(&self, answer: &Answer) -> Value {
        let pairs: Vec<(String, String)> = if self.mode == "form_post" {
            assert_eq!(answer.status, 200, "{answer:?}");
            let form = Form::all(&answer.body).remove(0);
            assert_eq!(form.action, self.app.redirect_uri, "{answer:?}");
            form.fields
        } else {
            let url = url::Url::parse(answer.location()).unwrap_or_else(|_| panic!("{answer:?}"));
            assert!(url.as_str().starts_with(self.app.redirect_uri), "{url}");
            assert_eq!(url.fragment(), None);
            url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect()
        };
        let response: Value =
            pairs.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        assert_eq!(response["iss"], *self.server.url, "{response}");
        assert_eq!(response["state"], "st-1", "{response}");
        response
    }

    /// A code, whatever pages it takes.
    pub async fn code(&self, changed: &[(&str, &str)]) -> String {
        let response = self.ask(changed).await;
        response["code"].as_str().unwrap_or_else(|| panic!("no code: {response}")).to_owned()
    }

    /// Exchanges a code without PKCE.
    pub async fn exchange(&self, code: &str) -> Answer {
        self.app
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", self.app.redirect_uri),
            ])
            .await
    }

    /// The whole flow.
    pub async fn tokens(&self, changed: &[(&str, &str)]) -> Tokens {
        let answer = self.exchange(&self.code(changed).await).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.text("token_type").eq_ignore_ascii_case("bearer"), "{answer:?}");
        Tokens::of(&answer)
    }

    /// The claims of an ID token, checked as a client must check them. Source: OpenID Connect Core
    /// section 3.1.3.7.
    #[track_caller]
    pub fn id_token(&self, tokens: &Tokens) -> Value {
        self.server.server.keys.verify(&tokens.id).expect("a signature of ours");
        let (claims, now) = (jwt::claims(&tokens.id), self.server.now());
        assert_eq!((&claims["iss"], &claims["aud"]), (&(&*self.server.url).into(), &"rp".into()));
        assert_eq!(claims["sub"], "foo");
        assert!(claims["exp"].as_i64().unwrap() > now && claims["iat"].as_i64().unwrap() <= now);
        assert!(claims["auth_time"].as_i64().unwrap() <= now);
        assert!(claims["at_hash"].is_string() && claims["acr"].is_string(), "{claims}");
        claims
    }

    /// What userinfo says.
    pub async fn userinfo(&self, tokens: &Tokens) -> Value {
        let answer = self.app.userinfo(&tokens.access).await.expect(200);
        assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
        answer.json()
    }
}

/// Runs each of the named modules on both databases, in one response mode.
macro_rules! plan {
    ($mode:literal; $($file:ident::$name:ident),+ $(,)?) => {$(
        mod $name {
            use crate::common::database::Kind;
            use crate::oidc::Plan;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::oidc::$file::$name(Plan::start(Kind::Sqlite, $mode).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::oidc::$file::$name(Plan::start(Kind::Postgres, $mode).await).await;
            }
        }
    )+};
}
pub(crate) use plan;

/// Runs every module of the basic plan, in one response mode.
macro_rules! basic_plan {
    ($mode:literal) => {
        crate::oidc::plan!($mode;
            tokens::oidcc_server,
            tokens::oidcc_idtoken_signature,
            tokens::oidcc_idtoken_unsigned,
            tokens::oidcc_userinfo_get,
            tokens::oidcc_userinfo_post_header,
            tokens::oidcc_userinfo_post_body,
            tokens::oidcc_scope_profile,
            tokens::oidcc_scope_email,
            tokens::oidcc_scope_address,
            tokens::oidcc_scope_phone,
            tokens::oidcc_scope_all,
            tokens::oidcc_ensure_other_scope_order_succeeds,
            tokens::oidcc_codereuse,
            tokens::oidcc_codereuse_30seconds,
            tokens::oidcc_server_client_secret_post,
            tokens::oidcc_refresh_token,
            tokens::oidcc_ensure_request_with_valid_pkce_succeeds,
            tokens::oidcc_claims_essential,
            sign_ins::oidcc_prompt_login,
            sign_ins::oidcc_prompt_none_not_logged_in,
            sign_ins::oidcc_prompt_none_logged_in,
            sign_ins::oidcc_max_age_1,
            sign_ins::oidcc_max_age_10000,
            sign_ins::oidcc_id_token_hint,
            sign_ins::oidcc_login_hint,
            requests::oidcc_response_type_missing,
            requests::oidcc_ensure_request_without_nonce_succeeds_for_code_flow,
            requests::oidcc_display_page,
            requests::oidcc_display_popup,
            requests::oidcc_ensure_request_with_unknown_parameter_succeeds,
            requests::oidcc_ui_locales,
            requests::oidcc_claims_locales,
            requests::oidcc_ensure_request_with_acr_values_succeeds,
            requests::oidcc_ensure_registered_redirect_uri,
            requests::oidcc_ensure_post_request_succeeds,
            requests::oidcc_unsigned_request_object,
            requests::oidcc_ensure_request_object_with_redirect_uri,
            requests::oidcc_request_uri_unsigned,
        );
    };
}
pub(crate) use basic_plan;
