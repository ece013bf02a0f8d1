//! The settings of a service as they are in force, for people and machines.

use serde_json::{Map, json};
use specie_server::settings::{Origin, Setting};

use crate::answer::Answer;

/// Lists them, each with who says so.
pub(crate) fn show(settings: &[Setting]) -> Answer {
    let width = settings.iter().map(|setting| setting.key.len() + setting.value.len() + 3).max().unwrap_or(0).min(60);
    let mut human = String::new();
    let mut machine = Map::new();
    for Setting { key, value, from } in settings {
        let from = match from {
            Origin::Default => "default".to_owned(),
            Origin::File => "file".to_owned(),
            Origin::Variable(name) => name.clone(),
        };
        let line = format!("{key} = {value}");
        human.push_str(&format!("{line:width$}  # {from}\n"));
        machine.insert(key.clone(), json!({ "value": value, "from": from }));
    }
    Answer::new(human, json!({ "settings": machine }))
}
