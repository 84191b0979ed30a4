//! What was checked, and what of it did not hold.

use anyhow::{Result, ensure};

/// Checks so far. One that fails does not stop the others: the rest of the picture helps to understand it.
#[derive(Debug, Default)]
pub(super) struct Checks {
    held: usize,
    failed: Vec<&'static str>,
}

impl Checks {
    /// Does one check, says what came of it, and returns what it found.
    pub(super) fn check<T>(
        &mut self,
        what: &'static str,
        check: impl FnOnce() -> Result<T>,
    ) -> Option<T> {
        match check() {
            Ok(found) => {
                println!("ok      {what}");
                self.held += 1;
                Some(found)
            }
            Err(error) => {
                println!("FAILED  {what}: {error:#}");
                self.failed.push(what);
                None
            }
        }
    }

    /// # Errors
    /// Names the checks that failed; also when there was none at all.
    pub(super) fn close(&self) -> Result<()> {
        ensure!(
            self.failed.is_empty(),
            "{} of {} checks failed: {}",
            self.failed.len(),
            self.held + self.failed.len(),
            self.failed.join("; ")
        );
        ensure!(self.held > 0, "nothing was checked");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_is_enough_and_does_not_stop_the_rest() {
        let mut checks = Checks::default();
        assert!(checks.close().is_err());
        assert_eq!(checks.check("one", || Ok(1)), Some(1));
        assert!(checks.close().is_ok());
        assert_eq!(
            checks.check("two", || -> Result<()> { anyhow::bail!("no") }),
            None
        );
        assert_eq!(checks.check("three", || Ok(3)), Some(3));
        let said = checks.close().map_err(|error| error.to_string());
        assert_eq!(said, Err("1 of 3 checks failed: two".to_owned()));
    }
}
