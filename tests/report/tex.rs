//! `base2new.tex` is compiled, where a TeX is installed (Debian: `texlive-latex-base`, `texlive-latex-recommended`).

use std::process::Command;

use rpo_bench::report::Section;

use crate::records::{Keyed, base2new};
use crate::rendering::{files, spec};

/// A suite whose settings, datasets and title hold every character with a meaning in TeX.
fn table() -> String {
    let mut records = base2new(&["dtd", "eurosat"], &[1, 2, 3]);
    for record in &mut records {
        if record.cell.dataset == "eurosat" {
            let name = "[my]_data {#1} 50% ~^\\ & <$>".to_owned();
            record.evaluations.iter_mut().for_each(|e| e.dataset = name.clone());
            record.cell.dataset = name;
        }
        if record.cell.method == "rpo" {
            record.cell.variant.insert("template".to_owned(), "\"*a_{b}^c~#&%\\x|$\"".to_owned());
        }
    }
    let records: Vec<_> = records.into_iter().map(Keyed::keyed).collect();
    let mut shown = spec(&[Section::BaseToNew]);
    shown.marks = vec!["part_1 of #2 {%}".to_owned()];
    let files = files(&records, &shown).unwrap();
    String::from_utf8(files["base2new.tex"].clone()).unwrap()
}

/// Compiles a document around `table`; `None` where there is no pdflatex.
fn compiles(table: &str) -> Option<Result<(), String>> {
    let dir = tempfile::tempdir().unwrap();
    let document = format!(
        "\\documentclass{{article}}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n{table}\n\\end{{document}}\n"
    );
    std::fs::write(dir.path().join("table.tex"), document).unwrap();
    let args = ["-interaction=nonstopmode", "-halt-on-error", "table.tex"];
    let output = Command::new("pdflatex").args(args).current_dir(dir.path()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let made = output.status.success() && dir.path().join("table.pdf").is_file();
    Some(if made { Ok(()) } else { Err(said) })
}

#[test]
fn the_latex_table_compiles() {
    let table = table();
    match compiles(&table) {
        None => println!("skipped: pdflatex is absent"),
        Some(result) => {
            result.unwrap();
            let broken = table.replace("\\_", "_");
            assert!(compiles(&broken).unwrap().is_err(), "the control: a bare underscore does not compile");
        }
    }
}
