//! Names that somebody may have meant.

/// What was asked for is not there.
#[derive(Debug, thiserror::Error)]
#[error("there is no {what} {asked:?} in the contract; {}", meant(.near, .list))]
pub struct Unknown {
    /// `method`.
    pub what: &'static str,
    /// What was asked for.
    pub asked: String,
    /// Names that are like it, the likest first; at most three.
    pub near: Vec<String>,
    /// How to see all of them.
    pub list: &'static str,
}

fn meant(near: &[String], list: &str) -> String {
    if near.is_empty() {
        list.to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    }
}

/// The names that are like `asked`, without regard to case: that end alike, or are a few letters away.
pub(crate) fn near<'a>(asked: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let last = |name: &str| name.rsplit(['.', '/']).next().unwrap_or(name).to_owned();
    let asked_last = last(&asked);
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let away = distance(&asked_last, &last(&lower)).min(distance(&asked, &lower));
            let is_part = !asked.is_empty() && lower.contains(&asked);
            (is_part || away <= 2 + asked_last.len() / 6).then_some((away, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup_by(|a, b| a.1 == b.1);
    found
        .into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Levenshtein's distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (other, above) in b.iter().zip(row.iter().skip(1)) {
            let same = usize::from(letter != *other);
            left = (diagonal + same).min(above + 1).min(left + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_levenshteins() {
        for (a, b, expect) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("getnote", "getnotes", 1),
            ("flaw", "lawn", 2),
        ] {
            assert_eq!(distance(a, b), expect, "{a} {b}");
            assert_eq!(distance(b, a), expect, "{b} {a}");
        }
    }

    #[test]
    fn what_is_like_it_comes_first_and_what_is_not_never() {
        let names = [
            "a.v1.S.GetNote",
            "a.v1.S.GetNotes",
            "a.v1.S.SignNote",
            "a.v1.S.Rotate",
        ];
        let found = near("GetNoet", names.into_iter());
        assert_eq!(found, ["a.v1.S.GetNote", "a.v1.S.GetNotes"]);
        assert!(near("Transcribe", names.into_iter()).is_empty());
    }
}
