//! Errors: google.rpc.Status, and the HTTP status of each code.

use crate::json::Json;

/// The HTTP status of a gRPC code (`google/rpc/code.proto`).
pub(super) fn http(code: &str) -> u16 {
    match code {
        "OK" => 200,
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ALREADY_EXISTS" | "ABORTED" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => 500,
    }
}

/// `components/responses`.
pub(super) fn responses() -> Json {
    Json::object([("Error", response("Any other error, as google.rpc.Status."))])
}

/// A response that holds an error.
pub(super) fn response(description: &str) -> Json {
    let schema = Json::object([("$ref", "#/components/schemas/google.rpc.Status".into())]);
    Json::object([
        ("description", description.into()),
        (
            "content",
            Json::object([("application/json", Json::object([("schema", schema)]))]),
        ),
    ])
}

/// `google.rpc.Status`, with its details.
pub(super) fn schema() -> Json {
    let text =
        |words: &str| Json::object([("type", "string".into()), ("description", words.into())]);
    let detail = Json::object([
        ("type", "object".into()),
        (
            "description",
            "A detail. Every error has a google.rpc.ErrorInfo: `reason` is for programs, `domain` names the service, `metadata` \
             holds what is variable in the message. A bad request has a google.rpc.BadRequest, which names each field."
                .into(),
        ),
        (
            "properties",
            Json::object([
                ("@type", text("The type: `type.googleapis.com/google.rpc.ErrorInfo`.")),
                ("reason", text("Of an ErrorInfo: the reason, in capitals.")),
                ("domain", text("Of an ErrorInfo: who gave the error.")),
            ]),
        ),
        ("required", Json::texts(["@type"])),
    ]);
    Json::object([
        ("type", "object".into()),
        (
            "description",
            "An error (google.rpc.Status, AIP-193).".into(),
        ),
        (
            "properties",
            Json::object([
                (
                    "code",
                    Json::object([
                        ("type", "integer".into()),
                        ("format", "int32".into()),
                        ("description", "The gRPC code: 5 is NOT_FOUND.".into()),
                    ]),
                ),
                ("message", text("What went wrong, for developers.")),
                (
                    "details",
                    Json::object([("type", "array".into()), ("items", detail)]),
                ),
            ]),
        ),
    ])
}
