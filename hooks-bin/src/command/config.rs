//! temporary
use codex_tracing_config::{Context, Product};
pub(crate) fn show(ctx: &Context, _product: Option<Product>, _json: bool) -> String {
    format!(
        "{:#}\n",
        codex_tracing_config::langsmith(ctx).provenance.to_json()
    )
}
pub(crate) fn schema(product: Product) -> String {
    format!("{:#}\n", codex_tracing_config::schema(product))
}
