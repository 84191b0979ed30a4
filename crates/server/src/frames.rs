//! What a peer sends, frame by frame, and how much of it asks for nothing.

/// The head of a frame: length, type, flags, stream (RFC 9113, section 4.1).
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// So many idle frames may come at once, and so many each second from then on.
const BURST: u32 = 1_000;
const PER_SECOND: u64 = 100;
const MICROS_PER_FRAME: u64 = 1_000_000 / PER_SECOND;
/// For so many bytes that are sent to a peer it may send one idle frame more. The answer to a ping has 17.
const BYTES_PER_FRAME: u64 = 32;

/// Follows the frames that a peer sends.
///
/// Some frames cost their sender nothing and ask for nothing: a ping, settings, a window update, a priority, a reset, empty DATA,
/// a frame of an unknown type. Good peers send some of each, in proportion to what they are sent: so an idle frame takes from
/// an allowance, which time and what is sent to the peer fill up again. Who uses it up is flooding: with pings (CVE-2019-9512),
/// resets (CVE-2019-9514, CVE-2023-44487), settings (CVE-2019-9515), priorities (CVE-2019-9513) or empty frames (CVE-2019-9518).
///
/// HEADERS are calls. Those that are too many, too large or malformed are bounded by h2.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    head: [u8; HEAD],
    filled: usize,
    /// What is still to come of the payload of a frame.
    left: usize,
    /// A header block was begun and has not ended: nothing else can come (RFC 9113, section 4.3).
    in_block: bool,
    spent: u32,
    /// Up to when time was counted, in microseconds.
    counted: u64,
}

/// What was followed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    /// A frame, or a header block, came to its end.
    pub(crate) ended: bool,
    /// The allowance is used up.
    pub(crate) flood: bool,
}

impl Frames {
    /// Follows the peer's next bytes, which come at `now` (microseconds). `sent` is how many bytes were sent to it since the last
    /// time.
    pub(crate) fn follow(&mut self, mut data: &[u8], sent: u64, now: u64) -> Followed {
        let (mut ended, mut idle) = (false, 0_u32);
        while !data.is_empty() {
            if self.left > 0 {
                let skipped = self.left.min(data.len());
                self.left -= skipped;
                data = &data[skipped..];
            } else {
                let taken = (HEAD - self.filled).min(data.len());
                self.head[self.filled..self.filled + taken].copy_from_slice(&data[..taken]);
                self.filled += taken;
                data = &data[taken..];
                if self.filled < HEAD {
                    break;
                }
                self.filled = 0;
                idle = idle.saturating_add(self.begin());
            }
            ended |= self.left == 0 && !self.in_block;
        }
        self.earn(sent, now);
        self.spent = self.spent.saturating_add(idle);
        Followed {
            ended,
            flood: self.spent > BURST,
        }
    }

    /// A frame begins. Returns what it takes of the allowance.
    fn begin(&mut self) -> u32 {
        let [a, b, c, kind, flags, ..] = self.head;
        self.left = u32::from_be_bytes([0, a, b, c]) as usize;
        match kind {
            HEADERS => {
                self.in_block = flags & END_HEADERS == 0;
                0
            }
            CONTINUATION => {
                self.in_block = flags & END_HEADERS == 0;
                1
            }
            DATA => u32::from(self.left == 0 && flags & END_STREAM == 0),
            _ => 1,
        }
    }

    fn earn(&mut self, sent: u64, now: u64) {
        let frames = now.saturating_sub(self.counted) / MICROS_PER_FRAME;
        self.counted += frames * MICROS_PER_FRAME;
        let earned = frames.saturating_add(sent / BYTES_PER_FRAME);
        self.spent = self
            .spent
            .saturating_sub(u32::try_from(earned).unwrap_or(u32::MAX));
    }

    /// Whether a frame or a header block was begun and is not there as a whole.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.left > 0 || self.filled > 0 || self.in_block
    }
}

#[cfg(test)]
mod tests;
