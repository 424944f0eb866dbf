//! Files with keys in them that others can see. For `doctor` and the worker; not for the hook,
//! because it asks git.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::context::Context;
use crate::field::to_snake;
use crate::file::{own_files, read};
use crate::git::git_command;
use crate::layer::{Layer, Origin};
use crate::process::ask;
use crate::product::Product;
use crate::trust::{Trust, project_file, repository_root};
use crate::value::is_reference;
use crate::warning::{Problem, Warning};

/// Longest time that git is waited for, per file.
const GIT_PATIENCE: Duration = Duration::from_secs(2);

/// Settings files of both products that hold a key (not a `${VAR}`) and that others can read or
/// that git tracks. Runs `git ls-files`, so it does not belong on the hook's path; where git is
/// missing or slow, nothing is said about tracking.
pub fn key_file_problems(ctx: &Context) -> Vec<Warning> {
    let mut problems: Vec<Warning> = Vec::new();
    for product in Product::all() {
        // What the search itself has to say is told when the settings are loaded.
        let mut told = Vec::new();
        let mut files: Vec<_> = own_files(ctx, product, &mut told)
            .into_iter()
            .map(|file| Origin::file(file.layer, file.path))
            .collect();
        let project = project_file(ctx, product, &mut told);
        files.extend(
            project
                .filter(|project| project.trust != Trust::Untrusted)
                .map(|project| Origin::file(Layer::Project, project.path)),
        );
        for origin in files {
            let crate::layer::Place::File(path) = &origin.place else {
                continue;
            };
            if problems.iter().any(|known| known.origin == origin) || !holds_key(path) {
                continue;
            }
            let found = exposed_mode(path)
                .map(|mode| Problem::ReadableByOthers { mode })
                .into_iter()
                .chain(is_tracked(path).then_some(Problem::TrackedByGit));
            problems.extend(found.map(|problem| Warning::new(origin.clone(), None, problem)));
        }
    }
    problems
}

fn holds_key(path: &Path) -> bool {
    let is_key = |value: &Value| {
        let text = value.as_str().unwrap_or_default().trim();
        !text.is_empty() && !is_reference(text)
    };
    let is_replica_with_key = |replica: &Value| match replica {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| to_snake(name) == "api_key" && is_key(value)),
        _ => false,
    };
    read(path).is_ok_and(|members| {
        members
            .iter()
            .any(|(name, value)| match to_snake(name).as_str() {
                "api_key" => is_key(value),
                "replicas" | "runs_endpoints" => match value {
                    Value::Array(items) => items.iter().any(is_replica_with_key),
                    Value::Object(pairs) => pairs.values().any(is_key),
                    _ => false,
                },
                _ => false,
            })
    })
}

#[cfg(unix)]
fn exposed_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed_mode(_path: &Path) -> Option<u32> {
    None
}

/// Whether git tracks the file.
fn is_tracked(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    if repository_root(folder).is_none() {
        return false;
    }
    let mut git = git_command(folder);
    git.args(["ls-files", "--error-unmatch", "--"]).arg(name);
    ask(&mut git, GIT_PATIENCE).is_some_and(|answer| answer.status.success())
}
