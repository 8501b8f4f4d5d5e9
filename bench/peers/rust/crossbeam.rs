// SPDX-License-Identifier: BSL-1.0

//! crossbeam-channel

#[path = "scenarios.rs"]
mod scenarios;

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};
use scenarios::{Channel, Peer};

struct Crossbeam;
struct Unbounded;
struct Bounded;

impl Peer for Crossbeam {
    const NAME: &'static str = "crossbeam";
    const RENDEZVOUS: bool = true;
    type Unbounded = Unbounded;
    type Bounded = Bounded;
}

impl<T: Send + 'static> Channel<T> for Unbounded {
    type Sender = Sender<T>;
    type Receiver = Receiver<T>;

    fn make(_: usize) -> (Sender<T>, Receiver<T>) {
        unbounded()
    }

    fn send(sender: &Sender<T>, message: T) {
        sender.send(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv().unwrap()
    }
}

impl<T: Send + 'static> Channel<T> for Bounded {
    type Sender = Sender<T>;
    type Receiver = Receiver<T>;

    fn make(capacity: usize) -> (Sender<T>, Receiver<T>) {
        bounded(capacity)
    }

    fn send(sender: &Sender<T>, message: T) {
        sender.send(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv().unwrap()
    }
}

fn main() {
    scenarios::main::<Crossbeam>();
}
