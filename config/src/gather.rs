//! All layers of a product read into candidates per setting, lowest first, with everything that
//! was left out.
//!
//! Each value is read, checked and, if it is bad, dropped alone before the layers are merged: what
//! is left of a layer is what `layers` gets to see.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::context::Context;
use crate::env::env_table;
use crate::field::{Field, Guard, Kind, Setting, fields, to_snake};
use crate::file::{self, own_files};
use crate::layer::{Layer, Origin};
use crate::layers::Layers;
use crate::product::Product;
use crate::settings::ImagePolicy;
use crate::trust::{ProjectFile, Trust, project_file};
use crate::value::{Checked, Reading, check, check_text, switch_word};
use crate::warning::{Found, Problem, Warning, nearest, shown_key};

/// Unknown keys of a file for which the key that may be meant is looked for. A hook reads files of any
/// repository, and comparing names takes time.
const SUGGESTIONS: usize = 10;

/// How much is logged, and the words that are understood.
const LOG: &str = "CODEX_TRACING_LOG";
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A usable value and where it comes from.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub(crate) origin: Origin,
    pub(crate) value: Checked,
}

/// A value that was left out, and why.
pub(crate) struct Rejected {
    pub(crate) origin: Origin,
    pub(crate) problem: Problem,
}

/// What the layers say about one setting.
#[derive(Default)]
pub(crate) struct Opinions {
    /// Lowest first.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) rejected: Vec<Rejected>,
}

/// What all layers say.
pub(crate) struct Gathered {
    pub(crate) product: Product,
    pub(crate) opinions: BTreeMap<Setting, Opinions>,
    /// The candidates merged: [`Gathered::merge`] after they have changed.
    pub(crate) layers: Layers,
    pub(crate) project: Option<ProjectFile>,
    pub(crate) files: Vec<(Layer, std::path::PathBuf)>,
    pub(crate) warnings: Vec<Warning>,
}

/// Reads every layer of `product`.
pub(crate) fn gather(ctx: &Context, product: Product) -> Gathered {
    let mut gathered = Gathered {
        product,
        opinions: BTreeMap::new(),
        layers: Layers::default(),
        project: None,
        files: Vec::new(),
        warnings: Vec::new(),
    };
    gathered.add_defaults(ctx, product);
    for candidate in own_files(ctx, product, &mut gathered.warnings) {
        if candidate.required || candidate.path.exists() {
            let origin = Origin::file(candidate.layer, candidate.path);
            gathered.add_file(ctx, product, &origin, Trust::Trusted);
        }
    }
    gathered.project = project_file(ctx, product, &mut gathered.warnings);
    if let Some(ProjectFile { path, trust, .. }) = gathered.project.clone() {
        let origin = Origin::file(Layer::Project, path);
        match trust {
            Trust::Untrusted => gathered.warn(&origin, None, Problem::Untrusted),
            trust => gathered.add_file(ctx, product, &origin, trust),
        }
    }
    gathered.add_variables(ctx, product);
    gathered.tell_odd_variables(ctx, product);
    gathered.merge();
    gathered
}

impl Gathered {
    /// Merges the layers anew.
    pub(crate) fn merge(&mut self) {
        self.layers = Layers::merge(self.product, &self.opinions);
    }

    pub(crate) fn warn(&mut self, origin: &Origin, key: Option<String>, problem: Problem) {
        self.warnings
            .push(Warning::new(origin.clone(), key, problem));
    }

    pub(crate) fn reject(
        &mut self,
        id: Setting,
        origin: &Origin,
        key: Option<String>,
        problem: Problem,
    ) {
        self.warn(origin, key, problem.clone());
        self.opinions
            .entry(id)
            .or_default()
            .rejected
            .push(Rejected {
                origin: origin.clone(),
                problem,
            });
    }

