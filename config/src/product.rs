//! The products whose settings this crate knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::field::{Field, Setting, fields};

/// A product whose settings this crate resolves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Product {
    /// LangSmith.
    LangSmith,
    /// Braintrust.
    Braintrust,
}

impl Product {
    /// All of them, in the order they are listed to people.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::LangSmith, Self::Braintrust].into_iter()
    }

    /// The name on the command line and of its files: `langsmith` or `braintrust`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LangSmith => "langsmith",
            Self::Braintrust => "braintrust",
        }
    }

    /// The variable that switches tracing on.
    pub fn switch_variable(self) -> &'static str {
        variable(self, Setting::Enabled)
    }

    /// Variables that switch the tracing of other tools of the product on and have no effect here: who
    /// has set one may think that this is on.
    pub const fn other_switches(self) -> &'static [&'static str] {
        match self {
            Self::LangSmith => &["LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"],
            Self::Braintrust => &[],
        }
    }

    /// The variable with the API key; the one that the product's own tools read, too, if there are
    /// several.
    pub fn key_variable(self) -> &'static str {
        variable(self, Setting::ApiKey)
    }

    /// The name as its maker writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::LangSmith => "LangSmith",
            Self::Braintrust => "Braintrust",
        }
    }
}

fn field(product: Product, id: Setting) -> Option<&'static Field> {
    fields(product).iter().find(|field| field.id == id)
}

/// The last of a setting's variables: the first ones are for this program alone.
fn variable(product: Product, id: Setting) -> &'static str {
    let last = field(product, id).and_then(|field| field.vars.last());
    last.copied().unwrap_or_default()
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name given is not a product's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown product: expected `langsmith` or `braintrust`")]
pub struct UnknownProduct;

impl FromStr for Product {
    type Err = UnknownProduct;

    fn from_str(name: &str) -> Result<Self, UnknownProduct> {
        Self::all()
            .find(|product| product.name() == name)
            .ok_or(UnknownProduct)
    }
}

#[cfg(test)]
mod tests {
    use super::Product;

    #[test]
    fn each_product_names_its_switch_and_its_key() {
        let named =
            Product::all().map(|product| (product.switch_variable(), product.key_variable()));
        let expected = [
            ("TRACE_TO_LANGSMITH", "LANGSMITH_API_KEY"),
            ("TRACE_TO_BRAINTRUST", "BRAINTRUST_API_KEY"),
        ];
        assert!(named.eq(expected));
    }
}
