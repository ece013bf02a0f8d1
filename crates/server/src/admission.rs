//! Who is let in, and when: a bounded number of requests at work, bounded queues, and turns that go around.
//!
//! Each client has a queue of its own, and freed places go around among those that wait, so that one that sends much waits for
//! itself. What does not fit is refused at once, and what waited too long is not worked on: whoever asked has given up by then.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use specie_core::text::Name;
use tokio::sync::oneshot;

use crate::metrics::Reading;

/// How many seconds of its rate a client may save up.
const SAVED_SECONDS: f64 = 10.0;

/// Of the places at work, strangers get one in so many, and at least one.
const STRANGERS_SHARE: usize = 4;

/// Whose queue a request is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Client {
    /// The PSP that signed it.
    Psp(Name),
    /// Nobody that is known.
    Stranger,
    /// Whoever is at this address.
    Address(IpAddr),
}

/// How much there may be at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) at_work: usize,
    pub(crate) queued_per_client: usize,
    pub(crate) queued: usize,
    pub(crate) patience: Duration,
    /// Requests that a PSP may send in a second.
    pub(crate) rate: Option<f64>,
}

/// Why a request is not let in. Nothing was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shed {
    /// The queue is full.
    Full,
    /// It waited too long.
    TooLate,
    /// Its client sends more than its rate.
    Rate,
}

/// The door.
pub(crate) struct Admission {
    bounds: Bounds,
    hall: Mutex<Hall>,
}

/// A place at work. Whoever drops it lets the next one in.
pub(crate) struct Permit {
    admission: Arc<Admission>,
    client: Client,
}

#[derive(Default)]
struct Hall {
    at_work: usize,
    strangers: usize,
    queued: usize,
    tickets: u64,
    queues: BTreeMap<Client, VecDeque<Waiting>>,
    /// Each client with a queue, once.
    turns: VecDeque<Client>,
    buckets: BTreeMap<Name, Bucket>,
}

struct Waiting {
    ticket: u64,
    let_in: oneshot::Sender<Permit>,
}

/// A place in a queue. Dropped, it is given up.
struct Place<'a> {
    admission: &'a Admission,
    client: Client,
    ticket: u64,
}

