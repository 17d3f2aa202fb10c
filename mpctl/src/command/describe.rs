//! `mpctl describe`.

use std::fmt;

use mp_core::inspect;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Context, made, peer::Peer};
use crate::{
    cli::{DescribeArgs, ToArgs},
    failure::Failure,
    interrupt::Awaited,
    schema::{Description, Told, in_c},
    show::Show,
};

pub(super) fn run(context: &Context, args: &DescribeArgs) -> Result<bool, Failure> {
    let (peer, name) = chosen(context, args)?;
    let Awaited::Done(told) = told(context, &peer)? else { return Ok(false) };
    let description = understood(&told, &peer)?;
    let actions: Vec<_> = description
        .actions
        .iter()
        .filter(|action| name.as_ref().is_none_or(|name| action.name == *name))
        .collect();
    if let (Some(name), []) = (&name, &actions[..]) {
        return Err(no_such(&description, &peer, name));
    }
    if args.c {
        return c_structs(context, &actions, name.is_some());
    }
    let raw: Map<String, Value> = serde_json::from_str(&told).unwrap_or_default();
    context.output.print(&Described { description: &description, raw: &raw, name: name.as_deref() })?;
    Ok(true)
}

/// Whom to ask, and for which action. One word alone is a member if there is such a one.
fn chosen(context: &Context, args: &DescribeArgs) -> Result<(Peer, Option<String>), Failure> {
    let to = |member: &String| ToArgs { member: Some(member.parse().unwrap_or_else(|never| match never {})) };
    match (&args.member, &args.name) {
        (Some(member), Some(name)) => Ok((context.peer(&to(member))?, Some(name.clone()))),
        (Some(word), None) => match context.peer(&to(word)) {
            Ok(peer) => Ok((peer, None)),
            Err(failure @ Failure::Usage(_)) => Err(failure),
            Err(_) => Ok((context.peer(&ToArgs { member: None })?, Some(word.clone()))),
        },
        (None, _) => Ok((context.peer(&ToArgs { member: None })?, None)),
    }
}

/// What the peer tells of its actions.
fn told(context: &Context, peer: &Peer) -> Result<Awaited<String>, Failure> {
    let timeout = context.timeout;
    Ok(match made::cleaned_up(peer, move |peer| inspect::describe(peer.target(), timeout))? {
        Awaited::Done(told) => {
            Awaited::Done(told.map_err(|error| Failure::of_inspect(&error, &peer.to_string()))?)
        }
        Awaited::Interrupted => Awaited::Interrupted,
    })
}

pub(super) fn understood(told: &str, peer: &Peer) -> Result<Description, Failure> {
    Description::try_from(Told(told)).map_err(|error| Failure::Failed(format!("{peer}: {error}")))
}

/// There is no action of that name; those that there are.
pub(super) fn no_such(description: &Description, peer: &Peer, name: &str) -> Failure {
    let names: Vec<_> = description.actions.iter().map(|action| action.name.as_str()).collect();
    Failure::Failed(match names.as_slice() {
        [] => format!("{peer} has no actions"),
        names => format!("{peer} has no action {name:?}; it has {}", names.join(", ")),
    })
}

/// Those that are in C layout, or the one that is asked for.
fn c_structs(context: &Context, actions: &[&crate::schema::Action], one: bool) -> Result<bool, Failure> {
    let mut text = String::new();
    for action in actions {
        let structs = match &action.definition {
            Some(definition) => in_c(definition).map_err(|fault| fault.to_string()),
            None => Err("takes bytes, of which it tells no type".to_owned()),
        };
        match structs {
            Ok(structs) => text += &format!("/* {} */\n{structs}", action.name),
            Err(why) if one => return Err(Failure::Failed(format!("{:?} {why}", action.name))),
            Err(_) => {}
        }
    }
    if text.is_empty() {
        return Err(Failure::Failed("it has no action in C layout".to_owned()));
    }
    context.output.print(&Structs { c: text.trim_end().to_owned() })?;
    Ok(true)
}

/// C structs.
#[derive(Debug, Serialize)]
struct Structs {
    c: String,
}

impl Show for Structs {}

impl fmt::Display for Structs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.c)
    }
}

/// What a member tells of its actions, or of one.
#[derive(Debug)]
struct Described<'a> {
    description: &'a Description,
    raw: &'a Map<String, Value>,
    name: Option<&'a str>,
}

impl Show for Described<'_> {}

/// As it was told.
impl Serialize for Described<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = self.raw.clone();
        if let (Some(name), Some(Value::Array(actions))) = (self.name, raw.get_mut("actions")) {
            actions.retain(|action| action["name"] == name);
        }
        raw.serialize(serializer)
    }
}

/// In Rust-like notation.
impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description { pid, version, role, socket, actions } = self.description;
        write!(f, "// {role}, pid {pid}, mp-core {version}, {socket}")?;
        for action in actions.iter().filter(|action| self.name.is_none_or(|name| action.name == name)) {
            match &action.definition {
                Some(definition) => write!(f, "\n\n{}", definition.spelled(action).trim_end())?,
                None => write!(
                    f,
                    "\n\n// takes bytes, of which it tells no type\n#[message(name = {:?})]",
                    action.name
                )?,
            }
        }
        Ok(())
    }
}
