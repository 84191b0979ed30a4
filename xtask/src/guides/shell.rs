//! The shell of a guide: what a block sets, the next ones have.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::{process, workspace};

/// How long a block may take: the first one may build everything.
const PATIENCE: Duration = Duration::from_secs(1800);
/// How long what runs in the background may take to end.
const END: Duration = Duration::from_secs(45);

/// Ends the process groups that stand in the file $2 when the process $1 has ended: whoever stops us leaves nothing behind.
const WATCH: &str = r#"tail --pid="$1" --follow /dev/null && while read -r group; do kill -KILL -- "-$group"; done <"$2""#;

/// How the programs of guides are built: `--release` is what the guides say, and nobody waits for what it is for.
const PROFILE: [(&str, &str); 2] = [
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "256"),
];

/// A bash that runs block after block.
pub(super) struct Shell {
    /// Leads a process group, as all that follow do.
    bash: Child,
    input: ChildStdin,
    answers: Receiver<String>,
    /// Scripts, and what they say.
    folder: TempDir,
    count: usize,
    /// The process groups of what runs in the background.
    background: Vec<String>,
    watch: Child,
    /// Where the watch reads.
    groups: File,
}

impl Shell {
    /// Starts it in `copy`, with the tools of this repository in its path.
    ///
    /// # Errors
    /// There is no bash, or Cargo does not tell where it builds.
    pub(super) fn start(root: &Path, copy: &Path, tools: &[PathBuf]) -> Result<Self> {
        let mut command = workspace::command("bash", copy);
        command.args(["--noprofile", "--norc"]);
        // What the person who runs this has set for a platform of their own is nothing to the guides.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("SCRIBEMED_")
                || name.ends_with("_SERVICE_URL")
                || name.starts_with("TRANSCRIPTION_")
            {
                command.env_remove(&*name);
            }
        }
        let model = root.join(".scribemed/models/ggml-tiny.en.bin");
        if let Some(model) = std::env::var_os("SCRIBEMED_MODEL") {
            command.env("SCRIBEMED_MODEL", model);
        } else if model.is_file() {
            command.env("SCRIBEMED_MODEL", model);
        }
        let folders = tools.iter().filter_map(|tool| tool.parent());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = folders
            .map(Path::to_owned)
            .chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders)?);
        for (variable, tool) in ["SCRIBEMED_GRPCURL", "SCRIBEMED_BUF"].iter().zip(tools) {
            command.env(variable, tool);
        }
        // The copy builds in a folder of its own, whatever the Cargo that runs this was told.
        command.env("CARGO_TARGET_DIR", copy.join("target"));
        command.env_remove("CARGO_BUILD_BUILD_DIR");
        command.envs(PROFILE);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let folder = tempfile::tempdir()?;
        let list = folder.path().join("groups");
        let mut groups = File::create(&list)?;
        let watch = watch(std::process::id(), &list)?;
        let mut bash = command
            .process_group(0)
            .spawn()
            .context("bash cannot be started")?;
        writeln!(groups, "{}", bash.id())?;
        let input = bash.stdin.take().context("bash takes no input")?;
        let output = bash.stdout.take().context("bash has no output")?;
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            bash,
            input,
            answers,
            folder,
            count: 0,
            background: Vec::new(),
            watch,
            groups,
        })
    }

    /// Runs a block. Returns the status of the last command that failed, else 0, and all that was said.
    ///
    /// # Errors
    /// It ended the shell, or took too long.
    pub(super) fn run(&mut self, script: &str) -> Result<(i32, String)> {
        let (file, said) = self.write(script)?;
        // A command in the middle that fails is seen by the trap, as `set -e` would see it.
        let line = format!(
            "failed=0; trap 'failed=$?' ERR; source {} >{} 2>&1 </dev/null; trap - ERR; echo \"status $failed\"",
            file.display(),
            said.display()
        );
        let answer = self.ask(&line);
        let text = String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()).into_owned();
        let answer = answer.with_context(|| format!("it said:\n{text}"))?;
        let status = answer
            .strip_prefix("status ")
            .context("bash answers something else")?;
        Ok((status.parse()?, text))
    }

    /// Starts a block that goes on, and waits until it has said `until`.
    ///
    /// # Errors
    /// It ended, or does not say that.
    pub(super) fn background(&mut self, script: &str, until: &str) -> Result<()> {
        let (file, said) = self.write(script)?;
        let line = format!(
            "setsid bash {} >{} 2>&1 </dev/null & echo \"group $!\"",
            file.display(),
            said.display()
        );
        let answer = self.ask(&line)?;
        let group = answer
            .strip_prefix("group ")
            .context("bash answers something else")?;
        self.background.push(group.to_owned());
        writeln!(self.groups, "{group}")?;
        let text = || String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()).into_owned();
        process::wait(PATIENCE, || {
            // Asked before: what it says last is heard.
            let goes_on = is_running(group);
            if text().contains(until) {
                return Ok(true);
            }
            if !goes_on {
                bail!("it ended");
            }
            Ok(false)
        })
        .with_context(|| format!("it should say {until:?}, and said:\n{}", text()))
    }

    /// Ends what runs in the background, and the shell.
    ///
    /// # Errors
    /// Something does not end.
    pub(super) fn end(mut self) -> Result<()> {
        for group in std::mem::take(&mut self.background) {
            signal("-TERM", &group);
            process::wait(END, || Ok(!is_running(&group)))
                .context("what runs in the background does not end")?;
        }
        Ok(())
    }

    fn write(&mut self, script: &str) -> Result<(PathBuf, PathBuf)> {
        self.count += 1;
        let file = self.folder.path().join(format!("{}.sh", self.count));
        fs::write(&file, format!("{script}\n"))?;
        Ok((file, self.folder.path().join(format!("{}.out", self.count))))
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        writeln!(self.input, "{line}").context("the shell has ended")?;
        self.answers
            .recv_timeout(PATIENCE)
            .context("the shell has ended, or the block took too long")
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let bash = self.bash.id().to_string();
        for group in self.background.iter().chain([&bash]) {
            signal("-KILL", group);
        }
        signal("-KILL", &self.watch.id().to_string());
        // Both are gone by now; the next guide needs the ports of the others.
        let _ = self.bash.wait();
        let _ = self.watch.wait();
        for group in &self.background {
            let _ = process::wait(END, || Ok(!is_running(group)));
        }
    }
}

