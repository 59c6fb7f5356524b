//! The pages of one's own account: what people see and change about themselves, and that nobody
//! else can.

mod apps;
mod data;
mod deletion;
mod going;
mod places;
mod profile;
mod sessions;

use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::form::Form;

/// The pages whose forms any session may send.
const FORMS: [&str; 3] = ["/account/profile", "/account/sessions", "/account/apps"];

/// The first form of a page of one's own account that `is_meant`, with `fields` over what it holds.
pub async fn send(
    browser: &Browser,
    path: &str,
    is_meant: impl Fn(&Form) -> bool,
    fields: &[(&str, &str)],
) -> Answer {
    let page = browser.get(path).await.expect(200);
    let forms = Form::all(&page.body);
    let form = forms.iter().filter(|form| form.action.starts_with(path)).find(|it| is_meant(it));
    let form = form.unwrap_or_else(|| panic!("no such form in {page:?}"));
    browser.submit(&page, form, fields).await
}

/// The value of a field of a form on a page, by the name of the field.
fn held(form: &Form, name: &str) -> String {
    let found = form.fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The text of the element with this id, tags left out.
#[track_caller]
fn text_of(page: &Answer, id: &str) -> String {
    let found = page
        .body
        .split_once(&format!("id=\"{id}\""))
        .and_then(|(_, rest)| rest.split_once('>').and_then(|(_, rest)| rest.split_once("</")));
    let (text, _) = found.unwrap_or_else(|| panic!("no #{id} in {page:?}"));
    text.split('<').map(|part| part.rsplit('>').next().unwrap_or_default()).collect()
}
