//! Size arithmetic, done by the compiler: what a type takes at most, whether that fits, and the
//! table that says why not.

use std::alloc::Layout;

use mp_core::{MAX_FDS, MAX_NAME, MAX_PARAM};

use crate::kind::{self, FdCount, Field, Form, Hash, Shape, Variant};
use crate::text::Text;

/// Bytes that say which variant of an enum follows.
pub(crate) const TAG_SIZE: usize = 4;
/// Bytes that say how many items of a list follow.
pub(crate) const LEN_SIZE: usize = 8;

/// What Linux passes along with one datagram at most.
const KERNEL_MAX_FDS: usize = 253;

/// The fingerprint of a message, or of a request and its response together; 0, for none, where one of
/// them is in C layout: its peers have no definition of ours.
pub(crate) const fn fingerprint(message: &Shape, response: Option<&Shape>) -> u64 {
    let mut hash = Hash::new();
    if let Form::C(_) = message.form {
        return 0;
    }
    hash = hash.kind(&message.whole());
    if let Some(response) = response {
        if let Form::C(_) = response.form {
            return 0;
        }
        hash = hash.kind(&response.whole());
    }
    hash.end()
}

/// The most bytes that a value of this shape takes.
pub(crate) const fn max_size(shape: &Shape) -> usize {
    let largest = sum(largest(shape, Quantity::Bytes).fields, Quantity::Bytes);
    match shape.form {
        Form::Struct => largest,
        Form::Enum | Form::Result => largest.saturating_add(TAG_SIZE),
        Form::C(layout) => layout.size(),
    }
}

/// The most descriptors that a value of this shape carries.
pub(crate) const fn max_fds(shape: &Shape) -> usize {
    sum(largest(shape, Quantity::Fds).fields, Quantity::Fds)
}

/// The most descriptors that a value of this shape may carry, be it only on the way in.
pub(crate) const fn fd_limit(shape: &Shape) -> usize {
    match shape.max_fds {
        Some(max_fds) => max_fds,
        None => MAX_FDS,
    }
}

/// Fails to evaluate unless `max_fds` raises the limit, to what the kernel can pass.
#[track_caller]
pub const fn check_max_fds(max_fds: usize) {
    if max_fds <= MAX_FDS {
        let text = Text::new().str("`max_fds` raises the limit, which is ").num(MAX_FDS).str(" without it");
        panic!("{}", text.as_str());
    }
    if max_fds > KERNEL_MAX_FDS {
        let text = Text::new().str("the kernel passes at most ").num(KERNEL_MAX_FDS);
        panic!("{}", text.str(" file descriptors along with one message").as_str());
    }
}

/// The sum of `sizes`, as far as a `usize` goes.
#[must_use]
pub const fn sum_of(sizes: &[usize]) -> usize {
    let (mut i, mut sum) = (0, 0_usize);
    while i < sizes.len() {
        sum = sum.saturating_add(sizes[i]);
        i += 1;
    }
    sum
}

/// The size of at most `max_len` items of size `item`.
///
/// Items without a size count as bytes if there are more of them than a message has bytes:
/// otherwise a peer could keep the receiver busy with them for as long as it takes to count to
/// `max_len`.
#[must_use]
pub(crate) const fn list_of(item: usize, max_len: usize) -> usize {
    let item = if item == 0 && max_len > MAX_PARAM { 1 } else { item };
    item.saturating_mul(max_len)
}

/// The size of an enum whose variants take `sizes`.
#[must_use]
pub const fn enum_of(sizes: &[usize]) -> usize {
    let (mut i, mut largest) = (0, 0);
    while i < sizes.len() {
        if sizes[i] > largest {
            largest = sizes[i];
        }
        i += 1;
    }
    largest.saturating_add(TAG_SIZE)
}

/// Fails to evaluate, with a table of all fields, when a value of this shape might not fit a
/// message.
#[track_caller]
pub(crate) const fn check(shape: &Shape) {
    let (size, fds) = (max_size(shape), max_fds(shape));
    if size > MAX_PARAM {
        panic!("{}", too_large(shape, size).as_str());
    }
    if fds > fd_limit(shape) {
        panic!("{}", too_many_fds(shape, fds).as_str());
    }
    if let Form::C(_) = shape.form {
        check_c_fds(shape);
    }
}

/// Fails to evaluate when the response is a `Result` that might not fit a message, though each part of it
/// does.
#[track_caller]
pub(crate) const fn check_result(response: &Shape) {
    let Form::Result = response.form else { return };
    // A part that is too large by itself has its own error.
    let fits = largest_field_sum(response) <= MAX_PARAM;
    if fits {
        check(response);
    }
}

/// The most bytes that the fields of one variant take.
const fn largest_field_sum(shape: &Shape) -> usize {
    sum(largest(shape, Quantity::Bytes).fields, Quantity::Bytes)
}

