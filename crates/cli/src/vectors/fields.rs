//! One entry of a file of vectors: its fields by path, what was compared, and what differed.

use std::collections::BTreeSet;

use serde_json::Value;
use specie_core::group::{Scalar, decode_scalar};

/// Reads fields by a dotted path (`issue.rnd`, `shows.0.d`) and keeps count.
pub(super) struct Fields<'v> {
    entry: &'v Value,
    seen: BTreeSet<String>,
    compared: usize,
    differences: Vec<String>,
}

impl<'v> Fields<'v> {
    pub(super) fn new(entry: &'v Value) -> Self {
        Self { entry, seen: BTreeSet::new(), compared: 0, differences: Vec::new() }
    }

    /// Bytes of a hex field that other values are computed from; a difference and `None` when it has none.
    pub(super) fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        match self.hex(path) {
            Ok(bytes) => Some(bytes),
            Err(why) => {
                self.differ(path, &why);
                None
            }
        }
    }

    /// Exactly `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, path: &str) -> Option<[u8; N]> {
        let bytes = self.bytes(path)?;
        let length = bytes.len();
        bytes.try_into().map_err(|_| self.differ(path, &format!("{length} bytes instead of {N}"))).ok()
    }

    /// A canonical scalar.
    pub(super) fn scalar(&mut self, path: &str) -> Option<Scalar> {
        let bytes = self.array(path)?;
        decode_scalar(&bytes).map_err(|error| self.differ(path, &error.to_string())).ok()
    }

    /// A whole number; a difference and `None` when it is none.
    pub(super) fn number(&mut self, path: &str) -> Option<u64> {
        let number = self.value(path).and_then(Value::as_u64);
        if number.is_none() {
            self.differ(path, "no whole number");
        }
        number
    }

    /// Exactly `N` bytes, or nothing where the file has `null`.
    pub(super) fn optional_array<const N: usize>(&mut self, path: &str) -> Option<Option<[u8; N]>> {
        if self.is_null(path) { Some(None) } else { self.array(path).map(Some) }
    }

    /// Whether the file has `null` there.
    pub(super) fn is_null(&mut self, path: &str) -> bool {
        self.value(path) == Some(&Value::Null)
    }

    /// What `made` says of a field; a difference when it says nothing.
    pub(super) fn good<T>(&mut self, path: &str, made: Option<T>) -> Option<T> {
        if made.is_none() {
            self.differ(path, "out of range");
        }
        made
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, path: &str) -> Option<bool> {
        let flag = self.value(path).and_then(Value::as_bool);
        if flag.is_none() {
            self.differ(path, "neither true nor false");
        }
        flag
    }

    /// A text, if there is one.
    pub(super) fn text(&mut self, path: &str) -> Option<&'v str> {
        self.value(path).and_then(Value::as_str)
    }

    /// How many items the array at `path` has.
    pub(super) fn length(&mut self, path: &str) -> usize {
        self.value(path).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Compares a hex field with what was computed for it.
    pub(super) fn compare(&mut self, path: &str, computed: &[u8]) {
        self.compared += 1;
        match self.hex(path) {
            Ok(bytes) if bytes == computed => {}
            Ok(bytes) => {
                self.differ(path, &format!("file has {}, computed {}", hex::encode(bytes), hex::encode(computed)));
            }
            Err(why) => self.differ(path, &format!("{why}; computed {}", hex::encode(computed))),
        }
    }

    /// Something that must hold about the field at `path`.
    pub(super) fn require(&mut self, path: &str, holds: bool, otherwise: &str) {
        self.compared += 1;
        if !holds {
            self.differ(path, otherwise);
        }
    }

    /// Records a difference.
    pub(super) fn differ(&mut self, path: &str, why: &str) {
        self.differences.push(format!("{path}: {why}"));
    }

    /// How many comparisons were made so far.
    pub(super) fn compared(&self) -> usize {
        self.compared
    }

    /// How many comparisons were made, what differed, and which fields nobody asked for.
    pub(super) fn finish(self) -> (usize, Vec<String>, Vec<String>) {
        let mut unknown = Vec::new();
        leaves(self.entry, "", &mut |path| {
            if !self.seen.contains(path) {
                unknown.push(path.to_owned());
            }
        });
        (self.compared, self.differences, unknown)
    }

    fn hex(&mut self, path: &str) -> Result<Vec<u8>, String> {
        let value = self.value(path).ok_or("missing")?;
        let text = value.as_str().ok_or("not a text")?;
        hex::decode(text).map_err(|error| format!("not hex: {error}"))
    }

    fn value(&mut self, path: &str) -> Option<&'v Value> {
        self.seen.insert(path.to_owned());
        path.split('.').try_fold(self.entry, |value, step| match step.parse::<usize>() {
            Ok(index) => value.get(index),
            Err(_) => value.get(step),
        })
    }
}

/// Calls `visit` with the path of every value that is no object, and of arrays' items.
fn leaves(value: &Value, path: &str, visit: &mut impl FnMut(&str)) {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(value, &below(name), visit)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &below(&index.to_string()), visit));
        }
        _ => visit(path),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tells_what_differs_and_what_nobody_asked_for() {
        let entry = json!({ "a": "0102", "b": { "c": "zz" }, "d": ["00"], "e": 1 });
        let mut fields = Fields::new(&entry);
        fields.compare("a", &[1, 2]);
        fields.compare("b.c", &[1]);
        fields.compare("d.0", &[1]);
        fields.compare("gone", &[]);
        let (compared, differences, unknown) = fields.finish();
        assert_eq!((compared, differences.len()), (4, 3), "{differences:?}");
        assert_eq!(unknown, ["e"]);
    }
}
