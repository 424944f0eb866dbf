//! The crate's promises, each as a table or a scenario over real files.

#[cfg(test)]
mod any_bytes;
#[cfg(test)]
mod binding;
#[cfg(test)]
mod documentation;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod encodings;
#[cfg(test)]
mod exercise;
#[cfg(test)]
mod exposure;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod frozen;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod notation;
#[cfg(test)]
mod precedence;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod trust;
