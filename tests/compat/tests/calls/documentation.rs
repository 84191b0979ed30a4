//! scribemed.documentation, both versions.

use scribemed_compat::documentation::{v1, v2};
use tonic::Code;

use crate::caller::{invalid, refused};
use crate::world::{Notes1, Notes2, SAID, World, id};

/// Makes notes, one from this transcription.
pub(crate) async fn answers(world: &World, transcription: &str) {
    let mut old = Notes1::new(world.answering("documentation").await);
    let mut new = Notes2::new(world.answering("documentation").await);

    // Drafted from what was said, once, however often it is asked for.
    let request = generate(transcription, &id());
    let begun = new.generate_note(request.clone()).await.unwrap();
    let begun = begun.into_inner().note.unwrap();
    let again = new.generate_note(request).await.unwrap().into_inner();
    assert_eq!(again.note.unwrap().id, begun.id);
    let drafted = ended(&mut new, &begun.id).await;
    assert_eq!(drafted.state(), v2::NoteState::Draft);
    assert_eq!(drafted.transcription_id, transcription);
    let sections = drafted.sections.iter();
    let sentence = sections.flat_map(|section| &section.sentences).next();
    let sentence = sentence.unwrap();
    assert_eq!(sentence.text, SAID);
    let source = &sentence.sources[0];
    assert_eq!(
        (&*source.transcription_id, source.segment_index),
        (transcription, 0)
    );
    assert_eq!(source.end.unwrap().nanos, 500_000_000);
    let silent = drafted.sections.iter().find(|section| !section.documented);
    assert!(silent.unwrap().sentences.is_empty());

    // Written, changed, signed.
    let made = new.create_note(create("Rest.")).await.unwrap();
    let made = made.into_inner().note.unwrap();
    assert_eq!(
        (made.state(), made.note_type()),
        (v2::NoteState::Draft, v2::NoteType::Soap)
    );
    let changed = new.update_note(update(&made, "Walk.")).await.unwrap();
    let changed = changed.into_inner().note.unwrap();
    assert_ne!(changed.etag, made.etag);
    assert_eq!(plan(&changed), ["Walk."]);
    let signed = new.sign_note(sign(&changed)).await.unwrap();
    let signed = signed.into_inner().note.unwrap();
    assert_eq!(
        (signed.state(), &*signed.signed_by),
        (v2::NoteState::Signed, "emr")
    );
    assert!(signed.sign_time.is_some());
    assert_eq!(get(&mut new, &made.id).await.unwrap(), signed);

    // The old version writes, and reads what the new one made.
    let written = old.create_note(create_1("Fluids.")).await.unwrap();
    let written = written.into_inner();
    assert_eq!(written.status(), v1::NoteStatus::Draft);
    let note = get_1(&mut old, &written.note_id).await.unwrap();
    assert_eq!(note.content, create_1("Fluids.").content);
    assert_eq!(
        (note.note_type(), note.created_at),
        (v1::NoteType::Soap, written.created_at)
    );
    let note = get_1(&mut old, &made.id).await.unwrap();
    assert_eq!(note.status(), v1::NoteStatus::Completed);
    let content = note.content.unwrap();
    assert_eq!(
        (&*content.plan, &*content.objective),
        ("Walk.", "not documented")
    );

    // Pages, newest first.
    let mut request = v2::ListNotesRequest {
        page_size: 2,
        ..v2::ListNotesRequest::default()
    };
    let first = new.list_notes(request.clone()).await.unwrap().into_inner();
    request.page_token.clone_from(&first.next_page_token);
    let second = new.list_notes(request).await.unwrap().into_inner();
    let ids: Vec<&str> = [&first, &second]
        .iter()
        .flat_map(|page| page.notes.iter().map(|note| note.id.as_str()))
        .collect();
    assert_eq!(ids, [&*written.note_id, &*made.id, &*begun.id]);
    assert_eq!(second.next_page_token, "");
}

