//! `specie vectors`: every value counts.

use std::fs;

use serde_json::{Value, json};

use crate::running::{repository, specie};

/// Entries of `vectors/compliance.json`.
const COMPLIANCE: usize = 470;

fn write(folder: &tempfile::TempDir, value: &Value) -> String {
    let path = folder.path().join("vectors.json");
    fs::write(&path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn read(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(repository(path)).unwrap()).unwrap()
}

#[test]
fn the_vectors_of_the_repository_agree() {
    for (file, entries) in
        [("vectors/core.json", 7), ("vectors/reject.json", 18), ("vectors/compliance.json", COMPLIANCE)]
    {
        let run = specie(&["vectors", &repository(file)]).exits(0);
        assert!(run.stdout.ends_with(&format!("{entries} of {entries} agree\n")), "{}", run.stdout);
        let json = specie(&["--json", "vectors", &repository(file)]).exits(0).json();
        assert_eq!(json["agrees"], json!(true));
        assert_eq!(json["files"][0]["entries"].as_array().unwrap().len(), entries);
        assert!(json["files"][0]["entries"].as_array().unwrap().iter().all(|entry| entry["not_checked"] == json!([])));
    }
}

/// Changes one digit of every value of every entry that holds, in turn: each change must be noticed and no other entry blamed.
#[test]
fn a_change_of_any_value_differs() {
    let folder = tempfile::tempdir().unwrap();
    let core = read("vectors/core.json");
    let compliance = read("vectors/compliance.json");
    let accepted = compliance["vectors"].as_array().unwrap().iter().filter(|entry| entry["accept"] == true);
    for entry in core["vectors"].as_array().unwrap().iter().take(1).chain(accepted) {
        let mut paths = Vec::new();
        leaves(entry, String::new(), &mut paths);
        // These are not computed from anything: what is said, and limits and moments, which the refused entries have.
        paths.retain(|path| !["/why", "/max_holding", "/max_cumulative", "/now"].contains(&path.as_str()));
        let mut changed: Vec<Value> = paths.iter().map(|path| change(entry, path)).collect();
        changed.push(entry.clone());
        let path = write(&folder, &json!({ "version": 1, "vectors": changed }));
        let json = specie(&["--json", "vectors", &path]).exits(1).json();
        let verdicts = json["files"][0]["entries"].as_array().unwrap();
        for (path, verdict) in paths.iter().zip(verdicts) {
            assert_eq!(verdict["agrees"], json!(false), "{} {path}", entry["kind"]);
        }
        assert_eq!(verdicts.last().unwrap()["agrees"], json!(true));
    }
}

#[test]
fn a_missing_value_differs() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = read("vectors/core.json");
    file["vectors"][0]["issue"].as_object_mut().unwrap().remove("epsilon");
    file["generators"]["H"] = file["generators"]["K"].clone();
    let run = specie(&["vectors", &write(&folder, &file)]).exits(1);
    assert!(run.stdout.contains("issue.epsilon: missing"), "{}", run.stdout);
    assert!(run.stdout.contains("5 of 7 agree"), "{}", run.stdout);
}

#[test]
fn the_other_verdict_differs() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = read("vectors/reject.json");
    for entry in file["vectors"].as_array_mut().unwrap() {
        let accept = entry["accept"].as_bool().unwrap();
        entry["accept"] = json!(!accept);
    }
    let run = specie(&["vectors", &write(&folder, &file)]).exits(1);
    assert!(run.stdout.contains("0 of 18 agree"), "{}", run.stdout);
    let mut file = read("vectors/compliance.json");
    for entry in file["vectors"].as_array_mut().unwrap() {
        let accept = entry["accept"].as_bool().unwrap();
        entry["accept"] = json!(!accept);
    }
    let run = specie(&["vectors", &write(&folder, &file)]).exits(1);
    assert!(run.stdout.contains(&format!("0 of {COMPLIANCE} agree")), "{}", run.stdout);
}

#[test]
fn refuses_what_is_no_file_of_vectors() {
    let folder = tempfile::tempdir().unwrap();
    for no_vectors in [json!(1), json!({ "version": 2, "vectors": [1] }), json!({ "version": 1, "vectors": [] })] {
        let run = specie(&["vectors", &write(&folder, &no_vectors)]).exits(1);
        assert!(run.stdout.is_empty() && run.stderr.contains("not-vectors"), "{run:?}");
    }
    fs::write(folder.path().join("binary"), [0xFF; 100]).unwrap();
    let run = specie(&["vectors", folder.path().join("binary").to_str().unwrap()]).exits(1);
    assert!(run.stderr.contains("not-vectors"), "{run:?}");
    let run = specie(&["vectors", "no/such/file"]).exits(2);
    assert!(run.stderr.contains("No money moved"), "{run:?}");
    specie(&["vectors"]).exits(2);
}

fn leaves(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| leaves(value, format!("{path}/{name}"), paths));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, format!("{path}/{index}"), paths));
        }
        _ => paths.push(path),
    }
}

fn change(entry: &Value, path: &str) -> Value {
    let mut entry = entry.clone();
    let value = entry.pointer_mut(path).unwrap();
    let Some(text) = value.as_str() else {
        *value = match &*value {
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) => json!(number.as_u64().unwrap() ^ 1),
            Value::Null => json!("00"),
            other => panic!("{path}: {other}"),
        };
        return entry;
    };
    let digit = if text.starts_with('0') { "1" } else { "0" };
    let rest: String = text.chars().skip(1).collect();
    *value = json!(if text.is_empty() { "00".to_owned() } else { digit.to_owned() + &rest });
    entry
}
