//! `cargo xtask new-service`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use super::edit;
use super::names::Names;
use super::plan::Plan;
use super::template::render;

macro_rules! template {
    ($name:literal) => {
        include_str!(concat!("templates/", $name, ".template"))
    };
}

/// The files of a service below `services/NAME`. `resource` in a path stands for what it keeps.
const CRATE: [(&str, &str); 18] = [
    ("Cargo.toml", template!("Cargo.toml")),
    (
        "migrations/0001_{{name}}.sql",
        template!("migrations/0001_service.sql"),
    ),
    ("src/convert.rs", template!("src/convert.rs")),
    ("src/core.rs", template!("src/core.rs")),
    ("src/error.rs", template!("src/error.rs")),
    ("src/health.rs", template!("src/health.rs")),
    ("src/lib.rs", template!("src/lib.rs")),
    ("src/main.rs", template!("src/main.rs")),
    ("src/{{resource}}.rs", template!("src/resource.rs")),
    ("src/service.rs", template!("src/service.rs")),
    ("src/store.rs", template!("src/store.rs")),
    ("src/store/requests.rs", template!("src/store/requests.rs")),
    ("src/v1.rs", template!("src/v1.rs")),
    ("tests/service/main.rs", template!("tests/service/main.rs")),
    (
        "tests/service/refusals.rs",
        template!("tests/service/refusals.rs"),
    ),
    (
        "tests/service/{{resources}}.rs",
        template!("tests/service/resources.rs"),
    ),
    (
        "tests/service/world.rs",
        template!("tests/service/world.rs"),
    ),
    (
        "../scribemed/src/services/{{name}}.rs",
        template!("command_line.rs"),
    ),
];

/// Where the command line knows the services.
pub(super) const TABLE: &str = "services/scribemed/src/services.rs";

/// Everything that the service needs.
///
/// # Errors
/// A name is taken, or a file does not look as expected.
pub(super) fn plan(root: &Path, names: &Names) -> Result<Plan> {
    let name = names.name.as_str();
    is_free(root, names)?;
    let port = next_port(root)?;
    let values = names.values(port);
    let fill = |text: &str| render(text, &values);
    let mut plan = Plan::new(root);

    let contract = format!("proto/v1/scribemed/{name}/v1");
    plan.create(
        &format!("{contract}/{name}.proto"),
        fill(template!("contract.proto"))?,
    )?;
    plan.create(
        &format!("{contract}/error_reason.proto"),
        fill(template!("error_reason.proto"))?,
    )?;
    let module = fill(template!("module.rs"))?;
    plan.edit("proto/lib.rs", |text| {
        edit::before_line(
            text,
            "/// The encoded `google.protobuf.FileDescriptorSet`",
            &module,
        )
    })?;

    for (path, text) in CRATE {
        let path = fill(path)?;
        let path = match path.strip_prefix("../") {
            Some(path) => format!("services/{path}"),
            None => format!("services/{name}/{path}"),
        };
        plan.create(&path, fill(text)?)?;
    }
    dependencies(&mut plan, name)?;
    plan.edit(TABLE, |text| {
        let module = |line: &str| line.starts_with("mod ") && line.ends_with(';');
        let text = edit::into_sorted_run(text, module, &format!("mod {name};"))?;
        edit::into_brackets(
            &text,
            "ALL: &[&Service] = &[",
            &format!("&{name}::SERVICE,"),
        )
    })?;
    containers(&mut plan, names, port, &fill(template!("compose.yml"))?)?;

    let row = format!(
        "| {name} | {} | {port} | `{}_SERVICE_URL` | `scribemed.{name}.v1` |\n",
        names.resources().replace('_', " "),
        name.to_uppercase()
    );
    plan.edit("docs/reference/services.md", |text| {
        let end = text.rfind("\n|").context("there is no table")? + 1;
        let end = text[end..]
            .find('\n')
            .map_or(text.len(), |line| end + line + 1);
        Ok(format!("{}{row}{}", &text[..end], &text[end..]))
    })?;
    Ok(plan)
}

/// What to do next.
pub(super) fn next(names: &Names) -> String {
    let (name, path) = (&names.name, names.path());
    format!(
        "The service is there: it keeps a title, and is yours to change. Try it:\n  \
         cargo test -p scribemed-{name}\n  \
         cargo xtask up\n  \
         target/release/scribemed token --permissions read:{path}\n\
         A data folder that is there already keeps its auth/grants.toml: put what callers of {name} may do into it.\n\
         docs/guides/add-a-service.md goes on from here."
    )
}

