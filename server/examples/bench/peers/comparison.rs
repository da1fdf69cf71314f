//! The same measurement of every candidate, and the rows that come of it.

use super::deployment::Candidate;
use crate::table::row;

/// How often each is measured.
const RUNS: usize = 3;

/// What one run of a measurement gives, among others.
pub struct Figure {
    pub name: String,
    pub decimals: usize,
    /// What Vestibule's is to be to that of Express, on `SQLite` and on `PostgreSQL`.
    pub goals: [&'static str; 2],
}

/// Measures the candidates in turns, and prints the median of each figure, then the ratios.
pub async fn compare<const N: usize>(
    figures: [Figure; N],
    measure: impl AsyncFn(Candidate) -> [f64; N],
) {
    let mut runs: Vec<(Candidate, Vec<[f64; N]>)> = Candidate::all()
        .into_iter()
        .map(|candidate| (candidate, Vec::new()))
        .collect();
    for _ in 0..RUNS {
        for (candidate, runs) in &mut runs {
            runs.push(measure(*candidate).await);
        }
    }
    for (index, figure) in figures.iter().enumerate() {
        let medians: Vec<(Candidate, f64)> = runs
            .iter()
            .map(|(candidate, runs)| (*candidate, median(runs.iter().map(|run| run[index]))))
            .collect();
        figure.print(&medians);
    }
}

impl Figure {
    fn print(&self, medians: &[(Candidate, f64)]) {
        let Self {
            name,
            decimals,
            goals: [on_sqlite, on_postgres],
        } = self;
        let mut of_express = f64::NAN;
        for (candidate, median) in medians {
            let figure = format!("{name}, {}", candidate.name());
            row(&figure, &format!("{median:.decimals$}"), "");
            if *candidate == Candidate::Express {
                of_express = *median;
            }
        }
        for (candidate, median) in medians {
            let goal = match candidate {
                Candidate::Sqlite => on_sqlite,
                Candidate::Postgres => on_postgres,
                Candidate::Express => continue,
            };
            let figure = format!("{name}, {} to Express", candidate.name());
            row(&figure, &format!("{:.2}", median / of_express), goal);
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
