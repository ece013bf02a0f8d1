//! Maps of large things.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

/// A map whose values lie in boxes of their own: a node of the tree has room for eleven values from the first one on, and on
/// a microcontroller eleven notes are memory that is not there.
pub(crate) type Boxes<K, V> = BTreeMap<K, Box<V>>;
