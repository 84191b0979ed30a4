//! `openapi`.

use serde_json::{Value, json};

use crate::support::{complaint, inn, root, said, with_fields};

fn document(text: &str) -> Value {
    serde_json::from_str(&said(inn(text).path(), &["openapi"])).unwrap()
}

/// The schema of a field with these rules, without its description.
fn schema_of(field: &str) -> Value {
    let document = document(&with_fields(field));
    let mut found =
        document["components"]["schemas"]["inn.v1.RestRequest"]["properties"]["thing"].clone();
    if let Some(fields) = found.as_object_mut() {
        fields.remove("description");
    }
    found
}

#[test]
fn rules_are_keywords() {
    let cases = [
        (
            "string thing = 1 [(buf.validate.field).string = {min_len: 1 max_len: 9}];",
            json!({"type": "string", "minLength": 1, "maxLength": 9}),
        ),
        (
            "string thing = 1 [(buf.validate.field).string.uuid = true];",
            json!({"type": "string", "format": "uuid"}),
        ),
        (
            "string thing = 1 [(buf.validate.field).string = {uuid: true}, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];",
            json!({"anyOf": [{"const": ""}, {"type": "string", "format": "uuid"}]}),
        ),
        (
            "string thing = 1 [(buf.validate.field).string = {min_len: 3 max_len: 9}, (buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE];",
            json!({"anyOf": [{"const": ""}, {"type": "string", "minLength": 3, "maxLength": 9}]}),
        ),
        (
            "string thing = 1 [(buf.validate.field).string = {prefix: \"a.\" suffix: \"z\"}];",
            json!({"type": "string", "allOf": [{"pattern": "^a\\."}, {"pattern": "z$"}]}),
        ),
        (
            "string thing = 1 [(buf.validate.field).string = {in: [\"a\", \"b\"]}];",
            json!({"type": "string", "enum": ["a", "b"]}),
        ),
        (
            "int32 thing = 1 [(buf.validate.field).int32 = {gte: 1 lt: 10}];",
            json!({"type": "integer", "format": "int32", "minimum": 1, "exclusiveMaximum": 10}),
        ),
        (
            "int32 thing = 1 [(buf.validate.field).int32 = {gt: 10 lt: 1}];",
            json!({"type": "integer", "format": "int32", "anyOf": [{"exclusiveMinimum": 10}, {"exclusiveMaximum": 1}]}),
        ),
        (
            "uint64 thing = 1;",
            json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}),
        ),
        (
            "int64 thing = 1 [(buf.validate.field).int64.gte = 0];",
            json!({"type": "string", "format": "int64", "pattern": "^[0-9]+$"}),
        ),
        (
            "int64 thing = 1 [(buf.validate.field).int64 = {in: [1, 2]}];",
            json!({"type": "string", "format": "int64", "pattern": "^-?[0-9]+$", "enum": ["1", "2"]}),
        ),
        (
            "double thing = 1 [(buf.validate.field).double.lte = 0.5];",
            json!({"type": "number", "format": "double", "maximum": 0.5}),
        ),
        (
            "float thing = 1 [(buf.validate.field).float.lte = 0.1];",
            json!({"type": "number", "format": "float", "maximum": 0.1}),
        ),
        (
            "bytes thing = 1 [(buf.validate.field).bytes.max_len = 4];",
            json!({"type": "string", "contentEncoding": "base64", "maxLength": 8}),
        ),
        (
            "bool thing = 1 [(buf.validate.field).bool.const = true];",
            json!({"type": "boolean", "const": true}),
        ),
        (
            "Bed thing = 1;",
            json!({"$ref": "#/components/schemas/inn.v1.Bed"}),
        ),
        (
            "Bed thing = 1 [(buf.validate.field).enum = {not_in: [0]}];",
            json!({"type": "string", "enum": ["BED_SOFT", "BED_HARD"]}),
        ),
        (
            "repeated string thing = 1 [(buf.validate.field).repeated = {min_items: 1 max_items: 3 unique: true items: {string: {max_len: 2}}}];",
            json!({"type": "array", "items": {"type": "string", "maxLength": 2}, "minItems": 1, "maxItems": 3, "uniqueItems": true}),
        ),
        (
            "map<string, int32> thing = 1 [(buf.validate.field).map = {max_pairs: 3 keys: {string: {min_len: 1}} values: {int32: {gt: 0}}}];",
            json!({"type": "object", "additionalProperties": {"type": "integer", "format": "int32", "exclusiveMinimum": 0}, "propertyNames": {"type": "string", "minLength": 1}, "maxProperties": 3}),
        ),
        (
            "google.protobuf.Timestamp thing = 1;",
            json!({"type": "string", "format": "date-time"}),
        ),
        (
            "google.protobuf.Duration thing = 1;",
            json!({"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$"}),
        ),
    ];
    for (field, expect) in cases {
        assert_eq!(schema_of(field), expect, "{field}");
    }
}

