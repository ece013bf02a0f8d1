//! Settings of a service: a TOML file, and what the environment says over it.
//!
//! `SPECIE_BANK_SWEEP_SECONDS=30` is the key `sweep_seconds` of a bank; two underscores lead into a table, so that
//! `SPECIE_PSP_BANK__ADDRESS` is `address` in `[bank]`. A value is written as in TOML; a text needs no quotation marks
//! where it could be nothing else.

use std::env;

use serde::Serialize;
use serde::de::DeserializeOwned;
use specie_store::Place;
use thiserror::Error;
use toml::{Table, Value};

/// The variables of one service.
#[derive(Clone, Debug)]
pub struct Environment {
    prefix: &'static str,
    variables: Vec<(String, String)>,
}

/// A setting as it is in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its key, with those of the tables around it.
    pub key: String,
    /// Its value as in TOML; a password in it is left out.
    pub value: String,
    /// Who says so.
    pub from: Origin,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody said anything else.
    Default,
    /// The file.
    File,
    /// This variable of the environment.
    Variable(String),
}

/// Why settings cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file is no TOML, or has unknown, missing or wrong keys.
    #[error("the configuration is wrong: {}", .0.to_string().trim_end())]
    File(#[from] toml::de::Error),
    /// A variable of the environment is none of the settings, or its value cannot be.
    #[error("the environment variable {name} is wrong: {}", reason.trim_end())]
    Variable {
        /// Which one.
        name: String,
        /// What is wrong.
        reason: String,
    },
}

impl Environment {
    /// What this process was started with for a bank.
    pub fn of_bank() -> Self {
        Self::of_process("SPECIE_BANK_")
    }

    /// What this process was started with for a PSP.
    pub fn of_psp() -> Self {
        Self::of_process("SPECIE_PSP_")
    }

    /// Nothing.
    pub const fn empty() -> Self {
        Self { prefix: "", variables: Vec::new() }
    }

    fn of_process(prefix: &'static str) -> Self {
        let all = env::vars_os()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        Self::of(prefix, all)
    }

    fn of(prefix: &'static str, all: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: Vec<_> = all.into_iter().filter(|(name, _)| name.starts_with(prefix)).collect();
        variables.sort();
        Self { prefix, variables }
    }

    /// The keys that lead to the setting of this variable, outermost first.
    fn path(&self, name: &str) -> Vec<String> {
        name[self.prefix.len()..].split("__").map(str::to_ascii_lowercase).collect()
    }

    fn origin(&self, key: &str) -> Option<Origin> {
        let names = self.variables.iter().map(|(name, _)| name);
        let mut found = names.filter(|name| self.path(name).join(".") == key);
        found.next().map(|name| Origin::Variable(name.clone()))
    }
}

/// The settings that a file's text and the environment over it come to.
///
/// # Errors
/// When either is wrong; a variable is named.
pub fn read<T: DeserializeOwned>(text: &str, environment: &Environment) -> Result<T, SettingsError> {
    let file: Table = toml::from_str(text)?;
    if environment.variables.is_empty() {
        // From the text, so that what is wrong has a line.
        return Ok(toml::from_str(text)?);
    }
    let mut together = file.clone();
    for (name, value) in &environment.variables {
        set(&mut together, &environment.path(name), parsed(value));
    }
    together.try_into().map_err(|error: toml::de::Error| blame::<T>(text, &file, environment, error))
}

/// Every setting of `config`, which `text` and the environment came to, in the order of its keys.
pub fn listed(config: &impl Serialize, text: &str, environment: &Environment) -> Vec<Setting> {
    let table = Table::try_from(config).expect("the types of a configuration are TOML");
    let file: Table = toml::from_str(text).unwrap_or_default();
    let mut said = Vec::new();
    flatten("", &file, &mut said);
    let mut all = Vec::new();
    flatten("", &table, &mut all);
    let from = |key: &str| {
        let in_file = said.iter().any(|(known, _)| known == key);
        environment.origin(key).unwrap_or(if in_file { Origin::File } else { Origin::Default })
    };
    all.into_iter().map(|(key, value)| Setting { from: from(&key), value: masked(&value), key }).collect()
}

/// Finds the variable that is wrong by itself, if one is.
fn blame<T: DeserializeOwned>(
    text: &str,
    file: &Table,
    environment: &Environment,
    error: toml::de::Error,
) -> SettingsError {
    if let Err(error) = toml::from_str::<T>(text) {
        return error.into();
    }
    for (name, value) in &environment.variables {
        let mut alone = file.clone();
        set(&mut alone, &environment.path(name), parsed(value));
        if let Err(error) = alone.try_into::<T>() {
            return SettingsError::Variable { name: name.clone(), reason: error.to_string() };
        }
    }
    error.into()
}

