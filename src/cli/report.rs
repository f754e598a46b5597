//! Results for people and for programs, on stdout.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use super::CliError;
use super::on_backend::Remark;
use super::table::{self, Column};
use crate::files::text::for_terminal;
use crate::metrics::ConfusionMatrix;
use crate::run::{LayerLosses, Summary};

/// Prints one JSON object on one line.
pub fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(CliError::failed)?;
    print(&format!("{text}\n"))
}

/// Prints text. A full disk is an error like any other; a reader that went away (`ff … | head`) has read what it
/// wanted.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(for_terminal(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::failed(format!("stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// A remark on stderr. Where nobody can read it, the work goes on all the same.
pub fn say(remark: &str) {
    let _ = writeln!(std::io::stderr(), "{}", for_terminal(remark));
}

/// Tells what there is to tell of a backend; under `quiet` only what its results would not lead one to expect.
pub fn tell(quiet: bool) -> impl Fn(Remark) {
    move |remark| match remark {
        Remark::Choice(text) if !quiet => say(text),
        Remark::Choice(_) => {}
        Remark::Warning(text) => say(&format!("warning: {text}")),
    }
}

/// A run's results: losses of each layer, accuracy of each class, confusion matrix, where it lies.
pub fn print_summary(summary: &Summary) -> Result<(), CliError> {
    let layers = summary.layers.iter().zip(&summary.layer_sizes).enumerate();
    let column = |title: &str, field: &dyn Fn(usize, &LayerLosses, usize) -> String| {
        let fields = layers.clone().map(|(l, (losses, units))| field(l, losses, *units)).collect();
        Column::new(title, fields, 0)
    };
    let columns = [
        column("layer", &|l, _, _| l.to_string()),
        column("units", &|_, _, units| units.to_string()),
        column("train loss", &|_, losses, _| format!("{:.4}", losses.train_loss)),
        column(&format!("{} loss", summary.split), &|_, losses, _| format!("{:.4}", losses.val_loss)),
    ];
    let mut text = format!("\n{}", table::render(&columns, None).0);
    text += &accuracies(&summary.confusion_matrix, &summary.class_names);
    text.push('\n');
    let chosen = summary.split == "validation";
    if chosen {
        let (best, epoch) = (percent(summary.best_accuracy), summary.best_epoch);
        text += &format!("best validation accuracy  {best} (epoch {epoch}, whose weights are tested)\n");
    }
    text += &format!("test accuracy  {}", percent(summary.test_accuracy));
    if let Some(head) = summary.test_head_accuracy {
        text += &format!("   by the head  {:.2} %", 100.0 * head);
    }
    text += &match (summary.evaluated_epoch, chosen) {
        (Some(epoch), false) => format!(" (epoch {epoch}, the last)\n"),
        _ => "\n".into(),
    };
    text += &format!(
        "{} {} in {:.1} s training and {:.1} s evaluation on {}\nrun directory  {}\n",
        summary.epochs,
        if summary.epochs == 1 { "epoch" } else { "epochs" },
        summary.seconds.train,
        summary.seconds.eval,
        summary.device,
        summary.run_dir
    );
    print(&text)
}

/// A fraction for people; a dash where there is none.
pub fn percent(fraction: Option<f64>) -> String {
    fraction.map_or_else(|| "–".into(), |fraction| format!("{:.2} %", 100.0 * fraction))
}

/// Accuracy of each class, and the confusion matrix where it fits a terminal; behind them the classes' names, if
/// they have some.
pub fn accuracies(confusion: &ConfusionMatrix, names: &[String]) -> String {
    const WIDEST: usize = 20;
    let classes = confusion.rows().len();
    let mut text = String::new();
    let fits = table::terminal_width().is_none_or(|width| 6 * (classes + 1) + 10 <= width);
    let shown = classes <= WIDEST && fits;
    if shown {
        text += "\nconfusion matrix (rows: true class, columns: predicted)\n      ";
        (0..classes).for_each(|class| text += &format!("{class:6}"));
        text += "  accuracy\n";
    } else {
        text += "\nclass  accuracy\n";
    }
    for (class, (row, accuracy)) in confusion.rows().iter().zip(confusion.class_accuracy()).enumerate() {
        text += &format!("{class:6}");
        if shown {
            row.iter().for_each(|count| text += &format!("{count:6}"));
        }
        let name = names.get(class).map_or(String::new(), |name| format!("  {name}"));
        text += &format!("{:>10}{name}\n", percent(accuracy));
    }
    text
}
