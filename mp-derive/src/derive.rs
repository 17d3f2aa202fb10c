//! The four derives: what tells them apart in attributes and in prose. It knows nothing of the
//! types they stand on.

/// Which derive is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derive {
    Message,
    Request,
    Response,
    Payload,
}

impl Derive {
    /// The attribute that takes this derive's keys.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Message | Self::Request | Self::Response => "message",
            Self::Payload => "payload",
        }
    }

    /// What the derived type is called in prose.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Message => "a message",
            Self::Request => "a request",
            Self::Response => "a response",
            Self::Payload => "a payload",
        }
    }
}
