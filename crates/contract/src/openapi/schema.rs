//! Messages and enums as JSON Schema (draft 2020-12), in protobuf's JSON mapping.

mod keywords;
mod well_known;

use std::collections::BTreeMap;

use prost_reflect::Value;

use super::{operation, status};
use crate::json::Json;
use crate::reference::{Enum, Field, FieldType, Message, Reference, Rules, Shape, number};

/// The schemas that were asked for, and those that they need.
pub(super) struct Schemas<'a> {
    pub(super) reference: &'a Reference,
    made: BTreeMap<String, Json>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(reference: &'a Reference) -> Self {
        let made = BTreeMap::from([("google.rpc.Status".to_owned(), status::schema())]);
        Self { reference, made }
    }

    /// `components/schemas`.
    pub(super) fn finish(self) -> Json {
        Json::Object(self.made.into_iter().collect())
    }

    /// A `$ref` to a message, which is made where it is new.
    pub(super) fn reference_to(&mut self, full_name: &str) -> Json {
        if let Some(schema) = well_known::schema(full_name) {
            return schema;
        }
        if !self.made.contains_key(full_name) {
            // A message may hold itself, so it is there before its fields are.
            self.made
                .insert(full_name.to_owned(), Json::Object(Vec::new()));
            let schema = match self.reference.message(full_name) {
                Some(message) => self.message(message, &[]),
                // Made by others, and none of the well-known: any object.
                None => Json::object([("type", "object".into())]),
            };
            self.made.insert(full_name.to_owned(), schema);
        }
        Json::object([("$ref", format!("#/components/schemas/{full_name}").into())])
    }

    /// A request, without what stands in the path.
    pub(super) fn request(&mut self, full_name: &str, variables: &[&str]) -> Json {
        let message = self.reference.message(full_name);
        let in_path = |message: &&Message| {
            message
                .fields
                .iter()
                .any(|field| variables.contains(&field.name.as_str()))
        };
        match message.filter(in_path) {
            Some(message) => self.message(message, variables),
            None => self.reference_to(full_name),
        }
    }

    fn message(&mut self, message: &Message, without: &[&str]) -> Json {
        let mut schema = Json::object([("type", "object".into())]);
        let mut words = vec![message.comment.markdown()];
        words.extend(message.rules.iter().map(|rule| format!("Rule: {rule}.")));
        words.retain(|part| !part.is_empty());
        if !words.is_empty() {
            schema.put("description", words.join("\n\n"));
        }
        if message.deprecated {
            schema.put("deprecated", true);
        }
        let fields = message
            .fields
            .iter()
            .filter(|field| !without.contains(&field.name.as_str()));
        let mut properties = Json::Object(Vec::new());
        let mut required = Vec::new();
        for field in fields {
            if field.is_required()
                && field.oneof.is_none()
                && !field.behavior.contains(&"OUTPUT_ONLY")
            {
                required.push(field.json_name.clone());
            }
            properties.put(field.json_name.clone(), self.field(field));
        }
        if !properties.is_empty_object() {
            schema.put("properties", properties);
        }
        if !required.is_empty() {
            schema.put("required", Json::texts(required));
        }
        let choices: Vec<Json> = message
            .oneofs
            .iter()
            .filter_map(|oneof| {
                let names = oneof
                    .fields
                    .iter()
                    .filter(|name| !without.contains(&name.as_str()));
                let names: Vec<&str> = names
                    .filter_map(|name| {
                        let found = message.fields.iter().find(|field| field.name == *name)?;
                        Some(found.json_name.as_str())
                    })
                    .collect();
                choice(&names, oneof.required)
            })
            .collect();
        if !choices.is_empty() {
            schema.put("allOf", Json::List(choices));
        }
        schema
    }

    /// A field with its description.
    fn field(&mut self, field: &Field) -> Json {
        let mut schema = self.field_bare(field);
        let words = Self::describe(field);
        if !words.is_empty() {
            schema.put("description", words);
        }
        if field.behavior.contains(&"OUTPUT_ONLY") {
            schema.put("readOnly", true);
        }
        if field.behavior.contains(&"INPUT_ONLY") {
            schema.put("writeOnly", true);
        }
        if field.deprecated {
            schema.put("deprecated", true);
        }
        schema
    }

    /// What a field is and what it must be like, in words.
    pub(super) fn describe(field: &Field) -> String {
        let mut words = vec![field.comment.line()];
        let rules = field.rules.words();
        if !rules.is_empty() {
            words.push(format!("Rules: {}.", rules.join("; ")));
        }
        words.retain(|part| !part.is_empty());
        words.join(" ")
    }

    /// A field without its description.
    pub(super) fn field_bare(&mut self, field: &Field) -> Json {
        let rules = &field.rules;
        let none = Rules::default();
        let items = rules.items.as_deref().unwrap_or(&none);
        match &field.shape {
            Shape::One(kind) => self.one(kind, rules),
            Shape::List(kind) => {
                let mut list =
                    Json::object([("type", "array".into()), ("items", self.one(kind, items))]);
                for (rule, keyword) in [("min_items", "minItems"), ("max_items", "maxItems")] {
                    keywords::size(&mut list, rules, rule, keyword);
                }
                if rules.required && rules.get("min_items").is_none() {
                    list.put("minItems", 1);
                }
                if rules.get("unique").and_then(Value::as_bool) == Some(true) {
                    list.put("uniqueItems", true);
                }
                list
            }
            Shape::Map(key, kind) => {
                let mut map = Json::object([
                    ("type", "object".into()),
                    ("additionalProperties", self.one(kind, items)),
                ]);
                if let Some(keys) = rules.keys.as_deref()
                    && *key == "string"
                {
                    map.put("propertyNames", keywords::scalar("string", keys));
                }
                for (rule, keyword) in [
                    ("min_pairs", "minProperties"),
                    ("max_pairs", "maxProperties"),
                ] {
                    keywords::size(&mut map, rules, rule, keyword);
                }
                map
            }
        }
    }

    fn one(&mut self, kind: &FieldType, rules: &Rules) -> Json {
        match kind {
            FieldType::Scalar(kind) => keywords::scalar(kind, rules),
            FieldType::Message(name) => self.reference_to(name),
            FieldType::Enum(name) => self.enumeration(name, rules),
        }
    }

    /// The names that the rules leave; the whole enum as a `$ref`.
    fn enumeration(&mut self, full_name: &str, rules: &Rules) -> Json {
        if full_name == "google.protobuf.NullValue" {
            return Json::object([("type", "null".into())]);
        }
        let Some(found) = self.reference.enumeration(full_name) else {
            return Json::object([("type", "string".into())]);
        };
        let restricts = ["const", "in", "not_in"]
            .iter()
            .any(|name| rules.get(name).is_some());
        if restricts {
            return names(found, rules);
        }
        if !self.made.contains_key(full_name) {
            let mut schema = names(found, rules);
            operation::describe(&mut schema, &found.comment);
            self.made.insert(full_name.to_owned(), schema);
        }
        Json::object([("$ref", format!("#/components/schemas/{full_name}").into())])
    }
}

