//! Operations.

use std::collections::BTreeMap;

use super::schema::Schemas;
use super::status;
use crate::example;
use crate::json::Json;
use crate::reference::{
    Binding, Comment, Field, FieldType, Message, Method, Segment, Service, Shape, code_name,
    duration,
};

/// The operation of a binding; `index` counts those of the method.
pub(super) fn of(
    schemas: &mut Schemas<'_>,
    service: &Service,
    method: &Method,
    binding: &Binding,
    index: usize,
) -> Json {
    let mut operation = Json::Object(Vec::new());
    operation.put("operationId", operation_id(method, index));
    operation.put("tags", Json::texts([service.full_name.clone()]));
    let summary = method.comment.summary().trim_end_matches('.');
    if !summary.is_empty() {
        operation.put("summary", summary);
    }
    operation.put("description", description(method));
    if method.deprecated {
        operation.put("deprecated", true);
    }
    let parameters = parameters(schemas, method, binding);
    if !parameters.is_empty() {
        operation.put("parameters", Json::List(parameters));
    }
    if let Some(body) = &binding.body {
        operation.put("requestBody", request_body(schemas, method, binding, body));
    }
    operation.put("responses", responses(schemas, method, binding));
    operation.put("security", security(method));
    operation
}

fn operation_id(method: &Method, index: usize) -> String {
    match index {
        0 => method.full_name.clone(),
        _ => format!("{}_{}", method.full_name, index + 1),
    }
}

/// No token for what is public; else a bearer token that grants all of these (OpenAPI 3.1, Security Requirement Object).
fn security(method: &Method) -> Json {
    match &method.policy.permissions {
        None => Json::List(Vec::new()),
        Some(names) => Json::List(vec![Json::object([("bearer", Json::texts(names.clone()))])]),
    }
}

fn description(method: &Method) -> String {
    let mut parts = vec![method.comment.markdown()];
    parts.push(format!(
        "gRPC method `{}`; a call takes {} at most.",
        method.full_name,
        duration(method.policy.timeout)
    ));
    if let Some(permissions) = &method.policy.permissions {
        parts.push(format!(
            "Asks for the permissions {}.",
            permissions.join(", ")
        ));
    }
    let streams = &method.policy.descriptor;
    if streams.is_client_streaming() {
        parts.push("The caller sends a stream: messages one behind the other.".to_owned());
    }
    if streams.is_server_streaming() {
        parts.push(
            "The answer is a stream: one JSON object for each message, one behind the other."
                .to_owned(),
        );
    }
    if let Some(end) = &method.policy.lifecycle {
        parts.push(format!(
            "Deprecated since {}, gone from {}; use `{}`.",
            end.deprecated_on, end.sunset_on, end.successor
        ));
    }
    parts.extend(method.errors_note.clone());
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

/// What the path and the query hold.
fn parameters(schemas: &mut Schemas<'_>, method: &Method, binding: &Binding) -> Vec<Json> {
    let mut parameters = Vec::new();
    for segment in &binding.path {
        if let Segment::Variable { field, pattern } = segment {
            parameters.push(path_parameter(schemas, &method.request, field, pattern));
        }
    }
    if binding.body.as_deref() != Some("*")
        && let Some(request) = schemas.reference.message(&method.request)
    {
        let taken: Vec<&str> = binding.variables().chain(binding.body.as_deref()).collect();
        query(schemas, request, "", &taken, 0, &mut parameters);
    }
    parameters
}

fn path_parameter(schemas: &mut Schemas<'_>, request: &str, path: &str, pattern: &str) -> Json {
    let field = find(schemas, request, path);
    let mut description = field.map(Schemas::describe).unwrap_or_default();
    if pattern != "*" {
        description.push_str(&format!(" Of the form `{pattern}`."));
    }
    let schema = match field {
        Some(field) => schemas.field_bare(field),
        None => Json::object([("type", "string".into())]),
    };
    Json::object([
        ("name", path.into()),
        ("in", "path".into()),
        ("required", true.into()),
        ("description", description.trim().into()),
        ("schema", schema),
    ])
}

/// The field at the end of a path: `note.id`.
fn find<'a>(schemas: &Schemas<'a>, message: &str, path: &str) -> Option<&'a Field> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let message: &'a Message = schemas.reference.message(message)?;
    let field = message.fields.iter().find(|field| field.name == first)?;
    if rest.is_empty() {
        return Some(field);
    }
    match &field.shape {
        Shape::One(FieldType::Message(name)) => find(schemas, name, rest),
        Shape::One(_) | Shape::List(_) | Shape::Map(..) => None,
    }
}

