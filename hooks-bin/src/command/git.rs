//! What git knows of a working directory, for sessions whose rollout says nothing about it.

use std::path::Path;
use std::time::Duration;

use codex_tracing_config::{ask, git_command};
use codex_tracing_transcript::Git;

/// How long git may take for each question.
const PATIENCE: Duration = Duration::from_millis(500);

/// Origin, branch and commit; empty where git has none, is missing or slow.
pub(crate) fn look_up(folder: &Path) -> Git {
    look_up_within(folder, PATIENCE)
}

fn look_up_within(folder: &Path, patience: Duration) -> Git {
    let inside = folder.ancestors().any(|dir| dir.join(".git").exists());
    if !folder.is_absolute() || !inside {
        return Git::default();
    }
    Git {
        commit: answer(folder, &["rev-parse", "HEAD"], patience),
        branch: answer(
            folder,
            &["symbolic-ref", "--quiet", "--short", "HEAD"],
            patience,
        ),
        repository_url: answer(folder, &["remote", "get-url", "origin"], patience),
    }
}

fn answer(folder: &Path, question: &[&str], patience: Duration) -> Option<String> {
    let answer = ask(git_command(folder).args(question), patience)?;
    let text = std::str::from_utf8(&answer.stdout).ok()?.trim();
    (answer.status.success() && !text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_repository_has_nothing_to_tell() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(look_up(dir.path()), Git::default());
    }

    #[test]
    fn a_repository_tells_its_origin() {
        let dir = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let status = git_command(dir.path()).args(arguments).status();
            assert!(status.unwrap().success());
        };
        git(&["init", "-q", "-b", "trunk"]);
        git(&["remote", "add", "origin", "https://example.com/dev/app.git"]);
        let found = look_up_within(dir.path(), Duration::from_mins(1));
        assert_eq!(
            found.repository_url.as_deref(),
            Some("https://example.com/dev/app.git")
        );
        assert_eq!(found.branch.as_deref(), Some("trunk"));
        assert_eq!(found.commit, None);
    }
}