    fn add_defaults(&mut self, ctx: &Context, product: Product) {
        for field in fields(product) {
            let Some(written) = field.default else {
                continue;
            };
            let mut reading = Reading::new(ctx, false);
            if let Ok(value) = check_text(field, written, &mut reading) {
                self.accept(field.id, Origin::built_in(), value);
            }
        }
    }

    fn accept(&mut self, id: Setting, mut origin: Origin, value: Checked) {
        if let Checked::Key(key) = &value {
            origin.via.clone_from(&key.via);
        }
        let opinions = self.opinions.entry(id).or_default();
        opinions.candidates.push(Candidate { origin, value });
    }

    fn add_file(&mut self, ctx: &Context, product: Product, origin: &Origin, trust: Trust) {
        let crate::layer::Place::File(path) = &origin.place else {
            return;
        };
        let members = match file::read(path) {
            Ok(members) => members,
            Err(problem) => return self.warn(origin, None, problem),
        };
        self.files.push((origin.layer, path.clone()));
        let places = members.iter().enumerate();
        let last: HashMap<&str, usize> = places.map(|(at, it)| (it.0.as_str(), at)).collect();
        let mut seen: Vec<&'static str> = Vec::new();
        let mut unknown = 0;
        for (at, (written, value)) in members.iter().enumerate() {
            let snake = to_snake(written);
            if snake == "$schema" {
                continue;
            }
            let Some(field) = fields(product).iter().find(|field| field.takes_key(&snake)) else {
                let of_another = Product::all()
                    .any(|other| fields(other).iter().any(|field| field.takes_key(&snake)));
                let problem = if of_another {
                    Problem::OtherProducts
                } else {
                    unknown += 1;
                    let keys = fields(product).iter().map(|field| field.key);
                    let nearest = (unknown <= SUGGESTIONS).then(|| nearest(&snake, keys));
                    Problem::UnknownKey {
                        nearest: nearest.flatten(),
                    }
                };
                self.warn(origin, Some(shown_key(written)), problem);
                continue;
            };
            if last.get(written.as_str()).is_some_and(|last| *last > at) {
                self.warn(origin, Some(written.clone()), Problem::Repeated);
                continue;
            }
            if seen.contains(&field.key) {
                self.warn(origin, Some(written.clone()), Problem::Twice);
                continue;
            }
            seen.push(field.key);
            self.add_member(ctx, origin, trust, field, written, value);
        }
    }

