//! The server as a process: it drains when it is told to end, and says so with its exit code.

use std::process::Stdio;

use greeter::v1::ChatRequest;
use greeter::v1::greeter_service_client::GreeterServiceClient;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use scribemed_client::Channel;
use scribemed_rpc::ClientContract as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::support::{CONTRACTS, soon, target};

#[tokio::test]
async fn sigterm_lets_a_call_finish_and_the_exit_code_is_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_greeter"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = soon(lines.next_line()).await.unwrap().unwrap();
        let address = first.strip_prefix("serving on ").unwrap().parse().unwrap();
        let channel = Channel::new(&target(address), &CONTRACTS[..1], None).unwrap();
        let mut greeter = GreeterServiceClient::over(channel);
        // A call that is under way: its first question was answered.
        let (names, asked) = mpsc::unbounded_channel();
        let name = |name: &str| {
            let name = name.to_owned();
            names.send(ChatRequest { name }).unwrap();
        };
        name("Ada");
        let chat = soon(greeter.chat(UnboundedReceiverStream::new(asked))).await;
        let mut answers = chat.unwrap().into_inner();
        let mut text = async || {
            soon(answers.message())
                .await
                .map(|next| next.map(|it| it.text))
        };
        assert_eq!(text().await.unwrap().unwrap(), "Hello, Ada.");

        let pid = i32::try_from(process.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
        // Nobody can connect any more, and the call goes on.
        soon(async { while TcpStream::connect(address).await.is_ok() {} }).await;
        name("Alan");
        assert_eq!(text().await.unwrap().unwrap(), "Hello, Alan.");
        drop(names);
        assert_eq!(text().await.unwrap(), None);
        let exit = soon(process.wait()).await.unwrap();
        assert_eq!(exit.code(), Some(0), "{signal}");
    }
}
