//! `docs/spec/http.md` and the routers name the same paths.

use specie_api::problem::{self, Problem};

use crate::rejections::{exchange, request};
use crate::world::World;

/// Methods and paths of the table that follows `heading`.
fn endpoints(heading: &str) -> Vec<(&'static str, &'static str)> {
    let document = include_str!("../../../../docs/spec/http.md");
    let section = document.split(heading).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `GET`") || line.starts_with("| `POST`"));
    rows.map(|row| {
        let mut cells = row.split('`');
        let method = cells.nth(1).unwrap();
        (method, cells.nth(1).unwrap())
    })
    .collect()
}

#[test]
fn every_path_of_the_specification_is_served_with_its_methods_only() {
    let world = World::new();
    let bank = world.bank_address();
    for (heading, address) in [("## 5. A PSP", world.address("north")), ("## 6. The bank", bank)] {
        let endpoints = endpoints(heading);
        assert!(endpoints.len() > 15, "{heading}");
        for (_, path) in &endpoints {
            let target = path.replace("{id}", &"ab".repeat(16)).replace("{batch}", &"ab".repeat(16));
            let target = target.replace("{device}", &"ab".repeat(32));
            for method in ["GET", "POST"] {
                let (status, _, body) = exchange(address, &request(method, &target, &[], b""));
                let code = serde_json::from_slice::<Problem>(&body).map(|problem| problem.code).unwrap_or_default();
                let listed = endpoints.contains(&(method, path));
                assert_eq!(code == problem::METHOD.name, !listed, "{method} {path}: {status} {code}");
                assert_ne!(code, problem::NOT_FOUND.name, "{method} {path}");
            }
        }
    }
}
