//! Times as text.

/// Year, month, day, hour, minute, second, millisecond of a time in UTC.
fn parts(ms: i64) -> (i64, i64, i64, i64, i64, i64, i64) {
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Days since 1 March of the year 0, in eras of 400 years.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day, of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60, of_day % 1_000)
}

/// As Python's logging prints it: `2026-11-23 22:55:05,153`.
pub fn logged(ms: i64) -> String {
    let (year, month, day, hour, minute, second, milli) = parts(ms);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03}")
}

/// As a HAR has it: `2026-11-23T22:55:05.153Z`.
pub fn iso(ms: i64) -> String {
    let (year, month, day, hour, minute, second, milli) = parts(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_as_the_recorded_ledger_line_has_it() {
        assert_eq!(logged(1_795_474_505_153), "2026-11-23 22:55:05,153");
        assert_eq!(iso(1_795_474_505_152), "2026-11-23T22:55:05.152Z");
        assert_eq!(logged(951_782_400_000), "2000-02-29 00:00:00,000");
    }
}
