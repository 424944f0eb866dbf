//! Which layer wins, setting by setting: each file and each variable is a provider of figment's,
//! merged lowest first, and figment tells whose value is the effective one.
//!
//! What a provider hands over are not the values but their numbers among the candidates of their
//! setting. Figment's values are plain ones that its errors and its `Debug` print, so a key would
//! no longer be a secret; they know neither JSON's null nor the order of members; and dictionaries
//! are merged at every depth, where a member of the metadata is replaced as a whole. A value gets
//! here only if its table accepted it, so merging cannot fail over a bad one.

use std::collections::BTreeMap;

use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use crate::field::{Setting, fields};
use crate::gather::Opinions;
use crate::layer::{Layer, Origin, Place};
use crate::product::Product;
use crate::value::Checked;

/// The layers merged.
#[derive(Default)]
pub(crate) struct Layers {
    figment: Figment,
    /// Numbers of the winning candidates by canonical key; for objects, by their members' keys.
    winners: Dict,
}

/// The effective one among the candidates of a setting.
pub(crate) struct Winner {
    /// Its number.
    pub(crate) number: usize,
    /// Where figment has it from.
    pub(crate) origin: Origin,
}

/// What one file or variable says: numbers of candidates by canonical key.
struct Source<'a> {
    layer: Layer,
    place: &'a Place,
    numbers: Dict,
}

impl Provider for Source<'_> {
    fn metadata(&self) -> Metadata {
        let metadata = Metadata::named(self.layer.name());
        match self.place {
            Place::BuiltIn => metadata,
            Place::File(path) => metadata.source(path.as_path()),
            Place::Variable(name) => metadata.source(name.as_ref()),
        }
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.numbers.clone()))
    }
}

impl Layers {
    /// Merges what the layers say. Candidates of a setting stand lowest first.
    pub(crate) fn merge(product: Product, opinions: &BTreeMap<Setting, Opinions>) -> Self {
        let mut sources: Vec<Source<'_>> = Vec::new();
        for field in fields(product) {
            let candidates = opinions.get(&field.id).map(|said| said.candidates.iter());
            for (number, candidate) in candidates.into_iter().flatten().enumerate() {
                let value = numbered(number, &candidate.value);
                hand_over(&mut sources, &candidate.origin, field.key, value);
            }
        }
        // Stable: variables of one setting stay in the order in which they give way.
        sources.sort_by_key(|source| source.layer);
        let figment = sources.into_iter().fold(Figment::new(), Figment::merge);
        let winners = match figment.find_value("") {
            Ok(Value::Dict(_, winners)) => winners,
            _ => Dict::new(),
        };
        Self { figment, winners }
    }

    /// The effective candidate of a setting.
    pub(crate) fn winner(&self, key: &str) -> Option<Winner> {
        self.winner_at(self.winners.get(key)?)
    }

    /// The candidate that the effective `member` of an object comes from.
    pub(crate) fn winner_of_member(&self, key: &str, member: &str) -> Option<Winner> {
        self.winner_at(self.winners.get(key)?.as_dict()?.get(member)?)
    }

    fn winner_at(&self, value: &Value) -> Option<Winner> {
        let number = usize::try_from(value.to_u128()?).ok()?;
        let origin = origin(self.figment.get_metadata(value.tag())?)?;
        Some(Winner { number, origin })
    }
}

/// Adds a value to what its file or variable hands over.
fn hand_over<'a>(sources: &mut Vec<Source<'a>>, from: &'a Origin, key: &str, value: Value) {
    let known = sources
        .iter_mut()
        .find(|source| source.layer == from.layer && *source.place == from.place);
    if let Some(source) = known {
        source.numbers.insert(key.to_owned(), value);
        return;
    }
    sources.push(Source {
        layer: from.layer,
        place: &from.place,
        numbers: Dict::from([(key.to_owned(), value)]),
    });
}

/// The number of a candidate; for an object under each of its keys, so that those merge one by
/// one.
fn numbered(number: usize, value: &Checked) -> Value {
    match value {
        Checked::Object(members) => {
            let members = members.keys().map(|key| (key.clone(), Value::from(number)));
            Value::from(members.collect::<Dict>())
        }
        _ => Value::from(number),
    }
}

/// What [`Source::metadata`] says, read back.
fn origin(metadata: &Metadata) -> Option<Origin> {
    let layer = Layer::ALL
        .into_iter()
        .find(|layer| layer.name() == metadata.name)?;
    Some(match &metadata.source {
        None => Origin::built_in(),
        Some(figment::Source::File(path)) => Origin::file(layer, path.clone()),
        Some(source) => Origin::variable(source.custom()?.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gather::Candidate;

    fn said(layer: Origin, value: serde_json::Value) -> Candidate {
        let value = match value {
            serde_json::Value::Object(members) => Checked::Object(members),
            other => Checked::Text(other.as_str().unwrap_or_default().to_owned()),
        };
        Candidate {
            origin: layer,
            value,
        }
    }

    fn merged(setting: Setting, candidates: Vec<Candidate>) -> Layers {
        let said = Opinions {
            candidates,
            rejected: Vec::new(),
        };
        Layers::merge(Product::LangSmith, &BTreeMap::from([(setting, said)]))
    }

    #[test]
    fn figment_names_the_layer_and_the_file_or_variable_of_the_effective_value() {
        let of_user = Origin::file(Layer::User, "/home/u/.codex/langsmith.json".into());
        let of_project = Origin::file(Layer::Project, "/repo/.codex/langsmith.toml".into());
        let first = Origin::variable("LANGSMITH_CODEX_PROJECT");
        let second = Origin::variable("LANGSMITH_PROJECT");
        let all = [Origin::built_in(), of_user, of_project, second, first];
        for count in 1..=all.len() {
            let candidates = all.iter().take(count);
            let candidates = candidates.map(|origin| said(origin.clone(), json!("p")));
            let winner = merged(Setting::Project, candidates.collect()).winner("project");
            let winner = winner.unwrap();
            assert_eq!(winner.number, count - 1);
            assert_eq!(winner.origin, all[count - 1]);
        }
    }

    #[test]
    fn members_of_the_metadata_merge_one_by_one_and_no_deeper() {
        let user = Origin::file(Layer::User, "/u.json".into());
        let project = Origin::file(Layer::Project, "/p.json".into());
        let layers = merged(
            Setting::Metadata,
            vec![
                said(user, json!({"a.b": {"x": 1}, "both": {"x": 1}})),
                said(project.clone(), json!({"both": {"y": null}, "": 1})),
            ],
        );
        let number = |member| {
            let winner = layers.winner_of_member("metadata", member);
            winner.map(|winner| winner.number)
        };
        assert_eq!(number("a.b"), Some(0));
        assert_eq!(number("both"), Some(1));
        assert_eq!(number(""), Some(1));
        assert_eq!(number("x"), None);
        let winner = layers.winner_of_member("metadata", "both").unwrap();
        assert_eq!(winner.origin, project);
    }

    #[test]
    fn settings_that_nobody_said_anything_about_have_no_winner() {
        assert!(
            merged(Setting::Project, Vec::new())
                .winner("project")
                .is_none()
        );
        assert!(Layers::default().winner("project").is_none());
    }
}
