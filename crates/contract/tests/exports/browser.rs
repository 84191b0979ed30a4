//! The site in a real browser, which is driven over the WebDriver protocol (W3C).

use std::path::Path;
use std::process::Stdio;

use reqwest::Client;
use scribemed_contract::docs::{self, Form};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::support::ours;

/// The key under which an element's id is told.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const ARROW_DOWN: &str = "\u{e015}";
const ENTER: &str = "\u{e007}";

/// A browser with a window, gone with the test.
struct Browser {
    driver: Child,
    http: Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    async fn start(dark: bool) -> Self {
        let path = std::env::var_os("SCRIBEMED_CHROMEDRIVER")
            .expect("SCRIBEMED_CHROMEDRIVER names chromedriver");
        let mut driver = Command::new(path)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        // `ChromeDriver was started successfully on port 40123.`
        let port = loop {
            let line = said
                .next_line()
                .await
                .unwrap()
                .expect("chromedriver tells its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let scheme = if dark {
            "--blink-settings=preferredColorScheme=0"
        } else {
            "--blink-settings=preferredColorScheme=1"
        };
        let args = [
            "--headless",
            // Root has no sandbox; the pages are ours.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1200,900",
            scheme,
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let http = Client::builder().no_proxy().build().unwrap();
        let base = format!("http://127.0.0.1:{port}/session");
        let answer: Value = http
            .post(&base)
            .json(&wanted)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let id = answer["value"]["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        Self {
            driver,
            http,
            session: format!("{base}/{id}"),
            _profile: profile,
        }
    }

    async fn post(&self, command: &str, body: Value) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let mut answer: Value = answer.json().await.unwrap();
        assert!(answer["value"]["error"].is_null(), "{command}: {answer}");
        answer["value"].take()
    }

    async fn open(&self, page: &Path) {
        self.post("url", json!({"url": format!("file://{}", page.display())}))
            .await;
    }

    /// What a script returns.
    async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
            .await
    }

    async fn element(&self, selector: &str) -> String {
        let found = self
            .post(
                "element",
                json!({"using": "css selector", "value": selector}),
            )
            .await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    async fn press(&self, selector: &str, keys: &str) {
        let id = self.element(selector).await;
        self.post(&format!("element/{id}/value"), json!({"text": keys}))
            .await;
    }

    async fn click(&self, selector: &str) {
        let id = self.element(selector).await;
        self.post(&format!("element/{id}/click"), json!({})).await;
    }

    /// What the pages complained of since it was asked last.
    async fn complaints(&self) -> Vec<String> {
        let log = self.post("se/log", json!({"type": "browser"})).await;
        log.as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    async fn stop(mut self) {
        self.http.delete(&self.session).send().await.unwrap();
        self.driver.kill().await.unwrap();
    }
}

fn site() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    docs::write(&ours(), &[Form::Html], folder.path()).unwrap();
    folder
}

#[tokio::test]
#[ignore = "needs a browser, driven by SCRIBEMED_CHROMEDRIVER: `cargo xtask test` runs it"]
async fn a_method_is_searched_found_and_read() {
    let browser = Browser::start(false).await;
    let site = site();
    browser.open(&site.path().join("index.html")).await;
    assert_eq!(
        browser
            .run("return document.getElementById('found').hidden")
            .await,
        true
    );

    browser.press("#search", "signnote").await;
    let found = browser
        .run("return [...document.querySelectorAll('#found a')].map((link) => link.querySelector('strong').textContent)")
        .await;
    assert_eq!(
        found,
        json!(["SignNote", "SignNoteRequest", "SignNoteResponse"])
    );
    browser.click("#found a").await;
    let place = browser
        .run("return location.pathname.split('/').pop() + location.hash")
        .await;
    let method = "scribemed.documentation.v2.DocumentationService.SignNote";
    assert_eq!(place, format!("scribemed.documentation.v2.html#{method}"));
    // The method is what one sees, below the header that stays.
    let top = browser
        .run("return document.querySelector(':target').getBoundingClientRect().top")
        .await;
    assert!((40.0..200.0).contains(&top.as_f64().unwrap()), "{top}");
    let text = browser
        .run("return document.querySelector('main').innerText")
        .await;
    assert!(text.as_str().unwrap().contains("sign:notes"));

    // By keys alone: / begins the search, the arrow chooses the second, Enter goes there.
    browser.press("body", "/").await;
    assert_eq!(
        browser.run("return document.activeElement.id").await,
        "search"
    );
    browser
        .press(
            "#search",
            &format!("signnote{ARROW_DOWN}{ARROW_DOWN}{ENTER}"),
        )
        .await;
    let hash = browser.run("return location.hash").await;
    assert_eq!(hash, "#scribemed.documentation.v2.SignNoteRequest");
    assert_eq!(
        browser
            .run("return document.getElementById('found').hidden")
            .await,
        true
    );

    // What is called so comes before what only begins so, and that before what holds it.
    browser.press("#search", "note").await;
    let names =
        "return [...document.querySelectorAll('#found strong')].map((name) => name.textContent)";
    let found = browser.run(names).await;
    let found: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let rank = |name: &&str| (*name != "Note", !name.starts_with("Note"));
    assert!(
        found[0] == "Note" && found.is_sorted_by_key(rank),
        "{found:?}"
    );
    browser
        .run("document.getElementById('search').value = ''")
        .await;

    browser.press("#search", "nosuchthing").await;
    assert_eq!(
        browser
            .run("return document.getElementById('found').innerText")
            .await,
        "Nothing of that name."
    );
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.stop().await;
}

#[tokio::test]
#[ignore = "needs a browser, driven by SCRIBEMED_CHROMEDRIVER: `cargo xtask test` runs it"]
async fn every_page_fits_a_narrow_window_and_is_readable_in_light_and_dark() {
    let site = site();
    for dark in [false, true] {
        let browser = Browser::start(dark).await;
        for entry in std::fs::read_dir(site.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "html") {
                continue;
            }
            browser.open(&path).await;
            for width in [400, 1200] {
                browser
                    .post("window/rect", json!({"width": width, "height": 900}))
                    .await;
                let over = browser
                    .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    .await;
                assert_eq!(over, 0, "{} is too wide for {width}", path.display());
            }
            let contrasts = browser.run(CONTRAST).await;
            for contrast in contrasts.as_array().unwrap() {
                // WCAG 2.2, 1.4.3.
                assert!(
                    contrast.as_f64().unwrap() >= 4.5,
                    "{} {contrasts}",
                    path.display()
                );
            }
            assert_eq!(
                browser
                    .run("return matchMedia('(prefers-color-scheme: dark)').matches")
                    .await,
                dark
            );
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        browser.stop().await;
    }
}

/// The contrast of text, quiet text and links with the ground (WCAG 2.2).
const CONTRAST: &str = r"
const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = (color) => {
  const [r, g, b] = color.match(/[\d.]+/g).map((part) => channel(part / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = light(getComputedStyle(document.body).backgroundColor);
return ['p', 'th', 'h3 small', 'main a', 'nav a']
  .map((selector) => document.querySelector(selector))
  .filter(Boolean)
  .map((element) => light(getComputedStyle(element).color))
  .map((ink) => (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05));
";
