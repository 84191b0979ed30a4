//! Cuts an expression into tokens.

use super::Refusal;

/// A token, and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Ident(String),
    /// Without its sign, which is an operator.
    Int(u64),
    Uint(u64),
    Double(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", "(", ")",
    "[", "]", "{", "}", ",", ".", "=", "|",
];

/// The tokens of `source`, the last of which is [`Kind::End`].
///
/// # Errors
/// Something is no token: an unknown sign, a literal out of range or without an end.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, Refusal> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let at = lexer.at;
        let kind = lexer.next()?;
        let done = kind == Kind::End;
        tokens.push(Token { at, kind });
        if done {
            return Ok(tokens);
        }
    }
}

pub(super) fn refuse<T>(offset: usize, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        offset,
        message: message.into(),
    })
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    /// The characters from here on that are all `wanted`.
    fn run(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = self.rest();
        let run = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        let run = run.to_owned();
        self.at += run.len();
        run
    }

    fn skip_blanks(&mut self) {
        loop {
            self.run(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}'));
            if !self.rest().starts_with("//") {
                return;
            }
            self.run(|c| c != '\n');
        }
    }

    fn next(&mut self) -> Result<Kind, Refusal> {
        if let Some(kind) = self.quoted()? {
            return Ok(kind);
        }
        match self.peek(0) {
            None => Ok(Kind::End),
            Some(b'0'..=b'9') => self.number(),
            Some(b'.') if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => Ok(Kind::Ident(
                self.run(|c| c.is_ascii_alphanumeric() || c == '_'),
            )),
            Some(_) => {
                let rest = self.rest();
                match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
                    Some("=") => refuse(self.at, "`=` is no operator; `==` compares"),
                    Some("|") => refuse(self.at, "`|` is no operator; `||` is or"),
                    Some(sign) => {
                        self.at += sign.len();
                        Ok(Kind::Sign(sign))
                    }
                    None => {
                        let sign = rest.chars().next().unwrap_or_default();
                        refuse(
                            self.at,
                            format!("{sign:?} does not belong into an expression"),
                        )
                    }
                }
            }
        }
    }

    fn number(&mut self) -> Result<Kind, Refusal> {
        let at = self.at;
        let hex = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        let (text, radix) = if hex {
            self.at += 2;
            (self.run(|c| c.is_ascii_hexdigit()), 16)
        } else {
            (self.decimal(), 10)
        };
        let whole = !text.contains(['.', 'e', 'E']) || hex;
        let unsigned = whole && matches!(self.peek(0), Some(b'u' | b'U'));
        if unsigned {
            self.at += 1;
        }
        if self
            .peek(0)
            .is_some_and(|next| next.is_ascii_alphanumeric() || next == b'_')
        {
            return refuse(self.at, "a number goes over into a word; separate the two");
        }
        if !whole {
            return match text.parse::<f64>() {
                Ok(double) if double.is_finite() => Ok(Kind::Double(double)),
                _ => refuse(at, format!("{text} is no double")),
            };
        }
        match u64::from_str_radix(&text, radix) {
            Ok(number) if unsigned => Ok(Kind::Uint(number)),
            // One more than the greatest int: with a minus before it, it is the least.
            Ok(number) if number <= 1 << 63 => Ok(Kind::Int(number)),
            _ => refuse(
                at,
                format!("{text} is out of the range of an int; a `u` behind it makes it a uint"),
            ),
        }
    }

    /// Digits, with a fraction and an exponent where they are there.
    fn decimal(&mut self) -> String {
        let mut text = self.run(|c| c.is_ascii_digit());
        if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
            text.push('.');
            text.push_str(&self.run(|c| c.is_ascii_digit()));
        }
        let signed = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        if matches!(self.peek(0), Some(b'e' | b'E'))
            && self
                .peek(1 + signed)
                .is_some_and(|next| next.is_ascii_digit())
        {
            text.push('e');
            if self.peek(1) == Some(b'-') {
                text.push('-');
            }
            self.at += 1 + signed;
            text.push_str(&self.run(|c| c.is_ascii_digit()));
        }
        text
    }

    /// A text or bytes, if one begins here.
    fn quoted(&mut self) -> Result<Option<Kind>, Refusal> {
        let rest = self.rest();
        // At most two letters stand before a quote.
        let quote = rest
            .bytes()
            .take(3)
            .position(|byte| matches!(byte, b'"' | b'\''));
        let Some((prefix, body)) = quote.and_then(|at| rest.split_at_checked(at)) else {
            return Ok(None);
        };
        let prefix = prefix.to_ascii_lowercase();
        let (raw, bytes) = match prefix.as_str() {
            "" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "br" | "rb" => (true, true),
            _ => return Ok(None),
        };
        let Some(quote) = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| body.starts_with(quote))
        else {
            return Ok(None);
        };
        let begin = self.at;
        self.at += prefix.len() + quote.len();
        let mut out = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len();
                break;
            }
            match rest.chars().next() {
                None => {
                    return refuse(
                        begin,
                        format!("this text has no end; close it with {quote}"),
                    );
                }
                Some('\n' | '\r') if quote.len() == 1 => {
                    return refuse(
                        self.at,
                        "a text ends with its line; write \\n, or use three quotes",
                    );
                }
                Some('\\') if !raw => self.escape(bytes, &mut out)?,
                Some(c) => {
                    self.at += c.len_utf8();
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        if bytes {
            return Ok(Some(Kind::Bytes(out)));
        }
        match String::from_utf8(out) {
            Ok(text) => Ok(Some(Kind::Text(text))),
            Err(_) => refuse(begin, "this text is no UTF-8"),
        }
    }

    fn escape(&mut self, bytes: bool, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let begin = self.at;
        self.at += 1;
        let Some(kind) = self.rest().chars().next() else {
            return refuse(begin, "an escape lacks its end");
        };
        let plain = match kind {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '\'' | '"' | '`' | '?' => u8::try_from(kind).ok(),
            _ => None,
        };
        if let Some(plain) = plain {
            self.at += 1;
            out.push(plain);
            return Ok(());
        }
        let (skip, digits, radix) = match kind {
            'x' | 'X' => (1, 2, 16),
            'u' if !bytes => (1, 4, 16),
            'U' if !bytes => (1, 8, 16),
            '0'..='3' => (0, 3, 8),
            _ => return refuse(begin, format!("\\{kind} is no escape; \\\\ is a backslash")),
        };
        self.at += skip;
        let number = self
            .rest()
            .get(..digits)
            .filter(|text| text.bytes().all(|digit| char::from(digit).is_digit(radix)))
            .and_then(|text| u32::from_str_radix(text, radix).ok());
        let Some(number) = number else {
            return refuse(begin, format!("\\{kind} wants {digits} digits"));
        };
        self.at += digits;
        match (bytes, u8::try_from(number), char::from_u32(number)) {
            (true, Ok(byte), _) => out.push(byte),
            (false, _, Some(c)) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => return refuse(begin, "this escape is no character"),
        }
        Ok(())
    }
}
