//! What a process has to look things up with: the mapping, the configuration, the object of the direct mode; all of it made when first needed.

use super::{Give, Outcome};
use crate::breaker::{BREAKER_PATH, Breaker};
use crate::clock::now_ms;
use crate::config::{CONFIG_MAX, CONFIG_PATH, Config, DirectMode, SafeFileError, parse, read_safe};
use crate::enumeration::Walk;
use crate::foreign::{Direct, bypassed};
use crate::local::{Local, PASSWD_PATH};
use crate::map::{MAP_PATH, Map, RegionError};
use crate::plugin::{Answer, Question};
use crate::record::Record;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// How long this process does not ask an agent that was not there or did not answer, ms.
pub const AGENT_RETRY_MS: u64 = 2000;
/// How often a process without a map looks whether there is one by now, ms; likewise for a changed configuration.
const RECHECK_MS: u64 = 1000;

/// All state of the module in one process; lives behind [`crate::page`].
#[derive(Debug)]
pub struct State {
    pid: u32,
    map: RwLock<Option<Arc<Map>>>,
    map_checked_ms: AtomicU64,
    local: Mutex<Local>,
    agent_breaker: Breaker,
    direct_breaker: Breaker,
    direct: Mutex<Option<Configured>>,
    /// The walks of `getpwent`, `getgrent`, `getspent`: the process', not a thread's (POSIX).
    pub walks: [Mutex<Walk>; 3],
}

