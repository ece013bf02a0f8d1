//! Connections: a bounded number of them, and none for whoever does not go on reading or writing.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;

/// The pause after a connection could not be accepted: nearly always because there are too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Who is at the other end of a request's connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How many connections, and how long they may rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connections {
    pub(crate) most: usize,
    pub(crate) most_per_address: Option<usize>,
    /// For a whole head, from the last answer or the connection on.
    pub(crate) header: Duration,
    /// For the next bytes of an answer to be taken.
    pub(crate) write: Duration,
}

/// How many connections there are from each address.
#[derive(Clone, Default)]
struct Census(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One connection in the census, until it is dropped.
struct Counted(Census, IpAddr);

/// A stream that fails when what is written is not taken.
struct Patient {
    stream: TcpStream,
    patience: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

/// Serves `app` until `stopped`, then answers what is under way.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    connections: Connections,
    stopped: impl Future<Output = ()>,
) {
    let (places, census, graceful) =
        (Arc::new(Semaphore::new(connections.most)), Census::default(), GracefulShutdown::new());
    let service = TowerToHyperService::new(app);
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let accepting = async {
            // Whoever does not fit waits with the operating system.
            let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((place, listener.accept().await?))
        };
        let accepted = tokio::select! {
            accepted = accepting => accepted,
            () = &mut stopped => break,
        };
        let Ok((place, (stream, address))) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let peer = address.ip();
        let Some(counted) = census.count(peer, connections.most_per_address) else { continue };
        let service = service.clone();
        let with_peer = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            hyper::service::Service::call(&service, request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(connections.header);
        let served = http.serve_connection(TokioIo::new(Patient::new(stream, connections.write)), with_peer);
        let served = graceful.watch(served);
        tokio::spawn(async move {
            // A connection that breaks off concerns nobody but its other end.
            drop(served.await);
            drop((place, counted));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

impl Census {
    /// One more from `address`, unless there are too many.
    fn count(&self, address: IpAddr, most: Option<usize>) -> Option<Counted> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        Some(Counted(self.clone(), address))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self(Census(counts), address) = self;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(address);
            }
        }
    }
}

impl Patient {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream, patience, waiting: None }
    }

    /// What came of writing, unless it has waited for too long.
    fn bounded<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Patient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.bounded(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.bounded(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn connections_of_an_address_are_bounded_and_counted_down() {
        let census = Census::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let first = census.count(one, Some(2)).unwrap();
        let second = census.count(one, Some(2)).unwrap();
        assert!(census.count(one, Some(2)).is_none() && census.count(other, Some(2)).is_some());
        drop(first);
        assert!(census.count(one, Some(2)).is_some());
        drop(second);
        assert!(census.0.lock().unwrap().is_empty());
        assert!(census.count(one, None).is_some());
    }
}
