//! `cargo xtask install` and `uninstall`: from a clone to a working plugin in the user's Codex.

mod beside;
mod next;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;
use codex_tracing_codex_home::{
    BACKUP, CodexVersion, Plugin, edit_config, forget_backup, forget_flags, forget_trust,
    install_by_hand, read_config, trust_records, uninstall_by_hand, write_trust,
};
use codex_tracing_config::Context;
use codex_tracing_tests::CodexCli;

use crate::command;
use crate::dist::{self, Dist};

/// Whose Codex.
#[derive(Debug, Args)]
struct Host {
    /// Codex's home; by default `CODEX_HOME`, else `~/.codex`.
    #[arg(long, value_name = "DIR")]
    codex_home: Option<PathBuf>,
    /// The Codex to use; by default the one in `PATH`.
    #[arg(long, value_name = "BIN")]
    codex: Option<PathBuf>,
}

/// Builds a bundle and installs its plugins into Codex.
#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Which bundle
    #[arg(value_name = "BUNDLE", value_parser = dist::bundle_words())]
    which: &'static str,
    #[command(flatten)]
    host: Host,
    /// Also trust the plugins' hooks, showing each command, instead of leaving that to Codex's
    /// question at its next start.
    #[arg(long)]
    trust: bool,
    /// Install this executable instead of building one.
    #[arg(long, value_name = "PATH")]
    bin: Option<PathBuf>,
    /// Where to write the bundles; Codex remembers this folder.
    #[arg(long, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
}

/// Takes the plugins of a bundle out of Codex.
#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// Which bundle
    #[arg(value_name = "BUNDLE", value_parser = dist::bundle_words())]
    which: &'static str,
    #[command(flatten)]
    host: Host,
}

impl Install {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (cli, home) = self.host.resolve()?;
        if cli.version() < CodexVersion::OLDEST {
            bail!(
                "Codex {} has no hooks of plugins; {} is the oldest that does",
                cli.version(),
                CodexVersion::OLDEST
            );
        }
        beside::refuse(&home, self.which)?;
        let dist = Dist {
            out: self.out,
            binaries: self
                .bin
                .iter()
                .map(|bin| bin.display().to_string())
                .collect(),
            folders_only: true,
            ..Dist::default()
        };
        let bundle = dist.write()?.join(self.which);
        backed_up(&home)?;
        // Adding a marketplace again, from elsewhere, is refused; a new build must win.
        let name = self.which;
        if let Some(source) = source(&home, name)?
            && Path::new(&source) != bundle
        {
            say!("the marketplace {name} came from {source}; it now comes from this build");
        }
        let _ = codex(&cli, &home, &["plugin", "marketplace", "remove", name]);
        let folder = bundle.display().to_string();
        codex(&cli, &home, &["plugin", "marketplace", "add", &folder])?;
        let mut plugins = Vec::new();
        for name in Plugin::names(&bundle)? {
            let plugin = Plugin::read(&bundle, &name)?;
            if cli.version() >= CodexVersion::PLUGIN_ADD {
                codex(&cli, &home, &["plugin", "add", &plugin.id()])?;
            } else {
                install_by_hand(&plugin, &home, cli.version())?;
            }
            say!("installed {} {}", plugin.id(), plugin.version);
            plugins.push(plugin);
        }
        trust(&cli, &home, &plugins, self.trust)?;
        next::tell(&plugins, &home, &cli)
    }
}

impl Uninstall {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (cli, home) = self.host.resolve()?;
        let marketplace = self.which;
        let names = installed(&home, marketplace)?;
        if names.is_empty() && source(&home, marketplace)?.is_none() {
            say!(
                "nothing to remove: no plugin of {marketplace} is installed in {}",
                home.display()
            );
            // Of an installation that broke off before it had added anything, or whose plugins Codex
            // was told to remove.
            forget_flags(&home)?;
            return leave_backup(&home);
        }
        for name in names {
            let plugin = Plugin {
                name,
                marketplace: marketplace.to_owned(),
                version: String::new(),
                folder: PathBuf::new(),
                hooks: serde_json::Value::Null,
            };
            if cli.version() >= CodexVersion::PLUGIN_ADD {
                codex(&cli, &home, &["plugin", "remove", &plugin.id()])?;
            } else {
                uninstall_by_hand(&plugin, &home)?;
            }
            forget_trust(&home, &plugin)?;
            say!("removed {}", plugin.id());
            let data = plugin.data(&home);
            if data.exists() {
                say!("  what it kept stays in {}", data.display());
            }
        }
        let _ = codex(
            &cli,
            &home,
            &["plugin", "marketplace", "remove", marketplace],
        );
        sweep(&home, marketplace);
        // A Codex of the time of the installation may have needed them.
        forget_flags(&home)?;
        leave_backup(&home)
    }
}

impl Host {
    fn resolve(&self) -> anyhow::Result<(CodexCli, PathBuf)> {
        let program = match &self.codex {
            Some(program) => program.clone(),
            None => codex_tracing_tests::program("codex")
                .context("there is no codex in PATH; install it, or name it with --codex")?,
        };
        let cli = CodexCli::at(program)?;
        let home = match &self.codex_home {
            Some(home) => std::path::absolute(home)?,
            None => Context::from_process(None).codex_home,
        };
        std::fs::create_dir_all(&home)?;
        Ok((cli, home))
    }
}

fn codex(cli: &CodexCli, home: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut codex = Command::new(cli.program());
    codex.args(arguments).env("CODEX_HOME", home);
    command::output(&mut codex)
}

