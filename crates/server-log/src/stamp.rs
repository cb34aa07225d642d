//! Times as logs print them.

use serde::Serialize;

/// The year that a stamp without one is given, before [`PARTIAL_END_MS`]: a leap year, so that 29 February reads.
const NO_YEAR: i16 = 1972;

/// An instant as a log prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamp {
    /// Milliseconds since the epoch, if the printed wall clock is taken for UTC (`has_zone` false) or exactly.
    pub ms: i64,
    /// Whether the stamp says its zone. Python's `asctime` does not: it is the server's local time.
    pub has_zone: bool,
    /// What of the date it says.
    pub date: StampDate,
}

/// What of its date a stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StampDate {
    /// All of it.
    Whole,
    /// Month and day, as journald's short form: `ms` is of the year 1972.
    NoYear,
    /// Nothing: `ms` is of 1 January 1972.
    None,
}

/// The first millisecond that can be printed, of the year 0.
const FIRST_MS: i64 = -62_167_219_200_000;

/// The last millisecond that can be printed, of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// A number of milliseconds since the epoch, if it can be a time: what cannot must not enter a subtraction.
pub fn plausible(ms: i64) -> Option<i64> {
    (0..=LAST_MS).contains(&ms).then_some(ms)
}

impl Stamp {
    /// A stamp that is exact.
    pub fn exact(ms: i64) -> Self {
        Stamp { ms, has_zone: true, date: StampDate::Whole }
    }

    /// The whole stamp that is nearest to a time: of stamps without a year, the same day in another year; of stamps without
    /// a date, the same time on another day. A whole stamp stays as it is.
    pub fn near(self, at: i64) -> Self {
        let candidates: [i64; 3] = match self.date {
            StampDate::Whole => return self,
            StampDate::NoYear => {
                let (year, ..) = date(at.div_euclid(DAY_MS));
                [year - 1, year, year + 1].map(|year| self.in_year(year))
            }
            StampDate::None => {
                let day = at.div_euclid(DAY_MS);
                [day - 1, day, day + 1].map(|day| day * DAY_MS + self.ms.rem_euclid(DAY_MS))
            }
        };
        let nearest = candidates.into_iter().min_by_key(|ms| ms.abs_diff(at)).unwrap_or(self.ms);
        Stamp { ms: nearest, date: StampDate::Whole, ..self }
    }

    /// The same day and time in a year; of 29 February in a year that has none, the day before.
    fn in_year(self, year: i64) -> i64 {
        let (_, month, day) = date(self.ms.div_euclid(DAY_MS));
        let of = |day: i64| days(i16::try_from(year).ok()?, month as i8, day as i8);
        of(day).or_else(|| of(day - 1)).unwrap_or(0) * DAY_MS + self.ms.rem_euclid(DAY_MS)
    }
}

/// The first millisecond behind the times of stamps that lack a year or a date.
pub const PARTIAL_END_MS: i64 = 94_694_400_000;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Days from the epoch to a date of the proleptic Gregorian calendar; `None` if there is no such date.
fn days(year: i16, month: i8, day: i8) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March here, so that leap days come last.
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (month * 153 + 2) / 5 + day - 719_469)
}

/// The date that is that many days from the epoch: year, month and day.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400, if month < 10 { month + 3 } else { month - 9 });
    (year + i64::from(month <= 2), month, day)
}

fn millis(days: i64, clock: &Clock) -> Option<i64> {
    let in_day = clock.hour < 24 && clock.minute < 60 && clock.second < 60;
    let seconds = (i64::from(clock.hour) * 60 + i64::from(clock.minute)) * 60 + i64::from(clock.second);
    in_day.then(|| days * DAY_MS + seconds * 1000 + clock.ms)
}

