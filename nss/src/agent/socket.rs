//! The agent's socket: one thread waits for all peers, a few more wait for the service, and equal questions wait for one answer.

use super::miss::{self, Wanted};
use super::{Node, status};
use crate::ask::{MESSAGE_MAX, reply};
use crate::record::Key;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, chmod};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recv,
    send, socket_with,
};
use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The socket's file name.
pub const SOCKET_FILE: &str = "node.sock";
/// Threads that ask the service.
const WORKERS: usize = 8;
/// Questions that may wait for a thread; further ones are "cannot know".
const QUEUE_MAX: usize = 1024;
/// Connections that have not sent their request yet; the oldest one has to go for a further one.
const PEERS_MAX: usize = 512;
/// How long a peer may take to send its request.
const PEER_LIMIT: Duration = Duration::from_secs(2);
/// Connections the kernel holds for us.
const BACKLOG: i32 = 4096;
/// Questions to the service a second, and how many at once after a pause.
const RATE: u32 = 200;
const BURST: u32 = 400;

/// Peers that wait for the answer to one question.
type Flights = Mutex<HashMap<Vec<u8>, Vec<OwnedFd>>>;

#[derive(Debug)]
struct Desk {
    node: Arc<Node>,
    flights: Flights,
    queue: SyncSender<Vec<u8>>,
}

/// Opens the socket and starts the threads.
pub fn serve(node: &Arc<Node>) -> io::Result<()> {
    let listener = open(&node.options.run_dir)?;
    let (queue, questions) = sync_channel(QUEUE_MAX);
    let questions = Arc::new(Mutex::new(questions));
    let desk = Arc::new(Desk {
        node: Arc::clone(node),
        flights: Mutex::default(),
        queue,
    });
    for number in 0..WORKERS {
        let (desk, questions) = (Arc::clone(&desk), Arc::clone(&questions));
        std::thread::Builder::new()
            .name(format!("ask-{number}"))
            .spawn(move || work(&desk, &questions))?;
    }
    std::thread::Builder::new()
        .name("socket".to_owned())
        .spawn(move || attend(&desk, &listener))?;
    Ok(())
}

/// Listens under a temporary name first, so that the socket never has the name without being ready.
fn open(run_dir: &str) -> io::Result<OwnedFd> {
    let temporary = format!("{run_dir}/.{SOCKET_FILE}");
    let _ = std::fs::remove_file(&temporary);
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&listener, &SocketAddrUnix::new(temporary.as_str())?)?;
    chmod(temporary.as_str(), Mode::from_raw_mode(0o666))?;
    listen(&listener, BACKLOG)?;
    std::fs::rename(temporary, format!("{run_dir}/{SOCKET_FILE}"))?;
    Ok(listener)
}

struct Peer {
    socket: OwnedFd,
    since: Instant,
}

fn attend(desk: &Desk, listener: &OwnedFd) {
    let mut peers: Vec<Peer> = Vec::new();
    let mut budget = Budget::new();
    loop {
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        let ready: Vec<bool> = {
            let mut watched = vec![PollFd::new(listener, PollFlags::IN)];
            watched.extend(peers.iter().map(|peer| PollFd::new(&peer.socket, PollFlags::IN)));
            match poll(&mut watched, Some(&wait)) {
                Ok(_) => watched.iter().map(|fd| !fd.revents().is_empty()).collect(),
                Err(_) => continue,
            }
        };
        let mut ready = ready.into_iter();
        let incoming = ready.next().unwrap_or(false);
        let mut waiting = Vec::with_capacity(peers.len());
        for (peer, ready) in peers.drain(..).zip(ready) {
            if ready {
                receive(desk, peer.socket, &mut budget);
            } else if peer.since.elapsed() < PEER_LIMIT {
                waiting.push(peer);
            }
        }
        peers = waiting;
        if incoming {
            accept_all(desk, listener, &mut peers, &mut budget);
        }
    }
}

fn accept_all(desk: &Desk, listener: &OwnedFd, peers: &mut Vec<Peer>, budget: &mut Budget) {
    for _ in 0..PEERS_MAX {
        let socket = match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
            Ok(socket) => socket,
            Err(Errno::INTR) => continue,
            // Out of descriptors: let go of those who only wait.
            Err(Errno::MFILE | Errno::NFILE) => {
                peers.clear();
                return;
            }
            Err(_) => return,
        };
        // Most peers have sent their request by now: no second round of poll for them.
        if let Some(socket) = receive(desk, socket, budget) {
            if peers.len() >= PEERS_MAX {
                peers.remove(0);
            }
            peers.push(Peer {
                socket,
                since: Instant::now(),
            });
        }
    }
}

