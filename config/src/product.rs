//! The products whose settings this crate knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

    /// The name as its maker writes it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::LangSmith => "LangSmith",
            Self::Braintrust => "Braintrust",
        }
    }
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
