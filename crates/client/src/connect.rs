//! How a connection is made: TCP, a unix socket, or what a test puts in their place; with TLS on top where the target asks
//! for it.

mod tls;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use scribemed_discovery::Address;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

pub use self::tls::{Tls, TlsError};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What bytes go over.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// Makes connections. Replace it to run over another network, a simulated one for example.
pub trait Connect: Send + Sync + 'static {
    /// Connects to `address`. The channel bounds the time.
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Io>>>;
}

/// Connects by TCP (with `TCP_NODELAY`) and to unix sockets. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SocketConnector;

impl Connect for SocketConnector {
    fn connect<'a>(&'a self, address: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Io>>> {
        Box::pin(async move {
            Ok(match address {
                Address::Socket(address) => {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream) as Box<dyn Io>
                }
                Address::Unix(path) => Box::new(UnixStream::connect(&**path).await?),
            })
        })
    }
}

/// A connector and what goes on top of it.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) sockets: Arc<dyn Connect>,
    pub(crate) tls: Option<Tls>,
}

impl Connector {
    /// Connects and, where the target asks for it, agrees on TLS with a peer that must call itself `server_name`.
    pub(crate) async fn connect(
        &self,
        address: &Address,
        server_name: &str,
    ) -> io::Result<Box<dyn Io>> {
        let io = self.sockets.connect(address).await?;
        match &self.tls {
            Some(tls) => tls.wrap(io, server_name).await,
            None => Ok(io),
        }
    }
}
