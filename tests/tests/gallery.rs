//! The gallery of errors in `docs/errors.md`: real mistakes with the compiler's real words.
//!
//! It is made of the compile-fail cases and their stored output, which `compile_fail.rs` holds
//! against the compiler, so it cannot go stale: this test fails when it would. To write it anew,
//! run the test with `UPDATE_EXPECT=1`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

/// The case, what it is called in the gallery, and what to do about it.
const MISTAKES: [(&str, &str, &str); 17] = [
    (
        "payload_over_256",
        "The payload is too large",
        "A param has 256 bytes. The table shows where they go: shrink the largest field, split the message, or pass shared \
         memory as a file descriptor and keep the data there.",
    ),
    (
        "payload_over_256_in_an_enum",
        "One variant of an enum is too large",
        "The largest variant counts, and four bytes that say which one it is.",
    ),
    (
        "c_layout_over_256",
        "A C layout is too large",
        "Padding counts. Members in the order of their alignment need the least of it; but a C peer has to agree.",
    ),
    ("fds_nine", "Too many file descriptors", "DPDK passes at most eight along with one message."),
    (
        "unbounded_string",
        "Text without a bound",
        "`#[message(max_len = 32)] device: String` takes up to 8 + 32 bytes.",
    ),
    (
        "unbounded_vec",
        "A list without a bound",
        "`#[message(max_len = 8)] samples: Vec<u64>` takes up to 8 + 8 * 8 bytes; `[u64; 8]` always takes 64.",
    ),
    (
        "max_len_of_items_without_a_bound",
        "A list of what has no bound",
        "`max_len` counts items. `#[message(max_len = 2)] names: Vec<heapless::String<16>>` takes up to 8 + 2 * (8 + 16) bytes.",
    ),
    (
        "unbounded_own_type",
        "A type of your own that is no payload",
        "Derive `Payload` for it. It needs no other derive, and none for serde.",
    ),
    (
        "fd_without_the_mark",
        "A file descriptor without `#[fd]`",
        "Descriptors do not travel in the payload but beside it, and the mark says so.",
    ),
    (
        "fd_raw_number",
        "A raw number as a file descriptor",
        "Use `OwnedFd`, or `BorrowedFd<'_>` in a type that is only sent.",
    ),
    (
        "c_layout_with_fds_that_vary",
        "Descriptors that C could not tell apart",
        "A C struct has no place for the number of descriptors. Only the last field may hold a number that varies.",
    ),
    ("name_missing", "A message without a name", "Its receivers register their action under the name."),
    (
        "key_misspelt",
        "A misspelt key",
        "On the type: `name`, `response`, `lends`, `layout`, `max_fds`, `crate`. On a field: `max_len`, `max_size`.",
    ),
    (
        "response_missing",
        "A request without a response",
        "`response = ()` is one too: it says that the request has been handled.",
    ),
    (
        "request_sent_as_a_message",
        "A request sent as a message",
        "Nobody would get the answer: use `request`, or derive `Message` if there is none.",
    ),
    (
        "two_roles",
        "Two roles on one type",
        "What a type is decides how it is sent and received, so it is one of the three. `Payload` may stand beside it.",
    ),
    (
        "received_what_borrows",
        "A type that borrows, received",
        "Descriptors that arrive have no other owner. Declare a second type with the same fields, but `OwnedFd`.",
    ),
];

#[test]
fn the_gallery_shows_what_the_compiler_says() {
    let mut gallery = String::from(
        "# Mistakes, and what the compiler says\n\n\
         <!-- Written by tests/tests/gallery.rs from the compile-fail cases; do not edit. -->\n\n\
         Everything here is checked by `cargo check`, whether or not the type is used. There are more cases, each with its\n\
         output, in `tests/tests/compile-fail`.\n",
    );
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile-fail");
    let compiler = fs::read_to_string(cases.join("compiler.txt")).expect("there is such a file");
    write!(
        gallery,
        "\nThe words are those of {}; other compilers say some of it otherwise.\n",
        compiler.trim()
    )
    .expect("a string takes whatever it is given");
    for (case, title, advice) in MISTAKES {
        let read = |extension| {
            fs::read_to_string(cases.join(case).with_extension(extension)).expect("there is such a case")
        };
        let (code, error) = (read("rs"), read("stderr"));
        let code = code.replace("\nfn main() {}\n", "");
        let error = error.replace(&format!("tests/compile-fail/{case}.rs"), "src/lib.rs");
        write!(
            gallery,
            "\n## {title}\n\n{}\n\n```rust,ignore\n{}\n```\n\n```text\n{}\n```\n",
            wrapped(advice),
            code.trim(),
            without_our_insides(&error).trim()
        )
        .expect("a string takes whatever it is given");
    }
    expect_file![concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md")].assert_eq(&gallery);
}

/// Without the notes that lead into this crate, which tell a reader nothing.
fn without_our_insides(error: &str) -> String {
    let mut shown = String::new();
    let mut inside = false;
    for line in error.lines() {
        if line.starts_with("note: required by a bound in") {
            inside = true;
        } else if line.is_empty() || line.starts_with("error") || line.starts_with("help:") {
            inside = false;
        }
        if !inside {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    shown
}

/// The text in lines of at most 110 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= 110 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
