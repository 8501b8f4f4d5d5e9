// SPDX-License-Identifier: BSL-1.0

//! std::sync::mpsc

#[path = "scenarios.rs"]
mod scenarios;

use scenarios::{Channel, Peer};
use std::sync::mpsc::{channel, sync_channel, Receiver, Sender, SyncSender};

struct Std;
struct Unbounded;
struct Bounded;

impl Peer for Std {
    const NAME: &'static str = "rust_std";
    const RENDEZVOUS: bool = true;
    type Unbounded = Unbounded;
    type Bounded = Bounded;
}

impl<T: Send + 'static> Channel<T> for Unbounded {
    type Sender = Sender<T>;
    type Receiver = Receiver<T>;

    fn make(_: usize) -> (Sender<T>, Receiver<T>) {
        channel()
    }

    fn send(sender: &Sender<T>, message: T) {
        sender.send(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv().unwrap()
    }
}

impl<T: Send + 'static> Channel<T> for Bounded {
    type Sender = SyncSender<T>;
    type Receiver = Receiver<T>;

    fn make(capacity: usize) -> (SyncSender<T>, Receiver<T>) {
        sync_channel(capacity)
    }

    fn send(sender: &SyncSender<T>, message: T) {
        sender.send(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv().unwrap()
    }
}

fn main() {
    scenarios::main::<Std>();
}
