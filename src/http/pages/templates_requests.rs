//! What the templates show of requests that wait for their user. As in `templates`.

use askama::Template;

use crate::apps::model::Status;
use crate::http::pages::teller::{Face, Teller};
use crate::http::pages::templates::Site;
use crate::oauth::details;
use crate::oauth::waiting::Ask;
use crate::words::Language;

/// `templates/device.html`: asks for the code that a device shows.
#[derive(Debug, Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    /// Around it.
    pub site: Site,
    /// Token against posts from elsewhere.
    pub csrf: String,
    /// What is filled in.
    pub code: String,
    /// Why it is shown again.
    pub fault: Option<String>,
}

/// One request: who asks, and for what.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Title of the app: the developer's words.
    pub app_title: String,
    /// What stands beside that title.
    pub face: Face,
    /// The account that answers for the app: ours, not the developer's word.
    pub app_account: String,
    /// Whether the app is still being developed.
    pub in_development: bool,
    /// What stands on the app's own screen.
    pub message: Option<String>,
    /// What the app asks for, one phrase each.
    pub wishes: Vec<String>,
    /// What it asks for in detail: a type, and what is said of it.
    pub details: Vec<(String, Vec<String>)>,
}

impl Wanted {
    /// What to show of a request.
    pub fn of(ask: &Ask, teller: &Teller, language: Language) -> Self {
        Self {
            face: teller.face(&ask.app),
            app_title: ask.app.title_in(language).to_owned(),
            app_account: if ask.account_name.is_empty() {
                ask.account.to_string()
            } else {
                format!("{} ({})", ask.account_name, ask.account)
            },
            in_development: ask.app.status == Status::Developing,
            message: ask.binding_message.clone(),
            wishes: ask.scopes.iter().map(|scope| teller.wish(scope)).collect(),
            details: ask.details.iter().map(details::in_words).collect(),
        }
    }
}

/// `templates/device_confirm.html`: asks whether a device may act for the user.
#[derive(Debug, Template)]
#[template(path = "device_confirm.html")]
pub struct DeviceConfirmPage {
    /// Around it.
    pub site: Site,
    /// Token against posts from elsewhere; bound to the session and the code, too.
    pub csrf: String,
    /// What was typed.
    pub code: String,
    /// Who is asked.
    pub user: String,
    /// Who asks, and for what.
    pub wanted: Wanted,
}

/// `templates/device_done.html`: says that the device knows.
#[derive(Debug, Template)]
#[template(path = "device_done.html")]
pub struct DeviceDonePage {
    /// Around it.
    pub site: Site,
    /// Whether the user said yes.
    pub allowed: bool,
}

/// One request that waits for the user's answer.
#[derive(Debug)]
pub struct Approval {
    /// Its number.
    pub id: i64,
    /// Token against posts from elsewhere; bound to the session and the request, too.
    pub csrf: String,
    /// Who asks, and for what.
    pub wanted: Wanted,
}

/// `templates/approvals.html`: all that waits for the user's answer.
#[derive(Debug, Template)]
#[template(path = "approvals.html")]
pub struct ApprovalsPage {
    /// Around it.
    pub site: Site,
    /// Who is asked.
    pub user: String,
    /// What waits.
    pub approvals: Vec<Approval>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script>&'";

    fn hostile() -> Wanted {
        let text = || HOSTILE.to_owned();
        Wanted {
            app_title: text(),
            face: Face { logo: Some(text()), letter: "C".to_owned() },
            app_account: text(),
            in_development: true,
            message: Some(text()),
            wishes: vec![text()],
            details: vec![(text(), vec![text()])],
        }
    }

    #[test]
    fn case_16_pages_for_requests_escape_what_others_wrote() {
        let (csrf, code) = ("token".to_owned(), HOSTILE.to_owned());
        let device = DevicePage {
            site: Site::sample(),
            csrf: csrf.clone(),
            code: code.clone(),
            fault: Some(code.clone()),
        };
        let user = HOSTILE.to_owned();
        let confirm =
            DeviceConfirmPage { site: Site::sample(), csrf, code, user, wanted: hostile() };

        let approval = Approval { id: 7, csrf: "token".to_owned(), wanted: hostile() };
        let approvals = ApprovalsPage {
            site: Site::sample(),
            user: HOSTILE.to_owned(),
            approvals: vec![approval],
        };
        for html in
            [device.render().unwrap(), confirm.render().unwrap(), approvals.render().unwrap()]
        {
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&#60;script"), "{html}");
        }
    }
}
