//! A member of a group in a process of its own, for the fault tests.
//!
//! It reads commands from its input, one a line, and writes `=<result>` for
//! each; what its handlers see it writes as `!<kind> <text>` when it happens.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::File,
    io::{BufRead, Write as _},
    os::fd::AsFd,
    panic::resume_unwind,
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, OnceLock, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use mp_core::{
    Actions, Builder, Client, Joins, Message, MessageRef, Name, Peer, Primary, PrimaryHandle, Registration,
    Rejection, Replies, Reply, RequestError, Responder, Secondary, Statistics, Trust,
};
use rustix::process::{Pid, Resource, Rlimit, Signal, getpid, getrlimit, kill_process, setrlimit};

#[derive(Parser)]
struct Options {
    role: Kind,
    /// The runtime directory.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Which of DPDK's directories to use instead.
    #[arg(long, default_value = "mp-faults")]
    file_prefix: OsString,
    #[arg(long)]
    backlog: Option<usize>,
    /// Listens to nobody.
    #[arg(long)]
    trust_nobody: bool,
    /// Waits for a line before it starts.
    #[arg(long)]
    wait: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Primary,
    Secondary,
    Client,
}

/// A running role.
enum Role {
    Primary(Primary),
    Secondary(Secondary),
    Client(Client),
}

/// What handlers and threads ask through.
#[derive(Clone)]
enum Asker {
    Primary(PrimaryHandle),
    Client(Client),
}

/// What the handlers share.
#[derive(Default)]
struct Shared {
    /// How many more handlers may leave `stall` and `hold`.
    permits: Mutex<usize>,
    released: Condvar,
    kept: Mutex<Vec<Responder>>,
    registered: Mutex<Vec<Registration>>,
    role: OnceLock<Role>,
    asker: OnceLock<Asker>,
}

fn main() {
    let options = Options::parse();
    if options.wait {
        tell("waits");
        read_line();
    }
    let shared = Arc::new(Shared::default());
    match start(&options, &shared) {
        Ok(role) => drop(shared.role.set(role)),
        Err(error) => return tell(&format!("failed {}", text_of(&error))),
    }
    tell("started");
    while let Some(line) = read_line() {
        let words: Vec<_> = line.split_whitespace().collect();
        if let Some(result) = shared.obey(&words) {
            tell(&format!("={result}"));
        } else {
            break;
        }
    }
    shared.release(usize::MAX / 2);
    shared.role().stop(Duration::from_secs(5));
}

fn start(options: &Options, shared: &Arc<Shared>) -> Result<Role, mp_core::StartError> {
    let prefix = &options.file_prefix;
    Ok(match options.role {
        Kind::Primary => {
            let builder = set_up(options, shared, Primary::builder(prefix));
            let _ = shared.asker.set(Asker::Primary(builder.handle()));
            Role::Primary(builder.start()?)
        }
        Kind::Secondary => {
            let builder = set_up(options, shared, Secondary::builder(prefix));
            let _ = shared.asker.set(Asker::Client(builder.handle()));
            Role::Secondary(builder.start()?)
        }
        Kind::Client => {
            let builder = place(options, Client::builder(prefix));
            let client = builder.start()?;
            let _ = shared.asker.set(Asker::Client(client.clone()));
            Role::Client(client)
        }
    })
}

fn place<R: mp_core::Role>(options: &Options, mut builder: Builder<R>) -> Builder<R> {
    if let Some(dir) = &options.dir {
        builder = builder.runtime_dir(dir);
    }
    if options.trust_nobody {
        builder = builder.trust(Trust::when(|_| false));
    }
    builder
}

/// The actions that every member has.
fn set_up<R: Joins>(options: &Options, shared: &Arc<Shared>, builder: Builder<R>) -> Builder<R> {
    let mut builder = place(options, builder);
    if let Some(backlog) = options.backlog {
        builder = builder.backlog(backlog);
    }
    let serve = |handler: fn(&Shared, Message, &Peer, Responder)| {
        let shared = Arc::clone(shared);
        move |message: Message, peer: &Peer, responder: Responder| handler(&shared, message, peer, responder)
    };
    let on = |handler: fn(&Shared, Message, &Peer)| {
        let shared = Arc::clone(shared);
        move |message: Message, peer: &Peer| handler(&shared, message, peer)
    };
    builder
        .serve(name("echo"), serve(echo))
        .serve(name("files"), serve(files))
        .serve(name("stall"), serve(stall))
        .serve(name("forget"), serve(|_, _, _, responder| drop(responder)))
        .serve(name("panic"), serve(|_, _, _, _| panic_quietly()))
        .serve(name("panic_twice"), serve(|_, _, _, _| resume_unwind(Box::new(Worse))))
        .serve(name("keep"), serve(keep))
        .serve(name("die"), serve(|_, _, _, _| die()))
        .serve(name("answer_and_die"), serve(answer_and_die))
        .serve(name("route"), serve(route))
        .serve(name("stop"), serve(stop))
        .on(name("note"), on(note))
        .on(name("hold"), on(hold))
        .on(name("panic_note"), on(|_, _, _| panic_quietly()))
}

