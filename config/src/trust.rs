//! The project file, and how far Codex trusts the project it came with.
//!
//! Trust is Codex's own record: `[projects."<path>"] trust_level` in its config.toml. It is looked
//! up for the working directory, the folder of the project file, the repository's root and, in a
//! git worktree, the main checkout. Only files are read; no git process runs, because a
//! repository can make git run its own commands.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::context::Context;
use crate::field::Kind;
use crate::file::{self, read_text};
use crate::layer::{Layer, Origin};
use crate::platform::comparable;
use crate::product::Product;
use crate::value::switch_word;
use crate::warning::{Found, Problem, Warning};

/// Longest config.toml of Codex that is read.
const MAX_CODEX_CONFIG: u64 = 4 * 1024 * 1024;

/// How far a project is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trust {
    /// Codex trusts it, or `CODEX_TRACING_TRUST_PROJECT=1` is set.
    Trusted,
    /// There is no entry for it: only harmless settings of its file count.
    Unknown,
    /// Codex marks it as untrusted: its file is ignored.
    Untrusted,
}

/// The project's settings file and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProjectFile {
    /// The file.
    pub path: PathBuf,
    /// How far it is trusted.
    pub trust: Trust,
    /// What decided: a path with an entry in Codex's config.toml, or the variable's name.
    pub decided_by: Option<String>,
}

/// The nearest project file from the working directory up to the repository's root; without a
/// repository, only the working directory is looked at. Codex's home is not a project.
pub(crate) fn project_file(
    ctx: &Context,
    product: Product,
    warnings: &mut Vec<Warning>,
) -> Option<ProjectFile> {
    let root = repository_root(&ctx.cwd);
    let last = root.unwrap_or(&ctx.cwd);
    let path = ctx
        .cwd
        .ancestors()
        .take_while(|folder| folder.starts_with(last))
        .map(|folder| folder.join(".codex"))
        .filter(|folder| !is_codex_home(folder, ctx))
        .find_map(|folder| file::in_folder(&folder, product, Layer::Project, warnings))?
        .path;
    let (trust, decided_by) = decide(ctx, &path, root, warnings);
    Some(ProjectFile {
        path,
        trust,
        decided_by,
    })
}

/// The nearest folder that has a `.git`.
pub(crate) fn repository_root(folder: &Path) -> Option<&Path> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").symlink_metadata().is_ok())
}

fn is_codex_home(folder: &Path, ctx: &Context) -> bool {
    let homes = std::iter::once(ctx.codex_home.clone())
        .chain(ctx.home.as_ref().map(|home| home.join(".codex")));
    let canonical = folder.canonicalize().ok();
    homes.into_iter().any(|home| {
        home == folder || (canonical.is_some() && home.canonicalize().ok() == canonical)
    })
}

fn decide(
    ctx: &Context,
    file: &Path,
    root: Option<&Path>,
    warnings: &mut Vec<Warning>,
) -> (Trust, Option<String>) {
    let levels = trust_levels(&ctx.codex_home, warnings);
    let folder = file.parent().and_then(Path::parent);
    let mut places: Vec<PathBuf> = std::iter::once(ctx.cwd.as_path())
        .chain(folder)
        .chain(root)
        .map(Path::to_owned)
        .collect();
    places.extend(root.and_then(main_checkout));

    let entries: Vec<_> = places
        .iter()
        .map(|place| {
            let (path, trusted) = entry(&levels, place)?;
            Some((*trusted, Some(path.display().to_string())))
        })
        .collect();
    // Where the session runs or where the file lies, "untrusted" is final: no variable set for
    // other projects and no trust in an outer folder lifts it.
    let refused = entries
        .iter()
        .take(2)
        .flatten()
        .find(|(trusted, _)| !trusted);
    if let Some((_, by)) = refused {
        return (Trust::Untrusted, by.clone());
    }
    match entries.into_iter().flatten().next() {
        Some((true, by)) => (Trust::Trusted, by),
        Some((false, by)) => (Trust::Untrusted, by),
        None => by_variable(ctx, warnings),
    }
}

