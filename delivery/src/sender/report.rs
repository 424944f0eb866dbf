//! What became of the items of one send, and what is told before it ends.

use std::time::Duration;

use crate::Item;

/// Hears, while sending goes on, what has just gone wrong and will be tried again: the words that
/// [`SendReport::last_error`] has by then.
pub type OnTrouble<'a> = dyn FnMut(&str) + Send + 'a;

/// What became of the items handed to [`crate::Sender::send`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendReport {
    /// Ids of items the server has, in the order in which it took them.
    pub acknowledged: Vec<String>,
    /// Ids of items it will never take, each with its words.
    pub rejected: Vec<(String, String)>,
    /// Items to be sent another time, in their order.
    pub unsent: Vec<Item>,
    /// Why nothing more goes to this destination until somebody changes something (a key, a
    /// permission, an address).
    pub stopped: Option<String>,
    /// The last thing that went wrong on the way, also where a later attempt succeeded.
    pub last_error: Option<String>,
    /// How long to wait before items that are unsent have a chance.
    pub retry_after: Option<Duration>,
    /// Ids of items that lost contents to be small enough; acknowledged or unsent, never rejected.
    pub shrunk: Vec<String>,
}
