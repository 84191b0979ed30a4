//! What buf sees.

use crate::repository::{EVERYWHERE, Edit, NOTES_1, NOTES_2, REASONS, SPEECH_2, edit};

/// Kinds of break that buf sees (FILE), and what it says of each.
pub(crate) const BREAKS: &[(&str, Edit, &str)] = &[
    (
        "FIELD_NO_DELETE",
        edit(NOTES_2, "message GetNoteResponse", "  Note note = 1;\n", ""),
        "with name \"note\" on message \"GetNoteResponse\" was deleted",
    ),
    (
        "FIELD_NO_DELETE, by another number",
        edit(NOTES_2, "message GetNoteResponse", "note = 1", "note = 7"),
        "with name \"note\" on message \"GetNoteResponse\" was deleted",
    ),
    (
        "FIELD_SAME_TYPE",
        edit(
            NOTES_2,
            "message Source ",
            "int32 segment_index",
            "int64 segment_index",
        ),
        "on message \"Source\" changed type from \"int32\" to \"int64\"",
    ),
    (
        "FIELD_SAME_NAME",
        edit(
            NOTES_2,
            "message Source ",
            "segment_index",
            "segment_number",
        ),
        "on message \"Source\" changed name from \"segment_index\" to \"segment_number\"",
    ),
    (
        "FIELD_SAME_JSON_NAME",
        edit(
            NOTES_2,
            "message Source ",
            "segment_index = 2",
            "segment_index = 2 [json_name = \"at\"]",
        ),
        "on message \"Source\" changed option \"json_name\"",
    ),
    (
        "FIELD_SAME_CARDINALITY",
        edit(NOTES_2, "message Section ", "repeated Sentence", "Sentence"),
        "on message \"Section\" changed cardinality",
    ),
    (
        "FIELD_SAME_ONEOF",
        edit(
            NOTES_2,
            "message Source ",
            "int32 segment_index = 2;",
            "oneof at { int32 segment_index = 2; }",
        ),
        "on message \"Source\" moved from outside to inside a oneof",
    ),
    (
        "ENUM_VALUE_NO_DELETE",
        edit(NOTES_2, "enum NoteType", "  NOTE_TYPE_SOAP = 1;\n", ""),
        "value \"1\" on enum \"NoteType\" was deleted",
    ),
    (
        "ENUM_VALUE_SAME_NAME",
        edit(
            NOTES_2,
            "enum NoteType",
            "NOTE_TYPE_SOAP = 1",
            "NOTE_TYPE_PLAIN = 1",
        ),
        "on enum \"NoteType\" changed name from \"NOTE_TYPE_SOAP\"",
    ),
    (
        "MESSAGE_NO_DELETE",
        edit(NOTES_2, EVERYWHERE, "Failure ", "Fault "),
        "message \"Failure\" was deleted",
    ),
    (
        "ENUM_NO_DELETE",
        edit(NOTES_2, EVERYWHERE, "NoteState ", "NoteStage "),
        "enum \"NoteState\" was deleted",
    ),
    (
        "RPC_NO_DELETE",
        edit(NOTES_2, "", "rpc SignNote ...", ""),
        "RPC \"SignNote\" on service \"DocumentationService\" was deleted",
    ),
    (
        "RPC_SAME_REQUEST_TYPE",
        edit(
            NOTES_2,
            "",
            "rpc SignNote(SignNoteRequest)",
            "rpc SignNote(GetNoteRequest)",
        ),
        "changed request type",
    ),
    (
        "RPC_SAME_RESPONSE_TYPE",
        edit(
            NOTES_2,
            "rpc SignNote(",
            "returns (SignNoteResponse)",
            "returns (GetNoteResponse)",
        ),
        "changed response type",
    ),
    (
        "RPC_SAME_CLIENT_STREAMING",
        edit(SPEECH_2, "rpc UploadTranscription(", "stream ", ""),
        "changed from client streaming to client unary",
    ),
    (
        "RPC_SAME_SERVER_STREAMING",
        edit(NOTES_2, "rpc WatchNote(", "stream ", ""),
        "changed from server streaming to server unary",
    ),
    (
        "SERVICE_NO_DELETE",
        edit(
            NOTES_1,
            "",
            "service DocumentationService",
            "service NoteService",
        ),
        "service \"DocumentationService\" was deleted",
    ),
    (
        "FILE_SAME_PACKAGE",
        edit(
            REASONS,
            "",
            "package scribemed.options.v1;",
            "package scribemed.options.v9;",
        ),
        "changed from \"scribemed.options.v1\" to \"scribemed.options.v9\"",
    ),
    (
        "FILE_NO_DELETE",
        edit("buf.yaml", "", "  - path: proto/v1\n", ""),
        "file \"scribemed/auth/v1/auth.proto\" was deleted",
    ),
];
