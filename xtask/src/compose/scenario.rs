//! What an operator does, and what must hold meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::checks::Checks;
use super::load::Load;
use super::project::{Container, Project};
use crate::process;

/// The service that is scaled, and the method that is called all the time.
const SCALED: &str = "transcription";
const METHOD: &str = "TranscriptionService/ListTranscriptions";
const SERVICES: [&str; 3] = ["auth", SCALED, "documentation"];
/// Debian's pocketsphinx-testdata: sentences of a novel, read aloud, with their text.
const CLIPS: &str = "/usr/share/pocketsphinx/test/data/librivox";
/// How soon a new replica must have its share of the calls.
const SHARED: Duration = Duration::from_secs(10);
/// For calls to begin, or to go on: the load makes 50 in a second.
const CALLING: Duration = Duration::from_secs(30);
/// Calls that show that a replica takes part.
const ENOUGH: usize = 100;

/// Runs all of it. What depends on something that failed is left out.
pub(super) fn run(project: &Project<'_>, checks: &mut Checks) {
    let up = checks.check("the services come up and are healthy", || {
        project.up(1)?;
        healthy(project, 1)
    });
    if up.is_none() {
        return;
    }
    checks.check(
        "no service is root, writes outside its volume, or has another's key",
        || confined(project),
    );
    checks.check("the DNS of Compose has one address for one replica", || {
        addresses(project, 1)
    });
    checks.check("a recording becomes a note", || note(project));
    checks.check(
        "a replica that is made anew goes on with what the old one had",
        || replaced(project),
    );

    scaled(project, checks);
    killed(project, checks);

    checks.check(
        "on the word to stop, everything drains and ends well",
        || stopped(project),
    );
}

/// Up to three replicas and down to one, under load.
fn scaled(project: &Project<'_>, checks: &mut Checks) {
    let load = checks.check("calls reach the one replica", || {
        let load = Load::start(project, "scribemed-test-scaled", SCALED)?;
        grown(project, &project.running(SCALED)?, ENOUGH, CALLING)?;
        Ok(load)
    });
    let Some(load) = load else { return };
    let three = checks.check("two more replicas come up and are healthy", || {
        project.up(3)?;
        project.healthy(SCALED, 3)
    });
    if let Some(three) = three {
        checks.check(
            "the DNS of Compose has three addresses for three replicas",
            || addresses(project, 3),
        );
        checks.check("each of the three replicas gets calls", || {
            called(project, &three, ENOUGH / 4, SHARED)
        });
        checks.check("each replica has a folder of its own in the volume", || {
            folders(project, &three, &["0", "1", "2"])
        });
    }
    checks.check("two replicas go, and the calls go on", || {
        project.up(1)?;
        let one = project.healthy(SCALED, 1)?;
        addresses(project, 1)?;
        grown(project, &one, ENOUGH, CALLING)
    });
    checks.check("no call failed while the service was scaled", || {
        load.end()?.none_failed()
    });
}

/// One of three replicas is killed under load.
fn killed(project: &Project<'_>, checks: &mut Checks) {
    let three = checks.check("there are three replicas again", || {
        project.up(3)?;
        project.healthy(SCALED, 3)
    });
    let Some(three) = three else { return };
    let load = checks.check("calls begin", || {
        Load::start(project, "scribemed-test-killed", SCALED)
    });
    let Some(load) = load else { return };
    checks.check("they are spread over the three", || {
        grown(project, &three, ENOUGH / 4, CALLING)
    });
    let victim = checks.check("one of them, which is called, is killed (SIGKILL)", || {
        let victim = most_called(project, &three)?;
        process::read(&mut project.docker(&["kill", "--signal", "KILL", &victim.0]))?;
        Ok(victim)
    });
    let Some(victim) = victim else { return };
    let left: Vec<Container> = three
        .iter()
        .filter(|one| **one != victim)
        .cloned()
        .collect();
    checks.check("the calls go on at the two that are left", || {
        grown(project, &left, ENOUGH, CALLING)
    });
    checks.check("no call failed when a replica was killed", || {
        load.end()?.none_failed()
    });
    checks.check("it comes back, to its own folder", || {
        process::read(&mut project.docker(&["start", &victim.0]))?;
        project.healthy(SCALED, 3)?;
        folders(project, &three, &["0", "1", "2"])
    });
}

fn healthy(project: &Project<'_>, replicas: usize) -> Result<()> {
    for service in SERVICES {
        let count = if service == SCALED { replicas } else { 1 };
        project.healthy(service, count)?;
    }
    Ok(())
}

fn confined(project: &Project<'_>) -> Result<()> {
    for service in SERVICES {
        let containers = project.running(service)?;
        let container = containers.first().context("it does not run")?;
        let user = project.exec(container, &["id", "-u"])?;
        ensure!(user != "0", "{service} runs as root");
        for path in ["/usr/local/bin/scribemed", "/etc/scribemed/intruder"] {
            let written = project.exec(container, &["touch", path]);
            ensure!(written.is_err(), "{service} can write {path}");
        }
        let keys = project.exec(container, &["find", "/etc/scribemed", "-name", "*.pem"])?;
        let own = format!("/etc/scribemed/{service}/identity/{service}.pem");
        let expected = if service == "auth" { "" } else { own.as_str() };
        ensure!(keys == expected, "{service} has the keys {keys:?}");
    }
    Ok(())
}

