//! What generated code refers to. Not for use by hand, and without any promise of stability.
//!
//! Everything is reached through this one path, because nothing else is certain where a derive
//! stands: there may be no prelude, `Result` may be shadowed, and this crate may go by another
//! name.

pub use core::marker::PhantomData;
pub use core::option::Option::{self, None, Some};
pub use core::primitive::{bool, i128, str, u32, u64, usize};
pub use core::result::Result::{self, Err, Ok};
pub use std::alloc::Layout;

pub use crate::accept::{
    Between, SideBySideWay, WholeWay, accept_message, accept_request, accept_request_by, check_same_name,
};
pub use crate::c_layout::CField;
pub use crate::codec::{FdSource, Reader, Writer};
pub use crate::error::{At, DecodeFault, EncodeFault, Undecoded};
pub use crate::field::{Codec, FdCodec, c, fd, fd_list, lent_fd, lent_fd_list, max_len, max_size, payload};
pub use crate::kind::{Field, Form, Kind, Shape, Variant};
pub use crate::message::{
    Accepted, Body, Decode, DecodeOwned, Message, Portable, Request, Response, SentAs, check,
    check_c_response, check_response, check_sent_as,
};
pub use crate::payload::Payload;
pub use crate::shape::{c_struct, check_discriminant, check_max_fds, check_name, enum_of, sum_of};
pub use crate::spelled::{
    handle, list, map, max_len_of_bounded, max_len_of_list, max_len_of_map, max_len_of_other, pointer,
    reference, text, wrapped,
};

/// The body of functions that stand in for those of a type that the derive has found a mistake in.
pub fn never_built<T>() -> T {
    unreachable!("a type with a mistake in it does not compile")
}