fn echo(_: &Shared, message: Message, _: &Peer, responder: Responder) {
    let fds: Vec<_> = message.fds.iter().collect();
    let _ = responder.reply(&message.param, &fds);
}

/// Replies with as many descriptors as it is asked for.
fn files(_: &Shared, message: Message, _: &Peer, responder: Responder) {
    let null = File::open("/dev/null").expect("it is always there");
    let count = text(&message).parse().expect("a number");
    let _ = responder.reply(b"", &vec![null.as_fd(); count]);
}

/// Takes until it is released.
fn stall(shared: &Shared, message: Message, _: &Peer, responder: Responder) {
    tell(&format!("!stall {}", text(&message)));
    shared.wait_for_release();
    let _ = responder.reply(&message.param, &[]);
}

/// Panics without a word on the error output, since it is asked to.
fn panic_quietly() -> ! {
    resume_unwind(Box::new("as it was asked to"))
}

/// Panics again when what it panicked with is dropped.
struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        panic_quietly();
    }
}

fn keep(shared: &Shared, _: Message, _: &Peer, responder: Responder) {
    lock(&shared.kept).push(responder);
    tell("!keep");
}

fn die() {
    kill_process(getpid(), Signal::KILL).expect("it is this process");
}

fn answer_and_die(_: &Shared, _: Message, _: &Peer, responder: Responder) {
    let _ = responder.reply(b"last words", &[]);
    die();
}

/// Asks the first on the route (`p` for the primary, else a secondary's pid) to
/// ask those that follow, and replies with the way back. The last may be `wait`.
fn route(shared: &Shared, message: Message, _: &Peer, responder: Responder) {
    let route = text(&message);
    let own = std::process::id();
    let answer = match route.split_once(' ') {
        None if route == "wait" => {
            shared.wait_for_release();
            "waited".to_owned()
        }
        None => "end".to_owned(),
        Some((next, rest)) => {
            let onward = Message::new(name("route")).with_param(rest).expect("it came with more");
            match shared.asker().ask_one(next, &onward, Duration::from_secs(5)) {
                Ok(reply) => text(&reply.message),
                Err(error) => format!("{error:?}"),
            }
        }
    };
    let _ = responder.reply(format!("{own} {answer}").as_bytes(), &[]);
}

fn stop(shared: &Shared, _: Message, _: &Peer, responder: Responder) {
    let ended = shared.role().stop(Duration::from_secs(5));
    tell(&format!("!stopped {ended}"));
    let _ = responder.reply(b"stopped", &[]);
}

fn note(_: &Shared, message: Message, peer: &Peer) {
    tell(&format!("!note {} fds={} pid={}", text(&message), message.fds.len(), peer.pid()));
}

/// Takes until it is released.
fn hold(shared: &Shared, message: Message, _: &Peer) {
    tell(&format!("!hold {}", text(&message)));
    shared.wait_for_release();
}

