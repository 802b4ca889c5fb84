//! The program `rollcall`: hands over to the command line.

use std::process::ExitCode;

mod cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // mimalloc asks for huge pages, which double what a replica holds at rest. Without the switch there is only more memory used.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    cli::main()
}
