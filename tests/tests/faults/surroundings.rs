//! A machine that does not play along: no room, no rights, no readers.
