//! MLLP (release 1): `0x0B`, the message, `0x1C 0x0D`.
//!
//! The decoder accepts what senders really do. A frame counts as whole at its `0x1C`: some senders leave
//! out the `0x0D` and wait for the answer, so waiting for it would stop both sides.

use std::collections::VecDeque;
use std::fmt;

const START: u8 = 0x0b;
const END: u8 = 0x1c;

/// How many bytes of a frame that is too long are kept, so that its header can be answered.
const HEAD_BYTES_MAX: usize = 2048;

/// What came in.
#[derive(Clone, PartialEq, Eq)]
pub enum Received {
    /// The body of a whole frame.
    Frame(Vec<u8>),
    /// Bytes that are no frame, and why.
    Dropped {
        /// Why.
        reason: Dropped,
        /// How many.
        bytes: usize,
    },
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Received::Frame(body) => write!(f, "Frame({} bytes)", body.len()),
            Received::Dropped { reason, bytes } => {
                write!(f, "Dropped({}, {bytes} bytes)", reason.words())
            }
        }
    }
}

/// Why bytes were dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum Dropped {
    /// They stood between frames (line ends, spaces and zero bytes, which some send to keep a connection
    /// alive, are not counted).
    Junk,
    /// A new frame began before this one had ended.
    Restarted,
    /// The frame was longer than the limit.
    TooLong {
        /// Its beginning: enough for [`Header::scan`](crate::Header::scan), so that it can be refused by name.
        head: Vec<u8>,
    },
    /// The connection ended within the frame.
    Unfinished,
}

impl Dropped {
    /// The reason in words, for logs and counters.
    pub fn words(&self) -> &'static str {
        match self {
            Dropped::Junk => "bytes between frames",
            Dropped::Restarted => "a new frame began before the last had ended",
            Dropped::TooLong { .. } => "the frame was too long",
            Dropped::Unfinished => "the connection ended within a frame",
        }
    }
}

impl fmt::Debug for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Makes frames of what a connection delivers, in whatever pieces: [`push`](Decoder::push) the bytes, then
/// take what came with `next` until there is nothing. It holds one frame at most besides what was not taken.
pub struct Decoder {
    limit_bytes: usize,
    state: State,
    ready: VecDeque<Received>,
}

enum State {
    Between { junk: usize },
    Body(Vec<u8>),
    TooLong { head: Vec<u8>, bytes: usize },
}

impl Decoder {
    /// A decoder that drops frames whose body is longer than `limit_bytes`.
    pub fn new(limit_bytes: usize) -> Decoder {
        Decoder { limit_bytes, state: State::Between { junk: 0 }, ready: VecDeque::new() }
    }

    /// Takes what was read from the connection.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let mark = match self.state {
                State::Between { .. } => memchr::memchr(START, rest),
                State::Body(_) | State::TooLong { .. } => memchr::memchr2(START, END, rest),
            };
            let (data, after) = rest.split_at(mark.unwrap_or(rest.len()));
            self.keep(data);
            if let Some((mark, after)) = after.split_first() {
                self.turn(*mark);
                rest = after;
            } else {
                rest = after;
            }
        }
    }

    fn keep(&mut self, data: &[u8]) {
        match &mut self.state {
            State::Between { junk } => *junk += data.iter().filter(|byte| !is_filler(**byte)).count(),
            State::TooLong { bytes, .. } => *bytes += data.len(),
            State::Body(body) if body.len().saturating_add(data.len()) > self.limit_bytes => {
                let bytes = body.len().saturating_add(data.len());
                let mut head = std::mem::take(body);
                head.extend(data.iter().take(HEAD_BYTES_MAX));
                head.truncate(HEAD_BYTES_MAX);
                head.shrink_to_fit();
                self.state = State::TooLong { head, bytes };
            }
            State::Body(body) => body.extend_from_slice(data),
        }
    }

    /// A start or an end mark: whatever was going on is over.
    fn turn(&mut self, mark: u8) {
        let next = if mark == START { State::Body(Vec::new()) } else { State::Between { junk: 0 } };
        match std::mem::replace(&mut self.state, next) {
            State::Between { junk } => self.drop_bytes(Dropped::Junk, junk),
            State::Body(body) if mark == START => self.drop_bytes(Dropped::Restarted, body.len()),
            State::Body(body) if body.iter().copied().all(is_filler) => {}
            State::Body(body) => self.ready.push_back(Received::Frame(body)),
            State::TooLong { head, bytes } => self.drop_bytes(Dropped::TooLong { head }, bytes),
        }
    }

    fn drop_bytes(&mut self, reason: Dropped, bytes: usize) {
        if bytes > 0 {
            self.ready.push_back(Received::Dropped { reason, bytes });
        }
    }

    /// Whether a frame has begun and not ended: silence now is a fault, not a quiet night.
    pub fn is_mid_frame(&self) -> bool {
        !matches!(self.state, State::Between { .. })
    }

    /// The connection has ended: what was begun is reported as dropped, and the decoder starts anew.
    pub fn end(&mut self) {
        match std::mem::replace(&mut self.state, State::Between { junk: 0 }) {
            State::Between { junk } => self.drop_bytes(Dropped::Junk, junk),
            State::Body(body) => self.drop_bytes(Dropped::Unfinished, body.len()),
            State::TooLong { bytes, .. } => self.drop_bytes(Dropped::Unfinished, bytes),
        }
    }
}

