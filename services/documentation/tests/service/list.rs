//! Lists of notes.

use scribemed_proto::documentation::v2::{ListNotesRequest, Note, NoteState};

use crate::world::{ClientV2, World, create, id, invalid, sign, told};

fn all() -> ListNotesRequest {
    ListNotesRequest {
        patient_id: String::new(),
        encounter_id: String::new(),
        state: NoteState::Unspecified.into(),
        page_size: 0,
        page_token: String::new(),
    }
}

async fn list(client: &mut ClientV2, request: ListNotesRequest) -> (Vec<String>, String) {
    let page = client.list_notes(request).await.unwrap().into_inner();
    assert!(page.notes.iter().all(|note| note.sections.is_empty()));
    let ids = page.notes.into_iter().map(|note| note.id);
    (ids.collect(), page.next_page_token)
}

#[tokio::test]
async fn notes_are_listed_newest_first_in_pages() {
    let world = World::new().await;
    let running = world.start().await;
    let mut client = world.client(&running).await;
    let patient_id = id();
    let mut notes: Vec<Note> = Vec::new();
    for number in 0..5 {
        let mut request = create("Rest.");
        if number > 0 {
            request.patient_id.clone_from(&patient_id);
        }
        let note = client.create_note(request).await.unwrap();
        notes.insert(0, note.into_inner().note.unwrap());
    }
    client.sign_note(sign(&notes[1])).await.unwrap();
    let ids: Vec<String> = notes.into_iter().map(|note| note.id).collect();

    assert_eq!(list(&mut client, all()).await, (ids.clone(), String::new()));
    let of_patient = ListNotesRequest {
        patient_id,
        page_size: 3,
        ..all()
    };
    let (first, token) = list(&mut client, of_patient.clone()).await;
    assert_eq!(first, ids[..3]);
    let second = ListNotesRequest {
        page_token: token.clone(),
        ..of_patient
    };
    let expect = (ids[3..4].to_vec(), String::new());
    assert_eq!(list(&mut client, second).await, expect);
    let signed = ListNotesRequest {
        state: NoteState::Signed.into(),
        ..all()
    };
    let expect = (ids[1..2].to_vec(), String::new());
    assert_eq!(list(&mut client, signed).await, expect);
    let coerced = ListNotesRequest {
        page_size: 1_000_000,
        ..all()
    };
    assert_eq!(list(&mut client, coerced).await.0, ids);

    // A token belongs to its filter.
    for page_token in [token, "next".to_owned()] {
        let request = ListNotesRequest {
            page_token,
            ..all()
        };
        let expect = invalid("PAGE_TOKEN_INVALID", "page_token");
        assert_eq!(told(client.list_notes(request).await), expect);
    }
}
