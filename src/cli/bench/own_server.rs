//! A server of our own: this executable, started on its own cores and on a folder of its own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use zeroize::Zeroizing;

use crate::base::entropy::OsEntropy;
use crate::base::secret::Secret;
use crate::cli::bench::client::{Client, Site, Template};
use crate::cli::bench::process::Cores;
use crate::config::key_file::generate_text;

/// How long a server may take until it answers; the first start also makes keys.
const READY_TIMEOUT: Duration = Duration::from_mins(1);
/// How often it is asked meanwhile.
const READY_POLL: Duration = Duration::from_millis(1);
/// How long it may take to end when it is asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// A folder that is removed in the end, if it was made here.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    made_here: bool,
}

impl DataDir {
    /// The `chosen` folder, made if it is not there; or a new one on a disk.
    ///
    /// # Errors
    /// The folder cannot be made, or the chosen one is not empty.
    pub fn open(chosen: Option<&Path>) -> anyhow::Result<Self> {
        let path = chosen.map_or_else(fresh_path, Path::to_path_buf);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        if fs::read_dir(&path)?.next().is_some() {
            bail!("{} is not empty: the load would be written into what is there", path.display());
        }
        Ok(Self { path, made_here: chosen.is_none() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.made_here {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// `/var/tmp` before `/tmp`: what lies in memory would make durable writes look free.
fn fresh_path() -> PathBuf {
    let lasting = PathBuf::from("/var/tmp");
    let parent = if lasting.is_dir() { lasting } else { std::env::temp_dir() };
    parent.join(format!("narthex-bench-{}", std::process::id()))
}

/// How to start the server, and to run commands on its data.
#[derive(Clone)]
pub struct Launcher {
    executable: PathBuf,
    data_dir: PathBuf,
    database_url: Option<Secret>,
    encryption_key: Zeroizing<String>,
    listen: SocketAddr,
    cores: Cores,
}

/// A running server; it is killed when this is dropped.
#[derive(Debug)]
pub struct OwnServer {
    child: Child,
    /// From the start of the program to its first answer.
    pub ready_after: Duration,
}

impl Launcher {
    /// A server with its data in `data_dir` or in a database of its own, on a free port.
    ///
    /// # Errors
    /// There is no free port, or the system does not tell which file this program is.
    pub fn new(data_dir: &Path, database_url: Option<&str>, cores: &Cores) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        Ok(Self {
            executable: std::env::current_exe().context("cannot find this program's own file")?,
            data_dir: data_dir.to_owned(),
            database_url: database_url.map(Secret::presented),
            encryption_key: generate_text(&OsEntropy::default()),
            listen: listener.local_addr()?,
            cores: cores.clone(),
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    fn command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(arguments).arg("--data-dir").arg(&self.data_dir).stdin(Stdio::null());
        // What is set for the operator's own server is not meant for this one.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("NARTHEX_")) {
                command.env_remove(name);
            }
        }
        if let Some(url) = &self.database_url {
            command.env("NARTHEX_DATABASE_URL", url.reveal());
            command.env("NARTHEX_ENCRYPTION_KEY", &*self.encryption_key);
        }
        command
    }

    /// Runs `narthex apply FILE` on the data.
    ///
    /// # Errors
    /// What the command said, if it did not succeed.
    pub fn apply(&self, file: &Path) -> anyhow::Result<()> {
        let mut command = self.command(&["apply".as_ref(), file.as_os_str()]);
        let output = command.output().context("cannot run narthex apply")?;
        if !output.status.success() {
            bail!("narthex apply failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Starts the server, and waits until it answers.
    ///
    /// # Errors
    /// It ends, or does not answer in time; its log is quoted.
    pub async fn start(&self) -> anyhow::Result<OwnServer> {
        let log = self.data_dir.join("server.log");
        let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let listen = self.listen.to_string();
        let url = self.url();
        let mut command = self.command(&[
            "serve".as_ref(),
            "--listen".as_ref(),
            listen.as_ref(),
            "--issuer".as_ref(),
            url.as_ref(),
        ]);
        command.stdout(out.try_clone()?).stderr(out);
        let start = Instant::now();
        let child = self
            .cores
            .on(&self.cores.server, || command.spawn())?
            .context("cannot start the server")?;
        let mut server = OwnServer { child, ready_after: Duration::ZERO };
        match server.first_answer(&url, start).await {
            Ok(()) => {
                server.ready_after = start.elapsed();
                Ok(server)
            }
            Err(error) => {
                let said = fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<&str> = said.lines().rev().take(20).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                Err(error.context(format!("the server does not start:\n{}", tail.join("\n"))))
            }
        }
    }
}

impl OwnServer {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn first_answer(&mut self, url: &str, start: Instant) -> anyhow::Result<()> {
        let mut client = Client::new(&Site::parse(url)?);
        let template = Template::get("/.well-known/openid-configuration")?;
        loop {
            if client.send(&template).await.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended: {status}");
            }
            if start.elapsed() > READY_TIMEOUT {
                bail!("no answer within {} seconds", READY_TIMEOUT.as_secs());
            }
            tokio::time::sleep(READY_POLL).await;
        }
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// It does not end in time; then it is killed.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM)?;
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            if start.elapsed() > STOP_TIMEOUT {
                bail!("the server did not end when asked to");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_our_own_is_removed_and_a_chosen_one_stays() {
        let parent = tempfile::tempdir().unwrap();
        let chosen = parent.path().join("new/folder");

        let dir = DataDir::open(Some(&chosen)).unwrap();
        fs::write(dir.path().join("file"), "x").unwrap();
        drop(dir);

        assert!(chosen.join("file").is_file());
        let error = DataDir::open(Some(&chosen)).unwrap_err();
        assert!(error.to_string().contains("is not empty"), "{error}");

        let own = DataDir::open(None).unwrap();
        let path = own.path().to_owned();
        assert!(path.is_dir());
        drop(own);
        assert!(!path.exists());
    }
}
