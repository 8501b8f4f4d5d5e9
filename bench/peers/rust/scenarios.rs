// SPDX-License-Identifier: BSL-1.0

//! The scenarios of ../../README.md, over any library that `Peer` can stand for.
//!
//! It keeps to what Rust 1.63 has, the compiler of Debian 12.

use std::env;
use std::fs;
use std::mem;
use std::os::raw::{c_int, c_long};
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

pub trait Peer {
    const NAME: &'static str;
    const RENDEZVOUS: bool;
    const SELECTS: bool = false;
    const TASKS: bool = false;
    type Unbounded: Kind;
    type Bounded: Kind;

    /// `task1`, `task2`, `to_task` and `waiting`. Only where TASKS.
    fn run_in_tasks(_shape: &str, _capacity: usize, _messages: u64) -> String {
        unreachable!()
    }
}

pub trait Channel<T> {
    type Sender: Clone + Send + 'static;
    type Receiver: Send + 'static;

    /// An unbounded channel takes no notice of the capacity.
    fn make(capacity: usize) -> (Self::Sender, Self::Receiver);
    fn send(sender: &Self::Sender, message: T);
    fn recv(receiver: &mut Self::Receiver) -> T;

    /// To, and from, whichever of four channels is ready first. Only where `Peer::SELECTS`.
    fn send_any(_senders: &[Self::Sender; SELECTED], _message: T) {
        unreachable!()
    }
    fn recv_any(_receivers: &mut [Self::Receiver; SELECTED]) -> T {
        unreachable!()
    }
}

pub const SELECTED: usize = 4;

/// A channel for each of the messages.
pub trait Kind:
    Channel<u64> + Channel<Boxed> + Channel<Block<8>> + Channel<Block<64>> + Channel<Block<512>>
{
}

impl<K> Kind for K where
    K: Channel<u64> + Channel<Boxed> + Channel<Block<8>> + Channel<Block<64>> + Channel<Block<512>>
{
}

pub trait Message: Send + 'static {
    /// How often `sum` counts a number.
    const TIMES: u64;
    /// What messages are copied from.
    type Blank;

    fn blank() -> Self::Blank;
    fn of(number: u64, blank: &mut Self::Blank) -> Self;
    fn sum(&self) -> u64;
}

impl Message for u64 {
    const TIMES: u64 = 1;
    type Blank = ();

    fn blank() {}

    fn of(number: u64, _: &mut ()) -> Self {
        number
    }

    fn sum(&self) -> u64 {
        *self
    }
}

/// Allocated by the sender, and freed by the receiver.
pub type Boxed = Box<u64>;

impl Message for Boxed {
    const TIMES: u64 = 1;
    type Blank = ();

    fn blank() {}

    fn of(number: u64, _: &mut ()) -> Self {
        Box::new(number)
    }

    fn sum(&self) -> u64 {
        **self
    }
}

#[derive(Clone, Copy)]
pub struct Block<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Message for Block<WORDS> {
    const TIMES: u64 = 2;
    type Blank = Self;

    /// The compiler must not know what is in the words, or it would fill each message anew instead of copying it.
    fn blank() -> Self {
        Block([*opaque(&0); WORDS])
    }

    fn of(number: u64, blank: &mut Self) -> Self {
        blank.0[0] = number;
        blank.0[WORDS - 1] = number;
        *blank
    }

    /// The compiler must take the whole message for used, or it would not copy the words between out of the channel.
    fn sum(&self) -> u64 {
        let words = &opaque(self).0;
        words[0].wrapping_add(words[WORDS - 1])
    }
}

/// The same reference, of which the compiler knows nothing any more. (`std::hint::black_box` came with Rust 1.66.)
fn opaque<T>(value: &T) -> &T {
    let pointer: *const T = value;
    unsafe { &*ptr::read_volatile(&pointer) }
}

