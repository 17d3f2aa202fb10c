//! What a monitor shows of each datagram, and how it is kept. No I/O, but for writing to what is given.
//!
//! ```text
//! Record ─► Event ─► Wanted? ─► shown, saved (JSON), captured (pcapng)
//!             ├─► Pairs: an answer's request, and the time between them
//!             └─► Definitions: what its payload says, by what members tell of their actions
//! ```

mod definitions;
mod event;
mod matching;
mod pairs;
mod pcapng;
mod saved;

pub(crate) use definitions::{Decoded, Definitions};
pub(crate) use event::{Event, Note, Party};
pub(crate) use matching::Matching;
pub(crate) use pairs::Pairs;
pub(crate) use pcapng::Capture;
pub(crate) use saved::{Again, Saved, again};
