//! Serves on the address that is given, `127.0.0.1:50055` by default:
//!
//! ```sh
//! cargo run --package greeter
//! grpcurl -plaintext -d '{"name": "Ada"}' 127.0.0.1:50055 greeter.v1.GreeterService/SayHello
//! ```

use std::io::Write as _;

use anyhow::Context as _;
use greeter::DESCRIPTOR_SET;
use greeter::greeter::Greeter;
use greeter::identity::{Identity, NAME};
use greeter::v1::greeter_service_server::GreeterServiceServer;
use scribemed_auth::Permission;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:50055");
    scribemed_telemetry::init(scribemed_telemetry::Format::Readable, "info")?;
    let identity = Identity::new()?;
    // From here on a signal means to drain.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on"))?;
    // There is no auth service to ask, so a token is handed out here, to try SayGoodbye with.
    let token = identity.token("visitor", &[Permission::new("say:goodbyes")?])?;
    let mut out = std::io::stdout();
    writeln!(out, "serving on {}", listener.local_addr()?)?;
    writeln!(out, "authorization: Bearer {}", token.secret.expose())?;

    let shutdown = CancellationToken::new();
    let server = scribemed_server::Builder::new(NAME, identity.verifier()?)
        .descriptor_set(DESCRIPTOR_SET)
        .add(GreeterServiceServer::new(Greeter))
        .serve(listener, shutdown.clone());
    let drain = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.cancel();
        anyhow::Ok(())
    };
    tokio::try_join!(async { Ok(server.await?) }, drain)?;
    Ok(())
}
