//! One run of everything over given bytes: shared by the fuzz target and the bounded test.

use std::sync::Arc;

use codex_tracing_transcript::{Assembler, Lines, Turn, TurnStatus, Verbatim};

/// Splits and assembles `bytes`, looks at everything on the way, and checks what must hold for
/// any input. Panics where it does not.
pub(crate) fn exercise(bytes: &[u8]) {
    let mut assembler = Assembler::new(Arc::new(Verbatim));
    let mut lines = Lines::new(0);
    let mut turns = Vec::new();
    // The first byte says how the rest is cut.
    let piece = bytes.first().map_or(1, |byte| usize::from(*byte) * 16 + 1);
    for part in bytes.chunks(piece) {
        lines.push(part, &mut |offset, line| assembler.push(offset, line));
        turns.extend(assembler.take_turns());
    }
    if let Some(open) = assembler.open_turn() {
        assert!(open.is_running());
        check(&open);
    }
    assembler.cut_off();
    turns.extend(assembler.take_turns());
    assert!(assembler.open_turn().is_none());
    turns.iter().for_each(check);
    let last = turns.iter().map(|turn| turn.number).max().unwrap_or(0);
    for settled in [0, last / 2, last] {
        let carry = assembler.carry(settled).unwrap();
        assert!(carry.turns <= settled);
        let mut resumed = Assembler::resume(Arc::new(Verbatim), carry);
        lines_from(bytes, &mut resumed);
        assert!(resumed.take_turns().iter().all(|turn| turn.number > 0));
    }
}

/// Reads again from where the carry says.
fn lines_from(bytes: &[u8], resumed: &mut Assembler) {
    let offset = resumed.carry(u32::MAX).map_or(0, |carry| carry.offset);
    let start = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    let mut lines = Lines::new(offset);
    lines.push(bytes.get(start..).unwrap_or_default(), &mut |at, line| {
        resumed.push(at, line);
    });
}

fn check(turn: &Turn) {
    assert!(!turn.conversations.is_empty());
    assert_eq!(turn.window.ended_at.is_none(), turn.is_running());
    assert!(
        turn.window
            .ended_at
            .is_none_or(|end| end >= turn.window.started_at)
    );
    for call in &turn.calls {
        let items = &turn.conversations[call.input.conversation];
        assert!(call.input.len <= items.len());
        assert!(call.window.started_at >= turn.window.started_at);
    }
    for tool in &turn.tools {
        assert!(turn.is_running() || tool.window.ended_at.is_some());
        assert!(tool.model_call.is_none_or(|index| index < turn.calls.len()));
    }
    if turn.status == TurnStatus::CutOff {
        assert!(turn.error.is_some());
    }
}