pub fn main<P: Peer>() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["info"] => info::<P>(),
        ["list"] => {
            for scenario in list::<P>() {
                println!("{}", scenario);
            }
        }
        ["run", scenario, messages] => run::<P>(scenario, messages, "60"),
        ["run", scenario, messages, seconds] => run::<P>(scenario, messages, seconds),
        _ => misuse("usage: info | list | run SCENARIO MESSAGES [SECONDS]"),
    }
}

fn info<P: Peer>() {
    println!(
        r#"{{"name":"{}","version":"{}","class":"blocking"}}"#,
        P::NAME,
        env!("PEER_VERSION")
    );
}

#[rustfmt::skip]
fn list<P: Peer>() -> Vec<String> {
    let kinds: [(&str, &[&str]); 6] = [
        ("unbounded", &[
            "seq", "hot", "spsc", "mpsc2", "mpsc4", "mpsc8", "mpsc16", "rtt", "oneshot", "clone", "parked",
            "queued", "idle", "burst", "spsc_64", "spsc_512", "spsc_4096", "mpsc4_box", "select_rx", "select_both",
            "forkjoin4",
        ]),
        ("boundedN", &["seq", "spsc", "mpsc4", "select_rx", "select_both"]),
        ("bounded1024", &[
            "hot", "spsc", "mpsc2", "mpsc4", "mpsc8", "mpsc16", "rtt", "parked", "spsc_64", "spsc_512", "spsc_4096",
        ]),
        ("bounded64", &["spsc", "mpsc4", "mpsc16_box", "pool4", "task1", "task2", "to_task"]),
        ("bounded1", &[
            "spsc", "mpsc4", "mpsc16", "mpsc4_box", "rtt", "chain4", "oneshot", "parked", "idle", "task1", "task2",
            "to_task", "waiting",
        ]),
        ("bounded0", &["spsc", "mpsc4", "mpsc16", "rtt", "parked", "select_rx", "select_both"]),
    ];
    let mut scenarios = Vec::new();
    for (kind, shapes) in kinds {
        if kind != "bounded0" || P::RENDEZVOUS {
            let offered = shapes
                .iter()
                .filter(|shape| P::SELECTS || !shape.starts_with("select"))
                .filter(|shape| P::TASKS || !is_of_tasks(shape));
            scenarios.extend(offered.map(|shape| format!("{}_{}", kind, shape)));
        }
    }
    scenarios
}

fn run<P: Peer>(scenario: &str, messages: &str, seconds: &str) {
    let known = list::<P>().iter().any(|name| name == scenario);
    let (kind, shape) = match scenario.split_once('_') {
        Some(parts) if known => parts,
        _ => misuse("no such scenario"),
    };
    let messages = match messages.parse::<u32>() {
        Ok(number) if number > 0 => u64::from(number),
        _ => misuse("MESSAGES must be a whole number from 1 to 4294967295"),
    };
    let seconds = match seconds.parse::<u32>() {
        Ok(number) => u64::from(number),
        _ => misuse("SECONDS must be a whole number"),
    };
    start_bystander();
    let result = match kind {
        "unbounded" => run_shape::<P::Unbounded>(shape, 0, messages, seconds),
        "boundedN" => run_shape::<P::Bounded>(shape, messages as usize, messages, seconds),
        _ => {
            let capacity = kind["bounded".len()..].parse().unwrap();
            if is_of_tasks(shape) {
                P::run_in_tasks(shape, capacity, messages)
            } else {
                run_shape::<P::Bounded>(shape, capacity, messages, seconds)
            }
        }
    };
    println!("{}", result);
}

fn is_of_tasks(shape: &str) -> bool {
    matches!(shape, "task1" | "task2" | "to_task" | "waiting")
}

/// A thread that only sleeps. While a process has but one, the C library leaves out atomic operations in its allocator.
/// Channels are for programs with threads, and that is what `seq` and its like must show.
fn start_bystander() {
    let started = Arc::new(Barrier::new(2));
    let bystander = Arc::clone(&started);
    thread::spawn(move || {
        bystander.wait();
        loop {
            thread::park();
        }
    });
    started.wait();
}

