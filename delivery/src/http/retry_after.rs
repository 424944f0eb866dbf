//! `Retry-After`: seconds, or a date in one of three forms.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The `Retry-After` of an answer that arrived at `now`.
///
/// A date is measured against the server's own `Date`, so that clocks may differ.
pub(super) fn of_headers(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let now = text(DATE).and_then(parse_http_date).unwrap_or(now);
    parse_retry_after(text(RETRY_AFTER)?, now)
}

/// The wait a `Retry-After` value asks for: seconds (a fraction is tolerated) or an HTTP date in
/// any of the three forms of RFC 9110. A date before `now` means no wait; nonsense is `None`.
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit()) && !value.contains(' ') {
        return parse_seconds(value);
    }
    let wait = parse_http_date(value)?.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or_default())
}

fn parse_seconds(value: &str) -> Option<Duration> {
    let is_number = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    let seconds: f64 = value.parse().ok().filter(|_| is_number)?;
    // More than any wait anybody would sit out is as good as the largest one.
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn parse_http_date(value: &str) -> Option<Timestamp> {
    if let Ok(date) = rfc2822::parse(value) {
        return Some(date.timestamp());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| {
            let date: DateTime = strtime::parse(format, value).ok()?.to_datetime().ok()?;
            Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        let now = "1994-11-06T08:49:00Z".parse().unwrap();
        let expected = expected.map(Duration::from_millis);
        assert_eq!(parse_retry_after(value, now), expected, "{value}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check("0", Some(0));
        check("120", Some(120_000));
        check(" 7 ", Some(7_000));
        check("1.5", Some(1_500));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(37_000));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(37_000));
        check("Sun Nov  6 08:49:37 1994", Some(37_000));
        check("Sun, 06 Nov 1994 08:48:00 GMT", Some(0));
    }

    #[test]
    fn nonsense_in_retry_after_is_no_wish() {
        for value in [
            "", "soon", "-5", "+5", "1e3", "5 s", "1.2.3", "5s", "NaN", "inf",
        ] {
            check(value, None);
        }
    }

    #[test]
    fn an_endless_wait_is_the_longest_one() {
        let digits = "9".repeat(400);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(parse_retry_after(&digits, now), Some(Duration::MAX));
    }

    #[test]
    fn a_date_is_measured_against_the_clock_of_the_server() {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, "Sun, 06 Nov 1994 08:49:30 GMT".parse().unwrap());
        headers.insert(
            RETRY_AFTER,
            "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap(),
        );
        let wait = of_headers(&headers, Timestamp::now());
        assert_eq!(wait, Some(Duration::from_secs(7)));
    }
}