/// Reads `2026-11-23 08:36:03,871`, the same with `T`, `.`, any number of fraction digits (or none) and a zone (`Z`,
/// `+00:00`, `+0000`) or none, at the start of a text. Gives the stamp and how many bytes it took.
///
/// ```
/// use crypto_diag_server_log::stamp::read_iso;
///
/// let (stamp, length) = read_iso(b"2026-11-23 08:36:03,871 - synapse").unwrap();
/// assert_eq!((stamp.ms, stamp.has_zone, length), (1_795_422_963_871, false, 23));
/// let (stamp, _) = read_iso(b"2026-11-23T09:36:03.871204+01:00 host").unwrap();
/// assert_eq!((stamp.ms, stamp.has_zone), (1_795_422_963_871, true));
/// ```
pub fn read_iso(text: &[u8]) -> Option<(Stamp, usize)> {
    if text.len() < 19 || text[4] != b'-' || text[7] != b'-' || !matches!(text[10], b' ' | b'T') {
        return None;
    }
    let year = number(&text[..4])? as i16;
    let month = number(&text[5..7])? as i8;
    let day = number(&text[8..10])? as i8;
    let (clock, used) = read_clock(&text[11..])?;
    let mut ms = millis(days(year, month, day)?, &clock)?;
    let mut end = 11 + used;
    let zone = read_zone(&text[end..]);
    if let Some((minutes, length)) = zone {
        ms -= minutes * 60_000;
        end += length;
    }
    Some((Stamp { ms, has_zone: zone.is_some(), date: StampDate::Whole }, end))
}

/// The months as `journalctl` and syslog shorten them, in the languages in which a word means one month only. Not there are
/// `lip` and `lis`, which are July and November in Polish, and June and October in Croatian.
const MONTHS: [&[&str]; 12] = [
    &["jan", "janv", "ene", "gen", "sty", "led", "янв", "1月"],
    &["feb", "févr", "fev", "fév", "lut", "úno", "фев", "2月"],
    &["mar", "mars", "mär", "märz", "mrt", "marz", "мар", "3月"],
    &["apr", "avr", "avril", "abr", "kwi", "апр", "4月"],
    &["may", "mai", "mei", "maj", "mag", "мая", "май", "5月"],
    &["jun", "juin", "juni", "giu", "cze", "июн", "6月"],
    &["jul", "juil", "juli", "lug", "июл", "7月"],
    &["aug", "août", "ago", "sie", "авг", "8月"],
    &["sep", "sept", "set", "wrz", "сен", "9月"],
    &["oct", "okt", "ott", "out", "paź", "окт", "10月"],
    &["nov", "ноя", "11月"],
    &["dec", "déc", "dez", "dic", "des", "gru", "дек", "12月"],
];

/// Bytes of a month at most: Finnish has `marraskuu`, others need two or three bytes for a letter.
const MONTH_BYTES_MAX: usize = 24;

/// Reads syslog's `Nov 23 08:36:03` (with a fraction or without) at the start of a text, in any of the languages of
/// `MONTHS`.
pub fn read_syslog(text: &[u8]) -> Option<(Stamp, usize)> {
    let Syslog { month, day, clock, length } = syslog(text)?;
    let month = MONTHS.iter().position(|names| names.contains(&month.as_str()))? as i8 + 1;
    let ms = millis(days(NO_YEAR, month, day)?, &clock)?;
    Some((Stamp { ms, has_zone: false, date: StampDate::NoYear }, length))
}

/// The bytes of such a stamp at the start of a text whose month is a word of no language of `MONTHS`, or means two of them.
pub fn undated_syslog(text: &[u8]) -> Option<usize> {
    let Syslog { month, day, length, .. } = syslog(text)?;
    let is_word = month.chars().all(char::is_alphabetic) && month.chars().count() > 1;
    (is_word && (1..=31).contains(&day)).then_some(length)
}

struct Syslog {
    /// In lower case, without a dot behind it.
    month: String,
    day: i8,
    clock: Clock,
    /// Bytes of the stamp.
    length: usize,
}