/// Takes a peer's request; gives the socket back when there is none yet.
fn receive(desk: &Desk, socket: OwnedFd, budget: &mut Budget) -> Option<OwnedFd> {
    let mut buffer = [0; MESSAGE_MAX];
    let length = match recv(&socket, &mut buffer, RecvFlags::DONTWAIT) {
        Ok((length, _)) => length,
        Err(Errno::AGAIN | Errno::INTR) => return Some(socket),
        Err(_) => return None,
    };
    desk.node.counters.requests.fetch_add(1, Relaxed);
    let request = buffer.get(..length).unwrap_or(&[]);
    match miss::parse(request) {
        Some(Wanted::Record(key)) => match miss::at_once(&desk.node, &key) {
            Some(letter) => say(&socket, &[letter]),
            None => desk.question(request, socket, budget),
        },
        Some(Wanted::Shadow(name)) => desk.shadow(name, socket, budget),
        Some(Wanted::Status) => {
            let mut message = vec![reply::STATUS];
            message.extend_from_slice(status::text(&desk.node).as_bytes());
            message.truncate(MESSAGE_MAX);
            say(&socket, &message);
        }
        None => say(&socket, &[reply::UNKNOWN]),
    }
    None
}

fn say(socket: &OwnedFd, message: &[u8]) {
    // A peer that has gone away or does not read is no concern of ours.
    let _ = send(socket, message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
}

impl Desk {
    /// Puts the peer among those who wait for this question's answer; the first one gets it asked.
    fn question(&self, request: &[u8], socket: OwnedFd, budget: &mut Budget) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = flights.get_mut(request) {
            self.node.counters.joined.fetch_add(1, Relaxed);
            waiting.push(socket);
            return;
        }
        if !budget.take() {
            drop(flights);
            say(&socket, &[miss::without_asking(&self.node)]);
            return;
        }
        match self.queue.try_send(request.to_vec()) {
            Ok(()) => {
                flights.insert(request.to_vec(), vec![socket]);
            }
            Err(_) => say(&socket, &[reply::UNKNOWN]),
        }
    }

    fn shadow(&self, name: &[u8], socket: OwnedFd, budget: &mut Budget) {
        if !socket_peercred(&socket).is_ok_and(|peer| peer.uid.is_root()) {
            say(&socket, &[reply::DENIED]);
            return;
        }
        if let Some(record) = miss::shadow(&self.node, name) {
            say_shadow(&socket, &record);
            return;
        }
        match miss::at_once(&self.node, &Key::UserName(name)) {
            Some(reply::NONE) => say(&socket, &[reply::NONE]),
            Some(_) => say(&socket, &[reply::UNKNOWN]),
            None => {
                let mut request = vec![b's'];
                request.extend_from_slice(name);
                self.question(&request, socket, budget);
            }
        }
    }

    fn answer(&self, request: &[u8]) {
        // It may have waited for a thread until the service was found to be down: then it does not wait for the service too.
        let ask = |key: &Key<'_>| miss::at_once(&self.node, key).unwrap_or_else(|| miss::ask_service(&self.node, key));
        let (letter, record) = match miss::parse(request) {
            Some(Wanted::Record(key)) => (ask(&key), None),
            Some(Wanted::Shadow(name)) => {
                let letter = ask(&Key::UserName(name));
                (letter, miss::shadow(&self.node, name))
            }
            Some(Wanted::Status) | None => (reply::UNKNOWN, None),
        };
        let waiting = self
            .flights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(request);
        for socket in waiting.into_iter().flatten() {
            match &record {
                Some(record) => say_shadow(&socket, record),
                None => say(&socket, &[letter]),
            }
        }
    }
}

fn say_shadow(socket: &OwnedFd, record: &[u8]) {
    let mut message = vec![reply::SHADOW];
    message.extend_from_slice(record);
    say(socket, &message);
}

fn work(desk: &Desk, questions: &Mutex<Receiver<Vec<u8>>>) {
    loop {
        let next = questions.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(request) = next else { return };
        desk.answer(&request);
    }
}

/// How many questions the service may be asked: [`RATE`] a second, [`BURST`] at once.
#[derive(Debug)]
struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: BURST.into(),
            at: Instant::now(),
        }
    }

    fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * f64::from(RATE);
        self.left = (self.left + earned).min(BURST.into());
        self.at = now;
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}
