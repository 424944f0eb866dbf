//! The end of a PEM block, or of what is left of one.

use std::sync::LazyLock;

use regex::Regex;

static END: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"-----END (?:[A-Z0-9 ]+ )?PRIVATE KEY(?: BLOCK)?-----").ok());

/// Lines of base64 with what may stand between them: line ends, escaped ones, indentation, the
/// marks of a diff, quotes.
static BODY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"\A(?:(?:[\s"',+>|]|\\+[nrt])*"#,
        r"(?:(?:Proc-Type|DEK-Info|Version|Comment):[^\r\n\\]*|[A-Za-z0-9+/=]{8,}))*",
    ))
    .ok()
});

/// Where blocks end; searched forward only, however many headers there are.
#[derive(Debug, Default)]
pub(super) struct PemEnds {
    last: Last,
}

/// The result of the last search.
#[derive(Debug, Default, Clone, Copy)]
enum Last {
    /// Nobody asked yet.
    #[default]
    Unknown,
    /// A block ends here.
    At(usize),
    /// No block ends any more.
    Nowhere,
}

impl PemEnds {
    /// Where the block whose header ends at `body` ends: behind its last line, or, where that is
    /// missing (a key cut by `head`), behind what looks like a key.
    pub(super) fn block_end(&mut self, text: &str, body: usize) -> usize {
        let known = match self.last {
            Last::At(end) if end > body => Some(end),
            Last::Nowhere => None,
            Last::At(_) | Last::Unknown => {
                let found = END
                    .as_ref()
                    .and_then(|end| end.find_at(text, body))
                    .map(|end| end.end());
                self.last = found.map_or(Last::Nowhere, Last::At);
                found
            }
        };
        known.unwrap_or_else(|| {
            let rest = text.get(body..).unwrap_or_default();
            let length = BODY
                .as_ref()
                .and_then(|pattern| pattern.find(rest))
                .map_or(rest.len(), |found| found.end());
            body + length
        })
    }
}
