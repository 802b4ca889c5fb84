//! A slow and lossy network in front of one host, without `netem`, which many kernels lack: two TAP devices whose frames pass
//! through this process.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// How long a frame takes towards the host.
const DELAY: Duration = Duration::from_millis(200);

/// The share of frames towards the host that get lost.
const LOSS: f64 = 0.05;

/// Largest frame: an Ethernet header, a VLAN tag and the usual 1500 bytes.
const FRAME: usize = 1518;

/// `TUNSETIFF` of `linux/if_tun.h`.
const TUNSETIFF: libc::c_ulong = 0x4004_54ca;

/// `IFF_TAP | IFF_NO_PI`.
const TAP_WITHOUT_HEADER: libc::c_short = 0x0002 | 0x1000;

/// `struct ifreq` as far as `TUNSETIFF` reads it.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; 16],
    flags: libc::c_short,
    padding: [u8; 22],
}

/// Makes two devices, `hub_side` and `host_side`, and passes frames between them until they are deleted: slowly and not all of
/// them towards the host, at once towards the hub.
pub fn connect(hub_side: &str, host_side: &str) {
    let (hub, host) = (tap(hub_side), tap(host_side));
    let (send, delayed) = channel();
    let into_host = host.try_clone().unwrap();
    let into_hub = hub.try_clone().unwrap();
    std::thread::spawn(move || read(hub, &send, LOSS, DELAY));
    std::thread::spawn(move || write(into_host, &delayed));
    let (send, immediate) = channel();
    std::thread::spawn(move || read(host, &send, 0.0, Duration::ZERO));
    std::thread::spawn(move || write(into_hub, &immediate));
}

fn tap(name: &str) -> File {
    let device = File::options()
        .read(true)
        .write(true)
        .open("/dev/net/tun")
        .expect("TAP devices");
    let mut request = InterfaceRequest {
        name: [0; 16],
        flags: TAP_WITHOUT_HEADER,
        padding: [0; 22],
    };
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: the descriptor is open, and the request is a whole `struct ifreq` that outlives the call.
    let made = unsafe { libc::ioctl(device.as_raw_fd(), TUNSETIFF, &raw const request) };
    assert_eq!(made, 0, "{name}: {}", std::io::Error::last_os_error());
    device
}

fn read(mut device: File, frames: &Sender<(Instant, Vec<u8>)>, loss: f64, delay: Duration) {
    let mut buffer = [0; FRAME];
    // A device that is down has no frames yet; one that was deleted never has any again.
    loop {
        match device.read(&mut buffer) {
            Ok(_) if rand::random::<f64>() < loss => {}
            Ok(length) => {
                if frames
                    .send((Instant::now() + delay, buffer[..length].to_vec()))
                    .is_err()
                {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

fn write(mut device: File, frames: &Receiver<(Instant, Vec<u8>)>) {
    for (due, frame) in frames {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // A device that is down or gone takes none: the frame is lost, as on a cable.
        let _ = device.write_all(&frame);
    }
}
