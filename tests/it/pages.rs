//! Every page, in headless Chromium, as people meet it: on a phone and on a desk, light and dark, in
//! English and in German. axe-core finds no fault, nothing scrolls sideways, text is large, buttons
//! are easy to hit, and whoever uses the keyboard sees where they are.
//!
//! A new page is one line in `pages/table.rs`. To look at all of them, name a folder:
//! `NARTHEX_SCREENSHOTS=/tmp/pages tests/run --test it pages::`.

mod account;
mod arrivals;
mod by_oneself;
mod flows;
mod invited;
mod look;
mod table;

use narthex::words::Language;

use crate::common::chromium::{Chromium, Look};
use crate::common::database::Kind;
use crate::pages::look::Looker;
use crate::pages::table::{Scene, pages};

async fn every_page_is_good(language: Language) {
    let scene = Scene::set(Kind::Sqlite).await;
    let browser = Chromium::start(Look::Desktop).await;
    let looker = Looker::new(&browser, language);
    let only = std::env::var("NARTHEX_PAGES").unwrap_or_default();
    let mut faults = Vec::new();
    for page in pages(&scene) {
        if page.name.starts_with(&only) {
            looker.come_as(&scene, page.who).await;
            page.reach(&scene, &browser).await;
            faults.extend(looker.look(page.name).await);
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_good_in_english() {
    Box::pin(every_page_is_good(Language::English)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_good_in_german() {
    Box::pin(every_page_is_good(Language::German)).await;
}
