//! Figures for readers: three digits that matter, and the middle of several.

/// Three digits that matter, with commas between thousands.
pub fn figure(value: f64) -> String {
    let text = match value.abs() {
        0.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    grouped(&text)
}

fn grouped(text: &str) -> String {
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A whole number as it is, with commas between thousands.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A whole number, rounded down to two digits that matter: what a plan is made with.
pub fn plan(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let power = 10_f64.powf((value.max(1.0).log10().floor() - 1.0).max(0.0));
    figure_of_whole((value / power).floor() * power)
}

fn figure_of_whole(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.0}")
    } else {
        figure(value)
    }
}

/// The middle one; of an even number the mean of both. Nothing of nothing.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some(f64::midpoint(values[last / 2], values[values.len() / 2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits_and_group_thousands() {
        let told: Vec<String> = [0.456, 12.34, 999.6, 1_234_567.0].into_iter().map(figure).collect();
        assert_eq!(told, ["0.46", "12.3", "1,000", "1,234,567"]);
        assert_eq!((count(5), count(20_000)), ("5".to_owned(), "20,000".to_owned()));
    }

    #[test]
    fn plans_are_rounded_down() {
        assert_eq!(plan(12_987.0), "12,000");
        assert_eq!(plan(47.9), "47");
        assert_eq!(plan(f64::INFINITY), "–");
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_both() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([1.0, 2.0]), Some(1.5));
        assert_eq!(median([]), None);
    }
}
