//! `specie vectors`: checks files of test vectors against this implementation.

mod compliance;
mod core_entry;
mod fields;
mod reject_entry;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use specie_core::group::{Generators, RistrettoPoint, Scalar, encode_point};

use crate::answer::Answer;
use crate::failure::Failure;
use fields::Fields;

/// Check test vectors, one verdict per entry.
#[derive(Args, Debug)]
#[command(after_help = "\
EXAMPLES:
  specie vectors vectors/core.json
  specie vectors vectors/core.json vectors/reject.json vectors/compliance.json
  specie --json vectors vectors/compliance.json

Every value of an entry is computed anew and compared bit for bit. Entries with `accept` are shows, or what their `kind` \
says, with the verdict that a verifier must reach. The exit status is 1 when anything differs.")]
pub(crate) struct Vectors {
    /// Files in the format of those in the repository's folder `vectors`
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What came of one entry.
struct Verdict {
    entry: String,
    agrees: bool,
    detail: String,
    differences: Vec<String>,
    unknown: Vec<String>,
}

impl Vectors {
    pub(crate) fn run(&self) -> Result<Answer, Failure> {
        let generators = Generators::new();
        let mut human = String::new();
        let mut files = Vec::new();
        let mut agrees = true;
        for path in &self.files {
            let verdicts = check_file(&generators, path)?;
            let good = verdicts.iter().filter(|verdict| verdict.agrees).count();
            agrees &= good == verdicts.len();
            let name = path.display().to_string();
            for verdict in &verdicts {
                human.push_str(&verdict.line(&name));
            }
            human.push_str(&format!("{name}: {good} of {} agree\n", verdicts.len()));
            files.push(json!({
                "file": name,
                "agrees": good == verdicts.len(),
                "entries": verdicts.iter().map(Verdict::to_json).collect::<Vec<_>>(),
            }));
        }
        Ok(Answer::verdict(agrees, human, json!({ "agrees": agrees, "files": files })))
    }
}

fn check_file(generators: &Generators, path: &Path) -> Result<Vec<Verdict>, Failure> {
    let name = path.display().to_string();
    let text = fs::read(path).map_err(|error| Failure::file(&name, &error))?;
    let not_vectors = |why: &str| {
        Failure::refused("not-vectors", format!("{name}: {why}"), "give a file in the format of vectors/core.json")
    };
    let file: Value = serde_json::from_slice(&text).map_err(|error| not_vectors(&format!("no JSON: {error}")))?;
    if file["version"] != json!(1) {
        return Err(not_vectors("`version` is not 1"));
    }
    let entries = file["vectors"].as_array().filter(|entries| !entries.is_empty());
    let entries = entries.ok_or_else(|| not_vectors("there is no array `vectors` with entries in it"))?;
    let mut verdicts = Vec::new();
    if !file["generators"].is_null() {
        verdicts.push(check_generators(generators, &file["generators"]));
    }
    verdicts.extend(entries.iter().enumerate().map(|(index, entry)| check_entry(generators, index, entry)));
    Ok(verdicts)
}

fn check_generators(generators: &Generators, value: &Value) -> Verdict {
    let mut fields = Fields::new(value);
    let base = RistrettoPoint::mul_base(&Scalar::ONE);
    for (name, point) in [("G", &base), ("H", &generators.H), ("K", &generators.K)] {
        fields.compare(name, &encode_point(point));
    }
    Verdict::of("generators".to_owned(), fields, None)
}

fn check_entry(generators: &Generators, index: usize, entry: &Value) -> Verdict {
    let name = format!("[{index}]");
    let mut fields = Fields::new(entry);
    let detail = if entry.get("kind").is_some() {
        Some(compliance::check(generators, &mut fields))
    } else if entry.get("accept").is_some() {
        reject_entry::check(generators, &mut fields)
    } else {
        core_entry::check(generators, &mut fields);
        None
    };
    Verdict::of(name, fields, detail)
}

impl Verdict {
    fn of(entry: String, fields: Fields<'_>, detail: Option<String>) -> Self {
        let (compared, differences, unknown) = fields.finish();
        let detail = detail.unwrap_or_else(|| format!("{compared} values"));
        Self { entry, agrees: differences.is_empty(), detail, differences, unknown }
    }

    fn line(&self, file: &str) -> String {
        let verdict = if self.agrees { "ok     " } else { "DIFFERS" };
        let mut text = format!("{verdict} {file}{}{}: {}\n", separator(&self.entry), self.entry, self.detail);
        for difference in &self.differences {
            text.push_str(&format!("          {difference}\n"));
        }
        if !self.unknown.is_empty() {
            text.push_str(&format!("          not checked, unknown: {}\n", self.unknown.join(", ")));
        }
        text
    }

    fn to_json(&self) -> Value {
        json!({
            "entry": self.entry,
            "agrees": self.agrees,
            "detail": self.detail,
            "differences": self.differences,
            "not_checked": self.unknown,
        })
    }
}

fn separator(entry: &str) -> &'static str {
    if entry.starts_with('[') { "" } else { " " }
}
