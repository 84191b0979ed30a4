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
        ends: Ends,
        /// What a block that goes on says when the next one may begin.
        until: Option<String>,
    },
    No {
        reason: String,
    },
}

/// How the last command of a block ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Well,
    /// With any exit code but 0.
    Badly,
    /// With this one.
    With(i32),
}

impl Block {
    /// Writes a file.
    fn file(line: usize, name: &str, text: &str) -> Self {
        let script = format!("cat >'{name}' <<'END OF THE FILE'\n{text}\nEND OF THE FILE");
        Self {
            line,
            script: match name.rsplit_once('/') {
                Some((folder, _)) => format!("mkdir -p '{folder}' && {script}"),
                None => script,
            },
            expected: None,
            run: Run::Yes {
                needs: None,
                ends: Ends::Well,
                until: None,
            },
        }
    }

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
            "" => bail!(
                "{}: name the language; `sh` or `console` for commands, `text` for anything else",
                at()
            ),
            "bash" | "shell" | "zsh" | "shell-session" => {
                bail!(
                    "{}: write commands as `sh` or `console`, so that they are run",
                    at()
                )
            }
            _ if attributes.is_empty() => {}
            _ => {
                let name = file_of(attributes).with_context(at)?;
                let text: Vec<&str> = body.iter().map(|(_, line)| *line).collect();
                blocks.push(Block::file(number, name, &text.join("\n")));
            }
        }
    }
    Ok(blocks)
}

/// The name of the file that a block of another language is.
fn file_of(attributes: &str) -> Result<&str> {
    attributes
        .trim()
        .strip_prefix("file=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .filter(|name| !name.is_empty() && !name.contains(['"', '\'', ' ', '$']))
        .context(
            "of a block without commands only `file=\"PATH\"` is known, which writes that file",
        )
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
    if let Some((_, others)) = blocks.split_last_mut() {
        for block in others {
            if let Run::Yes { ends, .. } = &mut block.run {
                *ends = Ends::Well;
            }
        }
    }
    Ok(blocks)
}

fn attributes_of(text: &str) -> Result<Run> {
    let (mut no_run, mut reason, mut needs, mut ends) = (false, None, None, Ends::Well);
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
            ("fails", None) => ends = Ends::Badly,
            ("fails", Some(code)) => {
                let code = code.parse();
                ends = Ends::With(code.context("`fails=\"...\"` wants an exit code")?);
            }
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
        (false, None) => Ok(Run::Yes { needs, ends, until }),
    }
}

#[cfg(test)]
mod tests;
