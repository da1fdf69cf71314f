//! A Redis whose log is synced once a second, as it is where a queue has to survive.

use crate::{place, process::Process};
use std::{
    env,
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Names the program. `cargo xtask bench` sets it where all that Express needs is installed; the
/// part `peers` by itself takes the one on the `PATH` otherwise.
pub const PROGRAM: &str = "VESTIBULE_BENCH_REDIS";
const NAME: &str = "redis-server";
/// How long it may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// A running Redis on loopback.
pub struct Redis {
    addr: SocketAddr,
    _process: Process,
    /// It is deleted last.
    _data: TempDir,
}

impl Redis {
    pub async fn start() -> Self {
        let addr = place::free();
        let data = TempDir::new().expect("a temporary folder");
        let program = env::var_os(PROGRAM).unwrap_or_else(|| NAME.into());
        let mut command = Command::new(program);
        command
            // Debian has one program for the server and its tools, which looks at its name.
            .arg0(NAME)
            .current_dir(data.path())
            .args(["--bind", "127.0.0.1", "--port", &addr.port().to_string()])
            .args(["--appendonly", "yes", "--appendfsync", "everysec"])
            .args(["--save", ""])
            .stdout(Stdio::null());
        let redis = Self {
            addr,
            _process: Process::start(&mut command),
            _data: data,
        };
        let ready = async {
            while !redis.answers().await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(READY_WITHIN, ready).await.expect("Redis answers");
        redis
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.addr)
    }

    async fn answers(&self) -> bool {
        let ping = async {
            let mut stream = TcpStream::connect(self.addr).await?;
            stream.write_all(b"PING\r\n").await?;
            let mut answer = [0; 5];
            stream.read_exact(&mut answer).await?;
            Ok::<_, std::io::Error>(&answer == b"+PONG")
        };
        ping.await.unwrap_or(false)
    }
}
