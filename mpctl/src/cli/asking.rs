//! What the commands take that send and ask.

use std::{ffi::OsString, num::NonZeroU64, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use mp_core::Name;

use crate::{complete, fields::Declared, input::Hex, peers::Wanted};

/// A name, a payload and files.
#[derive(Debug, Args)]
pub(crate) struct MessageArgs {
    /// The name of the action it is for: 1 to 63 bytes.
    #[arg(add = ArgValueCompleter::new(complete::names))]
    pub(crate) name: Name,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    #[command(flatten)]
    pub(crate) payload: PayloadArgs,

    /// A file to pass along, opened for reading; up to 8 times.
    #[arg(long = "fd", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) fds: Vec<PathBuf>,
}

/// Whom to ask.
#[derive(Debug, Clone, Args)]
pub(crate) struct ToArgs {
    /// Which member, instead of the primary: a pid, a socket's name, the beginning of one, or its
    /// path, as `mpctl members` shows them.
    #[arg(long = "to", value_name = "MEMBER", add = ArgValueCompleter::new(complete::members))]
    pub(crate) member: Option<Wanted>,
}

/// What `mpctl request` takes.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) message: MessageArgs,

    /// How the reply's payload is laid out, written as with --as, to show it field by field;
    /// without it, a reply of the size that --as declares is shown as that.
    #[arg(long, value_name = "FIELDS")]
    pub(crate) reply_as: Option<Declared>,
}

/// A payload, and how it is laid out if it is given by values.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PayloadArgs {
    #[command(flatten)]
    pub(crate) bytes: BytesArgs,

    /// The fields of a C struct, for peers that have no schema: 'rx:u64 tx:u64'.
    ///
    /// Types are u8 to u64, i8 to i64, f32, f64, bool and char, their names in C (int, uint16_t,
    /// size_t), and arrays: name:[u8;16], and name:[char;64] for a text with its NUL. They are laid
    /// out as a C compiler does; 'packed a:u8 b:u64' leaves no gaps.
    #[arg(long = "as", value_name = "FIELDS")]
    pub(crate) declared: Option<Declared>,

    /// Leave no gaps between fields, as __rte_packed does.
    #[arg(long)]
    pub(crate) packed: bool,
}

/// Up to 256 bytes, in one of four ways; without any, none.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub(crate) struct BytesArgs {
    /// The payload in hexadecimal: 0102ff, or "01 02 ff".
    #[arg(long, value_name = "HEX")]
    pub(crate) hex: Option<Hex>,

    /// The payload as text, without a NUL at its end.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) text: Option<OsString>,

    /// The payload from a file; - is the standard input.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,

    /// The fields that --as declares: all in order ('1 2'), or some by name ('tx=2'; the others are
    /// zero). Arrays are [1,2,3]; texts with blanks stand in quotes: name="a b".
    #[arg(long, value_name = "VALUES", allow_hyphen_values = true, requires = "declared")]
    pub(crate) values: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PingArgs {
    /// The name of an action that answers.
    #[arg(add = ArgValueCompleter::new(complete::names))]
    pub(crate) name: Name,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    #[command(flatten)]
    pub(crate) payload: PayloadArgs,

    /// How often to ask.
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) count: NonZeroU64,

    /// How long from one request to the next; 0s to ask without a pause.
    #[arg(long, value_name = "DURATION", default_value = "10ms")]
    #[arg(value_parser = humantime::parse_duration)]
    pub(crate) interval: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// Which member, instead of the primary: a pid, a socket's name, or its path. A word that names no
    /// member is the name of an action of the primary's.
    #[arg(add = ArgValueCompleter::new(complete::members))]
    pub(crate) member: Option<String>,

    /// Only the action of this name.
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Print C structs, with assertions, of those that are in C layout.
    #[arg(long)]
    pub(crate) c: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CallArgs {
    /// The name of an action that takes a type: `mpctl describe` tells which there are.
    #[arg(add = ArgValueCompleter::new(complete::names))]
    pub(crate) name: Name,

    /// The request's fields as JSON; without any, those of a request that has none. - is the standard
    /// input.
    #[arg(value_name = "JSON", allow_hyphen_values = true)]
    pub(crate) value: Option<String>,

    #[command(flatten)]
    pub(crate) to: ToArgs,

    /// A file to pass along, opened for reading, as the field of that name; for a list as often as there
    /// are files.
    #[arg(long = "fd", value_name = "FIELD=PATH")]
    pub(crate) fds: Vec<FieldPath>,

    /// Save the content of the file that comes as the field of that name.
    #[arg(long = "save", value_name = "FIELD=PATH")]
    pub(crate) save: Vec<FieldPath>,
}

/// A field, and a path for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath {
    pub(crate) field: String,
    pub(crate) path: PathBuf,
}

impl FromStr for FieldPath {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((field, path)) if !field.is_empty() && !path.is_empty() => {
                Ok(Self { field: field.to_owned(), path: path.into() })
            }
            _ => Err("name the field, too: FIELD=PATH"),
        }
    }
}
