//! Payloads of C peers, field by field: they have no schema, so the command line declares one.
//!
//! ```text
//! 'rx:u64 tx:u64' ─► Declared ─► offsets, as a C compiler has them
//!                      ├─ values '1 2' ─► bytes      (writing)
//!                      └─ bytes ─► Fields            (reading)
//! ```

mod declared;
mod reading;
mod writing;

pub(crate) use declared::Declared;
pub(crate) use reading::Fields;
