//! The registry on SQLite; the HTTP suite runs the same paths on PostgreSQL.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use serde_json::json;

use crate::apps::claims::{ClaimSource, CustomClaim};
use crate::apps::error::AppError;
use crate::apps::metadata::AuthMethod;
use crate::apps::model::{AllowedAccounts, GrantType, Kind, Status};
use crate::apps::new_app::NewApp;
use crate::apps::redirect::RedirectUri;
use crate::apps::secrets::GivenSecret;
use crate::apps::service::{Apps, OVERLAP_SECONDS_MAX};
use crate::base::clock::ManualClock;
use crate::base::entropy::OsEntropy;
use crate::base::id::AppId;
use crate::base::scope::Scope;
use crate::base::secret::{Digest, Secret};
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::testing;
use crate::keys::vault::Vault;
use crate::policy::model::Declared;

struct Registry {
    _folder: testing::Guard,
    clock: Arc<ManualClock>,
    ctx: Ctx,
    apps: Apps,
}

async fn registry() -> Registry {
    let (folder, db) = testing::open().await;
    for account in ["acme", "zeta"] {
        db.write_one(
            sql("INSERT INTO accounts (id, name, type, status, created_at, updated_at)
                 VALUES ($1, 'x', 'FREE', 'ACTIVE', 0, 0)")
            .bind(account),
        )
        .await
        .unwrap();
    }
    let clock = Arc::new(ManualClock::at(DateTime::UNIX_EPOCH + TimeDelta::days(20_000)));
    let ctx = Ctx {
        db,
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(OsEntropy::default()),
        seal: None,
    };
    Registry { _folder: folder, clock, apps: Apps::new(&ctx, &Vault::new(&[7; 32])), ctx }
}

fn portal() -> NewApp {
    NewApp {
        callback_urls: vec![RedirectUri::parse("https://portal.example/cb").unwrap()],
        ..NewApp::new("portal".parse().unwrap(), "acme".parse().unwrap(), "Portal")
    }
}

/// An app with nothing left at its default.
fn full() -> NewApp {
    NewApp {
        description: Some("What it does".to_owned()),
        icon_url: Some("https://portal.example/icon.png".to_owned()),
        url: Some("https://portal.example/".to_owned()),
        status: Status::Live,
        kind: Kind::Confidential,
        allowed_scopes: Scope::parse("openid email").unwrap(),
        default_scopes: Scope::parse("openid").unwrap(),
        allowed_accounts: AllowedAccounts::All,
        logout_urls: vec![RedirectUri::parse("com.example.app:/out").unwrap()],
        grant_types: [GrantType::AuthorizationCode, GrantType::ClientCredentials].into(),
        require_pkce: false,
        access_token_seconds: 60,
        refresh_token_seconds: 61,
        rotate_refresh_tokens: false,
        access_token_algorithm: crate::keys::algorithm::Algorithm::PS256,
        id_token_algorithm: crate::keys::algorithm::Algorithm::EdDSA,
        custom_claims: vec![CustomClaim {
            name: "tier".to_owned(),
            source: ClaimSource::Constant(json!({"gold": true})),
            in_access_token: true,
            in_id_token: false,
        }],
        ..portal()
    }
}

impl Registry {
    async fn accepts(&self, app: &NewApp, secret: &Secret) -> bool {
        let app = self.apps.find(&app.id).await.unwrap().unwrap();
        app.secret_matches(secret, self.ctx.now())
    }
}

#[tokio::test]
async fn an_app_is_read_as_it_was_registered() {
    let registry = registry().await;
    assert_eq!(registry.apps.find(&full().id).await.unwrap(), None);

    let (app, secret) = registry.apps.register(full()).await.unwrap();

    let found = registry.apps.find(&full().id).await.unwrap().unwrap();
    assert_eq!(*found, app);
    assert_eq!(NewApp::of(&found), full());
    assert!(registry.accepts(&full(), &secret.unwrap()).await);
    assert!(!registry.accepts(&full(), &Secret::presented("")).await);
    assert_eq!(registry.apps.list(None).await.unwrap(), [full()]);
    assert_eq!(registry.apps.list(Some(&"zeta".parse().unwrap())).await.unwrap(), []);
}

#[tokio::test]
async fn registering_refuses_what_contradicts() {
    let registry = registry().await;
    let (_, secret) = registry.apps.register(portal()).await.unwrap();
    assert!(secret.is_none(), "a public app gets no secret");

    let again = registry.apps.register(portal()).await;
    let stray = NewApp { account: "nobody".parse().unwrap(), id: "b".parse().unwrap(), ..portal() };
    let homeless = registry.apps.register(stray).await;
    let bad = registry.apps.register(NewApp { title: String::new(), ..full() }).await;

    assert!(matches!(again, Err(AppError::Duplicate)));
    assert!(matches!(homeless, Err(AppError::UnknownAccount)));
    assert!(matches!(bad, Err(AppError::Invalid(_))));
}

#[tokio::test]
async fn declaring_twice_changes_nothing() {
    let registry = registry().await;
    let live = NewApp { status: Status::Live, ..portal() };

    assert_eq!(registry.apps.compare(&portal()).await.unwrap(), Declared::Created);
    assert_eq!(registry.apps.declare(&portal()).await.unwrap(), Declared::Created);
    assert_eq!(registry.apps.compare(&portal()).await.unwrap(), Declared::Unchanged);
    assert_eq!(registry.apps.declare(&portal()).await.unwrap(), Declared::Unchanged);
    assert!(registry.apps.find(&portal().id).await.unwrap().is_some(), "now it is held");
    assert_eq!(registry.apps.compare(&live).await.unwrap(), Declared::Updated);
    assert_eq!(registry.apps.declare(&live).await.unwrap(), Declared::Updated);

    let found = registry.apps.find(&portal().id).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Live, "what was held is forgotten");
    assert_eq!(registry.apps.declare(&full()).await.unwrap(), Declared::Updated);
    let homeless = NewApp { account: "nobody".parse().unwrap(), ..full() };
    assert!(matches!(registry.apps.declare(&homeless).await, Err(AppError::UnknownAccount)));
}

