//! The files of the layers: which they are, and reading one. Reading is bounded and touches
//! regular files only, because a repository may bring anything under these names.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::context::Context;
use crate::layer::{Layer, Origin};
use crate::product::Product;
use crate::warning::{Found, Problem, Warning};

/// Longest settings file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file that a layer may have.
pub(crate) struct Candidate {
    pub(crate) layer: Layer,
    pub(crate) path: PathBuf,
    /// Whether its absence is worth a warning.
    pub(crate) required: bool,
}

/// Files of the user's own and the machine's layers, lowest first. Absent ones are left out
/// unless somebody named them. Without a home to start from there is no user's file: a relative
/// path would lead into whatever repository the session runs in.
pub(crate) fn own_files(
    ctx: &Context,
    product: Product,
    warnings: &mut Vec<Warning>,
) -> Vec<Candidate> {
    let mut files = Vec::new();
    files.extend(team_file(ctx, product, warnings));
    files.extend(user_file(ctx, product, warnings));
    if product == Product::Braintrust {
        files.extend(plugin_data_file(ctx));
    }
    files
}

fn team_file(ctx: &Context, product: Product, warnings: &mut Vec<Warning>) -> Option<Candidate> {
    let variable = "CODEX_TRACING_TEAM_CONFIG";
    let Some(named) = ctx.env.get_os(variable) else {
        return in_folder(&ctx.team_dir, product, Layer::Team, warnings);
    };
    let named = named.to_str().map_or(named, |text| text.trim().as_ref());
    let path = match (Path::new(named).strip_prefix("~"), &ctx.home) {
        (Ok(below), Some(home)) => home.join(below),
        _ => PathBuf::from(named),
    };
    // A relative one would be a file of whatever repository the session runs in.
    if path.is_relative() {
        let problem = Problem::Unexpected {
            expected: "an absolute path",
            found: Found::RelativePath,
        };
        warnings.push(Warning::new(Origin::variable(variable), None, problem));
        return None;
    }
    if path.is_dir() {
        return in_folder(&path, product, Layer::Team, warnings);
    }
    // A file named after the other product is that one's alone.
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let foreign = Product::all().any(|other| other != product && stem == Some(other.name()));
    (!foreign).then_some(Candidate {
        layer: Layer::Team,
        path,
        required: true,
    })
}

fn user_file(ctx: &Context, product: Product, warnings: &mut Vec<Warning>) -> Option<Candidate> {
    let usual = ctx.home.as_ref().map(|home| home.join(".codex"));
    std::iter::once(&ctx.codex_home)
        .chain(&usual)
        .filter(|folder| folder.is_absolute())
        .find_map(|folder| in_folder(folder, product, Layer::User, warnings))
}

/// Data folders of the Braintrust plugin below Codex's home, by the marketplace it came from.
const PLUGIN_DATA: [&str; 2] = [
    "plugins/data/trace-codex-braintrust-codex-plugins",
    "plugins/data/trace-codex-codex-tracing",
];

/// In the folder that Codex told a hook, else where a plugin of either marketplace has it: the file
/// stays in force for whoever changes over to the other marketplace, and for commands in a shell.
fn plugin_data_file(ctx: &Context) -> Option<Candidate> {
    let usual = PLUGIN_DATA.map(|below| ctx.codex_home.join(below));
    let folders = ctx.plugin_data.iter().chain(&usual);
    let mut files = folders.map(|folder| folder.join("config.json"));
    let path = files.find(|path| path.is_absolute() && path.exists())?;
    Some(Candidate {
        layer: Layer::PluginData,
        path,
        required: false,
    })
}

/// `<folder>/<product>.json`, else `.toml`.
pub(crate) fn in_folder(
    folder: &Path,
    product: Product,
    layer: Layer,
    warnings: &mut Vec<Warning>,
) -> Option<Candidate> {
    let json = folder.join(format!("{product}.json"));
    let toml = folder.join(format!("{product}.toml"));
    let path = match (json.exists(), toml.exists()) {
        (true, both) => {
            if both {
                let origin = Origin::file(layer, toml);
                warnings.push(Warning::new(origin, None, Problem::Shadowed));
            }
            json
        }
        (false, true) => toml,
        (false, false) => return None,
    };
    Some(Candidate {
        layer,
        path,
        required: false,
    })
}

/// The members of a settings file as they stand in it, one that stands there twice included; the
/// format follows the file's name. Errors never quote the content.
pub(crate) fn read(path: &Path) -> Result<Vec<(String, Value)>, Problem> {
    let text = read_text(path, MAX_BYTES)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    if is_toml {
        return toml_members(text);
    }
    match serde_json::from_str::<Members>(text) {
        Ok(Members(members)) => Ok(members),
        Err(error) => Err(match serde_json::from_str::<Value>(text) {
            Ok(other) => Problem::Unexpected {
                expected: "a JSON object of settings",
                found: Found::of(&other),
            },
            Err(_) => Problem::MalformedFile {
                format: "JSON",
                line: error.line().max(1),
                reason: slip_of(&error),
            },
        }),
    }
}

fn toml_members(text: &str) -> Result<Vec<(String, Value)>, Problem> {
    let table = toml::from_str::<toml::Table>(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Problem::MalformedFile {
            format: "TOML",
            line: line_of(text, at),
            reason: None,
        }
    })?;
    let members = table.into_iter();
    Ok(members
        .map(|(key, value)| (key, from_toml(value)))
        .collect())
}

/// The members of a JSON object in their order. A map would keep the last of two silently.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The slips that people make most, in words; the parser's own might quote the file.
fn slip_of(error: &serde_json::Error) -> Option<&'static str> {
    let words = error.to_string();
    let slips = [
        ("trailing comma", "a comma before the closing bracket"),
        ("expected `,` or", "a comma is missing"),
        (
            "key must be a string",
            "a key without quotes, a comment, or a comma too many",
        ),
        ("EOF while", "it ends too early"),
        (
            "trailing characters",
            "something stands behind the last bracket",
        ),
        ("expected `:`", "a colon is missing"),
    ];
    let slip = slips
        .into_iter()
        .find(|(begins, _)| words.starts_with(begins));
    slip.map(|(_, told)| told)
}

/// The text of a regular file of at most `limit` bytes.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, Problem> {
    let unreadable = |reason: &str| Problem::Unreadable {
        reason: reason.to_owned(),
    };
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => unreadable("it does not exist"),
        kind => unreadable(&kind.to_string()),
    };
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a regular file"));
    }
    if metadata.len() > limit {
        return Err(unreadable("it is too large"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text"))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(on) => Value::from(on),
        toml::Value::Datetime(at) => Value::from(at.to_string()),
        toml::Value::Array(items) => items.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| (key, from_toml(value)))
            .collect(),
    }
}
