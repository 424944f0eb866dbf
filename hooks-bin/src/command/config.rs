//! `config show` and `config schema`: what is in force and where it came from, and a JSON Schema
//! for editors. Keys arrive here masked, and metadata is shown redacted.

use codex_tracing_config::{
    Context, Layer, Product, Provenance, Row, Severity, Trust, Warning, explain,
};
use codex_tracing_redact::{Images, Redactor};
use codex_tracing_transcript::Scrub as _;
use serde_json::{Map, Value, json};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::backends;

/// Widest value that is shown whole in the table; `--json` shows all of it.
const VALUE_WIDTH: usize = 48;

/// The effective settings of one product or of all, as a table or as JSON, ending in a line feed.
pub(crate) fn show(ctx: &Context, product: Option<Product>, json: bool) -> String {
    let products = match product {
        Some(product) => vec![product],
        None => Product::all().collect(),
    };
    let explained = products
        .into_iter()
        .map(|product| (explain(ctx, product), misfits(ctx, product)));
    if json {
        let all: Vec<Value> = explained
            .map(|(loaded, misfits)| with_misfits(&loaded.provenance, misfits))
            .collect();
        return format!("{:#}\n", Value::from(all));
    }
    let tables: Vec<String> = explained
        .map(|(loaded, misfits)| {
            let mut table = table(&loaded.provenance, &loaded.warnings);
            table.extend(misfits.iter().map(|misfit| {
                let source = misfit.source(&loaded.provenance);
                plain(&format!("warning: {source}{}", misfit.words)) + "\n"
            }));
            table
        })
        .collect();
    tables.join("\n")
}

/// What is wrong with a well-formed value that only its user can tell.
struct Misfit {
    key: &'static str,
    words: String,
}

impl Misfit {
    /// Where the setting comes from, to be put before the words.
    fn source(&self, provenance: &Provenance) -> String {
        let row = provenance.rows().iter().find(|row| row.key == self.key);
        row.map_or_else(String::new, |row| format!("{}: ", row.origin))
    }
}

/// A caller's run that cannot be nested under, and redaction rules that cannot be used.
fn misfits(ctx: &Context, product: Product) -> Vec<Misfit> {
    let Some(registration) = backends::find(product.name()) else {
        return Vec::new();
    };
    let opened = registration.open(ctx, None);
    let parent = opened.parent_problem.map(|problem| Misfit {
        key: "parent_headers",
        words: problem,
    });
    let rules = opened.rule_problems.iter().map(|problem| Misfit {
        key: "redact_extra_rules",
        words: problem.to_string(),
    });
    parent.into_iter().chain(rules).collect()
}

fn with_misfits(provenance: &Provenance, misfits: Vec<Misfit>) -> Value {
    let mut json = provenance.to_json();
    let rows = json["settings"].as_array_mut();
    rows.into_iter().flatten().for_each(redact_row);
    if let Some(warnings) = json["warnings"].as_array_mut() {
        warnings.extend(misfits.into_iter().map(|Misfit { key, words }| {
            let row = provenance.rows().iter().find(|row| row.key == key);
            let source = row.map(|row| row.origin.to_string());
            json!({ "severity": Severity::Warning, "source": source, "key": key, "problem": words })
        }));
    }
    json
}

/// A row of the JSON form, with what lower layers say.
fn redact_row(row: &mut Value) {
    let key = row["key"].as_str().unwrap_or_default().to_owned();
    let hidden = row["hides"].as_array_mut().map(std::mem::take);
    let redact = |place: &mut Value| {
        place["value"] = redacted(&key, &place["value"]);
    };
    let mut hidden = hidden.unwrap_or_default();
    hidden.iter_mut().for_each(redact);
    redact(row);
    row["hides"] = Value::from(hidden);
}

/// The value of a setting fit to be shown: what users say of themselves in metadata, and in that of
/// a replica, may hold any secret. It is shown as the built-in rules leave it, whatever rules a
/// destination gets.
fn redacted(key: &str, value: &Value) -> Value {
    let (redactor, _) = Redactor::new(true, &[], None, Images::Keep);
    // The name says what stands under it.
    let under = |name: &str, value: &Value| {
        let mut named = Value::from(Map::from_iter([(name.to_owned(), value.clone())]));
        redactor.json(&mut named);
        named[name].take()
    };
    if let Some(name) = key.strip_prefix("metadata.") {
        return under(name, value);
    }
    if key == "metadata" {
        return under(key, value);
    }
    let mut value = value.clone();
    let replicas = value.as_array_mut().filter(|_| key == "replicas");
    for updates in replicas
        .into_iter()
        .flatten()
        .filter_map(|replica| replica.get_mut("updates"))
    {
        redactor.json(updates);
    }
    value
}

