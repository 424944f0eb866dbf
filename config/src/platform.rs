//! What differs between operating systems: where things are and how names compare.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::context::Environment;

/// Names of the variable with the user's home, the first that is set counts. Codex asks Windows
/// for the profile and knows no `HOME` there, which shells ported from Unix set.
pub(crate) const HOMES: [&str; 2] = if cfg!(windows) {
    ["USERPROFILE", "HOME"]
} else {
    ["HOME", "USERPROFILE"]
};

/// Where an administrator puts files for all users of Codex.
pub(crate) fn team_dir(env: &Environment) -> PathBuf {
    if cfg!(windows) {
        let shared = env.get_os("PROGRAMDATA");
        Path::new(shared.unwrap_or(r"C:\ProgramData".as_ref()))
            .join("OpenAI")
            .join("Codex")
    } else {
        PathBuf::from("/etc/codex")
    }
}

/// The name under which a variable is kept: Windows does not tell `Path` from `PATH`.
pub(crate) fn variable(name: &str) -> Cow<'_, str> {
    if cfg!(windows) {
        windows_variable(name).into()
    } else {
        name.into()
    }
}

/// A path as it compares with others: Windows does not tell upper from lower case or one slash
/// from the other, and writes a resolved path with a prefix that Codex leaves out.
pub(crate) fn comparable(path: &Path) -> PathBuf {
    if cfg!(windows) {
        windows_path(&path.to_string_lossy()).into()
    } else {
        path.to_owned()
    }
}

fn windows_variable(name: &str) -> String {
    name.to_ascii_uppercase()
}

fn windows_path(path: &str) -> String {
    let path = path.replace('/', r"\");
    let path = match path.strip_prefix(r"\\?\UNC\") {
        Some(share) => format!(r"\\{share}"),
        None => path.strip_prefix(r"\\?\").unwrap_or(&path).to_owned(),
    };
    path.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_path_compare_equal_as_windows_takes_them() {
        for path in [r"C:\Repos\App", r"c:/repos/app", r"\\?\C:\repos\app"] {
            assert_eq!(windows_path(path), r"c:\repos\app");
        }
        assert_eq!(windows_path(r"\\?\UNC\Host\Share"), r"\\host\share");
        assert_eq!(windows_variable("Path"), "PATH");
    }

    #[cfg(unix)]
    #[test]
    fn elsewhere_every_letter_counts() {
        assert_eq!(comparable(Path::new("/A/b")), Path::new("/A/b"));
        assert_eq!(variable("Path"), "Path");
        let env = Environment::from_pairs([("PROGRAMDATA", "/x")]);
        assert_eq!(team_dir(&env), Path::new("/etc/codex"));
    }

    #[cfg(windows)]
    #[test]
    fn the_team_s_files_lie_where_codex_has_its_own() {
        let env = Environment::from_pairs([("ProgramData", r"D:\Shared")]);
        assert_eq!(team_dir(&env), Path::new(r"D:\Shared\OpenAI\Codex"));
        assert_eq!(
            team_dir(&Environment::default()),
            Path::new(r"C:\ProgramData\OpenAI\Codex")
        );
    }
}
