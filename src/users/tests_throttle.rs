//! Guessing from networks, at many names, at letters, and from everywhere at once.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::base::entropy::OsEntropy;
use crate::config::model::Config;
use crate::db::Fetch as _;
use crate::db::ctx::Ctx;
use crate::db::query::sql;
use crate::keys::vault::Vault;
use crate::users::guard::Tried;
use crate::users::login::Source;
use crate::users::service::Users;
use crate::users::tests::{House, PASSWORD, from, is_throttled, is_wrong};

impl House {
    /// A device that ada has signed in from before.
    fn own(&self) -> Source {
        let mut own = from("192.0.2.1");
        own.marks = vec![self.users.device_mark(&self.ada, &own.browser)];
        own
    }

    /// Fails with so many names from where `place` says.
    async fn fail(&self, names: std::ops::Range<u32>, place: impl Fn(u32) -> String) {
        for name in names {
            let outcome = self.sign_in(&format!("name{name}"), "wrong", &from(&place(name))).await;
            assert!(is_wrong(&outcome), "{name}");
        }
    }

    async fn failures(&self) -> i64 {
        let query = sql("SELECT failures FROM throttle");
        let rows = self.db.fetch_all(query).await.unwrap();
        rows.iter().map(|row| row.get::<i64>("failures").unwrap()).sum()
    }

    /// The same users, as another process serves them.
    async fn second(&self) -> Users {
        let db = self.folder.reopen().await;
        let ctx = Ctx {
            db,
            clock: self.clock.clone(),
            entropy: Arc::new(OsEntropy::default()),
            seal: None,
        };
        Users::new(ctx, Vault::new(&[7; 32]), &Config::for_test(self.folder.path())).unwrap()
    }
}

#[tokio::test]
async fn case_48_an_address_is_slowed_down_over_many_names() {
    let house = House::open().await;
    house.fail(0..11, |_| "192.0.2.1".to_owned()).await;

    assert!(is_throttled(&house.sign_in("name99", "wrong", &from("192.0.2.1")).await));
    assert!(is_wrong(&house.sign_in("name99", "wrong", &from("192.0.2.2")).await));
    house.sign_in("ada", PASSWORD, &house.own()).await.unwrap();
}

#[tokio::test]
async fn case_48_a_network_is_slowed_down_over_many_addresses() {
    for network in ["192.0.2.", "2001:db8:1:"] {
        let house = House::open().await;
        let place = |number| match network {
            "192.0.2." => format!("{network}{number}"),
            _ => format!("{network}{number}::1"),
        };
        house.fail(0..51, place).await;

        assert!(is_throttled(&house.sign_in("name99", "wrong", &from(&place(99))).await));
        let elsewhere = if network == "192.0.2." { "192.0.3.1" } else { "2001:db8:2::1" };
        assert!(is_wrong(&house.sign_in("name99", "wrong", &from(elsewhere)).await));
        house.sign_in("ada", PASSWORD, &house.own()).await.unwrap();
    }
}

#[tokio::test]
async fn case_48_an_own_account_does_not_make_an_address_free_again() {
    let house = House::open().await;
    house.fail(0..10, |_| "192.0.2.1".to_owned()).await;
    house.sign_in("ada", PASSWORD, &from("192.0.2.1")).await.unwrap();

    assert!(is_wrong(&house.sign_in("name60", "wrong", &from("192.0.2.1")).await));
    assert!(is_throttled(&house.sign_in("name61", "wrong", &from("192.0.2.1")).await));
}

#[tokio::test]
async fn whoever_mistypes_and_then_gets_it_right_does_not_count_against_their_network() {
    let house = House::open().await;
    for _ in 0..3 {
        assert!(is_wrong(&house.sign_in("ada", "wrong", &from("192.0.2.1")).await));
    }
    assert_eq!(house.failures().await, 3 + 3 + 2 * 7_000, "three of one name weigh seven");

    house.sign_in("ada", PASSWORD, &from("192.0.2.1")).await.unwrap();

    assert_eq!(house.failures().await, 2 * 3_000, "a name that is right is no new name");
}

#[tokio::test]
async fn an_address_is_forgiven_little_by_little() {
    let house = House::open().await;
    house.fail(0..11, |_| "192.0.2.1".to_owned()).await;
    house.clock.advance(TimeDelta::minutes(30));
    house.fail(20..25, |_| "192.0.2.1".to_owned()).await;
    assert!(is_throttled(&house.sign_in("name99", "wrong", &from("192.0.2.1")).await));

    house.clock.advance(TimeDelta::hours(2));

    house.fail(30..41, |_| "192.0.2.1".to_owned()).await;
    assert!(is_throttled(&house.sign_in("name99", "wrong", &from("192.0.2.1")).await));
}

