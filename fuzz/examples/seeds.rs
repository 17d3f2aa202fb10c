//! Writes the seeds: `cargo run --manifest-path fuzz/Cargo.toml --example seeds`, when a type of the library changes.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    fs::create_dir_all(&directory)?;
    fuzz::seeds().into_iter().try_for_each(|(name, bytes)| fs::write(directory.join(name), bytes))
}