/// Keeps the user's config.toml once, before anything of ours (or of `codex plugin`) changes it.
fn backed_up(home: &Path) -> anyhow::Result<()> {
    let backup = home.join(BACKUP);
    let config = home.join("config.toml");
    if backup.exists() {
        return Ok(());
    }
    if !config.exists() {
        // To have had nothing is kept too, or what `codex plugin` writes would pass for the user's.
        std::fs::write(&config, "")?;
        std::fs::write(&backup, "")?;
        return Ok(());
    }
    // Parsed first: a broken file must stop the installation before it has begun.
    edit_config(home, |_| Ok(())).context("correct config.toml first")?;
    std::fs::copy(&config, &backup)?;
    say!("kept {} as {}", config.display(), backup.display());
    Ok(())
}

/// Deletes the copy of config.toml where it is of no more use, or says what it is good for.
fn leave_backup(home: &Path) -> anyhow::Result<()> {
    if dist::marketplaces().any(|other| installed(home, other).is_ok_and(|some| !some.is_empty())) {
        // It is from before those, too.
        return Ok(());
    }
    let backup = home.join(BACKUP);
    if backup.exists() && !forget_backup(home)? {
        say!(
            "config.toml from before the installation is kept as {}: other things in it have changed \
             since. Take from it what you miss, then delete it",
            backup.display()
        );
    }
    Ok(())
}

/// Trusts the hooks if that is to be done now; says which commands they run.
fn trust(cli: &CodexCli, home: &Path, plugins: &[Plugin], now: bool) -> anyhow::Result<()> {
    let records: Vec<_> = plugins.iter().flat_map(trust_records).collect();
    if records.is_empty() {
        return Ok(());
    }
    let commands: BTreeSet<_> = records.iter().map(|record| &record.command).collect();
    if cli.version() < CodexVersion::HOOK_TRUST {
        say!(
            "\nCodex {} runs hooks without asking. They run these commands:",
            cli.version()
        );
    } else if now {
        write_trust(home, &records)?;
        say!(
            "\ntrusted {} hooks, which run these commands:",
            records.len()
        );
    } else {
        say!("\nCodex runs hooks only once you trust them. Theirs run these commands:");
    }
    for command in commands {
        say!("  {command}");
    }
    Ok(())
}

/// Where a marketplace was added from.
fn source(home: &Path, marketplace: &str) -> anyhow::Result<Option<String>> {
    let config = read_config(home)?;
    let entry = config
        .get("marketplaces")
        .and_then(|all| all.get(marketplace));
    let source = entry.and_then(|entry| entry.get("source")?.as_str());
    Ok(source.map(str::to_owned))
}

/// The plugins of this marketplace that config.toml knows.
fn installed(home: &Path, marketplace: &str) -> anyhow::Result<Vec<String>> {
    let config = read_config(home)?;
    let plugins = config.get("plugins").and_then(toml::Value::as_table);
    let names = plugins.into_iter().flatten().filter_map(|(id, _)| {
        let (name, from) = id.split_once('@')?;
        (from == marketplace).then(|| name.to_owned())
    });
    Ok(names.collect())
}

/// Removes the folders of Codex's cache that an uninstalled bundle leaves empty.
fn sweep(home: &Path, marketplace: &str) {
    let folder = home.join("plugins").join("cache").join(marketplace);
    let plugins = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    for plugin in plugins {
        // What is not empty stays.
        let _ = std::fs::remove_dir(plugin.path());
    }
    let _ = std::fs::remove_dir(&folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uninstalling_from_a_home_that_had_no_config_leaves_no_copy_behind() {
        let home = tempfile::TempDir::new().unwrap();
        backed_up(home.path()).unwrap();
        let add = |config: &mut toml_edit::DocumentMut| {
            config["marketplaces"] = toml_edit::table();
            Ok(())
        };
        edit_config(home.path(), add).unwrap();
        assert!(!forget_backup(home.path()).unwrap(), "it differs");
        edit_config(home.path(), |config| {
            config.remove("marketplaces");
            Ok(())
        })
        .unwrap();
        assert!(forget_backup(home.path()).unwrap());
        assert!(!home.path().join(BACKUP).exists());
    }

    #[test]
    fn uninstalling_leaves_no_empty_folder_of_ours_and_touches_no_other() {
        let home = tempfile::TempDir::new().unwrap();
        let cache = home.path().join("plugins/cache");
        for folder in [
            "ours/tracing",
            "mixed/empty",
            "mixed/full/0.1.0",
            "theirs/one",
        ] {
            std::fs::create_dir_all(cache.join(folder)).unwrap();
        }
        for marketplace in ["ours", "mixed", "absent"] {
            sweep(home.path(), marketplace);
        }
        assert!(!cache.join("ours").exists());
        assert!(!cache.join("mixed/empty").exists());
        assert!(cache.join("mixed/full/0.1.0").exists());
        assert!(cache.join("theirs/one").exists());
    }

    #[test]
    fn the_first_copy_of_a_config_is_never_overwritten_and_a_broken_one_stops_all() {
        let home = tempfile::TempDir::new().unwrap();
        let config = home.path().join("config.toml");
        std::fs::write(&config, "[broken").unwrap();
        assert!(backed_up(home.path()).is_err());
        assert!(!home.path().join(BACKUP).exists());
        for text in ["# mine\n", "# later\n"] {
            std::fs::write(&config, text).unwrap();
            backed_up(home.path()).unwrap();
        }
        let kept = std::fs::read_to_string(home.path().join(BACKUP)).unwrap();
        assert_eq!(kept, "# mine\n");
    }
}
