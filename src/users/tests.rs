//! Signing in, on SQLite; the HTTP suite runs the same paths on PostgreSQL.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::base::id::UserId;
use crate::base::secret::{Digest, Secret};
use crate::config::model::Config;
use crate::db::ctx::Ctx;
use crate::db::query::sql;
use crate::db::{Db, Fetch as _, testing};
use crate::keys::vault::Vault;
use crate::users::error::{SignInError, UserError};
use crate::users::login::Source;
use crate::users::model::{NewUser, Status};
use crate::users::password::PasswordInput;
use crate::users::service::Users;
use crate::users::sessions::{Held, PENDING_TTL, Stage};
use crate::users::totp::TotpSecret;

pub(in crate::users) const PASSWORD: &str = "correct horse battery";
const TOTP: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// Users on a clock that moves when told to; `ada` has a password.
pub(in crate::users) struct House {
    pub(in crate::users) users: Users,
    pub(in crate::users) clock: Arc<ManualClock>,
    pub(in crate::users) db: Db,
    pub(in crate::users) ada: UserId,
    pub(in crate::users) folder: testing::Guard,
}

impl House {
    pub(in crate::users) async fn open() -> Self {
        let (folder, db) = testing::open().await;
        let config = Config::for_test(folder.path());
        let clock = Arc::new(ManualClock::at(from_micros(1_700_000_000_000_000)));
        let entropy = Arc::new(OsEntropy::default());
        let ctx = Ctx { db: db.clone(), clock: clock.clone(), entropy, seal: None };
        let users = Users::new(ctx, Vault::new(&[7; 32]), &config).unwrap();
        let ada = users.create(new("Ada")).await.unwrap().id;
        let house = Self { users, clock, db, ada, folder };
        house.set_password(PASSWORD).await.unwrap();
        house
    }

    async fn set_password(&self, text: &str) -> Result<(), UserError> {
        let input = PasswordInput::Plain(Secret::presented(text));
        self.users.set_password(&self.ada, &input).await
    }

    pub(in crate::users) async fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: &Source,
    ) -> Result<(), SignInError> {
        self.users.sign_in(name, &Secret::presented(password), from).await.map(|_| ())
    }

    async fn complete(&self, old: Option<&str>) -> String {
        let auth_time = self.users.0.ctx.now().timestamp_micros();
        let stage = Stage::Complete {
            user: self.ada.clone(),
            auth_time,
            amr: vec!["pwd".to_owned()],
            session: None,
            seat: crate::users::own_sessions::Seat::default(),
            provider: None,
        };
        self.users.sessions().begin(old, &stage).await.unwrap()
    }

    async fn is_signed_in(&self, cookie: &str) -> bool {
        self.users.current(cookie).await.unwrap().is_some()
    }

    async fn count(&self, table: &str) -> i64 {
        let query = crate::db::query::built_sql(format!("SELECT COUNT(*) AS n FROM {table}"));
        self.db.fetch_optional(query).await.unwrap().unwrap().get("n").unwrap()
    }
}

pub(in crate::users) fn new(username: &str) -> NewUser {
    NewUser { username: username.to_owned(), ..NewUser::default() }
}

/// A stranger at an address.
pub(in crate::users) fn from(ip: &str) -> Source {
    Source { ip: ip.parse().unwrap(), browser: Digest::of(ip.as_bytes()), marks: Vec::new() }
}

pub(in crate::users) fn is_wrong(outcome: &Result<(), SignInError>) -> bool {
    matches!(outcome, Err(SignInError::Wrong))
}

pub(in crate::users) fn is_throttled(outcome: &Result<(), SignInError>) -> bool {
    matches!(outcome, Err(SignInError::Throttled { .. }))
}

#[tokio::test]
async fn a_name_is_one_however_it_is_written() {
    let house = House::open().await;

    house.sign_in(" aDA ", PASSWORD, &from("192.0.2.1")).await.unwrap();
    assert!(matches!(house.users.create(new("ADA")).await, Err(UserError::DuplicateUsername)));
    let same_id = NewUser { id: Some(house.ada.clone()), ..new("other") };
    assert!(matches!(house.users.create(same_id).await, Err(UserError::DuplicateId)));
    assert_eq!(house.users.find_by_username("ADA").await.unwrap().unwrap().username, "Ada");
}

#[tokio::test]
async fn case_47_unknown_disabled_and_wrong_are_one_answer() {
    let house = House::open().await;
    let bob = house.users.create(new("bob")).await.unwrap();
    let place = from("192.0.2.1");

    assert!(is_wrong(&house.sign_in("ada", "wrong", &place).await));
    assert!(is_wrong(&house.sign_in("nobody", PASSWORD, &place).await));
    assert!(is_wrong(&house.sign_in("bob", "", &place).await));
    let disabled = NewUser { status: Status::Disabled, ..new("ada") };
    house.users.update(&house.ada, disabled).await.unwrap();
    assert!(is_wrong(&house.sign_in("ada", PASSWORD, &place).await));
    assert!(bob.password_changed_at.is_none());
}