/// Fails to evaluate when the response to a request in C layout is bytes in another layout.
#[track_caller]
pub(crate) const fn check_c_response(request: &Shape, response: &Shape) {
    if let Form::C(_) = response.form {
        return;
    }
    if max_size(response) > 0 {
        let text = Text::new().str("`").str(request.type_name).str("` is in C layout and its response `");
        let text = text.str(response.type_name).str(
            "` is not: the peer that is asked in C answers in C, so add `#[message(layout = \"C\")]` to the response",
        );
        panic!("{}", text.as_str());
    }
}

/// Fails to evaluate when a value of the first shape may not be taken for one of the second.
#[track_caller]
pub(crate) const fn check_same(sent: &Shape, expected: &Shape) {
    if let Some(difference) = difference(sent, expected) {
        let text =
            Text::new().str("`").str(sent.type_name).str("` cannot be sent as `").str(expected.type_name);
        let text = text.str("`: they differ in ");
        let text = match difference {
            Difference::Of(what) => text.str("their ").str(what),
            Difference::In(name) => text.str("`").str(name).str("`"),
        };
        panic!("{}", text.as_str());
    }
}

enum Difference {
    /// Of the whole.
    Of(&'static str),
    /// In this field or variant.
    In(&'static str),
}

/// What the two do not have in common, as far as sizes and names tell.
const fn difference(a: &Shape, b: &Shape) -> Option<Difference> {
    let same_form = match (a.form, b.form) {
        (Form::Struct, Form::Struct) | (Form::Enum, Form::Enum) | (Form::Result, Form::Result) => true,
        (Form::C(a), Form::C(b)) => a.size() == b.size(),
        _ => false,
    };
    if !same_form {
        return Some(Difference::Of("layouts"));
    }
    if a.variants.len() != b.variants.len() {
        return Some(Difference::Of("numbers of variants"));
    }
    let mut i = 0;
    while i < a.variants.len() {
        if !same_text(a.variants[i].name, b.variants[i].name) {
            return Some(Difference::In(a.variants[i].name));
        }
        if let Some(difference) = different_field(a.variants[i].fields, b.variants[i].fields) {
            return Some(difference);
        }
        i += 1;
    }
    None
}

const fn different_field(a: &[Field], b: &[Field]) -> Option<Difference> {
    if a.len() != b.len() {
        return Some(Difference::Of("numbers of fields"));
    }
    let mut i = 0;
    while i < a.len() {
        let (one, other) = (&a[i], &b[i]);
        let same = same_text(one.name, other.name)
            && kind::hash(&one.kind) == kind::hash(&other.kind)
            && one.size == other.size
            && one.offset == other.offset
            && one.fds == other.fds
            && one.count as u8 == other.count as u8;
        if !same {
            return Some(Difference::In(one.name));
        }
        i += 1;
    }
    None
}

/// Whether two texts are the same, for constants.
pub(crate) const fn same_text(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Fails to evaluate when `name` cannot be a message name.
#[track_caller]
pub const fn check_name(name: &str) {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        panic!("a message name cannot be empty");
    }
    if bytes.len() > MAX_NAME {
        let text =
            Text::new().str("this message name is ").num(bytes.len()).str(" bytes long; the limit is ");
        panic!("{}", text.num(MAX_NAME).as_str());
    }
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == 0 {
            let text = Text::new()
                .str("a message name cannot contain a NUL byte: byte ")
                .num(i)
                .str(" of this one is one");
            panic!("{}", text.as_str());
        }
        i += 1;
    }
}

/// Fails to evaluate when a variant's discriminant is not its place, which is what is sent.
#[track_caller]
pub const fn check_discriminant(discriminant: i128, place: u32) {
    if discriminant != place as i128 {
        let text = Text::new().str("a variant is sent as its place, which is ").num(place as usize);
        let text = text.str(
            " here, not as its discriminant: leave that out, or order the variants by their numbers, from 0 on; \
             to send a number of your own, make the field an integer",
        );
        panic!("{}", text.as_str());
    }
}

/// Where C puts these fields, and how large it makes the struct.
///
/// `align` is what the struct itself asks for, with `repr(align(...))`; 1 if it does not.
pub const fn c_struct<const N: usize>(fields: [Layout; N], align: usize) -> (Layout, [usize; N]) {
    let (mut whole, mut offsets) = match Layout::from_size_align(0, align) {
        Ok(empty) => (empty, [0; N]),
        Err(_) => panic!("an alignment is a power of two"),
    };
    let mut i = 0;
    while i < N {
        match whole.extend(fields[i]) {
            Ok((longer, offset)) => (whole, offsets[i]) = (longer, offset),
            Err(_) => panic!("this C struct is larger than the address space"),
        }
        i += 1;
    }
    (whole.pad_to_align(), offsets)
}

#[derive(Clone, Copy)]
enum Quantity {
    Bytes,
    Fds,
}

const fn sum(fields: &[Field], of: Quantity) -> usize {
    let (mut i, mut sum) = (0, 0_usize);
    while i < fields.len() {
        sum = sum.saturating_add(match of {
            Quantity::Bytes => fields[i].size,
            Quantity::Fds => fields[i].fds,
        });
        i += 1;
    }
    sum
}

const fn largest(shape: &Shape, of: Quantity) -> &'static Variant {
    let (mut i, mut largest) = (1, &shape.variants[0]);
    while i < shape.variants.len() {
        if sum(shape.variants[i].fields, of) > sum(largest.fields, of) {
            largest = &shape.variants[i];
        }
        i += 1;
    }
    largest
}

