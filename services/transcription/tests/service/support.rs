//! A running service, its callers, and an engine that does as it is told.

use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use scribemed_auth::token::{Grant, Issuer};
use scribemed_auth::{
    BoxError, BoxFuture, KeySet, Permission, SigningKey, SystemClock, Token, TokenCache,
    TokenSource,
};
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::transcription::v1::transcription_service_client::TranscriptionServiceClient as V1Client;
use scribemed_proto::transcription::v2::transcription_service_client::TranscriptionServiceClient as V2Client;
use scribemed_proto::transcription::{v1, v2};
use scribemed_rpc::ClientContract as _;
use scribemed_service::{
    Channel, ChannelConfig, ClientSettings, DEFAULT_ISSUER, Platform, ServerSettings, Settings,
};
use scribemed_transcription::audio::Window;
use scribemed_transcription::engine::{Engine, Error, Meter, Model, Segment, Transcribing};
use scribemed_transcription::{Config, EngineConfig, RunError, run};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

pub(crate) const READ: &str = "read:transcriptions";
pub(crate) const WRITE: &str = "write:transcriptions";

/// The key that every test's auth service would sign with.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

/// The service on a port of its own.
pub(crate) struct Running {
    address: String,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), RunError>>,
}

impl Running {
    pub(crate) async fn start(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let settings = Settings {
            name: "transcription".to_owned(),
            registry: ServiceRegistry::default(),
            issuer: DEFAULT_ISSUER.to_owned(),
            tokens: None,
            keys: Arc::new(KeySet::new([KEY.public().clone()]).unwrap()),
            clients: ClientSettings::default(),
            servers: ServerSettings::default(),
        };
        let platform = Platform::new(settings, shutdown.clone());
        Self {
            address,
            shutdown,
            task: tokio::spawn(run(config, platform, listener)),
        }
    }

    /// A caller with all permissions.
    pub(crate) fn v2(&self) -> V2Client<Channel> {
        self.v2_as("documentation", &[READ, WRITE])
    }

    pub(crate) fn v2_as(&self, caller: &str, permissions: &[&str]) -> V2Client<Channel> {
        V2Client::over(self.channel(Some((caller, permissions))))
    }

    pub(crate) fn v2_as_nobody(&self) -> V2Client<Channel> {
        V2Client::over(self.channel(None))
    }

    pub(crate) fn v1(&self) -> V1Client<Channel> {
        V1Client::over(self.channel(Some(("gateway", &[READ, WRITE]))))
    }

    pub(crate) fn health(&self) -> HealthClient<Channel> {
        HealthClient::new(self.channel(None))
    }

    fn channel(&self, caller: Option<(&str, &[&str])>) -> Channel {
        let tokens = caller.map(|(caller, permissions)| {
            let source = Tokens {
                caller: caller.to_owned(),
                permissions: permissions
                    .iter()
                    .map(|name| Permission::new(name).unwrap())
                    .collect(),
            };
            TokenCache::new(Arc::new(source), "transcription", Arc::new(SystemClock))
        });
        let policies = [
            &v2::TRANSCRIPTION_SERVICE_POLICY,
            &v1::TRANSCRIPTION_SERVICE_POLICY,
        ];
        // What the service says is tested also while its health says that it cannot serve.
        let config = ChannelConfig {
            health: false,
            ..ChannelConfig::default()
        };
        Channel::builder(&self.address.parse().unwrap(), &policies)
            .tokens(tokens)
            .config(config)
            .build()
            .unwrap()
    }

    /// Asks it to drain; [`ended`](Self::ended) waits for it.
    pub(crate) fn drain(&self) {
        self.shutdown.cancel();
    }

    pub(crate) async fn ended(self) -> Result<(), RunError> {
        self.task.await.unwrap()
    }

    /// Ends it in an orderly way.
    pub(crate) async fn stop(self) {
        self.drain();
        self.ended().await.unwrap();
    }

    /// Ends it without a chance to tidy up.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// Tokens of one caller.
struct Tokens {
    caller: String,
    permissions: Vec<Permission>,
}

impl TokenSource for Tokens {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async move {
            let grant = Grant {
                subject: &self.caller,
                client_id: &self.caller,
                audience,
                permissions: &self.permissions,
            };
            let issued = Issuer::new(DEFAULT_ISSUER, Arc::new(SystemClock)).issue(&KEY, &grant)?;
            Ok(Token::new(issued.secret, issued.expires_at)?)
        })
    }
}

