//! Adding to the record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::audit::model::{Action, Actor, Entry, Erasable, Event};
use crate::audit::store;
use crate::base::entropy::Entropy;
use crate::base::secret::Digest;
use crate::db::Tx;
use crate::db::ctx::Ctx;

/// Longest name of a target that is kept whole, in bytes.
const TARGET_BYTES_MAX: usize = 512;
/// Longest text of what was before or is after, in bytes; of a longer one the digest is kept.
const VALUE_BYTES_MAX: usize = 32 * 1024;
/// The chain of what belongs to no account.
const NO_ACCOUNT: &str = "";

/// Adds `event`, which `actor` caused, to the record of its account, in the unit of work that does
/// it. It is written as the last of the unit, and told to the log once that is durable.
pub fn record(tx: &mut Tx<'_>, ctx: &Ctx, actor: &Actor, event: &Event) {
    leave(tx, entry((ctx.now(), ctx.entropy()), actor, event, 1));
}

/// Leaves an entry for the end of the unit.
fn leave(tx: &mut Tx<'_>, mut entry: Entry) {
    let chain = entry.chain.clone();
    tx.at_end(
        &chain,
        Box::new(move |tx| {
            Box::pin(async move {
                let seq = store::append(tx, &mut entry).await?;
                if seq == 1 && entry.chain != NO_ACCOUNT {
                    store::append(tx, &mut begun(&entry)).await?;
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
        user: text(actor.user.as_ref().map(|id| id.as_str())),
        app: text(actor.app.as_ref().map(|id| id.as_str())),
        key: text(actor.key.as_ref().map(|id| id.as_str())),
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
        object = ?entry.target,
        outcome = entry.outcome,
        reason = entry.reason,
        times = entry.times,
        "audit"
    );
}
