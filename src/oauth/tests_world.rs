//! A small world for the tests of whole flows: an account, two people, three apps.

use std::sync::Arc;

use serde_json::json;

use crate::accounts::model::{AccountKind, GroupKind, NewAccount, NewGroup};
use crate::accounts::service::Accounts;
use crate::apps::claims::{ClaimSource, CustomClaim};
use crate::apps::model::{AllowedAccounts, GrantType, Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::service::Apps;
use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::base::id::{AccountId, UserId};
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::config::model::Config;
use crate::db::ctx::Ctx;
use crate::db::testing;
use crate::keys::algorithm::Algorithm;
use crate::keys::service::Keys;
use crate::keys::vault::Vault;
use crate::oauth::access_token::verify;
use crate::oauth::authorize::{Step, begin, consent};
use crate::oauth::error::TokenError;
use crate::oauth::issue::Issued;
use crate::oauth::params::Params;
use crate::oauth::presented::Presented;
use crate::oauth::response::Reply;
use crate::oauth::service::{OAuth, Parts};
use crate::oauth::token::exchange;
use crate::outbound::Outbound;
use crate::policy::service::Policies;
use crate::upstream::providers::Providers;
use crate::users::login::Login;
use crate::users::model::NewUser;
use crate::users::service::Users;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "https://portal.example/cb";
pub(in crate::oauth) const BROWSER: Digest = Digest([5; 32]);

pub(in crate::oauth) struct World {
    pub(in crate::oauth) oauth: OAuth,
    pub(in crate::oauth) clock: Arc<ManualClock>,
    pub(in crate::oauth) ann: UserId,
    /// Secret of the app `batch`.
    pub(in crate::oauth) secret: Secret,
    _folder: testing::Guard,
}

/// The account `acme` with its member ann, and three apps: `portal` and `dev`, which sign people
/// in, and `batch`, which acts for itself. Bob is a user, and nowhere a member.
pub(in crate::oauth) async fn world() -> World {
    // Large enough that each test would carry it on its stack.
    Box::pin(made()).await
}

async fn made() -> World {
    let (folder, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_800_000_000_000_000)));
    let ctx = Ctx { db, clock: clock.clone(), entropy: Arc::new(OsEntropy::default()), seal: None };
    let config = Config::for_test(folder.path());
    let vault = Vault::new(config.encryption_key.bytes());
    let parts = Parts {
        issuer: config.issuer.clone(),
        keys: Keys::load(&ctx, &vault, &config.keys).await.unwrap(),
        apps: Apps::new(&ctx, &vault),
        users: Users::new(ctx.clone(), vault.clone(), &config).unwrap(),
        accounts: Accounts::new(&ctx),
        policies: Policies::new(&ctx),
        providers: Providers::new(&ctx, &vault),
        outbound: Outbound::new(&config.outbound).unwrap(),
        registration: config.registration.clone(),
        sign_up: config.sign_up,
        sees_certificates: false,
        mtls_url: None,
        authorities: None,
        vault: vault.clone(),
        ctx,
    };
    let user = |name: &str| NewUser {
        id: Some(name.parse().unwrap()),
        username: name.to_owned(),
        ..NewUser::default()
    };
    let ann = parts.users.create(user("ann")).await.unwrap().id;
    parts.users.create(user("bob")).await.unwrap();
    let acme: AccountId = "acme".parse().unwrap();
    let account = NewAccount {
        id: acme.clone(),
        name: "Acme".to_owned(),
        description: None,
        owner: None,
        kind: AccountKind::Free,
        products: Vec::new(),
        requires_second_factor: false,
    };
    parts.accounts.declare_account(&account).await.unwrap();
    let staff = NewGroup {
        id: Some("staff".parse().unwrap()),
        name: "Staff".to_owned(),
        description: None,
        kind: GroupKind::Closed,
    };
    let (staff, _) = parts.accounts.declare_group(&acme, &staff).await.unwrap();
    parts.accounts.declare_members(&acme, &staff, std::slice::from_ref(&ann)).await.unwrap();
    let secret = register(&parts.apps, &acme).await;
    World { oauth: OAuth::new(parts), clock, ann, secret, _folder: folder }
}

