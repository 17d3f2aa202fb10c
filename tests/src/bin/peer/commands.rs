//! What a line of the input has done.

use std::{sync::Arc, thread, time::Duration};

use mp_core::{Actions, Change, Registration, Responder, inspect};

use crate::{
    role::Role,
    shared::Shared,
    system::{become_user, close_all, fork_and_stay, interruptible, limit_fds},
    words::{self, counters, lock, millis, number, tell, text_of},
};

impl Shared {
    /// The result of a command; `None` at the end.
    pub(crate) fn obey(self: &Arc<Self>, words: &[&str]) -> Option<String> {
        Some(match words {
            ["sync"] => String::new(),
            // ask <name> <milliseconds> [text]
            ["ask", name, ms, text @ ..] => self.asker().ask(name, &text.join(" "), millis(ms)),
            // The same without blocking for it, by a callback.
            ["later", "ask", name, ms, text @ ..] => {
                self.asker().ask_later(name, &text.join(" "), millis(ms))
            }
            // The same, by a callback that takes the reply's descriptors out and closes them.
            ["later", "take", name, ms, text @ ..] => {
                self.asker().take_later(name, &text.join(" "), millis(ms))
            }
            // The same in a thread of its own, told as `!done <result>`.
            ["begin", "ask", name, ms, text @ ..] => {
                let (shared, name, text, timeout) =
                    (Arc::clone(self), (*name).to_owned(), text.join(" "), millis(ms));
                thread::spawn(move || {
                    let result = shared.asker().ask(&name, &text, timeout);
                    tell(&format!("!done {result}"));
                });
                String::new()
            }
            // The same as `later`, told as `!done <result>`.
            ["begin", "later", "ask", name, ms, text @ ..] => {
                self.asker().ask_later_and(name, &text.join(" "), millis(ms), |result| {
                    tell(&format!("!done {result}"));
                });
                String::new()
            }
            // send <name> <milliseconds> [text]
            ["send", name, ms, text @ ..] => self.asker().send(name, &text.join(" "), millis(ms)),
            ["storm", threads, each] => self.storm(number(threads), number(each)),
            ["release", count] => {
                self.release(number(count));
                String::new()
            }
            // Answers all that is kept, from another thread.
            ["answer", text] => {
                let (kept, text) = (std::mem::take(&mut *lock(&self.kept)), (*text).to_owned());
                let answer =
                    move |responder: Responder| format!("{:?}", responder.reply(text.as_bytes(), &[]));
                let answers = move || kept.into_iter().map(answer).collect::<Vec<_>>().join(" ");
                thread::spawn(answers).join().expect("no panic")
            }
            ["register", name] => self.register(name),
            ["unregister", name] => self.role().actions().unregister(&words::name(name)).to_string(),
            ["unregister"] => lock(&self.registered).pop().is_some_and(Registration::unregister).to_string(),
            ["guard", name] => self.guard(name),
            // Gets copies of the primary's datagrams, and never looks at them.
            ["monitor"] => self.monitor(),
            ["members"] => self.members(),
            // From now on tells `!joined <pid>` and `!left <pid>`.
            ["watch"] => self.watch(),
            ["stats"] => counters(&self.role().statistics()),
            ["max-fds", count] => limit_fds(number(count)),
            ["begin", "stop", ms] => {
                let (shared, timeout) = (Arc::clone(self), millis(ms));
                thread::spawn(move || tell(&format!("!stopped {}", shared.role().stop(timeout))));
                String::new()
            }
            ["stop", ms] => self.role().stop(millis(ms)).to_string(),
            ["fds-of-a-child"] => {
                let listed = std::process::Command::new("ls").arg("/proc/self/fd").output();
                String::from_utf8_lossy(&listed.expect("it is everywhere").stdout).trim().replace('\n', " ")
            }
            // Becomes another user, in this group and in no other, in all threads.
            ["become", uid, gid] => become_user(number(uid) as u32, number(gid) as u32),
            ["fork"] => self.fork(),
            ["fork-and-stay"] => fork_and_stay(),
            ["interruptible"] => interruptible(),
            ["close-all"] => close_all(),
            ["quit"] => return None,
            _ => panic!("unknown command {words:?}"),
        })
    }

