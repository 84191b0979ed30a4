//! Today's services, as they run: auth, transcription with an engine that speaks when it is told, documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::{KeySet, Permission, SigningKey};
use scribemed_auth_service::{AuthService, Client, Grants};
use scribemed_compat::auth::v1::auth_service_client::AuthServiceClient;
use scribemed_compat::{documentation, transcription};
use scribemed_discovery::ServiceRegistry;
use scribemed_proto::auth::v1 as today;
use scribemed_service::{
    AuthServiceKeys, AuthServiceTokens, Channel as Ours, ClientSettings, DEFAULT_ISSUER, Platform,
    ServerSettings, Settings,
};
use scribemed_transcription::audio::Window;
use scribemed_transcription::engine::{Engine, Error, Meter, Model, Segment, Transcribing};
use scribemed_transcription::{EngineConfig, source};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};

use crate::caller::{Caller, Calls, exchange};

/// tonic's channel and the caller's interceptor; nothing of ours.
pub(crate) type Wire = InterceptedService<Channel, Caller>;
pub(crate) type Auth = AuthServiceClient<Wire>;
pub(crate) type Speech1 =
    transcription::v1::transcription_service_client::TranscriptionServiceClient<Wire>;
pub(crate) type Speech2 =
    transcription::v2::transcription_service_client::TranscriptionServiceClient<Wire>;
pub(crate) type Notes1 =
    documentation::v1::documentation_service_client::DocumentationServiceClient<Wire>;
pub(crate) type Notes2 =
    documentation::v2::documentation_service_client::DocumentationServiceClient<Wire>;

/// What the engine hears in each recording.
pub(crate) const SAID: &str = "The patient reports a dry cough.";

/// The services, and a caller `emr` that may do everything.
pub(crate) struct World {
    folder: TempDir,
    key: String,
    auth: String,
    transcription: String,
    documentation: String,
    engine: Arc<Speaker>,
    called: Calls,
    refused: Calls,
    shutdown: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// A service that is to be served: where, and on which port.
struct Place(TcpListener, String);

impl Place {
    async fn free() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self(listener, url)
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (emr, speech, notes) = (key(), key(), key());
        let all = [
            "read:transcriptions",
            "write:transcriptions",
            "read:notes",
            "write:notes",
            "sign:notes",
            "rotate:keys",
        ];
        let grants = folder.path().join("grants.toml");
        let clients = BTreeMap::from([
            client("emr", &emr, &all),
            client("documentation", &notes, &["read:transcriptions"]),
        ]);
        Grants::write(&grants, &clients).unwrap();
        let path = folder.path().join("emr.pem");
        emr.save(&path).unwrap();

        let shutdown = CancellationToken::new();
        let config = scribemed_auth_service::Config {
            data: folder.path().join("auth"),
            grants,
            issuer: DEFAULT_ISSUER.to_owned(),
            end_users: None,
        };
        let service = AuthService::open(config).await.unwrap();
        let Place(listener, auth) = Place::free().await;
        let platform = Platform::new(service.settings(), shutdown.clone());
        let mut tasks = vec![tokio::spawn(async move {
            service.run(platform, listener).await.unwrap();
        })];

        let registry = ServiceRegistry::default().with("auth", &auth);
        let engine = Arc::new(Speaker::new());
        let Place(listener, transcription) = Place::free().await;
        let platform = Platform::new(
            settings("transcription", speech, &registry),
            shutdown.clone(),
        );
        let audio = folder.path().canonicalize().unwrap();
        let data = folder.path().join("transcription");
        let custom = EngineConfig::Custom(Arc::clone(&engine) as Arc<dyn Engine>);
        let mut config = scribemed_transcription::Config::new(data, custom);
        config.sources = source::Config {
            folder: Some(audio),
            ..source::Config::default()
        };
        tasks.push(tokio::spawn(async move {
            let served = scribemed_transcription::run(config, platform, listener);
            served.await.unwrap();
        }));

        let registry = registry.with("transcription", &transcription);
        let Place(listener, documentation) = Place::free().await;
        let platform = Platform::new(
            settings("documentation", notes, &registry),
            shutdown.clone(),
        );
        let config = scribemed_documentation::Config {
            data: folder.path().join("documentation"),
        };
        tasks.push(tokio::spawn(async move {
            let served = scribemed_documentation::run(config, platform, listener);
            served.await.unwrap();
        }));
        Self {
            key: std::fs::read_to_string(path).unwrap(),
            folder,
            auth,
            transcription,
            documentation,
            engine,
            called: Calls::default(),
            refused: Calls::default(),
            shutdown,
            tasks,
        }
    }

