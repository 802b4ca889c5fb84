//! `rollcall config`: the effective settings.

use clap::Args;
use rollcall::config::Config;
use serde_json::json;

use super::output::{Form, table};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    form: Form,
}

pub(crate) fn print(config: &Config, arguments: &Arguments) -> anyhow::Result<()> {
    let list: Vec<_> = config
        .effective()
        .map(|entry| {
            json!({
                "setting": entry.setting.name, "value": entry.shown, "from": entry.origin.to_string(),
                "section": entry.setting.section, "doc": entry.setting.doc(),
            })
        })
        .collect();
    arguments.form.print(&list, |_| {
        let rows: Vec<_> = config
            .effective()
            .map(|entry| {
                vec![
                    entry.setting.name.to_owned(),
                    entry.shown.clone(),
                    entry.origin.to_string(),
                ]
            })
            .collect();
        table(&["SETTING", "VALUE", "FROM"], &rows)
    })
}
