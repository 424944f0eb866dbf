//! Asking git about a folder whose repository may be anybody's.

use std::path::Path;
use std::process::Command;

/// Variables that make git look at another repository than the folder's: those that
/// `git rev-parse --local-env-vars` names, in any version of git.
const ABOUT_ANOTHER: [&str; 17] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// A git command about `folder`, its arguments still to be added: it asks the repository that the
/// folder lies in, whatever the environment names (Codex may run in a git hook), runs nothing that
/// this repository's configuration names, writes nothing and asks nobody.
///
/// ```
/// let mut git = codex_tracing_config::git_command(std::path::Path::new("/some/repository"));
/// git.args(["rev-parse", "HEAD"]);
/// assert!(git.get_envs().any(|(name, value)| name == "GIT_DIR" && value.is_none()));
/// ```
pub fn git_command(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder);
    shut_off(&mut git);
    git
}

fn shut_off(git: &mut Command) {
    for name in ABOUT_ANOTHER {
        git.env_remove(name);
    }
    git.args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
    ])
    .env("GIT_OPTIONAL_LOCKS", "0")
    .env("GIT_TERMINAL_PROMPT", "0");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(git: &mut Command) -> String {
        let output = git.output().unwrap();
        assert!(output.status.success(), "{git:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn whatever_git_says_is_local_to_a_repository_is_not_inherited() {
        let names = words(Command::new("git").args(["rev-parse", "--local-env-vars"]));
        assert!(names.contains("GIT_DIR"), "{names}");
        for name in names.lines() {
            assert!(ABOUT_ANOTHER.contains(&name), "{name}");
        }
    }

    #[test]
    fn the_folders_repository_is_asked_whatever_the_environment_names() {
        let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, origin) in [(&own, "own"), (&other, "other")] {
            words(git_command(folder.path()).args(["init", "-q"]));
            words(git_command(folder.path()).args(["remote", "add", "origin", origin]));
        }
        let mut git = Command::new("git");
        git.current_dir(own.path())
            .env("GIT_DIR", other.path().join(".git"))
            .env("GIT_WORK_TREE", other.path());
        shut_off(&mut git);
        assert_eq!(words(git.args(["remote", "get-url", "origin"])), "own");
    }
}
