//! What became of each check, for people.

use std::fmt;

use anyhow::Result;

/// One line for each check.
#[derive(Debug, Default)]
pub(super) struct Summary(Vec<Line>);

#[derive(Debug)]
struct Line {
    /// What is asked: `compatible`.
    question: &'static str,
    /// Who was asked: `buf breaking, against the merge base`.
    by: String,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Fine,
    Skipped,
    Failed(String),
}

impl Summary {
    pub(super) fn add(&mut self, question: &'static str, by: &str, result: Result<()>) {
        let outcome = match result {
            Ok(()) => Outcome::Fine,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        let by = by.to_owned();
        self.0.push(Line {
            question,
            by,
            outcome,
        });
    }

    /// Nothing could be asked.
    pub(super) fn skip(&mut self, question: &'static str, why: &str) {
        self.0.push(Line {
            question,
            by: why.to_owned(),
            outcome: Outcome::Skipped,
        });
    }

    pub(super) fn is_fine(&self) -> bool {
        let failed = |line: &Line| matches!(line.outcome, Outcome::Failed(_));
        !self.0.iter().any(failed)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\nThe contract:")?;
        let width = self
            .0
            .iter()
            .map(|line| line.question.len())
            .max()
            .unwrap_or(0);
        for line in &self.0 {
            let word = match &line.outcome {
                Outcome::Fine => "fine",
                Outcome::Skipped => "-",
                Outcome::Failed(_) => "NOT",
            };
            writeln!(out, "  {word:<4}  {:<width$}  {}", line.question, line.by)?;
            if let Outcome::Failed(why) = &line.outcome {
                for line in why.lines() {
                    writeln!(out, "        {line}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn each_check_has_a_line_and_a_failure_its_reason() {
        let mut summary = Summary::default();
        summary.add("format", "buf format", Ok(()));
        summary.skip("compatible", "there is nothing older");
        assert!(summary.is_fine());
        summary.add("style", "buf lint", Err(anyhow!("inner").context("outer")));
        assert!(!summary.is_fine());
        let expect = "
The contract:
  fine  format      buf format
  -     compatible  there is nothing older
  NOT   style       buf lint
        outer: inner
";
        assert_eq!(summary.to_string(), expect);
    }
}
