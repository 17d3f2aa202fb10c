//! Payloads and files, as the command line names them.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    str::FromStr,
};

use mp_core::{MAX_FDS, MAX_PARAM, MessageRef, Name};

use crate::{
    cli::{BytesArgs, MessageArgs, PayloadArgs},
    failure::Failure,
};

/// A message with all it needs read and opened, checked to fit a datagram.
#[derive(Debug)]
pub(crate) struct Outgoing {
    name: Name,
    payload: Vec<u8>,
    files: Vec<File>,
}

impl Outgoing {
    pub(crate) fn read(args: &MessageArgs) -> Result<Self, Failure> {
        Ok(Self { name: args.name, payload: payload(&args.payload)?, files: open(&args.fds)? })
    }

    pub(crate) fn without_files(name: Name, args: &PayloadArgs) -> Result<Self, Failure> {
        Ok(Self { name, payload: payload(args)?, files: Vec::new() })
    }

    /// The same to be sent.
    pub(crate) fn message(&self) -> MessageRef<'_> {
        let fds: Vec<BorrowedFd<'_>> = self.files.iter().map(AsFd::as_fd).collect();
        MessageRef::new(&self.name, &self.payload, &fds).expect("checked when it was read")
    }
}

impl PayloadArgs {
    /// The values as `--as` lays them out.
    fn write(&self, values: &str) -> Result<Vec<u8>, Failure> {
        let declared = self.declared.clone().unwrap_or_default().packed_if(self.packed);
        declared.write(values).map_err(|error| Failure::Usage(format!("{error}; check --values")))
    }

    /// Where no reply is shown, `--as` says how `--values` are laid out, and nothing else.
    pub(crate) fn check_values(&self) -> Result<(), Failure> {
        match (&self.declared, &self.bytes.values) {
            (Some(_), None) => {
                Err(Failure::Usage("--as declares fields, and they have no values: give --values".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// Reads the payload and checks its size.
fn payload(args: &PayloadArgs) -> Result<Vec<u8>, Failure> {
    let bytes = match &args.bytes {
        BytesArgs { hex: Some(hex), .. } => hex.0.clone(),
        BytesArgs { text: Some(text), .. } => text.as_bytes().to_owned(),
        BytesArgs { file: Some(path), .. } => read_some(path)
            .map_err(|error| Failure::Usage(format!("cannot read {path:?}: {error}; check --file")))?,
        BytesArgs { values: Some(values), .. } => args.write(values)?,
        _ => Vec::new(),
    };
    match bytes.len() {
        0..=MAX_PARAM => Ok(bytes),
        len => Err(Failure::Usage(format!(
            "a payload of {}{} bytes does not fit a message, which carries {MAX_PARAM}: \
             shorten it, or pass a file that holds it with --fd",
            if len > READ_AT_MOST { "over " } else { "" },
            len.min(READ_AT_MOST),
        ))),
    }
}

/// More is not read from a file: it may have no end.
const READ_AT_MOST: usize = 1 << 20;

fn read_some(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = READ_AT_MOST as u64 + 1;
    if path == OsStr::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn open(paths: &[PathBuf]) -> Result<Vec<File>, Failure> {
    if paths.len() > MAX_FDS {
        return Err(Failure::Usage(format!(
            "{} files are too many for a message, which carries {MAX_FDS}: leave out {}",
            paths.len(),
            paths.len() - MAX_FDS,
        )));
    }
    let open = |path: &PathBuf| {
        File::open(path).map_err(|error| Failure::Usage(format!("cannot open {path:?}: {error}; check --fd")))
    };
    paths.iter().map(open).collect()
}

/// Bytes that were written in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hex(Vec<u8>);

impl FromStr for Hex {
    type Err = HexError;

    /// Pairs of digits; blanks and colons may stand between pairs, and `0x` at the beginning.
    fn from_str(text: &str) -> Result<Self, HexError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = Vec::with_capacity(digits.len() / 2);
        let mut half = None;
        for character in digits.chars() {
            match (half, character.to_digit(16)) {
                (None, Some(digit)) => half = Some(digit),
                (Some(high), Some(low)) => {
                    bytes.push((high << 4 | low) as u8);
                    half = None;
                }
                (None, None) if character == ' ' || character == ':' => {}
                (Some(_), None) if character == ' ' || character == ':' => return Err(HexError::Odd),
                (_, None) => return Err(HexError::Digit(character)),
            }
        }
        if half.is_some() { Err(HexError::Odd) } else { Ok(Self(bytes)) }
    }
}

impl Hex {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Why a text is not hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HexError {
    /// This is no digit.
    Digit(char),
    /// A byte has one digit only.
    Odd,
}

impl std::error::Error for HexError {}

impl std::fmt::Display for HexError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Digit(character) => write!(f, "{character:?} is no hexadecimal digit")?,
            Self::Odd => f.write_str("a byte has one digit only")?,
        }
        f.write_str("; write two digits for each byte, such as 0102ff")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Result<Vec<u8>, HexError> {
        text.parse().map(|Hex(bytes)| bytes)
    }

    #[test]
    fn hexadecimal_is_pairs_of_digits() {
        for text in ["0102ff", "0x0102ff", "01 02 FF", "01:02:ff", " 01  02ff "] {
            assert_eq!(hex(text), Ok(vec![1, 2, 255]), "{text:?}");
        }
        assert_eq!(hex(""), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_with_hexadecimal_is_told() {
        for text in ["0", "010", "0 1", "01 2"] {
            assert_eq!(hex(text), Err(HexError::Odd), "{text:?}");
        }
        assert_eq!(hex("01g2"), Err(HexError::Digit('g')));
        assert_eq!(hex("0x0x"), Err(HexError::Digit('x')));
        assert_eq!(
            HexError::Digit('é').to_string(),
            "'é' is no hexadecimal digit; write two digits for each byte, such as 0102ff"
        );
    }

    #[test]
    fn a_payload_of_256_bytes_is_the_longest() {
        let of = |len| PayloadArgs {
            bytes: BytesArgs { hex: Some(Hex(vec![7; len])), ..Default::default() },
            ..Default::default()
        };
        assert_eq!(payload(&of(256)).expect("fits").len(), 256);
        let failure = payload(&of(257)).expect_err("too long");
        assert_eq!(failure.status(), 2);
        assert!(failure.to_string().starts_with("a payload of 257 bytes does not fit"), "{failure}");
    }

    #[test]
    fn a_payload_without_end_is_not_read_to_its_end() {
        let endless = PayloadArgs {
            bytes: BytesArgs { file: Some("/dev/zero".into()), ..Default::default() },
            ..Default::default()
        };
        let failure = payload(&endless).expect_err("too long");
        assert!(failure.to_string().starts_with("a payload of over "), "{failure}");
    }

    #[test]
    fn the_ninth_file_is_one_too_many() {
        let failure = open(&vec![PathBuf::from("/dev/null"); 9]).expect_err("too many");
        assert_eq!(failure.to_string(), "9 files are too many for a message, which carries 8: leave out 1");
        assert_eq!(open(&vec![PathBuf::from("/dev/null"); 8]).expect("fits").len(), 8);
    }
}
