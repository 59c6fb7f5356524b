//! Whole flows without HTTP, on SQLite; the HTTP suite runs them again from outside, on both.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::base::secret::{Digest, Secret};
use crate::oauth::access_token::verify;
use crate::oauth::authorize::{Step, begin, consent, resume};
use crate::oauth::error::AuthorizeError;
use crate::oauth::introspection::introspect;
use crate::oauth::logout::end;
use crate::oauth::params::Params;
use crate::oauth::possession::{self, Shown};
use crate::oauth::presented::Presented;
use crate::oauth::response::Reply;
use crate::oauth::revocation::revoke;
use crate::oauth::service::TOKENS_MAX;
use crate::oauth::tests_world::{BROWSER, asked, error_of, query, refresh_token, world};
use crate::oauth::token::exchange;
use crate::oauth::userinfo::{UserInfo, userinfo};
use crate::users::model::{NewUser, Status as UserStatus};

#[tokio::test]
async fn rfc6749_4_1_a_code_flow_from_stranger_to_tokens() {
    let world = world().await;
    let oauth = &world.oauth;
    let step = begin(oauth, &asked("portal"), None, BROWSER).await.unwrap();
    let Step::SignIn { grant, .. } = step else { panic!("{step:?}") };

    let login = world.login(&world.ann);
    let step = resume(oauth, grant, BROWSER, Some(&login)).await.unwrap();
    let Step::Consent { view, .. } = step else { panic!("{step:?}") };
    assert_eq!(view.scopes, ["openid", "project.read"]);
    assert_eq!(
        (view.account_name.as_str(), view.destination.as_str()),
        ("Acme", "https://portal.example")
    );

    assert!(consent(oauth, grant, Digest([9; 32]), &login, true).await.is_err(), "another browser");
    let step = consent(oauth, grant, BROWSER, &login, true).await.unwrap();
    let Step::Reply(Reply::Redirect(url)) = step else { panic!("{step:?}") };
    assert_eq!(query(&url, "state").as_deref(), Some("s=+/1"));
    assert_eq!(query(&url, "iss").as_deref(), Some(oauth.issuer()));
    assert!(resume(oauth, grant, BROWSER, Some(&login)).await.is_err(), "it is over");

    let issued = world.redeem(&query(&url, "code").unwrap()).await.unwrap();
    let access = verify(oauth, issued.access_token.reveal()).await.unwrap();
    assert_eq!((access.sub.as_ref(), access.grant), (Some(&world.ann), Some(grant)));
    let claims = oauth.parts().keys.verify(issued.access_token.reveal()).unwrap().claims;
    assert_eq!(claims["username"], "ann");
    assert_eq!(claims["tier"], "gold");
    assert_eq!(claims["version"], 2);
    assert_eq!(claims["token_use"], "access");
    let id = oauth.parts().keys.verify(issued.id_token.as_ref().unwrap().reveal()).unwrap().claims;
    assert_eq!(
        (&id["nonce"], &id["aud"], &id["sub"]),
        (&json!("n1"), &json!("portal"), &json!("ann"))
    );
    assert_eq!(id.get("tier"), None);
    let known = userinfo(oauth, &Shown::bearer(issued.access_token.reveal())).await.unwrap();
    let Value::Object(expected) = json!({"sub": "ann"}) else { panic!("an object") };
    assert_eq!(known, UserInfo::Plain(expected));

    let again = begin(oauth, &asked("portal"), Some(&login), BROWSER).await.unwrap();
    assert!(matches!(again, Step::Reply(_)), "the consent is remembered: {again:?}");
}

#[tokio::test]
async fn case_19_a_replayed_code_revokes_what_it_gave() {
    let world = world().await;
    let code = world.code("portal").await;
    let issued = world.redeem(&code).await.unwrap();
    assert!(world.is_alive(&issued).await);

    assert_eq!(error_of(world.redeem(&code).await), "invalid_grant");

    assert!(!world.is_alive(&issued).await);
    assert_eq!(error_of(world.refresh(&refresh_token(&issued)).await), "invalid_grant");
}

#[tokio::test]
async fn case_19_a_code_is_exchanged_at_most_once_however_many_race() {
    let world = world().await;
    let code = world.code("portal").await;

    let outcomes = futures_util::future::join_all((0..8).map(|_| world.redeem(&code))).await;

    assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() <= 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        assert_eq!(error_of(refused), "invalid_grant");
    }
}

#[tokio::test]
async fn case_23_reuse_revokes_and_a_lost_answer_is_forgiven() {
    let world = world().await;
    let first = world.tokens().await;
    let second = world.refresh(&refresh_token(&first)).await.unwrap();

    // Nobody used what the second answer gave: it may have been lost.
    let third = world.refresh(&refresh_token(&first)).await.unwrap();
    assert!(!world.is_alive(&second).await, "the lost access token is dead");
    assert!(world.is_alive(&third).await);

    // Now the third was seen, so the first is not repeated by its owner.
    assert_eq!(error_of(world.refresh(&refresh_token(&first)).await), "invalid_grant");
    assert!(!world.is_alive(&third).await);
    assert_eq!(error_of(world.refresh(&refresh_token(&third)).await), "invalid_grant");
}

