//! The platform that the tests run in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use scribemed_auth::{
    BoxError, BoxFuture, KeySet, Permission, SigningKey, SystemClock, Token, TokenSource, token,
};
use scribemed_discovery::ServiceRegistry;
use scribemed_documentation::{Config, Error, run};
use scribemed_proto::documentation::{v1, v2};
use scribemed_proto::transcription::v2::transcription_service_server::TranscriptionServiceServer;
use scribemed_service::{Channel, ClientSettings, Platform, ServerSettings, Settings};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::fake::Fake;

const ISSUER: &str = "auth.test";
/// A test that waits longer than this for something has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type ClientV1 = v1::documentation_service_client::DocumentationServiceClient<Channel>;
pub(crate) type ClientV2 = v2::documentation_service_client::DocumentationServiceClient<Channel>;

/// Keys, a data folder, and a transcription service that follows a script.
pub(crate) struct World {
    pub(crate) fake: Fake,
    folder: TempDir,
    key: SigningKey,
    transcription_url: String,
    transcription: Option<TcpListener>,
}

/// A documentation service that runs.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) stop: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

/// Issues tokens as the auth service does.
struct Tokens {
    key: SigningKey,
    subject: String,
    permissions: Vec<Permission>,
}

impl TokenSource for Tokens {
    fn fetch<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Token, BoxError>> {
        Box::pin(async move {
            let grant = token::Grant {
                subject: &self.subject,
                client_id: &self.subject,
                audience,
                permissions: &self.permissions,
            };
            let issued =
                token::Issuer::new(ISSUER, Arc::new(SystemClock)).issue(&self.key, &grant)?;
            Ok(Token::new(issued.secret, issued.expires_at)?)
        })
    }
}

impl World {
    /// A world in which the transcription service can be reached but does not answer yet.
    pub(crate) async fn without_transcription() -> Self {
        crate::logs::capture();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            fake: Fake::new(),
            folder: tempfile::tempdir().unwrap(),
            key: SigningKey::generate().unwrap(),
            transcription_url: format!("http://{}", listener.local_addr().unwrap()),
            transcription: Some(listener),
        }
    }

    pub(crate) async fn new() -> Self {
        let mut world = Self::without_transcription().await;
        world.start_transcription();
        world
    }

    /// Takes one connection to the transcription service and drops it.
    pub(crate) async fn refuse_a_connection(&self) {
        let listener = self.transcription.as_ref().unwrap();
        drop(within(listener.accept()).await.unwrap());
    }

    pub(crate) fn start_transcription(&mut self) {
        let listener = self.transcription.take().unwrap();
        let platform = self.platform("transcription", &[], ServiceRegistry::default());
        let server = platform
            .server()
            .add(TranscriptionServiceServer::new(self.fake.clone()));
        tokio::spawn(server.serve(listener, CancellationToken::new()));
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn platform(&self, name: &str, permissions: &[&str], registry: ServiceRegistry) -> Platform {
        Platform::new(
            self.settings(name, permissions, registry),
            CancellationToken::new(),
        )
    }

    fn settings(&self, name: &str, permissions: &[&str], registry: ServiceRegistry) -> Settings {
        let tokens = Tokens {
            key: self.key.clone(),
            subject: name.to_owned(),
            permissions: permissions
                .iter()
                .map(|name| Permission::new(name).unwrap())
                .collect(),
        };
        Settings {
            name: name.to_owned(),
            registry,
            issuer: ISSUER.to_owned(),
            tokens: Some(Arc::new(tokens)),
            keys: Arc::new(KeySet::new([self.key.public().clone()]).unwrap()),
            clients: ClientSettings::default(),
            servers: ServerSettings::default(),
        }
    }

    /// Starts the documentation service on the data folder.
    pub(crate) async fn start(&self) -> Running {
        self.start_as(|settings| settings).await.0
    }

    /// As [`start`](Self::start), with other settings.
    pub(crate) async fn start_as(
        &self,
        change: impl FnOnce(Settings) -> Settings,
    ) -> (Running, Platform) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let registry = ServiceRegistry::default().with("transcription", &self.transcription_url);
        let settings = self.settings("documentation", &["read:transcriptions"], registry);
        let platform = Platform::new(change(settings), CancellationToken::new());
        let stop = platform.shutdown().clone();
        let config = Config { data: self.data() };
        let task = tokio::spawn(run(config, platform.clone(), listener));
        (Running { url, stop, task }, platform)
    }

    /// A caller with these permissions.
    fn caller(&self, running: &Running, name: &str, permissions: &[&str]) -> Platform {
        let registry = ServiceRegistry::default().with("documentation", &running.url);
        self.platform(name, permissions, registry)
    }

    pub(crate) async fn client_with(
        &self,
        running: &Running,
        name: &str,
        permissions: &[&str],
    ) -> ClientV2 {
        self.caller(running, name, permissions)
            .client()
            .await
            .unwrap()
    }

    /// A caller named `name` that may do everything.
    pub(crate) async fn client_of(&self, running: &Running, name: &str) -> ClientV2 {
        self.client_with(running, name, &["read:notes", "write:notes", "sign:notes"])
            .await
    }

    /// A caller that may do everything.
    pub(crate) async fn client(&self, running: &Running) -> ClientV2 {
        self.client_of(running, "emr").await
    }

    pub(crate) async fn client_v1(&self, running: &Running) -> ClientV1 {
        self.caller(running, "emr", &["read:notes", "write:notes"])
            .client()
            .await
            .unwrap()
    }
}

