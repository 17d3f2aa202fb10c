//! The fixed-size datagram: emitting and parsing, in any layout.
//!
//! Both are native-endian, with a native `int`; unused bytes are sent as zeros and ignored on
//! receipt, since C peers leave stack garbage in them.

use std::{io, ops::Range};

use super::{KERNEL_MAX_FDS, Layout, MAX_DATAGRAM, MAX_PARAM, MessageRef, Name, Param, Tag, Why};

/// What a datagram is: the `type` field (`enum mp_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One-way.
    Message = 0,
    /// Wants a reply.
    Request = 1,
    /// Answers a request.
    Reply = 2,
    /// "Treat me as not there": takes the peer out of those asked.
    Ignore = 3,
}

/// One datagram, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    bytes: [u8; MAX_DATAGRAM],
    layout: Layout,
}

impl Datagram {
    pub(crate) fn message(layout: Layout, kind: Kind, message: &MessageRef<'_>, tag: Option<Tag>) -> Self {
        Self::new(layout, kind, message.name(), message.param(), message.fds().len(), tag)
    }

    /// `param` is at most [`MAX_PARAM`] bytes long: [`MessageRef`] and [`Param`](super::Param) see
    /// to it.
    pub(crate) fn new(
        layout: Layout,
        kind: Kind,
        name: &Name,
        param: &[u8],
        num_fds: usize,
        tag: Option<Tag>,
    ) -> Self {
        let bytes = layout.with_fields(
            #[inline(always)]
            |fields| {
                let mut bytes = [0; MAX_DATAGRAM];
                let int = |n: usize| (n as i32).to_ne_bytes();
                *array_mut(&mut bytes, &fields.kind) = int(kind as usize);
                let name_field = array_mut(&mut bytes, &fields.name);
                *name_field = *name.padded();
                if let Some(tag) = tag {
                    tag.emit(name, name_field);
                }
                *array_mut(&mut bytes, &fields.len_param) = int(param.len());
                *array_mut(&mut bytes, &fields.num_fds) = int(num_fds);
                bytes[fields.param.clone()][..param.len()].copy_from_slice(param);
                bytes
            },
        );
        Self { bytes, layout }
    }

    /// An answer that takes this process out of those asked, and says why.
    pub(crate) fn ignore(layout: Layout, name: &Name, tag: Option<Tag>, why: &Why) -> Self {
        let mut param = [0; MAX_PARAM];
        let len = why.emit(&mut param);
        Self::new(layout, Kind::Ignore, name, &param[..len], 0, tag)
    }

    pub(crate) fn is_ignore(&self) -> bool {
        self.bytes[self.layout.fields().kind.clone()] == (Kind::Ignore as i32).to_ne_bytes()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.layout.len()]
    }
}

/// What a well-formed datagram says of itself. Its param stays in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) layout: Layout,
    pub(crate) kind: Kind,
    pub(crate) name: Name,
    /// At most 256 bytes.
    param_len: u16,
    /// `None` if there is none, or none that checks.
    pub(crate) tag: Option<Tag>,
}

impl Header {
    /// Checks everything a datagram says of itself; `fds` is how many descriptors really came with
    /// it, `None` if the kernel dropped some.
    pub(crate) fn parse(bytes: &[u8], fds: Option<usize>) -> Result<Self, Malformed> {
        let layout = Layout::of_len(bytes.len()).ok_or(Malformed::Length)?;
        layout.with_fields(
            #[inline(always)]
            |fields| {
                let int = |range: &Range<usize>| i32::from_ne_bytes(*array(bytes, range));
                let kind = match int(&fields.kind) {
                    0 => Kind::Message,
                    1 => Kind::Request,
                    2 => Kind::Reply,
                    3 => Kind::Ignore,
                    _ => return Err(Malformed::Kind),
                };
                let name_field = array(bytes, &fields.name);
                let name = Name::of_field(name_field).ok_or(Malformed::Name)?;
                let param_len = u16::try_from(int(&fields.len_param)).map_err(|_| Malformed::ParamLength)?;
                if usize::from(param_len) > MAX_PARAM {
                    return Err(Malformed::ParamLength);
                }
                if fds.is_some_and(|fds| usize::try_from(int(&fields.num_fds)) != Ok(fds)) {
                    return Err(Malformed::FdCount);
                }
                let tag = Tag::parse(&name, name_field);
                Ok(Self { layout, kind, name, param_len, tag })
            },
        )
    }

    /// The param, in the datagram that this was parsed from.
    pub(crate) fn param<'a>(&self, datagram: &'a [u8]) -> &'a [u8] {
        let field = datagram.get(self.layout.fields().param.clone()).unwrap_or_default();
        field.get(..usize::from(self.param_len)).unwrap_or_default()
    }

    /// The same, of its own.
    pub(crate) fn to_param(&self, datagram: &[u8]) -> Param {
        let field = datagram.get(self.layout.fields().param.clone()).and_then(<[u8]>::as_array);
        field.map_or(Param::EMPTY, |field| Param::of_field(field, usize::from(self.param_len)))
    }
}

/// The field of a datagram that lies at `range`, which is `N` bytes long.
#[inline(always)]
fn array<'a, const N: usize>(datagram: &'a [u8], range: &Range<usize>) -> &'a [u8; N] {
    datagram[range.clone()].first_chunk().expect("the field has this length")
}

