//! Definitions as JSON, for those who have not the types: what `mp.describe` tells, and [`Layouts`]
//! on wish.
//!
//! [`Layouts`]: crate::Layouts

use mp_core::__typed::Json;

use crate::kind::{FdCount, Field, Form, Kind, Shape, Variant};
use crate::message::{Body, Message, Request};
use crate::shape::{fd_limit, max_fds, max_size};

/// What a message takes.
pub(crate) fn describe_message<M: Message>(json: &mut Json) {
    json.key("kind").text("message");
    fingerprints(M::FINGERPRINT, M::ACCEPTS, json);
    body::<M>("body", json);
}

/// What a request takes, and what it is answered with.
pub(crate) fn describe_request<Q: Request>(json: &mut Json) {
    json.key("kind").text("request");
    fingerprints(Q::FINGERPRINT, Q::ACCEPTS, json);
    body::<Q>("body", json);
    body::<Q::Response>("response", json);
}

fn fingerprints(own: u64, accepts: &[u64], json: &mut Json) {
    match own {
        0 => json.key("fingerprint").null(),
        own => json.key("fingerprint").text(&format!("{own:016x}")),
    }
    json.key("accepts").array(|json| accepts.iter().for_each(|other| json.text(&format!("{other:016x}"))));
}

fn body<B: Body>(key: &str, json: &mut Json) {
    json.key(key).object(|json| {
        json.key("max").number(max_size(&B::SHAPE));
        json.key("fds").number(max_fds(&B::SHAPE));
        json.key("fds_received").number(fd_limit(&B::SHAPE));
        shape(&B::SHAPE, json);
    });
}

/// The keys of a type that was derived.
fn shape(shape: &Shape, json: &mut Json) {
    let word = match shape.form {
        Form::Struct | Form::C(_) => "struct",
        Form::Enum => "enum",
        Form::Result => "result",
    };
    json.key(word).text(shape.type_name);
    match (shape.form, shape.variants) {
        (Form::C(layout), [only]) => {
            json.key("c").object(|json| {
                json.key("size").number(layout.size());
                json.key("align").number(layout.align());
            });
            fields(only, true, json);
        }
        (Form::Struct, [only]) => fields(only, false, json),
        (_, variants) => json.key("variants").array(|json| {
            for variant in variants {
                json.object(|json| {
                    json.key("name").text(variant.name);
                    match variant.fields {
                        // A part of a `Result` that is no plain struct has no fields of its own.
                        [Field { kind: Kind::Type(whole), count: FdCount::Ambiguous, .. }] => {
                            json.key("is").object(|json| self::shape(whole, json));
                        }
                        _ => fields(variant, false, json),
                    }
                });
            }
        }),
    }
}

fn fields(variant: &Variant, in_c: bool, json: &mut Json) {
    json.key("fields").array(|json| {
        for field in variant.fields {
            json.object(|json| {
                json.key("name").text(field.name);
                json.key("type");
                kind(&field.kind, json);
                match field.fds {
                    0 => json.key("max").number(field.size),
                    fds => json.key("fds").number(fds),
                }
                if in_c && field.fds == 0 {
                    json.key("offset").number(field.offset);
                }
            });
        }
    });
}

fn kind(of: &Kind, json: &mut Json) {
    match of {
        Kind::Named(name) => json.text(name),
        Kind::AtMost(kind, most) => json.object(|json| bounded(kind, *most, json)),
        Kind::Of(..) => json.object(|json| made_of_others(of, json)),
        Kind::Array(item, len) => json.object(|json| {
            json.key("array");
            kind(item, json);
            json.key("len").number(len);
        }),
        Kind::Type(shape) => json.object(|json| self::shape(shape, json)),
        Kind::Struct(variants) | Kind::Enum(variants) => json.object(|json| {
            json.key("variants").array(|json| {
                for variant in *variants {
                    json.object(|json| fields(variant, false, json));
                }
            });
        }),
    }
}

/// What grows, with the most that it grows to.
fn bounded(of: &Kind, most: usize, json: &mut Json) {
    match of {
        // The bound is that of what is in it.
        Kind::Of("Option", [inner]) => json.key("option").object(|json| bounded(inner, most, json)),
        Kind::Named(name) => json.key(name).number(most),
        other => {
            made_of_others(other, json);
            json.key("max_len").number(most);
        }
    }
}

fn made_of_others(of: &Kind, json: &mut Json) {
    match of {
        Kind::Of(name, parts) => {
            let name = name.to_lowercase();
            match parts {
                [only] if name != "tuple" => {
                    json.key(&name);
                    kind(only, json);
                }
                parts => json.key(&name).array(|json| parts.iter().for_each(|part| kind(part, json))),
            }
        }
        other => {
            json.key("of");
            kind(other, json);
        }
    }
}