#[tokio::test]
async fn case_48_guesses_are_slowed_down_for_known_and_unknown_names_alike() {
    let house = House::open().await;

    for name in ["ada", "nobody"] {
        for guess in 0..6 {
            let place = from(&format!("192.0.2.{guess}"));
            assert!(is_wrong(&house.sign_in(name, "wrong", &place).await), "{name} {guess}");
        }
        let place = from("198.51.100.1");
        assert!(is_throttled(&house.sign_in(name, PASSWORD, &place).await), "{name}");
        assert!(is_throttled(&house.sign_in(name, "wrong", &place).await), "{name}");
    }
    house.clock.advance(TimeDelta::seconds(1));
    house.sign_in("ada", PASSWORD, &from("198.51.100.1")).await.unwrap();
    assert!(is_wrong(&house.sign_in("ada", "wrong", &from("198.51.100.1")).await));
}

#[tokio::test]
async fn case_48_attempts_at_once_are_counted_one_by_one() {
    let house = House::open().await;
    let guesses = (0..40).map(|guess| {
        let place = from(&format!("192.0.2.{guess}"));
        let house = &house;
        async move { house.sign_in("ada", "wrong", &place).await }
    });

    let answers = futures_util::future::join_all(guesses).await;

    // Five are free, the sixth is looked at and blocks the rest.
    assert_eq!(answers.iter().filter(|answer| is_wrong(answer)).count(), 6);
    assert_eq!(answers.iter().filter(|answer| is_throttled(answer)).count(), 34);
}

#[tokio::test]
async fn case_48_strangers_cannot_lock_a_user_out_of_a_device_of_theirs() {
    let house = House::open().await;
    let mut own = from("192.0.2.1");
    own.marks = vec![house.users.device_mark(&house.ada, &own.browser)];
    for guess in 0..20 {
        let _ = house.sign_in("ada", "wrong", &from("192.0.2.1")).await;
        let _ = house.sign_in("ada", "wrong", &from(&format!("198.51.100.{guess}"))).await;
    }
    assert!(is_throttled(&house.sign_in("ada", PASSWORD, &from("203.0.113.1")).await));

    house.sign_in("ada", PASSWORD, &own).await.unwrap();
    // The device itself may not guess without end, either.
    for _ in 0..6 {
        assert!(is_wrong(&house.sign_in("ada", "wrong", &own).await));
    }
    assert!(is_throttled(&house.sign_in("ada", PASSWORD, &own).await));
}

#[tokio::test]
async fn case_49_a_code_is_good_once_even_in_a_race() {
    let house = House::open().await;
    let text = Secret::presented(TOTP);
    house.users.set_totp(&house.ada, Some(&text)).await.unwrap();
    let secret = TotpSecret::from_base32(&text).unwrap();
    let code = secret.code_at(house.users.0.ctx.now());
    let place = from("192.0.2.1");
    let races = (0..4).map(|_| house.users.check_totp(&house.ada, &code, &place));

    let answers = futures_util::future::join_all(races).await;

    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(is_wrong(&house.users.check_totp(&house.ada, &code, &place).await));
    let before = secret.code_at(house.users.0.ctx.now() - TimeDelta::seconds(30));
    assert!(is_wrong(&house.users.check_totp(&house.ada, &before, &place).await), "steps go on");
    house.clock.advance(TimeDelta::seconds(60));
    let next = secret.code_at(house.users.0.ctx.now());
    house.users.check_totp(&house.ada, &next, &place).await.unwrap();
}

#[tokio::test]
async fn case_48_codes_are_throttled_and_a_right_password_does_not_reset_them() {
    let house = House::open().await;
    house.users.set_totp(&house.ada, None).await.unwrap();
    let place = from("192.0.2.1");
    for _ in 0..6 {
        house.sign_in("ada", PASSWORD, &place).await.unwrap();
        assert!(is_wrong(&house.users.check_totp(&house.ada, "000000x", &place).await));
    }

    assert!(is_throttled(&house.users.check_totp(&house.ada, "000000", &place).await));
}

#[tokio::test]
async fn case_49_a_secret_is_sealed_for_one_user() {
    let house = House::open().await;
    let bob = house.users.create(new("bob")).await.unwrap().id;
    house.users.set_totp(&house.ada, None).await.unwrap();
    house.users.set_totp(&bob, None).await.unwrap();
    let steal = "UPDATE totp_factors SET secret_sealed =
        (SELECT secret_sealed FROM totp_factors WHERE user_id = $1) WHERE user_id = $2";
    house.db.write_one(sql(steal).bind(&house.ada).bind(&bob)).await.unwrap();

    assert!(house.users.totp_secret(&house.ada).await.unwrap().is_some());
    assert!(house.users.totp_secret(&bob).await.is_err());
}

