//! Looking at the page that is shown.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use narthex::words::Language;
use serde_json::{Value, json};

use crate::clients::node::packages;
use crate::common::chromium::Chromium;
use crate::pages::table::{Scene, Who};

/// Width and scheme of each look, and whether axe-core looks, too: contrast depends on the scheme,
/// and the size of what is touched on the width.
const LOOKS: [(u32, &str, bool); 4] =
    [(360, "light", true), (1280, "dark", true), (360, "dark", false), (1280, "light", false)];

/// What every page must keep to.
const CHECKS: &str = "
    const language = arguments[0];
    const faults = [];
    const name = (it) => `<${it.tagName.toLowerCase()} id='${it.id}' class='${it.className}'>`;
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) faults.push(`is ${root.scrollWidth} px wide`);
    if (root.lang !== language) faults.push(`says that it is in ${root.lang}`);
    if (!document.title) faults.push('no title');
    if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
    const shown = (it) => it.checkVisibility() && it.getBoundingClientRect().width > 1;
    for (const it of document.querySelectorAll('body *')) {
        const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const size = parseFloat(getComputedStyle(it).fontSize);
        if (own && shown(it) && size < 17) faults.push(`${size} px of text in ${name(it)}`);
    }
    const touched = 'button, .button, select, textarea, input:not([type=hidden])';
    for (const it of document.querySelectorAll(touched)) {
        const small = ['checkbox', 'radio'].includes(it.type);
        const box = (small ? it.labels[0] ?? it : it).getBoundingClientRect();
        if (shown(it) && box.height < 44) faults.push(`${box.height} px to touch of ${name(it)}`);
        if (!small && shown(it) && it.matches('input, select, textarea') && !it.labels.length) {
            faults.push(`no label: ${name(it)}`);
        }
    }
    for (const it of document.querySelectorAll('[aria-invalid=true]')) {
        const said = (it.getAttribute('aria-describedby') ?? '').split(' ');
        if (!said.some((id) => document.getElementById(id))) faults.push(`why? ${name(it)}`);
    }
    return faults;";

/// After a first key: everything that has the focus shows it.
const FOCUS: &str = "
    const faults = [];
    const all = 'a[href], button, select, textarea, summary, input:not([type=hidden])';
    const before = document.activeElement;
    for (const it of document.querySelectorAll(all)) {
        if (!it.checkVisibility() || it.disabled) continue;
        it.focus();
        const style = getComputedStyle(it);
        const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        if (document.activeElement !== it || !seen) {
            faults.push(`focus is not seen: <${it.tagName} id='${it.id}'>`);
        }
    }
    before?.focus();
    return faults;";

/// What axe-core finds. It is asked for the size of targets besides its own choice of rules.
const AXE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { rules: { 'target-size': { enabled: true } } }).then(
        (found) => done(found.violations.flatMap((rule) => rule.nodes.map(
            (node) => `axe ${rule.id}: ${node.html} ${node.failureSummary}`))),
        (error) => done([String(error)]));";

/// Looks at pages in one language.
pub struct Looker<'a> {
    browser: &'a Chromium,
    language: Language,
    axe: String,
    folder: Option<PathBuf>,
}

impl<'a> Looker<'a> {
    pub fn new(browser: &'a Chromium, language: Language) -> Self {
        let axe = std::fs::read_to_string(packages().join("axe-core/axe.min.js"));
        let folder = std::env::var_os("NARTHEX_SCREENSHOTS").map(PathBuf::from);
        Self { browser, language, axe: axe.expect("axe-core"), folder }
    }

    /// Gives the browser the cookies of somebody, and its language.
    pub async fn come_as(&self, scene: &Scene, who: Who) {
        let headers = json!({ "headers": { "Accept-Language": self.language.code() } });
        self.browser.devtools("Network.enable", json!({})).await;
        self.browser.devtools("Network.setExtraHTTPHeaders", headers).await;
        self.browser.devtools("Network.clearBrowserCookies", json!({})).await;
        for (name, value) in scene.cookies(who) {
            let cookie = json!({ "name": name, "value": value, "url": scene.server.url });
            self.browser.devtools("Network.setCookie", cookie).await;
        }
    }

    /// All that is wrong with the page.
    pub async fn look(&self, name: &str) -> Vec<String> {
        let mut faults = Vec::new();
        self.browser.page.execute(&self.axe, Vec::new()).await.expect("axe-core loads");
        self.browser.devtools("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
        for (width, scheme, with_axe) in LOOKS {
            let metrics = json!({
                "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false
            });
            self.browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
            let features = [json!({ "name": "prefers-color-scheme", "value": scheme })];
            let media = json!({ "features": features });
            self.browser.devtools("Emulation.setEmulatedMedia", media).await;
            self.keep(&format!("{name}-{}-{width}-{scheme}", self.language.code())).await;
            let code = vec![json!(self.language.code())];
            let mut found = texts(self.browser.page.execute(CHECKS, code).await.expect("checks"));
            if with_axe {
                let axe = self.browser.page.execute_async(AXE, Vec::new()).await;
                found.extend(texts(axe.expect("axe-core answers")));
            }
            let place = format!("{name} at {width} px, {scheme}, {:?}", self.language);
            faults.extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
        }
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Tab", "code": "Tab",
                "windowsVirtualKeyCode": 9 });
            self.browser.devtools("Input.dispatchKeyEvent", key).await;
        }
        let unseen = texts(self.browser.ask(FOCUS).await);
        faults.extend(unseen.into_iter().map(|fault| format!("{name}: {fault}")));
        faults
    }

    /// Keeps a picture of the whole page, if somebody wants to see it.
    async fn keep(&self, name: &str) {
        let Some(folder) = &self.folder else { return };
        std::fs::create_dir_all(folder).expect("a folder");
        let whole = json!({ "captureBeyondViewport": true });
        let picture = self.browser.devtools("Page.captureScreenshot", whole).await;
        let data = picture["data"].as_str().expect("a picture");
        let bytes = STANDARD.decode(data).expect("base64");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("a file");
    }
}

fn texts(found: Value) -> Vec<String> {
    serde_json::from_value(found).expect("texts")
}
