//! When people are asked to sign in, and when not.

use chrono::TimeDelta;

use crate::common::actors::Tokens;
use crate::oidc::Plan;

pub async fn oidcc_prompt_login(plan: Plan) {
    let first = plan.id_token(&plan.tokens(&[]).await);
    plan.server.advance(TimeDelta::seconds(10));

    let url = plan.url(&[("prompt", "login")]);
    let page = plan.user.browser.follow(plan.user.browser.get(&url).await).await;
    assert!(page.body.contains("id=\"sign-in-form\""), "{page:?}");
    let second = plan.id_token(&plan.tokens(&[("prompt", "login")]).await);

    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
}

pub async fn oidcc_prompt_none_not_logged_in(plan: Plan) {
    let answer = plan.user.browser.get(&plan.url(&[("prompt", "none")])).await;

    let error = plan.response(&answer)["error"].clone();
    assert!(["login_required", "interaction_required"].contains(&error.as_str().unwrap()));
}

pub async fn oidcc_prompt_none_logged_in(plan: Plan) {
    let first = plan.id_token(&plan.tokens(&[]).await);
    plan.server.advance(TimeDelta::seconds(10));

    let answer = plan.user.browser.get(&plan.url(&[("prompt", "none")])).await;
    let code = plan.response(&answer)["code"].as_str().expect("a code at once").to_owned();
    let tokens = Tokens::of(&plan.exchange(&code).await);
    let second = plan.id_token(&tokens);

    assert_eq!((&first["sub"], &first["auth_time"]), (&second["sub"], &second["auth_time"]));
}

pub async fn oidcc_max_age_1(plan: Plan) {
    let first = plan.id_token(&plan.tokens(&[]).await);
    plan.server.advance(TimeDelta::seconds(3));

    let url = plan.url(&[("max_age", "1")]);
    let page = plan.user.browser.follow(plan.user.browser.get(&url).await).await;
    assert!(page.body.contains("id=\"sign-in-form\""), "{page:?}");
    let second = plan.id_token(&plan.tokens(&[("max_age", "1")]).await);

    assert!(second["auth_time"].as_i64() > first["auth_time"].as_i64());
    assert!(plan.server.now() - second["auth_time"].as_i64().unwrap() <= 1);
}

pub async fn oidcc_max_age_10000(plan: Plan) {
    let first = plan.id_token(&plan.tokens(&[]).await);
    plan.server.advance(TimeDelta::seconds(3));

    let answer = plan.user.browser.get(&plan.url(&[("max_age", "10000")])).await;
    let code = plan.response(&answer)["code"].as_str().expect("a code at once").to_owned();
    let tokens = Tokens::of(&plan.exchange(&code).await);

    assert_eq!(plan.id_token(&tokens)["auth_time"], first["auth_time"]);
}

pub async fn oidcc_id_token_hint(plan: Plan) {
    let first = plan.tokens(&[]).await;

    let changed = [("prompt", "none"), ("id_token_hint", &*first.id)];
    let answer = plan.user.browser.get(&plan.url(&changed)).await;
    let code = plan.response(&answer)["code"].as_str().expect("a code at once").to_owned();
    let tokens = Tokens::of(&plan.exchange(&code).await);

    assert_eq!(plan.id_token(&tokens)["sub"], plan.id_token(&first)["sub"]);
}

pub async fn oidcc_login_hint(plan: Plan) {
    let url = plan.url(&[("login_hint", "foo")]);
    let page = plan.user.browser.follow(plan.user.browser.get(&url).await).await;

    assert!(page.body.contains("name=\"username\" value=\"foo\""), "{page:?}");
    plan.tokens(&[("login_hint", "somebody@rp.example")]).await;
}
