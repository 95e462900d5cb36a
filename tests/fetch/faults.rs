//! One file, and everything that can happen on the way to it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rpo_bench::fetch::download::{Pinned, Places, download};
use rpo_bench::fetch::{Client, FetchError, Patience};
use rpo_bench::util::hex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{Answer, Server};

fn bytes() -> Vec<u8> {
    (0..300_000u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
}

fn published(bytes: &[u8]) -> Pinned {
    Pinned { bytes: Some(bytes.len() as u64), sha256: Some(hex(&Sha256::digest(bytes))), ..Pinned::default() }
}

fn client() -> Client {
    Client::new(Patience { silence: Duration::from_secs(1), attempts: 2 }, None)
}

struct Target {
    folder: TempDir,
}

impl Target {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn get(&self, urls: &[String], published: &Pinned) -> Result<(), FetchError> {
        download(&client(), urls, published, &Places::beside(&self.file()), &mut |_, _| {})
    }

    /// Nothing stands under the final name.
    fn refused(&self, urls: &[String], published: &Pinned) -> String {
        let error = self.get(urls, published).unwrap_err().to_string();
        assert!(!self.file().exists(), "{error}");
        error
    }
}

fn file(bytes: &[u8]) -> Answer {
    Answer::File(bytes.to_vec(), Vec::new())
}

#[test]
fn a_cut_connection_goes_on_where_it_stopped() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let cut = || Answer::Cut(bytes.clone(), 400_000);
    let url = server.on("/f", vec![cut(), cut(), file(&bytes)]);
    target.get(&[url], &published(&bytes)).unwrap();
    assert_eq!(std::fs::read(target.file()).unwrap(), bytes);
    let ranges: Vec<_> = server.requests().into_iter().map(|request| request.range).collect();
    assert_eq!(ranges, [None, Some("bytes=400000-".to_owned()), Some("bytes=800000-".to_owned())]);
}

#[test]
fn a_server_that_cuts_for_ever_is_given_up_and_its_bytes_are_kept() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let url = server.on("/f", vec![Answer::Cut(bytes.clone(), 1000), Answer::Cut(bytes.clone(), 0)]);
    let message = target.refused(&[url], &published(&bytes));
    assert!(message.contains("2 attempts") && message.contains("goes on from there"), "{message}");
    assert_eq!(std::fs::metadata(target.folder.path().join("file.part")).unwrap().len(), 1000);
}

#[test]
fn wrong_bytes_are_refused_and_the_next_address_is_asked() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let mut other = bytes.clone();
    other[77] ^= 1;
    let wrong = server.on("/wrong", vec![file(&other)]);
    let short = server.on("/short", vec![file(&bytes[1..])]);
    let message = target.refused(std::slice::from_ref(&wrong), &published(&bytes));
    assert!(message.contains("sha256") && message.contains("nothing was kept"), "{message}");
    let message = target.refused(std::slice::from_ref(&short), &published(&bytes));
    assert!(message.contains("1199999 bytes, but 1200000 are published"), "{message}");
    assert!(!target.folder.path().join("file.part").exists());
    let right = server.on("/right", vec![file(&bytes)]);
    target.get(&[wrong, short, right], &published(&bytes)).unwrap();
    assert_eq!(std::fs::read(target.file()).unwrap(), bytes);
}

#[test]
fn refusals_say_what_they_mean() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let status = |code: u16| server.on(&format!("/{code}"), vec![Answer::Status(code, Vec::new())]);
    for (code, part) in [(401, "HF_TOKEN"), (403, "licence"), (404, "nothing is there"), (500, "2 attempts")]
    {
        let before = server.requests().len();
        let message = target.refused(&[status(code)], &published(&bytes));
        assert!(message.contains(part) && message.contains(&code.to_string()), "{message}");
        // Only what may pass is asked again.
        assert_eq!(server.requests().len() - before, if code == 500 { 2 } else { 1 });
    }
    let looping = format!("http://127.0.0.1:{}/loop", server.port);
    server.on("/loop", vec![Answer::Status(302, vec![("Location", looping.clone())])]);
    assert!(target.refused(&[looping], &published(&bytes)).contains("redirects without end"));
}

#[test]
fn a_busy_server_is_asked_again_after_the_time_it_names() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let busy = Answer::Status(429, vec![("Retry-After", "1".to_owned())]);
    let url = server.on("/f", vec![busy, Answer::Status(503, Vec::new()), file(&bytes)]);
    // Three attempts: neither refusal brings a byte.
    let client = Client::new(Patience { silence: Duration::from_secs(1), attempts: 3 }, None);
    let started = Instant::now();
    download(&client, &[url], &published(&bytes), &Places::beside(&target.file()), &mut |_, _| {}).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_page_in_place_of_the_file_is_recognised() {
    let (server, target) = (Server::start(), Target::new());
    let page = server.on("/typed", vec![Answer::Html]);
    let untyped = server.on("/untyped", vec![file(b"\n <html><body>log in</body></html>")]);
    for url in [page, untyped] {
        assert!(target.refused(&[url], &Pinned::default()).contains("HTML page"));
    }
}

