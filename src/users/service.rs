//! Users: who they are, and what changes about them. How they sign in is in
//! [`crate::users::sign_in`].

use std::sync::Arc;

use chrono::TimeDelta;
use webauthn_rs::prelude::Webauthn;

use crate::audit::model::Action;
use crate::audit::trail::Trail;
use crate::base::id::UserId;
use crate::base::secret::{Digest, Secret};
use crate::base::text::{line, optional_line};
use crate::config::model::{Config, Issuer, Throttle};
use crate::db::cache::Cache;
use crate::db::changes::Topic;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::keys::vault::Vault;
use crate::users::alarm::{Watch, first_slot};
use crate::users::chosen::Rules;
use crate::users::deletion::{id_digest, name_mac};
use crate::users::ending::end_all;
use crate::users::error::UserError;
use crate::users::hash::StoredHash;
use crate::users::login::Login;
use crate::users::model::{NewUser, User};
use crate::users::passkeys::webauthn;
use crate::users::password::{DECLARED_PASSWORD_CHARS_MIN, Hasher, PasswordInput, check_new};
use crate::users::sessions::{Held, Sessions};
use crate::users::store::UserRow;
use crate::users::totp::TotpSecret;
use crate::users::username::{self, UsernameKey};
use crate::users::{store, store_deletion, store_passwords, store_throttle, throttle};

/// Most bytes of a user's attributes, as JSON.
pub const ATTRIBUTES_BYTES_MAX: usize = 16 * 1024;
/// Longest name or e-mail address, in bytes.
const LINE_BYTES_MAX: usize = 320;
/// Most users held in memory.
const HELD_MAX: u64 = 50_000;

/// People and their credentials. Cheap to clone.
#[derive(Clone)]
pub struct Users(pub(in crate::users) Arc<Inner>);

pub(in crate::users) struct Inner {
    pub(in crate::users) ctx: Ctx,
    pub(in crate::users) vault: Vault,
    pub(in crate::users) hasher: Hasher,
    pub(in crate::users) rules: Arc<Rules>,
    pub(in crate::users) throttle: Throttle,
    pub(in crate::users) watch: Watch,
    pub(in crate::users) sessions: Sessions,
    pub(in crate::users) issuer_name: String,
    pub(in crate::users) issuer: Issuer,
    pub(in crate::users) webauthn: Option<Webauthn>,
    pub(in crate::users) trail: Trail,
    held: Cache<UserId, Option<Arc<User>>>,
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Users")
    }
}

/// A second factor that was just set. Shown once, to its owner.
#[derive(Clone, Debug)]
pub struct NewTotp {
    /// What an authenticator app reads, usually from a QR code.
    pub otpauth_url: Secret,
    /// The same secret for people who type, in base32.
    pub secret: Secret,
}

impl Users {
    /// The users in this database.
    ///
    /// # Errors
    /// [`UserError`] if argon2 does not take the configured parameters, or the list of common
    /// passwords cannot be read.
    pub fn new(ctx: Ctx, vault: Vault, config: &Config) -> Result<Self, UserError> {
        let hasher = Hasher::new(&config.passwords, ctx.entropy())?;
        let list = config.passwords.list_file.as_deref();
        let rules = Arc::new(Rules::load(list, config.issuer.as_str())?);
        let sessions = Sessions::new(ctx.clone(), config.sessions.clone());
        let held = Cache::new(ctx.db.changes(), Topic::Users, HELD_MAX);
        let throttle = config.throttle.clone();
        let url = config.issuer.as_str();
        let issuer_name = url.split_once("://").map_or(url, |(_, host)| host).to_owned();
        let webauthn = webauthn(&config.issuer);
        Ok(Self(Arc::new(Inner {
            ctx,
            vault,
            hasher,
            rules,
            throttle,
            watch: Watch::default(),
            sessions,
            issuer_name,
            issuer: config.issuer.clone(),
            webauthn,
            trail: Trail::default(),
            held,
        })))
    }

    /// Where people are signed in.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What was seen of people: who signed in, who was refused.
    pub fn trail(&self) -> &Trail {
        &self.0.trail
    }