impl Running {
    /// Ends the service as SIGTERM does.
    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.stop.cancel();
        self.ended().await
    }

    pub(crate) async fn ended(self) -> Result<(), Error> {
        within(self.task).await.unwrap()
    }

    /// Ends the service in the middle of what it does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(within(self.task).await.unwrap_err().is_cancelled());
    }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it takes too long")
}

pub(crate) fn id() -> String {
    Uuid::now_v7().to_string()
}

/// Asks for a SOAP note.
pub(crate) fn generate(transcription: Uuid) -> v2::GenerateNoteRequest {
    v2::GenerateNoteRequest {
        transcription_id: transcription.to_string(),
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v2::NoteType::Soap.into(),
        request_id: String::new(),
    }
}

/// Writes a SOAP note with a plan.
pub(crate) fn create(plan: &str) -> v2::CreateNoteRequest {
    v2::CreateNoteRequest {
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v2::NoteType::Soap.into(),
        sections: vec![text(v2::SectionKind::Plan, plan)],
        transcription_id: String::new(),
        request_id: String::new(),
    }
}

pub(crate) fn text(kind: v2::SectionKind, text: &str) -> v2::SectionText {
    v2::SectionText {
        kind: kind.into(),
        text: text.to_owned(),
    }
}

pub(crate) fn update(note: &v2::Note, sections: Vec<v2::SectionText>) -> v2::UpdateNoteRequest {
    v2::UpdateNoteRequest {
        note_id: note.id.clone(),
        etag: note.etag.clone(),
        sections,
        request_id: String::new(),
    }
}

pub(crate) fn sign(note: &v2::Note) -> v2::SignNoteRequest {
    v2::SignNoteRequest {
        note_id: note.id.clone(),
        etag: note.etag.clone(),
    }
}

/// Watches a note until the stream ends, and returns what it sent.
pub(crate) async fn watch(client: &mut ClientV2, note: &v2::Note) -> Vec<v2::Note> {
    let request = v2::WatchNoteRequest {
        note_id: note.id.clone(),
    };
    within(async {
        let mut updates = client.watch_note(request).await.unwrap().into_inner();
        let mut seen = Vec::new();
        while let Some(update) = updates.message().await.unwrap() {
            seen.push(update.note.unwrap());
        }
        seen
    })
    .await
}

/// The note, once it is not being generated any more.
pub(crate) async fn generated(client: &mut ClientV2, note: &v2::Note) -> v2::Note {
    watch(client, note).await.pop().unwrap()
}

pub(crate) async fn get(client: &mut ClientV2, note: &v2::Note) -> v2::Note {
    let request = v2::GetNoteRequest {
        note_id: note.id.clone(),
    };
    let response = client.get_note(request).await.unwrap();
    response.into_inner().note.unwrap()
}

/// The texts of a section, and where each comes from; `None` when it is not documented.
pub(crate) fn said(note: &v2::Note, kind: v2::SectionKind) -> Option<Vec<(String, Vec<i32>)>> {
    let section = note.sections.iter().find(|section| section.kind() == kind);
    let section = section.expect("every section is there");
    assert_eq!(section.documented, !section.sentences.is_empty());
    let sentences = section.sentences.iter().map(|sentence| {
        let sources = sentence.sources.iter();
        (
            sentence.text.clone(),
            sources.map(|source| source.segment_index).collect(),
        )
    });
    section.documented.then(|| sentences.collect())
}

/// What an error says: its code, its reason, and the fields that it names.
pub(crate) fn told<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String, Vec<String>) {
    let status = result.unwrap_err();
    let details = status.get_error_details();
    let fields = details.bad_request().map_or(Vec::new(), |request| {
        let fields = request.field_violations.iter();
        fields.map(|violation| violation.field.clone()).collect()
    });
    let reason = details.error_info().unwrap().reason.clone();
    (status.code(), reason, fields)
}

/// An error without fields.
pub(crate) fn error(code: Code, reason: &str) -> (Code, String, Vec<String>) {
    (code, reason.to_owned(), Vec::new())
}

/// An INVALID_ARGUMENT that names one field.
pub(crate) fn invalid(reason: &str, field: &str) -> (Code, String, Vec<String>) {
    (
        Code::InvalidArgument,
        reason.to_owned(),
        vec![field.to_owned()],
    )
}
