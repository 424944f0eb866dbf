//! What loading the settings costs a hook: with nothing there, and with every layer filled and
//! Codex's config.toml to be asked about trust. The aim is under a millisecond.

use std::fmt::Write;
use std::path::Path;

use codex_tracing_config::{Context, Environment, braintrust, langsmith};

fn main() {
    divan::main();
}

fn context(root: &Path) -> Context {
    let variables = (0..80).map(|n| (format!("OTHER_{n}"), "value".to_owned()));
    let own = [
        ("HOME", root.join("home").display().to_string()),
        ("PLUGIN_DATA", root.join("data").display().to_string()),
        ("LANGSMITH_API_KEY", "lsv2_pt_0123456789abcdef".to_owned()),
        ("BRAINTRUST_API_KEY", "sk-0123456789abcdef".to_owned()),
    ];
    let own = own.map(|(name, value)| (name.to_owned(), value));
    let env = Environment::from_pairs(variables.chain(own));
    let mut ctx = Context::new(env, root.join("repo/one/two/three"));
    ctx.team_dir = root.join("team");
    ctx
}

fn filled() -> std::io::Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    let write = |below: &str, text: &str| {
        let path = root.path().join(below);
        std::fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
        std::fs::write(path, text)
    };
    let settings = r#"{"enabled": true, "project": "p", "redact": true,
        "metadata": {"team": "t", "environment": "dev"}, "images": "keep"}"#;
    for name in ["langsmith", "braintrust"] {
        write(&format!("team/{name}.json"), settings)?;
        write(&format!("home/.codex/{name}.json"), settings)?;
        write(&format!("repo/.codex/{name}.json"), settings)?;
    }
    write("data/config.json", settings)?;
    write("repo/.git/HEAD", "ref: refs/heads/main\n")?;
    write("repo/one/two/three/file", "")?;
    let mut codex = "model = \"m\"\n".to_owned();
    for n in 0..50 {
        let _ = write!(
            codex,
            "[projects.\"/some/where/{n}\"]\ntrust_level = \"trusted\"\n"
        );
    }
    write("home/.codex/config.toml", &codex)?;
    Ok(root)
}

#[divan::bench]
fn off_with_no_files(bencher: divan::Bencher<'_, '_>) {
    let ctx = context(Path::new("/nowhere"));
    bencher.bench(|| langsmith(&ctx));
}

#[divan::bench]
fn langsmith_on_with_every_layer(bencher: divan::Bencher<'_, '_>) {
    let Ok(root) = filled() else {
        return;
    };
    let ctx = context(root.path());
    bencher.bench(|| langsmith(&ctx));
}

#[divan::bench]
fn braintrust_on_with_every_layer(bencher: divan::Bencher<'_, '_>) {
    let Ok(root) = filled() else {
        return;
    };
    let ctx = context(root.path());
    bencher.bench(|| braintrust(&ctx));
}
