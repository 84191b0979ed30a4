//! Where a patient's name must never turn up, whatever was done with it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use scribemed_audit::{AuditLog, Config};
use scribemed_proto::documentation::v2::{
    GetNoteRequest, ListNotesRequest, Note, NoteState, SectionKind,
};
use scribemed_proto::transcription::v2::TranscriptionState;
use scribemed_service::{Admin, Platform, ServerSettings, Settings};
use scribemed_telemetry::metrics::Metrics;
use scribemed_telemetry::traces::{self, Tracer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tonic::{Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::logs::logged;
use crate::world::{ClientV2, World, create, generate, generated, sign, text, update, within};

/// Words that are in no dictionary and no name of ours, in lower case.
const NAME: &str = "zzyzxa quimbeldorf";
const WORDS: [&str; 2] = ["zzyzxa", "quimbeldorf"];

/// Takes whatever is sent over OTLP.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<u8>>>);

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self::default();
        let all = Arc::clone(&this.0);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&all)));
            }
        });
        (this, address)
    }
}

/// Answers each request, once its head and as much of a body as that announces are there.
async fn take(mut stream: TcpStream, all: Arc<Mutex<Vec<u8>>>) {
    let mut request = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut request).await {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map_or(0, |length| length.trim().parse().unwrap());
        if request.len() < head.len() + 4 + length {
            continue;
        }
        all.lock().unwrap().append(&mut request);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

/// Everything that is told of the service outside of its answers.
struct Told {
    metrics: Metrics,
    tracer: Tracer,
    audit: AuditLog,
    collector: Collector,
    /// What callers were told of failures.
    errors: Vec<(&'static str, String)>,
}

impl Told {
    async fn new(folder: &Path) -> Self {
        let (collector, address) = Collector::start().await;
        let metrics = Metrics::new();
        let url = format!("http://{address}/v1/traces");
        Self {
            tracer: Tracer::new(&traces::Settings::new("documentation", url), &metrics).unwrap(),
            audit: AuditLog::open(Config::new(folder.join("audit.jsonl"), "documentation"))
                .unwrap(),
            metrics,
            collector,
            errors: Vec::new(),
        }
    }

    fn configure(&self, mut settings: Settings) -> Settings {
        settings.clients = settings
            .clients
            .with_metrics(self.metrics.clone())
            .with_tracer(Some(self.tracer.clone()));
        settings.with_servers(ServerSettings::default().with_audit(Some(self.audit.clone())))
    }

    /// What a call failed with, to the last detail.
    fn failed<T: std::fmt::Debug>(&mut self, what: &'static str, result: Result<T, Status>) {
        let status = result.expect_err(what);
        let details = status.get_error_details();
        let raw = String::from_utf8_lossy(status.details()).into_owned();
        self.errors.push((
            what,
            format!("{status:?} {details:?} {:?} {raw}", status.metadata()),
        ));
    }
}

fn all() -> ListNotesRequest {
    ListNotesRequest {
        patient_id: String::new(),
        encounter_id: String::new(),
        state: NoteState::Unspecified.into(),
        page_size: 0,
        page_token: String::new(),
    }
}

/// With a name in whatever a caller may add.
fn with_metadata<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("x-patient", NAME.parse().unwrap());
    metadata.insert("x-request-id", NAME.parse().unwrap());
    metadata.insert("tracestate", "patient=quimbeldorf".parse().unwrap());
    metadata.insert("user-agent", NAME.parse().unwrap());
    let binary = tonic::metadata::MetadataValue::from_bytes(NAME.as_bytes());
    metadata.insert_bin("x-patient-bin", binary);
    request
}

async fn page(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0"), "{path}: {answer}");
    answer
}

async fn pages(platform: &Platform) -> Vec<(String, String)> {
    let admin = Admin::new();
    admin.show(platform);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asking = async {
        let mut pages = Vec::new();
        for path in [
            "/metrics",
            "/readyz",
            "/debug/channels",
            "/debug/channels?format=json",
        ] {
            pages.push((path.to_owned(), page(address, path).await));
        }
        pages
    };
    admin.beside(Some(listener), asking).await
}

/// What is done badly: a name in every field that takes text.
async fn refused(told: &mut Told, client: &mut ClientV2, edited: &Note, transcription: Uuid) {
    let late = vec![text(SectionKind::FollowUp, NAME)];
    told.failed("late", client.update_note(update(edited, late)).await);
    let mut long = create(&NAME.repeat(5_000));
    told.failed("long", client.create_note(long.clone()).await);
    long = create("Rest.");
    NAME.clone_into(&mut long.request_id);
    told.failed("request_id", client.create_note(long).await);
    for field in 0..4 {
        let mut request = generate(transcription);
        let field = match field {
            0 => &mut request.patient_id,
            1 => &mut request.encounter_id,
            2 => &mut request.provider_id,
            _ => &mut request.transcription_id,
        };
        NAME.clone_into(field);
        told.failed("id", client.generate_note(request).await);
    }
    let named = Note {
        id: edited.id.clone(),
        etag: NAME.to_owned(),
        ..Note::default()
    };
    told.failed("etag", client.sign_note(sign(&named)).await);
    let rest = vec![text(SectionKind::Plan, "Rest.")];
    told.failed("etag", client.update_note(update(&named, rest)).await);
    let note_id = NAME.to_owned();
    told.failed("note_id", client.get_note(GetNoteRequest { note_id }).await);
    for change in [
        (|request, name| request.page_token = name) as fn(&mut ListNotesRequest, String),
        |request, name| request.patient_id = name,
        |request, name| request.encounter_id = name,
    ] {
        let mut request = all();
        change(&mut request, NAME.to_owned());
        told.failed("list", client.list_notes(with_metadata(request)).await);
    }
}

#[tokio::test]
async fn a_name_turns_up_in_no_sink() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut told = Told::new(folder.path()).await;
    let (running, platform) = world.start_as(|settings| told.configure(settings)).await;
    let mut client = world.client(&running).await;

    // What is done well.
    let transcription = Uuid::now_v7();
    let said = format!("My name is {NAME} and I cough.");
    world
        .fake
        .set(transcription, TranscriptionState::Succeeded, &[&said]);
    let accepted = client
        .generate_note(with_metadata(generate(transcription)))
        .await
        .unwrap();
    let note = generated(&mut client, &accepted.into_inner().note.unwrap()).await;
    assert!(format!("{note:?}").contains(NAME), "it is in the note");
    let written = vec![text(SectionKind::Plan, NAME)];
    let edited = client.update_note(update(&note, written)).await.unwrap();
    let edited = edited.into_inner().note.unwrap();
    client.sign_note(sign(&edited)).await.unwrap();
    client
        .create_note(with_metadata(create(NAME)))
        .await
        .unwrap();

    refused(&mut told, &mut client, &edited, transcription).await;
    let mut stranger = world.client_with(&running, "reader", &["read:notes"]).await;
    told.failed(
        "denied",
        stranger.create_note(with_metadata(create(NAME))).await,
    );

    // Another service whose error says what was said: its words go no further.
    world.fake.say_on_failure(NAME);
    let accepted = client
        .generate_note(generate(Uuid::now_v7()))
        .await
        .unwrap();
    let note = within(generated(&mut client, &accepted.into_inner().note.unwrap())).await;
    assert_eq!(note.state(), NoteState::Failed);
    assert!(!format!("{note:?}").to_lowercase().contains("quimbeldorf"));

    let pages = pages(&platform).await;
    running.stop().await.unwrap();
    platform.close().await;
    let records = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    let spans = told.collector.0.lock().unwrap().clone();
    let sinks = pages
        .into_iter()
        .chain(
            told.errors
                .iter()
                .map(|(what, text)| (format!("error: {what}"), text.clone())),
        )
        .chain([
            ("log".to_owned(), logged()),
            ("metrics".to_owned(), told.metrics.render()),
            ("audit log".to_owned(), records),
            (
                "spans".to_owned(),
                String::from_utf8_lossy(&spans).into_owned(),
            ),
        ]);
    let mut seen = 0;
    for (sink, text) in sinks {
        assert!(!text.is_empty(), "{sink} was told nothing");
        let text = text.to_lowercase();
        for line in text.lines() {
            for word in WORDS {
                assert!(!line.contains(word), "{sink}: {line}");
            }
        }
        let method = ["notes", "note"].iter().any(|word| text.contains(word));
        seen += usize::from(method);
    }
    assert!(seen >= 5, "the sinks tell of what was done");
}
