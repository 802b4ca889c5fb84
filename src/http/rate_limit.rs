//! How much one token may ask of this replica.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// A token bucket per token.
pub struct RateLimit {
    limiter: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl RateLimit {
    /// `per_second` requests, and `burst` at once on top; both at least 1.
    pub fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of `token`; raises how long to wait when it has asked too much.
    pub fn admit(&self, token: &str) -> Result<(), Duration> {
        self.limiter
            .check_key(&token.to_owned())
            .map_err(|early| early.wait_time_from(self.clock.now()))
    }

    /// Forgets tokens that have not asked for a while.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
    }
}
