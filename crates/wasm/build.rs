//! Bounds what the page's instance may take.

/// Bytes that the instance's memory may grow to: several times what the buffer, the longest line and the copies made of it
/// while secrets are replaced need together. A page must not lose more than this to its own diagnostics.
const MEMORY_MAX: u32 = 16 << 20;

/// Bytes of the stack; nothing here recurses.
const STACK: u32 = 128 << 10;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("wasm32") {
        println!("cargo::rustc-link-arg-cdylib=--max-memory={MEMORY_MAX}");
        println!("cargo::rustc-link-arg-cdylib=-zstack-size={STACK}");
    }
}
