//! More frames than anybody needs.

use crate::attack::{
    DATA, END_HEADERS, ENHANCE_YOUR_CALM, HEADERS, PING, POST, PRIORITY, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, check_head, frame, scene,
};

/// Stream ids of a client are odd.
fn id(number: u32) -> u32 {
    2 * number + 1
}

/// One kind of frame again and again.
async fn floods(kind: u8, stream: u32, payload: &[u8]) {
    let mut scene = scene().await;
    let many = frame(kind, 0, stream, payload).repeat(20);
    let end = scene.withstand(|_| many.clone()).await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM), "type {kind}");
}

/// CVE-2019-9512.
#[tokio::test(start_paused = true)]
async fn pings() {
    floods(PING, 0, &[0; 8]).await;
}

/// CVE-2019-9515.
#[tokio::test(start_paused = true)]
async fn settings() {
    // The largest frame is as large as ever.
    floods(SETTINGS, 0, &[0, 5, 0, 0, 0x40, 0]).await;
}

/// CVE-2019-9513.
#[tokio::test(start_paused = true)]
async fn priorities() {
    floods(PRIORITY, 7, &[0, 0, 0, 3, 16]).await;
}

#[tokio::test(start_paused = true)]
async fn window_updates() {
    floods(WINDOW_UPDATE, 0, &[0, 0, 0, 1]).await;
}

#[tokio::test(start_paused = true)]
async fn frames_of_an_unknown_type() {
    floods(0xee, 0, &[0; 100]).await;
}

/// CVE-2019-9518.
#[tokio::test(start_paused = true)]
async fn empty_data() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| match number {
            0 => frame(HEADERS, END_HEADERS, 1, &check_head()),
            _ => frame(DATA, 0, 1, &[]),
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}

/// CVE-2023-44487: taken back with the same breath.
#[tokio::test(start_paused = true)]
async fn rapid_resets() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| {
            (150 * number..150 * (number + 1))
                .flat_map(|call| {
                    let head = frame(HEADERS, END_HEADERS, id(call), &check_head());
                    [head, frame(RST_STREAM, 0, id(call), &[0, 0, 0, 8])]
                })
                .flatten()
                .collect()
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}

/// The same, when each call has been begun.
#[tokio::test(start_paused = true)]
async fn resets_of_calls_that_were_begun() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| {
            let call = id(number / 2);
            if number % 2 == 0 {
                frame(HEADERS, END_HEADERS, call, &check_head())
            } else {
                frame(RST_STREAM, 0, call, &[0, 0, 0, 8])
            }
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}

/// CVE-2025-8671, "MadeYouReset": the server is made to reset the stream, by a window beyond 2^31.
#[tokio::test(start_paused = true)]
async fn resets_that_are_asked_for() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| {
            let mut call = frame(HEADERS, END_HEADERS, id(number), &check_head());
            call.extend(frame(
                WINDOW_UPDATE,
                0,
                id(number),
                &[0x7f, 0xff, 0xff, 0xff],
            ));
            call
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test(start_paused = true)]
async fn more_calls_than_are_allowed() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| {
            (20 * number..20 * (number + 1))
                .flat_map(|call| frame(HEADERS, END_HEADERS, id(call), &check_head()))
                .collect()
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}

/// Each call is refused before it comes to a handler, and each answer is made.
#[tokio::test(start_paused = true)]
async fn malformed_calls() {
    let mut scene = scene().await;
    let end = scene
        .withstand(|number| {
            // Without a path.
            (20 * number..20 * (number + 1))
                .flat_map(|call| frame(HEADERS, END_HEADERS, id(call), &POST[..1]))
                .collect()
        })
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}
