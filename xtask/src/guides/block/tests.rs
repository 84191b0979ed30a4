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
            fails: false,
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
        fails: true,
        until: None,
    };
    assert_eq!(run("needs=\"docker\" fails").unwrap(), yes);
    for (attributes, expect) in [
        ("no-run", "says why"),
        ("no-run reason=\" \"", "says why"),
        ("reason=\"x\"", "for `no-run`"),
        ("background", "belong together"),
        ("quick", "is not known"),
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
}
