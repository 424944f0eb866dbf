//! What the JavaScript plugin got wrong, one test each. The numbers are those of the list these
//! were collected in; what concerns files, settings and delivery is tested there.

mod leaks;
mod loss;
mod values;