/// What a client has saved of its rate.
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Admission {
    pub(crate) fn new(bounds: Bounds) -> Arc<Self> {
        Arc::new(Self { bounds, hall: Mutex::default() })
    }

    /// Waits for a place at work.
    ///
    /// # Errors
    /// When there is none, and will be none in time.
    pub(crate) async fn enter(self: &Arc<Self>, client: Client) -> Result<Permit, Shed> {
        let (ticket, let_in) = {
            let mut hall = self.hall();
            hall.spend(&client, self.bounds.rate, Instant::now())?;
            if hall.has_place(&client, &self.bounds) {
                hall.take_place(&client);
                return Ok(self.permit(client));
            }
            hall.queue(client, &self.bounds)?
        };
        let place = Place { admission: self, client, ticket };
        let entered = tokio::time::timeout(self.bounds.patience, let_in).await;
        drop(place);
        entered.ok().and_then(Result::ok).ok_or(Shed::TooLate)
    }

    /// How many are at work, and how many wait.
    pub(crate) fn readings(&self) -> Vec<Reading> {
        let hall = self.hall();
        let (at_work, queued) = (hall.at_work as f64, hall.queued as f64);
        drop(hall);
        vec![
            Reading::gauge("requests_at_work", "Requests that are worked on").is(&[], at_work),
            Reading::gauge("requests_queued", "Requests that wait for a place at work").is(&[], queued),
        ]
    }

    fn permit(self: &Arc<Self>, client: Client) -> Permit {
        Permit { admission: Arc::clone(self), client }
    }

    fn hall(&self) -> MutexGuard<'_, Hall> {
        self.hall.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hall {
    /// Takes one request off the client's rate.
    fn spend(&mut self, client: &Client, rate: Option<f64>, now: Instant) -> Result<(), Shed> {
        let (Client::Psp(name), Some(rate)) = (client, rate) else { return Ok(()) };
        let most = (rate * SAVED_SECONDS).max(1.0);
        let bucket = self.buckets.entry(*name).or_insert(Bucket { tokens: most, at: now });
        bucket.tokens = (bucket.tokens + rate * now.duration_since(bucket.at).as_secs_f64()).min(most);
        bucket.at = now;
        if bucket.tokens < 1.0 {
            return Err(Shed::Rate);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn has_place(&self, client: &Client, bounds: &Bounds) -> bool {
        let strangers_max = (bounds.at_work / STRANGERS_SHARE).max(1);
        self.at_work < bounds.at_work && (*client != Client::Stranger || self.strangers < strangers_max)
    }

    fn take_place(&mut self, client: &Client) {
        self.at_work += 1;
        self.strangers += usize::from(*client == Client::Stranger);
    }

    fn leave_place(&mut self, client: &Client) {
        self.at_work -= 1;
        self.strangers -= usize::from(*client == Client::Stranger);
    }

    fn queue(&mut self, client: Client, bounds: &Bounds) -> Result<(u64, oneshot::Receiver<Permit>), Shed> {
        let waiting = self.queues.get(&client).map_or(0, VecDeque::len);
        if self.queued >= bounds.queued || waiting >= bounds.queued_per_client {
            return Err(Shed::Full);
        }
        let ((let_in, told), ticket) = (oneshot::channel(), self.tickets);
        self.tickets += 1;
        self.queued += 1;
        if waiting == 0 {
            self.turns.push_back(client);
        }
        self.queues.entry(client).or_default().push_back(Waiting { ticket, let_in });
        Ok((ticket, told))
    }

    /// Gives the free place to the client whose turn it is.
    fn next(&mut self, bounds: &Bounds) -> Option<(Client, Waiting)> {
        let position = self.turns.iter().position(|client| self.has_place(client, bounds))?;
        let client = self.turns.remove(position)?;
        let queue = self.queues.get_mut(&client)?;
        let waiting = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&client);
        } else {
            self.turns.push_back(client);
        }
        self.queued -= 1;
        self.take_place(&client);
        Some((client, waiting))
    }

    fn give_up(&mut self, client: &Client, ticket: u64) {
        let Some(queue) = self.queues.get_mut(client) else { return };
        let Some(position) = queue.iter().position(|waiting| waiting.ticket == ticket) else { return };
        queue.remove(position);
        self.queued -= 1;
        if queue.is_empty() {
            self.queues.remove(client);
            self.turns.retain(|waiting| waiting != client);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut hall = self.admission.hall();
            hall.leave_place(&self.client);
            hall.next(&self.admission.bounds)
        };
        if let Some((client, waiting)) = next {
            // Whoever has just given up leaves the place again, by dropping it.
            drop(waiting.let_in.send(self.admission.permit(client)));
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.admission.hall().give_up(&self.client, self.ticket);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const BOUNDS: Bounds =
        Bounds { at_work: 1, queued_per_client: 3, queued: 5, patience: Duration::from_secs(3600), rate: None };

    fn psp(name: &str) -> Client {
        Client::Psp(Name::new(name).unwrap())
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    fn now<T>(work: std::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match work.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    fn counts(admission: &Admission) -> (usize, usize) {
        let hall = admission.hall();
        (hall.at_work, hall.queued)
    }

    #[test]
    fn turns_go_around_and_a_full_queue_refuses_at_once() {
        run(async {
            let admission = Admission::new(BOUNDS);
            let at_work = admission.enter(psp("flood")).await.unwrap();
            let mut floods: Vec<_> = (0..3).map(|_| Box::pin(admission.enter(psp("flood")))).collect();
            for flood in &mut floods {
                assert!(now(flood.as_mut()).is_none());
            }
            for _ in 0..10 {
                assert_eq!(admission.enter(psp("flood")).await.err(), Some(Shed::Full));
            }
            // Another one is not kept out by it, and waits for one turn, not for three.
            let mut other = pin!(admission.enter(psp("other")));
            assert!(now(other.as_mut()).is_none());
            assert_eq!(counts(&admission), (1, 4));
            drop(at_work);
            let first = now(floods[0].as_mut()).unwrap().unwrap();
            assert!(now(other.as_mut()).is_none());
            drop(first);
            let second = now(other.as_mut()).unwrap().unwrap();
            assert!(now(floods[1].as_mut()).is_none());
            drop(second);
            for flood in &mut floods[1..] {
                drop(now(flood.as_mut()).unwrap().unwrap());
            }
            let hall = admission.hall();
            assert_eq!((hall.at_work, hall.queued, hall.turns.len(), hall.queues.len()), (0, 0, 0, 0));
        });
    }

    #[test]
    fn all_queues_together_are_bounded() {
        run(async {
            let admission = Admission::new(BOUNDS);
            let _at_work = admission.enter(psp("a")).await.unwrap();
            let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(admission.enter(psp("a")))).collect();
            waiting.extend((0..2).map(|_| Box::pin(admission.enter(psp("b")))));
            for one in &mut waiting {
                assert!(now(one.as_mut()).is_none());
            }
            assert_eq!(admission.enter(psp("c")).await.err(), Some(Shed::Full));
            assert_eq!(admission.hall().queued, 5);
        });
    }

    #[test]
    fn strangers_leave_places_to_those_that_are_known() {
        run(async {
            let admission = Admission::new(Bounds { at_work: 4, ..BOUNDS });
            let stranger = admission.enter(Client::Stranger).await.unwrap();
            let mut next = pin!(admission.enter(Client::Stranger));
            assert!(now(next.as_mut()).is_none());
            let known: Vec<_> = [(); 3].map(|()| now(pin!(admission.enter(psp("a")))).unwrap().unwrap()).into();
            // A place that strangers may not have goes to nobody.
            drop(known);
            assert!(now(next.as_mut()).is_none());
            drop(stranger);
            assert!(now(next.as_mut()).unwrap().is_ok());
        });
    }

    #[test]
    fn who_gives_up_or_waited_too_long_holds_nothing() {
        run(async {
            let admission = Admission::new(Bounds { patience: Duration::from_millis(1), ..BOUNDS });
            let at_work = admission.enter(psp("a")).await.unwrap();
            assert_eq!(admission.enter(psp("b")).await.err(), Some(Shed::TooLate));
            assert_eq!(admission.hall().queued, 0);
            {
                let mut gone = pin!(admission.enter(psp("b")));
                assert!(now(gone.as_mut()).is_none());
                // Let in, and gone before it knew.
                drop(at_work);
                assert_eq!(counts(&admission), (1, 0));
            }
            assert_eq!(admission.hall().at_work, 0);
        });
    }

    #[test]
    fn a_rate_is_of_one_psp_and_fills_again() {
        let (mut hall, begun, rate) = (Hall::default(), Instant::now(), Some(2.0));
        for _ in 0..20 {
            hall.spend(&psp("a"), rate, begun).unwrap();
        }
        assert_eq!(hall.spend(&psp("a"), rate, begun), Err(Shed::Rate));
        assert_eq!(hall.spend(&psp("b"), rate, begun), Ok(()));
        assert_eq!(hall.spend(&Client::Stranger, rate, begun), Ok(()));
        let later = begun + Duration::from_secs(1);
        assert_eq!([(); 3].map(|()| hall.spend(&psp("a"), rate, later)), [Ok(()), Ok(()), Err(Shed::Rate)]);
    }
}
