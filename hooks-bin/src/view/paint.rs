//! One line of the tree: pieces of text, fitted to the width and coloured.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

use super::Look;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// The name of a thing.
    Name,
    /// What a human or the model wrote.
    Text,
    /// Times, tokens and other circumstances.
    Faint,
    /// It ended well.
    Good,
    /// It did not.
    Bad,
    /// It was stopped, or still runs.
    Open,
}

impl Tone {
    fn style(self) -> Style {
        match self {
            Self::Name => Style::new().bold(),
            Self::Text => Style::new(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Open => AnsiColor::Yellow.on_default(),
        }
    }
}

/// Pieces, written with a space between them.
#[derive(Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(Tone, String)>,
}

impl Line {
    pub(super) fn push(&mut self, tone: Tone, text: impl AsRef<str>) {
        let text = flat(text.as_ref());
        if !text.is_empty() {
            self.pieces.push((tone, text));
        }
    }

    /// Writes the line behind `prefix`, cut to the width.
    pub(super) fn write(&self, out: &mut String, prefix: &str, look: Look) {
        let faint = Tone::Faint.style();
        let mut room = look.width.max(NARROWEST);
        let prefix = nearest(prefix, room / 2);
        room -= prefix.chars().count();
        paint(out, faint, &prefix, look.color);
        for (index, (tone, text)) in self.pieces.iter().enumerate() {
            let gap = usize::from(index > 0);
            if room <= gap {
                break;
            }
            if gap == 1 {
                out.push(' ');
            }
            room -= gap;
            let (fitted, used) = fit(text, room);
            paint(out, tone.style(), &fitted, look.color);
            room = room.saturating_sub(used);
        }
        out.push('\n');
    }
}

/// Below this many columns a tree cannot be read anyway.
const NARROWEST: usize = 20;

fn paint(out: &mut String, style: Style, text: &str, color: bool) {
    if color && !text.is_empty() {
        out.extend([
            &style.render().to_string(),
            text,
            &style.render_reset().to_string(),
        ]);
    } else {
        out.push_str(text);
    }
}

/// The guides nearest to the text where a deep tree has more than there is room for.
fn nearest(prefix: &str, room: usize) -> String {
    let surplus = prefix.chars().count().saturating_sub(room);
    prefix.chars().skip(surplus).collect()
}

/// The beginning of `text` that fits into `room` columns, with `…` where it was cut.
fn fit(text: &str, room: usize) -> (String, usize) {
    let whole: usize = text.chars().map(columns).sum();
    if whole <= room {
        return (text.to_owned(), whole);
    }
    let mut fitted = String::new();
    let mut used = 0;
    for letter in text.chars() {
        if used + columns(letter) + 1 > room {
            break;
        }
        used += columns(letter);
        fitted.push(letter);
    }
    fitted.push('…');
    (fitted, used + 1)
}

fn columns(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// One line without control characters: what a tool printed must not steer the terminal.
fn flat(text: &str) -> String {
    const ENOUGH: usize = 1000;
    let mut flat = String::new();
    for letter in text.chars().take(ENOUGH) {
        let letter = if letter.is_whitespace() { ' ' } else { letter };
        let doubled = letter == ' ' && (flat.is_empty() || flat.ends_with(' '));
        if !letter.is_control() && !doubled && !is_direction(letter) {
            flat.push(letter);
        }
    }
    flat.truncate(flat.trim_end().len());
    flat
}

/// Characters that turn the direction of writing around.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