/// Fields of messages are named with dots; lists of messages and maps have no form in a query (`google.api.http`).
fn query(
    schemas: &mut Schemas<'_>,
    message: &Message,
    prefix: &str,
    taken: &[&str],
    depth: usize,
    parameters: &mut Vec<Json>,
) {
    for field in &message.fields {
        let path = format!("{prefix}{}", field.name);
        if taken.contains(&path.as_str()) {
            continue;
        }
        if let FieldType::Message(name) = field.holds()
            && let Some(inner) = schemas.reference.message(name)
        {
            if matches!(field.shape, Shape::One(_)) && depth < 4 {
                query(
                    schemas,
                    inner,
                    &format!("{path}."),
                    taken,
                    depth + 1,
                    parameters,
                );
            }
            continue;
        }
        if matches!(field.shape, Shape::Map(..)) {
            continue;
        }
        let name = match path.rsplit_once('.') {
            Some((outer, _)) => format!("{outer}.{}", field.json_name),
            None => field.json_name.clone(),
        };
        let mut parameter = Json::object([("name", name.into()), ("in", "query".into())]);
        if field.is_required() && depth == 0 {
            parameter.put("required", true);
        }
        parameter.put("description", Schemas::describe(field));
        if field.deprecated {
            parameter.put("deprecated", true);
        }
        parameter.put("schema", schemas.field_bare(field));
        parameters.push(parameter);
    }
}

fn request_body(schemas: &mut Schemas<'_>, method: &Method, binding: &Binding, body: &str) -> Json {
    let whole = example::message(schemas.reference, &method.request);
    let variables: Vec<&str> = binding.variables().collect();
    let (schema, example) = if body == "*" {
        let schema = schemas.request(&method.request, &variables);
        (schema, without(whole, &variables, schemas, &method.request))
    } else {
        let field = find(schemas, &method.request, body);
        let schema = field.map_or_else(
            || Json::Object(Vec::new()),
            |field| schemas.field_bare(field),
        );
        let name = field.map_or(body, |field| field.json_name.as_str());
        let value = match whole {
            Json::Object(fields) => fields.into_iter().find(|(known, _)| known == name),
            Json::Plain(_) | Json::List(_) => None,
        };
        (
            schema,
            value.map_or_else(|| Json::Object(Vec::new()), |(_, value)| value),
        )
    };
    let content = Json::object([("schema", schema), ("example", example)]);
    Json::object([
        ("required", true.into()),
        ("content", Json::object([("application/json", content)])),
    ])
}

/// What the path holds does not stand in the body.
fn without(example: Json, variables: &[&str], schemas: &Schemas<'_>, request: &str) -> Json {
    let names: Vec<String> = variables
        .iter()
        .filter_map(|path| Some(find(schemas, request, path)?.json_name.clone()))
        .collect();
    match example {
        Json::Object(fields) => Json::Object(
            fields
                .into_iter()
                .filter(|(name, _)| !names.contains(name))
                .collect(),
        ),
        Json::Plain(_) | Json::List(_) => example,
    }
}

fn responses(schemas: &mut Schemas<'_>, method: &Method, binding: &Binding) -> Json {
    let schema = match &binding.response_body {
        Some(path) => match find(schemas, &method.response, path) {
            Some(field) => schemas.field_bare(field),
            None => Json::Object(Vec::new()),
        },
        None => schemas.reference_to(&method.response),
    };
    let response = schemas.reference.message(&method.response);
    let words = response
        .map(|message| message.comment.line())
        .filter(|words| !words.is_empty());
    let mut responses = Json::object([(
        "200",
        Json::object([
            (
                "description",
                words.unwrap_or_else(|| "The response.".to_owned()).into(),
            ),
            (
                "content",
                Json::object([("application/json", Json::object([("schema", schema)]))]),
            ),
        ]),
    )]);
    let mut errors: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for failure in &method.failures {
        for code in &failure.codes {
            let line = format!("{code}: {}", failure.when);
            errors.entry(status::http(code)).or_default().push(line);
        }
    }
    // What the platform itself answers, whatever the method says.
    if method.policy.permissions.is_some() {
        errors
            .entry(401)
            .or_insert_with(|| vec![format!("{}: there is no valid token.", code_name(16))]);
        errors
            .entry(403)
            .or_insert_with(|| vec![format!("{}: the token does not grant it.", code_name(7))]);
    }
    for (http, lines) in errors {
        responses.put(http.to_string(), status::response(&lines.join("\n\n")));
    }
    responses.put(
        "default",
        Json::object([("$ref", "#/components/responses/Error".into())]),
    );
    responses
}

/// A comment as a description, unless it is empty.
pub(super) fn describe(json: &mut Json, comment: &Comment) {
    let words = comment.markdown();
    if !words.is_empty() {
        json.put("description", words);
    }
}
