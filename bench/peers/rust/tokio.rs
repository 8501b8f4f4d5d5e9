// SPDX-License-Identifier: BSL-1.0

//! tokio::sync::mpsc, by the calls that block a thread; and in tasks, each thread of which runs a runtime of its own.

#[path = "scenarios.rs"]
mod scenarios;

use scenarios::{bytes, check, resident_bytes, Channel, Peer, Span};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender};

struct Tokio;
struct Unbounded;
struct Bounded;

impl Peer for Tokio {
    const NAME: &'static str = "tokio";
    const RENDEZVOUS: bool = false;
    const TASKS: bool = true;
    type Unbounded = Unbounded;
    type Bounded = Bounded;

    fn run_in_tasks(shape: &str, capacity: usize, messages: u64) -> String {
        match shape {
            "task1" => task1(capacity, messages),
            "task2" => receiving_task(true, capacity, messages),
            "to_task" => receiving_task(false, capacity, messages),
            "waiting" => waiting(capacity, messages),
            _ => unreachable!(),
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn send(sender: Sender<u64>, first: u64, end: u64) {
    for number in first..end {
        sender.send(number).await.unwrap();
    }
}

async fn receive(receiver: &mut Receiver<u64>, messages: u64) -> u64 {
    let mut sum = 0u64;
    for _ in 0..messages {
        sum = sum.wrapping_add(receiver.recv().await.unwrap());
    }
    sum
}

fn task1(capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = channel(capacity);
    let runtime = runtime();
    let span = Span::of_threads(1);
    span.begin();
    let sum = runtime.block_on(async {
        tokio::spawn(send(sender, 0, messages));
        tokio::spawn(async move { receive(&mut receiver, messages).await })
            .await
            .unwrap()
    });
    let spent = span.end();
    check::<u64>(sum, messages);
    spent.per(messages)
}

fn receiving_task(sends_in_task: bool, capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = channel(capacity);
    let span = &Span::of_threads(2);
    thread::scope(|scope| {
        scope.spawn(move || {
            let runtime = runtime();
            span.begin();
            if sends_in_task {
                runtime.block_on(send(sender, 0, messages));
            } else {
                for number in 0..messages {
                    sender.blocking_send(number).unwrap();
                }
            }
        });
        let runtime = runtime();
        span.begin();
        let sum = runtime.block_on(receive(&mut receiver, messages));
        let spent = span.end();
        check::<u64>(sum, messages);
        spent.per(messages)
    })
}

static BEGUN: AtomicU64 = AtomicU64::new(0);

fn waiting(capacity: usize, messages: u64) -> String {
    let (sender, mut receiver) = channel(capacity);
    let runtime = runtime();
    let before = resident_bytes();
    runtime.block_on(async {
        for number in 0..messages {
            let sender = sender.clone();
            tokio::spawn(async move {
                BEGUN.fetch_add(1, Ordering::Relaxed);
                sender.send(number).await.unwrap();
            });
        }
        // All run on this thread: who has begun has come as far as it can.
        while BEGUN.load(Ordering::Relaxed) != messages {
            tokio::task::yield_now().await;
        }
    });
    let after = resident_bytes();
    let sum = runtime.block_on(receive(&mut receiver, messages));
    check::<u64>(sum, messages);
    bytes((after - before) as f64 / messages as f64)
}

impl<T: Send + 'static> Channel<T> for Unbounded {
    type Sender = UnboundedSender<T>;
    type Receiver = UnboundedReceiver<T>;

    fn make(_: usize) -> (UnboundedSender<T>, UnboundedReceiver<T>) {
        unbounded_channel()
    }

    fn send(sender: &UnboundedSender<T>, message: T) {
        // The error is printable only where the message is.
        sender.send(message).ok().unwrap();
    }

    fn recv(receiver: &mut UnboundedReceiver<T>) -> T {
        receiver.blocking_recv().unwrap()
    }
}

impl<T: Send + 'static> Channel<T> for Bounded {
    type Sender = Sender<T>;
    type Receiver = Receiver<T>;

    fn make(capacity: usize) -> (Sender<T>, Receiver<T>) {
        channel(capacity)
    }

    fn send(sender: &Sender<T>, message: T) {
        sender.blocking_send(message).ok().unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.blocking_recv().unwrap()
    }
}

fn main() {
    scenarios::main::<Tokio>();
}
