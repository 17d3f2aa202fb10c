//! Who sent a datagram, as the kernel attests it. Whether that one is trusted, `receive` decides.

/// Who sent a datagram, attested by the kernel: no peer can forge it without the privilege to.
///
/// Implements `SCM_CREDENTIALS` of `unix(7)`, which the receiver asks for with `SO_PASSCRED`, so
/// unmodified C peers have credentials too.
#[doc(alias = "SCM_CREDENTIALS")]
#[doc(alias = "SO_PASSCRED")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The process; 0 if it cannot be seen from here (another pid namespace).
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

impl Credentials {
    /// This process's own: its pid and effective user and group.
    #[must_use]
    pub fn own() -> Self {
        Self {
            pid: std::process::id(),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }
}
