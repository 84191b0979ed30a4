//! The simulated network in the place of the system's sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::{Stream, stream};
use scribemed_client::{BoxFuture, Connect, Io};
use scribemed_discovery::Address;
use turmoil::net::{TcpListener, TcpStream};

/// Connects over the simulated network. To be used within a simulation only.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimulatedSockets;

impl Connect for SimulatedSockets {
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            let socket = address.socket().ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::Unsupported,
                    format!(
                        "{address} is not on the simulated network; an IP address and a port are"
                    ),
                )
            })?;
            let stream = TcpStream::connect(socket).await?;
            Ok(Box::new(stream) as Box<dyn Io>)
        })
    }
}

/// Listens on this port of the simulated host, for `Builder::serve_incoming`. Dropping it closes the port.
///
/// # Errors
/// The port is taken.
pub async fn incoming(port: u16) -> io::Result<impl Stream<Item = io::Result<TcpStream>> + Send> {
    let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)).await?;
    Ok(stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| stream);
        Some((accepted, listener))
    }))
}