/// The manifests and the golden graph.
fn dependencies(plan: &mut Plan, name: &str) -> Result<()> {
    let package = format!("scribemed-{name}");
    let line = format!("{package} = {{ path = \"services/{name}\" }}");
    plan.edit("Cargo.toml", |text| {
        let ours = |line: &str| line.starts_with("scribemed-") && line.contains("\"services/");
        let text = edit::into_sorted_run(text, ours, &line)?;
        holds(&text, &["workspace", "dependencies", &package])?;
        Ok(text)
    })?;
    plan.edit("services/scribemed/Cargo.toml", |text| {
        let ours = |line: &str| line.starts_with("scribemed-");
        let line = format!("{package}.workspace = true");
        let text = edit::into_sorted_run(text, ours, &line)?;
        holds(&text, &["dependencies", &package])?;
        Ok(text)
    })?;
    let golden = crate::tidy::GOLDEN;
    plan.edit(golden, |text| {
        let mut edges: std::collections::BTreeSet<String> =
            text.lines().map(str::to_owned).collect();
        edges.insert(format!("scribemed -> {package}"));
        let own = template!("Cargo.toml")
            .lines()
            .skip_while(|line| *line != "[dependencies]")
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter(|line| line.starts_with("scribemed-"))
            .filter_map(|line| line.strip_suffix(".workspace = true"));
        edges.extend(own.map(|to| format!("{package} -> {to}")));
        Ok(edges.into_iter().map(|edge| edge + "\n").collect())
    })
}

/// Compose, and the image.
fn containers(plan: &mut Plan, names: &Names, port: u16, entry: &str) -> Result<()> {
    let name = &names.name;
    plan.edit("docker-compose.yml", |text| {
        let key = format!("      - {name}-key:/etc/scribemed/{name}\n");
        let text = edit::into_yaml(text, &["services", "setup", "volumes"], &key)?;
        let text = edit::before_yaml(&text, "  scribemed:", entry)?;
        let variable = name.to_uppercase();
        let known = format!("      {variable}_SERVICE_URL: dns:///{name}:{port}\n");
        let text = edit::into_yaml(&text, &["services", "scribemed", "environment"], &known)?;
        let volumes = format!("  {name}-data:\n  {name}-key:\n");
        edit::into_yaml(&text, &["volumes"], &volumes)
    })?;
    plan.edit("Dockerfile", |text| {
        let operator = " /etc/scribemed/scribemed";
        ensure!(
            text.matches(operator).count() == 1,
            "there is not one place that makes{operator}"
        );
        Ok(text.replace(operator, &format!(" /etc/scribemed/{name}{operator}")))
    })
}

/// Whether neither the service nor what it keeps is there.
fn is_free(root: &Path, names: &Names) -> Result<()> {
    let name = &names.name;
    for taken in [
        format!("services/{name}"),
        format!("proto/v1/scribemed/{name}"),
        format!("crates/{name}"),
    ] {
        ensure!(
            !root.join(&taken).exists(),
            "there is {taken} already; choose another name"
        );
    }
    let path = names.path();
    for verb in ["read", "write"] {
        let permission = format!("\"{verb}:{path}\"");
        if let Some(by) = contract_with(&root.join("proto"), &permission)? {
            bail!(
                "another contract asks for the permission {permission} already: {by}; name something else with --resource"
            );
        }
    }
    Ok(())
}

/// A contract below `folder` that holds this text.
fn contract_with(folder: &Path, text: &str) -> Result<Option<String>> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = contract_with(&path, text)? {
                return Ok(Some(found));
            }
        } else if path.extension().is_some_and(|ending| ending == "proto")
            && fs::read_to_string(&path)?.contains(text)
        {
            return Ok(Some(path.display().to_string()));
        }
    }
    Ok(None)
}

/// The first port above those of the services.
fn next_port(root: &Path) -> Result<u16> {
    let folder = root.join("services/scribemed/src/services");
    let mut last = None;
    for entry in fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
        let text = fs::read_to_string(entry?.path())?;
        let port = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("port: ")?.strip_suffix(','));
        let port: Option<u16> = port.and_then(|port| port.parse().ok());
        last = last.max(port);
    }
    let last = last.with_context(|| format!("no service in {} has a port", folder.display()))?;
    last.checked_add(1).context("there is no port left")
}

/// Whether the manifest is TOML with something under these keys.
fn holds(manifest: &str, keys: &[&str]) -> Result<()> {
    let table: toml::Table = manifest.parse().context("it would be no TOML")?;
    let mut value = Some(&toml::Value::Table(table)).cloned();
    for key in keys {
        value = value.and_then(|value| value.get(*key).cloned());
    }
    ensure!(value.is_some(), "it would not have {}", keys.join("."));
    Ok(())
}
