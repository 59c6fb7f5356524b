//! Adding to the record, and looking into it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::audit::model::{Action, Actor, Entry, Erasable, Event, Wanted};
use crate::audit::store;
use crate::audit::trail::Seen;
use crate::base::entropy::Entropy;
use crate::base::id::{AccountId, ApiKeyId, AppId, UserId};
use crate::base::mac::MacKey;
use crate::base::secret::Digest;
use crate::db::ctx::Ctx;
use crate::db::error::DbError;
use crate::db::{Db, Tx};

/// Longest name of a target that is kept whole, in bytes.
const TARGET_BYTES_MAX: usize = 512;
/// Longest text of what was before or is after, in bytes; of a longer one the digest is kept.
const VALUE_BYTES_MAX: usize = 32 * 1024;
/// Most chains that one sweep looks into.
const CHAINS_MAX: u32 = 100;
/// Most entries of a chain that one sweep removes.
const SWEEP_MAX: i64 = 1_000;
/// The purpose of the key that seals the end of a chain.
pub const HEAD: &str = "audit: end of a chain";
/// The migration since which there are seals.
pub const SEALED_SINCE: &str = "0055_audit_kept";
/// The chain of what belongs to no account.
const NO_ACCOUNT: &str = "";

/// Adds `event`, which `actor` caused, to the record of its account, in the unit of work that does
/// it. It is written as the last of the unit, and told to the log once that is durable. What `actor`
/// does not say of the request is taken from the one that the task answers.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, actor: &Actor, event: &Event) {
    let actor = actor.clone().caused();
    leave(tx, ctx.seal.clone(), entry((ctx.now(), ctx.entropy()), &actor, event, 1));
}

/// Adds what stands in no unit of work with its act.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn record_alone(ctx: &Ctx, actor: &Actor, event: Event) -> Result<(), DbError> {
    let actor = actor.clone().caused();
    record_seen(ctx, &[Seen { actor, event, at: ctx.now(), times: 1 }]).await
}

/// Adds what was seen by a [`crate::audit::trail::Trail`], all of it or nothing.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn record_seen(ctx: &Ctx, seen: &[Seen]) -> Result<(), DbError> {
    let entries: Vec<Entry> = seen
        .iter()
        .map(|one| entry((one.at, ctx.entropy()), &one.actor, &one.event, one.times))
        .collect();
    let unit = ctx.db.write((ctx.seal.clone(), entries), |tx, (key, entries)| {
        Box::pin(async move {
            for entry in entries {
                leave(tx, key.clone(), entry.clone());
            }
            Ok(())
        })
    });
    unit.await
}

/// The entries of an account that are asked for, the latest first. What an account of the same name
/// left behind is not among them.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn list(
    ctx: &Ctx,
    account: &AccountId,
    since: DateTime<Utc>,
    wanted: &Wanted,
) -> Result<Vec<Entry>, DbError> {
    store::list(&ctx.db, account.as_str(), since, wanted).await
}

/// A stretch of a whole chain, from its beginning on, on behalf of the operator: of an account, or
/// of what belongs to none.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn stretch(
    db: &Db,
    account: Option<&AccountId>,
    after: i64,
    limit: u32,
) -> Result<Vec<Entry>, DbError> {
    let chain = account.map_or(NO_ACCOUNT, AccountId::as_str);
    let entries = store::stretch(db, chain, after, limit).await?;
    Ok(entries.into_iter().map(|(entry, _)| entry).collect())
}

/// Erases what entries tell of a person but their id: addresses that they came from, and what changed
/// about them. The chains hold: they cover digests of both.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn forget(tx: &mut Tx<'_>, user: &UserId) -> Result<(), DbError> {
    store::forget(tx, user).await
}

/// Seals what was written before there were seals.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn seal_all(ctx: &Ctx) -> Result<(), DbError> {
    let Some(key) = ctx.seal.clone() else { return Ok(()) };
    ctx.db.write(key, |tx, key| Box::pin(store::seal_all(tx, key))).await
}

