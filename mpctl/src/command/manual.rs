//! The man page and the shells' completions, from the definitions of the command line.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::{Shell, env::Shells};
use clap_mangen::Man;

use crate::{cli::Cli, failure::Failure};

/// One page with all commands, as `man mpctl` is expected to be.
pub(super) fn man() -> Result<bool, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    let page = Man::new(command.clone());
    let mut text = Vec::new();
    page.render_title(&mut text)?;
    page.render_name_section(&mut text)?;
    page.render_synopsis_section(&mut text)?;
    page.render_description_section(&mut text)?;
    page.render_options_section(&mut text)?;
    for subcommand in command.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        text.extend(section(subcommand)?);
    }
    page.render_extra_section(&mut text)?;
    page.render_version_section(&mut text)?;
    write(&text)
}

/// The page of a command as a section of another.
fn section(command: &Command) -> io::Result<Vec<u8>> {
    let name = format!("mpctl {}", command.get_name());
    let page =
        Man::new(command.clone().bin_name(name.clone()).disable_help_flag(true).disable_version_flag(true));
    let mut parts = Vec::new();
    page.render_synopsis_section(&mut parts)?;
    page.render_description_section(&mut parts)?;
    page.render_options_section(&mut parts)?;
    let parts = String::from_utf8_lossy(&parts).replace(".SH ", ".SS ");
    Ok(format!(".SH \"{}\"\n{parts}", name.to_uppercase()).into_bytes())
}

/// The script asks the `mpctl` that is in the path: it knows the groups as they are at that moment.
pub(super) fn completions(shell: Shell) -> Result<bool, Failure> {
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string()).expect("clap_complete completes all of its own shells");
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "mpctl", "mpctl", "mpctl", &mut script)?;
    write(&script)
}

fn write(text: &[u8]) -> Result<bool, Failure> {
    io::stdout().lock().write_all(text)?;
    Ok(true)
}
