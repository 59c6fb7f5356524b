//! `/account/profile`: what one tells of oneself. Source: OpenID Connect Core section 5.1.

use std::sync::Arc;

use askama::Template;
use axum::extract::RawQuery;
use axum::response::Response;
use http::StatusCode;

use crate::http::pages::account::section::Section;
use crate::http::pages::account::shell::AccountShell;
use crate::http::pages::account::visit::{Guest, Visit};
use crate::http::pages::form::Form;
use crate::http::pages::templates::Site;
use crate::http::pages::{broken, see_other};
use crate::users::error::UserError;
use crate::users::model::User;
use crate::users::own_profile::OwnProfile;
use crate::users::profile::{Address, Profile};

const SAVE: &str = "save";
const SAVED: &str = "saved";

/// A field: its name, the words for it, those for a hint, and what browsers may fill it with.
type Field = (&'static str, &'static str, Option<&'static str>, &'static str);

const FIELDS: [Field; 14] = [
    ("name", "profile-name", None, "name"),
    ("given_name", "profile-given-name", None, "given-name"),
    ("middle_name", "profile-middle-name", None, "additional-name"),
    ("family_name", "profile-family-name", None, "family-name"),
    ("nickname", "profile-nickname", None, "nickname"),
    ("birthdate", "profile-birthdate", Some("profile-birthdate-hint"), "bday"),
    ("phone_number", "profile-phone", Some("profile-phone-hint"), "tel"),
    ("website", "profile-website", Some("profile-website-hint"), "url"),
    ("locale", "profile-locale", Some("profile-locale-hint"), "language"),
    ("zoneinfo", "profile-zone", Some("profile-zone-hint"), "off"),
    ("street_address", "profile-street", None, "address-line1"),
    ("postal_code", "profile-postal-code", None, "postal-code"),
    ("locality", "profile-locality", None, "address-level2"),
    ("country", "profile-country", None, "country-name"),
];

/// `templates/account/profile.html`: what one tells of oneself, to be changed.
#[derive(Debug, Template)]
#[template(path = "account/profile.html")]
pub struct ProfilePage {
    /// Around it.
    pub site: Site,
    /// Around it, on pages of one's own account.
    pub shell: AccountShell,
    /// Token of its form.
    pub csrf: String,
    /// Whether a change was just taken over.
    pub is_saved: bool,
    /// Whether one of the fields is not taken.
    pub has_fault: bool,
    /// In their order.
    pub fields: Vec<FieldShown>,
}

/// A field of the form.
#[derive(Debug)]
pub struct FieldShown {
    /// Its name in the form, and its id.
    pub name: &'static str,
    /// The words for it.
    pub words: &'static str,
    /// The words for a hint.
    pub hint: Option<&'static str>,
    /// What browsers may fill it with.
    pub autocomplete: &'static str,
    /// What it holds.
    pub value: String,
    /// Whether that is not taken.
    pub is_bad: bool,
}

fn page(
    visit: &Visit,
    value: impl Fn(&str) -> String,
    (bad, is_saved): (Option<&str>, bool),
) -> Response {
    let status = if bad.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let is_bad = |name: &str| {
        let is_address = ["street_address", "postal_code", "locality", "country"].contains(&name);
        bad == Some(name) || (is_address && bad == Some("address"))
    };
    let fields = FIELDS.map(|(name, words, hint, autocomplete)| FieldShown {
        name,
        words,
        hint,
        autocomplete,
        value: value(name),
        is_bad: is_bad(name),
    });
    let page = ProfilePage {
        site: visit.site(),
        shell: visit.shell(),
        csrf: visit.csrf(SAVE),
        is_saved,
        has_fault: bad.is_some(),
        fields: fields.into(),
    };
    visit.page(status, &page)
}

/// What a user has in a field.
fn held<'a>(user: &'a User, name: &str) -> Option<&'a str> {
    let address = user.profile.address.as_ref();
    match name {
        "name" => user.name.as_deref(),
        "given_name" => user.given_name.as_deref(),
        "family_name" => user.family_name.as_deref(),
        "street_address" => address?.street_address.as_deref(),
        "postal_code" => address?.postal_code.as_deref(),
        "locality" => address?.locality.as_deref(),
        "country" => address?.country.as_deref(),
        _ => user.profile.texts().into_iter().find(|(field, _)| *field == name)?.1,
    }
}

/// `GET /account/profile`
pub(in crate::http::pages) async fn show(
    guest: Guest,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Profile)?;
    let value = |name: &str| held(&visit.user, name).map(flat).unwrap_or_default();
    Ok(page(&visit, value, (None, query.as_deref() == Some(SAVED))))
}

/// `POST /account/profile`
pub(in crate::http::pages) async fn submit(guest: Guest, form: Form) -> Result<Response, Response> {
    let visit = guest.signed_in(Section::Profile)?;
    visit.check(&form, SAVE)?;
    let form = Arc::new(form);
    let fields = form.clone();
    let own = move |now: &User| typed(now, &fields);
    match visit.server.users.set_own_profile(&visit.user.id, own).await {
        Ok(()) => Ok(see_other(&format!("{}?{SAVED}", Section::Profile.path()))),
        Err(UserError::BadProfile { field, .. }) => {
            let value = |name: &str| form.get(name).unwrap_or_default().to_owned();
            Ok(page(&visit, value, (Some(field), false)))
        }
        Err(error) => Err(broken(&error)),
    }
}

/// The profile as it was typed. What the page does not show stays as it is.
fn typed(user: &User, form: &Form) -> OwnProfile {
    let text = |name: &str| {
        let text = form.get(name).map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let before = user.profile.address.clone().unwrap_or_default();
    let mut address = Address {
        street_address: multiline(text("street_address"), before.street_address.as_deref()),
        postal_code: text("postal_code"),
        locality: text("locality"),
        country: text("country"),
        ..before.clone()
    };
    if address != before {
        // It was made of the others, which have changed.
        address.formatted = None;
    }
    OwnProfile {
        name: text("name"),
        given_name: text("given_name"),
        family_name: text("family_name"),
        profile: Profile {
            middle_name: text("middle_name"),
            nickname: text("nickname"),
            birthdate: text("birthdate"),
            phone_number: text("phone_number"),
            website: text("website"),
            locale: text("locale"),
            zoneinfo: text("zoneinfo"),
            address: (address != Address::default()).then_some(address),
            ..user.profile.clone()
        },
    }
}

/// Lines in a field of one line.
fn flat(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(", ")
}

/// Whoever left a field alone that shows several lines as one has not changed them.
fn multiline(typed: Option<String>, before: Option<&str>) -> Option<String> {
    match (typed, before) {
        (Some(typed), Some(before)) if typed == flat(before) => Some(before.to_owned()),
        (typed, _) => typed,
    }
}
