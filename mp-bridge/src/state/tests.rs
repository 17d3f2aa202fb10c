//! Both sides against each other, without a server and with a clock that is moved.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mp_core::{Name, Param, Reason, Why};

use super::{Away, BEAT, BindFailed, Home, Output, Refusal, Side, Terms, To};
use crate::{
    counters::{Counters, Statistics},
    frame::{Answer, Body, Content, Frame},
    names::{Names, Pattern},
};

const GRACE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);
const HOME: u64 = 1;
const AWAY: u64 = 2;

fn terms(me: u64, host: &str) -> Terms {
    let names = Names { deny: vec![Pattern::new("secret")], ..Names::default() };
    Terms { me, host: host.into(), names, grace: GRACE, patience: PATIENCE, queue: 4 }
}

fn content(name: &'static str) -> Content {
    Content { name: Name::from_static(name), fingerprint: 9, param: Param::new(*b"abc").expect("short") }
}

/// A home and another host, and what a server would do between them.
struct Pair {
    home: Home,
    away: Away,
    counters: [Arc<Counters>; 2],
    now: Instant,
    /// Whether frames arrive.
    is_up: bool,
    /// Frames that arrive twice.
    doubles: bool,
    at_home: Vec<Output>,
    there: Vec<Output>,
}

impl Pair {
    /// The home's claim holds, and its primary is there.
    fn joined() -> Self {
        let counters = [Arc::<Counters>::default(), Arc::default()];
        let mut this = Self {
            home: Home::new(terms(HOME, "home"), Arc::clone(&counters[0])),
            away: Away::new(terms(AWAY, "away"), Arc::clone(&counters[1]), 100),
            counters,
            now: Instant::now(),
            is_up: true,
            doubles: false,
            at_home: Vec::new(),
            there: Vec::new(),
        };
        this.home.connected(true, this.now);
        this.away.connected(true, this.now);
        this.home.primary(Some(7));
        this.pass(Duration::from_secs(2));
        assert!(this.there.contains(&Output::Bind { generation: 1 }), "{:?}", this.there);
        this.forget();
        this
    }

    fn forget(&mut self) {
        self.at_home.clear();
        self.there.clear();
    }

    /// Lets that much time pass, and hands frames over.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.settle();
            if self.now >= until {
                return;
            }
            self.now += BEAT;
            self.home.tick(self.now);
            self.away.tick(self.now);
        }
    }

    fn settle(&mut self) {
        loop {
            let (to_away, at_home) = drain(&mut self.home);
            let (to_home, there) = drain(&mut self.away);
            let is_done = to_away.is_empty() && to_home.is_empty();
            self.at_home.extend(at_home);
            self.there.extend(there);
            for (frames, side) in
                [(to_away, &mut self.away as &mut dyn Side), (to_home, &mut self.home as &mut dyn Side)]
            {
                for frame in frames.into_iter().filter(|_| self.is_up) {
                    if self.doubles {
                        side.frame(frame.clone(), self.now);
                    }
                    side.frame(frame, self.now);
                }
            }
            if is_done {
                return;
            }
        }
    }

    fn counted(&self) -> [Statistics; 2] {
        [self.counters[0].snapshot(), self.counters[1].snapshot()]
    }
}

/// The frames for the other side, and what is to be done on this one.
fn drain(side: &mut dyn Side) -> (Vec<Frame>, Vec<Output>) {
    let (mut frames, mut outputs) = (Vec::new(), Vec::new());
    loop {
        if let Some(output) = side.next_output() {
            match output {
                Output::Send { to: To::Home | To::Bridge(HOME | AWAY), frame } => frames.push(frame),
                Output::Tell(_) => {}
                other => outputs.push(other),
            }
        } else if let Some((_, frame)) = side.next_frame() {
            frames.push(frame);
        } else {
            return (frames, outputs);
        }
    }
}

fn session(pair: &Pair) -> u64 {
    let mut sessions = pair.at_home.iter().rev().filter_map(|output| match output {
        Output::Join { session, .. } => Some(*session),
        _ => None,
    });
    sessions.next().expect("a member has joined")
}

#[test]
fn a_member_joins_and_leaves_at_home() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    let host = "away".into();
    let joined = Output::Join { session: session(&pair), member: 5, pid: 77, host };
    assert_eq!(pair.at_home, [joined]);
    let left = Output::Leave { session: session(&pair), member: 5 };
    pair.away.left(5);
    pair.settle();
    assert_eq!(pair.at_home[1..], [left]);
}

