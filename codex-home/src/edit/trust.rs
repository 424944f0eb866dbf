//! Writing trust, as a review in Codex's terminal interface does, and taking it back.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use toml_edit::{Item, value};

use super::{edit_config, prune, table};
use crate::trust::pin_files;
use crate::{Error, Plugin, TrustRecord};

/// Writes the records into config.toml. What the plugin was trusted with before is replaced; whether
/// the user had switched a hook off stays.
pub fn write_trust(codex_home: &Path, records: &[TrustRecord]) -> Result<(), Error> {
    edit_config(codex_home, |config| {
        for record in records {
            let state = table(config, &["hooks", "state", &record.key])?;
            state["trusted_hash"] = value(&record.trusted_hash);
            if let Some(state) = state.as_table_like_mut() {
                state.remove("trusted_content_hash");
            }
        }
        Ok(())
    })?;
    let plugins: BTreeSet<_> = records.iter().map(|record| &record.plugin).collect();
    plugins
        .into_iter()
        .try_for_each(|plugin| unpin(codex_home, plugin))
}

/// Takes every record of the plugin out of config.toml.
pub fn forget_trust(codex_home: &Path, plugin: &Plugin) -> Result<(), Error> {
    let prefix = format!("{}:", plugin.id());
    unpin(codex_home, &plugin.id())?;
    edit_config(codex_home, |config| {
        let hooks = config.get_mut("hooks").and_then(Item::as_table_like_mut);
        let state = hooks.and_then(|hooks| hooks.get_mut("state")?.as_table_like_mut());
        if let Some(state) = state {
            let keys = state.iter().map(|(key, _)| key.to_owned());
            let keys: Vec<_> = keys.filter(|key| key.starts_with(&prefix)).collect();
            for key in keys {
                state.remove(&key);
            }
        }
        prune(config, &["hooks", "state"]);
        Ok(())
    })
}

/// Forgets which files of the plugin were trusted.
fn unpin(codex_home: &Path, plugin_id: &str) -> Result<(), Error> {
    for pin in pin_files(codex_home, plugin_id) {
        match std::fs::remove_file(&pin) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::write(&pin)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trust_records;

    #[test]
    fn a_file_with_something_else_in_the_place_of_a_record_is_told_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config.toml");
        let record = TrustRecord {
            plugin: "p@m".to_owned(),
            key: "p@m:hooks/hooks.json:stop:0:0".to_owned(),
            event: "Stop".to_owned(),
            command: "c".to_owned(),
            trusted_hash: "sha256:0".to_owned(),
        };
        for before in [
            "hooks = true\n",
            "[hooks]\nstate = 1\n",
            "[hooks.state]\n\"p@m:hooks/hooks.json:stop:0:0\" = true\n",
        ] {
            std::fs::write(&config, before).unwrap();
            let told = write_trust(home.path(), std::slice::from_ref(&record));
            assert!(matches!(told, Err(Error::NotATable { .. })), "{told:?}");
            assert_eq!(std::fs::read_to_string(&config).unwrap(), before);
        }
    }

    #[test]
    fn trusting_and_forgetting_leave_the_rest_of_the_file_alone() {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("config.toml");
        let before = "# mine\nmodel = \"x\" # this one\n\n[hooks.state.\"o@m:x:stop:0:0\"]\nenabled = false\n";
        std::fs::write(&config, before).unwrap();
        let plugin = Plugin {
            name: "p".to_owned(),
            marketplace: "m".to_owned(),
            version: "1".to_owned(),
            folder: std::path::PathBuf::new(),
            hooks: json!({"hooks": {"Stop": [{"hooks": [{"command": "c"}]}]}}),
        };
        let records = trust_records(&plugin);
        write_trust(home.path(), &records).unwrap();
        let trusted = std::fs::read_to_string(&config).unwrap();
        assert!(trusted.starts_with(before), "{trusted}");
        assert!(trusted.contains(&records[0].trusted_hash));
        write_trust(home.path(), &records).unwrap();
        assert_eq!(std::fs::read_to_string(&config).unwrap(), trusted);
        let kept = home.path().join("config.toml.before-codex-tracing");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), before);
        forget_trust(home.path(), &plugin).unwrap();
        let after = std::fs::read_to_string(&config).unwrap();
        assert_eq!(after.trim_end(), before.trim_end());
    }
}
