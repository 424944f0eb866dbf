//! The tables of the documentation, rendered from the tables of the code.

use crate::env::{DETECTED, env_table};
use crate::field::{Guard, Kind, fields};
use crate::product::Product;

/// [`env_table`] as the README shows it: Markdown, with a heading row, ending in a line feed.
pub fn env_table_markdown() -> String {
    let mut lines = vec![
        "| Variable | For | Default | What it does |\n".to_owned(),
        "| --- | --- | --- | --- |\n".to_owned(),
    ];
    let (detected, settings): (Vec<_>, Vec<_>) =
        env_table().iter().partition(|var| var.about == DETECTED);
    for var in &settings {
        let products: Vec<&str> = var.products.iter().map(|product| product.title()).collect();
        let products = match products.as_slice() {
            [] => "both".to_owned(),
            products => products.join(", "),
        };
        let before = settings
            .iter()
            .find(|other| other.falls_back_to == Some(var.name));
        let about = if var.without_effect {
            format!("Accepted without effect: {}.", cell(var.about))
        } else if let Some(before) = before.filter(|before| before.products == var.products) {
            format!("Read if `{}` is unset.", before.name)
        } else {
            format!(
                "{}{}",
                cell(var.about),
                if var.json { " As JSON text." } else { "" }
            )
        };
        let default = code(var.default);
        lines.push(format!(
            "| `{}` | {products} | {default} | {about} |\n",
            var.name
        ));
    }
    let names: Vec<String> = detected
        .iter()
        .map(|var| format!("`{}`", var.name))
        .collect();
    lines.push(format!(
        "\nOnly looked at, to tell what kind of machine a Braintrust session runs on: {}.\n",
        names.join(", ")
    ));
    lines.concat()
}

/// The keys of a product's settings files as the README shows them: Markdown, with a heading row,
/// ending in a line feed.
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
