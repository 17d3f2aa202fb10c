use std::os::fd::OwnedFd;

use mp_typed::Message;

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct ArrayOfOptions(#[fd] pub [Option<OwnedFd>; 2]);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct OptionOfOption(#[fd] pub Option<Option<OwnedFd>>);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct OptionOfList(#[fd] pub Option<arrayvec::ArrayVec<OwnedFd, 2>>);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct ListOfOptions(
    #[fd]
    #[message(max_len = 2)]
    pub Vec<Option<OwnedFd>>,
);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct ListOfArrays(
    #[fd]
    #[message(max_len = 2)]
    pub Vec<[OwnedFd; 2]>,
);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct BoundedListOfOptions(#[fd] pub heapless::Vec<Option<OwnedFd>, 2>);

#[derive(Message)]
#[message(name = "c", layout = "C")]
pub struct OptionOfArray(#[fd] pub Option<[OwnedFd; 2]>);

fn main() {}
