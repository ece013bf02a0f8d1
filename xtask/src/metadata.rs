//! What `cargo metadata` says of the workspace: the few fields that the checks read.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The workspace and every package it is built from.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    /// Workspace members and, unless read with [`Metadata::of_workspace`], all their dependencies.
    pub(crate) packages: Vec<Package>,
    workspace_members: Vec<String>,
    #[serde(default)]
    workspace_default_members: Vec<String>,
    /// Directory of the root manifest.
    pub(crate) workspace_root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
}

/// One package, of the workspace or from outside.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) id: String,
    /// SPDX expression, if the manifest has one.
    #[serde(default)]
    pub(crate) license: Option<String>,
    /// `None` for a package of this workspace.
    #[serde(default)]
    pub(crate) source: Option<String>,
    #[serde(default)]
    pub(crate) default_run: Option<String>,
    #[serde(default)]
    pub(crate) features: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) dependencies: Vec<Dependency>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
}

/// One line of a manifest's dependency tables.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for an ordinary dependency, else `dev` or `build`.
    #[serde(default)]
    pub(crate) kind: Option<String>,
}

/// A library, program, test or benchmark of a package.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    kind: Vec<String>,
}

impl Metadata {
    /// Reads the workspace's own packages; needs no network.
    pub(crate) fn of_workspace() -> Result<Self> {
        Self::read(&["--no-deps"])
    }

    /// Reads the workspace and everything in its lock file, downloading what is not there yet.
    pub(crate) fn of_everything() -> Result<Self> {
        Self::read(&[])
    }

    fn read(extra: &[&str]) -> Result<Self> {
        let output = Command::new(crate::command::cargo_program())
            .args(["metadata", "--locked", "--format-version", "1"])
            .args(extra)
            .output()
            .context("cargo could not be started to read the workspace's metadata")?;
        ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        serde_json::from_slice(&output.stdout).context("cargo metadata printed something that is not its format 1")
    }

    /// The packages of this workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// The packages that a cargo command without `-p` takes.
    pub(crate) fn default_members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_default_members.contains(&package.id))
    }

    /// The workspace's package of this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|package| package.name == name)
    }
}

impl Package {
    /// Names of the package's targets of one kind: `bin`, `test` or `bench`.
    pub(crate) fn targets_of_kind(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.targets
            .iter()
            .filter(move |target| target.kind.iter().any(|own| own == kind))
            .map(|target| target.name.as_str())
    }

    /// Dependencies that end up in what is built, so all but those of tests.
    pub(crate) fn built_dependencies(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
            .map(|dependency| dependency.name.as_str())
    }
}

#[cfg(test)]
pub(crate) mod synthetic {
    //! Metadata made up for the tests of the checks.

    use super::*;

    /// A workspace of packages, all of them default members.
    pub(crate) fn workspace(packages: Vec<Package>) -> Metadata {
        let members: Vec<String> =
            packages.iter().filter(|package| package.source.is_none()).map(|package| package.id.clone()).collect();
        Metadata {
            packages,
            workspace_default_members: members.clone(),
            workspace_members: members,
            workspace_root: PathBuf::new(),
            target_directory: PathBuf::new(),
        }
    }

    /// A package with ordinary dependencies.
    pub(crate) fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.into(),
            version: "1.0.0".into(),
            id: format!("{name} 1.0.0"),
            license: Some("MIT OR Apache-2.0".into()),
            source: None,
            default_run: None,
            features: BTreeMap::new(),
            dependencies: dependencies.iter().map(|&name| Dependency { name: name.into(), kind: None }).collect(),
            targets: Vec::new(),
        }
    }

    /// A package from a registry.
    pub(crate) fn external(name: &str, version: &str, license: Option<&str>) -> Package {
        Package {
            version: version.into(),
            id: format!("{name} {version}"),
            license: license.map(Into::into),
            source: Some("registry+https://registry.example/index".into()),
            ..package(name, &[])
        }
    }

    /// A target of one kind.
    pub(crate) fn target(name: &str, kind: &str) -> Target {
        Target { name: name.into(), kind: vec![kind.into()] }
    }

    #[test]
    fn a_package_knows_its_targets_and_built_dependencies() {
        let mut cli = package("specie-cli", &["specie-device"]);
        cli.targets = vec![target("specie", "bin"), target("kill", "test")];
        cli.dependencies.push(Dependency { name: "tempfile".into(), kind: Some("dev".into()) });
        assert_eq!(cli.targets_of_kind("test").collect::<Vec<_>>(), ["kill"]);
        assert_eq!(cli.built_dependencies().collect::<Vec<_>>(), ["specie-device"]);
        let metadata = workspace(vec![cli, external("tempfile", "3.0.0", None)]);
        assert_eq!(metadata.members().count(), 1);
        assert!(metadata.member("tempfile").is_none());
    }
}
