//! The layouts that DPDK's datagrams have had: one row each, from which all else follows.
//!
//! A datagram of any other length than a DPDK process expects ends its IPC thread, so the layout is
//! settled before anything is sent. Here is where each field lies, and which version of DPDK began
//! it; what stands in the fields, [`Datagram`](super::Datagram) knows.

use std::ops::Range;

use super::{MAX_NAME, MAX_PARAM};

/// Where each field lies, in bytes.
pub(super) struct Fields {
    pub(super) kind: Range<usize>,
    pub(super) name: Range<usize>,
    pub(super) len_param: Range<usize>,
    pub(super) num_fds: Range<usize>,
    pub(super) param: Range<usize>,
}

/// Makes [`Layout`] of its rows, the oldest first.
macro_rules! layouts {
    ($($(#[$doc:meta])* $layout:ident: $len:literal bytes, since $year:literal / $month:literal, { $($field:ident: $at:expr),* };)*) => {
        /// How a DPDK version lays out its datagrams.
        ///
        /// It is told by the group's `config` file: see
        /// [`Client::builder`](crate::Client::builder).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Layout {
            $($(#[$doc])* $layout,)*
        }

        impl Layout {
            /// All of them, the oldest first.
            const ALL: &[Self] = &[$(Self::$layout),*];

            /// The length of every datagram of this layout, in bytes.
            #[must_use]
            pub const fn len(self) -> usize {
                match self {
                    $(Self::$layout => $len,)*
                }
            }

            /// The version word of the first DPDK that has it.
            const fn since(self) -> u32 {
                match self {
                    $(Self::$layout => $year << 24 | $month << 16,)*
                }
            }

            pub(super) const fn fields(self) -> &'static Fields {
                match self {
                    $(Self::$layout => &Fields { $($field: $at),* },)*
                }
            }

            /// Calls `with` the fields. It is compiled anew for each layout, in which they are
            /// numbers, so that nothing is looked up or checked while it runs.
            #[inline(always)]
            pub(super) fn with_fields<T>(self, with: impl Fn(&Fields) -> T) -> T {
                match self {
                    $(Self::$layout => with(const { &Fields { $($field: $at),* } }),)*
                }
            }
        }
    };
}

layouts! {
    /// 332 bytes: DPDK 18.02 to 25.07, and groups without DPDK.
    Bytes332: 332 bytes, since 18 / 2,
        { kind: 0..4, name: 4..68, len_param: 68..72, num_fds: 72..76, param: 76..332 };
    /// 340 bytes: DPDK 25.11 and later, which aligned the message to 8 bytes: four bytes of padding
    /// follow `kind`, four more end the datagram.
    Bytes340: 340 bytes, since 25 / 11,
        { kind: 0..4, name: 8..72, len_param: 72..76, num_fds: 76..80, param: 80..336 };
}

impl Layout {
    /// Of groups without DPDK, and of DPDK versions that do not tell theirs.
    pub(crate) const OLDEST: Self = Self::ALL[0];

    /// Never: a datagram has its header at least.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        false
    }

    /// The layout that a DPDK with this version word speaks: the newest that began by then.
    pub(crate) fn of_version(word: u32) -> Self {
        let begun = Self::ALL.iter().rev().find(|layout| layout.since() <= word);
        begun.copied().unwrap_or(Self::OLDEST)
    }

    pub(super) fn of_len(len: usize) -> Option<Self> {
        Self::ALL.iter().copied().find(|layout| layout.len() == len)
    }
}

/// The longest datagram of any layout, in bytes.
pub(crate) const MAX_DATAGRAM: usize = {
    let (mut at, mut longest) = (0, 0);
    while at < Layout::ALL.len() {
        let len = Layout::ALL[at].len();
        longest = if len > longest { len } else { longest };
        at += 1;
    }
    longest
};

/// Every row is whole: names and params have their room, fields end within the datagram and do not
/// overlap, lengths differ, and newer ones come later.
const _: () = {
    let mut at = 0;
    while at < Layout::ALL.len() {
        let layout = Layout::ALL[at];
        let Fields { kind, name, len_param, num_fds, param } = layout.fields();
        assert!(kind.end - kind.start == 4 && kind.end <= name.start);
        assert!(name.end - name.start == MAX_NAME + 1 && name.end <= len_param.start);
        assert!(len_param.end - len_param.start == 4 && len_param.end <= num_fds.start);
        assert!(num_fds.end - num_fds.start == 4 && num_fds.end <= param.start);
        assert!(param.end - param.start == MAX_PARAM && param.end <= layout.len());
        if at > 0 {
            assert!(Layout::ALL[at - 1].since() < layout.since());
            assert!(Layout::ALL[at - 1].len() != layout.len());
        }
        at += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_decides_the_layout() {
        let cases = [
            (4, Layout::Bytes332),           // channels, before 20.02
            (0x160b_0b63, Layout::Bytes332), // 22.11.11
            (0x1907_0063, Layout::Bytes332), // 25.07
            (0x190a_ffff, Layout::Bytes332),
            (0x190b_0000, Layout::Bytes340), // 25.11
            (0x1a07_0063, Layout::Bytes340), // 26.07
        ];
        for (version, expected) in cases {
            assert_eq!(Layout::of_version(version), expected, "{version:#x}");
        }
    }

    #[test]
    fn a_length_is_of_one_layout_or_of_none() {
        assert_eq!(Layout::of_len(332), Some(Layout::Bytes332));
        assert_eq!(Layout::of_len(340), Some(Layout::Bytes340));
        for len in (0..=400).filter(|len| ![332, 340].contains(len)) {
            assert_eq!(Layout::of_len(len), None, "{len}");
        }
    }
}
