//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    narthex::cli::main()
}