fn syslog(text: &[u8]) -> Option<Syslog> {
    let end = memchr::memchr(b' ', &text[..text.len().min(MONTH_BYTES_MAX + 1)])?;
    // The cheap look first: what stands behind a month is a day, and a time.
    let rest = &text[end + 1..];
    if rest.len() < 11 || rest[2] != b' ' || rest[5] != b':' {
        return None;
    }
    let month = std::str::from_utf8(&text[..end]).ok()?.trim_end_matches('.').to_lowercase();
    let day = if rest[0] == b' ' { number(&rest[1..2])? } else { number(&rest[..2])? } as i8;
    let (clock, used) = read_clock(&rest[3..])?;
    Some(Syslog { month, day, clock, length: end + 1 + 3 + used })
}

/// Reads `08:36:03,871` at the start of a text: a time of day alone.
pub fn read_time_of_day(text: &[u8]) -> Option<(Stamp, usize)> {
    let (clock, used) = read_clock(text)?;
    let ms = millis(days(NO_YEAR, 1, 1)?, &clock)?;
    Some((Stamp { ms, has_zone: false, date: StampDate::None }, used))
}

/// Reads the stamp of runit's and daemontools' loggers, `@4000000069c2f10b33ebd4f1`: TAI64N as they count it, ten seconds ahead
/// of UTC whatever leap seconds there were.
pub fn read_tai64n(text: &[u8]) -> Option<(Stamp, usize)> {
    const DIGITS: usize = 24;
    const EPOCH: u64 = (1 << 62) + 10;
    let digits = text.strip_prefix(b"@")?.get(..DIGITS)?;
    let hex = |digits: &[u8]| {
        let plain = digits.iter().all(u8::is_ascii_hexdigit);
        u64::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| plain)?, 16).ok()
    };
    let seconds = i64::try_from(hex(&digits[..16])?.checked_sub(EPOCH)?).ok()?;
    let ms = plausible(seconds.checked_mul(1000)?)? + (hex(&digits[16..])? / 1_000_000) as i64;
    Some((Stamp::exact(ms), 1 + DIGITS))
}

/// Reads `1795422963.871204`, seconds since the epoch, at the start of a text.
pub fn read_unix(text: &[u8]) -> Option<(Stamp, usize)> {
    let whole = digits(text);
    if whole != 10 || text.get(whole) != Some(&b'.') {
        return None;
    }
    let fraction = digits(&text[whole + 1..]);
    if fraction < 3 {
        return None;
    }
    let seconds = number(&text[..whole])? as i64;
    let ms = number(&text[whole + 1..whole + 4])? as i64;
    Some((Stamp::exact(seconds * 1000 + ms), whole + 1 + fraction))
}

/// Reads `1795422963871`, milliseconds since the epoch, in front of a tab, as Grafana prints them.
pub fn read_epoch_ms(text: &[u8]) -> Option<(Stamp, usize)> {
    const DIGITS: usize = 13;
    if digits(text) != DIGITS || text.get(DIGITS) != Some(&b'\t') {
        return None;
    }
    let ms = std::str::from_utf8(&text[..DIGITS]).ok()?.parse().ok()?;
    Some((Stamp::exact(ms), DIGITS))
}

struct Clock {
    hour: i8,
    minute: i8,
    second: i8,
    ms: i64,
}

/// Reads `Mon 2026-11-23 09:36:03 CET`, as `journalctl -o short-full` prints it. Of a zone's name only UTC tells which it is.
pub fn read_weekday(text: &[u8]) -> Option<(Stamp, usize)> {
    let day = memchr::memchr(b' ', &text[..text.len().min(MONTH_BYTES_MAX + 1)])? + 1;
    let (stamp, used) = read_iso(&text[day..])?;
    let zone = text[day + used..].strip_prefix(b" ")?;
    let zone = &zone[..memchr::memchr(b' ', &zone[..zone.len().min(7)])?];
    let named = zone.len() > 1
        && zone.iter().all(|byte| byte.is_ascii_uppercase() || matches!(byte, b'+' | b'-' | b'0'..=b'9'));
    let has_zone = stamp.has_zone || matches!(zone, b"UTC" | b"GMT");
    named.then_some((Stamp { has_zone, ..stamp }, day + used + 1 + zone.len()))
}

