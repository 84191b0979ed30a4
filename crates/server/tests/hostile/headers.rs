//! Header blocks that do not end, or that grow when they are unpacked.

use crate::attack::{
    CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, check_head, frame, scene,
};

/// CVE-2024-27316 and its like.
#[tokio::test(start_paused = true)]
async fn continuations_without_end() {
    for size in [0, 1, 10_000] {
        let mut scene = scene().await;
        // Fields that are decoded and forgotten: a literal with a name and a value of a few bytes.
        let fields = [0x00, 1, b'x', 1, b'y'].repeat(2_000);
        let end = scene
            .withstand(|number| match number {
                0 => frame(HEADERS, 0, 1, &check_head()),
                _ => frame(CONTINUATION, 0, 1, &fields[..size]),
            })
            .await;
        assert_eq!(end, Some(ENHANCE_YOUR_CALM), "{size}");
    }
}

/// One entry of nearly 4 KiB, which is named with a byte each time.
#[tokio::test(start_paused = true)]
async fn a_header_block_that_unpacks_to_megabytes() {
    let mut scene = scene().await;
    let mut block = check_head();
    // Literal with indexing, a name of one byte, a value of 3,900 (RFC 7541, sections 5.1, 6.2.1).
    block.extend([0x40, 1, b'x', 0x7f, 0xbd, 0x1d]);
    block.extend([b'y'; 3_900]);
    block.extend([0xbe; 10_000]);
    let end = scene
        .withstand(|number| frame(HEADERS, END_HEADERS | END_STREAM, 2 * number + 1, &block))
        .await;
    assert_eq!(end, Some(ENHANCE_YOUR_CALM));
}
