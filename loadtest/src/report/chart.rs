//! Line charts as SVG, on a logarithmic vertical axis: latencies differ by powers of ten.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 72.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 48.0;

/// Lines apart in lightness as well as in hue.
const COLOURS: [&str; 4] = ["#1b6ca8", "#d1495b", "#2e8b57", "#6a4c93"];

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Above it.
    pub title: String,
    /// Under the horizontal axis.
    pub x: String,
    /// Beside the vertical axis.
    pub y: String,
    /// Names and points, each line in ascending order of x.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

impl Chart {
    /// The chart as a document of its own. Values of 0 and below are left out: a logarithmic axis has no place for them.
    pub fn svg(&self) -> String {
        let points = || {
            self.lines
                .iter()
                .flat_map(|(_, points)| points)
                .filter(|(_, y)| *y > 0.0)
        };
        let x_max = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let lowest = points().map(|(_, y)| y.log10().floor()).fold(f64::INFINITY, f64::min);
        let highest = points()
            .map(|(_, y)| y.log10().ceil())
            .fold(f64::NEG_INFINITY, f64::max);
        let (lowest, highest) = if lowest.is_finite() {
            (lowest, highest.max(lowest + 1.0))
        } else {
            (0.0, 1.0)
        };
        let x_at = |x: f64| LEFT + x / x_max * (WIDTH - LEFT - RIGHT);
        let y_at = |log: f64| HEIGHT - BOTTOM - (log - lowest) / (highest - lowest) * (HEIGHT - TOP - BOTTOM);

        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        label(&mut svg, LEFT, 22.0, "start", &self.title);
        label(
            &mut svg,
            f64::midpoint(LEFT, WIDTH - RIGHT),
            HEIGHT - 10.0,
            "middle",
            &self.x,
        );
        label(&mut svg, 8.0, TOP - 4.0, "start", &self.y);
        let mut decade = lowest;
        while decade <= highest {
            let y = y_at(decade);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>",
                WIDTH - RIGHT
            );
            label(
                &mut svg,
                LEFT - 6.0,
                y + 4.0,
                "end",
                &format!("{}", 10_f64.powf(decade)),
            );
            decade += 1.0;
        }
        for quarter in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let x = x_max * quarter;
            label(
                &mut svg,
                x_at(x),
                HEIGHT - BOTTOM + 18.0,
                "middle",
                &format!("{}", (x * 10.0).round() / 10.0),
            );
        }
        for ((name, points), colour) in self.lines.iter().zip(COLOURS) {
            let points: Vec<(f64, f64)> = points
                .iter()
                .filter(|(_, y)| *y > 0.0)
                .map(|(x, y)| (x_at(*x), y_at(y.log10())))
                .collect();
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            if let Some((x, y)) = points.last() {
                label(&mut svg, x + 6.0, y + 4.0, "start", name);
            }
        }
        svg.push_str("</svg>\n");
        svg
    }
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

    fn chart(points: Vec<(f64, f64)>) -> String {
        Chart {
            title: "a < b & c".into(),
            x: "x".into(),
            y: "y".into(),
            lines: vec![("p50".into(), points)],
        }
        .svg()
    }

    #[test]
    fn points_lie_inside_the_frame_and_higher_values_higher() {
        let svg = chart(vec![(0.0, 1.0), (50.0, 10.0), (100.0, 100.0)]);
        assert!(
            svg.contains("64.0,312.0 324.0,176.0 584.0,40.0") || svg.contains("points=\"64.0,312.0"),
            "{svg}"
        );
        assert!(svg.contains("a &lt; b &amp; c"));
    }

    #[test]
    fn no_points_and_zeroes_make_a_legal_chart() {
        for svg in [chart(vec![]), chart(vec![(0.0, 0.0)])] {
            assert!(
                svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"),
                "{svg}"
            );
        }
    }
}