const fn too_large(shape: &Shape, size: usize) -> Text {
    let text =
        Text::new().str("`").str(shape.type_name).str("` does not fit a message: its payload can take ");
    let text = text.num(size).str(" bytes, ").num(size - MAX_PARAM).str(" over the limit of ").num(MAX_PARAM);
    let variant = largest(shape, Quantity::Bytes);
    match shape.form {
        Form::Struct => table(text, variant.fields, Quantity::Bytes),
        Form::Enum | Form::Result => {
            let text = text.str("\nits largest variant is `").str(variant.name).str("`; ").num(TAG_SIZE);
            table(text.str(" bytes say which variant it is"), variant.fields, Quantity::Bytes)
        }
        Form::C(layout) => c_table(text.str(", as C lays it out"), variant.fields, layout),
    }
}

const fn too_many_fds(shape: &Shape, fds: usize) -> Text {
    let text =
        Text::new().str("`").str(shape.type_name).str("` does not fit a message: it can carry ").num(fds);
    let text = text
        .str(" file descriptors, ")
        .num(fds - fd_limit(shape))
        .str(" over the limit of ")
        .num(fd_limit(shape));
    let variant = largest(shape, Quantity::Fds);
    let text = match shape.form {
        Form::Enum | Form::Result => text.str("\nthe variant with the most is `").str(variant.name).str("`"),
        Form::Struct | Form::C(_) => text,
    };
    table(text, variant.fields, Quantity::Fds)
}

const fn table(mut text: Text, fields: &[Field], of: Quantity) -> Text {
    let width = widest_name(fields);
    let mut i = 0;
    while i < fields.len() {
        let number = match of {
            Quantity::Bytes => fields[i].size,
            Quantity::Fds => fields[i].fds,
        };
        if number > 0 {
            text = text.str("\n  ").left(fields[i].name, width).right(number, 6);
        }
        i += 1;
    }
    text
}

/// Like [`table`], with the offsets, and with the padding that C puts in between.
const fn c_table(mut text: Text, fields: &[Field], layout: Layout) -> Text {
    let width = widest_name(fields);
    let (mut i, mut end) = (0, 0);
    while i < fields.len() {
        let field = &fields[i];
        if field.size > 0 {
            text = padding(text, field.offset - end, width);
            text =
                text.str("\n  ").left(field.name, width).right(field.size, 6).str("  at ").num(field.offset);
            end = field.offset + field.size;
        }
        i += 1;
    }
    padding(text, layout.size() - end, width)
}

const fn padding(text: Text, bytes: usize, width: usize) -> Text {
    if bytes == 0 { text } else { text.str("\n  ").left("(padding)", width).right(bytes, 6) }
}

const fn widest_name(fields: &[Field]) -> usize {
    let (mut i, mut widest) = (0, "(padding)".len());
    while i < fields.len() {
        if fields[i].name.len() > widest {
            widest = fields[i].name.len();
        }
        i += 1;
    }
    widest
}

/// A C struct has no bytes that say which descriptors are there, so their number must tell: only
/// that of the last field may vary, and it must stand for one value only.
#[track_caller]
const fn check_c_fds(shape: &Shape) {
    let fields = shape.variants[0].fields;
    let (mut i, mut varying) = (0, "");
    while i < fields.len() {
        if fields[i].fds > 0 && !varying.is_empty() {
            let text =
                Text::new().str("the number of file descriptors in `").str(varying).str("` varies, so `");
            let text = text
                .str(fields[i].name)
                .str("` after it cannot be told apart: in a C layout only the last `#[fd]` field may vary");
            panic!("{}", text.as_str());
        }
        match fields[i].count {
            FdCount::One | FdCount::Fixed => {}
            FdCount::Varies => varying = fields[i].name,
            FdCount::Ambiguous => {
                let text = Text::new().str("the number of file descriptors in `").str(fields[i].name).str(
                    "` does not tell which are there: in a C layout a `#[fd]` field is one descriptor or an array of them; \
                     the last may be an `Option` or list, of single descriptors",
                );
                panic!("{}", text.as_str());
            }
        }
        i += 1;
    }
}
