//! What holds for every recorded session.
