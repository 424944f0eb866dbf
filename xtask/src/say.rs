//! What tasks print.

/// As `println!`, for a reader that may go away (`| head`): what nobody reads is not said, and the
/// task goes on to its end.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}
