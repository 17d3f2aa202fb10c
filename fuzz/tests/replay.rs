//! The corpus, replayed on any compiler: every seed, and what is one cut or one changed byte away from it.
//!
//! A crash that fuzzing finds becomes a seed here, so that it is looked for ever after.

use std::{fs, path::Path};

fn corpus() -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let files = fs::read_dir(directory).expect("the seeds are there");
    files.map(|file| fs::read(file.expect("a file").path()).expect("it can be read")).collect()
}

#[test]
fn the_corpus_holds_a_value_of_each_type_as_it_is_now() {
    let corpus = corpus();
    for (name, bytes) in fuzz::seeds() {
        assert!(
            corpus.contains(&bytes),
            "{name} changed: cargo run --manifest-path fuzz/Cargo.toml --example seeds"
        );
    }
}

#[test]
fn every_seed_is_decoded_without_a_panic() {
    corpus().iter().for_each(|seed| fuzz::decode_all(seed));
}

#[test]
fn every_beginning_of_a_seed_is_decoded_without_a_panic() {
    for seed in corpus() {
        (0..seed.len()).for_each(|end| fuzz::decode_all(&seed[..end]));
    }
}

#[test]
fn every_seed_with_one_byte_changed_or_added_is_decoded_without_a_panic() {
    for mut seed in corpus() {
        for at in 0..seed.len() {
            let was = seed[at];
            for byte in 0..=255 {
                seed[at] = byte;
                fuzz::decode_all(&seed);
            }
            seed[at] = was;
        }
        seed.push(0);
        fuzz::decode_all(&seed);
    }
}
