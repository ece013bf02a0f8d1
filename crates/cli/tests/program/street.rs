//! Two microcontrollers in a thread, wired to each other, each with its owner's line at a socket.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use specie_core::signature::PublicKey;
use specie_device::maker::Maker;
use specie_element::entropy::EntropyFailure;
use specie_element::sim::SimFlash;
use specie_element::{Element, Platform};
use specie_embedded::device::{Parts, Random};
use specie_embedded::terminal::Terminal;

use crate::world::World;

type Flash = SimFlash<4, 4096>;
type Micro = Terminal<Flash, Element<Flash, Seeded, 256>, Seeded>;

/// Pages of a wallet's records, and of an element's flash.
const RECORD_PAGES: usize = 32;
const ELEMENT_PAGES: usize = 16;

/// The microcontrollers; they lose their power when dropped.
pub(crate) struct Street {
    off: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A microcontroller with its owner's line.
struct House {
    micro: Micro,
    owners: UnixListener,
    owner: Option<UnixStream>,
}

/// SplitMix64.
struct Seeded(u64);

impl Street {
    /// Two devices whose elements are personalised, without wallets. Their owners' lines are `0.sock` and `1.sock` in the world.
    pub(crate) fn new(world: &World) -> Self {
        let maker = Maker::open(&world.path("maker.toml")).unwrap();
        let root = PublicKey(hex::decode(&world.root).unwrap().try_into().unwrap());
        let houses = [0, 1].map(|number| House::new(&world.path(&format!("{number}.sock")), number, &maker, root));
        let off = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let off = Arc::clone(&off);
            move || live(houses, &off)
        });
        Self { off, thread: Some(thread) }
    }
}

impl Drop for Street {
    fn drop(&mut self) {
        self.off.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl House {
    fn new(socket: &Path, number: u64, maker: &Maker, root: PublicKey) -> Self {
        let mut element = Element::new(Flash::new(ELEMENT_PAGES, number), Seeded(10 + number)).unwrap();
        assert!(maker.personalise(&mut element, &root).is_ok());
        let parts = Parts { flash: Flash::new(RECORD_PAGES, number), element, random: Seeded(20 + number) };
        let owners = UnixListener::bind(socket).unwrap();
        owners.set_nonblocking(true).unwrap();
        Self { micro: Terminal::new(parts), owners, owner: None }
    }

    /// Whether anything came or went on the owner's line.
    fn attend(&mut self, ms: u64) -> bool {
        if let Ok((owner, _)) = self.owners.accept() {
            owner.set_nonblocking(true).unwrap();
            self.owner = Some(owner);
        }
        let Some(owner) = &mut self.owner else { return false };
        let mut bytes = [0; 256];
        let came = match owner.read(&mut bytes) {
            Ok(0) => {
                self.owner = None;
                return true;
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.owner = None;
                return true;
            }
        };
        bytes[..came].iter().for_each(|byte| self.micro.owner_byte(*byte, ms));
        let went = owner.write(self.micro.owner_pending()).unwrap_or(0);
        self.micro.owner_sent(went);
        came + went > 0
    }
}

fn live(mut houses: [House; 2], off: &AtomicBool) {
    let begun = Instant::now();
    while !off.load(Ordering::SeqCst) {
        let ms = begun.elapsed().as_millis() as u64;
        let mut busy = false;
        for house in &mut houses {
            busy |= house.attend(ms);
            house.micro.poll(ms);
        }
        for from in [0, 1] {
            let bytes: Vec<u8> = houses[from].micro.peer_pending().iter().take(256).copied().collect();
            houses[from].micro.peer_sent(bytes.len());
            bytes.iter().for_each(|byte| houses[1 - from].micro.peer_byte(*byte, ms));
            busy |= !bytes.is_empty();
        }
        if !busy {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        out.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_le_bytes()));
        Ok(())
    }
}

impl Platform for Seeded {
    fn entropy(&mut self, out: &mut [u8; 32]) -> Result<(), EntropyFailure> {
        self.fill(out)
    }

    fn firmware(&self) -> [u8; 32] {
        [0x5E; 32]
    }
}