    /// Ends the services in an orderly way.
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
    }

    /// Lets the engine hear what the next recording says.
    pub(crate) fn speak(&self) {
        self.engine.permits.add_permits(1);
    }

    /// Writes a recording where `file:` reaches it, and returns its URL.
    pub(crate) fn recording(&self) -> String {
        let path = self.folder.path().canonicalize().unwrap().join("visit.wav");
        std::fs::write(&path, tone()).unwrap();
        format!("file://{}", path.display())
    }

    /// The methods that were called to be answered.
    pub(crate) fn called(&self) -> BTreeSet<String> {
        self.called.lock().unwrap().clone()
    }

    /// The methods that were called to be refused.
    pub(crate) fn refused(&self) -> BTreeSet<String> {
        self.refused.lock().unwrap().clone()
    }

    /// A request for a token for this service, with an assertion that was not used before.
    pub(crate) fn exchange(
        &self,
        audience: &str,
    ) -> scribemed_compat::auth::v1::ExchangeTokenRequest {
        exchange(&self.key, audience)
    }

    /// The caller, with a token for this service.
    async fn wire(&self, service: &str, calls: &Calls) -> Wire {
        let token = Auth::new(InterceptedService::new(
            connect(&self.auth).await,
            Caller::new(None, &Calls::default()),
        ))
        .exchange_token(self.exchange(service))
        .await
        .unwrap();
        let caller = Caller::new(Some(&token.into_inner().access_token), calls);
        InterceptedService::new(connect(self.url(service)).await, caller)
    }

    fn url(&self, service: &str) -> &str {
        match service {
            "auth" => &self.auth,
            "transcription" => &self.transcription,
            "documentation" => &self.documentation,
            other => panic!("there is no service {other}"),
        }
    }

    /// To be answered.
    pub(crate) async fn answering(&self, service: &str) -> Wire {
        self.wire(service, &self.called).await
    }

    /// To be refused.
    pub(crate) async fn refusing(&self, service: &str) -> Wire {
        self.wire(service, &self.refused).await
    }

    /// The caller without a token.
    pub(crate) async fn nobody(&self, service: &str) -> Wire {
        let channel = connect(self.url(service)).await;
        InterceptedService::new(channel, Caller::new(None, &self.refused))
    }
}

async fn connect(url: &str) -> Channel {
    let endpoint = Endpoint::new(url.to_owned()).unwrap();
    endpoint.connect().await.unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap()
}

fn client(name: &str, key: &SigningKey, permissions: &[&str]) -> (String, Client) {
    let permissions = permissions
        .iter()
        .map(|name| Permission::new(name).unwrap());
    let client = Client {
        keys: KeySet::new([key.public().clone()]).unwrap(),
        permissions: permissions.collect(),
    };
    (name.to_owned(), client)
}

/// As `scribemed up` puts a service together.
fn settings(name: &str, key: SigningKey, registry: &ServiceRegistry) -> Settings {
    let target = registry.target("auth").unwrap();
    let channel = Ours::new(&target, &[&today::AUTH_SERVICE_POLICY], None).unwrap();
    let client = today::auth_service_client::AuthServiceClient::new(channel);
    let tokens = AuthServiceTokens::new(client.clone(), key, name, DEFAULT_ISSUER);
    Settings {
        name: name.to_owned(),
        registry: registry.clone(),
        issuer: DEFAULT_ISSUER.to_owned(),
        tokens: Some(Arc::new(tokens)),
        keys: Arc::new(AuthServiceKeys::new(client)),
        clients: ClientSettings::default(),
        servers: ServerSettings::default(),
    }
}

/// An engine that hears [`SAID`] in a recording once it may.
struct Speaker {
    model: Model,
    permits: Semaphore,
}

impl Speaker {
    fn new() -> Self {
        Self {
            model: Model {
                id: "scripted".to_owned(),
                sha256: None,
            },
            permits: Semaphore::new(0),
        }
    }
}

impl Engine for Speaker {
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
            meter.heard(0.5);
            let permit = cancel.run_until_cancelled(self.permits.acquire()).await;
            permit.ok_or(Error::Cancelled)?.unwrap().forget();
            Ok(vec![Segment {
                index: 0,
                start: Duration::ZERO,
                end: window.duration(),
                text: SAID.to_owned(),
                confidence: Some(0.75),
            }])
        })
    }
}

/// Half a second of a tone, as a WAV file of 16 kHz, mono, 16 bits.
pub(crate) fn tone() -> Vec<u8> {
    let samples = (0..8_000_u32).map(|i| if i % 40 < 20 { 9_000_i16 } else { -9_000 });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let size = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + size).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3E\0\0\0\x7D\0\0\x02\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// A new UUID, as text.
pub(crate) fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}