/// Starts what waits for the end of `process`, to end the groups that `list` names then.
fn watch(process: u32, list: &Path) -> Result<Child> {
    Command::new("bash")
        .args(["-c", WATCH, "watch", &process.to_string()])
        .arg(list)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("bash cannot be started")
}

/// Sends a signal to a process group, or while it is none yet to its first process; what is gone takes none.
fn signal(signal: &str, group: &str) -> bool {
    [format!("-{group}"), group.to_owned()].iter().any(|whom| {
        let sent = process::capture(Command::new("kill").args([signal, "--", whom]));
        sent.is_ok_and(|output| output.status.success())
    })
}

fn is_running(group: &str) -> bool {
    signal("-0", group)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn shell(folder: &TempDir) -> Shell {
        Shell::start(&workspace::root(), folder.path(), &[]).unwrap()
    }

    #[test]
    fn a_block_leaves_its_variables_and_tells_how_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = shell(&folder);
        assert_eq!(shell.run("X=1\ncd /").unwrap(), (0, String::new()));
        assert_eq!(shell.run("echo $X; pwd").unwrap(), (0, "1\n/\n".to_owned()));
        assert_eq!(shell.run("false\necho on").unwrap(), (1, "on\n".to_owned()));
        assert_eq!(shell.run("false || true").unwrap().0, 0);
        assert_eq!(shell.run("(exit 7)").unwrap().0, 7);
        assert!(shell.run("exit 3").is_err());
    }

    #[test]
    fn what_runs_in_the_background_ends_with_the_guide() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = shell(&folder);
        shell.background("echo begun; sleep 100", "begun").unwrap();
        let group = shell.background[0].clone();
        assert!(is_running(&group));
        let error = shell.background("echo no", "yes").unwrap_err();
        assert!(format!("{error:#}").contains("it ended"), "{error:#}");
        shell.background.truncate(1);
        shell.end().unwrap();
        assert!(!is_running(&group));
    }

    #[test]
    fn nothing_is_left_of_a_guide_that_failed() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = shell(&folder);
        shell
            .background(
                "trap '' TERM; echo begun; while :; do sleep 1; done",
                "begun",
            )
            .unwrap();
        let (_, said) = shell.run("sleep 100 & echo $!").unwrap();
        let group = shell.background[0].clone();
        drop(shell);
        assert!(!is_running(&group));
        process::wait(END, || Ok(!is_running(said.trim()))).unwrap();
    }

    #[test]
    fn nothing_is_left_of_one_whose_runner_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let start = |what: &str| {
            let mut command = Command::new("sleep");
            command.arg(what).process_group(0).spawn().unwrap()
        };
        let (mut runner, mut child) = (start("100"), start("100"));
        let list = folder.path().join("groups");
        fs::write(&list, format!("{}\n", child.id())).unwrap();
        let mut watch = watch(runner.id(), &list).unwrap();
        assert!(is_running(&child.id().to_string()));
        runner.kill().unwrap();
        runner.wait().unwrap();
        assert!(!child.wait().unwrap().success());
        watch.wait().unwrap();
    }
}