#[tokio::test]
async fn case_23_a_token_two_steps_old_is_reuse() {
    let world = world().await;
    let first = world.tokens().await;
    let second = world.refresh(&refresh_token(&first)).await.unwrap();
    let third = world.refresh(&refresh_token(&second)).await.unwrap();

    assert_eq!(error_of(world.refresh(&refresh_token(&first)).await), "invalid_grant");

    assert!(!world.is_alive(&third).await);
}

#[tokio::test]
async fn case_23_of_two_at_once_one_pair_is_alive() {
    let world = world().await;
    let first = world.tokens().await;
    let token = refresh_token(&first);

    let outcomes = futures_util::future::join_all((0..4).map(|_| world.refresh(&token))).await;

    let mut alive = 0;
    for issued in outcomes.iter().flatten() {
        alive += usize::from(world.is_alive(issued).await);
    }
    assert_eq!(alive, 1);
}

#[tokio::test]
async fn case_24_refresh_tokens_end_with_their_user_and_their_time() {
    let world = world().await;
    let issued = world.tokens().await;
    let params = Params::from([
        ("grant_type", "refresh_token"),
        ("client_id", "portal"),
        ("refresh_token", issued.refresh_token.as_ref().unwrap().reveal()),
        ("scope", "openid profile"),
    ]);
    assert_eq!(
        error_of(exchange(&world.oauth, &Presented::plain("/token", &params, None)).await),
        "invalid_scope"
    );

    let users = &world.oauth.parts().users;
    let user = users.find(&world.ann).await.unwrap().unwrap();
    let disabled = NewUser { status: UserStatus::Disabled, ..NewUser::from(user.as_ref()) };
    users.update(&world.ann, disabled).await.unwrap();
    assert_eq!(error_of(world.refresh(&refresh_token(&issued)).await), "invalid_grant");
    assert!(!world.is_alive(&issued).await);

    users.update(&world.ann, NewUser::from(user.as_ref())).await.unwrap();
    world.clock.advance(TimeDelta::seconds(86_399));
    let late = world.refresh(&refresh_token(&issued)).await.unwrap();
    world.clock.advance(TimeDelta::seconds(1));
    assert_eq!(error_of(world.refresh(&refresh_token(&late)).await), "invalid_grant");
}

#[tokio::test]
async fn case_24_signing_out_and_leaving_the_account_end_a_refresh_token() {
    let world = world().await;
    let (one, two) = (world.tokens().await, world.tokens().await);
    let acme = "acme".parse().unwrap();
    let staff = "staff".parse().unwrap();

    let accounts = &world.oauth.parts().accounts;
    accounts.declare_members(&acme, &staff, &[]).await.unwrap();
    assert_eq!(error_of(world.refresh(&refresh_token(&one)).await), "invalid_grant");
    accounts.declare_members(&acme, &staff, std::slice::from_ref(&world.ann)).await.unwrap();
    let one = world.refresh(&refresh_token(&one)).await.unwrap();

    end(&world.oauth, &world.login(&world.ann)).await.unwrap();
    for issued in [one, two] {
        assert_eq!(error_of(world.refresh(&refresh_token(&issued)).await), "invalid_grant");
        assert!(!world.is_alive(&issued).await);
    }
}

