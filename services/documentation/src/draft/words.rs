//! A sentence as the rules see it: lower-case words without punctuation.

/// The words of one sentence.
pub(super) struct Words {
    all: Vec<String>,
    /// The sentence ends in a question mark: it asserts nothing.
    pub(super) question: bool,
    /// How many words stand before the first colon, if there is one.
    pub(super) before_colon: Option<usize>,
}

impl Words {
    /// Splits `text`. Letters, digits and apostrophes make words; a point or a slash between digits stays inside
    /// ("98.6", "120/80"); a hyphen parts two words, so that "follow-up" and "follow up" are the same; "%" is the
    /// word "percent".
    pub(super) fn of(text: &str) -> Self {
        let chars: Vec<char> = text
            .chars()
            .map(|c| if c == '\u{2019}' { '\'' } else { c })
            .collect();
        let digit = |at: Option<usize>| {
            at.and_then(|i| chars.get(i))
                .is_some_and(char::is_ascii_digit)
        };
        let mut words = Vec::new();
        let mut word = String::new();
        let mut before_colon = None;
        for (i, &c) in chars.iter().enumerate() {
            let joins_digits =
                matches!(c, '.' | '/' | ',') && digit(i.checked_sub(1)) && digit(Some(i + 1));
            if c.is_alphanumeric() || c == '\'' || joins_digits {
                word.extend(c.to_lowercase());
                continue;
            }
            finish(&mut word, &mut words);
            if c == '%' {
                words.push("percent".to_owned());
            }
            if c == ':' && before_colon.is_none() {
                before_colon = Some(words.len());
            }
        }
        finish(&mut word, &mut words);
        let question = text
            .trim_end_matches(['"', '\'', '\u{201d}', '\u{2019}', ')', ' '])
            .ends_with('?');
        Self {
            all: words,
            question,
            before_colon,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<&str> {
        self.all.get(at).map(String::as_str)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(String::as_str)
    }

    /// Whether `phrase`, words parted by single spaces, stands at word `at`.
    pub(super) fn at(&self, at: usize, phrase: &str) -> bool {
        phrase
            .split(' ')
            .enumerate()
            .all(|(i, word)| self.get(at + i) == Some(word))
    }

    /// The first place at which `phrase` stands.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        (0..self.len()).find(|at| self.at(*at, phrase))
    }

    /// Whether any of `phrases` occurs.
    pub(super) fn any(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.find(phrase).is_some())
    }

    /// Whether one of `second` begins at most `gap` words behind the end of one of `first`.
    pub(super) fn near(&self, first: &[&str], gap: usize, second: &[&str]) -> bool {
        (0..self.len()).any(|at| {
            first
                .iter()
                .filter(|phrase| self.at(at, phrase))
                .any(|phrase| {
                    let end = at + phrase.split(' ').count();
                    (end..=end + gap).any(|then| second.iter().any(|phrase| self.at(then, phrase)))
                })
        })
    }
}

fn finish(word: &mut String, words: &mut Vec<String>) {
    let bare = word.trim_matches('\'');
    if !bare.is_empty() {
        words.push(bare.to_owned());
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_and_bare() {
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(Words::of(text).iter().collect::<Vec<_>>(), expect, "{text}");
        };
        check(
            "BP is 120/80, temp 98.6.",
            &["bp", "is", "120/80", "temp", "98.6"],
        );
        check(
            "\u{2018}Follow-up\u{2019} in 2 weeks!",
            &["follow", "up", "in", "2", "weeks"],
        );
        check("I\u{2019}ve 97% sats", &["i've", "97", "percent", "sats"]);
        check(" \u{2026} ", &[]);
    }

    #[test]
    fn phrases_match_whole_words_only() {
        let words = Words::of("The discomforting plan: rest. Is that all?");
        assert!(words.any(&["the discomforting"]) && !words.any(&["comfort", "the discomfort"]));
        assert_eq!((words.question, words.before_colon), (true, Some(3)));
    }
}
