//! A publisher that remembers.

use crate::{
    channel::Channel,
    publisher::{Announcement, PublishError, Publisher},
};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// A publisher that remembers.
#[derive(Debug)]
pub struct RecordingPublisher {
    said: mpsc::UnboundedSender<(Channel, Announcement)>,
    heard: AsyncMutex<mpsc::UnboundedReceiver<(Channel, Announcement)>>,
    broken: Mutex<Option<PublishError>>,
}

impl Default for RecordingPublisher {
    fn default() -> Self {
        let (said, heard) = mpsc::unbounded_channel();
        Self {
            said,
            heard: AsyncMutex::new(heard),
            broken: Mutex::new(None),
        }
    }
}

impl RecordingPublisher {
    /// Waits for the next announcement.
    ///
    /// # Panics
    /// Never: the publisher itself keeps the queue open.
    pub async fn next(&self) -> (Channel, Announcement) {
        self.heard
            .lock()
            .await
            .recv()
            .await
            .expect("the publisher keeps its own queue open")
    }

    /// Fails every announcement with `error` from now on, or with `None` no more.
    pub fn fail(&self, error: Option<PublishError>) {
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = error;
    }
}

#[async_trait]
impl Publisher for RecordingPublisher {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        let broken = self
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(error) = broken {
            return Err(error);
        }
        let _ = self.said.send((channel.clone(), announcement.clone()));
        Ok(())
    }
}