fn read_clock(text: &[u8]) -> Option<(Clock, usize)> {
    if text.len() < 8 || text[2] != b':' || text[5] != b':' {
        return None;
    }
    let hour = number(&text[..2])? as i8;
    let minute = number(&text[3..5])? as i8;
    // A leap second is printed as 60 by some; it is the next second's beginning.
    let second = number(&text[6..8])?.min(59) as i8;
    let mut end = 8;
    let mut ms = 0;
    if matches!(text.get(8), Some(b',' | b'.')) {
        let count = digits(&text[9..]);
        if count > 0 {
            let first = &text[9..9 + count.min(3)];
            ms = number(first)? as i64 * [0, 100, 10, 1][first.len()];
            end = 9 + count;
        }
    }
    Some((Clock { hour, minute, second, ms }, end))
}

/// Minutes east of UTC, and the bytes used.
fn read_zone(text: &[u8]) -> Option<(i64, usize)> {
    let sign = match text.first()? {
        b'Z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = i64::from(number(text.get(1..3)?)?);
    let (at, used) = if text.get(3) == Some(&b':') { (4, 6) } else { (3, 5) };
    let minutes = i64::from(number(text.get(at..at + 2)?)?);
    (hours < 24 && minutes < 60).then_some((sign * (hours * 60 + minutes), used))
}

fn digits(text: &[u8]) -> usize {
    text.iter().take(32).take_while(|byte| byte.is_ascii_digit()).count()
}

/// A number of up to ten digits.
fn number(text: &[u8]) -> Option<u32> {
    let mut value: u32 = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u32::from(digit))?;
    }
    Some(value)
}