#[tokio::test]
async fn case_25_who_may_not_use_an_app_gets_no_code() {
    let world = world().await;
    let (ann, bob) = (world.login(&world.ann), world.login(&"bob".parse().unwrap()));
    for (app, login) in [("portal", &bob), ("dev", &ann)] {
        let params = asked(app);
        let grant = match begin(&world.oauth, &params, Some(login), BROWSER).await {
            Err(AuthorizeError::Told { code, .. }) => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(grant, "access_denied", "{app}");
    }

    let develop = json!({"rules": {"developApps": true}});
    let acme = "acme".parse().unwrap();
    world.oauth.parts().policies.declare(&acme, "developers", &develop).await.unwrap();
    let step = begin(&world.oauth, &asked("dev"), Some(&ann), BROWSER).await.unwrap();
    assert!(matches!(step, Step::Consent { .. }), "{step:?}");
}

#[tokio::test]
async fn case_28_an_app_acts_for_itself_only_with_its_secret() {
    let world = world().await;
    let issued = world.own_token("project.read").await.unwrap();
    assert_eq!((issued.refresh_token.is_none(), issued.id_token.is_none()), (true, true));
    let access = verify(&world.oauth, issued.access_token.reveal()).await.unwrap();
    assert_eq!((access.sub.as_ref(), access.client.as_str()), (None, "batch"));
    assert_eq!(error_of(world.own_token("project.write").await), "invalid_scope");
    assert_eq!(error_of(world.own_token("a\"b").await), "invalid_scope");

    for (app, secret, code) in [
        ("batch", "wrong", "invalid_client"),
        ("portal", "wrong", "invalid_client"),
        ("nobody", "wrong", "invalid_client"),
        ("batch", "", "invalid_client"),
        ("portal", "", "unauthorized_client"),
    ] {
        let text = format!("grant_type=client_credentials&client_id={app}&client_secret={secret}");
        let params = Params::parse(text.as_bytes()).unwrap();
        assert_eq!(
            error_of(exchange(&world.oauth, &Presented::plain("/token", &params, None)).await),
            code,
            "{app} {secret}"
        );
    }
}

#[tokio::test]
async fn case_33_and_34_tokens_are_told_and_taken_only_to_their_own() {
    let world = world().await;
    let issued = world.tokens().await;
    let of_batch = |token: &Secret| {
        Params::from([
            ("client_id", "batch"),
            ("client_secret", world.secret.reveal()),
            ("token", token.reveal()),
        ])
    };
    let of_portal = |token: &str| Params::from([("client_id", "portal"), ("token", token)]);
    let access = &issued.access_token;

    let told = introspect(&world.oauth, &Presented::plain("/introspect", &of_batch(access), None))
        .await
        .unwrap();
    assert_eq!((told.active, told.username.as_deref()), (true, Some("ann")));
    let refresh = refresh_token(&issued);
    assert!(
        !introspect(&world.oauth, &Presented::plain("/introspect", &of_batch(&refresh), None))
            .await
            .unwrap()
            .active
    );
    let public = introspect(
        &world.oauth,
        &Presented::plain("/introspect", &of_portal(access.reveal()), None),
    )
    .await;
    assert_eq!(public.unwrap_err().code(), "invalid_client");

    let stranger =
        revoke(&world.oauth, &Presented::plain("/revoke", &of_batch(access), None)).await;
    assert_eq!(stranger.unwrap_err().code(), "invalid_grant");
    assert!(world.is_alive(&issued).await);
    for unknown in ["nonsense", "1.2.3", "e30.e30.e30"] {
        revoke(&world.oauth, &Presented::plain("/revoke", &of_portal(unknown), None))
            .await
            .unwrap();
    }
    revoke(&world.oauth, &Presented::plain("/revoke", &of_portal(access.reveal()), None))
        .await
        .unwrap();
    assert!(!world.is_alive(&issued).await);
    assert!(
        !introspect(&world.oauth, &Presented::plain("/introspect", &of_batch(access), None))
            .await
            .unwrap()
            .active
    );

    let next = world.refresh(&refresh).await.unwrap();
    revoke(&world.oauth, &Presented::plain("/revoke", &of_portal(refresh.reveal()), None))
        .await
        .unwrap();
    assert!(!world.is_alive(&next).await, "an old refresh token gives the whole grant back");
}

#[tokio::test]
async fn case_41_checked_tokens_are_held_in_bounded_number_and_never_beyond_their_time() {
    let world = world().await;
    let issued = world.own_token("project.read").await.unwrap();
    let access = verify(&world.oauth, issued.access_token.reveal()).await.unwrap();
    let held = &world.oauth.caches().signed;
    let key = |number: u64| Digest::of(&number.to_be_bytes()).0;

    for number in 0..3 * TOKENS_MAX {
        held.insert(key(number), access.clone());
    }
    let count = (0..3 * TOKENS_MAX).filter(|number| held.get(&key(*number)).is_some()).count();
    // The cache tidies up in batches, so it may hold a few more for a moment.
    assert!(u64::try_from(count).unwrap() < 2 * TOKENS_MAX, "{count}");

    let again = world.own_token("project.read").await.unwrap();
    assert!(world.is_alive(&again).await);
    world.clock.advance(TimeDelta::seconds(3_600));
    assert!(!world.is_alive(&again).await);
}

/// Futures are moved as often as they are nested, whole: what few requests need does not stand in
/// those of all requests.
#[tokio::test]
async fn the_futures_of_plain_requests_are_small() {
    let world = world().await;
    let (oauth, params) = (&world.oauth, asked("portal"));
    let presented = Presented::plain("/token", &params, None);
    let shown = Shown::bearer("x");
    let sizes = [
        ("authorize", size_of_val(&begin(oauth, &params, None, BROWSER))),
        ("token", size_of_val(&exchange(oauth, &presented))),
        ("introspection", size_of_val(&introspect(oauth, &presented))),
        ("userinfo", size_of_val(&userinfo(oauth, &shown))),
        ("possession", size_of_val(&possession::verify(oauth, &shown))),
    ];
    for (name, size) in sizes {
        assert!(size <= 4096, "{name}: {size} bytes");
    }
}