/// What the engine does next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Say(&'static str),
    Unavailable,
    Refuse,
}

/// An engine that hears half of each recording and then waits for its next step.
pub(crate) struct Scripted {
    model: Model,
    steps: Mutex<mpsc::UnboundedReceiver<Step>>,
    heard: AtomicUsize,
}

impl Scripted {
    pub(crate) fn new() -> (mpsc::UnboundedSender<Step>, Arc<Self>) {
        let (sender, steps) = mpsc::unbounded_channel();
        let engine = Self {
            model: Model {
                id: "scripted".to_owned(),
                sha256: None,
            },
            steps: Mutex::new(steps),
            heard: AtomicUsize::new(0),
        };
        (sender, Arc::new(engine))
    }

    /// How often it was asked.
    pub(crate) fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

impl Engine for Scripted {
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
            self.heard.fetch_add(1, Ordering::SeqCst);
            meter.heard(0.5);
            let mut steps = self.steps.lock().await;
            let step = cancel.run_until_cancelled(steps.recv()).await;
            let detail = "as scripted".to_owned();
            let source = None;
            match step.ok_or(Error::Cancelled)?.expect("the script is over") {
                Step::Say(text) => Ok(vec![Segment {
                    index: 0,
                    start: Duration::ZERO,
                    end: window.duration(),
                    text: text.to_owned(),
                    confidence: Some(0.75),
                }]),
                Step::Unavailable => Err(Error::Unavailable { detail, source }),
                Step::Refuse => Err(Error::Refused { detail, source }),
            }
        })
    }
}

/// A data folder, and the script of an engine.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) engine: Arc<Scripted>,
    pub(crate) steps: mpsc::UnboundedSender<Step>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let (steps, engine) = Scripted::new();
        Self {
            folder: tempfile::tempdir().unwrap(),
            engine,
            steps,
        }
    }

    pub(crate) fn config(&self) -> Config {
        let engine: Arc<dyn Engine> = Arc::clone(&self.engine) as _;
        Config::new(self.folder.path(), EngineConfig::Custom(engine))
    }

    pub(crate) async fn start(&self) -> Running {
        Running::start(self.config()).await
    }

    pub(crate) fn step(&self, step: Step) {
        self.steps.send(step).unwrap();
    }

    /// The rows of a table, read beside the service.
    pub(crate) async fn rows(&self, table: &'static str) -> i64 {
        let sql = match table {
            "transcriptions" => "SELECT COUNT(*) FROM transcriptions",
            "recordings" => "SELECT COUNT(*) FROM recordings",
            "requests" => "SELECT COUNT(*) FROM requests",
            "segments" => "SELECT COUNT(*) FROM segments",
            "jobs" => "SELECT COUNT(*) FROM jobs",
            other => panic!("{other} is no table"),
        };
        let pool = scribemed_jobs::open(&self.folder.path().join("transcription.db"))
            .await
            .unwrap();
        let count = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        pool.close().await;
        count
    }
}

/// A tone, as a WAV file of 16 kHz, mono, 16 bits.
pub(crate) fn tone(millis: u32) -> Bytes {
    let samples = (0..16 * millis).map(|i| if i % 40 < 20 { 9_000 } else { -9_000 });
    wav(&samples.collect::<Vec<_>>())
}

pub(crate) fn wav(samples: &[i16]) -> Bytes {
    let size = u32::try_from(samples.len() * 2).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file.into()
}

/// The messages of an upload in parts of at most 16 KiB.
pub(crate) fn parts(
    audio: &Bytes,
    request_id: &str,
) -> impl Stream<Item = v2::UploadTranscriptionRequest> + Send + use<> {
    let mut request_id = request_id.to_owned();
    let parts: Vec<_> = audio
        .chunks(16 * 1024)
        .map(|part| v2::UploadTranscriptionRequest {
            request_id: std::mem::take(&mut request_id),
            audio: Bytes::copy_from_slice(part),
        })
        .collect();
    stream::iter(parts)
}

/// A request with a recording as bytes.
pub(crate) fn bytes(audio: Bytes, request_id: &str) -> v2::CreateTranscriptionRequest {
    v2::CreateTranscriptionRequest {
        source: Some(v2::create_transcription_request::Source::Audio(audio)),
        request_id: request_id.to_owned(),
    }
}

