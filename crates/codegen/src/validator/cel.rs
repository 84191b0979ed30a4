//! Rules that are written in CEL: on a message, on a field or what is in it, and predefined ones, which are options of the
//! contract's own that extend the rules of a type.

use prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FileDescriptor, MessageDescriptor, Value,
};

use super::site::Site;
use super::{Context, VALIDATE};
use crate::cel::{Answer, Scope, Type, translate};
use crate::options::{Fields as _, extension};

/// A rule that is an expression.
pub(super) struct Expression {
    id: String,
    /// What is said if the expression is false; if it is empty, that it is.
    message: String,
    text: String,
    /// `cel[0]`
    path: String,
}

/// Those of a buf.validate.FieldRules or MessageRules.
pub(super) fn expressions(rules: &DynamicMessage) -> Vec<Expression> {
    let texts = rules.list("cel_expression");
    let texts = texts.iter().filter_map(Value::as_str).enumerate();
    let short = texts.map(|(index, text)| Expression {
        id: text.to_owned(),
        message: String::new(),
        text: text.to_owned(),
        path: format!("cel_expression[{index}]"),
    });
    short
        .chain(long(rules, |index| format!("cel[{index}]")))
        .collect()
}

/// Those in the field `cel` of `rules`.
fn long(rules: &DynamicMessage, path: impl Fn(usize) -> String) -> Vec<Expression> {
    let list = rules.list("cel");
    let rules = list.iter().filter_map(Value::as_message).enumerate();
    rules
        .map(|(index, rule)| Expression {
            id: rule.text("id").unwrap_or_default(),
            message: rule.text("message").unwrap_or_default(),
            text: rule.text("expression").unwrap_or_default(),
            path: path(index),
        })
        .collect()
}

/// The checks of expressions on a message, which no field is to blame for.
pub(super) fn of_message(
    context: &mut Context<'_>,
    message: &MessageDescriptor,
    expressions: &[Expression],
) -> String {
    let element = (message.parent_file(), message.full_name().to_owned());
    let violation = |id: &str, _: &str, words: &str| {
        format!("{VALIDATE}::Violation::new(\"\", {id:?}, {words}).by(\"\")")
    };
    let mut out = String::new();
    for expression in expressions {
        let scope = Scope {
            pool: context.pool,
            package: message.package_name(),
            this: (Type::of_message(message), "(*self)"),
            rule: None,
            rules: None,
        };
        out += &check(context, &element, expression, &scope, violation);
    }
    out
}

/// The checks of expressions on a value of this type.
pub(super) fn checks(
    context: &mut Context<'_>,
    site: &Site<'_>,
    expressions: &[Expression],
    of: &Type,
) -> String {
    let mut out = String::new();
    for expression in expressions {
        out += &of_value(context, site, of, expression, None);
    }
    out
}

/// The checks of the predefined rules in `typed`, the rules named `family`, on a value of this type.
pub(super) fn predefined(
    context: &mut Context<'_>,
    site: &Site<'_>,
    (family, typed): (&str, &DynamicMessage),
    of: &Type,
) -> String {
    let mut out = String::new();
    for (rule, value) in typed.extensions() {
        let Some(rules) = extension(context.pool, &rule.options(), "buf.validate.predefined")
        else {
            context.report(site.field, format!(
                "has the rule `{family}.[{}]`, which is no predefined rule: give the extension the option \
                 (buf.validate.predefined)", rule.full_name()
            ));
            continue;
        };
        for expression in long(&rules, |_| format!("{family}.[{}]", rule.full_name())) {
            out += &of_value(context, site, of, &expression, Some((&rule, value, typed)));
        }
    }
    out
}

/// The check of an expression on a value; of a predefined rule with the extension, its value, and the rules that it is in.
fn of_value(
    context: &mut Context<'_>,
    site: &Site<'_>,
    of: &Type,
    expression: &Expression,
    predefined: Option<(&ExtensionDescriptor, &Value, &DynamicMessage)>,
) -> String {
    let element = (site.field.parent_file(), site.field.full_name().to_owned());
    let scope = Scope {
        pool: context.pool,
        package: site.field.parent_message().package_name(),
        this: (of.clone(), &site.place),
        rule: predefined.map(|(rule, value, _)| (rule, value)),
        rules: predefined.map(|(_, _, rules)| rules),
    };
    let violation = |id: &str, path: &str, words: &str| site.violation(id, path, words);
    check(context, &element, expression, &scope, violation)
}

/// The check of one expression; `violation` writes a violation from the rule's id, its path, and an expression for the words.
fn check(
    context: &mut Context<'_>,
    (file, name): &(FileDescriptor, String),
    expression: &Expression,
    scope: &Scope<'_>,
    violation: impl Fn(&str, &str, &str) -> String,
) -> String {
    let Expression {
        id,
        message,
        text,
        path,
    } = expression;
    let program = match translate(text, scope) {
        Ok(program) => program,
        Err(refusal) => {
            let column = text
                .get(..refusal.offset)
                .map_or(0, |before| before.chars().count())
                + 1;
            let what = format!(
                "has an expression that cannot be checked, at column {column} of `{text}`: {}",
                refusal.message
            );
            context.report_at(file, name, what);
            return String::new();
        }
    };
    let words = match message.as_str() {
        "" => format!("\"{text}\" returned false"),
        message => message.to_owned(),
    };
    let code = &program.code;
    let (pattern, words) = match program.answer {
        Answer::Bool => ("false", format!("{words:?}")),
        Answer::Text => ("words if !words.is_empty()", "words".to_owned()),
    };
    let broken = violation(id, path, &words);
    if program.fallible {
        let failed = violation(id, path, "failure.to_string()");
        format!(
            "match ({code}) {{
                Err(failure) => out.push({failed}.failed()),
                Ok(answer) => match answer {{ {pattern} => out.push({broken}), _ => {{}} }},
            }}\n"
        )
    } else {
        format!("match ({code}) {{ {pattern} => out.push({broken}), _ => {{}} }}\n")
    }
}