fn names(found: &Enum, rules: &Rules) -> Json {
    let same = |value: &Value, wanted: i32| {
        number(value).is_some_and(|value| (value - f64::from(wanted)).abs() < 0.5)
    };
    let listed = |name: &str, wanted: i32| {
        let items = rules.get(name).and_then(Value::as_list);
        items.map(|items| items.iter().any(|value| same(value, wanted)))
    };
    let is_left = |wanted: i32| {
        (rules.unless_zero && wanted == 0)
            || (rules.get("const").is_none_or(|value| same(value, wanted))
                && listed("in", wanted).unwrap_or(true)
                && !listed("not_in", wanted).unwrap_or(false))
    };
    let values = found.values.iter().filter(|value| is_left(value.number));
    Json::object([
        ("type", "string".into()),
        ("enum", Json::texts(values.map(|value| value.name.clone()))),
    ])
}

/// At most one of the fields, or exactly one.
fn choice(names: &[&str], required: bool) -> Option<Json> {
    let has = |name: &str| Json::object([("required", Json::texts([name]))]);
    let mut ways: Vec<Json> = names.iter().map(|name| has(name)).collect();
    if !required {
        if names.len() < 2 {
            return None;
        }
        let any = Json::object([("anyOf", Json::List(ways.clone()))]);
        ways.push(Json::object([("not", any)]));
    }
    (!names.is_empty()).then(|| Json::object([("oneOf", Json::List(ways))]))
}
