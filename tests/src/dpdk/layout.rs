//! What a datagram is like, and what the DPDK of this machine makes of it.

/// What every datagram in a group is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// 332 bytes: DPDK up to 25.07, and groups without DPDK.
    Bytes332,
    /// 340 bytes: DPDK from 25.11 on.
    Bytes340,
}

impl Layout {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Bytes332, Self::Bytes340];

    /// That of the DPDK that the suite was compiled with, by its own headers.
    ///
    /// # Panics
    /// If there is none, or it has a third one.
    #[must_use]
    pub fn of_this_dpdk() -> Self {
        let length = this_dpdk().1;
        let known = Self::ALL.into_iter().find(|layout| layout.length() == length);
        known.unwrap_or_else(|| {
            panic!("this DPDK's datagrams have {length} bytes, a layout that is not known yet")
        })
    }

    /// The length of a datagram.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Bytes332 => 332,
            Self::Bytes340 => 340,
        }
    }
}

/// The version of the DPDK that the suite was compiled with: `22.11.11`.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn dpdk_version() -> &'static str {
    this_dpdk().0
}

/// Whether this DPDK keeps a device that was detached in the list of those it knows, as it does from 26.07 on; it then
/// crashes when it is asked to detach it once more.
///
/// # Panics
/// If there is no DPDK.
#[must_use]
pub fn keeps_detached_devices() -> bool {
    dpdk_version() >= "26.07"
}

fn this_dpdk() -> (&'static str, usize) {
    let missing = env!("DPDK_WIRE_MISSING");
    assert!(missing.is_empty(), "{missing}");
    let (version, length) = env!("DPDK_WIRE").split_once(' ').expect("`dpdk/probe.c` prints two words");
    (version, length.parse().expect("`dpdk/probe.c` prints a number"))
}