#[test]
fn a_request_crosses_and_its_answer_comes_back_once_though_every_frame_comes_twice() {
    let mut pair = Pair::joined();
    pair.doubles = true;
    let id = pair.away.asked(1, content("echo"), pair.now);
    pair.settle();
    let [Output::Ask { session, id: asked, member: 0, content: what }] = &pair.at_home[..] else {
        panic!("{:?}", pair.at_home)
    };
    assert_eq!(*what, content("echo"));
    let (session, asked) = (*session, *asked);
    pair.home.answered(session, asked, Answer::Reply(Param::EMPTY));
    pair.settle();
    assert_eq!(pair.there, [Output::Answer { id, answer: Answer::Reply(Param::EMPTY) }]);
    let [home, away] = pair.counted();
    assert!(home.twice >= 1 && away.twice >= 1);
    // One more answer, as to a request that is over.
    pair.home.answered(session, asked, Answer::Nothing);
    pair.settle();
    assert_eq!(pair.there.len(), 1);
}

#[test]
fn a_request_that_nobody_answers_is_left_when_patience_ends() {
    let mut pair = Pair::joined();
    let id = pair.away.asked(1, content("echo"), pair.now);
    pair.pass(PATIENCE - BEAT);
    assert_eq!(pair.there, []);
    pair.pass(BEAT);
    assert_eq!(pair.there, [Output::Answer { id, answer: Answer::Nothing }]);
}

#[test]
fn a_host_that_is_cut_off_is_gone_on_both_sides_after_the_grace_and_comes_back() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    let first = session(&pair);
    let id = pair.away.asked(1, content("echo"), pair.now);
    pair.settle();
    pair.forget();
    pair.is_up = false;
    pair.pass(GRACE - BEAT);
    assert_eq!((&pair.at_home[..], &pair.there[..]), (&[][..], &[][..]));
    pair.pass(2 * BEAT);
    assert_eq!(pair.at_home, [Output::Leave { session: first, member: 5 }]);
    assert_eq!(pair.there, [Output::Unbind, Output::Answer { id, answer: Answer::gone() }]);
    pair.forget();
    pair.is_up = true;
    pair.pass(2 * BEAT);
    assert_eq!(pair.there, [Output::Bind { generation: 1 }]);
    assert_ne!(session(&pair), first, "nothing of the first session is taken for one of this");
    // Its answer comes for the first session.
    pair.home.answered(first, id, Answer::Reply(Param::EMPTY));
    pair.settle();
    assert_eq!(pair.there.len(), 1);
}

#[test]
fn a_bridge_that_has_ended_is_gone_at_once() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    pair.home.nobody(AWAY, pair.now);
    pair.away.nobody(HOME, pair.now);
    pair.is_up = false;
    pair.settle();
    assert!(matches!(pair.at_home.last(), Some(Output::Leave { member: 5, .. })));
    assert_eq!(pair.there, [Output::Unbind]);
}

#[test]
fn while_the_server_restarts_what_is_said_waits_and_nobody_counts_as_gone() {
    let mut pair = Pair::joined();
    pair.home.connected(false, pair.now);
    pair.away.connected(false, pair.now);
    for _ in 0..3 {
        pair.away.said(1, content("note"));
    }
    pair.away.connected(true, pair.now);
    // The other end is not back yet.
    pair.away.nobody(HOME, pair.now);
    pair.settle();
    assert_eq!(pair.at_home, []);
    pair.home.connected(true, pair.now);
    pair.pass(BEAT);
    assert_eq!(pair.at_home.len(), 3);
    assert_eq!(pair.there, [], "the primary stays");
}

#[test]
fn over_the_bound_messages_are_dropped_and_requests_answered_ignore() {
    let mut pair = Pair::joined();
    pair.away.connected(false, pair.now);
    for _ in 0..6 {
        pair.away.said(1, content("note"));
    }
    let id = pair.away.asked(1, content("echo"), pair.now);
    pair.settle();
    let why = Why::new(Reason::Overloaded, "the bridge to its host");
    assert_eq!(pair.there, [Output::Answer { id, answer: Answer::Ignore(why) }]);
    let [_, away] = pair.counted();
    assert_eq!((away.dropped, away.refused), (2, 1));
    pair.away.connected(true, pair.now);
    pair.pass(BEAT);
    assert_eq!(pair.at_home.len(), 4);
}

#[test]
fn after_a_lost_frame_the_session_begins_anew() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    let first = session(&pair);
    pair.away.said(1, content("note"));
    let lost = pair.away.next_frame().expect("a message").1;
    assert!(matches!(lost.body, Body::Message { .. }));
    pair.away.said(1, content("note"));
    pair.forget();
    pair.pass(2 * BEAT);
    assert_eq!(pair.at_home[0], Output::Leave { session: first, member: 5 });
    assert_ne!(session(&pair), first);
    assert_eq!(pair.there, [Output::Unbind, Output::Bind { generation: 1 }]);
    assert_eq!(pair.counted()[0].gaps, 1);
}

