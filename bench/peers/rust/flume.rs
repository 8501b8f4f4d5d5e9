// SPDX-License-Identifier: BSL-1.0

//! flume

#[path = "scenarios.rs"]
mod scenarios;

use flume::{bounded, unbounded, Receiver, Sender};
use scenarios::{Channel, Peer};

struct Flume;
struct Unbounded;
struct Bounded;

impl Peer for Flume {
    const NAME: &'static str = "flume";
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
    scenarios::main::<Flume>();
}
