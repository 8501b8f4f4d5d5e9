// SPDX-License-Identifier: BSL-1.0

//! async-channel, by the calls that block a thread.

#[path = "scenarios.rs"]
mod scenarios;

use async_channel::{bounded, unbounded, Receiver, Sender};
use scenarios::{Channel, Peer};

struct AsyncChannel;
struct Unbounded;
struct Bounded;

impl Peer for AsyncChannel {
    const NAME: &'static str = "async_channel";
    const RENDEZVOUS: bool = false;
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
        sender.send_blocking(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv_blocking().unwrap()
    }
}

impl<T: Send + 'static> Channel<T> for Bounded {
    type Sender = Sender<T>;
    type Receiver = Receiver<T>;

    fn make(capacity: usize) -> (Sender<T>, Receiver<T>) {
        bounded(capacity)
    }

    fn send(sender: &Sender<T>, message: T) {
        sender.send_blocking(message).unwrap();
    }

    fn recv(receiver: &mut Receiver<T>) -> T {
        receiver.recv_blocking().unwrap()
    }
}

fn main() {
    scenarios::main::<AsyncChannel>();
}