/// A value as in TOML, else a text.
fn parsed(value: &str) -> Value {
    let table = toml::from_str::<Table>(&format!("value = {value}")).ok().filter(|table| table.len() == 1);
    table.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()))
}

/// Sets what `path` leads to; what is in the way is replaced.
fn set(table: &mut Table, path: &[String], value: Value) {
    let [outer, inner @ ..] = path else { return };
    if inner.is_empty() {
        table.insert(outer.clone(), value);
        return;
    }
    let next = table.entry(outer.clone()).or_insert_with(|| Value::Table(Table::new()));
    if !next.is_table() {
        *next = Value::Table(Table::new());
    }
    set(next.as_table_mut().expect("it is one now"), inner, value);
}

/// Keys with what is not a table itself.
fn flatten(prefix: &str, table: &Table, into: &mut Vec<(String, Value)>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => flatten(&key, inner, into),
            value => into.push((key, value.clone())),
        }
    }
}

/// A database's address without its password.
fn masked(value: &Value) -> String {
    match value.as_str().map(str::parse::<Place>) {
        Some(Ok(place @ Place::Server { .. })) => Value::String(place.to_string()).to_string(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Serialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Config {
        listen: String,
        #[serde(default)]
        seconds: u64,
        database: String,
        inner: Inner,
    }

    #[derive(Deserialize, Serialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        address: String,
        list: Vec<u8>,
    }

    const FILE: &str = "listen = 'a'\ndatabase = 'x.db'\n[inner]\naddress = 'b'\nlist = [1]\n";

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::of("SPECIE_T_", variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn the_environment_is_over_the_file_and_whatever_is_of_others_is_left_alone() {
        let variables = environment(&[
            ("SPECIE_T_SECONDS", "30"),
            ("SPECIE_T_INNER__ADDRESS", "http://127.0.0.1:1"),
            ("SPECIE_T_INNER__LIST", "[2, 3]"),
            ("SPECIE_T_LISTEN", "\"7\""),
            ("SPECIE_TOTAL", "1"),
            ("PATH", "1"),
        ]);
        let config: Config = read(FILE, &variables).unwrap();
        let inner = Inner { address: "http://127.0.0.1:1".into(), list: vec![2, 3] };
        assert_eq!(config, Config { listen: "7".into(), seconds: 30, database: "x.db".into(), inner });
        assert_eq!(read::<Config>(FILE, &Environment::empty()).unwrap().seconds, 0);
    }

    #[test]
    fn a_wrong_variable_is_named_and_a_wrong_file_is_not_blamed_on_it() {
        for (name, value, said) in [
            ("SPECIE_T_SECOND", "3", "second"),
            ("SPECIE_T_SECONDS", "soon", "invalid type"),
            ("SPECIE_T_INNER__ADRESS", "x", "adress"),
            ("SPECIE_T_INNER", "x", "invalid type"),
            ("SPECIE_T_", "x", "unknown field"),
            // What looks like more than one value is a text.
            ("SPECIE_T_SECONDS", "1\nlisten = 'mine'", "invalid type"),
        ] {
            let error = read::<Config>(FILE, &environment(&[("SPECIE_T_LISTEN", "fine"), (name, value)])).unwrap_err();
            assert!(matches!(&error, SettingsError::Variable { name: blamed, .. } if blamed == name), "{error}");
            assert!(error.to_string().contains(said), "{error}");
        }
        let wrong = format!("unknown = 1\n{FILE}");
        let error = read::<Config>(&wrong, &environment(&[("SPECIE_T_SECONDS", "3")])).unwrap_err();
        assert!(matches!(&error, SettingsError::File(_)) && error.to_string().contains("unknown"), "{error}");
    }

    #[test]
    fn settings_are_listed_with_who_says_so_and_no_password() {
        let variables = environment(&[("SPECIE_T_DATABASE", "postgres://anna:secret@db.example/bank")]);
        let config: Config = read(FILE, &variables).unwrap();
        let listed = listed(&config, FILE, &variables);
        let of = |key: &str| listed.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!(of("database").from, Origin::Variable("SPECIE_T_DATABASE".into()));
        assert!(of("database").value.contains("db.example") && !of("database").value.contains("secret"));
        assert_eq!((of("seconds").from.clone(), of("seconds").value.as_str()), (Origin::Default, "0"));
        assert_eq!((of("inner.list").from.clone(), of("inner.list").value.as_str()), (Origin::File, "[1]"));
    }
}
