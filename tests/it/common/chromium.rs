//! Headless Chromium, driven as a person would.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::common::program::Running;

/// How the browser is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Desktop,
    /// As wide as a small phone.
    Phone,
    DarkPhone,
    /// Scripts are switched off.
    NoScripts,
}

/// A browser with its driver; gone when dropped.
pub struct Chromium {
    pub page: Client,
    look: Look,
    driver: Running,
    profile: tempfile::TempDir,
}

fn driver() -> Result<Running, String> {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::try_start(command, "started successfully on port ")
}

impl Chromium {
    /// Starts a browser with a fresh profile.
    pub async fn start(look: Look) -> Self {
        // It looks for a free port, and now and then another program takes that one first.
        let driver = (0..5).find_map(|_| driver().ok()).expect("ChromeDriver starts");
        let port = driver.word_after("successfully on port ");
        let port = port.trim_end_matches('.');
        let profile = tempfile::tempdir().expect("a folder");
        let capabilities = capabilities(look, &profile.path().to_string_lossy());
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("Chromium starts");
        Self { page, look, driver, profile }
    }

    /// Opens a URL.
    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.expect("the page opens");
    }

    /// Waits for an element that can be seen.
    pub async fn element(&self, id: &str) -> Element {
        let css = format!("#{id}");
        let wait = self.page.wait().at_most(Duration::from_secs(20));
        let Ok(mut element) = wait.for_element(Locator::Css(&css)).await else {
            panic!("no #{id} in {}", self.describe().await);
        };
        for _ in 0..200 {
            match element.is_displayed().await {
                Ok(true) => return element,
                Ok(false) => {}
                // It belonged to a page that was being left: it may stand on the next one, too.
                Err(_) => {
                    if let Ok(next) = self.page.find(Locator::Css(&css)).await {
                        element = next;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("#{id} is not shown in {}", self.describe().await);
    }

    /// Clicks.
    pub async fn click(&self, id: &str) {
        self.element(id).await.click().await.expect("a click");
    }

    /// Types into a field.
    pub async fn type_into(&self, id: &str, text: &str) {
        self.element(id).await.send_keys(text).await.expect("typing");
    }

    /// Presses keys wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        let focused = self.page.active_element().await.expect("a focus");
        focused.send_keys(keys).await.expect("keys");
    }

    /// The id of the element that has the focus.
    pub async fn focus(&self) -> String {
        let focused = self.page.active_element().await.expect("a focus");
        focused.attr("id").await.expect("an answer").unwrap_or_default()
    }

    /// The text of an element, once it is not empty.
    pub async fn text(&self, id: &str) -> String {
        self.text_that(id, |text| !text.is_empty()).await
    }

    /// Waits until an element says what is expected.
    pub async fn expect_text(&self, id: &str, expected: &str) {
        self.text_that(id, |text| text == expected).await;
    }

    /// Asks the page each time, because scripts replace elements.
    async fn text_that(&self, id: &str, is_good: impl Fn(&str) -> bool) -> String {
        let script = format!("return document.getElementById('{id}')?.innerText ?? ''");
        let mut found = String::new();
        for _ in 0..400 {
            let answer = self.page.execute(&script, Vec::new()).await.unwrap_or_default();
            found = answer.as_str().unwrap_or_default().trim().to_owned();
            if is_good(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("#{id} says {found:?} in {}", self.describe().await);
    }

    /// The address, once it begins with `prefix`.
    pub async fn address(&self, prefix: &str) -> String {
        let mut found = String::new();
        for _ in 0..400 {
            found = self.page.current_url().await.expect("an address").to_string();
            if found.starts_with(prefix) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the address stays {found}, and is not {prefix}…");
    }

    /// Keeps a screenshot in `target/tmp/screenshots` and checks what every page must keep to:
    /// nothing to scroll sideways, a title, a language, one heading, a label for each field.
    pub async fn look_at(&self, name: &str) {
        self.picture(name).await;
        let script = "
            const root = document.documentElement;
            const fields = [...document.querySelectorAll('input:not([type=hidden])')];
            const faults = [];
            if (root.scrollWidth > root.clientWidth) faults.push('scrolls sideways');
            if (!document.title) faults.push('no title');
            if (!root.lang) faults.push('no language');
            if (document.querySelectorAll('main').length !== 1) faults.push('not one main');
            if ([...document.querySelectorAll('h1')].length > 1) faults.push('two headings');
            for (const field of fields) if (!field.labels.length) faults.push(`no label: ${field.id}`);
            return faults;";
        let faults = self.page.execute(script, Vec::new()).await.expect("an answer");
        assert_eq!(faults, json!([]), "{name}");
    }

    /// Keeps a screenshot in `target/tmp/screenshots`.
    pub async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder");
        let picture = self.page.screenshot().await.expect("a screenshot");
        let file = folder.join(format!("{name}-{:?}.png", self.look).to_lowercase());
        std::fs::write(file, picture).expect("a file");
    }

    /// What a script on the page answers.
    pub async fn ask(&self, script: &str) -> Value {
        self.page.execute(script, Vec::new()).await.expect("an answer")
    }

    /// What the browser's own tools answer. Source: Chrome `DevTools` Protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let command = DevTools(json!({ "cmd": command, "params": parameters }));
        self.page.issue_cmd(command).await.expect("the tools answer")
    }

    async fn describe(&self) -> String {
        let url = self.page.current_url().await.map(String::from).unwrap_or_default();
        format!("{url}: {}", self.page.source().await.unwrap_or_default())
    }
}

/// A command for the browser's own tools, as chromedriver takes it.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver, asked to stop, takes its browser along, but not if it is busy.
        self.driver.stop();
        let lock = std::fs::read_link(self.profile.path().join("SingletonLock"));
        let owner = lock.ok().and_then(|lock| lock.to_str()?.rsplit('-').next()?.parse().ok());
        if let Some(browser) = owner.and_then(Pid::from_raw) {
            let _ = kill_process(browser, Signal::KILL);
        }
    }
}

fn capabilities(look: Look, profile: &str) -> serde_json::Map<String, Value> {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        // Tests may run as root, in a container with a small /dev/shm.
        "--no-sandbox".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--window-size=1200,900".to_owned(),
        format!("--user-data-dir={profile}"),
    ];
    if look == Look::DarkPhone {
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut options = json!({ "args": arguments });
    if matches!(look, Look::Phone | Look::DarkPhone) {
        let metrics = json!({ "width": 360, "height": 740, "pixelRatio": 2.0 });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    if look == Look::NoScripts {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let capabilities = json!({ "browserName": "chrome", "goog:chromeOptions": options });
    serde_json::from_value(capabilities).expect("an object")
}
