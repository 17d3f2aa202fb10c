//! All layouts in one text, to commit and to compare.

use std::fmt::{self, Write};

use mp_core::__typed::{Describe, Json};

use crate::kind::{Field, Form, Shape};
use crate::message::{Body, Message, Request};
use crate::schema::{describe_message, describe_request};

/// The layouts of messages and requests as one text: names, fields, sizes, fingerprints.
///
/// Commit what it prints, and have a test compare: then no definition changes by accident, and a review
/// shows what a change means for peers that were built before.
///
/// ```
/// use mp_typed::{Layouts, Message, Request};
///
/// #[derive(Message)]
/// #[message(name = "link_state")]
/// struct LinkState { port: u16, up: bool }
///
/// #[derive(Request)]
/// #[message(name = "ping", response = ())]
/// struct Ping;
///
/// let layouts = Layouts::new().message::<LinkState>().request::<Ping>().to_string();
/// // In a test of yours: `expect_file!["layouts.txt"].assert_eq(&layouts)`, or a plain comparison.
/// assert!(layouts.starts_with("message \"link_state\" "));
/// assert!(layouts.contains("  port  u16   2 B\n"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Layouts {
    text: String,
    definitions: Vec<(&'static str, Describe)>,
}

impl Layouts {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And that of a message.
    #[must_use]
    pub fn message<M: Message>(self) -> Self {
        self.with("message", M::NAME, M::FINGERPRINT, describe_message::<M>).body::<M>("").end()
    }

    /// And those of a request and its response.
    #[must_use]
    pub fn request<Q: Request>(self) -> Self {
        let this = self.with("request", Q::NAME, Q::FINGERPRINT, describe_request::<Q>);
        this.body::<Q>("").body::<Q::Response>("response ").end()
    }

    /// The same as JSON, with all that it takes to encode and decode without the types: an object with
    /// `actions`, as a member that handles all of these tells them to who asks with `mp.describe`.
    #[must_use]
    pub fn to_json(&self) -> String {
        Json::document(|json| {
            json.key("actions").array(|json| {
                for (name, describe) in &self.definitions {
                    json.object(|json| {
                        json.key("name").text(name);
                        describe(json);
                    });
                }
            });
        })
    }

    fn with(mut self, what: &str, name: &'static str, fingerprint: u64, describe: Describe) -> Self {
        self.definitions.push((name, describe));
        let fingerprint = match fingerprint {
            0 => "without a fingerprint".to_owned(),
            fingerprint => format!("{fingerprint:016x}"),
        };
        self.write(format_args!("{what} {name:?} {fingerprint}\n"));
        self
    }

    fn body<B: Body>(mut self, what: &str) -> Self {
        let (shape, size, fds) = (&B::SHAPE, B::MAX_SIZE, B::MAX_FDS);
        let layout = if let Form::C(_) = shape.form { ", as C lays it out" } else { "" };
        let name = shape.type_name;
        self.write(format_args!("{what}{name}: at most {size} B and {fds} descriptors{layout}\n"));
        self.fields(shape);
        self
    }

    fn fields(&mut self, shape: &Shape) {
        let all = || shape.variants.iter().flat_map(|variant| variant.fields);
        let names = all().map(|field| field.name.len()).max().unwrap_or(0);
        let kinds = all().map(|field| field.kind.to_string().len()).max().unwrap_or(0);
        for variant in shape.variants {
            if !variant.name.is_empty() {
                self.write(format_args!("  {}\n", variant.name));
            }
            for field in variant.fields {
                let Field { name, kind, size, fds, offset, .. } = field;
                let kind = kind.to_string();
                let indent = if variant.name.is_empty() { "" } else { "  " };
                self.write(format_args!("  {indent}{name:names$}  {kind:kinds$}  {size} B"));
                match (shape.form, fds) {
                    (_, 1..) => self.write(format_args!(", {fds} descriptors")),
                    (Form::C(_), 0) => self.write(format_args!(" at {offset}")),
                    _ => {}
                }
                self.write(format_args!("\n"));
            }
        }
    }

    fn end(mut self) -> Self {
        self.text.push('\n');
        self
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        // A `String` takes everything.
        let _ = self.text.write_fmt(text);
    }
}

impl fmt::Display for Layouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