fn run_shape<K: Kind>(shape: &str, capacity: usize, messages: u64, seconds: u64) -> String {
    match shape {
        "seq" => seq::<K>(capacity, messages),
        "hot" => hot::<K>(capacity, messages),
        "spsc" => stream::<u64, K>(capacity, 1, messages),
        "spsc_64" => stream::<Block<8>, K>(capacity, 1, messages),
        "spsc_512" => stream::<Block<64>, K>(capacity, 1, messages),
        "spsc_4096" => stream::<Block<512>, K>(capacity, 1, messages),
        "mpsc4_box" => stream::<Boxed, K>(capacity, 4, messages),
        "mpsc16_box" => stream::<Boxed, K>(capacity, 16, messages),
        "mpsc2" => stream::<u64, K>(capacity, 2, messages),
        "mpsc4" => stream::<u64, K>(capacity, 4, messages),
        "mpsc8" => stream::<u64, K>(capacity, 8, messages),
        "mpsc16" => stream::<u64, K>(capacity, 16, messages),
        "rtt" => rtt::<K>(capacity, messages),
        "chain4" => chain::<K>(capacity, 4, messages),
        "pool4" => pool::<K>(capacity, 4, messages),
        "forkjoin4" => fork_join::<K>(capacity, 4, messages),
        "oneshot" => oneshot::<K>(capacity, messages),
        "clone" => clone::<K>(capacity, messages),
        "parked" => parked::<K>(capacity, messages),
        "queued" => queued::<K>(capacity, messages),
        "idle" => idle::<K>(capacity, messages),
        "burst" => burst::<K>(capacity, messages, seconds),
        "select_rx" => select_stream::<K>(capacity, false, messages),
        "select_both" => select_stream::<K>(capacity, true, messages),
        _ => unreachable!(),
    }
}

fn seq<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = C::make(capacity);
    let span = Span::of_threads(1);
    span.begin();
    send_numbers::<u64, C>(&sender, 0, messages);
    let sum = receive_numbers::<u64, C>(&mut receiver, messages);
    let spent = span.end();
    check::<u64>(sum, messages);
    spent.per(messages)
}

fn hot<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = C::make(capacity);
    let mut sum = 0u64;
    let span = Span::of_threads(1);
    span.begin();
    for number in 0..messages {
        C::send(&sender, number);
        sum = sum.wrapping_add(C::recv(&mut receiver));
    }
    let spent = span.end();
    check::<u64>(sum, messages);
    spent.per(messages)
}

fn stream<T: Message, C: Channel<T>>(capacity: usize, producers: u64, messages: u64) -> String {
    let (sender, mut receiver) = C::make(capacity);
    let span = &Span::of_threads(producers as usize + 1);
    thread::scope(|scope| {
        for producer in 0..producers {
            let sender = sender.clone();
            scope.spawn(move || {
                let first = producer * messages / producers;
                let end = (producer + 1) * messages / producers;
                span.begin();
                send_numbers::<T, C>(&sender, first, end);
            });
        }
        drop(sender);
        span.begin();
        let sum = receive_numbers::<T, C>(&mut receiver, messages);
        let spent = span.end();
        check::<T>(sum, messages);
        spent.per(messages)
    })
}