fn addresses(project: &Project<'_>, count: usize) -> Result<()> {
    let found = project.addresses(SCALED)?;
    ensure!(found.len() == count, "it has {found:?}");
    Ok(())
}

/// A real recording through `scribemed note`; most of what is heard must be what was said.
fn note(project: &Project<'_>) -> Result<()> {
    let (clip, said) = clip()?;
    let volume = format!("{}:/audio.wav:ro", clip.display());
    let id = |last: u8| format!("0198c0de-0000-7000-8000-00000000000{last}");
    let made = process::read(&mut project.scribemed(
        &["--volume", &volume],
        &[
            "note",
            "/audio.wav",
            "--patient",
            &id(1),
            "--encounter",
            &id(2),
            "--provider",
            &id(3),
            "--json",
        ],
    ))?;
    let made: serde_json::Value = serde_json::from_str(made.trim())
        .with_context(|| format!("it is not the JSON of a note: {made}"))?;
    let state = &made["note"]["state"];
    ensure!(state == "NOTE_STATE_DRAFT", "the note is in state {state}");
    let text = made["transcription"]["text"].as_str().unwrap_or_default();
    let (said, heard) = (words(&said), words(text));
    let common = said.intersection(&heard).count();
    ensure!(
        !said.is_empty() && common * 2 > said.len(),
        "{common} of {} words were heard: {text:?}",
        said.len()
    );
    Ok(())
}

/// The first clip, and what is said in it.
fn clip() -> Result<(PathBuf, String)> {
    let folder = Path::new(CLIPS);
    let texts = std::fs::read_to_string(folder.join("transcription"))
        .with_context(|| format!("reading the texts in {CLIPS}"))?;
    // `<s> the words </s> (the-name)`
    let first = texts.lines().next().context("there is no clip")?;
    let (text, name) = first.rsplit_once('(').context("the clip has no name")?;
    let clip = folder
        .join(name.trim_end_matches(')'))
        .with_extension("wav");
    Ok((clip, text.replace("<s>", "").replace("</s>", "")))
}

fn words(text: &str) -> BTreeSet<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The container is removed and made anew: the volume is what stays.
fn replaced(project: &Project<'_>) -> Result<()> {
    let old = project.healthy(SCALED, 1)?;
    for container in &old {
        process::read(&mut project.docker(&["rm", "--force", &container.0]))?;
    }
    project.up(1)?;
    let new = project.healthy(SCALED, 1)?;
    ensure!(new != old, "it is the same container");
    folders(project, &new, &["0"])?;
    let new = new.first().context("there is none")?;
    let known = project.transcriptions(new)?;
    ensure!(known == 1, "it knows {known} transcriptions; there was one");
    Ok(())
}

/// The volume has just these folders, seen from each replica.
fn folders(project: &Project<'_>, replicas: &[Container], expected: &[&str]) -> Result<()> {
    for replica in replicas {
        let found = project.exec(replica, &["ls", "/var/lib/scribemed"])?;
        let found: Vec<&str> = found.lines().collect();
        ensure!(found == expected, "the volume has {found:?}");
    }
    Ok(())
}

/// The calls that each replica has got since it came up.
fn counts(project: &Project<'_>, replicas: &[Container]) -> Result<Vec<usize>> {
    let calls = replicas
        .iter()
        .map(|replica| project.calls(replica, METHOD));
    calls.collect()
}

/// Waits until each replica has got this many calls, those included that a new one got while the others came up.
fn called(
    project: &Project<'_>,
    replicas: &[Container],
    enough: usize,
    within: Duration,
) -> Result<()> {
    let mut now = Vec::new();
    process::wait(within, || {
        now = counts(project, replicas)?;
        Ok(now.iter().all(|calls| *calls >= enough))
    })
    .with_context(|| format!("waiting for {enough} calls at each; they have {now:?}"))
}

/// Waits until each replica has got this many calls more.
fn grown(project: &Project<'_>, replicas: &[Container], by: usize, within: Duration) -> Result<()> {
    let before = counts(project, replicas)?;
    let mut now = before.clone();
    process::wait(within, || {
        now = counts(project, replicas)?;
        Ok(before
            .iter()
            .zip(&now)
            .all(|(before, now)| now - before >= by))
    })
    .with_context(|| {
        format!("waiting for {by} more calls at each; they had {before:?} and have {now:?}")
    })
}

fn most_called(project: &Project<'_>, replicas: &[Container]) -> Result<Container> {
    let mut most = None;
    for replica in replicas {
        let calls = project.calls(replica, METHOD)?;
        if most.as_ref().is_none_or(|(count, _)| calls > *count) {
            most = Some((calls, replica.clone()));
        }
    }
    match most {
        Some((calls, replica)) if calls > 0 => Ok(replica),
        _ => bail!("none of them has been called"),
    }
}

/// The services end with exit code 0: after a drain, and not by SIGKILL when their time is over.
fn stopped(project: &Project<'_>) -> Result<()> {
    project.stop()?;
    for service in SERVICES {
        for container in project.all(service)? {
            let code = project.inspect(&container, "{{.State.ExitCode}}")?;
            ensure!(code == "0", "{service} ended with {code}");
        }
    }
    Ok(())
}
