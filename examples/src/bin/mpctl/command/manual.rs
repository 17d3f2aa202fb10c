//! The man page and the shells' completions, from the definitions of the command line.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{cli::Cli, failure::Failure};

pub(super) fn man() -> Result<bool, Failure> {
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    write(&page)
}

pub(super) fn completions(shell: Shell) -> Result<bool, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mpctl", &mut script);
    write(&script)
}

fn write(text: &[u8]) -> Result<bool, Failure> {
    io::stdout().lock().write_all(text)?;
    Ok(true)
}
