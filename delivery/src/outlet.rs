//! The way out to one destination, so that delivery can be tried without a network.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::{
    Backend, Deadline, Destination, Exchange, FactsStore, Item, OnTrouble, SendReport, Sender,
    Throttle,
};

/// Sends items to one destination.
pub trait Outlet {
    /// Sends everything or until `deadline`; tells what became of each item. Before that, `trouble`
    /// hears at once of each failure that is waited out.
    fn send<'a>(
        &'a mut self,
        items: Vec<Item>,
        deadline: Deadline,
        trouble: &'a mut OnTrouble<'a>,
    ) -> Pin<Box<dyn Future<Output = SendReport> + 'a>>;
}

/// Opens the outlet of a destination.
pub type Outlets = Rc<dyn Fn(&Destination) -> Box<dyn Outlet>>;

impl<E: Exchange> Outlet for Sender<E> {
    fn send<'a>(
        &'a mut self,
        items: Vec<Item>,
        deadline: Deadline,
        trouble: &'a mut OnTrouble<'a>,
    ) -> Pin<Box<dyn Future<Output = SendReport> + 'a>> {
        Box::pin(self.send_watched(items, deadline, trouble))
    }
}

/// Outlets over HTTP: a [`Sender`] for each destination of `backend`. With the same `throttle` for
/// all sessions of a process, a destination that asked for rest gets it from all of them.
pub fn http_outlets<E: Exchange + Clone + 'static>(
    backend: Arc<dyn Backend>,
    client: E,
    facts: FactsStore,
    throttle: Throttle,
) -> Outlets {
    Rc::new(move |destination| {
        let sender = Sender::new(
            Arc::clone(&backend),
            destination.clone(),
            client.clone(),
            facts.clone(),
        );
        Box::new(sender.with_throttle(throttle.clone()))
    })
}
