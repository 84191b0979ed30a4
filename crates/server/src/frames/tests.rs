use super::*;

const PING: u8 = 6;
const SECOND: u64 = 1_000_000;

fn frame(kind: u8, flags: u8, payload: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, payload, kind, flags, 0, 0, 0, 1];
    frame.extend(vec![0xff; usize::from(payload)]);
    frame
}

fn pings(count: usize) -> Vec<u8> {
    frame(PING, 0, 8).repeat(count)
}

#[test]
fn frames_are_followed_however_they_are_cut() {
    let mut bytes = frame(HEADERS, 0, 20);
    bytes.extend(frame(CONTINUATION, END_HEADERS, 3));
    bytes.extend(frame(DATA, END_STREAM, 200));
    bytes.extend(frame(PING, 0, 8));
    for piece in 1..=bytes.len() {
        let mut frames = Frames::default();
        let mut ends = 0;
        for data in bytes.chunks(piece) {
            ends += u32::from(frames.follow(data, 0, 0).ended);
        }
        assert!(!frames.is_unfinished(), "in pieces of {piece}");
        assert_eq!(frames.spent, 2, "in pieces of {piece}");
        if piece == 1 {
            assert_eq!(ends, 3, "a block is one");
        }
    }
}

#[test]
fn what_is_begun_is_unfinished_until_its_end() {
    let check = |bytes: &[u8], expect: bool| {
        let mut frames = Frames::default();
        frames.follow(bytes, 0, 0);
        assert_eq!(frames.is_unfinished(), expect, "{bytes:?}");
    };
    check(&[], false);
    check(&frame(PING, 0, 8)[..1], true);
    check(&frame(PING, 0, 8)[..16], true);
    check(&frame(PING, 0, 8), false);
    check(&frame(HEADERS, 0, 3), true);
    check(&frame(HEADERS, END_HEADERS, 3), false);
}

#[test]
fn each_idle_frame_takes_one() {
    let check = |kind, flags, payload, expect| {
        let mut frames = Frames::default();
        frames.follow(&frame(kind, flags, payload), 0, 0);
        assert_eq!(frames.spent, expect, "type {kind}, flags {flags}");
    };
    check(DATA, 0, 0, 1);
    check(DATA, END_STREAM, 0, 0);
    check(DATA, 0, 1, 0);
    check(HEADERS, END_HEADERS, 1, 0);
    check(CONTINUATION, 0, 1, 1);
    for kind in [2, 3, 4, 6, 7, 8, 0xee] {
        check(kind, 0, 4, 1);
    }
}

#[test]
fn the_allowance_is_used_up_and_fills_again() {
    let mut frames = Frames::default();
    assert!(!frames.follow(&pings(1_000), 0, 0).flood);
    // A hundred a second.
    assert!(!frames.follow(&pings(100), 0, SECOND).flood);
    assert!(!frames.follow(&pings(50), 0, 3 * SECOND / 2).flood);
    // What was sent counts as well.
    assert!(!frames.follow(&pings(10), 320, 3 * SECOND / 2).flood);
    assert!(frames.follow(&pings(1), 31, 3 * SECOND / 2).flood);
}

#[test]
fn nothing_is_saved_up_beyond_the_burst() {
    let mut frames = Frames::default();
    assert!(!frames.follow(&pings(1), u64::MAX, 3600 * SECOND).flood);
    assert!(frames.follow(&pings(1_000), 0, 3600 * SECOND).flood);
}
