//! Owns the latest-only slot: a channel for one value, in which a newer value takes the place of one that
//! still waits.

use crossbeam_channel::{Receiver, Sender, bounded};

/// The end that puts values in. There is one only: two could take each other's value out.
#[derive(Debug)]
pub struct Slot<T> {
    sender: Sender<T>,
    waiting: Receiver<T>,
}

/// A slot and the end that takes values out.
pub fn slot<T>() -> (Slot<T>, Receiver<T>) {
    let (sender, receiver) = bounded(1);
    (Slot { sender, waiting: receiver.clone() }, receiver)
}

impl<T> Slot<T> {
    /// Puts a value in, never waiting. `merge(old, new)` says what stands for a value that still waited and
    /// the new one.
    pub fn put(&self, value: T, merge: impl FnOnce(T, T) -> T) {
        let value = match self.waiting.try_recv() {
            Ok(old) => merge(old, value),
            Err(_) => value,
        };
        // Only this end fills the slot, it was just emptied, and it keeps a receiver: this cannot fail.
        let _ = self.sender.try_send(value);
    }

    /// Takes back a value that still waits.
    pub fn take_back(&self) -> Option<T> {
        self.waiting.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_replaces_the_waiting_one() {
        let (slot, receiver) = slot();
        slot.put(1, |_, new| new);
        slot.put(2, |_, new| new);
        assert_eq!(receiver.try_recv(), Ok(2));
        assert!(receiver.try_recv().is_err());
        slot.put(3, |_, new| new);
        slot.put(4, |old, new| old * 10 + new);
        assert_eq!(receiver.try_recv(), Ok(34));
    }

    #[test]
    fn a_dropped_slot_closes_the_other_end() {
        let (slot, receiver) = slot::<i32>();
        drop(slot);
        assert!(receiver.recv().is_err());
    }
}
