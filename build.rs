//! Builds again when a scenario is added to the bundled suite, which the compiler does not see.

fn main() {
    println!("cargo:rerun-if-changed=scenarios");
    println!("cargo:rerun-if-changed=build.rs");
}