fn by_variable(ctx: &Context, warnings: &mut Vec<Warning>) -> (Trust, Option<String>) {
    let name = "CODEX_TRACING_TRUST_PROJECT";
    let Some(word) = ctx.env.get(name) else {
        return (Trust::Unknown, None);
    };
    match switch_word(word) {
        Some(true) => (Trust::Trusted, Some(name.to_owned())),
        Some(false) => (Trust::Unknown, Some(name.to_owned())),
        None => {
            let problem = Problem::Unexpected {
                expected: Kind::Switch.expected(),
                found: Found::Text,
            };
            warnings.push(Warning::new(Origin::variable(name), None, problem));
            (Trust::Unknown, None)
        }
    }
}

/// The entry for a folder, by the path given or the one that links lead to.
fn entry<'a>(levels: &'a [(PathBuf, bool)], place: &Path) -> Option<&'a (PathBuf, bool)> {
    let canonical = place.canonicalize().ok();
    let names: Vec<_> = std::iter::once(place)
        .chain(canonical.as_deref())
        .map(comparable)
        .collect();
    let mut levels = levels.iter();
    levels.find(|(path, _)| names.contains(&comparable(path)))
}

/// The `config.toml` files of projects that Codex reads over the user's for a session in the working
/// directory, the nearest first: those in `.codex` of each folder up to the repository's root. A file
/// counts if its folder is trusted; the root, else the main checkout, speaks for a folder without an
/// entry (measured on 0.169). `CODEX_TRACING_TRUST_PROJECT` means nothing to Codex.
pub fn codex_project_files(ctx: &Context) -> Vec<PathBuf> {
    let levels = trust_levels(&ctx.codex_home, &mut Vec::new());
    let trusted = |place: &Path| entry(&levels, place).map(|(_, trusted)| *trusted);
    let root = repository_root(&ctx.cwd);
    let main = root.and_then(main_checkout);
    let inherited = root
        .and_then(trusted)
        .or_else(|| main.as_deref().and_then(trusted));
    let last = root.unwrap_or(&ctx.cwd);
    ctx.cwd
        .ancestors()
        .take_while(|folder| folder.starts_with(last))
        .filter(|folder| trusted(folder).or(inherited) == Some(true))
        .map(|folder| folder.join(".codex"))
        .filter(|folder| !is_codex_home(folder, ctx))
        .map(|folder| folder.join("config.toml"))
        .filter(|file| file.is_file())
        .collect()
}

/// Paths with an entry in Codex's config.toml, and whether it says trusted.
fn trust_levels(codex_home: &Path, warnings: &mut Vec<Warning>) -> Vec<(PathBuf, bool)> {
    let path = codex_home.join("config.toml");
    if path.is_relative() || !path.exists() {
        return Vec::new();
    }
    let table = read_text(&path, MAX_CODEX_CONFIG).and_then(|text| {
        toml::from_str::<toml::Table>(&text).map_err(|_| Problem::CodexConfigBroken)
    });
    match table {
        Ok(table) => table
            .get("projects")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
            .filter_map(|(path, entry)| {
                let trusted = match entry.get("trust_level")?.as_str()? {
                    "trusted" => true,
                    "untrusted" => false,
                    _ => return None,
                };
                Some((PathBuf::from(path), trusted))
            })
            .collect(),
        Err(problem) => {
            let origin = Origin::file(Layer::User, path);
            warnings.push(Warning::new(origin, None, problem));
            Vec::new()
        }
    }
}

/// The main checkout of a git worktree at `root`.
///
/// A worktree's `.git` is a file that names its folder `<main>/.git/worktrees/<name>`. Anybody can
/// write such a file into an archive, so it counts only if that folder lies where git puts it and
/// names this worktree in return.
fn main_checkout(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    let text = read_text(&dot_git, 4096).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    let git_dir = root.join(named).canonicalize().ok()?;
    let common = read_text(&git_dir.join("commondir"), 4096).ok()?;
    let common = git_dir.join(common.trim()).canonicalize().ok()?;
    let back = read_text(&git_dir.join("gitdir"), 4096).ok()?;
    let back = git_dir.join(back.trim()).canonicalize().ok()?;
    let in_place = git_dir.parent() == Some(common.join("worktrees").as_path());
    let mutual = Some(back) == dot_git.canonicalize().ok();
    let main = common.parent()?;
    (in_place && mutual && common.ends_with(".git")).then(|| main.to_owned())
}
