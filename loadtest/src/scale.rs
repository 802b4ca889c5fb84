//! `report --scale`: what `loadtest/scale` has measured, as tables, charts, and the capacity page made of them.

mod capacity;
mod charts;
mod figures;
mod measured;
mod page;

use std::path::Path;

use anyhow::Context;

use measured::Measured;

/// The largest ratio of a cost at the largest size to that at the smallest that is called flat.
const FLAT: f64 = 1.3;

/// Reads the working folder and writes `scale-results.json`, `SCALE-RESULTS.md`, `CAPACITY.md` and `charts/` into `out`.
/// Raises what cannot be read or written. What has not been measured is said to be missing.
pub fn report(folder: &Path, out: &Path) -> anyhow::Result<()> {
    let measured = Measured::read(folder)?;
    // `charts` lies in it, and is made with it.
    let charts = charts::draw(&measured, &out.join("charts"))?;
    let write = |name: &str, text: String| {
        let file = out.join(name);
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    };
    write(
        "scale-results.json",
        format!("{}\n", serde_json::to_string_pretty(&measured)?),
    )?;
    let page = page::markdown(&measured, &charts);
    print!("{page}");
    write("SCALE-RESULTS.md", page)?;
    write("CAPACITY.md", capacity::markdown(&measured))
}
