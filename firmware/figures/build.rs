//! Tells the linker where the memory of the board for this target lies, and the program which board that is.

use std::env;
use std::fs;
use std::path::PathBuf;

/// Room for the measured stack, and for everything else that the devices, the bank and their flash take.
const LAYOUT: &str = "
MEMORY
{
  FLASH : ORIGIN = @FLASH@, LENGTH = 1M
  STACK : ORIGIN = @RAM@, LENGTH = 128K
  RAM   : ORIGIN = @RAM@ + 128K, LENGTH = 1920K
}

_stack_start = ORIGIN(STACK) + LENGTH(STACK);
_stack_end = ORIGIN(STACK);
";

fn main() {
    let target = env::var("TARGET").expect("cargo names the target");
    let (board, flash, ram) = if target.starts_with("thumbv8m") {
        ("an505", "0x10000000", "0x38000000")
    } else {
        ("an386", "0x00000000", "0x20000000")
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a directory for this"));
    let layout = LAYOUT.replace("@FLASH@", flash).replace("@RAM@", ram);
    fs::write(out.join("memory.x"), layout).expect("cargo's directory can be written to");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    println!("cargo:rustc-check-cfg=cfg(board, values(\"an386\", \"an505\"))");
    println!("cargo:rustc-cfg=board=\"{board}\"");
    println!("cargo:rerun-if-changed=build.rs");
}
