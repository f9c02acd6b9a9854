//! Owns how numbers are written on axes, in readouts and in tables.

/// A value with four significant digits: plain between 0.001 and 100,000, with an exponent elsewhere. Not a
/// number and the infinities are written as in files.
///
/// ```
/// use basinscope::files::figure::number::value;
/// assert_eq!(value(0.012345), "0.01235");
/// assert_eq!(value(-3.2e-5), "-3.200e-5");
/// assert_eq!(value(12345.6), "12346");
/// assert_eq!(value(f64::NEG_INFINITY), "-inf");
/// ```
pub fn value(v: f64) -> String {
    significant(v, 4)
}

/// The value with every digit that a file would hold.
pub fn exact(v: f64) -> String {
    if v.is_nan() {
        "nan".into()
    } else if v != 0.0 && v.is_finite() && !(1e-4..1e7).contains(&v.abs()) {
        format!("{v:e}")
    } else {
        format!("{v}")
    }
}

/// A value with `digits` significant digits.
pub fn significant(v: f64, digits: usize) -> String {
    if v.is_nan() {
        return "nan".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "inf" } else { "-inf" }.into();
    }
    if v == 0.0 {
        return "0".into();
    }
    let magnitude = v.abs().log10().floor() as i32;
    if !(-3..5).contains(&magnitude) {
        return format!("{v:.*e}", digits.saturating_sub(1));
    }
    let decimals = (digits as i32 - 1 - magnitude).max(0) as usize;
    format!("{v:.decimals$}")
}

/// The value in as few digits as tell it: settings are typed, not measured.
///
/// ```
/// use basinscope::files::figure::number::short;
/// assert_eq!(short(3e-4), "3e-4");
/// assert_eq!(short(0.05), "0.05");
/// assert_eq!(short(f64::sqrt(2.0)), "1.41421");
/// ```
pub fn short(v: f64) -> String {
    let v = rounded(v, 6);
    if v != 0.0 && v.is_finite() && !(1e-3..1e6).contains(&v.abs()) {
        format!("{v:e}")
    } else {
        format!("{v}")
    }
}

/// The nearest value with `digits` significant digits.
pub fn rounded(v: f64, digits: usize) -> f64 {
    format!("{v:.*e}", digits.saturating_sub(1)).parse().unwrap_or(v)
}

/// A count with a comma every three digits.
///
/// ```
/// use basinscope::files::figure::number::count;
/// assert_eq!(count(-1_234_567), "-1,234,567");
/// assert_eq!(count(999), "999");
/// ```
pub fn count(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with what is counted: one, or several with an s.
///
/// ```
/// use basinscope::files::figure::number::counted;
/// assert_eq!(counted(1, "update"), "1 update");
/// assert_eq!(counted(1200, "update"), "1,200 updates");
/// ```
pub fn counted(n: u64, what: &str) -> String {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A duration in words: `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".into();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// The label of a tick `v` where ticks lie `step` apart on a linear axis.
pub fn tick(v: f64, step: f64) -> String {
    if v.abs() < step * 1e-6 {
        return "0".into();
    }
    let largest = v.abs().max(step);
    if !(1e-3..1e6).contains(&largest) {
        let digits = (v.abs().log10().floor() - step.log10().floor()).max(0.0) as usize;
        return format!("{v:.digits$e}");
    }
    let decimals = (-(step * 1.000_001).log10().floor()).max(0.0) as usize;
    if decimals == 0 && v.abs() >= 10_000.0 { count(v.round() as i64) } else { format!("{v:.decimals$}") }
}

/// The label of a tick on a logarithmic axis: the shortest form that tells `v` exactly.
pub fn log_tick(v: f64) -> String {
    if v == 0.0 {
        return "0".into();
    }
    if !v.is_finite() {
        return String::new();
    }
    let magnitude = (v.abs().log10() + 1e-9).floor() as i32;
    if (-3..4).contains(&magnitude) {
        let text = format!("{v:.6}");
        return text.trim_end_matches('0').trim_end_matches('.').into();
    }
    let mantissa = v / 10f64.powi(magnitude);
    let text = format!("{mantissa:.3}");
    format!("{}e{magnitude}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_show_as_many_decimals_as_their_step_needs() {
        assert_eq!(tick(0.25, 0.05), "0.25");
        assert_eq!(tick(20_000.0, 5_000.0), "20,000");
        assert_eq!(tick(1e-17, 0.1), "0");
        assert_eq!(tick(2.5e-5, 5e-6), "2.5e-5");
        assert_eq!(tick(3.0, 1.0), "3");
    }

    #[test]
    fn log_ticks_are_short() {
        assert_eq!(log_tick(1e-5), "1e-5");
        assert_eq!(log_tick(2e-5), "2e-5");
        assert_eq!(log_tick(0.001), "0.001");
        assert_eq!(log_tick(-100.0), "-100");
        assert_eq!(log_tick(5e4), "5e4");
        assert_eq!(log_tick(f64::INFINITY), "", "beyond every number");
    }

    #[test]
    fn durations_are_words() {
        assert_eq!(duration(0.84), "0.8 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 5 min");
        assert_eq!(duration(f64::INFINITY), "unknown");
    }
}