/// Removes a bounded number of entries that are older than `kept`, and says how many. The chains hold:
/// the end of each says with which digest it goes on.
///
/// # Errors
/// [`DbError`] if storage fails.
pub async fn sweep(ctx: &Ctx, kept: TimeDelta) -> Result<u64, DbError> {
    let (mut swept, before) = (0, ctx.now() - kept);
    for chain in store::old(&ctx.db, before, CHAINS_MAX).await? {
        let input = (chain, ctx.seal.clone(), before);
        let unit = ctx.db.write(input, |tx, (chain, key, before)| {
            Box::pin(store::sweep(tx, (chain, key.as_ref()), *before, SWEEP_MAX))
        });
        swept += unit.await?;
    }
    Ok(swept)
}

/// Leaves an entry for the end of the unit.
fn leave(tx: &mut Tx<'_>, key: Option<MacKey>, mut entry: Entry) {
    let chain = entry.chain.clone();
    tx.at_end(
        &chain,
        Box::new(move |tx| {
            Box::pin(async move {
                let seq = store::append(tx, key.as_ref(), &mut entry).await?;
                if seq == 1 && entry.chain != NO_ACCOUNT {
                    store::append(tx, key.as_ref(), &mut begun(&entry)).await?;
                }
                tx.once_durable(Box::new(move || log(&entry)));
                Ok(())
            })
        }),
    );
}

/// The entry of no account which says that a chain begins: whoever removes all of that chain has to
/// remove this one, too.
fn begun(first: &Entry) -> Entry {
    let event = Event::new(Action::Create, store::BEGUN, first.chain.as_str());
    bare(&Actor::operator(), &event, first.at)
}

fn entry(
    (now, entropy): (DateTime<Utc>, &dyn Entropy),
    actor: &Actor,
    event: &Event,
    times: i64,
) -> Entry {
    let salt = || URL_SAFE_NO_PAD.encode(entropy.bytes::<16>());
    let mut entry = Entry { times, ..bare(actor, event, now) };
    if event.before.is_some() || event.after.is_some() {
        let mut detail = json!({ "salt": salt() });
        for (name, value) in [("before", &event.before), ("after", &event.after)] {
            if let (Some(value), Some(members)) = (value, detail.as_object_mut()) {
                members.insert(name.to_owned(), bounded(value));
            }
        }
        entry.detail = Erasable::new(detail.to_string());
    }
    if let Some(ip) = actor.ip {
        entry.origin = Erasable::new(json!({ "salt": salt(), "ip": ip }).to_string());
    }
    entry
}

fn bare(actor: &Actor, event: &Event, at: DateTime<Utc>) -> Entry {
    let text = |id: Option<&str>| id.map(str::to_owned);
    Entry {
        chain: event.account.as_ref().map_or(NO_ACCOUNT, |account| account.as_str()).to_owned(),
        seq: 0,
        at,
        user: text(actor.user.as_ref().map(UserId::as_str)),
        app: text(actor.app.as_ref().map(AppId::as_str)),
        key: text(actor.key.as_ref().map(ApiKeyId::as_str)),
        request: text(actor.request.as_deref()),
        action: event.action.code().to_owned(),
        kind: event.kind.to_owned(),
        target: cut(&event.target),
        outcome: event.outcome.name().to_owned(),
        reason: text(event.outcome.reason()),
        times: 1,
        detail: Erasable::default(),
        origin: Erasable::default(),
    }
}

/// What can be stored of a target: PostgreSQL takes no NUL.
fn cut(target: &str) -> String {
    let clean = target.split('\0').next().unwrap_or_default();
    let end = clean.floor_char_boundary(TARGET_BYTES_MAX);
    clean.get(..end).unwrap_or_default().to_owned()
}

fn bounded(value: &Value) -> Value {
    let text = value.to_string();
    if text.len() <= VALUE_BYTES_MAX {
        return value.clone();
    }
    json!({ "omittedBytes": text.len(), "sha256": String::from(Digest::of(text.as_bytes())) })
}

fn log(entry: &Entry) {
    tracing::info!(
        target: "narthex::audit",
        account = entry.chain,
        seq = entry.seq,
        user = entry.user,
        app = entry.app,
        key = entry.key,
        request = entry.request,
        action = entry.action,
        kind = entry.kind,
        at = entry.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        object = %entry.target.escape_debug(),
        outcome = entry.outcome,
        reason = entry.reason,
        times = entry.times,
        "audit"
    );
}