    /// A user by id, from memory as long as nothing changed.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find(&self, id: &UserId) -> Result<Option<Arc<User>>, DbError> {
        let load = async || Ok(store::find(&self.0.ctx.db, id).await?.map(Arc::new));
        self.0.held.get_or_load(id, load).await
    }

    /// A user by name, however it is written.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn find_by_username(&self, username: &str) -> Result<Option<Arc<User>>, DbError> {
        let key = UsernameKey::of(username);
        Ok(store::find_by_username(&self.0.ctx.db, &key).await?.map(Arc::new))
    }

    /// Who proved to receive mail at an address, however it is written.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn of_address(&self, address: &str) -> Result<Option<User>, DbError> {
        let found = store::find_by_name(&self.0.ctx.db, &UsernameKey::of(address)).await?;
        Ok(found.map(|(user, _)| user).filter(|user| user.proved(address)))
    }

    /// Whether somebody signs in with an address, or with a name that is written like it.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn is_known(&self, address: &str) -> Result<bool, DbError> {
        let key = UsernameKey::of(address);
        Ok(store::find_by_name(&self.0.ctx.db, &key).await?.is_some())
    }

    /// One page of users, by id.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn list(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<User>, DbError> {
        store::list(&self.0.ctx.db, after, limit).await
    }

    /// The users of these ids, by id; those who are not there are left out.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn these(&self, ids: &[UserId]) -> Result<Vec<User>, DbError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        store::these(&self.0.ctx.db, ids).await
    }

    /// The complete sign-in behind a session cookie, with its user; `None` for everybody else.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn current(&self, cookie: &str) -> Result<Option<(Arc<Login>, Arc<User>)>, DbError> {
        let Some(Held::Login(login)) = self.0.sessions.read(cookie).await? else {
            return Ok(None);
        };
        let Some(user) = self.find(&login.user).await?.filter(|user| user.is_active()) else {
            return Ok(None);
        };
        let is_void = user.void_before().is_some_and(|at| login.auth_time < at);
        Ok((!is_void).then_some((login, user)))
    }

    /// Makes a user, without credentials.
    ///
    /// # Errors
    /// [`UserError`] if a field is not valid, or the id or the name is taken.
    pub async fn create(&self, new: NewUser) -> Result<User, UserError> {
        let fresh = || UserId::generate(self.0.ctx.now(), self.0.ctx.entropy());
        let id = new.id.clone().unwrap_or_else(fresh);
        let db = &self.0.ctx.db;
        let was_there = store_deletion::is_id_gone(db, id_digest(&id)).await?;
        if was_there || store::find(db, &id).await?.is_some() {
            return Err(UserError::DuplicateId);
        }
        let row = self.row(id, new)?;
        let unit = self.0.ctx.db.write((self.clone(), row), |tx, (users, row)| {
            Box::pin(async move {
                store::insert(tx, row).await?;
                users.tell_operated(tx, &row.id, (Action::Create, "user"));
                Ok(store::find(tx, &row.id).await?.ok_or(DbError::Closed)?)
            })
        });
        unit.await
    }

    /// Changes a user as a whole, but for id and credentials. Whoever is disabled is signed out.
    ///
    /// # Errors
    /// [`UserError`] if a field is not valid, the name is taken, or there is no such user.
    pub async fn update(&self, id: &UserId, new: NewUser) -> Result<User, UserError> {
        let row = self.row(id.clone(), new)?;
        let unit = self.0.ctx.db.write((self.clone(), row), |tx, (users, row)| {
            Box::pin(async move {
                let exists = store::update(tx, row).await?;
                users.tell_operated(tx, &row.id, (Action::Update, "user"));
                let updated = store::find(&mut *tx, &row.id).await?;
                if updated.as_ref().is_some_and(|user| !user.is_active()) {
                    end_all(tx, &row.id, row.now).await?;
                }
                Ok::<_, UserError>(updated.filter(|_| exists))
            })
        });
        unit.await?.ok_or(UserError::Unknown)
    }

    pub(in crate::users) fn row(&self, id: UserId, user: NewUser) -> Result<UserRow, UserError> {
        let key = username::check(&user.username)?;
        let named = [
            ("email", &user.email),
            ("name", &user.name),
            ("given_name", &user.given_name),
            ("family_name", &user.family_name),
        ];
        for (field, text) in named {
            let text = text.as_deref().unwrap_or("-");
            line(text, LINE_BYTES_MAX).map_err(|rule| UserError::Invalid { field, rule })?;
        }
        user.profile.check().map_err(|(field, rule)| UserError::BadProfile { field, rule })?;
        let profile = serde_json::to_string(&user.profile).unwrap_or_default();
        let attributes = serde_json::Value::Object(user.attributes.clone()).to_string();
        optional_line(&attributes, ATTRIBUTES_BYTES_MAX)
            .map_err(|_| UserError::AttributesTooLong(ATTRIBUTES_BYTES_MAX))?;
        let (mac, now) = (name_mac(&self.0.vault, &key), self.0.ctx.now());
        Ok(UserRow { id, key, mac, user, attributes, profile, now })
    }

    /// Sets the password, and signs the user out everywhere.
    ///
    /// Passwords in clear are held to the operator's minimum; those that people choose come through
    /// [`crate::users::choose`].
    ///
    /// # Errors
    /// [`UserError`] if it is not acceptable, there is no such user, or too many wait.
    pub async fn set_password(&self, id: &UserId, input: &PasswordInput) -> Result<(), UserError> {
        let (phc, imported) = match input {
            PasswordInput::Plain(password) => {
                check_new(password, DECLARED_PASSWORD_CHARS_MIN)?;
                let salt = self.0.ctx.entropy().bytes();
                (self.0.hasher.hash(password, salt).await.map_err(busy)?, None)
            }
            PasswordInput::Phc(phc) => {
                StoredHash::parse(phc)?;
                (phc.clone(), Some(Digest::of(phc.as_bytes())))
            }
        };
        let input = ((self.clone(), id.clone()), phc, imported, self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, ((users, id), phc, imported, now)| {
            Box::pin(async move {
                users.tell_operated(tx, id, (Action::Update, "password"));
                let is_first = store_passwords::phc(&mut *tx, id).await?.is_none();
                store_passwords::set_phc(tx, id, (phc, *imported), *now).await?;
                // Who has just got a first password has nowhere signed in.
                if is_first { Ok(()) } else { end_all(tx, id, *now).await }
            })
        });
        unit.await.map_err(nobody)
    }

    /// Whether this is the user's password already: so that declaring it again changes nothing.
    /// A hash that was imported once is taken as known for ever: its owner may have signed in
    /// since, or chosen another password.
    ///
    /// # Errors
    /// [`UserError::Busy`] if too many wait, [`UserError::Internal`] if storage fails.
    pub async fn password_is(&self, id: &UserId, input: &PasswordInput) -> Result<bool, UserError> {
        let db = &self.0.ctx.db;
        let Some(stored) = store_passwords::phc(db, id).await? else { return Ok(false) };
        match input {
            PasswordInput::Phc(phc) => {
                let known = store_passwords::was_imported(db, id, Digest::of(phc.as_bytes()));
                Ok(*phc == stored || known.await?)
            }
            PasswordInput::Plain(password) => {
                let salt = self.0.ctx.entropy().bytes();
                let stored = StoredHash::parse(&stored)?;
                let checked = self.0.hasher.check(password, Some(stored), salt).await;
                Ok(checked.map_err(busy)?.is_right)
            }
        }
    }

    /// Sets the second factor, given in base32 or made now, and signs the user out everywhere.
    ///
    /// # Errors
    /// [`UserError`] if the secret is not one, or there is no such user.
    pub async fn set_totp(
        &self,
        id: &UserId,
        secret: Option<&Secret>,
    ) -> Result<NewTotp, UserError> {
        let user = self.find(id).await?.ok_or(UserError::Unknown)?;
        let secret = match secret {
            Some(text) => TotpSecret::from_base32(text)?,
            None => TotpSecret::generate(self.0.ctx.entropy()),
        };
        let input = (self.clone(), id.clone(), self.seal_totp(id, &secret), self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (users, id, sealed, now)| {
            Box::pin(async move {
                users.tell_operated(tx, id, (Action::Update, "second factor"));
                store::set_totp(tx, id, sealed, *now).await?;
                end_all(tx, id, *now).await
            })
        });
        unit.await.map_err(nobody)?;
        Ok(NewTotp {
            otpauth_url: secret.otpauth_url(&self.0.issuer_name, &user.username),
            secret: secret.base32(),
        })
    }

    /// Takes the second factor away, and signs the user out everywhere.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn remove_totp(&self, id: &UserId) -> Result<(), DbError> {
        let input = (self.clone(), id.clone(), self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (users, id, now)| {
            Box::pin(async move {
                users.tell_operated(tx, id, (Action::Update, "second factor"));
                store::remove_totp(tx, id).await?;
                end_all(tx, id, *now).await
            })
        });
        unit.await
    }

    /// Signs the user out everywhere, and makes void what apps were given.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sign_out(&self, id: &UserId) -> Result<(), DbError> {
        let input = (self.clone(), id.clone(), self.0.ctx.now());
        let unit = self.0.ctx.db.write(input, |tx, (users, id, now)| {
            users.tell_operated(tx, id, (Action::Update, "sign-ins"));
            Box::pin(end_all(tx, id, *now))
        });
        unit.await
    }

    /// Whether this is the user's TOTP secret already.
    ///
    /// # Errors
    /// [`UserError::TotpSecret`] if it is none, [`UserError::Internal`] if storage fails.
    pub async fn totp_is(&self, id: &UserId, secret: &Secret) -> Result<bool, UserError> {
        let given = TotpSecret::from_base32(secret)?;
        let own = self.totp_secret(id).await?;
        Ok(own.is_some_and(|own| Secret::digest(&own.base32()) == given.base32().digest()))
    }

    /// Drops what has ended by itself: sessions, counts of failures. Returns how many rows.
    ///
    /// # Errors
    /// [`DbError`] if storage fails.
    pub async fn sweep(&self) -> Result<u64, DbError> {
        let before = throttle::stale_before(self.0.ctx.now(), &self.0.throttle);
        let counts = store_throttle::sweep(&self.0.ctx.db, before - TimeDelta::seconds(1)).await?;
        let slots =
            store_throttle::sweep_failed(&self.0.ctx.db, first_slot(self.0.ctx.now())).await?;
        Ok(self.0.sessions.sweep().await? + counts.affected + slots.affected)
    }
}

fn busy(full: crate::users::password::Full) -> UserError {
    UserError::Busy { retry_after_seconds: full.retry_after_seconds }
}

fn nobody(error: DbError) -> UserError {
    match error {
        DbError::Refused(_) => UserError::Unknown,
        other => UserError::Internal(other),
    }
}