#[tokio::test]
async fn case_64_changing_an_app_is_checked_like_making_one() {
    let registry = registry().await;
    registry.apps.declare(&full()).await.unwrap();
    let stolen = CustomClaim { name: "sub".to_owned(), ..full().custom_claims.remove(0) };

    let update = NewApp { custom_claims: vec![stolen], ..full() };

    assert!(matches!(registry.apps.declare(&update).await, Err(AppError::Invalid(_))));
    assert!(matches!(registry.apps.compare(&update).await, Err(AppError::Invalid(_))));
    let found = registry.apps.find(&full().id).await.unwrap().unwrap();
    assert_eq!(NewApp::of(&found), full());
}

#[tokio::test]
async fn two_secrets_are_good_at_once_and_no_third() {
    let registry = registry().await;
    let (_, first) = registry.apps.register(full()).await.unwrap();
    let first = first.unwrap();
    let app = full();

    let second = registry.apps.add_secret(&app.id, 3_600).await.unwrap();
    assert!(registry.accepts(&app, &first).await);
    assert!(registry.accepts(&app, &second).await);

    let third = registry.apps.add_secret(&app.id, 3_600).await.unwrap();
    assert!(!registry.accepts(&app, &first).await, "the oldest ends when a third comes");
    assert!(registry.accepts(&app, &second).await);
    assert_eq!(registry.apps.secrets(&app.id).await.unwrap().len(), 2);

    registry.clock.advance(TimeDelta::seconds(3_600));
    assert!(!registry.accepts(&app, &second).await, "it was to end by now");
    assert!(registry.accepts(&app, &third).await);
    assert_eq!(registry.apps.secrets(&app.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_secret_without_overlap_replaces_at_once() {
    let registry = registry().await;
    let (_, first) = registry.apps.register(full()).await.unwrap();
    let app = full();

    let second = registry.apps.add_secret(&app.id, 0).await.unwrap();

    assert!(!registry.accepts(&app, &first.unwrap()).await);
    assert!(registry.accepts(&app, &second).await);
    let long = registry.apps.add_secret(&app.id, OVERLAP_SECONDS_MAX + 1).await;
    assert!(matches!(long, Err(AppError::Invalid(_))));
    let nobody = registry.apps.add_secret(&"nobody".parse().unwrap(), 0).await;
    assert!(matches!(nobody, Err(AppError::Unknown)));
}

#[tokio::test]
async fn a_public_app_has_no_secrets() {
    let registry = registry().await;
    let (_, secret) = registry.apps.register(full()).await.unwrap();
    let public = NewApp { grant_types: portal().grant_types, kind: Kind::Public, ..full() };

    registry.apps.declare(&public).await.unwrap();

    assert!(!registry.accepts(&public, &secret.unwrap()).await);
    let added = registry.apps.add_secret(&public.id, 0).await;
    assert!(matches!(added, Err(AppError::Invalid(_))));
    let declared = registry.apps.declare_secrets(&public.id, &[Digest::of(b"x").into()]).await;
    assert!(matches!(declared, Err(AppError::Invalid(_))));
    registry.apps.declare(&full()).await.unwrap();
    assert_eq!(registry.apps.secrets(&public.id).await.unwrap(), []);
}

#[tokio::test]
async fn declared_secrets_are_good_and_no_others() {
    let registry = registry().await;
    let (_, first) = registry.apps.register(full()).await.unwrap();
    let id = full().id;
    let given = [Secret::presented("one"), Secret::presented("two")];
    let secrets = given.each_ref().map(GivenSecret::from);

    assert_eq!(
        registry.apps.compare_secrets(&id, (&secrets, &full())).await.unwrap(),
        Declared::Updated
    );
    assert_eq!(registry.apps.declare_secrets(&id, &secrets).await.unwrap(), Declared::Updated);
    assert_eq!(
        registry.apps.compare_secrets(&id, (&secrets, &full())).await.unwrap(),
        Declared::Unchanged
    );
    assert_eq!(registry.apps.declare_secrets(&id, &secrets).await.unwrap(), Declared::Unchanged);

    assert!(!registry.accepts(&full(), &first.unwrap()).await);
    assert!(registry.accepts(&full(), &given[0]).await);
    assert!(registry.accepts(&full(), &given[1]).await);
    let three = [&given[0], &given[1], &Secret::presented("x")].map(GivenSecret::from);
    assert!(matches!(registry.apps.declare_secrets(&id, &three).await, Err(AppError::Invalid(_))));
    registry.apps.add_secret(&id, 60).await.unwrap();
    assert_eq!(
        registry.apps.compare_secrets(&id, (&secrets, &full())).await.unwrap(),
        Declared::Updated
    );
}

#[tokio::test]
async fn case_73_only_origins_of_callback_urls_are_registered() {
    let registry = registry().await;
    let is_known = async |origin: &str| registry.apps.is_registered_origin(origin).await.unwrap();
    assert!(!is_known("https://portal.example").await);
    let callback_urls = ["https://portal.example:443/cb", "com.example.app:/cb"]
        .map(|text| RedirectUri::parse(text).unwrap())
        .to_vec();

    registry.apps.register(NewApp { callback_urls, ..portal() }).await.unwrap();

    assert!(is_known("https://portal.example").await);
    for stranger in [
        "null",
        "",
        "*",
        "https://portal.example/",
        "https://portal.example:443",
        "http://portal.example",
        "https://portal.example.evil.example",
        "com.example.app://",
    ] {
        assert!(!is_known(stranger).await, "{stranger}");
    }
}

#[tokio::test]
async fn what_the_database_holds_is_parsed_again() {
    let registry = registry().await;
    registry.apps.register(portal()).await.unwrap();
    let tamper = sql("UPDATE apps SET callback_urls = '[\"javascript:alert(1)\"]'");
    registry.ctx.db.write_one(tamper).await.unwrap();

    let found = registry.apps.find(&portal().id).await;

    assert!(matches!(found, Err(DbError::CorruptRow { column: "callback_urls", .. })));
}

#[tokio::test]
async fn a_secret_is_known_itself_only_where_the_app_signs_with_it() {
    let registry = registry().await;
    let (_, plain) = registry.apps.register(full()).await.unwrap();
    let mut signs = NewApp { id: "signs".parse().unwrap(), ..full() };
    signs.metadata.token_endpoint_auth_method = Some(AuthMethod::ClientSecretJwt);
    let (_, first) = registry.apps.register(signs.clone()).await.unwrap();
    let known = async |id: &AppId| {
        let app = registry.apps.find(id).await.unwrap().unwrap();
        let secrets = registry.apps.signing_secrets(&app);
        secrets.iter().map(|secret| secret.reveal().to_owned()).collect::<Vec<_>>()
    };

    assert!(plain.is_some() && known(&full().id).await.is_empty());
    let second = registry.apps.add_secret(&signs.id, 60).await.unwrap();
    let both = [first.unwrap().reveal().to_owned(), second.reveal().to_owned()];
    assert_eq!(known(&signs.id).await, both);
    let given = [GivenSecret::from(&Secret::presented("declared"))];
    registry.apps.declare_secrets(&signs.id, &given).await.unwrap();
    assert_eq!(known(&signs.id).await, ["declared"]);
    let again = registry.apps.compare_secrets(&signs.id, (&given, &signs)).await.unwrap();
    assert_eq!(again, Declared::Unchanged);
    let plain = registry.apps.compare_secrets(&signs.id, (&given, &full())).await.unwrap();
    assert_eq!(plain, Declared::Updated);
}
