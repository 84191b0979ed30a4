//! Runs steps and remembers what became of each.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::tools::Missing;

#[derive(Debug)]
enum Outcome {
    Passed,
    Failed(String),
    /// Why, and how to get what was missing.
    NotRun(String),
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<Step>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Runs a step below a heading and returns what it gave. A step that ends in [`Missing`] counts as not run.
    #[allow(
        clippy::disallowed_methods,
        reason = "how long a step took is told to the user and decides nothing"
    )]
    pub(super) fn step<T>(
        &mut self,
        name: &'static str,
        run: impl FnOnce() -> Result<T>,
    ) -> Option<T> {
        println!("\n== {name} ==");
        let start = Instant::now();
        let result = run();
        let took = start.elapsed();
        let (value, outcome) = match result {
            Ok(value) => (Some(value), Outcome::Passed),
            Err(error) => {
                println!("{error:#}");
                let outcome = match error.downcast_ref::<Missing>() {
                    Some(missing) => Outcome::NotRun(missing.to_string()),
                    None => Outcome::Failed(format!("{error:#}")),
                };
                (None, outcome)
            }
        };
        self.steps.push(Step {
            name,
            took,
            outcome,
        });
        value
    }

    /// Prints the table and decides. `strict`: a step that was not run counts against the whole.
    ///
    /// # Errors
    /// When a step failed, or one was not run and that counts.
    pub(super) fn close(&self, strict: bool) -> Result<()> {
        println!("\n{}", self.table());
        let (_, failed, not_run) = self.count();
        ensure!(failed == 0, "{failed} step(s) failed");
        ensure!(
            not_run == 0 || !strict,
            "{not_run} step(s) were not run, which counts as failure where CI=true"
        );
        Ok(())
    }

    fn count(&self) -> (usize, usize, usize) {
        let count = |which: fn(&Outcome) -> bool| {
            self.steps
                .iter()
                .filter(|step| which(&step.outcome))
                .count()
        };
        (
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::NotRun(_))),
        )
    }

    fn table(&self) -> String {
        let width = self
            .steps
            .iter()
            .map(|step| step.name.len())
            .max()
            .unwrap_or_default();
        let mut lines = vec!["== summary ==".to_owned()];
        for Step {
            name,
            took,
            outcome,
        } in &self.steps
        {
            let (word, detail) = match outcome {
                Outcome::Passed => ("passed", None),
                Outcome::Failed(why) => ("failed", Some(why)),
                Outcome::NotRun(why) => ("not run", Some(why)),
            };
            lines.push(format!(
                "{name:width$}  {word:7}  {:6.1} s",
                took.as_secs_f64()
            ));
            lines.extend(
                detail
                    .iter()
                    .flat_map(|detail| detail.lines())
                    .map(|line| format!("    {line}")),
            );
        }
        let (passed, failed, not_run) = self.count();
        lines.push(String::new());
        if not_run > 0 {
            lines.push(format!("{not_run} not run"));
        }
        lines.push(format!("{passed} passed, {failed} failed"));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn missing() -> Result<()> {
        Err(Missing {
            what: "saw".into(),
            why: "no network".into(),
            how_to_get: "buy one".into(),
        }
        .into())
    }

    #[test]
    fn the_summary_says_what_became_of_each_step() {
        let mut report = Report::new();
        assert_eq!(report.step("one", || Ok(1)), Some(1));
        report.step("second", || -> Result<()> { anyhow::bail!("it\nbroke") });
        report.step("third", missing);
        for step in &mut report.steps {
            step.took = Duration::from_millis(1_240);
        }
        let expect = "== summary ==\n\
                      one     passed      1.2 s\n\
                      second  failed      1.2 s\n    it\n    broke\n\
                      third   not run     1.2 s\n    saw could not be had: no network\n    how to get it: buy one\n\
                      \n1 not run\n1 passed, 1 failed";
        assert_eq!(report.table(), expect);
        assert_eq!(
            report.close(false).unwrap_err().to_string(),
            "1 step(s) failed"
        );
    }

    #[test]
    fn what_was_not_run_counts_only_when_strict() {
        let mut report = Report::new();
        report.step("one", || Ok(()));
        assert!(report.close(true).is_ok());
        report.step("two", missing);
        assert!(report.close(false).is_ok());
        assert!(report.close(true).is_err());
    }
}
