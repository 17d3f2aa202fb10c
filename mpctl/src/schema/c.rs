//! Types in C layout as C structs, with what a C compiler has to agree to.

use super::{Definition, Fault, Struct, Type};

/// The structs of a definition, the innermost first.
pub(crate) fn in_c(definition: &Definition) -> Result<String, Fault> {
    let mut text = String::new();
    let mut told = Vec::new();
    let mut found = false;
    for body in std::iter::once(&definition.body).chain(&definition.response) {
        if let Type::Struct(of @ Struct { c: Some(_), .. }) = &body.ty {
            found = true;
            declare(of, &mut text, &mut told)?;
        }
    }
    if found { Ok(text) } else { Err(Fault::new("is not in C layout, so there is no C struct for it")) }
}

fn declare<'a>(of: &'a Struct, text: &mut String, told: &mut Vec<&'a str>) -> Result<(), Fault> {
    let Struct { name, c: Some((size, align)), fields } = of else {
        return Err(Fault::new(format!("contains {}, which is not in C layout", of.name)));
    };
    if told.contains(&name.as_str()) {
        return Ok(());
    }
    let in_payload = || fields.iter().filter(|field| field.fds == 0);
    for field in in_payload() {
        if let Type::Struct(inner) = innermost(&field.ty).0 {
            declare(inner, text, told)?;
        }
    }
    told.push(name);
    let name = word(name);
    let natural = in_payload().map(|field| align_of(&field.ty)).max().unwrap_or(1);
    let mut members = String::new();
    let mut asserts = format!("_Static_assert(sizeof(struct {name}) == {size}, \"size of {name}\");\n");
    // What the struct as a whole asks for, its first member asks for in C.
    let mut wider = if *align > natural { format!("_Alignas({align}) ") } else { String::new() };
    for field in in_payload().filter(|field| field.max > 0) {
        let (item, dimensions) = innermost(&field.ty);
        let member = word(&field.name);
        let lens: String = dimensions.iter().map(|len| format!("[{len}]")).collect();
        members += &format!("    {}{} {member}{lens};\n", std::mem::take(&mut wider), c_type(item)?);
        asserts += &format!(
            "_Static_assert(offsetof(struct {name}, {member}) == {}, \"place of {name}.{member}\");\n",
            field.offset
        );
    }
    if members.is_empty() {
        *text += &format!("/* struct {name} has no members, of which C has no structs. */\n\n");
        return Ok(());
    }
    if text.is_empty() {
        *text += "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n\n";
    }
    let fds: Vec<_> = fields.iter().filter(|field| field.fds > 0).collect();
    let fds: String = fds
        .iter()
        .map(|field| {
            format!("    /* beside it, as file descriptors: {}: {} */\n", word(&field.name), field.ty)
        })
        .collect();
    *text += &format!("struct {name} {{\n{members}{fds}}};\n{asserts}\n");
    Ok(())
}

/// What an array of arrays is made of, and how many there are of each.
fn innermost(ty: &Type) -> (&Type, Vec<usize>) {
    let (mut ty, mut lens) = (ty, Vec::new());
    while let Type::Array(item, len) = ty {
        lens.push(*len);
        ty = item;
    }
    (ty, lens)
}

fn c_type(ty: &Type) -> Result<String, Fault> {
    Ok(match ty {
        Type::Struct(Struct { name, .. }) => format!("struct {}", word(name)),
        Type::Leaf(leaf) => match leaf.name.as_str() {
            "f32" => "float".to_owned(),
            "f64" => "double".to_owned(),
            "bool" => "bool".to_owned(),
            "usize" => "size_t".to_owned(),
            "isize" => "ptrdiff_t".to_owned(),
            "u128" => "unsigned __int128".to_owned(),
            "i128" => "__int128".to_owned(),
            name => match name.split_at(1) {
                ("u", bits) => format!("uint{bits}_t"),
                ("i", bits) => format!("int{bits}_t"),
                _ => return Err(Fault::new(format!("{name} has no C type"))),
            },
        },
        other => return Err(Fault::new(format!("{other} has no C type"))),
    })
}

fn align_of(ty: &Type) -> usize {
    match innermost(ty).0 {
        Type::Struct(Struct { c: Some((_, align)), .. }) => *align,
        other => other.min().max(1),
    }
}

/// A name that C takes: not one of its own, and no raw one of Rust.
fn word(name: &str) -> String {
    const C: [&str; 37] = [
        "auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
        "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return",
        "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
        "volatile", "while", "bool", "true", "false",
    ];
    let mut word: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        word.insert(0, '_');
    }
    if C.contains(&word.as_str()) {
        word.push('_');
    }
    word
}
