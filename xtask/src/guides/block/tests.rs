#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn blocks(text: &str) -> Result<Vec<Block>> {
    read(Path::new("guide.md"), text)
}

fn plain(line: usize, script: &str, expected: Option<&str>) -> Block {
    Block {
        line,
        script: script.to_owned(),
        expected: expected.map(str::to_owned),
        run: Run::Yes {
            needs: None,
            ends: Ends::Well,
            until: None,
        },
    }
}

#[test]
fn commands_are_found_with_what_they_say() {
    let text = "# x\n\n```sh\na\nb\n```\n\n```text\nout\n```\n\n```json\n{}\n```\n\n   ```console\n   $ c \\\n       d\n   one\n   two\n   $ e\n   ```\n";
    let expect = vec![
        plain(3, "a\nb", Some("out")),
        plain(17, "c \\\n    d", Some("one\ntwo")),
        plain(21, "e", None),
    ];
    assert_eq!(blocks(text).unwrap(), expect);
}

#[test]
fn a_text_that_does_not_follow_is_no_output() {
    let text = "```sh\na\n```\nSo much for that.\n```text\nout\n```\n";
    assert_eq!(blocks(text).unwrap(), vec![plain(1, "a", None)]);
}

#[test]
fn only_the_last_command_of_a_session_is_to_fail() {
    let found = blocks("```console fails\n$ a\n$ b\n```\n").unwrap();
    let ends = |block: &Block| match block.run {
        Run::Yes { ends, .. } => Some(ends),
        Run::No { .. } => None,
    };
    let ends: Vec<_> = found.iter().map(ends).collect();
    assert_eq!(ends, [Some(Ends::Well), Some(Ends::Badly)]);
}

#[test]
fn a_block_can_be_a_file() {
    let text = "```toml file=\"a/b.toml\"\nx = 1\n\ny = 2\n```\n```json file=\"c\"\n{}\n```\n```json\n{}\n```\n";
    let expect = vec![
        plain(
            1,
            "mkdir -p 'a' && cat >'a/b.toml' <<'END OF THE FILE'\nx = 1\n\ny = 2\nEND OF THE FILE",
            None,
        ),
        plain(6, "cat >'c' <<'END OF THE FILE'\n{}\nEND OF THE FILE", None),
    ];
    assert_eq!(blocks(text).unwrap(), expect);
}

#[test]
fn attributes_are_read_and_a_reason_is_asked_for() {
    let run = |attributes: &str| {
        let text = format!("```sh {attributes}\na\n```\n");
        blocks(&text).map(|mut blocks| blocks.remove(0).run)
    };
    let no = Run::No {
        reason: "it takes a day".to_owned(),
    };
    assert_eq!(run("no-run reason=\"it takes a day\"").unwrap(), no);
    let yes = Run::Yes {
        needs: Some("docker".to_owned()),
        ends: Ends::Badly,
        until: None,
    };
    assert_eq!(run("needs=\"docker\" fails").unwrap(), yes);
    let with = Run::Yes {
        needs: None,
        ends: Ends::With(100),
        until: None,
    };
    assert_eq!(run("fails=\"100\"").unwrap(), with);
    for (attributes, expect) in [
        ("no-run", "says why"),
        ("no-run reason=\" \"", "says why"),
        ("reason=\"x\"", "for `no-run`"),
        ("background", "belong together"),
        ("quick", "is not known"),
        ("fails=\"often\"", "wants an exit code"),
        ("needs=\"docker", "does not end"),
    ] {
        let error = format!("{:#}", run(attributes).unwrap_err());
        assert!(
            error.contains(expect) && error.contains("guide.md:1"),
            "{error}"
        );
    }
}

#[test]
fn what_would_not_be_run_is_refused() {
    let check = |text: &str, expect: &str| {
        let error = format!("{:#}", blocks(text).unwrap_err());
        assert!(error.contains(expect), "{error}");
    };
    check("```bash\na\n```\n", "write commands as `sh`");
    check("```console\na\n```\n", "begins with a line `$ command`");
    check("```sh\na\n", "does not end");
    check("```\na\n```\n", "name the language");
    check("```json fails\n{}\n```\n", "only `file=");
    check("```json file=\"\"\n{}\n```\n", "only `file=");
}
