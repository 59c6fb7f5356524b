//! The guards of the store, on SQLite; the HTTP suite runs the same statements on PostgreSQL.

use chrono::TimeDelta;

use crate::base::clock::from_micros;
use crate::base::entropy::CountedEntropy;
use crate::base::id::GrantId;
use crate::base::scope::Scope;
use crate::base::secret::Digest;
use crate::db::error::DbError;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _, testing};
use crate::oauth::grant::{Approval, CODE_TTL, Grant, LastAccess, PENDING_TTL, Stage};
use crate::oauth::refresh::{RefreshState, RefreshToken};
use crate::oauth::store::{self, Given, Opened};
use crate::oauth::tests::{CODE, approved};
use crate::oauth::{store_logout, store_tokens};

const BROWSER: Digest = Digest([3; 32]);

async fn database() -> (testing::Guard, Db) {
    let (folder, db) = testing::open().await;
    for statement in [
        "INSERT INTO accounts (id, name, type, status, created_at, updated_at)
         VALUES ('acme', 'Acme', 'FREE', 'ACTIVE', 0, 0)",
        "INSERT INTO users (id, username, username_key, email_verified, attributes, status,
                created_at, updated_at)
         VALUES ('u1', 'ann', 'ann', 0, '{}', 'active', 0, 0)",
        "INSERT INTO apps (id, account_id, title, status, type, allowed_scopes, default_scopes,
                callback_urls, logout_urls, grant_types, require_pkce, access_token_seconds,
                refresh_token_seconds, rotate_refresh_tokens, access_token_algorithm,
                id_token_algorithm, custom_claims, created_at, updated_at)
         VALUES ('portal', 'acme', 'Portal', 'live', 'public', '', '', '[]', '[]', '[]', 1, 1, 1,
                1, 'ES256', 'RS256', '[]', 0, 0)",
    ] {
        db.write_one(sql(statement)).await.unwrap();
    }
    (folder, db)
}

fn approval() -> Approval {
    approved().approval().unwrap().clone()
}

async fn insert(db: &Db) -> GrantId {
    let grant = approved();
    let now = from_micros(0);
    store::insert_approved(db, &grant.app, &grant.request, &approval(), CODE, now).await.unwrap()
}

fn opened() -> Opened {
    let grant = approved();
    let at = from_micros(0);
    Opened { app: grant.app, request: grant.request, browser: BROWSER, session: None, at }
}

async fn approve(db: &Db, id: GrantId, browser: Digest, at: i64) -> bool {
    db.write((id, browser, approval(), at), |tx, (id, browser, by, at)| {
        Box::pin(store::approve(tx, *id, *browser, by, CODE, from_micros(*at)))
    })
    .await
    .unwrap()
}

fn access(jti: &str) -> LastAccess {
    LastAccess { jti: jti.to_owned(), expires_at: from_micros(5_000_000), seen: false }
}

/// A spent grant whose refresh token was rotated once: the tokens are the first and the second.
async fn rotated(db: &Db) -> (GrantId, RefreshToken, RefreshToken) {
    let entropy = CountedEntropy::default();
    let id = insert(db).await;
    let first = RefreshToken::generate(id, &entropy);
    let second = first.successor(&entropy);
    let state = RefreshState {
        family: first.family.digest(),
        current: first.secret.digest(),
        previous: None,
        expires_at: from_micros(9_000_000),
    };
    let given = Given {
        access: access("a1"),
        refresh: Some(state),
        binding: None,
        expires_at: from_micros(9_000_000),
    };
    let (now, from) = (from_micros(1), first.secret.digest());
    assert!(store::spend(db, id, CODE, &given, now).await.unwrap());
    let next = access("a2");
    let to = (second.secret.digest(), &next);
    assert!(store::rotate(db, id, from, to, now).await.unwrap());
    (id, first, second)
}

