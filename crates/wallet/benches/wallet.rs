//! What paying and withdrawing cost, host and element together, next to one scalar multiplication in the same run.
#![allow(non_snake_case, reason = "formulas keep the letters of the specification")]
#![allow(dead_code, reason = "the tests use more of the world than this")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]
#![allow(missing_docs, reason = "criterion makes a public function")]

#[path = "../tests/wallet/bank.rs"]
mod bank;
#[path = "../tests/wallet/device.rs"]
mod device;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use specie_core::class::Kind;
use specie_core::group::Generators;
use specie_core::hash;
use specie_wallet::withdrawal::Item;

use bank::{Bank, CAP, NOW, at};
use device::{Device, Image};

/// Records in each element.
const RECORDS: usize = 2_048;

/// A device with `count` notes of mixed face values, and blanks for change.
fn purse(bank: &mut Bank, count: u16) -> Image {
    let mut device = Device::new(bank, &format!("purse of {count}"));
    let faces = [10, 20, 50, 100, 200];
    for chunk in 0..count.div_ceil(200) {
        let wanted = (count - chunk * 200).min(200);
        let items: Vec<Item> = faces
            .iter()
            .map(|face| Item { class_id: bank.class_of(Kind::Value, *face).id(), count: wanted / faces.len() as u16 })
            .collect();
        device.withdraw_items(bank, &items).unwrap();
    }
    let blanks = [Item { class_id: bank.class_of(Kind::Blank, CAP).id(), count: 8 }];
    device.withdraw_items(bank, &blanks).unwrap();
    device.image()
}

fn scalar_multiplication(c: &mut Criterion) {
    let point = Generators::new().H;
    let scalar = hash::hs("bench", &[]);
    c.bench_function("one variable-base scalar multiplication", |b| {
        b.iter(|| black_box(black_box(point) * black_box(scalar)));
    });
}

/// From request parsed to payment encoded: the plan, its record, the show, its journal, the message.
fn pay(c: &mut Criterion) {
    let mut bank = Bank::new();
    let mut payee = Device::new(&mut bank, "payee");
    payee.withdraw(&mut bank, 0, 4).unwrap();
    let (_, request) = payee.request(37).unwrap();
    for count in [10, 100, 1_000] {
        let image = purse(&mut bank, count);
        c.bench_function(&format!("pay, {count} notes in the wallet"), |b| {
            b.iter_batched_ref(
                || {
                    let mut device = image.boot();
                    // Who pays has looked at what it pays.
                    device.wallet.preview_payment(&request, at(NOW), &mut device.port).unwrap();
                    device
                },
                |device| {
                    let step = device.wallet.plan_payment(&request, at(NOW), &[1; 32], &mut device.port).unwrap();
                    let id = black_box(step).committed();
                    black_box(device.wallet.execute_payment(&id, at(NOW), &mut device.port).unwrap())
                },
                BatchSize::PerIteration,
            );
        });
    }
}

/// Device, element and bank together.
fn withdraw(c: &mut Criterion) {
    let mut group = c.benchmark_group("withdraw");
    group.sample_size(10);
    group.bench_function("100 notes", |b| {
        b.iter_batched(
            || {
                let mut bank = Bank::new();
                let device = Device::new(&mut bank, "device");
                (bank, device)
            },
            |(mut bank, mut device)| {
                let items = [Item { class_id: bank.class_of(Kind::Value, 100).id(), count: 100 }];
                device.withdraw_items(&mut bank, &items).unwrap();
                (bank, device)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, scalar_multiplication, pay, withdraw);
criterion_main!(benches);
