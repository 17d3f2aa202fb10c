//! The only layer that touches a socket.
//!
//! It sends and receives whole datagrams with their descriptors and the sender's kernel-attested
//! credentials. It does not know what a datagram means, which directory it is in, or whom to trust:
//! `group` names the sockets, `answer` and `ask` read and write them.

mod address;
mod clock;
mod credentials;
mod discard;
mod file_user;
mod fork;
mod kind;
mod limits;
mod lock;
mod memory;
mod outlet;
mod peer;
mod receive;
mod room;
mod sealed;
mod socket;
mod thread;
mod threads;
mod timeout;
mod timer;
mod unread;

pub(crate) use address::MAX_PATH;
pub use address::{Address, PathTooLong};
pub(crate) use clock::{Deadline, timespec};
pub use credentials::Credentials;
pub(crate) use discard::{CARE, TakenOut, discard};
pub use discard::{copies_of_slow, received};
pub(crate) use file_user::FileUser;
pub(crate) use fork::ForkGuard;
pub use kind::FdKind;
pub(crate) use kind::look_at;
pub(crate) use limits::fd_share;
pub(crate) use lock::lock_holder;
pub(crate) use memory::room_for_a_thread;
pub(crate) use outlet::{Inlet, Outlet, Put};
pub use peer::Peer;
pub(crate) use receive::{Frame, Receipt};
pub(crate) use room::Room;
pub(crate) use sealed::{seal, unseal};
pub(crate) use socket::Socket;
pub(crate) use thread::{monotonic, realtime, thread_id};
pub use threads::ThreadRole;
pub(crate) use threads::{OnStart, Threads, spawn_for_all};
pub(crate) use timeout::Wait;
pub(crate) use timer::Timer;
pub(crate) use unread::UnreadDiag;
