//! The tables of the documentation, rendered from the tables of the code.

use crate::env::{EnvVar, env_table};
use crate::field::{Guard, Kind, fields};
use crate::product::Product;

/// [`env_table`] as the complete documentation shows it: Markdown, with a heading row, ending in a
/// line feed.
pub fn env_table_markdown() -> String {
    let mut lines = vec![
        "| Variable | For | Default | What it does |\n".to_owned(),
        "| --- | --- | --- | --- |\n".to_owned(),
    ];
    let (detected, settings): (Vec<_>, Vec<_>) =
        env_table().iter().partition(|var| var.is_detected());
    for var in &settings {
        let products: Vec<&str> = var.products.iter().map(|product| product.title()).collect();
        let products = match products.as_slice() {
            [] => "both".to_owned(),
            products => products.join(", "),
        };
        let before = settings
            .iter()
            .find(|other| other.falls_back_to == Some(var.name));
        let about = match before.filter(|before| before.products == var.products) {
            Some(before) => format!("Read if `{}` is unset.", before.name),
            None => about(var),
        };
        let default = code(var.default);
        lines.push(format!(
            "| `{}` | {products} | {default} | {about} |\n",
            var.name
        ));
    }
    lines.push(format!("\n{}", looked_at(&detected)));
    lines.concat()
}

fn looked_at(detected: &[&EnvVar]) -> String {
    let names: Vec<String> = detected
        .iter()
        .map(|var| format!("`{}`", var.name))
        .collect();
    format!(
        "Only looked at, to tell what kind of machine a Braintrust session runs on: {}.\n",
        names.join(", ")
    )
}

fn about(var: &EnvVar) -> String {
    if var.without_effect {
        return format!("Accepted without effect: {}.", cell(var.about));
    }
    let form = if var.json { " As JSON text." } else { "" };
    format!("{}{form}", cell(var.about))
}

/// [`env_table`] as the README shows it: a folded table for each product and one for what both have;
/// a variable that is read only if another is unset stands in that one's row. Ends in a line feed.
pub fn env_summary_markdown() -> String {
    let of_one = Product::all()
        .map(|product| folded(product.title(), |var| var.products.as_slice() == [product]));
    let of_all =
        |var: &EnvVar| var.products.is_empty() || var.products.iter().copied().eq(Product::all());
    let mut tables: Vec<String> = of_one.collect();
    tables.push(folded("Both", of_all));
    tables.join("\n")
}

/// One table of the README below its title.
fn folded(title: &str, belongs: impl Fn(&EnvVar) -> bool) -> String {
    let find = |name: &str| env_table().iter().find(|var| var.name == name);
    let is_second = |var: &EnvVar| {
        let mut all = env_table().iter();
        all.any(|other| other.falls_back_to == Some(var.name))
    };
    let vars = env_table().iter();
    let vars = vars.filter(|var| belongs(var) && !is_second(var));
    let (detected, vars): (Vec<_>, Vec<_>) = vars.partition(|var| var.is_detected());
    let mut lines = vec![
        format!("<details><summary>{title}</summary>\n\n"),
        "| Variable | Default | What it does |\n".to_owned(),
        "| --- | --- | --- |\n".to_owned(),
    ];
    for var in vars {
        let names = std::iter::successors(Some(var), |var| find(var.falls_back_to?));
        let names: Vec<String> = names.map(|var| format!("`{}`", var.name)).collect();
        lines.push(format!(
            "| {} | {} | {} |\n",
            names.join(", "),
            code(var.default),
            about(var)
        ));
    }
    if !detected.is_empty() {
        lines.push(format!("\n{}", looked_at(&detected)));
    }
    lines.push("\n</details>\n".to_owned());
    lines.concat()
}

/// The keys of a product's settings files as the documentation shows them: Markdown, with a heading
/// row, ending in a line feed.
pub fn file_keys_markdown(product: Product) -> String {
    let mut lines = vec![
        "| Key | Variable | Default | In a project without trust | What it does |\n".to_owned(),
        "| --- | --- | --- | --- | --- |\n".to_owned(),
    ];
    for field in fields(product) {
        if matches!(field.kind, Kind::NoMeaning(_)) {
            continue;
        }
        let vars: Vec<String> = field.vars.iter().map(|name| format!("`{name}`")).collect();
        let guard = match field.guard {
            Guard::Harmless => "counts",
            Guard::NeedsTrust => "left out",
            Guard::OnlyOff => "only off",
            Guard::OnlyStricter => "only if stricter",
        };
        lines.push(format!(
            "| `{}` | {} | {} | {guard} | {} |\n",
            field.documented_key(),
            vars.join(", "),
            code(field.default),
            cell(field.about),
        ));
    }
    lines.concat()
}

fn code(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| format!("`{text}`"))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
