//! Maps and sets as sorted vectors.
//!
//! A wallet holds tens of things, rarely thousands: finding one takes the same few comparisons as in a tree, and adding one
//! moves less than a page of memory. In return memory grows with what is held (a node of a `BTreeMap` has room for eleven
//! values from the first one on), and the code is a third, which decides whether it fits on a microcontroller.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter::FusedIterator;

/// A map in the order of its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Map<K, V>(Vec<(K, V)>);

/// A map of large things, each in a box of its own: moving an entry moves a pointer.
pub(crate) type Boxes<K, V> = Map<K, Box<V>>;

/// A set in the order of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Set<T>(Map<T, ()>);

impl<K: Ord, V> Map<K, V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.get_key_value(key).map(|(_, value)| value)
    }

    pub(crate) fn get_key_value(&self, key: &K) -> Option<(&K, &V)> {
        let position = self.find(key).ok()?;
        self.0.get(position).map(|(key, value)| (key, value))
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let position = self.find(key).ok()?;
        self.0.get_mut(position).map(|(_, value)| value)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Puts `value` under `key`; gives what was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(position) => Some(core::mem::replace(&mut self.0[position].1, value)),
            Err(position) => {
                self.0.insert(position, (key, value));
                None
            }
        }
    }

    /// What is under `key`; where that is nothing, the default, which is there from now on.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let position = self.find(&key).unwrap_or_else(|position| {
            self.0.insert(position, (key, V::default()));
            position
        });
        &mut self.0[position].1
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let position = self.find(key).ok()?;
        Some(self.0.remove(position).1)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator + FusedIterator + Clone {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The entries from `key` on.
    pub(crate) fn from(&self, key: K) -> impl DoubleEndedIterator<Item = (&K, &V)> + use<'_, K, V> {
        let position = self.find(&key).unwrap_or_else(|position| position);
        self.0[position..].iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }

    /// Where a key is, or would be. At the end first: most things come in order.
    fn find(&self, key: &K) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if last < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(other, _)| other.cmp(key)),
        }
    }
}

impl<T: Ord> Set<T> {
    pub(crate) const fn new() -> Self {
        Self(Map::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, member: &T) -> bool {
        self.0.contains_key(member)
    }

    /// Adds a member; whether it was none before.
    pub(crate) fn insert(&mut self, member: T) -> bool {
        self.0.insert(member, ()).is_none()
    }

    /// Removes a member; whether it was one.
    pub(crate) fn remove(&mut self, member: &T) -> bool {
        self.0.remove(member).is_some()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.0.keys()
    }

    /// The members from `member` on.
    pub(crate) fn from(&self, member: T) -> impl DoubleEndedIterator<Item = &T> + use<'_, T> {
        self.0.from(member).map(|(member, ())| member)
    }
}

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> Default for Set<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        entries.into_iter().for_each(|(key, value)| drop(map.insert(key, value)));
        map
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        Self(members.into_iter().map(|member| (member, ())).collect())
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = core::iter::Map<alloc::vec::IntoIter<(T, ())>, fn((T, ())) -> T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().map(|(member, ())| member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::{BTreeMap, BTreeSet};
    use proptest::prelude::*;

    proptest! {
        /// Whatever is done, it is what a tree would hold.
        #[test]
        fn holds_what_a_tree_holds(steps in prop::collection::vec((0u8..3, 0u8..20, any::<u16>()), 0..200)) {
            let (mut map, mut tree): (Map<u8, u16>, BTreeMap<u8, u16>) = Default::default();
            let (mut set, mut tree_set): (Set<u8>, BTreeSet<u8>) = Default::default();
            for (what, key, value) in steps {
                match what {
                    0 => {
                        prop_assert_eq!(map.insert(key, value), tree.insert(key, value));
                        prop_assert_eq!(set.insert(key), tree_set.insert(key));
                    }
                    1 => {
                        prop_assert_eq!(map.remove(&key), tree.remove(&key));
                        prop_assert_eq!(set.remove(&key), tree_set.remove(&key));
                    }
                    _ => {
                        *map.or_default(key) ^= value;
                        *tree.entry(key).or_default() ^= value;
                        prop_assert_eq!(map.get(&key), tree.get(&key));
                    }
                }
                prop_assert!(map.iter().eq(tree.iter()) && map.keys().rev().eq(tree.keys().rev()));
                prop_assert!(map.from(key).eq(tree.range(key..)) && set.from(key).eq(tree_set.range(key..)));
                prop_assert_eq!((map.len(), map.contains_key(&key)), (tree.len(), tree.contains_key(&key)));
            }
            prop_assert!(map.clone().into_iter().eq(tree.clone()) && set.clone().into_iter().eq(tree_set.clone()));
            let again: Map<u8, u16> = tree.iter().rev().map(|(key, value)| (*key, *value)).collect();
            prop_assert_eq!(again, map);
        }
    }
}