#[tokio::test]
async fn case_43_every_step_up_has_a_new_id_and_the_old_one_ends() {
    let house = House::open().await;
    let planted = "AAAAAAAAAAAAAAAAAAAAAA";
    let first = house.complete(Some(planted)).await;
    let second = house.complete(Some(&first)).await;

    assert!(first != planted && second != first);
    assert!(!house.is_signed_in(planted).await);
    assert!(!house.is_signed_in(&first).await);
    assert!(house.is_signed_in(&second).await);
    assert_eq!(house.count("sessions").await, 1);
}

#[tokio::test]
async fn case_50_half_a_sign_in_is_none_and_does_not_last() {
    let house = House::open().await;
    let stage = Stage::Pending {
        user: house.ada.clone(),
        amr: vec!["pwd".to_owned()],
        enrols: false,
        provider: None,
    };
    let cookie = house.users.sessions().begin(None, &stage).await.unwrap();

    assert!(!house.is_signed_in(&cookie).await);
    let held = house.users.sessions().read(&cookie).await.unwrap();
    assert!(matches!(held, Some(Held::Pending(half)) if half.user == house.ada));
    house.clock.advance(PENDING_TTL);
    assert_eq!(house.users.sessions().read(&cookie).await.unwrap(), None);
}

#[tokio::test]
async fn sessions_end_when_idle_or_old() {
    let house = House::open().await;
    let (idle, busy) = (house.complete(None).await, house.complete(None).await);
    for _ in 0..14 {
        assert!(house.is_signed_in(&busy).await);
        house.clock.advance(TimeDelta::minutes(50));
    }
    assert!(house.is_signed_in(&busy).await);
    assert!(!house.is_signed_in(&idle).await);
    house.clock.advance(TimeDelta::minutes(30));
    assert!(!house.is_signed_in(&busy).await, "12 hours are over");
    assert_eq!(house.users.sweep().await.unwrap(), 2);
    assert_eq!(house.count("sessions").await, 0);
}

#[tokio::test]
async fn use_is_written_down_once_a_minute() {
    let house = House::open().await;
    let cookie = house.complete(None).await;
    let seen = || async {
        let query = sql("SELECT last_seen_at FROM sessions");
        house.db.fetch_optional(query).await.unwrap().unwrap().get::<i64>("last_seen_at").unwrap()
    };
    let begun = seen().await;

    house.clock.advance(TimeDelta::seconds(59));
    assert!(house.is_signed_in(&cookie).await);
    assert_eq!(seen().await, begun);
    house.clock.advance(TimeDelta::seconds(1));
    assert!(house.is_signed_in(&cookie).await);
    assert_eq!(seen().await, begun + 60_000_000);
}

#[tokio::test]
async fn a_new_credential_or_a_disabled_user_signs_out_everywhere() {
    let house = House::open().await;
    let cookie = house.complete(None).await;
    house.set_password("another password").await.unwrap();
    assert!(!house.is_signed_in(&cookie).await);

    let cookie = house.complete(None).await;
    house.users.set_totp(&house.ada, None).await.unwrap();
    assert!(!house.is_signed_in(&cookie).await);

    let cookie = house.complete(None).await;
    assert!(house.is_signed_in(&cookie).await);
    let disabled = NewUser { status: Status::Disabled, ..new("ada") };
    house.users.update(&house.ada, disabled).await.unwrap();
    assert!(!house.is_signed_in(&cookie).await);
}

#[tokio::test]
async fn ids_of_sessions_are_not_stored_and_garbage_is_nobody() {
    let house = House::open().await;
    let cookie = house.complete(None).await;
    let query = sql("SELECT id_digest, data FROM sessions");
    let row = house.db.fetch_optional(query).await.unwrap().unwrap();

    assert_eq!(row.get::<Vec<u8>>("id_digest").unwrap(), Digest::of(cookie.as_bytes()).to_vec());
    assert!(!row.get::<String>("data").unwrap().contains(&cookie));
    for garbage in ["", "\0", "ä", &"A".repeat(10_000), &format!("{cookie}A")] {
        assert!(!house.is_signed_in(garbage).await);
    }
    house.users.sessions().end(&cookie).await.unwrap();
    assert!(!house.is_signed_in(&cookie).await);
}

#[tokio::test]
async fn fields_and_passwords_are_checked() {
    let house = House::open().await;
    let email = NewUser { email: Some("a\r\nBcc: x".to_owned()), ..new("bob") };
    assert!(matches!(house.users.create(email).await, Err(UserError::Invalid { field, .. })
        if field == "email"));
    assert!(matches!(house.set_password("short").await, Err(UserError::PasswordTooShort(8))));
    let nobody: UserId = "nobody".parse().unwrap();
    let password = PasswordInput::Plain(Secret::presented(PASSWORD));
    let unknown = house.users.set_password(&nobody, &password).await;
    assert!(matches!(unknown, Err(UserError::Unknown)), "{unknown:?}");
    assert!(matches!(house.users.update(&nobody, new("x")).await, Err(UserError::Unknown)));
    assert!(house.users.password_is(&house.ada, &password).await.unwrap());
    assert!(!house.users.password_is(&nobody, &password).await.unwrap());
}
