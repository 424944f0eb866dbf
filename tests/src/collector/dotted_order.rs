//! LangSmith's `dotted_order`: one segment per ancestor, root first, each a start time with six
//! digits of a second's fraction and a run's id (`20260102T030405678001Z<uuid>`).

/// A segment, split.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// `YYYYMMDDTHHMMSSffffffZ`; sorts as time does.
    pub(super) time: &'a str,
    /// The run's id.
    pub(super) id: &'a str,
}

/// The segments, or why the string is none.
pub(super) fn segments(dotted_order: &str) -> Result<Vec<Segment<'_>>, String> {
    dotted_order
        .split('.')
        .map(|text| segment(text).ok_or_else(|| format!("invalid dotted_order segment `{text}`")))
        .collect()
}

fn segment(text: &str) -> Option<Segment<'_>> {
    let (time, id) = text.split_at_checked(22)?;
    let shape = |(position, byte): (usize, u8)| match position {
        8 => byte == b'T',
        21 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    let timely = time.bytes().enumerate().all(shape);
    (timely && is_id(id)).then_some(Segment { time, id })
}

/// Whether this is a lower-case hyphenated UUID.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(position, byte)| match position {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
}

/// The checks the service makes of a run's place in its trace; the service's words where known.
pub(super) fn check(
    dotted_order: &str,
    id: &str,
    trace: &str,
    parent: Option<&str>,
) -> Result<(), String> {
    let segments = segments(dotted_order)?;
    let [first, .., last] = segments.as_slice() else {
        let [only] = segments.as_slice() else {
            return Err("dotted_order is empty".to_owned());
        };
        return check_root(only, id, trace, parent);
    };
    let Some(parent) = parent else {
        return Err("dotted_order must contain a single part for root runs".to_owned());
    };
    if first.id != trace {
        return Err(mismatch(trace, first.id));
    }
    if last.id != id {
        return Err(format!(
            "run_id {id} does not match last part of dotted_order {}",
            last.id
        ));
    }
    let above = segments
        .iter()
        .rev()
        .nth(1)
        .map_or("", |segment| segment.id);
    if above != parent {
        return Err(format!(
            "parent_run_id {parent} does not match dotted_order's {above}"
        ));
    }
    for pair in segments.windows(2) {
        if let [parent, child] = pair
            && child.time < parent.time
        {
            return Err(format!(
                "dotted_order {dotted_order} has timestamp {} earlier than parent timestamp {}",
                child.time, parent.time
            ));
        }
    }
    Ok(())
}

fn check_root(
    only: &Segment<'_>,
    id: &str,
    trace: &str,
    parent: Option<&str>,
) -> Result<(), String> {
    if parent.is_some() {
        return Err("dotted_order must contain at least two parts for child runs".to_owned());
    }
    if only.id != trace {
        return Err(mismatch(trace, only.id));
    }
    if only.id != id {
        return Err(format!(
            "run_id {id} does not match last part of dotted_order {}",
            only.id
        ));
    }
    Ok(())
}

fn mismatch(trace: &str, first: &str) -> String {
    format!("trace_id {trace} does not match first part of dotted_order {first}")
}
