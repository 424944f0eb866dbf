//! Timestamps of records. Every line has one, always in the same form, so that form is read by
//! hand; any other that RFC 3339 allows is left to the library.

use jiff::Timestamp;

pub(super) fn instant(text: &str) -> Option<Timestamp> {
    usual(text.as_bytes()).or_else(|| text.parse().ok())
}

/// `2026-11-20T10:34:12.229Z`.
fn usual(text: &[u8]) -> Option<Timestamp> {
    let &[
        y0,
        y1,
        y2,
        y3,
        b'-',
        m0,
        m1,
        b'-',
        d0,
        d1,
        b'T',
        h0,
        h1,
        b':',
        n0,
        n1,
        b':',
        s0,
        s1,
        b'.',
        f0,
        f1,
        f2,
        b'Z',
    ] = text
    else {
        return None;
    };
    let year = number([y0, y1, y2, y3])?;
    let (month, day) = (number([m0, m1])?, number([d0, d1])?);
    let (hour, minute, second) = (number([h0, h1])?, number([n0, n1])?, number([s0, s1])?);
    let in_range = year > 0
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        // The end of a month and a leap second are the library's to judge.
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Timestamp::from_millisecond(seconds * 1000 + number([f0, f1, f2])?).ok()
}

fn number<const N: usize>(digits: [u8; N]) -> Option<i64> {
    digits.into_iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

/// Days from 1970-01-01 in the Gregorian calendar, years counted from March so that a leap day
/// comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_reads_as_the_library_reads_it() {
        for year in [1970, 1999, 2000, 2024, 2026, 2100, 2400] {
            for month in 1..=12 {
                for day in [1, 2, 27, 28] {
                    let text = format!("{year}-{month:02}-{day:02}T23:59:07.089Z");
                    let expected: Timestamp = text.parse().unwrap();
                    assert_eq!(usual(text.as_bytes()), Some(expected), "{text}");
                }
            }
        }
    }

    #[test]
    fn other_forms_are_left_to_the_library() {
        let check = |text: &str, known: bool| {
            assert_eq!(usual(text.as_bytes()), None, "{text}");
            assert_eq!(instant(text).is_some(), known, "{text}");
        };
        check("2026-11-30T10:00:00.000Z", true);
        check("2026-11-20T10:00:00Z", true);
        check("2026-11-20T10:00:00.000+01:00", true);
        check("2026-13-20T10:00:00.000Z", false);
        check("2026-02-30T10:00:00.000Z", false);
        check("20x6-11-20T10:00:00.000Z", false);
        check("", false);
    }
}
