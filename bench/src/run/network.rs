//! A network namespace with a server in it, whose packets can be made to vanish.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A namespace that is joined to this machine's network by a cable. Gone when it is dropped.
pub(super) struct Network {
    name: String,
    cable: String,
    /// The first three bytes of the addresses: RFC 2544 keeps 198.18.0.0/15 for benchmarks.
    prefix: String,
}

/// What it takes.
pub(super) const HOW_TO_GET: &str =
    "run it on Linux as root, with ip and iptables (apt-get install iproute2 iptables)";

impl Network {
    /// Joins a new namespace.
    ///
    /// # Errors
    /// This is not Linux, we are not root, or a tool is missing.
    pub(super) fn new() -> Result<Self> {
        let id = std::process::id();
        let network = Self {
            name: format!("scribemed-bench-{id}"),
            // The kernel takes 15 letters.
            cable: format!("smb{}", id % 100_000),
            prefix: format!("198.18.{}", id % 250),
        };
        let Self {
            name,
            cable,
            prefix,
        } = &network;
        ip(&["netns", "add", name])?;
        let inner = format!("{cable}i");
        ip(&[
            "link", "add", cable, "type", "veth", "peer", "name", &inner, "netns", name,
        ])?;
        ip(&["address", "add", &format!("{prefix}.1/30"), "dev", cable])?;
        ip(&["link", "set", cable, "up"])?;
        ip(&[
            "-n",
            name,
            "address",
            "add",
            &format!("{prefix}.2/30"),
            "dev",
            &inner,
        ])?;
        ip(&["-n", name, "link", "set", &inner, "up"])?;
        network.packets("--list-rules", &[])?;
        Ok(network)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where a server in it listens.
    pub(super) fn listen(&self) -> String {
        format!("{}.2:0", self.prefix)
    }

    /// From now on every packet vanishes, both ways. Nobody is told: no reset, no ICMP.
    pub(super) fn cut(&self) -> Result<()> {
        for chain in ["INPUT", "OUTPUT"] {
            self.packets("--append", &[chain, "--jump", "DROP"])?;
        }
        Ok(())
    }

    fn packets(&self, what: &str, rule: &[&str]) -> Result<()> {
        let mut args = vec!["netns", "exec", &self.name, "iptables", what];
        args.extend(rule);
        ip(&args)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Either may be missing where the set-up failed half-way; deleting the namespace deletes the cable with its end.
        for args in [
            ["netns", "delete", &self.name],
            ["link", "delete", &self.cable],
        ] {
            let _missing = ip(&args);
        }
    }
}

fn ip(args: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("`ip` cannot be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`ip {}` failed: {}", args.join(" "), said.trim());
    }
    Ok(())
}