/// Prints an instant as `2026-11-23 08:36:03.871 UTC`.
///
/// ```
/// assert_eq!(crypto_diag_server_log::stamp::print(1_795_422_963_871), "2026-11-23 08:36:03.871 UTC");
/// ```
pub fn print(ms: i64) -> String {
    if !(FIRST_MS..=LAST_MS).contains(&ms) {
        return format!("{ms} ms");
    }
    let ((year, month, day), rest) = (date(ms.div_euclid(DAY_MS)), ms.rem_euclid(DAY_MS));
    let (hour, minute, second, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_instant_agree() {
        let wanted = 1_795_422_963_871;
        for text in [
            "2026-11-23 08:36:03,871 - x",
            "2026-11-23T08:36:03.871Z",
            "2026-11-23T08:36:03.871999+0000",
            "2026-11-23T03:06:03.871-05:30",
        ] {
            assert_eq!(read_iso(text.as_bytes()).map(|found| found.0.ms), Some(wanted), "{text}");
        }
        assert_eq!(read_unix(b"1795422963.871204 host").map(|found| found.0.ms), Some(wanted));
        let (short, length) = read_syslog(b"Nov 23 08:36:03.871 host x[1]: y").unwrap();
        assert_eq!((short.near(wanted - 40 * DAY_MS).ms, length), (wanted, 19));
        assert_eq!(read_syslog(b"Nov  3 08:36:03 host").map(|found| found.1), Some(15));
    }

    #[test]
    fn a_year_is_that_of_the_nearest_day() {
        let at = |text: &str| read_iso(text.as_bytes()).unwrap().0.ms;
        for (text, near, wanted) in [
            ("Feb 28 00:00:00", "2026-11-23 00:00:00", "2027-02-28"),
            ("Mar 01 00:00:00", "2026-03-23 00:00:00", "2026-03-01"),
            ("Feb 29 00:00:00", "2028-03-23 00:00:00", "2028-02-29"),
            ("Feb 29 00:00:00", "2026-03-23 00:00:00", "2026-02-28"),
            ("Dec 31 23:59:59", "2027-01-02 00:00:00", "2026-12-31"),
            ("Jan 01 00:00:01", "2026-12-30 00:00:00", "2027-01-01"),
        ] {
            let stamp = read_syslog(text.as_bytes()).unwrap().0.near(at(near));
            assert!(print(stamp.ms).starts_with(wanted), "{text}: {}", print(stamp.ms));
        }
        let (time, length) = read_time_of_day(b"23:59:59,871 - x").unwrap();
        assert_eq!(
            (print(time.near(at("2026-11-23 00:00:01")).ms).as_str(), length),
            ("2026-11-22 23:59:59.871 UTC", 12)
        );
    }

    #[test]
    fn months_of_other_languages_are_those_months() {
        for (text, month) in [
            ("nov. 23 08:36:03 h", 11),
            ("déc. 23 08:36:03 h", 12),
            ("Okt 23 08:36:03 h", 10),
            ("M\u{e4}r  3 08:36:03 h", 3),
            ("дек 23 08:36:03 h", 12),
            ("11月 23 08:36:03 h", 11),
            ("août 23 08:36:03 h", 8),
        ] {
            let (stamp, length) = read_syslog(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((date(stamp.ms / DAY_MS).1, &text[length..]), (month, " h"), "{text}");
        }
        assert_eq!(read_syslog(b"lis 23 08:36:03 h"), None, "November in Polish, October in Croatian");
        assert_eq!(undated_syslog("lis 23 08:36:03 h".as_bytes()), Some(15));
        assert_eq!(undated_syslog("\u{43b}\u{438}\u{441}\u{442}. 23 08:36:03 h".as_bytes()), Some(21));
        for other in ["x1 23 08:36:03 h", "lis 41 08:36:03 h", "lis 23 8:36:03 h", " 23 08:36:03 h"] {
            assert_eq!(undated_syslog(other.as_bytes()), None, "{other}");
        }
        let words: Vec<&str> = MONTHS.concat();
        assert!(words.iter().enumerate().all(|(at, word)| !words[at + 1..].contains(word)), "no word means two months");
        assert!(words.iter().all(|word| word.len() < MONTH_BYTES_MAX));
    }

    #[test]
    fn a_weekday_and_a_zones_name_are_read_with_the_time_between_them() {
        let (stamp, length) = read_weekday(b"Mon 2026-11-23 09:36:03 CET box x[1]: y").unwrap();
        assert_eq!((print(stamp.ms).as_str(), stamp.has_zone, length), ("2026-11-23 09:36:03.000 UTC", false, 27));
        assert!(read_weekday(b"Mon 2026-11-23 08:36:03 UTC box").unwrap().0.has_zone);
        assert_eq!(read_weekday(b"x 2026-11-23 08:36:03,871 - logger"), None);
    }

    #[test]
    fn a_loggers_stamp_of_tai_is_utc_but_for_ten_seconds() {
        let (stamp, length) = read_tai64n(b"@400000006b03fafd33ea67c0 x").unwrap();
        assert_eq!((print(stamp.ms).as_str(), length), ("2026-11-23 08:36:03.871 UTC", 25));
        for text in ["@4000", "@4000000069c2f10b33ebd4fz", "@ffffffffffffffffffffffff", "@000000000000000000000000"] {
            assert_eq!(read_tai64n(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_ten_thousand_years_is_printed_as_it_is_read() {
        for day in FIRST_MS / DAY_MS..=LAST_MS / DAY_MS {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year as i16, month as i8, of_month as i8), Some(day));
        }
        assert_eq!((date(0), date(20_780)), ((1970, 1, 1), (2026, 11, 23)));
        assert_eq!((days(2026, 2, 29), days(2100, 2, 29), days(2026, 4, 31)), (None, None, None));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "2026-13-23 08:36:03,871",
            "2026-11-23 25:36:03",
            "2026-11-2x 08:36:03",
            "",
            "Nov 41 08:36:03 host",
            "2026-11-23 08:36",
        ] {
            assert_eq!(read_iso(text.as_bytes()), None, "{text}");
            assert_eq!(read_syslog(text.as_bytes()), None, "{text}");
        }
    }
}
