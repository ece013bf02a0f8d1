//! What a bank shows of itself: redemptions, and conservation as the watch saw it last.

use std::sync::atomic::{AtomicU64, Ordering};

use specie_bank::redemption::Redeemed;
use specie_bank::watch::Watched;

use super::setup::CentralBank;
use crate::metrics::{Reading, database};

/// Chains that were redeemed or refused since the server started.
#[derive(Default)]
pub struct Redemptions {
    credited: AtomicU64,
    refused: AtomicU64,
}

impl Redemptions {
    /// Counts what was answered.
    pub(super) fn count(&self, redeemed: &[Redeemed]) {
        for one in redeemed {
            let count = if matches!(one, Redeemed::Credited(_)) { &self.credited } else { &self.refused };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Everything, as it is now; nothing is asked of the database.
pub(super) fn readings(central: &CentralBank) -> Vec<Reading> {
    let Redemptions { credited, refused } = &central.redemptions;
    let count = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64;
    let redemptions = Reading::counter("redemptions", "Chains that were redeemed, or refused")
        .is(&[("outcome", "credited")], count(credited))
        .is(&[("outcome", "refused")], count(refused));
    let mut all = vec![redemptions];
    all.extend(database(central.bank.storage().0.cost()));
    if let Some(watched) = central.bank.watched() {
        all.extend(conservation(&watched));
    }
    all
}

fn conservation(watched: &Watched) -> [Reading; 4] {
    let Watched { at, conservation, alarm } = watched;
    let mut classes = Reading::gauge("class_minor_units", "Sums of a class in minor units");
    for line in &conservation.classes {
        let (class, epoch) = (line.class_id.to_string(), line.epoch.to_string());
        let sums = [
            ("issued", line.issued as f64),
            ("redeemed", line.redeemed as f64),
            ("expired", line.expired as f64),
            ("outstanding", line.outstanding() as f64),
        ];
        for (sum, value) in sums {
            classes = classes.is(&[("class", &class), ("epoch", &epoch), ("sum", sum)], value);
        }
    }
    let holds = Reading::gauge("conservation_holds", "Whether facts and books agreed at the last look");
    let stands = Reading::gauge("conservation_alarm", "Whether an alarm stands: nothing is issued then");
    let looked = Reading::gauge("conservation_looked_at", "Time of the last look in Unix seconds");
    [
        classes,
        holds.is(&[], f64::from(u8::from(conservation.holds()))),
        stands.is(&[], f64::from(u8::from(alarm.is_some()))),
        looked.is(&[], at.seconds() as f64),
    ]
}