#[inline(always)]
fn array_mut<'a, const N: usize>(datagram: &'a mut [u8], range: &Range<usize>) -> &'a mut [u8; N] {
    datagram[range.clone()].first_chunk_mut().expect("the field has this length")
}

/// What is wrong with a datagram that was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Neither 332 nor 340 bytes long; empty ones are of this kind too.
    #[error("the datagram's length is of no layout")]
    Length,
    /// `type` is none of message, request, reply and ignore.
    #[error("the datagram's type is unknown")]
    Kind,
    /// The name is empty or has no NUL.
    #[error("the datagram's name is empty or not terminated")]
    Name,
    /// `len_param` is negative or over 256.
    #[error("the datagram's param length is out of range")]
    ParamLength,
    /// `num_fds` is not the number of descriptors that came.
    #[error("the datagram's number of file descriptors is not what came with it")]
    FdCount,
}

impl From<Malformed> for io::Error {
    fn from(error: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

const _: () = assert!(KERNEL_MAX_FDS <= i32::MAX as usize);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Reason;

    const LAYOUTS: [Layout; 2] = [Layout::Bytes332, Layout::Bytes340];

    fn golden(layout: Layout) -> Vec<u8> {
        let mut bytes = vec![0; layout.len()];
        let shift = layout.len() - 332;
        let shift = if shift == 0 { 0 } else { 4 };
        bytes[0] = 1;
        bytes[4 + shift..][..4].copy_from_slice(b"ping");
        bytes[68 + shift] = 3;
        bytes[72 + shift] = 2;
        bytes[76 + shift..][..3].copy_from_slice(&[9, 8, 7]);
        bytes
    }

    #[test]
    fn a_request_is_emitted_as_a_little_endian_c_struct() {
        if cfg!(target_endian = "big") {
            return;
        }
        let name = Name::from_static("ping");
        for layout in LAYOUTS {
            let datagram = Datagram::new(layout, Kind::Request, &name, &[9, 8, 7], 2, None);
            assert_eq!(datagram.as_bytes(), golden(layout));
        }
    }

    #[test]
    fn garbage_in_unused_bytes_is_ignored() {
        let name = Name::from_static("ping");
        for layout in LAYOUTS {
            let datagram = Datagram::new(layout, Kind::Request, &name, &[9, 8, 7], 2, None);
            let mut bytes = vec![0xa5; layout.len()];
            let fields = layout.fields();
            bytes[fields.kind.clone()].copy_from_slice(&datagram.as_bytes()[fields.kind.clone()]);
            bytes[fields.name.clone()][..5].copy_from_slice(b"ping\0");
            bytes[fields.len_param.start..fields.param.start]
                .copy_from_slice(&datagram.as_bytes()[fields.len_param.start..fields.param.start]);
            bytes[fields.param.clone()][..3].copy_from_slice(&[9, 8, 7]);
            let parsed = Header::parse(&bytes, Some(2)).expect("well-formed");
            assert_eq!(parsed, Header { layout, kind: Kind::Request, name, param_len: 3, tag: None });
            assert_eq!((parsed.param(&bytes), &*parsed.to_param(&bytes)), (&[9, 8, 7][..], &[9, 8, 7][..]));
        }
    }

    #[test]
    fn a_tag_is_behind_the_name_in_both_layouts() {
        let name = Name::from_static("ping");
        let tag = Tag::of_request(&name, 7, 9).expect("there is room");
        for layout in LAYOUTS {
            let datagram = Datagram::new(layout, Kind::Request, &name, &[], 0, Some(tag));
            let parsed = Header::parse(datagram.as_bytes(), Some(0)).expect("well-formed");
            assert_eq!((parsed.name, parsed.tag), (name, Some(tag)));
            let answer = Datagram::ignore(layout, &name, Some(tag.answering()), &Reason::NoAction.into());
            let parsed = Header::parse(answer.as_bytes(), Some(0)).expect("well-formed");
            assert_eq!(parsed.tag, Some(tag.answering()));
        }
    }

    #[test]
    fn every_lie_is_told_apart() {
        let name = Name::from_static("ping");
        for layout in LAYOUTS {
            let good = Datagram::new(layout, Kind::Message, &name, &[1; 256], 0, None);
            let lie = |range: &Range<usize>, int: i32| {
                let mut bytes = good.as_bytes().to_vec();
                bytes[range.clone()].copy_from_slice(&int.to_ne_bytes());
                Header::parse(&bytes, Some(0)).map(|_| ()).expect_err("a lie")
            };
            let fields = layout.fields();
            for kind in [-1, 4, i32::MAX] {
                assert_eq!(lie(&fields.kind, kind), Malformed::Kind);
            }
            for len in [-1, 257, i32::MAX, i32::MIN] {
                assert_eq!(lie(&fields.len_param, len), Malformed::ParamLength);
            }
            for fds in [-1, 1, 8, 9, i32::MAX] {
                assert_eq!(lie(&fields.num_fds, fds), Malformed::FdCount);
            }
            let mut unnamed = good.as_bytes().to_vec();
            unnamed[fields.name.start] = 0;
            assert_eq!(Header::parse(&unnamed, Some(0)), Err(Malformed::Name));
            let mut endless = good.as_bytes().to_vec();
            endless[fields.name.clone()].fill(b'n');
            assert_eq!(Header::parse(&endless, Some(0)), Err(Malformed::Name));
        }
        for len in [0, 1, 75, 331, 333, 336, 339, 341] {
            assert_eq!(Header::parse(&vec![0; len], Some(0)), Err(Malformed::Length));
        }
    }
}