/// A request with a recording somewhere else.
pub(crate) fn uri(uri: impl Into<String>) -> v2::CreateTranscriptionRequest {
    v2::CreateTranscriptionRequest {
        source: Some(v2::create_transcription_request::Source::AudioUri(
            uri.into(),
        )),
        request_id: String::new(),
    }
}

pub(crate) async fn create(
    client: &mut V2Client<Channel>,
    request: v2::CreateTranscriptionRequest,
) -> Result<v2::Transcription, Status> {
    let response = client.create_transcription(request).await?.into_inner();
    Ok(response.transcription.unwrap())
}

pub(crate) async fn get(
    client: &mut V2Client<Channel>,
    id: &str,
) -> Result<v2::Transcription, Status> {
    let request = v2::GetTranscriptionRequest {
        transcription_id: id.to_owned(),
    };
    let response = client.get_transcription(request).await?.into_inner();
    Ok(response.transcription.unwrap())
}

pub(crate) async fn cancel(
    client: &mut V2Client<Channel>,
    id: &str,
) -> Result<v2::Transcription, Status> {
    let request = v2::CancelTranscriptionRequest {
        transcription_id: id.to_owned(),
    };
    let response = client.cancel_transcription(request).await?.into_inner();
    Ok(response.transcription.unwrap())
}

pub(crate) async fn watch(
    client: &mut V2Client<Channel>,
    id: &str,
) -> tonic::Streaming<v2::WatchTranscriptionResponse> {
    let request = v2::WatchTranscriptionRequest {
        transcription_id: id.to_owned(),
    };
    client
        .watch_transcription(request)
        .await
        .unwrap()
        .into_inner()
}

/// Watches until the transcription is as wanted.
pub(crate) async fn until(
    client: &mut V2Client<Channel>,
    id: &str,
    wanted: impl Fn(&v2::Transcription) -> bool,
) -> v2::Transcription {
    let mut watch = pin!(watch(client, id).await);
    loop {
        let message = watch.message().await.unwrap();
        let now = message.expect("it ended otherwise").transcription.unwrap();
        if wanted(&now) {
            return now;
        }
    }
}

/// Watches to the end.
pub(crate) async fn ended(client: &mut V2Client<Channel>, id: &str) -> v2::Transcription {
    until(client, id, |now| {
        !matches!(
            now.state(),
            v2::TranscriptionState::Queued | v2::TranscriptionState::Running
        )
    })
    .await
}

/// Watches until half of it was heard: the engine waits for its step.
pub(crate) async fn half_heard(client: &mut V2Client<Channel>, id: &str) -> v2::Transcription {
    until(client, id, |now| now.progress >= 0.4).await
}

/// An error's code and reason, its first field if it names one, and a variable of its metadata.
#[track_caller]
pub(crate) fn assert_refused<T>(
    result: Result<T, Status>,
    code: Code,
    reason: &str,
    field: Option<&str>,
) -> Status {
    let status = result.err().expect("it should have been refused");
    let details = status.get_error_details();
    let info = details.error_info().expect("every error has an ErrorInfo");
    assert_eq!(
        (status.code(), info.reason.as_str()),
        (code, reason),
        "{status:?}"
    );
    let domain = match reason {
        "INVALID_REQUEST" => "contract.scribemed",
        _ => "transcription.scribemed",
    };
    assert_eq!(info.domain, domain);
    let found = details
        .bad_request()
        .and_then(|bad| bad.field_violations.first())
        .map(|violation| violation.field.as_str());
    assert_eq!(found, field, "{status:?}");
    status
}

#[track_caller]
pub(crate) fn metadata(status: &Status, key: &str) -> String {
    let details = status.get_error_details();
    details.error_info().unwrap().metadata[key].clone()
}

/// A recording of a person, from Debian's pocketsphinx-testdata.
pub(crate) fn clip(name: &str) -> Bytes {
    let path = Path::new("/usr/share/pocketsphinx/test/data/librivox").join(name);
    std::fs::read(&path)
        .unwrap_or_else(|fault| {
            panic!(
                "{}: {fault}; install Debian's pocketsphinx-testdata",
                path.display()
            )
        })
        .into()
}
