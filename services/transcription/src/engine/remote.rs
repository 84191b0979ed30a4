//! An OpenAI-compatible endpoint elsewhere.

mod answer;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use super::{Engine, Error, LoadError, Meter, Model, Segment, Transcribing};
use crate::audio::Window;

/// The largest answer that is read, in bytes. The transcript of five minutes has a few thousand.
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Where the endpoint is, and how to ask it.
#[derive(Clone)]
pub struct RemoteConfig {
    /// The base, such as `https://speech.example.org` or `https://api.openai.com/v1`.
    pub base: Url,
    /// The model to ask for, such as `whisper-1`.
    pub model: String,
    /// The bearer key, if the endpoint wants one. It is sent over https, or to this machine, and nowhere else.
    pub key: Option<String>,
    /// The language that is spoken, as a code such as `en`; the endpoint finds out by default.
    pub language: Option<String>,
    /// How long one request may take, upload and answer; 5 minutes is a good value.
    pub timeout: Duration,
}

impl fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConfig")
            .field("base", &self.base.as_str())
            .field("model", &self.model)
            .field("key", &self.key.as_ref().map(|_| "..."))
            .field("language", &self.language)
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Transcribes by `POST {base}/v1/audio/transcriptions`.
///
/// It never repeats a request and follows no redirect: repeating is the business of the job, and a key that
/// follows a redirect is a key given away.
pub struct Remote {
    client: Client,
    endpoint: Url,
    language: Option<String>,
    model: Model,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("endpoint", &self.endpoint.as_str())
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// Sets up the client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`LoadError::Config`] when the base is no http or https URL, or the key would travel in the clear.
    pub fn new(config: RemoteConfig) -> Result<Self, LoadError> {
        let endpoint = endpoint(&config.base)?;
        let mut headers = HeaderMap::new();
        if let Some(key) = &config.key {
            if endpoint.scheme() != "https" && !is_this_machine(&endpoint) {
                return Err(invalid("the speech endpoint", "its key needs https"));
            }
            let mut value = HeaderValue::try_from(format!("Bearer {key}"))
                .map_err(|_| invalid("the key of the speech endpoint", "it is no header value"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .timeout(config.timeout)
            .build()
            .map_err(|fault| invalid("the speech endpoint", &fault.to_string()))?;
        Ok(Self {
            client,
            endpoint,
            language: config.language,
            model: Model {
                id: config.model,
                sha256: None,
            },
        })
    }

    async fn ask(&self, window: &Window) -> Result<Vec<Segment>, Error> {
        let file = Part::bytes(window.to_wav())
            .file_name("audio.wav")
            .mime_str("audio/wav")
            .map_err(unreachable)?;
        let mut form = Form::new()
            .text("model", self.model.id.clone())
            .text("response_format", "verbose_json")
            .text("temperature", "0");
        if let Some(language) = &self.language {
            form = form.text("language", language.clone());
        }
        // The file comes last: some servers read the fields as they come.
        let form = form.part("file", file);
        let response = self
            .client
            .post(self.endpoint.clone())
            .multipart(form)
            .send()
            .await
            .map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        answer::read(&body(response).await?, window.duration())
    }
}

impl Engine for Remote {
    fn model(&self) -> &Model {
        &self.model
    }

    fn transcribe(
        &self,
        window: Window,
        meter: Meter,
        cancel: CancellationToken,
    ) -> Transcribing<'_> {
        Box::pin(async move {
            let asked = cancel.run_until_cancelled(self.ask(&window)).await;
            let segments = asked.ok_or(Error::Cancelled)??;
            meter.heard(1.0);
            Ok(segments)
        })
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Error::refused(format!(
                "its answer exceeds {MAX_ANSWER} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn endpoint(base: &Url) -> Result<Url, LoadError> {
    let usable = matches!(base.scheme(), "http" | "https")
        && base.has_host()
        && base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none();
    if !usable {
        return Err(invalid(
            "the speech endpoint",
            "it must look like https://speech.example.org",
        ));
    }
    let path = base.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path);
    let path = format!("{path}/v1/audio/transcriptions");
    let mut endpoint = base.clone();
    endpoint.set_path(&path);
    endpoint.set_fragment(None);
    Ok(endpoint)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The body of a refusal is not passed on: it may hold anything.
fn refusal(status: StatusCode) -> Error {
    let detail = format!("it answered {status}");
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Error::unavailable(detail)
        }
        status if status.is_server_error() => Error::unavailable(detail),
        _ => Error::refused(detail),
    }
}

fn unreachable(fault: reqwest::Error) -> Error {
    let detail = if fault.is_timeout() {
        "it did not answer in time"
    } else {
        "it cannot be reached"
    };
    Error::Unavailable {
        detail: detail.to_owned(),
        source: Some(fault.without_url().into()),
    }
}

fn invalid(setting: &'static str, detail: &str) -> LoadError {
    LoadError::Config {
        setting,
        detail: detail.to_owned(),
    }
}
