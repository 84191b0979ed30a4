//! The blocks of a guide that hold commands.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// Commands, and what comes of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line in the guide, from 1.
    pub(super) line: usize,
    pub(super) script: String,
    /// What must be said; `None`: anything may.
    pub(super) expected: Option<String>,
    pub(super) run: Run,
}

/// Whether a block is run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    Yes {
        /// A program that must be there.
        needs: Option<String>,
        fails: bool,
        /// What a block that goes on says when the next one may begin.
        until: Option<String>,
    },
    No {
        reason: String,
    },
}

impl Block {
    /// A line that shows the block.
    pub(super) fn summary(&self, path: &Path) -> String {
        let first = self.script.lines().next().unwrap_or_default();
        let at = format!("{}:{}", path.display(), self.line);
        match &self.run {
            Run::Yes { until: None, .. } => format!("{at}: {first}"),
            Run::Yes { until: Some(_), .. } => format!("{at}: {first} &"),
            Run::No { reason } => format!("{at}: {first}\n   not run: {reason}"),
        }
    }
}

/// The blocks with commands in `text`.
///
/// # Errors
/// One is neither run nor excused: its language or an attribute is not known, or there is no reason. Names the line.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    // Whether nothing but empty lines came since a `sh` block, whose output may follow.
    let mut may_tell = false;
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix("```") else {
            may_tell &= line.trim().is_empty();
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let mut body = Vec::new();
        let mut closed = false;
        for (number, line) in lines.by_ref() {
            if line.trim() == "```" {
                closed = true;
                break;
            }
            let text = line.get(indent..).unwrap_or_else(|| line.trim_start());
            body.push((number, text));
        }
        let at = || format!("{}:{number}", path.display());
        ensure!(closed, "{}: the block does not end", at());
        let (language, attributes) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
        let told = std::mem::take(&mut may_tell);
        match language {
            "sh" => {
                let run = attributes_of(attributes).with_context(at)?;
                let script: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
                blocks.push(Block {
                    line: number,
                    script: script.join("\n"),
                    expected: None,
                    run,
                });
                may_tell = true;
            }
            "console" => {
                let run = attributes_of(attributes).with_context(at)?;
                blocks.extend(session(&body, &run).with_context(at)?);
            }
            "text" if told => {
                let said: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
                if let Some(block) = blocks.last_mut() {
                    block.expected = Some(said.join("\n"));
                }
            }
            "bash" | "shell" | "zsh" | "shell-session" => {
                bail!(
                    "{}: write commands as `sh` or `console`, so that they are run",
                    at()
                )
            }
            _ => {}
        }
    }
    Ok(blocks)
}

/// The commands of a `console` block, with what each of them says.
fn session(body: &[(usize, &str)], run: &Run) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut goes_on = false;
    for &(number, line) in body {
        if let Some(command) = line.strip_prefix("$ ") {
            blocks.push(Block {
                line: number,
                script: command.to_owned(),
                expected: None,
                run: run.clone(),
            });
            goes_on = line.ends_with('\\');
            continue;
        }
        let block = blocks
            .last_mut()
            .context("a `console` block begins with a line `$ command`")?;
        if goes_on {
            block.script.push('\n');
            block.script.push_str(line);
            goes_on = line.ends_with('\\');
        } else {
            let said = block.expected.get_or_insert_default();
            if !said.is_empty() {
                said.push('\n');
            }
            said.push_str(line);
        }
    }
    // `fails` is meant for what the block ends with.
    if let Run::Yes { fails: true, .. } = run
        && let Some((_, others)) = blocks.split_last_mut()
    {
        for block in others {
            if let Run::Yes { fails, .. } = &mut block.run {
                *fails = false;
            }
        }
    }
    Ok(blocks)
}

fn attributes_of(text: &str) -> Result<Run> {
    let (mut no_run, mut reason, mut needs, mut fails) = (false, None, None, false);
    let (mut background, mut until) = (false, None);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let value = if let Some(after) = after.strip_prefix("=\"") {
            let (value, after) = after
                .split_once('"')
                .with_context(|| format!("the value of {name} does not end"))?;
            rest = after.trim_start();
            Some(value.to_owned())
        } else {
            rest = after.trim_start();
            None
        };
        match (name, value) {
            ("no-run", None) => no_run = true,
            ("fails", None) => fails = true,
            ("background", None) => background = true,
            ("reason", Some(value)) => reason = Some(value),
            ("needs", Some(value)) => needs = Some(value),
            ("until", Some(value)) => until = Some(value),
            (name, _) => bail!(
                "{name:?} is not known here; there are `no-run reason=\"...\"`, `needs=\"...\"`, `fails` and `background until=\"...\"`"
            ),
        }
    }
    ensure!(
        background == until.is_some(),
        "`background` and `until=\"...\"` belong together"
    );
    match (no_run, reason.filter(|reason| !reason.trim().is_empty())) {
        (true, Some(reason)) => Ok(Run::No { reason }),
        (true, None) => bail!("a block that is not run says why: `no-run reason=\"...\"`"),
        (false, Some(_)) => bail!("a reason is for `no-run`"),
        (false, None) => Ok(Run::Yes {
            needs,
            fails,
            until,
        }),
    }
}

#[cfg(test)]
mod tests;
