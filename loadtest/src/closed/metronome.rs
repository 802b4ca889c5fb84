//! The beat of one client that sends at a rate: to the microsecond, where the runtime's own timer knows whole milliseconds only.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Beats until it is dropped, whether somebody listens or not.
#[derive(Debug)]
pub(super) struct Metronome {
    timer: AsyncFd<OwnedFd>,
    due: Instant,
    period: Duration,
    /// Beats that have come and were not asked for yet.
    come: u64,
}

impl Metronome {
    /// The first beat comes `first` from now, each other `period` after the last; neither may be 0. Raises what the kernel refuses.
    pub(super) fn start(first: Duration, period: Duration) -> anyhow::Result<Self> {
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        let times = Itimerspec {
            it_interval: Timespec::try_from(period)?,
            it_value: Timespec::try_from(first)?,
        };
        let due = Instant::now() + first;
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
        Ok(Self {
            // SAFETY: the timer is owned here, is never replaced, and stays open until it is dropped.
            timer: unsafe { AsyncFd::register(timer) }?,
            due,
            period,
            come: 0,
        })
    }

    /// Waits for the next beat and says when it was due; one that has passed is given at once.
    pub(super) async fn beat(&mut self) -> anyhow::Result<Instant> {
        while self.come == 0 {
            let mut ready = self.timer.readable().await?;
            let mut beats = [0; 8];
            match rustix::io::read(self.timer.get_ref(), &mut beats) {
                Ok(_) => self.come = u64::from_ne_bytes(beats),
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
        self.come -= 1;
        let due = self.due;
        self.due += self.period;
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_beat_comes_when_it_is_due_and_none_is_lost_while_nobody_listens() {
        let period = Duration::from_micros(300);
        let mut metronome = Metronome::start(period, period).unwrap();
        let first = metronome.beat().await.unwrap();
        assert!(Instant::now() >= first);
        std::thread::sleep(Duration::from_millis(3));
        for number in 1..=9 {
            assert_eq!(metronome.beat().await.unwrap(), first + number * period);
        }
    }
}