#[test]
fn a_silent_server_is_left_and_asked_for_the_rest() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let url = server.on("/f", vec![Answer::Stall(bytes.clone(), 500_000), file(&bytes)]);
    target.get(&[url], &published(&bytes)).unwrap();
    assert_eq!(std::fs::read(target.file()).unwrap(), bytes);
    assert!(server.requests()[1].range.is_some());
}

#[test]
fn a_file_that_cannot_fit_is_refused_before_anything_is_written() {
    let (server, target) = (Server::start(), Target::new());
    let url = server.on("/f", vec![Answer::Claim(1 << 60)]);
    let message = target.refused(&[url], &Pinned::default());
    assert!(message.contains("1152921504606846976 bytes are needed"), "{message}");
    assert!(!target.folder.path().join("file.part").exists());
}

#[test]
fn two_fetches_at_once_download_once() {
    let (server, target, bytes) = (Server::start(), Target::new(), bytes());
    let url = server.on("/f", vec![file(&bytes)]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| target.get(std::slice::from_ref(&url), &published(&bytes)).unwrap());
        }
    });
    assert_eq!(std::fs::read(target.file()).unwrap(), bytes);
    assert_eq!(server.requests().len(), 1);
}

/// Waits until a file has some bytes; the test's own limit ends a wait that would be for ever.
fn wait_for(path: &Path) {
    for _ in 0..600 {
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} never came", path.display());
}

/// A hub with one model of one large file.
fn hub(server: &Server, weights: Answer, bytes: &[u8]) {
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let listing = format!(
        r#"{{"sha":"{sha}","siblings":[{{"rfilename":"config.json"}},{{"rfilename":"model.safetensors"}}]}}"#
    );
    server.on("/api/models/a/b/revision/main", vec![file(listing.as_bytes())]);
    let tag = |name: &str| vec![("ETag", format!("\"{name}\""))];
    server.on(&format!("/a/b/resolve/{sha}/config.json"), vec![Answer::File(b"{}".to_vec(), tag("c0"))]);
    let head = Answer::File(bytes.to_vec(), tag(&hex(&Sha256::digest(bytes))));
    server.on(&format!("/a/b/resolve/{sha}/model.safetensors"), vec![head, weights]);
}

fn fetch_b(server: &Server, home: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rpo-bench"));
    command
        .env_clear()
        .env("HF_HOME", home)
        .env("HF_ENDPOINT", format!("http://127.0.0.1:{}", server.port))
        .args(["model", "fetch", "a/b", "--attempts", "1"]);
    command
}

#[test]
fn a_killed_fetch_leaves_no_model_and_the_next_one_goes_on() {
    let (server, home, bytes) = (Server::start(), tempfile::tempdir().unwrap(), bytes());
    let repo = home.path().join("hub/models--a--b");
    let blob = repo.join("blobs").join(hex(&Sha256::digest(&bytes)));
    let part = PathBuf::from(format!("{}.incomplete", blob.display()));
    hub(&server, Answer::Stall(bytes.clone(), 700_000), &bytes);
    let mut child = fetch_b(&server, home.path()).spawn().unwrap();
    wait_for(&part);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!blob.exists() && !repo.join("refs/main").exists());
    hub(&server, file(&bytes), &bytes);
    assert!(fetch_b(&server, home.path()).status().unwrap().success());
    assert_eq!(std::fs::read(&blob).unwrap(), bytes);
    assert!(server.requests().iter().any(|request| request.range.is_some()));
    assert!(!part.exists() && repo.join("refs/main").exists());
}

/// A file-size limit stands in for a full disk: the write itself fails.
#[test]
fn a_disk_that_fills_up_is_an_error_and_no_model() {
    let (server, home, bytes) = (Server::start(), tempfile::tempdir().unwrap(), bytes());
    hub(&server, file(&bytes), &bytes);
    let fetch = fetch_b(&server, home.path());
    let mut limited = std::process::Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "bash"])
        .arg(fetch.get_program())
        .args(fetch.get_args());
    for (name, value) in fetch.get_envs() {
        limited.env(name, value.unwrap());
    }
    let output = limited.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("write "), "{output:?}");
    assert!(!home.path().join("hub/models--a--b/refs/main").exists());
}

/// Some publishers recorded what their client had unpacked on the way; neither form is refused, other bytes are.
#[test]
fn a_digest_of_the_tar_inside_is_compared_with_the_tar_inside() {
    use std::io::Write;
    let (server, bytes) = (Server::start(), bytes());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).unwrap();
    let packed = encoder.finish().unwrap();
    let published = Pinned { unpacked: true, ..published(&bytes) };
    for (sent, good) in [(&packed, true), (&bytes, true), (&bytes[1..].to_vec(), false)] {
        let target = Target::new();
        let url = server.on("/f", vec![file(sent)]);
        assert_eq!(target.get(&[url], &published).is_ok(), good);
        assert_eq!(target.file().exists(), good);
    }
}
