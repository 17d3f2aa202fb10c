//! What a type of `std` says about its descriptor, which `std` itself does not check: it makes a
//! `UnixStream` of anything.
//!
//! Types of the user's own judge by themselves, in `TryFrom<OwnedFd>`.

use std::any::TypeId;
use std::io::{PipeReader, PipeWriter};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::BorrowedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use rustix::net::{AddressFamily, SocketType, sockopt};

use crate::error::DecodeFault;

/// What a descriptor is, as far as the types of `std` differ in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Socket { family: Family, form: Form },
    Pipe(End),
    Other(&'static str),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Reads,
    Writes,
    /// A FIFO may be opened so.
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Unix,
    Internet,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stream,
    Listener,
    Datagram,
    Other,
}

/// Fails if `T` is a type of `std` that stands for another sort of descriptor.
pub(super) fn check<T: 'static>(fd: BorrowedFd<'_>) -> Result<(), DecodeFault> {
    let Some(expected) = expected(TypeId::of::<T>()) else { return Ok(()) };
    let found = sort(fd);
    let serves_as_either = matches!((found, expected), (Sort::Pipe(End::Both), Sort::Pipe(_)));
    if found == expected || serves_as_either {
        return Ok(());
    }
    Err(DecodeFault::WrongFd { expected: expected.name(), found: found.name() })
}

fn expected(ty: TypeId) -> Option<Sort> {
    let socket = |family, form| Some(Sort::Socket { family, form });
    match () {
        () if ty == TypeId::of::<UnixStream>() => socket(Family::Unix, Form::Stream),
        () if ty == TypeId::of::<UnixListener>() => socket(Family::Unix, Form::Listener),
        () if ty == TypeId::of::<UnixDatagram>() => socket(Family::Unix, Form::Datagram),
        () if ty == TypeId::of::<TcpStream>() => socket(Family::Internet, Form::Stream),
        () if ty == TypeId::of::<TcpListener>() => socket(Family::Internet, Form::Listener),
        () if ty == TypeId::of::<UdpSocket>() => socket(Family::Internet, Form::Datagram),
        () if ty == TypeId::of::<PipeReader>() => Some(Sort::Pipe(End::Reads)),
        () if ty == TypeId::of::<PipeWriter>() => Some(Sort::Pipe(End::Writes)),
        () => None,
    }
}

fn sort(fd: BorrowedFd<'_>) -> Sort {
    let Ok(domain) = sockopt::socket_domain(fd) else { return sort_of_file(fd) };
    let family = match domain {
        AddressFamily::UNIX => Family::Unix,
        AddressFamily::INET | AddressFamily::INET6 => Family::Internet,
        _ => Family::Other,
    };
    let listens = || sockopt::socket_acceptconn(fd).unwrap_or(false);
    let form = match sockopt::socket_type(fd) {
        Ok(SocketType::STREAM) if listens() => Form::Listener,
        Ok(SocketType::STREAM) => Form::Stream,
        Ok(SocketType::DGRAM) => Form::Datagram,
        _ => Form::Other,
    };
    Sort::Socket { family, form }
}

fn sort_of_file(fd: BorrowedFd<'_>) -> Sort {
    let Ok(stat) = fstat(fd) else { return Sort::Other("one that cannot be looked at") };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => {
            let mode = fcntl_getfl(fd).map_or(OFlags::RDONLY, |flags| flags & OFlags::ACCMODE);
            Sort::Pipe(match mode {
                OFlags::WRONLY => End::Writes,
                OFlags::RDWR => End::Both,
                _ => End::Reads,
            })
        }
        FileType::RegularFile => Sort::Other("a regular file"),
        FileType::Directory => Sort::Other("a directory"),
        FileType::CharacterDevice | FileType::BlockDevice => Sort::Other("a device"),
        _ => Sort::Other("neither a socket nor a pipe"),
    }
}

impl Sort {
    fn name(self) -> &'static str {
        match self {
            Self::Socket { family, form } => socket_name(family, form),
            Self::Pipe(End::Reads) => "the reading end of a pipe",
            Self::Pipe(End::Writes) => "the writing end of a pipe",
            Self::Pipe(End::Both) => "both ends of a pipe",
            Self::Other(name) => name,
        }
    }
}

fn socket_name(family: Family, form: Form) -> &'static str {
    match (family, form) {
        (Family::Unix, Form::Stream) => "a Unix stream socket",
        (Family::Unix, Form::Listener) => "a listening Unix socket",
        (Family::Unix, Form::Datagram) => "a Unix datagram socket",
        (Family::Unix, Form::Other) => "another Unix socket",
        (Family::Internet, Form::Stream) => "a TCP stream",
        (Family::Internet, Form::Listener) => "a listening TCP socket",
        (Family::Internet, Form::Datagram) => "a UDP socket",
        (Family::Internet, Form::Other) => "another internet socket",
        (Family::Other, _) => "a socket of another family",
    }
}