#[derive(Clone, Debug)]
struct Configured {
    text: Arc<[u8]>,
    config: Arc<Config>,
    checked_ms: u64,
    direct: Option<Direct>,
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Nothing is opened yet.
    #[expect(
        clippy::new_without_default,
        reason = "takes the pid of the process: not a plain value"
    )]
    pub fn new() -> Self {
        Self {
            pid: std::process::id(),
            map: RwLock::new(None),
            map_checked_ms: AtomicU64::new(0),
            local: Mutex::default(),
            agent_breaker: Breaker::default(),
            direct_breaker: Breaker::default(),
            direct: Mutex::new(None),
            walks: Default::default(),
        }
    }

    /// Pid of the process that made it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The breaker towards the agent.
    pub fn agent_breaker(&self) -> &Breaker {
        &self.agent_breaker
    }

    /// Calls `look` with the current map, if there is one.
    pub fn with_map<T>(&self, look: impl FnOnce(&Map) -> T) -> Option<T> {
        {
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(map) = map.as_ref().filter(|map| !map.is_superseded()) {
                return Some(look(map));
            }
        }
        self.reopen().map(|map| look(&map))
    }

    /// The current map to hold on to, as a walk does.
    pub fn map(&self) -> Option<Arc<Map>> {
        self.with_map(|_| ())?;
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reopen(&self) -> Option<Arc<Map>> {
        let known = self.map.read().unwrap_or_else(PoisonError::into_inner).clone();
        // The clock is left alone at the first look-up, where every microsecond shows.
        let checked = self.map_checked_ms.load(Relaxed);
        if known.is_none() && checked != 0 && now_ms().saturating_sub(checked) < RECHECK_MS {
            return None;
        }
        let opened = Map::open(MAP_PATH);
        if opened.is_err() {
            self.map_checked_ms.store(now_ms().max(1), Relaxed);
        }
        let fresh = match opened {
            Ok(map) => Some(Arc::new(map)),
            // Taken away: this node has no agent any more.
            Err(RegionError::Missing) => None,
            // Without a successor that can be opened the superseded map is still the best there is.
            Err(RegionError::System(_) | RegionError::Unsafe) => return known,
        };
        self.map
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&fresh);
        fresh
    }

    /// Whether `name` is a local account of this machine.
    pub fn is_local(&self, name: &[u8]) -> bool {
        name == b"root" || locked(&self.local).contains(PASSWD_PATH, name, now_ms())
    }

    /// Whether this process may not wait for anything but the map, because systemd or one of our own units says so.
    pub fn may_not_wait(&self) -> bool {
        bypassed()
    }

    /// Whether `getpwent` and `getgrent` may ask the service.
    pub fn enumerates(&self) -> Result<bool, Outcome> {
        self.configured().map(|configured| configured.config.enumerate)
    }

    fn configured(&self) -> Result<Configured, Outcome> {
        let mut slot = locked(&self.direct);
        let now = now_ms();
        if let Some(known) = slot
            .as_ref()
            .filter(|known| now.saturating_sub(known.checked_ms) < RECHECK_MS)
        {
            return Ok(known.clone());
        }
        let text = match read_safe(CONFIG_PATH, CONFIG_MAX) {
            Ok(text) => text,
            Err(SafeFileError::Transient) => return Err(Outcome::CannotKnow),
            Err(SafeFileError::Missing) => {
                *slot = None;
                return Err(Outcome::Unconfigured);
            }
            Err(SafeFileError::Denied | SafeFileError::Unsafe) => return Err(Outcome::Denied),
        };
        if let Some(known) = slot.as_mut().filter(|known| *known.text == *text) {
            known.checked_ms = now;
            return Ok(known.clone());
        }
        let config = Arc::new(parse(&String::from_utf8_lossy(&text)).0);
        let fresh = Configured {
            text: text.into(),
            config,
            checked_ms: now,
            direct: None,
        };
        *slot = Some(fresh.clone());
        Ok(fresh)
    }

    /// Asks the service from this process. `has_map`: an agent belongs on this node, so that its silence is no lack of configuration.
    pub fn ask_directly(&self, question: Question, text: &[u8], id: u32, has_map: bool, give: Give<'_>) -> Outcome {
        let mut outcome = Outcome::CannotKnow;
        let answer = self.ask_with(question, text, id, &mut |is_cursor, bytes| {
            if !is_cursor {
                outcome = Record::parse(bytes).map_or(Outcome::CannotKnow, |record| give(&record));
            }
        });
        match answer {
            Ok(Answer::Found) => outcome,
            Ok(Answer::None) => Outcome::NotFound,
            Ok(Answer::Unknown | Answer::Local) => Outcome::CannotKnow,
            // A missing token is no "not found": the errno must be an error to the caller.
            Ok(Answer::Unconfigured) => Outcome::Denied,
            Err(Outcome::Unconfigured) if has_map => Outcome::CannotKnow,
            Err(outcome) => outcome,
        }
    }

    /// As [`Self::ask_directly`], for answers of several records: `each` gets (is it the next cursor, bytes).
    pub fn ask_with(
        &self,
        question: Question,
        text: &[u8],
        id: u32,
        each: &mut dyn FnMut(bool, &[u8]),
    ) -> Result<Answer, Outcome> {
        let configured = self.configured()?;
        let config = &configured.config;
        if config.addresses.is_empty() {
            return Err(Outcome::Unconfigured);
        }
        if config.direct == DirectMode::Never {
            return Err(Outcome::CannotKnow);
        }
        if id != 0 && !config.ids.contains(id) {
            return Ok(Answer::None);
        }
        let now = now_ms();
        if configured.direct.is_none() {
            // A new process learns from the others before it loads anything.
            self.direct_breaker.read_shared(BREAKER_PATH, now);
        }
        let loaded = match configured.direct {
            Some(direct) => direct,
            None if self.direct_breaker.is_open(now) => return Err(Outcome::CannotKnow),
            None => self.load(&configured).ok_or(Outcome::CannotKnow)?,
        };
        let is_root = rustix::process::geteuid().is_root();
        // With an open breaker only what the cache knows is answered.
        let answer = loaded.ask(question, text, id, is_root, self.direct_breaker.is_open(now), each);
        if answer == Answer::Unknown && !self.direct_breaker.is_open(now) {
            let until = now_ms() + config.breaker_retry_ms;
            self.direct_breaker.open(until);
            if is_root {
                Breaker::write_shared(BREAKER_PATH, until);
            }
        }
        Ok(answer)
    }

    fn load(&self, configured: &Configured) -> Option<Direct> {
        let mut slot = locked(&self.direct);
        if let Some(direct) = slot.as_ref().and_then(|known| known.direct) {
            return Some(direct);
        }
        let direct = Direct::load(&configured.text)?;
        if let Some(known) = slot.as_mut() {
            known.direct = Some(direct);
        }
        Some(direct)
    }
}
