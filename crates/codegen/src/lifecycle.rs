//! The announced end of a version, and the headers that announce it (RFC 9745, RFC 8594).

use prost_reflect::{DescriptorPool, DynamicMessage};
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use crate::options::Fields as _;

const DATE: &[FormatItem<'static>] = format_description!("[year]-[month]-[day]");
/// IMF-fixdate (RFC 9110, section 5.6.7).
const HTTP_DATE: &[FormatItem<'static>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// When a method goes away, and what to use instead.
#[derive(Debug, Clone)]
pub struct Lifecycle {
    /// Since when new callers should use the successor: `YYYY-MM-DD`.
    pub deprecated_on: String,
    /// From when it may be gone: `YYYY-MM-DD`.
    pub sunset_on: String,
    /// The full name of what to use instead.
    pub successor: String,
    /// The value of the header `deprecation` (RFC 9745).
    pub deprecation: String,
    /// The value of the header `sunset` (RFC 8594).
    pub sunset: String,
    /// The value of the header `link`.
    pub link: String,
    /// The beginning of the day of the sunset, in seconds since 1970.
    pub sunset_unix: i64,
}

/// Reads the lifecycle of a method or service and tells what is wrong with it. `None` where there is none.
pub(crate) fn read(
    pool: &DescriptorPool,
    policy: Option<&DynamicMessage>,
    deprecated: bool,
    report: &mut impl FnMut(String),
) -> Option<Lifecycle> {
    let Some(message) = policy.and_then(|policy| policy.message("lifecycle")) else {
        if deprecated {
            report(
                "is deprecated without a lifecycle; add `lifecycle: {deprecated_on: \"2026-01-31\", sunset_on: \
                 \"2027-01-31\", successor: \"...\"}`"
                    .to_owned(),
            );
        }
        return None;
    };
    if !deprecated {
        report("has a lifecycle but is not deprecated; add `option deprecated = true`".to_owned());
    }
    let mut day = |name: &str| {
        let text = message.text(name).unwrap_or_default();
        let begin = beginning_of(&text);
        if begin.is_none() {
            report(format!(
                "lifecycle.{name} is {text:?}; it must be a date, as 2026-01-31"
            ));
        }
        Some((text, begin?))
    };
    let (from, until) = (day("deprecated_on"), day("sunset_on"));
    let successor = message.text("successor").unwrap_or_default();
    let path = path_of(pool, &successor);
    if path.is_none() {
        report(format!(
            "lifecycle.successor is {successor:?}; there is no service and no method of this name"
        ));
    }
    let ((deprecated_on, from), (sunset_on, until)) = from.zip(until)?;
    if until < from {
        report(format!(
            "lifecycle.sunset_on, {sunset_on}, is before deprecated_on, {deprecated_on}"
        ));
    }
    Some(Lifecycle {
        deprecated_on,
        sunset_on,
        successor,
        deprecation: format!("@{}", from.unix_timestamp()),
        sunset: until.format(HTTP_DATE).ok()?,
        link: format!("<{}>; rel=\"successor-version\"", path?),
        sunset_unix: until.unix_timestamp(),
    })
}

/// Whether a text is a day, as lifecycles write them: `2026-01-31`. Days compare as texts.
pub fn is_day(text: &str) -> bool {
    beginning_of(text).is_some()
}

/// The day that it is now, in UTC.
pub fn today() -> String {
    let date = OffsetDateTime::now_utc().date();
    format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    )
}

/// Dates are days of UTC.
fn beginning_of(date: &str) -> Option<OffsetDateTime> {
    // The parser would take signs and more digits.
    let plain = date.len() == 10 && date.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let date = Date::parse(date, DATE).ok().filter(|_| plain)?;
    Some(date.midnight().assume_utc())
}

/// Where the service or method of this full name is called: `/scribemed.transcription.v2.TranscriptionService`.
fn path_of(pool: &DescriptorPool, name: &str) -> Option<String> {
    if pool.get_service_by_name(name).is_some() {
        return Some(format!("/{name}"));
    }
    let (service, method) = name.rsplit_once('.')?;
    let found = pool
        .get_service_by_name(service)?
        .methods()
        .any(|found| found.name() == method);
    found.then(|| format!("/{service}/{method}"))
}
