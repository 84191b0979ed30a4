//! A translated expression: its type and its Rust.

use super::types::{Sort, Store, Type, is_name};

/// A translated expression. Its code evaluates to the canonical form of its sort, or to an owned one.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// Where it begins in the source.
    pub(super) at: usize,
    pub(super) sort: Sort,
    pub(super) code: String,
    /// Whether the code wants parentheses when it is an operand.
    pub(super) loose: bool,
    pub(super) hold: Hold,
    /// Whether the code has a `?` in it.
    pub(super) fallible: bool,
    pub(super) known: Option<Known>,
    /// Whether `dyn()` was asked for: what is wrong with its type is found when it is evaluated.
    pub(super) dynamic: bool,
}

/// How long what the code evaluates to lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hold {
    /// Written into the program.
    Static,
    /// As long as `this`.
    Plain,
    /// As long as the statement that it is evaluated in.
    Passing,
    /// It is owned: `String`, `Vec<u8>`, `T`, `Vec<T>` or an array of them.
    Owned,
}

/// What is known at build time.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Nanoseconds, of a timestamp or a duration.
    Nanos(i128),
}

impl Known {
    /// The Rust of it.
    pub(super) fn code(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => format!("{value}i64"),
            Self::Uint(value) => format!("{value}u64"),
            Self::Double(value) if value.is_nan() => "f64::NAN".to_owned(),
            Self::Double(value) if value.is_infinite() && *value > 0.0 => {
                "f64::INFINITY".to_owned()
            }
            Self::Double(value) if value.is_infinite() => "f64::NEG_INFINITY".to_owned(),
            Self::Double(value) => format!("{value:?}f64"),
            Self::Text(value) => format!("{value:?}"),
            Self::Bytes(value) => format!("&b\"{}\"[..]", value.escape_ascii()),
            Self::Nanos(value) => format!("{value}i128"),
        }
    }
}

impl Value {
    pub(super) fn new(at: usize, sort: Sort, code: impl Into<String>) -> Self {
        Self {
            at,
            sort,
            code: code.into(),
            loose: false,
            hold: Hold::Plain,
            fallible: false,
            known: None,
            dynamic: false,
        }
    }

    pub(super) fn known(at: usize, sort: Sort, known: Known) -> Self {
        let code = known.code();
        let loose = code.starts_with(['-', '&']);
        Self {
            hold: Hold::Static,
            loose,
            known: Some(known),
            ..Self::new(at, sort, code)
        }
    }

    /// The same, of an operator: in need of parentheses as an operand.
    pub(super) fn loose(mut self) -> Self {
        self.loose = true;
        self
    }

    pub(super) fn owned(mut self) -> Self {
        self.hold = Hold::Owned;
        self
    }

    pub(super) fn holding(mut self, hold: Hold) -> Self {
        self.hold = hold;
        self
    }

    /// The same, made of `others`: fallible if one of them is.
    pub(super) fn of(mut self, others: &[&Self]) -> Self {
        self.fallible |= others.iter().any(|other| other.fallible);
        self
    }

    /// The same, with a `?` behind its code.
    pub(super) fn tried(mut self) -> Self {
        self.code = format!("{}?", self.operand());
        self.loose = false;
        self.fallible = true;
        self
    }

    /// The code as an operand, or before a dot.
    pub(super) fn operand(&self) -> String {
        if self.loose {
            format!("({})", self.code)
        } else {
            self.code.clone()
        }
    }

    /// The canonical form, for use within the same statement.
    pub(super) fn borrowed(&self) -> String {
        if self.hold != Hold::Owned {
            return self.code.clone();
        }
        match self.sort {
            Sort::Text => format!("{}.as_str()", self.operand()),
            Sort::Bytes | Sort::List(_) => format!("&{}[..]", self.operand()),
            Sort::Message(_) | Sort::Map(..) => format!("&{}", self.operand()),
            Sort::Nullable(ref inner) if !inner.is_copy() => {
                format!("{}.as_deref()", self.operand())
            }
            _ => self.code.clone(),
        }
    }

    /// The same, with parentheses where they are needed.
    pub(super) fn borrowed_operand(&self) -> String {
        let code = self.borrowed();
        if code.starts_with(['&', '-']) || (self.loose && code == self.code) {
            format!("({code})")
        } else {
            code
        }
    }

    /// What fields of the message are selected from.
    pub(super) fn fields_of(&self) -> String {
        match self.code.strip_prefix('&') {
            Some(path)
                if path
                    .split('.')
                    .all(|part| is_name(part.strip_prefix("r#").unwrap_or(part))) =>
            {
                path.to_owned()
            }
            _ => self.operand(),
        }
    }

    /// The hold of what is borrowed from this.
    pub(super) fn lent(&self) -> Hold {
        match self.hold {
            Hold::Owned => Hold::Passing,
            other => other,
        }
    }

    /// The same, owned.
    pub(super) fn into_owned(self) -> Self {
        if self.hold == Hold::Owned || self.sort.is_copy() {
            return self;
        }
        let method = match self.sort {
            Sort::Text => "to_owned()",
            Sort::Bytes | Sort::List(_) => "to_vec()",
            Sort::Nullable(_) => "map(::std::borrow::ToOwned::to_owned)",
            _ => "clone()",
        };
        let code = format!("{}.{method}", self.operand());
        Self {
            code,
            loose: false,
            hold: Hold::Owned,
            ..self
        }
    }

    /// The same, so that it outlives the statement: what is only passing is copied.
    pub(super) fn lasting(self) -> Self {
        if self.hold == Hold::Passing {
            self.into_owned()
        } else {
            self
        }
    }

    /// How a collection holds this value.
    pub(super) fn stored(&self) -> Type {
        let store = if self.hold == Hold::Owned && !self.sort.is_copy() {
            Store::Owned
        } else {
            Store::Canonical
        };
        Type {
            sort: self.sort.clone(),
            store,
        }
    }

    /// The known text.
    pub(super) fn known_text(&self) -> Option<&str> {
        match &self.known {
            Some(Known::Text(text)) => Some(text),
            _ => None,
        }
    }
}
