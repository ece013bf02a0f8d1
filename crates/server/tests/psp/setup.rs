//! Opening a PSP whose files are not what they were.

use specie_server::psp::{OpenPspError, PspConfig, open_psp};

use crate::world::World;

#[test]
fn another_pepper_than_before_opens_nothing() {
    let world = World::new();
    let file = world.path("north").join("pepper.key");
    world.operator("north").psp.adopt_pepper().unwrap();
    let provider = world.operator("north");
    let (kind, from) = (specie_psp::person::PersonKind::Natural, ("https://register", "840506-0000"));
    provider.psp.set_person_by_number(&crate::world::name("alice"), kind, from, provider.clock.now()).unwrap();
    let config = PspConfig::read(&world.path("north").join("psp.toml")).unwrap();
    let before = std::fs::read(&file).unwrap();
    std::fs::write(&file, [b"ab".as_slice(); 32].concat()).unwrap();
    let opened = open_psp(&config, world.clock()).map(drop);
    let Err(OpenPspError::Pepper(error)) = opened else { panic!("{opened:?}") };
    assert!(error.to_string().contains("Restore the file of the pepper from its backup"), "{error}");
    std::fs::write(&file, before).unwrap();
    open_psp(&config, world.clock()).unwrap();
}
