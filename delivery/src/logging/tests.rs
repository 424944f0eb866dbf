use std::fs;

use serde_json::Value;
use tempfile::TempDir;
use tracing::subscriber::with_default;

use super::*;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs `action` with a log of its own and gives its lines.
fn lines(level: &str, limit: u64, action: impl FnOnce()) -> Vec<Value> {
    let folder = folder();
    let path = folder.path().join("log");
    let file = LogFile::open(&path, limit).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer(file, parse_level(Some(level))));
    with_default(subscriber, action);
    read(&path)
}

fn read(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[test]
fn a_level_is_read_in_any_case_and_nonsense_means_info() {
    for (level, expected) in [
        (None, LevelFilter::INFO),
        (Some(""), LevelFilter::INFO),
        (Some("loud"), LevelFilter::INFO),
        (Some("5"), LevelFilter::INFO),
        (Some("OFF"), LevelFilter::OFF),
        (Some(" error "), LevelFilter::ERROR),
        (Some("Warn"), LevelFilter::WARN),
        (Some("info"), LevelFilter::INFO),
        (Some("debug"), LevelFilter::DEBUG),
        (Some("trace"), LevelFilter::DEBUG),
    ] {
        assert_eq!(parse_level(level), expected, "{level:?}");
    }
}

#[test]
fn a_line_is_one_json_object_with_fields_spans_and_pid() {
    let lines = lines("info", 10_000, || {
        let _span = tracing::info_span!("worker", session = "s-1").entered();
        tracing::warn!(turns = 3, "two\nlines");
    });
    let [line] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(line["message"], "two\nlines");
    assert_eq!(line["turns"], 3);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["pid"], std::process::id());
    assert_eq!(line["spans"][0]["session"], "s-1");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn only_own_lines_of_the_level_are_kept() {
    let lines = lines("warn", 10_000, || {
        tracing::info!("too low");
        tracing::error!(target: "h2::codec", "foreign");
        tracing::error!(target: "codex_tracing", "own");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "own");
}

#[cfg(unix)]
#[test]
fn the_log_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = folder();
    let path = folder.path().join("log");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    LogFile::open(&path, 100).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(unix)]
#[test]
fn a_symlink_or_a_folder_is_refused_and_named() {
    let folder = folder();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let link = folder.path().join("log");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    for path in [link.as_path(), folder.path(), &folder.path().join("no/log")] {
        let LogState::Failed(why) = init(path, Some("debug")) else {
            panic!("opened {}", path.display());
        };
        assert!(why.contains(path.to_str().unwrap()), "{why}");
    }
    assert_eq!(fs::read_to_string(victim).unwrap(), "precious");
}

#[test]
fn off_touches_nothing() {
    let folder = folder();
    let path = folder.path().join("log");
    assert_eq!(init(&path, Some("off")), LogState::Off);
    assert!(!path.exists());
}

#[test]
fn a_log_that_grew_too_long_is_renamed_and_no_line_is_lost() {
    let folder = folder();
    let path = folder.path().join("log");
    // Two handles as two processes have them: each learns of a rotation by itself.
    let mut writers: Vec<_> = (0..2).map(|_| LogFile::open(&path, 400).unwrap()).collect();
    let mut seen = Vec::new();
    let old = folder.path().join("log.1");
    for number in 0..40 {
        let before = fs::metadata(&path).unwrap().len();
        let writer = writers.get_mut(number % 2).unwrap();
        let line = format!("{{\"n\":{number},\"pad\":\"{}\"}}\n", "x".repeat(30));
        std::io::Write::write_all(&mut make(writer), line.as_bytes()).unwrap();
        if fs::metadata(&path).unwrap().len() < before {
            seen.extend(read(&old));
        }
    }
    seen.extend(read(&path));
    let mut numbers: Vec<_> = seen
        .iter()
        .map(|line| line["n"].as_u64().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(fs::metadata(&old).unwrap().len() < 600);
    assert!(fs::metadata(&path).unwrap().len() < 600);
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
}

fn make(file: &LogFile) -> impl std::io::Write + '_ {
    tracing_subscriber::fmt::MakeWriter::make_writer(file)
}

#[test]
fn a_line_that_cannot_be_written_is_no_error() {
    let full = Path::new("/dev/full");
    if full.exists() {
        assert!(LogFile::open(full, 100).is_err(), "a device is no log");
    }
    let folder = folder();
    let path = folder.path().join("gone/log");
    fs::create_dir(folder.path().join("gone")).unwrap();
    let file = LogFile::open(&path, 1).unwrap();
    for _ in 0..3 {
        fs::remove_dir_all(folder.path().join("gone")).unwrap_or_default();
        std::io::Write::write_all(&mut make(&file), b"{\"n\":1}\n").unwrap();
    }
}