impl Shared {
    /// The result of a command; `None` at the end.
    fn obey(self: &Arc<Self>, words: &[&str]) -> Option<String> {
        Some(match words {
            ["sync"] => String::new(),
            // ask <name> <milliseconds> [text]
            ["ask", name, ms, text @ ..] => self.asker().ask(name, &text.join(" "), millis(ms)),
            // The same without blocking for it, by a callback.
            ["later", "ask", name, ms, text @ ..] => {
                self.asker().ask_later(name, &text.join(" "), millis(ms))
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
            ["unregister", name] => self.role().actions().unregister(&self::name(name)).to_string(),
            ["unregister"] => lock(&self.registered).pop().is_some_and(Registration::unregister).to_string(),
            ["guard", name] => self.guard(name),
            ["members"] => self.members(),
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
            ["fork"] => self.fork(),
            ["interruptible"] => interruptible(),
            ["quit"] => return None,
            _ => panic!("unknown command {words:?}"),
        })
    }

    fn role(&self) -> &Role {
        // A handler may be called before the main thread has got its role.
        self.role.wait()
    }

    fn asker(&self) -> &Asker {
        self.asker.get().expect("it is set before the start")
    }

    fn release(&self, count: usize) {
        *lock(&self.permits) += count;
        self.released.notify_all();
    }

    fn wait_for_release(&self) {
        let mut permits =
            self.released.wait_while(lock(&self.permits), |permits| *permits == 0).expect("no panic");
        *permits -= 1;
    }

    /// Registers an action that unregisters itself while it runs, then goes on.
    fn register(self: &Arc<Self>, name: &str) -> String {
        let (shared, own) = (Arc::clone(self), self::name(name));
        let registered = self.role().actions().serve(own, move |_, _, responder| {
            let removed = shared.role().actions().unregister(&own);
            let _ = responder.reply(removed.to_string().as_bytes(), &[]);
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
        let (outer, inner) = (self::name(name), self::name(&format!("{name}_inner")));
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

    fn members(&self) -> String {
        let Role::Primary(primary) = self.role() else { panic!("only a primary knows the members") };
        match primary.members() {
            Ok(members) => {
                members.iter().filter_map(|m| Some(m.pid()?.to_string())).collect::<Vec<_>>().join(" ")
            }
            Err(error) => text_of(&error),
        }
    }

    /// What a fork's copy of the role does, told by its exit code.
    fn fork(&self) -> String {
        #![allow(unsafe_code)]
        // SAFETY: the other threads are all blocked, in receiving or in waiting
        // for it, so that none holds a lock of the allocator or of ours; the
        // child makes no use of standard input or output and ends by `_exit`.
        match unsafe { libc::fork() } {
            0 => {
                let asked = self.asker().ask("echo", "from the child", Duration::from_secs(5));
                let later = self.asker().ask_later("echo", "from the child", Duration::from_secs(5));
                let stopped = self.role().stop(Duration::from_secs(5));
                let mut kept = std::mem::take(&mut *lock(&self.kept));
                let reply = kept.pop().map(|responder| responder.reply(b"from the child", &[]));
                drop(kept);
                let refused = matches!(reply, None | Some(Err(mp_core::ReplyError::Forked)));
                let code = i32::from(!asked.contains("Stopped"))
                    + 2 * i32::from(!stopped)
                    + 4 * i32::from(!later.contains("Stopped"))
                    + 8 * i32::from(!refused);
                // SAFETY: it ends the process, and touches nothing of ours.
                unsafe { libc::_exit(code) }
            }
            pid => {
                let pid = Pid::from_raw(pid).expect("fork succeeded");
                let waited = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
                let status = waited.expect("it is our child").expect("it was waited for").1;
                format!("{:?}", status.exit_status())
            }
        }
    }
}

impl Role {
    fn actions(&self) -> &Actions {
        match self {
            Self::Primary(primary) => primary.actions(),
            Self::Secondary(secondary) => secondary.actions(),
            Self::Client(_) => panic!("a client has no actions"),
        }
    }

    fn statistics(&self) -> Statistics {
        match self {
            Self::Primary(primary) => primary.statistics(),
            Self::Secondary(secondary) => secondary.statistics(),
            Self::Client(client) => client.statistics(),
        }
    }

    fn stop(&self, timeout: Duration) -> bool {
        match self {
            Self::Primary(primary) => primary.stop(timeout),
            Self::Secondary(secondary) => secondary.stop(timeout),
            Self::Client(_) => true,
        }
    }
}

impl Asker {
    /// Asks the primary, or all secondaries: the result as text, with the time taken.
    fn ask(&self, name: &str, text: &str, timeout: Duration) -> String {
        let name = self::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let start = Instant::now();
        let result = match self {
            Self::Primary(primary) => primary.request(message, timeout).map(|replies| all(&replies)),
            Self::Client(client) => client.request(message, timeout).map(|reply| one(&reply)),
        };
        let took = start.elapsed().as_millis();
        format!("{took} {}", result.unwrap_or_else(|error| variant(&error)))
    }

    /// The same by a callback.
    fn ask_later(&self, name: &str, text: &str, timeout: Duration) -> String {
        let name = self::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let (sender, result) = channel();
        let start = Instant::now();
        let or_error = |result: Result<String, RequestError>| result.unwrap_or_else(|error| variant(&error));
        // Whoever waits for it is there as long as this call.
        match self {
            Self::Primary(primary) => primary.request_then(message, timeout, move |_, result| {
                let _ = sender.send(or_error(result.map(|replies| all(&replies))));
            }),
            Self::Client(client) => client.request_then(message, timeout, move |_, result| {
                let _ = sender.send(or_error(result.map(|reply| one(&reply))));
            }),
        }
        let result = result.recv().expect("the callback is called");
        format!("{} {result}", start.elapsed().as_millis())
    }

    /// Asks the primary (`p`) or the secondary with that pid.
    fn ask_one(&self, whom: &str, message: &Message, timeout: Duration) -> Result<Reply, RequestError> {
        match self {
            Self::Client(client) => client.request(message, timeout),
            Self::Primary(primary) => {
                let members = primary.members()?;
                let pid = whom.parse().ok();
                let member = members.iter().find(|member| member.pid() == pid).ok_or(RequestError::Gone)?;
                primary.request_to(member, message, timeout)
            }
        }
    }

    fn send(&self, name: &str, text: &str, timeout: Duration) -> String {
        let name = self::name(name);
        let message = MessageRef::new(&name, text.as_bytes(), &[]).expect("it fits");
        let start = Instant::now();
        let result = match self {
            Self::Primary(primary) => {
                primary.send_within(message, timeout).map(|sent| outcomes(&sent.outcomes))
            }
            Self::Client(client) => client.send_within(message, timeout).map(|()| "Sent".into()),
        };
        let took = start.elapsed().as_millis();
        format!("{took} {}", result.unwrap_or_else(|error| variant(&error)))
    }
}

/// `pid=<replier's> fds=<count> <text>`
fn one(reply: &Reply) -> String {
    format!("pid={} fds={} {}", reply.peer.pid(), reply.message.fds.len(), text(&reply.message))
}

/// `sent=<n> received=<n> <pid>:<outcome> …`
fn all(replies: &Replies) -> String {
    format!("sent={} received={} {}", replies.sent(), replies.received(), outcomes(&replies.outcomes))
}

fn outcomes(outcomes: &[(mp_core::Member, mp_core::Outcome)]) -> String {
    let one = |(member, outcome): &(mp_core::Member, _)| format!("{}:{outcome:?}", member.pid().unwrap_or(0));
    outcomes.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// An error's variant, and its text after it.
fn variant<E: std::error::Error>(error: &E) -> String {
    let variant = format!("{error:?}");
    let end = variant.find(|c: char| !c.is_alphanumeric()).unwrap_or(variant.len());
    format!("{}: {}", &variant[..end], text_of(error))
}

/// An error's text and those of its sources.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// `<counter>=<value> …`, and `<reason>=<value>` for each reason of rejection.
fn counters(statistics: &Statistics) -> String {
    let mut text = format!(
        "messages={} requests={} replies={} ignores={} sent_replies={} sent_ignores={} lost={} backlogged={} panics={}",
        statistics.messages_received,
        statistics.requests_received,
        statistics.replies_received,
        statistics.ignores_received,
        statistics.replies_sent,
        statistics.ignores_sent,
        statistics.answers_lost,
        statistics.backlogged,
        statistics.handler_panics,
    );
    for reason in Rejection::ALL {
        let _ = write!(text, " {reason:?}={}", statistics.rejected(reason));
    }
    text
}

fn limit_fds(count: usize) -> String {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(count as u64), maximum };
    format!("{:?}", setrlimit(Resource::Nofile, limit))
}

/// Lets SIGUSR1 interrupt whatever blocks, and do nothing else.
fn interruptible() -> String {
    #![allow(unsafe_code)]
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: all zeros is a valid `sigaction`: no flags, so no restarting, and
    // an empty mask. The handler does nothing, so it is safe at any time.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(libc::c_int) as usize;
        libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut())
    };
    result.to_string()
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.param).into_owned()
}

fn name(name: &str) -> Name {
    Name::new(name).expect("a valid name")
}

fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

fn millis(word: &str) -> Duration {
    Duration::from_millis(word.parse().expect("milliseconds"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no panic")
}

/// Writes a line in one piece.
fn tell(line: &str) {
    // Whoever started this may have gone.
    let _ = std::io::stdout().lock().write_all(format!("{line}\n").as_bytes());
}

fn read_line() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).ok()?;
    (read > 0).then_some(line)
}
