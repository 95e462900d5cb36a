//! Three lines of a new user with an empty home folder: fetch a model, fetch data, run.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rpo_bench::util::hex;
use sha2::{Digest, Sha256};

use crate::server::{Answer, Server};

const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";

struct User {
    home: tempfile::TempDir,
    server: Server,
}

impl User {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), server: Server::start() }
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rpo-bench"))
            .env_clear()
            .env("HOME", self.home.path())
            .env("HF_ENDPOINT", format!("http://127.0.0.1:{}", self.server.port))
            .env("HF_TOKEN", "secret")
            .current_dir(self.home.path())
            .args(args)
            .output()
            .unwrap()
    }

    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A hub that offers a folder as owner/small: large files lie on another host, as on the real one.
    fn offer(&self, folder: &Path) {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let bytes = std::fs::read(&path).unwrap();
            let route = format!("/owner/small/resolve/{COMMIT}/{name}");
            if name.ends_with(".safetensors") {
                self.server.on(&format!("/cdn/{name}"), vec![Answer::File(bytes.clone(), Vec::new())]);
                let headers = vec![
                    ("Location", format!("http://localhost:{}/cdn/{name}", self.server.port)),
                    ("X-Linked-Etag", format!("\"{}\"", hex(&Sha256::digest(&bytes)))),
                    ("X-Linked-Size", bytes.len().to_string()),
                ];
                self.server.on(&route, vec![Answer::Status(302, headers)]);
            } else {
                let tag = hex(&Sha256::digest(&bytes))[..40].to_owned();
                self.server.on(&route, vec![Answer::File(bytes, vec![("ETag", format!("\"{tag}\""))])]);
            }
            names.push(serde_json::json!({ "rfilename": name }));
        }
        let listing = serde_json::json!({ "sha": COMMIT, "siblings": names }).to_string();
        let answer = || vec![Answer::File(listing.clone().into_bytes(), Vec::new())];
        self.server.on("/api/models/owner/small/revision/main", answer());
        self.server.on("/api/models/owner/small/revision/v1", answer());
    }
}

/// A tar of a folder's files under `prefix`.
fn pack(folder: &Path, prefix: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_dir_all(prefix, folder).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn three_lines_from_an_empty_home() {
    let user = User::new();
    let source = tempfile::tempdir().unwrap();
    let (model, data) = (source.path().join("clip"), source.path().join("data"));
    user.done(&["model", "export", model.to_str().unwrap()]);
    user.done(&["data", "export", "--pocket", data.to_str().unwrap(), "--datasets", "dtd"]);
    user.offer(&model);
    let mirror = format!("http://127.0.0.1:{}/mirror", user.server.port);
    let archive = pack(&data.join("dtd/images"), "dtd/images");
    user.server.on("/mirror/dtd/dtd-r1.0.1.tar.gz", vec![Answer::File(archive, Vec::new())]);
    let split = std::fs::read(data.join("dtd/split_zhou_DescribableTextures.json")).unwrap();
    user.server.on("/mirror/dtd/split_zhou_DescribableTextures.json", vec![Answer::File(split, Vec::new())]);

    user.done(&["model", "fetch", "owner/small"]);
    let repo = user.path(".cache/huggingface/hub/models--owner--small");
    assert_eq!(std::fs::read_to_string(repo.join("refs/main")).unwrap(), COMMIT);
    let link = std::fs::read_link(repo.join("snapshots").join(COMMIT).join("model.safetensors")).unwrap();
    assert!(link.starts_with("../../blobs"));
    // The token is for the hub alone, not for where it sends one.
    let token = |host: &str| {
        let requests = user.server.requests();
        let of = requests.iter().filter(|request| request.path.starts_with(host));
        of.map(|request| request.authorization.is_some()).collect::<Vec<_>>()
    };
    assert!(token("/owner").iter().all(|sent| *sent) && !token("/owner").is_empty());
    assert_eq!(token("/cdn"), [false]);

    let output = user.run(&["data", "fetch", "dtd", "--data", "DATA", "--mirror", &mirror, "--unchecked"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("terms: made available for research purposes"), "{said}");
    assert!(user.path("DATA/dtd/images").is_dir(), "{said}");
    assert!(user.path("DATA/dtd/split_zhou_DescribableTextures.json").is_file());
    let left: Vec<_> =
        std::fs::read_dir(user.path("DATA/.fetch/dtd")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".lock")), "{left:?}");

    let clip = ["--clip", "owner/small", "--data", "DATA"];
    let suite = ["suite", "smoke", "--datasets", "dtd", "--methods", "zero_shot", "--limit", "1"];
    user.done(&[&suite[..], &clip].concat());
    let runs = user.path("runs/smoke-small");
    assert!(runs.is_dir(), "{:?}", std::fs::read_dir(user.path("runs")).unwrap().collect::<Vec<_>>());
    let written = Command::new("grep").args(["-rl", COMMIT]).arg(&runs).output().unwrap();
    assert!(written.status.success(), "no record names the commit");
}

