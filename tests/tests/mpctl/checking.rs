//! `check`: definitions of a file against those of members.

use std::fs;

use mp_typed::{Layouts, Primary, Request, Response, Secondary};
use serde_json::{Value, json};

use crate::{Group, Run};

/// The definitions of one release.
mod old {
    use super::{Request, Response};

    #[derive(Request)]
    #[message(name = "open", response = Opened)]
    pub(super) struct Open {
        pub(super) port: u16,
    }

    #[derive(Response)]
    pub(super) struct Opened {
        pub(super) handle: u32,
    }

    #[derive(Request)]
    #[message(name = "close", response = ())]
    pub(super) struct Close {
        pub(super) handle: u32,
    }
}

/// And of the next.
mod new {
    use super::{Request, Response};

    #[derive(Request)]
    #[message(name = "open", response = Opened)]
    pub(super) struct Open {
        pub(super) port: u32,
        pub(super) queue: u8,
    }

    #[derive(Response)]
    pub(super) struct Opened {
        pub(super) handle: u32,
    }
}

fn checked(group: &Group, dump: &str) -> Run {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("layouts.txt");
    fs::write(&file, dump).expect("it is ours");
    group.run(&["--json", "--timeout", "2s", "check", file.to_str().expect("text")])
}

#[test]
fn which_process_has_another_definition_of_what_is_told() {
    let group = Group::new();
    let primary = Primary::builder("unused")
        .runtime_dir(group.path())
        .serve(|open: old::Open, _: &_| old::Opened { handle: open.port.into() })
        .serve(|close: old::Close, _: &_| assert_ne!(close.handle, 0))
        .start()
        .unwrap();
    let secondary = Secondary::builder("unused")
        .runtime_dir(group.path())
        .serve(|open: new::Open, _: &_| new::Opened { handle: open.port + u32::from(open.queue) })
        .start()
        .unwrap();

    let run = checked(&group, &Layouts::new().request::<old::Close>().to_string());
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    assert_eq!(run.json()["verdict"], json!("same"));

    let dump = Layouts::new().request::<old::Open>().request::<old::Close>().to_string();
    let run = checked(&group, &dump);
    assert_eq!((run.status, run.err.as_str()), (1, ""), "{run:?}");
    let lines = run.jsons();
    let of = |verdict: &str| {
        let lines = lines.iter().filter(|line| line["verdict"] == json!(verdict));
        lines.map(|line| (line["name"].clone(), line["member"]["socket"].clone())).collect::<Vec<_>>()
    };
    let (first, second) = (json!(primary.address().path()), json!(secondary.address().path()));
    assert_eq!(of("same"), [(json!("open"), first.clone()), (json!("close"), first)]);
    assert_eq!(of("other"), [(json!("open"), second)]);
    let other = lines.iter().find(|line| line["verdict"] == json!("other")).expect("it is there");
    assert_eq!(other["differs"], json!(["port has 2 B in the file, 4 B there", "queue is only there"]));
    assert!(other["file"] != other["there"] && other["file"].is_string(), "{other}");
}

#[test]
fn what_nobody_has_and_what_is_no_dump_is_told() {
    let group = Group::new();
    let _primary = group.echoing();
    let none = checked(&group, &Layouts::new().request::<old::Open>().to_string());
    assert_eq!(
        (none.status, &none.json()["verdict"], &none.json()["member"]),
        (0, &json!("nobody"), &Value::Null)
    );
    checked(&group, "hello").assert_failed(2, "is no dump of layouts");
    group.run(&["check", "/no/such"]).assert_failed(2, "cannot read \"/no/such\"");
    let text = Layouts::new().request::<old::Open>().to_string().replace("\"open\"", "\"echo\"");
    let untyped = checked(&group, &text);
    assert_eq!((untyped.status, &untyped.json()["verdict"]), (0, &json!("untyped")));
}
