//! Requests and verdicts.