/// Each channel has its producer, or each producer any channel.
fn select_stream<C: Channel<u64>>(capacity: usize, both: bool, messages: u64) -> String {
    let mut receivers = Vec::new();
    let senders = [(); SELECTED].map(|_| {
        let (sender, receiver) = C::make(capacity);
        receivers.push(receiver);
        sender
    });
    let mut receivers: [C::Receiver; SELECTED] = receivers.try_into().ok().unwrap();
    let span = &Span::of_threads(SELECTED + 1);
    let share = SELECTED as u64;
    thread::scope(|scope| {
        for producer in 0..share {
            let senders = senders.clone();
            scope.spawn(move || {
                let first = producer * messages / share;
                let end = (producer + 1) * messages / share;
                span.begin();
                if both {
                    for number in first..end {
                        C::send_any(&senders, number);
                    }
                } else {
                    send_numbers::<u64, C>(&senders[producer as usize], first, end);
                }
            });
        }
        let mut sum = 0u64;
        span.begin();
        for _ in 0..messages {
            sum = sum.wrapping_add(C::recv_any(&mut receivers));
        }
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

fn rtt<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let (ping_sender, mut ping_receiver) = C::make(capacity);
    let (pong_sender, mut pong_receiver) = C::make(capacity);
    let span = &Span::of_threads(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            span.begin();
            pass_on::<C>(&mut ping_receiver, &pong_sender, messages);
        });
        let mut sum = 0u64;
        span.begin();
        for number in 0..messages {
            C::send(&ping_sender, number);
            sum = sum.wrapping_add(C::recv(&mut pong_receiver));
        }
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

fn pass_on<C: Channel<u64>>(receiver: &mut C::Receiver, sender: &C::Sender, messages: u64) {
    for _ in 0..messages {
        C::send(sender, C::recv(receiver));
    }
}

/// One thread sends, so many pass each message on, and one receives.
fn chain<C: Channel<u64>>(capacity: usize, stages: usize, messages: u64) -> String {
    let span = &Span::of_threads(stages + 2);
    thread::scope(|scope| {
        let (first, mut last) = C::make(capacity);
        for _ in 0..stages {
            let (sender, receiver) = C::make(capacity);
            let mut before = mem::replace(&mut last, receiver);
            scope.spawn(move || {
                span.begin();
                pass_on::<C>(&mut before, &sender, messages);
            });
        }
        scope.spawn(move || {
            span.begin();
            send_numbers::<u64, C>(&first, 0, messages);
        });
        span.begin();
        let sum = receive_numbers::<u64, C>(&mut last, messages);
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

/// Starts so many threads, which send on what they receive: how to send to each of them, and to receive from all.
fn start_workers<'scope, C: Channel<u64>>(
    scope: &'scope thread::Scope<'scope, '_>,
    span: &'scope Span,
    capacity: usize,
    workers: u64,
    messages: u64,
) -> (Vec<C::Sender>, C::Receiver) {
    let (sender, receiver) = C::make(capacity);
    let tasks = (0..workers).map(|worker| {
        let (task, mut assigned) = C::make(capacity);
        let sender = sender.clone();
        scope.spawn(move || {
            span.begin();
            pass_on::<C>(&mut assigned, &sender, (messages + workers - 1 - worker) / workers);
        });
        task
    });
    (tasks.collect(), receiver)
}

/// One thread deals out to the workers, each of which has its channel, and these send to one that receives.
fn pool<C: Channel<u64>>(capacity: usize, workers: u64, messages: u64) -> String {
    let span = &Span::of_threads(workers as usize + 2);
    thread::scope(|scope| {
        let (tasks, mut results) = start_workers::<C>(scope, span, capacity, workers, messages);
        scope.spawn(move || {
            span.begin();
            for number in 0..messages {
                C::send(&tasks[(number % workers) as usize], number);
            }
        });
        span.begin();
        let sum = receive_numbers::<u64, C>(&mut results, messages);
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

/// One thread sends a message to each of the workers, then receives as many answers, and begins anew.
fn fork_join<C: Channel<u64>>(capacity: usize, workers: u64, messages: u64) -> String {
    let span = &Span::of_threads(workers as usize + 1);
    thread::scope(|scope| {
        let (tasks, mut results) = start_workers::<C>(scope, span, capacity, workers, messages);
        let mut sum = 0u64;
        span.begin();
        for first in (0..messages).step_by(workers as usize) {
            let end = messages.min(first + workers);
            for number in first..end {
                C::send(&tasks[(number - first) as usize], number);
            }
            sum = sum.wrapping_add(receive_numbers::<u64, C>(&mut results, end - first));
        }
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

fn oneshot<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let mut sum = 0u64;
    // What only the first channel of a process costs.
    drop(C::make(capacity));
    let span = Span::of_threads(1);
    span.begin();
    for number in 0..messages {
        let (sender, mut receiver) = C::make(capacity);
        C::send(&sender, number);
        sum = sum.wrapping_add(C::recv(&mut receiver));
    }
    let spent = span.end();
    check::<u64>(sum, messages);
    spent.per(messages)
}

fn clone<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = C::make(capacity);
    let span = Span::of_threads(1);
    span.begin();
    for _ in 0..messages {
        drop(opaque(&sender).clone());
    }
    let spent = span.end();
    send_numbers::<u64, C>(&sender, 0, 2);
    check::<u64>(receive_numbers::<u64, C>(&mut receiver, 2), 2);
    spent.per(messages)
}

fn parked<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    const PERIOD: u64 = 100_000;
    let (sender, mut receiver) = C::make(capacity);
    let mut delays = vec![0; messages as usize];
    let span = &Span::of_threads(2);
    thread::scope(|scope| {
        let producer = scope.spawn(move || {
            let mut sum = 0u64;
            span.begin();
            let mut due = now(WALL);
            for _ in 0..messages {
                let early = due.saturating_sub(now(WALL));
                if early > 0 {
                    thread::sleep(Duration::from_nanos(early));
                }
                let sent = now(WALL);
                C::send(&sender, sent);
                sum = sum.wrapping_add(sent);
                // A late thread must not send a burst: that would find the receiver awake.
                due = now(WALL).max(due + PERIOD);
            }
            sum
        });
        let mut sum = 0u64;
        span.begin();
        for delay in &mut delays {
            let sent = C::recv(&mut receiver);
            *delay = now(WALL) - sent;
            sum = sum.wrapping_add(sent);
        }
        let spent = span.end();
        expect(sum, producer.join().unwrap());
        delays.sort_unstable();
        let quantile = |thousandths| delays[delays.len() * thousandths / 1000];
        format!(
            r#"{{"p50_ns":{},"p99_ns":{},"p999_ns":{},"cpu_ns":{:.2}}}"#,
            quantile(500),
            quantile(990),
            quantile(999),
            spent.cpu as f64 / messages as f64
        )
    })
}

fn queued<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let before = resident_bytes();
    let (sender, mut receiver) = C::make(capacity);
    send_numbers::<u64, C>(&sender, 0, messages);
    let after = resident_bytes();
    check::<u64>(receive_numbers::<u64, C>(&mut receiver, messages), messages);
    bytes((after - before) as f64 / messages as f64)
}

fn idle<C: Channel<u64>>(capacity: usize, messages: u64) -> String {
    let mut channels = Vec::with_capacity(messages as usize);
    touch(&mut channels);
    let before = resident_bytes();
    for _ in 0..messages {
        channels.push(C::make(capacity));
    }
    let after = resident_bytes();
    let mut sum = 0u64;
    for (number, (sender, receiver)) in (0..messages).zip(&mut channels) {
        C::send(sender, number);
        sum = sum.wrapping_add(C::recv(receiver));
    }
    check::<u64>(sum, messages);
    bytes((after - before) as f64 / messages as f64)
}

fn burst<C: Channel<u64>>(capacity: usize, messages: u64, seconds: u64) -> String {
    let before = resident_bytes();
    let (sender, mut receiver) = C::make(capacity);
    send_numbers::<u64, C>(&sender, 0, messages);
    check::<u64>(receive_numbers::<u64, C>(&mut receiver, messages), messages);
    thread::sleep(Duration::from_secs(seconds));
    let after = resident_bytes();
    send_numbers::<u64, C>(&sender, 0, 2);
    check::<u64>(receive_numbers::<u64, C>(&mut receiver, 2), 2);
    bytes((after - before) as f64)
}

fn send_numbers<T: Message, C: Channel<T>>(sender: &C::Sender, first: u64, end: u64) {
    let mut blank = T::blank();
    for number in first..end {
        C::send(sender, T::of(number, &mut blank));
    }
}

fn receive_numbers<T: Message, C: Channel<T>>(receiver: &mut C::Receiver, messages: u64) -> u64 {
    let mut sum = 0u64;
    for _ in 0..messages {
        sum = sum.wrapping_add(C::recv(receiver).sum());
    }
    sum
}

pub fn check<T: Message>(sum: u64, messages: u64) {
    // Half of two numbers of which one is even: nothing is lost, and 2^32 messages do not overflow it.
    let numbers = messages * (messages - 1) / 2;
    expect(sum, numbers.wrapping_mul(T::TIMES));
}

fn expect(sum: u64, expected: u64) {
    if sum != expected {
        eprintln!("wrong sum: {} instead of {}", sum, expected);
        process::exit(1);
    }
}

fn misuse(text: &str) -> ! {
    eprintln!("{}", text);
    process::exit(2);
}

pub fn bytes(number: f64) -> String {
    format!(r#"{{"bytes":{:.2}}}"#, number)
}

/// Begins when all threads stand ready, which is when the first of them comes out of the barrier. The receiver may come
/// out long after it, where threads share a core.
pub struct Span {
    barrier: Barrier,
    wall: AtomicU64,
    cpu: AtomicU64,
}

pub struct Spent {
    wall: u64,
    cpu: u64,
}

impl Span {
    pub fn of_threads(threads: usize) -> Self {
        Span {
            barrier: Barrier::new(threads),
            wall: AtomicU64::new(u64::MAX),
            cpu: AtomicU64::new(u64::MAX),
        }
    }

    pub fn begin(&self) {
        self.barrier.wait();
        // Relaxed will do: who ends the span has received a message of the thread that began it.
        self.wall.fetch_min(now(WALL), Ordering::Relaxed);
        self.cpu.fetch_min(now(CPU), Ordering::Relaxed);
    }

    pub fn end(&self) -> Spent {
        let wall = now(WALL);
        let cpu = now(CPU);
        Spent {
            wall: wall - self.wall.load(Ordering::Relaxed),
            cpu: cpu - self.cpu.load(Ordering::Relaxed),
        }
    }
}

impl Spent {
    pub fn per(&self, messages: u64) -> String {
        format!(
            r#"{{"ns":{:.2},"cpu_ns":{:.2}}}"#,
            self.wall as f64 / messages as f64,
            self.cpu as f64 / messages as f64
        )
    }
}

// Numbers of Linux. The standard library has no clock of the processor time, and the libc crate is not at hand.
const WALL: c_int = 1;
const CPU: c_int = 2;
const PAGE_SIZE: c_int = 30;

#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanoseconds: c_long,
}

extern "C" {
    fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    fn sysconf(name: c_int) -> c_long;
}

fn now(clock: c_int) -> u64 {
    let mut time = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    unsafe { clock_gettime(clock, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

fn page_size() -> i64 {
    unsafe { sysconf(PAGE_SIZE) as i64 }
}

pub fn resident_bytes() -> i64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: i64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * page_size()
}

/// Makes the reserved memory resident.
fn touch<T>(reserved: &mut Vec<T>) {
    let start = reserved.as_mut_ptr() as *mut u8;
    let size = reserved.capacity() * mem::size_of::<T>();
    for offset in (0..size).step_by(page_size() as usize).chain(size.checked_sub(1)) {
        unsafe { ptr::write_volatile(start.add(offset), 0) };
    }
}