#[test]
fn required_fields_are_required_and_a_choice_is_one() {
    let document = document(&with_fields(
        r"string note = 1;
        string soft_bed = 2 [(google.api.field_behavior) = REQUIRED];
        string name = 3 [(buf.validate.field).string.min_len = 1];
        oneof view { option (buf.validate.oneof).required = true; string sea = 4; string the_hill = 5; }
        oneof food { string meat = 6; string fish = 7; }",
    ));
    let schema = &document["components"]["schemas"]["inn.v1.RestRequest"];
    assert_eq!(schema["required"], json!(["softBed", "name"]));
    assert_eq!(
        schema["allOf"],
        json!([
            {"oneOf": [{"required": ["sea"]}, {"required": ["theHill"]}]},
            {"oneOf": [
                {"required": ["meat"]}, {"required": ["fish"]},
                {"not": {"anyOf": [{"required": ["meat"]}, {"required": ["fish"]}]}}
            ]}
        ])
    );
}

#[test]
fn paths_bodies_queries_errors_and_security_are_those_of_the_contract() {
    let document: Value = serde_json::from_str(&said(&root(), &["openapi"])).unwrap();
    let get = &document["paths"]["/v2/notes/{note_id}"]["get"];
    assert_eq!(
        get["operationId"],
        "scribemed.documentation.v2.DocumentationService.GetNote"
    );
    assert_eq!(get["security"], json!([{"bearer": ["read:notes"]}]));
    let parameter = &get["parameters"][0];
    assert_eq!(
        (&parameter["in"], &parameter["required"]),
        (&json!("path"), &json!(true))
    );
    assert_eq!(
        parameter["schema"],
        json!({"type": "string", "format": "uuid"})
    );
    let codes: Vec<&String> = get["responses"].as_object().unwrap().keys().collect();
    assert_eq!(codes, ["200", "400", "401", "403", "404", "default"]);

    // What is in the path is not in the body.
    let patch = &document["paths"]["/v2/notes/{note_id}"]["patch"];
    let body = &patch["requestBody"]["content"]["application/json"];
    assert!(
        body["schema"]["properties"]["etag"].is_object()
            && body["schema"]["properties"]["noteId"].is_null()
    );
    assert!(body["example"]["etag"].is_string() && body["example"]["noteId"].is_null());

    let list = &document["paths"]["/v2/notes"]["get"];
    let names: Vec<&str> = list["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["patientId", "encounterId", "state", "pageSize", "pageToken"]
    );

    let watch = &document["paths"]["/v2/notes/{note_id}:watch"]["get"];
    assert!(
        watch["description"]
            .as_str()
            .unwrap()
            .contains("The answer is a stream")
    );
    let old = &document["paths"]["/v1/transcriptions"]["post"];
    assert_eq!(old["deprecated"], true);
    assert!(
        old["description"]
            .as_str()
            .unwrap()
            .contains("gone from 2027-11-01")
    );
    assert_eq!(document["paths"]["/v1/keys"]["get"]["security"], json!([]));
    let only_grpc = document["info"]["description"].as_str().unwrap();
    assert!(
        only_grpc.contains(
            "Only over gRPC: scribemed.transcription.v2.TranscriptionService.UploadTranscription"
        ),
        "{only_grpc}"
    );
}

#[test]
fn two_methods_on_one_path_are_refused() {
    let text = with_fields("string a = 1;").replace(
        "message RestRequest",
        r#"service Other {
  option (scribemed.options.v1.service) = {discovery_name: "other"};
  rpc Rest(RestRequest) returns (RestResponse) {
    option (google.api.http) = {post: "/v1/rest" body: "*"};
    option (scribemed.options.v1.method) = {timeout: {seconds: 1} public: true};
  }
}
message RestRequest"#,
    );
    let (line, code) = complaint(inn(&text).path(), &["openapi"]);
    assert_eq!(code, 2);
    assert!(
        line.contains("POST /v1/rest is the path of both inn.v1.Inn.Rest and inn.v1.Other.Rest"),
        "{line}"
    );
    let none = with_fields("").replace(
        "option (google.api.http) = {post: \"/v1/rest\" body: \"*\"};",
        "",
    );
    let (line, code) = complaint(inn(&none).path(), &["openapi"]);
    assert_eq!(code, 2);
    assert!(
        line.contains("no method has a google.api.http option"),
        "{line}"
    );
}
