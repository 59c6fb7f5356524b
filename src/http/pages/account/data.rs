//! `/account/data`: a copy of what is kept about oneself.

use askama::Template;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::accounts::invitations::model::Invitation;
use crate::db::error::DbError;
use crate::http::api::error::date;
use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::templates::Site;
use crate::oauth::own_apps::own_apps;

const DOWNLOAD: &str = "download";
const INVITATIONS_AT_ONCE: u32 = 200;

/// `templates/account/data.html`: offers a copy of what is kept.
#[derive(Debug, Template)]
#[template(path = "account/data.html")]
pub struct DataPage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token of its form.
    pub csrf: String,
}

/// A part of the copy.
#[derive(Clone, Copy, Debug)]
enum Part {
    User,
    Factors,
    Memberships,
    Invitations,
    Sessions,
    Apps,
    Identities,
}

const PARTS: [(&str, Part); 7] = [
    ("user", Part::User),
    ("factors", Part::Factors),
    ("memberships", Part::Memberships),
    ("invitations", Part::Invitations),
    ("sessions", Part::Sessions),
    ("apps", Part::Apps),
    ("identities", Part::Identities),
];

/// `GET /account/data`
pub(in crate::http::pages) async fn show(guest: Guest) -> Result<Response, Response> {
    let visit = guest.fresh(Section::Data)?;
    let (site, shell, csrf) = (visit.site(), visit.shell(), visit.csrf(DOWNLOAD));
    Ok(visit.page(StatusCode::OK, &DataPage { site, shell, csrf }))
}

/// `POST /account/data`: the copy, part after part as each is read.
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.answered(Section::Data)?;
    visit.check(&form, DOWNLOAD)?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
    ];
    let head = json!({
        "issuer": visit.server.config.issuer.as_str(),
        "exported_at": date(visit.server.ctx.now()),
    });
    let head = head.to_string().trim_end_matches('}').to_owned();
    let parts = stream::iter(PARTS).then(move |(name, part)| {
        let visit = visit.clone();
        async move { Ok::<_, DbError>(format!(",\n\"{name}\":{}", read(&visit, part).await?)) }
    });
    let whole = stream::iter([Ok(head)]).chain(parts).chain(stream::iter([Ok("}\n".to_owned())]));
    Ok((headers, Body::from_stream(whole.map(|piece| piece.map(Bytes::from)))).into_response())
}

async fn read(visit: &Visit, part: Part) -> Result<Value, DbError> {
    let user = &visit.user;
    match part {
        Part::User => Ok(json!({
            "id": user.id,
            "username": user.username,
            "email": user.email,
            "email_verified": user.email_verified,
            "name": user.name,
            "given_name": user.given_name,
            "family_name": user.family_name,
            "profile": user.profile,
            "attributes": user.attributes,
            "created_at": date(user.created_at),
            "updated_at": date(user.updated_at),
            "deletion_at": user.deletion_at.map(date),
        })),
        Part::Factors => factors(visit).await,
        Part::Memberships => memberships(visit).await,
        Part::Invitations => invitations(visit).await,
        Part::Sessions => sessions(visit).await,
        Part::Apps => apps(visit).await,
        Part::Identities => identities(visit).await,
    }
}

/// What they are called and since when: never what they are.
async fn factors(visit: &Visit) -> Result<Value, DbError> {
    let user = &visit.user;
    let own = visit.server.users.factors(&user.id).await?;
    let keys = own.keys.iter().map(|key| {
        json!({
            "name": key.name,
            "added_at": date(key.created_at),
            "last_used_at": key.last_used_at.map(date),
        })
    });
    Ok(json!({
        "password_changed_at": user.password_changed_at.map(date),
        "authenticator_app": user.has_totp,
        "authenticator_app_since": own.totp_since.map(date),
        "keys": keys.collect::<Value>(),
        "recovery_codes_left": own.recovery.number,
    }))
}

async fn memberships(visit: &Visit) -> Result<Value, DbError> {
    let accounts = &visit.server.accounts;
    let mut all = Vec::new();
    for account in accounts.accounts_of(&visit.user.id).await?.iter() {
        let Some(place) = accounts.membership(&account.id, &visit.user.id).await? else { continue };
        all.push(json!({
            "account": account.id,
            "account_name": account.name,
            "groups": place.groups,
            "attributes": place.attributes,
            "patients": place.patients,
        }));
    }
    Ok(Value::Array(all))
}

/// Those that wait for an answer.
async fn invitations(visit: &Visit) -> Result<Value, DbError> {
    let mut own = Vec::new();
    loop {
        let after = own.last().map(|last: &Invitation| last.id.clone());
        let page = (after.as_ref(), INVITATIONS_AT_ONCE);
        let more = visit.server.tenancy.own_invitations(&visit.user, page).await?;
        if more.is_empty() {
            break;
        }
        own.extend(more);
    }
    let all = own.iter().map(|invitation| {
        json!({
            "account": invitation.account,
            "account_name": invitation.account_name,
            "group": invitation.group_name,
            "invited_at": date(invitation.created_at),
            "until": date(invitation.expires_at),
        })
    });
    Ok(all.collect())
}

async fn sessions(visit: &Visit) -> Result<Value, DbError> {
    let own = visit.server.users.sessions_of(&visit.user.id).await?;
    let all = own.iter().map(|session| {
        json!({
            "program": session.seat.program,
            "system": session.seat.system,
            "address": session.seat.address,
            "signed_in_at": date(session.login.auth_time),
            "signed_in_by": session.login.amr,
            "last_seen_at": date(session.last_seen),
            "this_one": session.login.key == visit.login.key,
        })
    });
    Ok(all.collect())
}

async fn apps(visit: &Visit) -> Result<Value, DbError> {
    let own = own_apps(&visit.server.oauth, &visit.user.id).await?;
    let all = own.iter().map(|own| {
        json!({
            "app": own.app.id,
            "title": own.app.title,
            "account": own.app.account,
            "scope": own.scopes.to_string(),
            "since": date(own.since),
            "last_used_at": own.last_used.map(date),
            "has_access": own.last_used.is_some(),
        })
    });
    Ok(all.collect())
}

/// Who one is at providers that one signs in at.
async fn identities(visit: &Visit) -> Result<Value, DbError> {
    let own = visit.server.providers.identities(&visit.user.id).await?;
    let all = own.iter().map(|identity| {
        json!({
            "provider": identity.name.provider,
            "subject": identity.name.subject,
            "shown_as": identity.shown,
            "linked_at": date(identity.linked_at),
            "last_used_at": date(identity.used_at),
        })
    });
    Ok(all.collect())
}
