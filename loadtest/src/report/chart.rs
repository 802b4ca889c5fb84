//! Line charts as SVG, on a logarithmic vertical axis: latencies differ by powers of ten.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 136.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// Lines apart in lightness as well as in hue.
const COLOURS: [&str; 8] = [
    "#1b6ca8", "#d1495b", "#2e8b57", "#6a4c93", "#c77700", "#008b8b", "#8b5a2b", "#555555",
];

/// Distance between the names at the ends of lines.
const LINE_HEIGHT: f64 = 13.0;

/// How values lie along the horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// From 0 on, evenly.
    Linear,
    /// By powers of ten; values of 0 and below have no place.
    Logarithmic,
}

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Under the horizontal axis.
    pub x: String,
    /// How that axis runs.
    pub x_axis: Axis,
    /// Beside the vertical axis.
    pub y: String,
    /// Names and points, each line in ascending order of x; at most eight lines are told apart.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Axis {
    /// Between 0 and 1, for a value between two ends.
    fn place(self, value: f64, (low, high): (f64, f64)) -> f64 {
        match self {
            Self::Linear => (value - low) / (high - low),
            Self::Logarithmic => (value / low).log10() / (high / low).log10(),
        }
    }

    /// The ends of the axis for values; never the same.
    fn ends(self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        match self {
            Self::Linear => (0.0, high.max(1.0)),
            Self::Logarithmic if low.is_finite() => (low, high.max(low * 10.0)),
            Self::Logarithmic => (1.0, 10.0),
        }
    }

    fn ticks(self, (low, high): (f64, f64)) -> Vec<f64> {
        match self {
            Self::Linear => [0.0, 0.25, 0.5, 0.75, 1.0].map(|part| high * part).to_vec(),
            Self::Logarithmic => std::iter::successors(Some(low), |tick| Some(tick * 10.0))
                .take_while(|tick| *tick <= high * 1.001)
                .collect(),
        }
    }
}

impl Chart {
    /// The chart as a document of its own. Values of 0 and below are left out: a logarithmic axis has no place for them.
    pub fn svg(&self) -> String {
        let is_there = |(x, y): &&(f64, f64)| *y > 0.0 && (*x > 0.0 || self.x_axis == Axis::Linear);
        let points = || self.lines.iter().flat_map(|(_, points)| points).filter(is_there);
        let x_ends = self.x_axis.ends(points().map(|(x, _)| *x));
        let lowest = points().map(|(_, y)| y.log10().floor()).fold(f64::INFINITY, f64::min);
        let highest = points()
            .map(|(_, y)| y.log10().ceil())
            .fold(f64::NEG_INFINITY, f64::max);
        let (lowest, highest) = if lowest.is_finite() {
            (lowest, highest.max(lowest + 1.0))
        } else {
            (0.0, 1.0)
        };
        let x_at = |x: f64| LEFT + self.x_axis.place(x, x_ends) * (WIDTH - LEFT - RIGHT);
        let y_at = |log: f64| HEIGHT - BOTTOM - (log - lowest) / (highest - lowest) * (HEIGHT - TOP - BOTTOM);

        let mut svg = self.frame();
        let mut decade = lowest;
        while decade <= highest {
            let y = y_at(decade);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>",
                WIDTH - RIGHT
            );
            label(&mut svg, LEFT - 6.0, y + 4.0, "end", &grouped(10_f64.powf(decade)));
            decade += 1.0;
        }
        for x in self.x_axis.ticks(x_ends) {
            let text = grouped((x * 10.0).round() / 10.0);
            label(&mut svg, x_at(x), HEIGHT - BOTTOM + 18.0, "middle", &text);
        }
        let mut names = Vec::new();
        for ((name, points), colour) in self.lines.iter().zip(COLOURS) {
            let points: Vec<(f64, f64)> = points
                .iter()
                .filter(is_there)
                .map(|(x, y)| (x_at(*x), y_at(y.log10())))
                .collect();
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            if let Some((x, y)) = points.last() {
                names.push((*x, *y, name, colour));
            }
        }
        // From above to below, each beneath the one before.
        names.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut free = 0.0_f64;
        for (x, y, name, colour) in names {
            let y = y.max(free);
            free = y + LINE_HEIGHT;
            let _ = write!(svg, "<g fill=\"{colour}\">");
            label(&mut svg, x + 6.0, y + 4.0, "start", name);
            svg.push_str("</g>\n");
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// The document's beginning: background, title, names of the axes.
    fn frame(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        label(&mut svg, LEFT, 22.0, "start", &self.title);
        label(&mut svg, middle, HEIGHT - 10.0, "middle", &self.x);
        label(&mut svg, 8.0, TOP - 4.0, "start", &self.y);
        svg
    }
}

/// With a blank between thousands.
fn grouped(value: f64) -> String {
    let text = format!("{value}");
    let digits = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at < digits && (digits - at).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(character);
    }
    grouped
}

fn label(svg: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(x_axis: Axis, lines: &[&[(f64, f64)]]) -> String {
        let lines = lines.iter().map(|points| ("p50".to_owned(), points.to_vec()));
        Chart {
            title: "a < b & c".into(),
            x: "x".into(),
            x_axis,
            y: "y".into(),
            lines: lines.collect(),
        }
        .svg()
    }

    #[test]
    fn points_lie_inside_the_frame_and_higher_values_higher() {
        let svg = chart(Axis::Linear, &[&[(0.0, 1.0), (50.0, 10.0), (100.0, 100.0)]]);
        assert!(svg.contains("points=\"64.0,312.0 324.0,176.0 584.0,40.0\""), "{svg}");
        assert!(svg.contains("a &lt; b &amp; c"));
    }

    #[test]
    fn powers_of_ten_are_equally_far_apart_on_a_logarithmic_axis() {
        let points = [(10_000.0, 1.0), (100_000.0, 10.0), (1_000_000.0, 100.0)];
        let svg = chart(Axis::Logarithmic, &[&points]);
        assert!(svg.contains("points=\"64.0,312.0 324.0,176.0 584.0,40.0\""), "{svg}");
        assert!(svg.contains("1\u{a0}000\u{a0}000"), "{svg}");
    }

    #[test]
    fn names_of_lines_that_end_at_one_place_do_not_cover_each_other() {
        let svg = chart(Axis::Linear, &[&[(1.0, 5.0)], &[(1.0, 5.0)]]);
        let at = |line: &str| {
            line.split("y=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .parse::<f64>()
        };
        let places: Vec<f64> = svg
            .lines()
            .filter(|l| l.ends_with("p50</text>"))
            .map(|l| at(l).unwrap())
            .collect();
        assert_eq!(places.len(), 2);
        assert!(places[1] - places[0] >= LINE_HEIGHT - 0.11);
    }

    #[test]
    fn no_points_and_zeroes_make_a_legal_chart() {
        for axis in [Axis::Linear, Axis::Logarithmic] {
            for svg in [
                chart(axis, &[&[]]),
                chart(axis, &[&[(0.0, 0.0)]]),
                chart(axis, &[&[(5.0, 5.0)]]),
            ] {
                assert!(
                    svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"),
                    "{svg}"
                );
            }
        }
    }
}
