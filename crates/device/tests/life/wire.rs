//! A wire between a device and its PSP that can be cut within any exchange of request and answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is lost of the exchange within which the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The request: the PSP never hears of it.
    Request,
    /// The answer: the PSP did what it was asked.
    Answer,
}

#[derive(Debug)]
struct Plan {
    left: u64,
    loss: Loss,
    cut: bool,
}

/// Passes exchanges on until it is cut. Then nobody listens at its address any more.
pub(crate) struct Wire {
    address: SocketAddr,
    psp: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    exchanges: Arc<AtomicU64>,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Wire {
    pub(crate) fn to(psp: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::new(Mutex::new(Plan { left: u64::MAX, loss: Loss::Request, cut: false }));
        let wire = Self { address, psp, plan, exchanges: Arc::default(), heard: Arc::default() };
        wire.listen(listener);
        wire
    }

    fn listen(&self, listener: TcpListener) {
        let (psp, plan, exchanges) = (self.psp, Arc::clone(&self.plan), Arc::clone(&self.exchanges));
        let heard = Arc::clone(&self.heard);
        listener.set_nonblocking(true).unwrap();
        std::thread::spawn(move || {
            while !plan.lock().unwrap().cut {
                let Ok((device, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                };
                device.set_nonblocking(false).unwrap();
                let (plan, exchanges, heard) = (Arc::clone(&plan), Arc::clone(&exchanges), Arc::clone(&heard));
                std::thread::spawn(move || pass(device, psp, &plan, &exchanges, &heard));
            }
        });
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes `exchanges` on, loses part of the next one, and then everything.
    pub(crate) fn cut_after(&self, exchanges: u64, loss: Loss) {
        *self.plan.lock().unwrap() = Plan { left: exchanges, loss, cut: false };
    }

    /// Passes everything on again; gives whether it was cut.
    pub(crate) fn mend(&self) -> bool {
        let cut = self.plan.lock().unwrap().cut;
        if cut {
            let listener = loop {
                // The thread that listened before notices the cut in a moment.
                match TcpListener::bind(self.address) {
                    Ok(listener) => break listener,
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            };
            *self.plan.lock().unwrap() = Plan { left: u64::MAX, loss: Loss::Request, cut: false };
            self.listen(listener);
        } else {
            self.cut_after(u64::MAX, Loss::Request);
        }
        cut
    }

    /// What somebody on the wire has heard: every exchange, request and answer.
    pub(crate) fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }

    /// Exchanges passed on so far.
    pub(crate) fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::SeqCst)
    }
}

/// One connection of the device.
fn pass(
    mut device: TcpStream,
    psp: SocketAddr,
    plan: &Mutex<Plan>,
    exchanges: &AtomicU64,
    heard: &Mutex<Vec<Vec<u8>>>,
) {
    device.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let Ok(mut psp) = TcpStream::connect(psp) else { return };
    while let Ok(request) = message(&mut device) {
        let loss = {
            let mut plan = plan.lock().unwrap();
            let now = plan.left == 0;
            plan.left = plan.left.saturating_sub(1);
            let lost = if plan.cut { Some(Loss::Request) } else { now.then_some(plan.loss) };
            plan.cut |= now;
            lost
        };
        if loss == Some(Loss::Request) || psp.write_all(&request).is_err() {
            return;
        }
        let Ok(answer) = message(&mut psp) else { return };
        exchanges.fetch_add(1, Ordering::SeqCst);
        heard.lock().unwrap().push([request, answer.clone()].concat());
        if loss.is_some() || device.write_all(&answer).is_err() {
            return;
        }
    }
}

/// One HTTP message: head, and as much body as it says.
fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    let start = bytes.len();
    bytes.resize(start + length, 0);
    stream.read_exact(&mut bytes[start..])?;
    Ok(bytes)
}
