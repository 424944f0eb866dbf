//! Codex sessions as Braintrust spans.
//!
//! [`Braintrust`] is the [`Backend`](codex_tracing_delivery::Backend): a [`View`] of a turn becomes
//! rows (`map`), rows become one `/logs3` request (`request`), a response becomes a verdict
//! (`response`). All of it is pure: no I/O, no clock, no environment.
//!
//! # Convergence
//!
//! A row may be written often, late, twice, or out of order, and must still fold to the same span.
//! Four rules do that:
//!
//! 1. **Ids are computed** from thread, turn, kind and key (`ids`), so a second write meets the
//!    first one instead of doubling it. `id` and `span_id` are the same string.
//! 2. **Every write is a merge** (`_is_merge: true`) of the fields that are present. Nothing is
//!    ever nulled, and what people add in Braintrust (scores, comments, tags) survives.
//! 3. **A leaf is written once it is final** and then always with the same value: a running span
//!    has no `metrics.end`, no output, no status. Partial rows are therefore subsets of the final
//!    row, and merging subsets commutes.
//! 4. **No item takes another's place.** Delivery sends only the latest version of an item. A span
//!    to which several turns contribute (a session, a subagent) is therefore an item for each of
//!    them (`<row id>#<turn's row id>`), writing to the same row; `request` folds those that travel
//!    together.
//!
//! A running turn thus shows its prompt, its model calls and its tool calls from their beginning
//! (calls of MCP servers without a start: they may wait for others, and tell when they end).
//! What may still turn out to be something else waits: the last model call while it asked for no
//! tool and the user heard nothing of it (it may be the summary of a compaction), tools of the
//! model's provider until their call is over, nested commands until they end.
//!
//! Few leaves cannot be final while a session may go on, and move forward instead: the root's
//! `metrics.end` (always the latest end in the session, never the mapped turn's own), the root's
//! `output` (written only by the turn that ended last), and a subagent's `metrics.end` and `output`
//! (those of its turn mapped last). A prompt that is extended while its turn runs replaces the
//! turn's `input`. These rely on writes arriving in the order they were made, which delivery
//! keeps, and a full re-send restores them.
//!
//! # What it refuses to do
//!
//! It touches no file and no journal; rows carry no `project_id` (that is learned from the server
//! and spliced in by `request`, so that `export` needs no network); keys leave only as secret
//! headers, and never with a signed upload.
//!
//! [`View`]: codex_tracing_delivery::View

mod backend;
mod ids;
mod map;
mod record;
mod request;
mod response;
mod row;
mod settings;

pub use backend::Braintrust;
pub use record::{RecordError, parse_record_line, record_line};