#[tokio::test]
async fn case_48_nodes_count_together() {
    let house = House::open().await;
    let second = house.second().await;
    let wrong = crate::base::secret::Secret::presented("wrong");
    let guesses = (0..20).map(|guess| {
        let place = from(&format!("192.0.2.{guess}"));
        let users = if guess % 2 == 0 { &house.users } else { &second };
        let wrong = &wrong;
        async move { users.sign_in("ada", wrong, &place).await.map(drop) }
    });

    let answers = futures_util::future::join_all(guesses).await;

    assert_eq!(answers.iter().filter(|answer| is_wrong(answer)).count(), 6);
    assert_eq!(answers.iter().filter(|answer| is_throttled(answer)).count(), 14);
}

#[tokio::test]
async fn case_48_when_much_fails_everywhere_addresses_wait_sooner_on_all_nodes() {
    let house = House::open().await;
    let second = house.second().await;
    for guess in 0..220_u32 {
        let place = from(&format!("10.{}.{}.1", guess / 8, guess % 8));
        assert!(is_wrong(&house.sign_in(&format!("far{guess}"), "wrong", &place).await));
    }
    second.watch().await.unwrap();
    house.fail(0..3, |_| "192.0.2.1".to_owned()).await;

    house.users.watch().await.unwrap();
    second.watch().await.unwrap();

    let wrong = crate::base::secret::Secret::presented("wrong");
    for users in [&house.users, &second] {
        let answer = users.sign_in("name4", &wrong, &from("192.0.2.1")).await.map(drop);
        assert!(is_wrong(&answer) || is_throttled(&answer));
    }
    let answer = second.sign_in("name5", &wrong, &from("192.0.2.1")).await.map(drop);
    assert!(is_throttled(&answer), "three names would be few at any other time");
    house.sign_in("ada", PASSWORD, &house.own()).await.unwrap();
    // It passes.
    house.clock.advance(TimeDelta::minutes(15));
    second.watch().await.unwrap();
    let answer = second.sign_in("name6", &wrong, &from("198.51.100.1")).await.map(drop);
    assert!(is_wrong(&answer));
}

#[tokio::test]
async fn case_48_ten_thousand_wrong_passwords_a_minute_do_not_keep_the_user_out() {
    let house = House::open().await;
    let (own, stranger) = (house.own(), from("192.0.2.1"));
    let mut looked_at = 0;
    for guess in 0..10_000 {
        house.clock.advance(TimeDelta::milliseconds(6));
        looked_at += u32::from(is_wrong(&house.sign_in("ada", "wrong", &stranger).await));
        if guess % 1_000 == 0 {
            house.sign_in("ada", PASSWORD, &own).await.unwrap();
        }
    }

    // Five are free; then 1, 2, 4, 8, 16, 32 seconds pass between two of them.
    assert!(looked_at <= 12, "{looked_at} were looked at");
    house.sign_in("ada", PASSWORD, &own).await.unwrap();
}

#[tokio::test]
async fn case_48_letters_cannot_be_asked_for_without_end() {
    let house = House::open().await;
    let place = from("192.0.2.1");
    let ask = async |to: &str, source: &Source| {
        let user = (to == "ada@example.org").then_some(&house.ada);
        house.users.tries(Tried::Letter { to, user }, source).await.is_ok()
    };
    for to in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..6 {
            assert!(ask(to, &place).await, "{to}");
        }
        assert!(!ask(to, &place).await, "{to}");
        assert!(!ask(&to.to_uppercase(), &from("198.51.100.1")).await, "{to}");
    }

    // Nobody can keep others from asking, nor the reader on a device of theirs.
    assert!(ask("ben@example.org", &place).await);
    assert!(ask("ada@example.org", &house.own()).await);
    house.clock.advance(TimeDelta::hours(1));
    assert!(ask("nobody@example.org", &place).await);
}

#[tokio::test]
async fn case_48_codes_of_any_kind_share_one_count() {
    let house = House::open().await;
    house.users.set_totp(&house.ada, None).await.unwrap();
    let user = house.users.find(&house.ada).await.unwrap().unwrap();
    let place = from("192.0.2.1");
    for _ in 0..3 {
        house.users.tries(Tried::Code(&user), &place).await.unwrap();
        assert!(is_wrong(&house.users.check_totp(&house.ada, "000000x", &place).await));
    }

    assert!(is_throttled(&house.users.check_totp(&house.ada, "000000", &place).await));
    assert!(house.users.tries(Tried::Code(&user), &place).await.is_err());
    let guess = house.users.tries(Tried::Password(&user), &place).await.unwrap();
    house.users.guessed(guess).await.unwrap();
}