async fn replace(db: &Db, id: GrantId, from: &RefreshToken, unused: &RefreshToken) -> bool {
    let tokens = (from.secret.digest(), unused.secret.digest());
    db.write((id, tokens, access("a3")), |tx, (id, tokens, access)| {
        let next = (Digest([7; 32]), access);
        Box::pin(store::replace_successor(tx, *id, *tokens, next, from_micros(2)))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn what_is_written_is_read() {
    let (_folder, db) = database().await;

    let id = insert(&db).await;

    let found = store::find(&db, id).await.unwrap();
    assert_eq!(found, Some(Grant { id, ..approved() }));
    assert_eq!(store::find(&db, GrantId(id.0 + 1)).await.unwrap(), None);

    let (id, first, second) = rotated(&db).await;
    let found = store::find(&db, id).await.unwrap().unwrap();
    let refresh = found.refresh.clone().unwrap();
    assert!(matches!(found.stage, Stage::Spent { .. }));
    assert_eq!(refresh.current, second.secret.digest());
    assert_eq!(refresh.previous, Some(first.secret.digest()));
    assert_eq!(found.access, Some(access("a2")));
}

#[tokio::test]
async fn case_19_only_one_of_many_spends_a_code() {
    let (_folder, db) = database().await;
    let id = insert(&db).await;
    let given = Given {
        access: access("a1"),
        refresh: None,
        binding: None,
        expires_at: from_micros(9_000_000),
    };

    let wrong = store::spend(&db, id, Digest([9; 32]), &given, from_micros(1)).await.unwrap();
    let races = (0..20).map(|_| store::spend(&db, id, CODE, &given, from_micros(1)));
    let answers = futures_util::future::join_all(races).await;

    assert!(!wrong);
    assert_eq!(answers.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
}

#[tokio::test]
async fn case_19_an_expired_or_revoked_code_is_not_spent() {
    let (_folder, db) = database().await;
    let given = Given {
        access: access("a1"),
        refresh: None,
        binding: None,
        expires_at: from_micros(9_000_000),
    };
    let (expired, revoked) = (insert(&db).await, insert(&db).await);
    store_tokens::revoke(&db, revoked, from_micros(1)).await.unwrap();

    let late = from_micros(1) + CODE_TTL;
    assert!(!store::spend(&db, expired, CODE, &given, late).await.unwrap());
    assert!(!store::spend(&db, revoked, CODE, &given, from_micros(1)).await.unwrap());
}

#[tokio::test]
async fn case_23_only_one_of_many_rotates_a_refresh_token() {
    let (_folder, db) = database().await;
    let (id, first, second) = rotated(&db).await;
    let next = access("a3");
    let to = (Digest([7; 32]), &next);

    let old = store::rotate(&db, id, first.secret.digest(), to, from_micros(2)).await.unwrap();
    let from = second.secret.digest();
    let races = (0..20).map(|_| store::rotate(&db, id, from, to, from_micros(2)));
    let answers = futures_util::future::join_all(races).await;

    assert!(!old);
    assert_eq!(answers.into_iter().filter(|won| *won.as_ref().unwrap()).count(), 1);
}

#[tokio::test]
async fn case_23_a_lost_answer_is_forgiven_only_while_it_is_unused() {
    let (_folder, db) = database().await;
    let (id, first, second) = rotated(&db).await;
    let third = second.successor(&CountedEntropy::default());

    assert!(!replace(&db, id, &second, &third).await, "there is no third yet");
    assert!(replace(&db, id, &first, &second).await);
    assert!(!replace(&db, id, &first, &second).await, "it was replaced");
    assert!(!store::mark_seen(&db, id, "a2").await.unwrap(), "it is not the last any more");

    let (id, first, second) = rotated(&db).await;
    assert!(store::mark_seen(&db, id, "a2").await.unwrap());
    assert!(!replace(&db, id, &first, &second).await, "its access token was seen");
}

#[tokio::test]
async fn case_15_a_pending_grant_is_approved_once_and_by_its_browser() {
    let (_folder, db) = database().await;
    let id = store::open(&db, opened()).await.unwrap();
    let late = PENDING_TTL.num_microseconds().unwrap();

    assert!(!approve(&db, id, Digest([4; 32]), 1).await, "another browser");
    assert!(!approve(&db, id, BROWSER, late).await, "too late");
    assert!(approve(&db, id, BROWSER, 1).await);
    assert!(!approve(&db, id, BROWSER, 1).await, "twice");
    assert!(!store::deny(&db, id, BROWSER, from_micros(1)).await.unwrap(), "after the yes");

    let id = store::open(&db, opened()).await.unwrap();
    assert!(store::deny(&db, id, BROWSER, from_micros(1)).await.unwrap());
    assert!(!approve(&db, id, BROWSER, 1).await, "after the no");
}

#[tokio::test]
async fn case_75_a_browser_has_a_bounded_number_of_open_requests() {
    let (_folder, db) = database().await;
    let first = store::open(&db, opened()).await.unwrap();
    let other = store::open(&db, Opened { browser: Digest([4; 32]), ..opened() }).await.unwrap();
    let mut last = first;
    for _ in 0..30 {
        last = store::open(&db, opened()).await.unwrap();
    }

    let row = db.fetch_optional(sql("SELECT COUNT(*) AS n FROM grants")).await.unwrap().unwrap();
    assert_eq!(row.get::<i64>("n").unwrap(), 21);
    assert!(store::find(&db, first).await.unwrap().is_none());
    assert!(store::find(&db, other).await.unwrap().is_some());
    assert!(store::find(&db, last).await.unwrap().is_some());
}

#[tokio::test]
async fn case_75_browsers_without_cookies_cannot_pile_up_requests() {
    let (_folder, db) = database().await;
    let approved = insert(&db).await;
    for number in 0..10 {
        let browser = Digest([number; 32]);
        store::open(&db, Opened { browser, ..opened() }).await.unwrap();
    }

    let trimmed = db.write(4, |tx, keep| Box::pin(store::trim_pending(tx, *keep))).await.unwrap();

    assert_eq!(trimmed, 6);
    assert!(store::find(&db, approved).await.unwrap().is_some(), "it does not wait any more");
    assert!(store::find(&db, GrantId(approved.0 + 6)).await.unwrap().is_none());
    assert!(store::find(&db, GrantId(approved.0 + 7)).await.unwrap().is_some());
}

#[tokio::test]
async fn case_75_what_is_over_is_swept() {
    let (_folder, db) = database().await;
    let (over, open) = (insert(&db).await, store::open(&db, opened()).await.unwrap());
    store_tokens::revoke_token(&db, "a1", from_micros(5)).await.unwrap();

    let now = from_micros(1) + CODE_TTL;
    let grants = store_logout::sweep_grants(&db, now, TimeDelta::hours(12)).await.unwrap();
    let tokens = store_tokens::sweep(&db, now).await.unwrap();

    assert_eq!((grants, tokens), (1, 1));
    assert!(store::find(&db, over).await.unwrap().is_none());
    assert!(store::find(&db, open).await.unwrap().is_some());
    assert!(!store_tokens::is_revoked(&db, "a1").await.unwrap());
}

#[tokio::test]
async fn consents_add_up() {
    let (_folder, db) = database().await;
    let grant = approved();
    let user = approval().user;
    for scope in ["openid", "email"] {
        let scope = Scope::parse(scope).unwrap();
        let input = (user.clone(), grant.app.clone(), scope);
        db.write(input, |tx, (user, app, scope)| {
            Box::pin(async move {
                let now = from_micros(0) + TimeDelta::seconds(1);
                store_tokens::remember_consent(tx, user, app, scope, now).await?;
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    }

    let consented = store_tokens::consented(&db, &user, &grant.app).await.unwrap();

    assert_eq!(consented.to_string(), "email openid");
}