pub(crate) async fn refusals(world: &World) {
    let mut old = Notes1::new(world.refusing("documentation").await);
    let mut new = Notes2::new(world.refusing("documentation").await);
    let missing = "NOTE_NOT_FOUND";

    let mut empty = create_1("Rest.");
    empty.content = None;
    invalid(old.create_note(empty).await, "INVALID_REQUEST", "content");
    invalid(
        old.create_note(create_1("")).await,
        "INVALID_REQUEST",
        "content.plan",
    );
    refused(get_1(&mut old, &id()).await, Code::NotFound, missing);

    let result = new.generate_note(generate("visit 1", "")).await;
    invalid(result, "INVALID_REQUEST", "transcription_id");
    let mut foreign = create("Rest.");
    foreign.sections[0].kind = v2::SectionKind::FollowUp.into();
    let result = new.create_note(foreign).await;
    invalid(result, "SECTION_UNKNOWN", "sections[0].kind");
    let mut first = create("Rest.");
    first.request_id = id();
    let note = new.create_note(first.clone()).await.unwrap();
    let note = note.into_inner().note.unwrap();
    first.sections = vec![section("Walk.")];
    let result = new.create_note(first).await;
    refused(result, Code::AlreadyExists, "REQUEST_ID_REUSED");

    refused(get(&mut new, &id()).await, Code::NotFound, missing);
    let watch = v2::WatchNoteRequest { note_id: id() };
    refused(new.watch_note(watch).await, Code::NotFound, missing);
    let page = v2::ListNotesRequest {
        page_token: "elsewhere".to_owned(),
        ..v2::ListNotesRequest::default()
    };
    invalid(
        new.list_notes(page).await,
        "PAGE_TOKEN_INVALID",
        "page_token",
    );

    let changed = new.update_note(update(&note, "Walk.")).await.unwrap();
    let changed = changed.into_inner().note.unwrap();
    let result = new.update_note(update(&note, "Run.")).await;
    refused(result, Code::Aborted, "ETAG_MISMATCH");
    refused(
        new.sign_note(sign(&note)).await,
        Code::Aborted,
        "ETAG_MISMATCH",
    );
    let signed = new.sign_note(sign(&changed)).await.unwrap();
    let signed = signed.into_inner().note.unwrap();
    let result = new.update_note(update(&signed, "Run.")).await;
    refused(result, Code::FailedPrecondition, "NOTE_SIGNED");
    let mut nobody = Notes2::new(world.nobody("documentation").await);
    refused(
        get(&mut nobody, &note.id).await,
        Code::Unauthenticated,
        "TOKEN_MISSING",
    );
}

fn generate(transcription: &str, request_id: &str) -> v2::GenerateNoteRequest {
    v2::GenerateNoteRequest {
        transcription_id: transcription.to_owned(),
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v2::NoteType::Soap.into(),
        request_id: request_id.to_owned(),
    }
}

fn create(plan: &str) -> v2::CreateNoteRequest {
    v2::CreateNoteRequest {
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v2::NoteType::Soap.into(),
        sections: vec![section(plan)],
        transcription_id: String::new(),
        request_id: String::new(),
    }
}

fn create_1(plan: &str) -> v1::CreateNoteRequest {
    v1::CreateNoteRequest {
        patient_id: id(),
        encounter_id: id(),
        provider_id: id(),
        note_type: v1::NoteType::Soap.into(),
        transcription_id: String::new(),
        content: Some(v1::NoteContent {
            subjective: "Cough.".to_owned(),
            objective: "Lungs clear.".to_owned(),
            assessment: "A cold.".to_owned(),
            plan: plan.to_owned(),
        }),
    }
}

fn section(plan: &str) -> v2::SectionText {
    v2::SectionText {
        kind: v2::SectionKind::Plan.into(),
        text: plan.to_owned(),
    }
}

fn update(note: &v2::Note, plan: &str) -> v2::UpdateNoteRequest {
    v2::UpdateNoteRequest {
        note_id: note.id.clone(),
        etag: note.etag.clone(),
        sections: vec![section(plan)],
        request_id: String::new(),
    }
}

fn sign(note: &v2::Note) -> v2::SignNoteRequest {
    v2::SignNoteRequest {
        note_id: note.id.clone(),
        etag: note.etag.clone(),
    }
}

fn plan(note: &v2::Note) -> Vec<&str> {
    let mut sections = note.sections.iter();
    let plan = sections.find(|section| section.kind() == v2::SectionKind::Plan);
    let sentences = plan.unwrap().sentences.iter();
    sentences.map(|sentence| sentence.text.as_str()).collect()
}

async fn get(client: &mut Notes2, id: &str) -> Result<v2::Note, tonic::Status> {
    let request = v2::GetNoteRequest {
        note_id: id.to_owned(),
    };
    Ok(client.get_note(request).await?.into_inner().note.unwrap())
}

async fn get_1(client: &mut Notes1, id: &str) -> Result<v1::Note, tonic::Status> {
    let request = v1::GetNoteRequest {
        note_id: id.to_owned(),
    };
    Ok(client.get_note(request).await?.into_inner().note.unwrap())
}

/// Watches until it is not being generated any more.
async fn ended(client: &mut Notes2, id: &str) -> v2::Note {
    let request = v2::WatchNoteRequest {
        note_id: id.to_owned(),
    };
    let mut watch = client.watch_note(request).await.unwrap().into_inner();
    let mut last = None;
    while let Some(message) = watch.message().await.unwrap() {
        last = message.note;
    }
    last.unwrap()
}
