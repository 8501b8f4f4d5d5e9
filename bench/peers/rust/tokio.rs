// SPDX-License-Identifier: BSL-1.0

//! tokio::sync::mpsc, by the calls that block a thread.

#[path = "scenarios.rs"]
mod scenarios;

use scenarios::{Channel, Peer};
use tokio::sync::mpsc::{channel, unbounded_channel};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender};

struct Tokio;
struct Unbounded;
struct Bounded;

impl Peer for Tokio {
    const NAME: &'static str = "tokio";
    const RENDEZVOUS: bool = false;
    type Unbounded = Unbounded;
    type Bounded = Bounded;
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