/// The JSON Schema of a product's settings file, ending in a line feed.
pub(crate) fn schema(product: Product) -> String {
    format!("{:#}\n", codex_tracing_config::schema(product))
}

fn table(provenance: &Provenance, warnings: &[Warning]) -> String {
    let mut lines = vec![provenance.product.title().to_owned()];
    lines.extend(files(provenance, warnings));
    lines.push(String::new());
    lines.extend(columns(&cells(provenance.rows())));
    if !warnings.is_empty() {
        lines.push(String::new());
        lines.extend(warnings.iter().map(|warning| {
            let severity = match warning.severity() {
                Severity::Note => "note",
                _ => "warning",
            };
            format!("{severity}: {warning}")
        }));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn files(provenance: &Provenance, warnings: &[Warning]) -> Vec<String> {
    let mut lines: Vec<String> = provenance
        .files
        .iter()
        .map(|(layer, path)| plain(&format!("read: {} ({layer})", path.display())))
        .collect();
    if lines.is_empty() {
        lines.push("read: no settings file".to_owned());
    }
    let unread = warnings.iter().filter(|warning| warning.drops_file());
    lines.extend(unread.map(|warning| plain(&format!("left out: {}", warning.origin))));
    if let Some(project) = &provenance.project {
        let trust = match project.trust {
            Trust::Trusted => "trusted",
            Trust::Untrusted => "marked untrusted: its file is ignored",
            _ => "not known to Codex: only harmless settings of its file count",
        };
        let by = project.decided_by.as_ref();
        let by = by.map(|by| format!(", by {by}")).unwrap_or_default();
        lines.push(plain(&format!("project: {trust}{by}")));
    }
    lines
}

/// Setting, value and source; what a value hides and what was left out stand below it.
fn cells(rows: &[Row]) -> Vec<[String; 3]> {
    let mut cells = vec![["SETTING", "VALUE", "FROM"].map(str::to_owned)];
    for row in rows {
        let from = format!("{}: {}", row.origin.layer, row.origin);
        let from = if row.origin.layer == Layer::Default {
            row.origin.layer.to_string()
        } else {
            from
        };
        let value = text(&redacted(&row.key, &row.value));
        cells.push([clip(&plain(&row.key)), value, from]);
        for hidden in &row.hidden {
            if hidden.origin.layer == Layer::Default {
                continue;
            }
            let from = format!("{}: {}", hidden.origin.layer, hidden.origin);
            let hides = text(&redacted(&row.key, &hidden.value));
            cells.push([String::new(), format!("(hides {hides})"), from]);
        }
        for dropped in &row.dropped {
            let from = format!("{}: {}", dropped.origin.layer, dropped.origin);
            cells.push([String::new(), "(left out, see below)".to_owned(), from]);
        }
    }
    cells
}

fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    clip(&plain(&text))
}

/// The text without control characters: names come with repositories, and a terminal obeys what
/// is printed to it.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// The text cut to the column's width, with a mark where it was cut.
fn clip(text: &str) -> String {
    if text.width() <= VALUE_WIDTH {
        return text.to_owned();
    }
    let mut width = 0;
    let kept = text.chars().take_while(|c| {
        width += c.width().unwrap_or(0);
        width < VALUE_WIDTH
    });
    kept.chain(['…']).collect()
}

fn columns(cells: &[[String; 3]]) -> Vec<String> {
    let widest = |column: usize| {
        let widths = cells.iter().filter_map(|row| row.get(column));
        widths.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let (setting, value) = (widest(0), widest(1));
    cells
        .iter()
        .map(|[key, shown, from]| {
            let key = pad(key, setting);
            let shown = pad(shown, value);
            format!("{key}  {shown}  {from}").trim_end().to_owned()
        })
        .collect()
}

/// The text with spaces after it up to `width` columns of a terminal.
fn pad(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(spaces))
}

#[cfg(test)]
mod tests {
    use codex_tracing_config::Environment;

    use super::*;

    fn context() -> Context {
        let env = Environment::from_pairs([
            ("TRACE_TO_LANGSMITH", "true"),
            (
                "LANGSMITH_CODEX_API_KEY",
                "lsv2_pt_0123456789abcdef0123456789a1b2",
            ),
            ("LANGSMITH_PROJECT", "generic"),
            ("LANGSMITH_CODEX_PROJECT", "mine"),
            (
                "LANGSMITH_CODEX_METADATA",
                "{\"note\": \"日本語のとても長い説明文がここに入りますので切り取られます\"}",
            ),
            ("LANGSMITH_CODEX_REDACT", "maybe"),
        ]);
        let mut ctx = Context::new(env, "/nowhere".into());
        ctx.team_dir = "/nowhere/team".into();
        ctx
    }

    fn line<'a>(table: &'a str, start: &str) -> &'a str {
        let found = table.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("no line {start} in\n{table}"))
    }

    #[test]
    fn the_table_has_value_and_source_of_every_setting_and_no_key() {
        let table = show(&context(), Some(Product::LangSmith), false);
        assert!(line(&table, "api_key").contains("lsv2_…a1b2"));
        assert!(line(&table, "api_key").ends_with("environment: LANGSMITH_CODEX_API_KEY"));
        assert!(line(&table, "workspace_id").ends_with("default"));
        assert!(table.contains("(hides generic)"));
        assert!(table.contains("warning: LANGSMITH_CODEX_REDACT: expected true or false"));
        assert!(!table.contains("0123456789abcdef"));
    }

    #[test]
    fn a_secret_in_metadata_is_shown_as_it_is_sent() {
        let secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
        let metadata = json!({"pat": secret, "password": "hunter2-4711", "n": {"deep": [secret]}, "team": "agents"});
        let replicas = json!([{"project": "eu", "updates": {"metadata": {"pat": secret}}}]);
        let pairs = [
            ("LANGSMITH_METADATA", metadata.to_string()),
            ("LANGSMITH_RUNS_ENDPOINTS", replicas.to_string()),
        ];
        let env =
            Environment::from_pairs(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        let ctx = Context::new(env, "/nowhere".into());
        for json in [false, true] {
            let shown = show(&ctx, Some(Product::LangSmith), json);
            assert!(
                !shown.contains("ghp_") && !shown.contains("4711"),
                "{shown}"
            );
            assert!(shown.contains("agents") && shown.contains("eu"), "{shown}");
            assert!(shown.contains("metadata.password"), "{shown}");
        }
    }

    #[test]
    fn a_callers_run_that_cannot_be_nested_under_is_told_of() {
        let headers = |trace: &str| {
            let value = json!({"langsmith-trace": trace}).to_string();
            let env = Environment::from_pairs([("LANGSMITH_CODEX_PARENT_HEADERS", value.as_str())]);
            let ctx = Context::new(env, "/nowhere".into());
            let table = show(&ctx, Some(Product::LangSmith), false);
            let all: Value = serde_json::from_str(&show(&ctx, None, true)).unwrap();
            let told = all[0]["warnings"].as_array().unwrap().iter();
            let told = told.filter(|warning| warning["key"] == "parent_headers");
            (
                table.contains(
                    "warning: LANGSMITH_CODEX_PARENT_HEADERS: parent header langsmith-trace",
                ),
                told.count(),
            )
        };
        assert_eq!(headers("nonsense"), (true, 1));
        let sound = "20260102T030405678001Z019b7ca9-8f2e-7000-8000-000000000001";
        assert_eq!(headers(sound), (false, 0));
    }

    #[test]
    fn columns_line_up_whatever_the_width_of_a_character() {
        let table = show(&context(), Some(Product::LangSmith), false);
        let column = |line: &str, part: &str| {
            let at = line.find(part).unwrap();
            line[..at].width()
        };
        let header = column(line(&table, "SETTING"), "FROM");
        assert_eq!(
            column(line(&table, "metadata.note"), "environment:"),
            header
        );
        assert_eq!(column(line(&table, "enabled"), "environment:"), header);
    }

    #[test]
    fn a_name_does_not_reach_the_terminal_as_a_command() {
        let env =
            Environment::from_pairs([("LANGSMITH_METADATA", r#"{"\u001b[2J": "\u001b[31m"}"#)]);
        let table = show(&Context::new(env, "/nowhere".into()), None, false);
        assert!(table.contains("metadata.\u{fffd}[2J"), "{table}");
        assert!(!table.contains('\u{1b}'));
    }

    #[test]
    fn json_and_schema_are_json() {
        let all: Value = serde_json::from_str(&show(&context(), None, true)).unwrap();
        assert_eq!(all.as_array().map(Vec::len), Some(2));
        let schema: Value = serde_json::from_str(&schema(Product::Braintrust)).unwrap();
        assert!(schema["properties"]["traceToBraintrust"].is_object());
    }
}