    fn add_member(
        &mut self,
        ctx: &Context,
        origin: &Origin,
        trust: Trust,
        field: &Field,
        written: &str,
        value: &Value,
    ) {
        let key = Some(written.to_owned());
        if value.is_null() {
            return;
        }
        if value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return self.warn(origin, key, Problem::Blank);
        }
        if let Kind::NoMeaning(reason) = field.kind {
            return self.warn(origin, key, Problem::NoMeaning { reason });
        }
        if trust != Trust::Trusted && field.guard == Guard::NeedsTrust {
            return self.reject(field.id, origin, key, Problem::NeedsTrust);
        }
        let mut reading = Reading::new(ctx, true);
        let checked = check(field, value, &mut reading);
        for (below, problem) in reading.inner {
            self.warn(origin, Some(format!("{written}{below}")), problem);
        }
        let value = match checked {
            Ok(value) => value,
            Err(problem) => return self.reject(field.id, origin, key, problem),
        };
        let allowed = match trust {
            Trust::Trusted => Ok(value),
            _ => self.without_trust(ctx, field, value),
        };
        match allowed {
            Ok(value) => self.accept(field.id, origin.clone(), value),
            Err(problem) => self.reject(field.id, origin, key, problem),
        }
    }

    /// What a value amounts to in the file of a project that Codex does not know.
    fn without_trust(
        &self,
        ctx: &Context,
        field: &Field,
        value: Checked,
    ) -> Result<Checked, Problem> {
        let below = self
            .opinions
            .get(&field.id)
            .and_then(|said| said.candidates.last())
            .map(|candidate| &candidate.value);
        match field.guard {
            Guard::Harmless => Ok(value),
            Guard::NeedsTrust => Err(Problem::NeedsTrust),
            Guard::OnlyStricter => stricter(below, value).ok_or(Problem::Weakens),
            Guard::OnlyOff => {
                let mut variables = field.vars.iter();
                let above = variables.find_map(|name| ctx.env.get(name));
                let is_on = matches!(below, Some(Checked::Switch(true)))
                    || above.and_then(switch_word) == Some(true);
                match value {
                    Checked::Switch(true) if !is_on => Err(Problem::NeedsTrust),
                    value => Ok(value),
                }
            }
        }
    }

    /// Variables beside the settings' own that are not text, although they should be, or say nothing
    /// that is understood.
    fn tell_odd_variables(&mut self, ctx: &Context, product: Product) {
        let level = ctx.env.get(LOG).unwrap_or(LOG_LEVELS[0]).trim();
        if !LOG_LEVELS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(level))
        {
            let problem = Problem::Unexpected {
                expected: "off, error, warn, info or debug",
                found: Found::Text,
            };
            self.warn(&Origin::variable(LOG), None, problem);
        }
        for name in ctx.env.not_text().filter(|name| !PATHS.contains(name)) {
            let known = env_table().iter().find(|known| known.name == name);
            let concerns = known.is_some_and(|known| {
                known.key.is_none()
                    && !known.without_effect
                    && (known.products.is_empty() || known.products.contains(&product))
            });
            if concerns {
                let origin = Origin::variable(name.to_owned());
                self.warn(&origin, None, Problem::NotText);
            }
        }
    }

    fn add_variables(&mut self, ctx: &Context, product: Product) {
        for field in fields(product) {
            // The first set one wins, so it is added last.
            for name in field.vars.iter().rev() {
                let Some(value) = ctx.env.get_os(name) else {
                    continue;
                };
                let origin = Origin::variable(*name);
                let Some(text) = value.to_str() else {
                    self.reject(field.id, &origin, None, Problem::NotText);
                    continue;
                };
                if let Kind::NoMeaning(reason) = field.kind {
                    self.warn(&origin, None, Problem::NoMeaning { reason });
                    continue;
                }
                let mut reading = Reading::new(ctx, false);
                let checked = check_text(field, text, &mut reading);
                for (below, problem) in reading.inner {
                    let key = (!below.is_empty()).then_some(below);
                    self.warn(&origin, key, problem);
                }
                match checked {
                    Ok(value) => self.accept(field.id, origin, value),
                    Err(problem) => self.reject(field.id, &origin, None, problem),
                }
            }
        }
    }
}

/// Variables whose value may be any path.
const PATHS: [&str; 5] = [
    "CODEX_TRACING_TEAM_CONFIG",
    "HOME",
    "PLUGIN_DATA",
    "PROGRAMDATA",
    "USERPROFILE",
];

/// What a value without trust may amount to over the value `below` it: itself if it protects at
/// least as much, for rules those below with the new ones after them, else nothing.
fn stricter(below: Option<&Checked>, value: Checked) -> Option<Checked> {
    let rank = |images: ImagePolicy| match images {
        ImagePolicy::Keep => 0,
        ImagePolicy::Reference => 1,
        ImagePolicy::Omit => 2,
    };
    let is_stricter = match (below, &value) {
        (Some(Checked::Switch(below)), Checked::Switch(value)) => *value || !below,
        (Some(Checked::Images(below)), Checked::Images(value)) => rank(*value) >= rank(*below),
        (Some(Checked::Bytes(below)), Checked::Bytes(value)) => {
            // 0 is no limit.
            let limit = |bytes: &usize| bytes.checked_sub(1).unwrap_or(usize::MAX);
            limit(value) <= limit(below)
        }
        (Some(Checked::Rules(below)), Checked::Rules(value)) => {
            return Some(Checked::Rules([below.as_slice(), value].concat()));
        }
        (None, Checked::Rules(_)) => true,
        _ => false,
    };
    is_stricter.then_some(value)
}
