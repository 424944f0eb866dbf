//! The crate's promises, each as a table or a scenario over real files.

mod binding;
mod documentation;
mod exposure;
mod forms;
mod frozen;
mod hostile;
mod malformed;
mod precedence;
mod samples;
mod scene;
mod secrets;
mod seeds;
mod trust;
