//! Users and system groups, by name or number.

use nix::unistd::{Group, User};

/// The number of a user.
pub(crate) fn user(text: &str) -> Result<u32, String> {
    number_of("user", text, |name| Ok(User::from_name(name)?.map(|user| user.uid.as_raw())))
}

/// The number of a system group.
pub(crate) fn group(text: &str) -> Result<u32, String> {
    number_of("group", text, |name| Ok(Group::from_name(name)?.map(|group| group.gid.as_raw())))
}

/// A name that is a number is one: such a user need not be known to the system.
fn number_of(
    what: &str,
    text: &str,
    named: impl FnOnce(&str) -> nix::Result<Option<u32>>,
) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    match named(text) {
        Ok(Some(number)) => Ok(number),
        Ok(None) => Err(format!("there is no {what} {text:?}; give a name or a number")),
        Err(error) => Err(format!("cannot look up the {what} {text:?}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_understood() {
        assert_eq!((user("root"), user("4711")), (Ok(0), Ok(4711)));
        assert_eq!((group("root"), group("4711")), (Ok(0), Ok(4711)));
        assert!(user("no such user").is_err_and(|error| error.contains("no such user")));
        assert!(group("-1").is_err());
    }
}
