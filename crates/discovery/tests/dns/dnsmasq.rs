//! A dnsmasq of a test.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

/// Runs until it is dropped. It is asked at an address that is its own, knows what the test says of `.test`, and refuses the rest.
pub(crate) struct Dnsmasq {
    address: SocketAddr,
    folder: TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Dnsmasq {
    /// With these records and a TTL of 5 s for what has none.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        // Somebody else may take the port before dnsmasq does.
        for _ in 0..10 {
            let mut server = Self {
                address: free_address(),
                folder: tempfile::tempdir().unwrap(),
                arguments: arguments.iter().map(ToString::to_string).collect(),
                child: None,
            };
            std::fs::write(server.folder.path().join("hosts"), "").unwrap();
            if server.run() {
                return server;
            }
        }
        panic!("dnsmasq did not start on any of 10 free ports");
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces what it knows besides its arguments, in the form of a hosts file. It takes a moment.
    pub(crate) fn hosts(&self, text: &str) {
        std::fs::write(self.folder.path().join("hosts"), text).unwrap();
        if let Some(child) = &self.child {
            let sent = Command::new("sh")
                .args(["-c", &format!("kill -HUP {}", child.id())])
                .status()
                .unwrap();
            assert!(sent.success());
        }
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn restart(&mut self) {
        assert!(self.run(), "dnsmasq did not start again");
    }

    /// Whether it runs and can be asked.
    fn run(&mut self) -> bool {
        let child = Command::new(program())
            .args([
                "--no-daemon",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
            ])
            .args([
                "--listen-address=127.0.0.1",
                "--bind-interfaces",
                "--local=/test/",
                "--pid-file=",
            ])
            .arg(format!("--port={}", self.address.port()))
            .arg(format!(
                "--addn-hosts={}",
                self.folder.path().join("hosts").display()
            ))
            .args(&self.arguments)
            .args(
                (!self.arguments.iter().any(|a| a.starts_with("--local-ttl")))
                    .then_some("--local-ttl=5"),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Kept before anything is waited for, so that it ends with the test.
        let child = self.child.insert(child);
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if child.try_wait().unwrap().is_some() {
                return false;
            }
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::yield_now();
        }
        panic!("dnsmasq does not listen on {} after 20 s", self.address);
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that is free for UDP and TCP.
fn free_address() -> SocketAddr {
    for _ in 0..100 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no port is free for UDP and TCP");
}

fn program() -> PathBuf {
    let path = std::env::var_os("SCRIBEMED_DNSMASQ")
        .map_or_else(|| PathBuf::from("/usr/sbin/dnsmasq"), PathBuf::from);
    assert!(
        path.is_file(),
        "{} is not there, and these tests ask a real DNS server: install the package dnsmasq-base, \
         or set SCRIBEMED_DNSMASQ to the program",
        path.display()
    );
    path
}
