// SPDX-License-Identifier: BSL-1.0

//! crossbeam-channel

#[path = "scenarios.rs"]
mod scenarios;

use crossbeam_channel::{bounded, select, unbounded, Receiver, Sender};
use scenarios::{Channel, Peer, SELECTED};

struct Crossbeam;
struct Unbounded;
struct Bounded;

impl Peer for Crossbeam {
    const NAME: &'static str = "crossbeam";
    const RENDEZVOUS: bool = true;
    const SELECTS: bool = true;
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

    fn send_any(senders: &[Sender<T>; SELECTED], message: T) {
        send_any(senders, message);
    }

    fn recv_any(receivers: &mut [Receiver<T>; SELECTED]) -> T {
        recv_any(receivers)
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

    fn send_any(senders: &[Sender<T>; SELECTED], message: T) {
        send_any(senders, message);
    }

    fn recv_any(receivers: &mut [Receiver<T>; SELECTED]) -> T {
        recv_any(receivers)
    }
}

fn send_any<T>(s: &[Sender<T>; SELECTED], message: T) {
    select! {
        send(s[0], message) -> sent => sent.unwrap(),
        send(s[1], message) -> sent => sent.unwrap(),
        send(s[2], message) -> sent => sent.unwrap(),
        send(s[3], message) -> sent => sent.unwrap(),
    }
}

fn recv_any<T>(r: &mut [Receiver<T>; SELECTED]) -> T {
    select! {
        recv(r[0]) -> message => message.unwrap(),
        recv(r[1]) -> message => message.unwrap(),
        recv(r[2]) -> message => message.unwrap(),
        recv(r[3]) -> message => message.unwrap(),
    }
}

fn main() {
    scenarios::main::<Crossbeam>();
}
