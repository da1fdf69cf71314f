//! A child process that does not outlive what has started it.

use std::process::{Child, Command};

/// A running program, which is killed when this is dropped: nothing that the bench starts has
/// anything to lose.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Self {
        let started = command.spawn();
        Self(started.unwrap_or_else(|error| {
            panic!(
                "`{}` cannot be started: {error}",
                command.get_program().display()
            )
        }))
    }

    /// The child, to take its pipes from.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