    /// Registers an action that unregisters itself while it runs, then goes on.
    fn register(self: &Arc<Self>, name: &str) -> String {
        let (shared, own) = (Arc::clone(self), words::name(name));
        let registered = self.role().actions().serve(own, move |request| {
            let removed = shared.role().actions().unregister(&own);
            let _ = request.reply(removed.to_string().as_bytes(), &[]);
        });
        match registered {
            Ok(registration) => {
                lock(&self.registered).push(registration);
                "registered".into()
            }
            Err(error) => error.to_string(),
        }
    }

    /// Tells whether an action is there while its guard lives and after that, for
    /// each way to remove it. The guard is held by the closure of another action,
    /// so that dropping one drops the other.
    fn guard(&self, name: &str) -> String {
        let actions = self.role().actions();
        let (outer, inner) = (words::name(name), words::name(&format!("{name}_inner")));
        let removals: [fn(&Actions, Registration); 3] = [
            |_, registration| drop(registration.until_dropped()),
            |_, registration| _ = registration.unregister(),
            |actions, registration| _ = actions.unregister(registration.name()),
        ];
        let mut found = Vec::new();
        for remove in removals {
            let held = actions.on(inner, |_, _| ()).expect("it is free").until_dropped();
            let registration = actions.on(outer, move |_, _| _ = held.name()).expect("it is free");
            found.push(actions.on(inner, |_, _| ()).is_err());
            remove(actions, registration);
            found.push(actions.on(inner, |_, _| ()).map(Registration::unregister).is_err());
        }
        format!("{found:?}")
    }

    /// Many threads at once ask for the echo of what no other asks for.
    fn storm(&self, threads: usize, each: usize) -> String {
        let asker = self.asker();
        let mixed_up = thread::scope(|scope| {
            let ask = |thread: usize| {
                (0..each).filter(move |i| {
                    let text = format!("{thread}.{i}");
                    !asker.ask("echo", &text, Duration::from_secs(10)).ends_with(&format!(" {text}"))
                })
            };
            let threads: Vec<_> = (0..threads).map(|t| scope.spawn(move || ask(t).count())).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum::<usize>()
        });
        format!("{mixed_up} mixed up of {}", threads * each)
    }

    fn watch(self: &Arc<Self>) -> String {
        let watch = match self.asker().watch() {
            Ok(watch) => watch,
            Err(error) => return text_of(&error),
        };
        thread::spawn(move || {
            for change in watch {
                match change {
                    Ok(Change::Joined(member)) => tell(&format!("!joined {}", member.pid().unwrap_or(0))),
                    Ok(Change::Left(member)) => tell(&format!("!left {}", member.pid().unwrap_or(0))),
                    Ok(Change::Died(member)) => tell(&format!("!died {}", member.pid().unwrap_or(0))),
                    Ok(_) => {}
                    Err(error) => tell(&format!("!unwatched {}", text_of(&error))),
                }
            }
        });
        String::new()
    }

    fn monitor(&self) -> String {
        let Role::Client(client) = self.role() else { panic!("only a client monitors") };
        match inspect::monitor(client, inspect::Filter::all(), Duration::from_secs(5)) {
            Ok(monitor) => {
                // Its descriptor goes with the process.
                std::mem::forget(monitor);
                "attached".into()
            }
            Err(error) => text_of(&error),
        }
    }

    fn members(&self) -> String {
        let Role::Primary(primary) = self.role() else { panic!("only a primary knows the members") };
        match primary.members() {
            Ok(members) => {
                members.iter().filter_map(|m| Some(m.pid()?.to_string())).collect::<Vec<_>>().join(" ")
            }
            Err(error) => text_of(&error),
        }
    }
}