async fn register(apps: &Apps, acme: &AccountId) -> Secret {
    let portal = NewApp {
        status: Status::Live,
        allowed_scopes: Scope::parse("openid profile project.read").unwrap(),
        default_scopes: Scope::parse("openid project.read").unwrap(),
        callback_urls: vec![RedirectUri::parse(CALLBACK).unwrap()],
        id_token_algorithm: Algorithm::ES256,
        custom_claims: vec![CustomClaim {
            name: "tier".to_owned(),
            source: ClaimSource::Constant(json!("gold")),
            in_access_token: true,
            in_id_token: false,
        }],
        ..NewApp::new("portal".parse().unwrap(), acme.clone(), "Portal")
    };
    let dev = NewApp {
        id: "dev".parse().unwrap(),
        status: Status::Developing,
        allowed_accounts: AllowedAccounts::All,
        ..portal.clone()
    };
    let batch = NewApp {
        id: "batch".parse().unwrap(),
        kind: Kind::Confidential,
        grant_types: [GrantType::ClientCredentials].into(),
        ..portal.clone()
    };
    apps.register(portal).await.unwrap();
    apps.register(dev).await.unwrap();
    apps.register(batch).await.unwrap().1.unwrap()
}

pub(in crate::oauth) fn asked(app: &str) -> Params {
    Params::from([
        ("client_id", app),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid project.read"),
        ("state", "s=+/1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

impl World {
    pub(in crate::oauth) fn login(&self, user: &UserId) -> Login {
        Login {
            provider: None,
            user: user.clone(),
            auth_time: self.oauth.now(),
            amr: vec!["pwd".to_owned()],
            session: Digest([6; 32]),
            key: Digest([6; 32]),
        }
    }

    /// Ann says yes to an app; the answer is the code.
    pub(in crate::oauth) async fn code(&self, app: &str) -> String {
        let login = self.login(&self.ann);
        let step = begin(&self.oauth, &asked(app), Some(&login), BROWSER).await.unwrap();
        let step = match step {
            Step::Consent { grant, .. } => {
                consent(&self.oauth, grant, BROWSER, &login, true).await.unwrap()
            }
            other => other,
        };
        let Step::Reply(Reply::Redirect(url)) = step else { panic!("{step:?}") };
        query(&url, "code").unwrap()
    }

    pub(in crate::oauth) async fn redeem(&self, code: &str) -> Result<Issued, TokenError> {
        let params = Params::from([
            ("grant_type", "authorization_code"),
            ("client_id", "portal"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ]);
        exchange(&self.oauth, &Presented::plain("/token", &params, None)).await
    }

    pub(in crate::oauth) async fn tokens(&self) -> Issued {
        let code = self.code("portal").await;
        self.redeem(&code).await.unwrap()
    }

    pub(in crate::oauth) async fn refresh(&self, token: &Secret) -> Result<Issued, TokenError> {
        let params = Params::from([
            ("grant_type", "refresh_token"),
            ("client_id", "portal"),
            ("refresh_token", token.reveal()),
        ]);
        exchange(&self.oauth, &Presented::plain("/token", &params, None)).await
    }

    pub(in crate::oauth) async fn is_alive(&self, issued: &Issued) -> bool {
        verify(&self.oauth, issued.access_token.reveal()).await.is_ok()
    }

    pub(in crate::oauth) async fn own_token(&self, scope: &str) -> Result<Issued, TokenError> {
        let params = Params::from([
            ("grant_type", "client_credentials"),
            ("client_id", "batch"),
            ("client_secret", self.secret.reveal()),
            ("scope", scope),
        ]);
        exchange(&self.oauth, &Presented::plain("/token", &params, None)).await
    }
}

pub(in crate::oauth) fn query(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[track_caller]
pub(in crate::oauth) fn error_of(outcome: Result<Issued, TokenError>) -> &'static str {
    outcome.map(drop).expect_err("refused").code()
}

pub(in crate::oauth) fn refresh_token(issued: &Issued) -> Secret {
    issued.refresh_token.clone().unwrap()
}