#[test]
fn a_dry_run_downloads_nothing_and_offline_opens_no_connection() {
    let user = User::new();
    let source = tempfile::tempdir().unwrap();
    user.done(&["model", "export", source.path().to_str().unwrap()]);
    user.offer(source.path());
    let said = user.done(&["model", "fetch", "owner/small@v1", "--dry-run"]);
    assert!(said.contains("model.safetensors") && said.contains("bytes free"), "{said}");
    assert!(!user.path(".cache").exists());
    let said = user.done(&["data", "fetch", "dtd", "imagenet", "--data", "DATA", "--dry-run"]);
    for part in ["dtd-r1.0.1.tar.gz  625239812 bytes", "split_zhou_DescribableTextures.json", "by hand only"]
    {
        assert!(said.contains(part), "{said}");
    }
    assert!(!user.path("DATA").exists());

    let before = user.server.requests().len();
    let offline = Command::new(env!("CARGO_BIN_EXE_rpo-bench"))
        .env_clear()
        .env("HOME", user.home.path())
        .env("HF_ENDPOINT", format!("http://127.0.0.1:{}", user.server.port))
        .env("HF_HUB_OFFLINE", "1")
        .args(["model", "fetch", "owner/small"])
        .output()
        .unwrap();
    assert_eq!(offline.status.code(), Some(2));
    assert_eq!(user.server.requests().len(), before);
}

/// The second waits for the first and finds everything done: one download of each file, nothing half unpacked.
#[test]
fn two_fetches_of_a_dataset_do_not_meet() {
    let user = User::new();
    let source = tempfile::tempdir().unwrap();
    let data = source.path().to_str().unwrap();
    user.done(&["data", "export", "--pocket", data, "--datasets", "dtd"]);
    let archive = pack(&source.path().join("dtd/images"), "dtd/images");
    user.server.on("/mirror/dtd/dtd-r1.0.1.tar.gz", vec![Answer::File(archive, Vec::new())]);
    let split = std::fs::read(source.path().join("dtd/split_zhou_DescribableTextures.json")).unwrap();
    user.server.on("/mirror/dtd/split_zhou_DescribableTextures.json", vec![Answer::File(split, Vec::new())]);
    let mirror = format!("http://127.0.0.1:{}/mirror", user.server.port);
    let fetch = || user.done(&["data", "fetch", "dtd", "--data", "DATA", "--mirror", &mirror, "--unchecked"]);
    std::thread::scope(|scope| {
        scope.spawn(fetch);
        scope.spawn(fetch);
    });
    assert_eq!(user.server.requests().len(), 2);
    let same = |name: &str| {
        std::fs::read(user.path("DATA/dtd").join(name)).unwrap()
            == std::fs::read(source.path().join("dtd").join(name)).unwrap()
    };
    assert!(same("split_zhou_DescribableTextures.json"));
}