#[test]
fn a_restarted_bridge_is_another_and_what_the_first_was_asked_is_left() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    let first = session(&pair);
    let id = pair.home.asked(first, 5, content("echo"), pair.now);
    pair.settle();
    pair.forget();
    pair.away = Away::new(terms(AWAY, "away"), Arc::clone(&pair.counters[1]), 200);
    pair.away.joined(1, 77);
    pair.pass(2 * BEAT);
    let left = Output::Leave { session: first, member: 5 };
    assert_eq!(pair.at_home[..2], [left, Output::Answer { id, answer: Answer::gone() }]);
    assert!(matches!(pair.at_home[2], Output::Join { member: 1, .. }));
}

#[test]
fn a_primary_that_another_replaces_is_another_on_every_host() {
    let mut pair = Pair::joined();
    let id = pair.away.asked(1, content("echo"), pair.now);
    pair.settle();
    pair.home.primary(Some(8));
    pair.settle();
    let unbound =
        [Output::Unbind, Output::Bind { generation: 2 }, Output::Answer { id, answer: Answer::gone() }];
    assert_eq!(pair.there, unbound);
    pair.forget();
    pair.home.primary(None);
    pair.settle();
    assert_eq!(pair.there, [Output::Unbind]);
    // What comes in for the primary that was.
    let id = pair.away.asked(2, content("echo"), pair.now);
    pair.settle();
    assert_eq!(pair.there[1..], [Output::Answer { id, answer: Answer::gone() }]);
}

#[test]
fn of_two_homes_the_newcomer_is_refused_and_both_are_told() {
    let mut pair = Pair::joined();
    let mut newcomer = Home::new(terms(9, "other"), Arc::default());
    newcomer.connected(true, pair.now);
    newcomer.tick(pair.now);
    let claim = newcomer.common().outputs.iter().find_map(|output| match output {
        Output::Send { frame, .. } => Some(frame.clone()),
        _ => None,
    });
    pair.home.frame(claim.expect("it claims"), pair.now);
    let outputs: Vec<_> = std::iter::from_fn(|| pair.home.next_output()).collect();
    let [Output::Send { to: To::Bridge(9), frame }, Output::Tell(told)] = &outputs[..] else {
        panic!("{outputs:?}")
    };
    assert!(told.contains("other has a primary"), "{told}");
    newcomer.frame(frame.clone(), pair.now);
    let refused = Output::Stop(Refusal::HomeTaken { host: "home".into() });
    assert!(std::iter::from_fn(|| newcomer.next_output()).any(|output| output == refused));
}

#[test]
fn a_home_does_nothing_for_others_before_its_claim_holds() {
    let mut home = Home::new(terms(HOME, "home"), Arc::default());
    let now = Instant::now();
    let hello = Body::Hello { host: "away".into(), is_little_endian: cfg!(target_endian = "little") };
    let hello = Frame { from: AWAY, session: 5, sequence: 0, body: hello };
    // Without a connection nobody could object, however long it takes.
    home.tick(now + 10 * GRACE);
    home.frame(hello.clone(), now);
    assert!(
        !home.common().outputs.iter().any(|output| matches!(output, Output::Send { to: To::Bridge(_), .. }))
    );
    home.connected(true, now + 10 * GRACE);
    home.tick(now + 11 * GRACE);
    home.frame(hello, now);
    assert!(
        home.common().outputs.iter().any(|output| matches!(output, Output::Send { to: To::Bridge(_), .. }))
    );
}

#[test]
fn a_host_with_a_primary_of_its_own_is_refused_and_both_are_told() {
    let mut pair = Pair::joined();
    pair.away.joined(5, 77);
    pair.settle();
    pair.forget();
    pair.away.bind_failed(1, BindFailed::Taken("pid 8".into()), pair.now);
    pair.settle();
    assert_eq!(pair.there, [Output::Stop(Refusal::PrimaryHere { why: "pid 8".into() })]);
    assert!(matches!(pair.at_home[..], [Output::Leave { member: 5, .. }]));
}

#[test]
fn what_is_in_the_way_of_the_moment_is_tried_again() {
    let mut pair = Pair::joined();
    pair.away.bind_failed(1, BindFailed::Other("the lock is held".into()), pair.now);
    pair.pass(2 * Duration::from_secs(1));
    assert_eq!(pair.there, [Output::Bind { generation: 1 }]);
}

#[test]
fn a_name_that_may_not_come_in_is_refused_whatever_the_other_side_lets_out() {
    let mut pair = Pair::joined();
    let id = pair.away.asked(1, content("secret"), pair.now);
    pair.away.said(1, content("secret"));
    pair.settle();
    assert_eq!(pair.at_home, []);
    let answer = Answer::Ignore(crate::names::denied());
    assert_eq!(pair.there, [Output::Answer { id, answer }]);
    assert_eq!(pair.counted()[0].denied, 2);
}
