//! The way out to one destination, so that delivery can be tried without a network.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use tokio::time::Instant;

use crate::{Destination, Item, SendReport, Sender};

/// Sends items to one destination.
pub trait Outlet {
    /// Sends everything or until `deadline`; tells what became of each item.
    fn send<'a>(
        &'a mut self,
        items: Vec<Item>,
        deadline: Instant,
    ) -> Pin<Box<dyn Future<Output = SendReport> + 'a>>;
}

/// Opens the outlet of a destination.
pub type Outlets = Rc<dyn Fn(&Destination) -> Box<dyn Outlet>>;

impl Outlet for Sender {
    fn send<'a>(
        &'a mut self,
        items: Vec<Item>,
        deadline: Instant,
    ) -> Pin<Box<dyn Future<Output = SendReport> + 'a>> {
        Box::pin(Sender::send(self, items, deadline))
    }
}
