//! Reads an expression: the grammar of cel-spec's langdef.md, "Syntax".

use super::Refusal;
use super::lex::{Kind, Token, refuse, tokens};

/// An expression, and where it begins; of an operator, where that stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) node: Node,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    Ident(String),
    /// A field, by name.
    Select(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    /// A function: `name(arguments)`, or `receiver.name(arguments)`.
    Call(Option<Box<Expr>>, String, Vec<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    /// `!` or `-`.
    Unary(&'static str, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Condition, if it holds, if not.
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// Deeper ones are refused: reading, translating and compiling them takes stack.
const DEPTH: usize = 100;

/// Words that other languages have as keywords, kept from being names.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Operators, from those that bind least.
const LEVELS: [&[&str]; 5] = [
    &["||"],
    &["&&"],
    &["<=", ">=", "<", ">", "==", "!=", "in"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// # Errors
/// The text is no expression.
pub(super) fn parse(source: &str) -> Result<Expr, Refusal> {
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        depth: 0,
    };
    let expr = parser.expr()?;
    match parser.peek() {
        Kind::End => Ok(expr),
        other => refuse(
            parser.at(),
            format!(
                "{} is left over; join it to what stands before it by an operator",
                shown(other)
            ),
        ),
    }
}

fn shown(kind: &Kind) -> String {
    match kind {
        Kind::Ident(name) => format!("`{name}`"),
        Kind::Sign(sign) => format!("`{sign}`"),
        Kind::Int(_) | Kind::Uint(_) | Kind::Double(_) => "a number".to_owned(),
        Kind::Text(_) => "a text".to_owned(),
        Kind::Bytes(_) => "bytes".to_owned(),
        Kind::End => "the end".to_owned(),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Kind {
        self.tokens
            .get(self.next)
            .map_or(&Kind::End, |token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .map_or(0, |token| token.at)
    }

    /// Takes `sign`, if it is next.
    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Kind::Sign(next) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn wants(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.takes(sign) {
            return Ok(());
        }
        refuse(
            self.at(),
            format!("`{sign}` is missing before {}", shown(self.peek())),
        )
    }

    /// One level deeper, if there is one.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if self.depth == DEPTH {
            return refuse(
                self.at(),
                format!("this is nested more than {DEPTH} deep; make several rules of it"),
            );
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn expr(&mut self) -> Result<Expr, Refusal> {
        self.deeper(|parser| {
            let condition = parser.level(0)?;
            let at = parser.at();
            if !parser.takes("?") {
                return Ok(condition);
            }
            let yes = parser.level(0)?;
            parser.wants(":")?;
            let no = parser.expr()?;
            Ok(Expr {
                at,
                node: Node::Choice(Box::new(condition), Box::new(yes), Box::new(no)),
            })
        })
    }

    /// Operands joined by the operators of a level, from the left.
    fn level(&mut self, level: usize) -> Result<Expr, Refusal> {
        let Some(signs) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.level(level + 1)?;
        let mut length = 0;
        loop {
            let at = self.at();
            let found = match self.peek() {
                Kind::Sign(sign) => signs.iter().copied().find(|known| known == sign),
                Kind::Ident(word) if word == "in" && signs.contains(&"in") => Some("in"),
                _ => None,
            };
            let Some(sign) = found else {
                return Ok(left);
            };
            length += 1;
            if length > DEPTH {
                return refuse(
                    at,
                    format!("more than {DEPTH} operands in a row; make several rules of it"),
                );
            }
            self.next += 1;
            let right = self.level(level + 1)?;
            left = Expr {
                at,
                node: Node::Binary(sign, Box::new(left), Box::new(right)),
            };
        }
    }

    fn unary(&mut self) -> Result<Expr, Refusal> {
        let at = self.at();
        if self.takes("!") {
            let operand = self.deeper(Self::unary)?;
            return Ok(Expr {
                at,
                node: Node::Unary("!", Box::new(operand)),
            });
        }
        if !self.takes("-") {
            return self.member();
        }
        // A sign right before a number belongs to it: there is no positive counterpart of the least int.
        let node = match *self.peek() {
            Kind::Int(number) => {
                self.next += 1;
                Node::Int(0i64.wrapping_sub_unsigned(number))
            }
            Kind::Double(number) => {
                self.next += 1;
                Node::Double(-number)
            }
            _ => Node::Unary("-", Box::new(self.deeper(Self::unary)?)),
        };
        match node {
            Node::Unary(..) => Ok(Expr { at, node }),
            number => self.members(Expr { at, node: number }),
        }
    }

    fn member(&mut self) -> Result<Expr, Refusal> {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// Fields, calls and indices behind `expr`.
    fn members(&mut self, mut expr: Expr) -> Result<Expr, Refusal> {
        let mut length = 0;
        loop {
            let at = self.at();
            length += 1;
            if length > DEPTH {
                return refuse(at, format!("more than {DEPTH} selections in a row"));
            }
            if self.takes(".") {
                let at = self.at();
                let name = self.name()?;
                expr = if self.takes("(") {
                    let arguments = self.list(")")?;
                    let node = Node::Call(Some(Box::new(expr)), name, arguments);
                    Expr { at, node }
                } else {
                    let node = Node::Select(Box::new(expr), name);
                    Expr { at, node }
                };
            } else if self.takes("[") {
                let index = self.expr()?;
                self.wants("]")?;
                let node = Node::Index(Box::new(expr), Box::new(index));
                expr = Expr { at, node };
            } else if matches!(self.peek(), Kind::Sign("{")) {
                return refuse(
                    at,
                    "messages cannot be made in a rule; compare their fields, or write timestamp(\"...\") or duration(\"...\")",
                );
            } else {
                return Ok(expr);
            }
        }
    }

    fn name(&mut self) -> Result<String, Refusal> {
        if self.takes("?") {
            return refuse(
                self.at(),
                "optional fields are no part of the language of rules; use has()",
            );
        }
        match self.peek().clone() {
            Kind::Ident(name) if !matches!(name.as_str(), "in" | "true" | "false" | "null") => {
                self.next += 1;
                Ok(name)
            }
            Kind::Ident(name) => refuse(
                self.at(),
                format!(
                    "`{name}` is a word of the language; a field of that name is getField(message, \"{name}\")"
                ),
            ),
            other => refuse(
                self.at(),
                format!("the name of a field is missing before {}", shown(&other)),
            ),
        }
    }

    /// Expressions up to `end`.
    fn list(&mut self, end: &str) -> Result<Vec<Expr>, Refusal> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.expr()?);
            if !self.takes(",") {
                self.wants(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn primary(&mut self) -> Result<Expr, Refusal> {
        let at = self.at();
        // A name may begin with a dot: it is the full one, which we take every name of a type for.
        let dotted = self.takes(".");
        let token = self.peek().clone();
        self.next += 1;
        let node = match token {
            Kind::Ident(name) if matches!(name.as_str(), "true" | "false") => {
                Node::Bool(name == "true")
            }
            Kind::Ident(name) if name == "null" => Node::Null,
            Kind::Ident(name) if name == "in" || RESERVED.contains(&name.as_str()) => {
                return refuse(
                    at,
                    format!("`{name}` is a reserved word and cannot be a name"),
                );
            }
            Kind::Ident(name) if self.takes("(") => Node::Call(None, name, self.list(")")?),
            Kind::Ident(name) => Node::Ident(name),
            other if dotted => {
                return refuse(at, format!("a name is missing before {}", shown(&other)));
            }
            Kind::Int(number) => match i64::try_from(number) {
                Ok(number) => Node::Int(number),
                Err(_) => {
                    return refuse(
                        at,
                        format!("{number} is above the greatest int; {number}u is a uint"),
                    );
                }
            },
            Kind::Uint(number) => Node::Uint(number),
            Kind::Double(number) => Node::Double(number),
            Kind::Text(text) => Node::Text(text),
            Kind::Bytes(bytes) => Node::Bytes(bytes),
            Kind::Sign("(") => {
                let inner = self.expr()?;
                self.wants(")")?;
                return Ok(inner);
            }
            Kind::Sign("[") => Node::List(self.list("]")?),
            Kind::Sign("{") => self.map()?,
            other => {
                return refuse(at, format!("a value is missing before {}", shown(&other)));
            }
        };
        Ok(Expr { at, node })
    }

    fn map(&mut self) -> Result<Node, Refusal> {
        let mut entries = Vec::new();
        while !self.takes("}") {
            let key = self.expr()?;
            self.wants(":")?;
            entries.push((key, self.expr()?));
            if !self.takes(",") {
                self.wants("}")?;
                break;
            }
        }
        Ok(Node::Map(entries))
    }
}