impl Iterator for Decoder {
    type Item = Received;

    /// The next thing that came in whole; `None` until more is pushed.
    fn next(&mut self) -> Option<Received> {
        self.ready.pop_front()
    }
}

/// Bytes that are sent between frames, or as an empty one, to keep a connection alive.
fn is_filler(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b' ' | 0 | END)
}

/// A message as a frame. The bytes that would end the frame early become spaces.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 3);
    out.push(START);
    out.extend(message.iter().map(|byte| if matches!(*byte, START | END) { b' ' } else { *byte }));
    out.extend([END, b'\r']);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 20;

    /// What the decoder makes of the bytes, in one line of words.
    fn decode(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::new(LIMIT);
        let mut seen = Vec::new();
        let mut take = |decoder: &mut Decoder| {
            seen.extend(decoder.by_ref().map(|received| match received {
                Received::Frame(body) => String::from_utf8_lossy(&body).into_owned(),
                Received::Dropped { reason, bytes } => format!("{reason:?}: {bytes}"),
            }));
        };
        for piece in pieces {
            decoder.push(piece);
            take(&mut decoder);
        }
        decoder.end();
        take(&mut decoder);
        seen
    }

    const CASES: &[(&[u8], &[&str])] = &[
        (b"\x0bMSH|A\x1c\r", &["MSH|A"]),
        (b"\x0bMSH|A\x1c\r\x0bMSH|B\x1c\r", &["MSH|A", "MSH|B"]),
        (b"\x0bMSH|A\x1c\x0bMSH|B\x1c", &["MSH|A", "MSH|B"]),
        (b"\r\n\0\x0bMSH|A\x1c\r\r\n \0\x0bMSH|B\x1c\r", &["MSH|A", "MSH|B"]),
        (b"junk\x0bMSH|A\x1c\rmore", &["bytes between frames: 4", "MSH|A", "bytes between frames: 4"]),
        (b"\x0bMSH|A\x0bMSH|B\x1c\r", &["a new frame began before the last had ended: 5", "MSH|B"]),
        (b"\x0b\x1c\r\x0b\r\n\x1c\r\x0bMSH|A\x1c\r", &["MSH|A"]),
        (b"\x0b12345678901234567890\x1c\r", &["12345678901234567890"]),
        (b"\x0b123456789012345678901\x1c\r\x0bMSH|A\x1c\r", &["the frame was too long: 21", "MSH|A"]),
        (b"\x0b1234567890123456789012345\x0bMSH|A\x1c\r", &["the frame was too long: 25", "MSH|A"]),
        (b"\x0bMSH|A", &["the connection ended within a frame: 5"]),
        (b"", &[]),
    ];

    #[test]
    fn frames_come_out_and_everything_else_is_counted() {
        for (bytes, expected) in CASES {
            assert_eq!(&decode(&[bytes]), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn it_makes_no_difference_where_the_reads_are_cut() {
        for (bytes, expected) in CASES {
            for cut in 0..=bytes.len() {
                let (left, right) = bytes.split_at(cut);
                assert_eq!(&decode(&[left, right]), expected, "{} at {cut}", bytes.escape_ascii());
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(&decode(&single), expected, "{} byte by byte", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_frame_is_whole_before_its_final_carriage_return() {
        let mut decoder = Decoder::new(LIMIT);
        decoder.push(b"\x0bMSH|A");
        assert!(decoder.is_mid_frame());
        assert_eq!(decoder.next(), None);
        decoder.push(b"\x1c");
        assert!(!decoder.is_mid_frame());
        assert_eq!(decoder.next(), Some(Received::Frame(b"MSH|A".to_vec())));
    }

    #[test]
    fn the_head_of_a_frame_that_is_too_long_is_kept_for_the_answer() {
        let mut decoder = Decoder::new(LIMIT);
        let body: Vec<u8> = (0..10_000).map(|n| b'a' + (n % 26) as u8).collect();
        for piece in frame(&body).chunks(7) {
            decoder.push(piece);
        }
        let Some(Received::Dropped { reason: Dropped::TooLong { head }, bytes: 10_000 }) = decoder.next() else {
            panic!("not reported as too long");
        };
        assert!(head.len() >= LIMIT && body.starts_with(&head));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", Received::Frame(b"MSH|secret".to_vec())), "Frame(10 bytes)");
    }

    proptest! {
        #[test]
        fn what_is_framed_comes_out_again(bodies in proptest::collection::vec("MSH[^\u{b}\u{1c}]{0,10}", 0..5), cut in 1usize..9) {
            let wire: Vec<u8> = bodies.iter().flat_map(|body| frame(body.as_bytes())).collect();
            let mut decoder = Decoder::new(100);
            let mut out = Vec::new();
            for piece in wire.chunks(cut) {
                decoder.push(piece);
                out.extend(decoder.by_ref());
            }
            let expected: Vec<_> = bodies.into_iter().map(|body| Received::Frame(body.into_bytes())).collect();
            prop_assert_eq!(out, expected);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(proptest::sample::select(vec![0x0b, 0x1c, b'\r', b'a', 0]), 0..80)) {
            decode(&[&bytes]);
        }
    }
}
