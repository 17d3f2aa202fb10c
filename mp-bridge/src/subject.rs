//! The NATS subjects of a group, and what their parts mean. Strings only.
//!
//! | subject | who subscribes | what comes there |
//! | --- | --- | --- |
//! | `mp.<group>.home` | the bridge of the host with the primary | what is for it, whoever it is |
//! | `mp.<group>.to.<bridge>` | that bridge | what is for it alone |
//! | `mp.<group>.gone.<bridge>.<other>` | the first | the server's word that the other is not there |
//!
//! A bridge is 16 hexadecimal digits. All begin with the group's name, so the permissions of a NATS
//! user for one group are to publish and to subscribe to `mp.<group>.>`. Of the group's name
//! letters, digits, `-` and `_` stand as they are, and every other byte as `=` and two hexadecimal
//! digits.

use std::fmt::Write;

/// The subjects as one bridge uses them.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    /// `mp.<group>`
    group: String,
    own: u64,
}

impl Subjects {
    pub(crate) fn new(group: &[u8], own: u64) -> Self {
        let mut subject = String::from("mp.");
        for byte in group {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => subject.push(char::from(*byte)),
                other => write!(subject, "={other:02x}").expect("a string takes everything"),
            }
        }
        Self { group: subject, own }
    }

    pub(crate) fn home(&self) -> String {
        format!("{}.home", self.group)
    }

    pub(crate) fn bridge(&self, bridge: u64) -> String {
        format!("{}.to.{bridge:016x}", self.group)
    }

    /// What comes for this bridge alone.
    pub(crate) fn own(&self) -> String {
        self.bridge(self.own)
    }

    /// Where the server says that the other is not there.
    pub(crate) fn gone(&self, other: u64) -> String {
        format!("{}.gone.{:016x}.{other:016x}", self.group, self.own)
    }

    /// All of those.
    pub(crate) fn all_gone(&self) -> String {
        format!("{}.gone.{:016x}.*", self.group, self.own)
    }

    /// Who is not there, as the last part of such a subject tells.
    pub(crate) fn who_is_gone(subject: &str) -> Option<u64> {
        u64::from_str_radix(subject.rsplit('.').next()?, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_name_is_one_part_of_a_subject_whatever_is_in_it() {
        assert_eq!(Subjects::new(b"packet-app_1", 1).home(), "mp.packet-app_1.home");
        assert_eq!(Subjects::new(b"a.b *>", 1).home(), "mp.a=2eb=20=2a=3e.home");
        assert_ne!(Subjects::new(b"=2e", 1).home(), Subjects::new(b".", 1).home());
    }

    #[test]
    fn who_is_gone_is_told_by_the_subject() {
        let subjects = Subjects::new(b"g", 0x1f);
        assert_eq!(subjects.gone(0xab), "mp.g.gone.000000000000001f.00000000000000ab");
        assert_eq!(Subjects::who_is_gone(&subjects.gone(0xab)), Some(0xab));
        assert_eq!(Subjects::who_is_gone("mp.g.gone.x.y"), None);
    }
}
