use uuid::Uuid;

use super::*;

fn transcript(texts: &[&str]) -> Transcript {
    let segments = texts.iter().zip(0u32..).map(|(text, index)| Segment {
        index,
        start_ms: u64::from(index) * 1000,
        end_ms: u64::from(index) * 1000 + 900,
        text: (*text).into(),
    });
    Transcript {
        id: Uuid::nil(),
        segments: segments.collect(),
    }
}

fn texts(sentences: &[Sentence]) -> Vec<&str> {
    sentences
        .iter()
        .map(|sentence| sentence.text.expose())
        .collect()
}

#[test]
fn sentences_end_where_a_reader_would_end_them() {
    let check = |text: &str, expect: &[&str]| {
        assert_eq!(texts(&split(&transcript(&[text]))), expect, "{text}");
    };
    check(
        "It hurts. Since when? Monday! Good.",
        &["It hurts.", "Since when?", "Monday!", "Good."],
    );
    check(
        "Dr. Smith saw Mrs. Jones. She left.",
        &["Dr. Smith saw Mrs. Jones.", "She left."],
    );
    check(
        "Temp is 98.6 today. Fine.",
        &["Temp is 98.6 today.", "Fine."],
    );
    check(
        "Take 5 mg. twice a day. Stop.",
        &["Take 5 mg. twice a day.", "Stop."],
    );
    check("Take 500mg. Then stop.", &["Take 500mg.", "Then stop."]);
    check(
        "Give it b.i.d. with food. Rest.",
        &["Give it b.i.d. with food.", "Rest."],
    );
    check(
        "Give it b.i.d. We will see.",
        &["Give it b.i.d.", "We will see."],
    );
    check(
        "Come at 8 a.m. tomorrow, e.g. Monday.",
        &["Come at 8 a.m. tomorrow, e.g. Monday."],
    );
    check(
        "Woke at 3 a.m. She took some.",
        &["Woke at 3 a.m.", "She took some."],
    );
    check(
        "No. It does not. Bed no. 5 is free.",
        &["No.", "It does not.", "Bed no. 5 is free."],
    );
    check(
        "George W. Bush spoke. So am I. Then he left.",
        &["George W. Bush spoke.", "So am I.", "Then he left."],
    );
    check(
        "She has hepatitis C. It is stable.",
        &["She has hepatitis C.", "It is stable."],
    );
    check(
        "\"What?\" he said. \"Nothing.\" He left.",
        &["\"What?\" he said.", "\"Nothing.\"", "He left."],
    );
    check(
        "Well... maybe... Yes. (Or not.) End",
        &["Well... maybe...", "Yes.", "(Or not.)", "End"],
    );
    check(
        "he came in the morning. she did not.",
        &["he came in the morning.", "she did not."],
    );
    check("  Spaces   inside stay.\n", &["Spaces   inside stay."]);
    check("", &[]);
    check(" . ", &["."]);
}

#[test]
fn a_sentence_over_several_segments_is_linked_to_all_of_them() {
    let sentences = split(&transcript(&[
        " I have had",
        "",
        "a cough for",
        " three weeks. It is",
        "worse at night.",
    ]));
    assert_eq!(
        texts(&sentences),
        [
            "I have had a cough for three weeks.",
            "It is worse at night."
        ]
    );
    let source = |segment: u32| Source {
        segment,
        start_ms: u64::from(segment) * 1000,
        end_ms: u64::from(segment) * 1000 + 900,
    };
    assert_eq!(sentences[0].sources, [0, 2, 3].map(source));
    assert_eq!(sentences[1].sources, [3, 4].map(source));
}

#[test]
fn an_abbreviation_looks_into_the_next_segment() {
    let check = |given: &[&str], expect: &[&str]| {
        assert_eq!(texts(&split(&transcript(given))), expect, "{given:?}");
    };
    check(&["I saw Dr.", "Smith today."], &["I saw Dr. Smith today."]);
    check(&["Take 5 mg.", "", "daily."], &["Take 5 mg. daily."]);
    check(&["Take 5 mg.", "Rest."], &["Take 5 mg.", "Rest."]);
    check(&["George", "W. Bush."], &["George W. Bush."]);
    check(&["I saw Dr."], &["I saw Dr."]);
}

#[test]
fn speech_without_punctuation_is_cut_at_segments() {
    let segment = "so and then ".repeat(10);
    let sentences = split(&transcript(&[segment.as_str(); 5]));
    let segments: Vec<Vec<u32>> = sentences
        .iter()
        .map(|sentence| {
            sentence
                .sources
                .iter()
                .map(|source| source.segment)
                .collect()
        })
        .collect();
    assert_eq!(segments, [&[0, 1][..], &[2, 3], &[4]]);
}
