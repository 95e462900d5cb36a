//! Claims on a real folder.

use std::time::SystemTime;

use super::*;

fn now() -> u64 {
    DiskFolder::new(Path::new(".")).now()
}

fn open(run: &Path) -> Claims {
    Claims::open(run, Holder::this_process(), Arc::new(|_| false)).unwrap()
}

fn plant(run: &Path, holder: &Holder) {
    fs::write(run.join("claims/k.json"), serde_json::to_vec(holder).unwrap()).unwrap();
}

fn elsewhere(heartbeat: u64) -> Holder {
    Holder { host: "elsewhere".to_owned(), heartbeat, token: "other".to_owned(), ..Holder::this_process() }
}

fn holder(run: &Path) -> Holder {
    serde_json::from_slice(&fs::read(run.join("claims/k.json")).unwrap()).unwrap()
}

fn age(path: &Path) {
    let old = SystemTime::now() - Duration::from_secs(STALE_SECS + 60);
    File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
}

#[test]
fn a_cell_has_one_holder_until_it_is_released() {
    let run = tempfile::tempdir().unwrap();
    let (first, second) = (open(run.path()), open(run.path()));
    let held = first.take("k", None).unwrap().ok().unwrap();
    assert_eq!(second.take("k", None).unwrap().err().unwrap().pid, std::process::id());
    assert!(second.take("other", None).unwrap().is_ok());
    assert!(first.listed().unwrap().contains("k"));
    drop(held);
    assert!(second.take("k", None).unwrap().is_ok());
    drop((first, second));
    assert_eq!(fs::read_dir(run.path().join("claims")).unwrap().count(), 0, "something was left behind");
}

#[test]
fn a_foreign_claim_holds_for_ten_minutes_and_a_dead_neighbour_s_not_at_all() {
    let run = tempfile::tempdir().unwrap();
    let claims = open(run.path());
    plant(run.path(), &elsewhere(now() - STALE_SECS + 20));
    assert!(claims.take("k", None).unwrap().is_err());
    plant(run.path(), &elsewhere(now() - STALE_SECS - 1));
    assert!(claims.take("k", None).unwrap().is_ok());
    let me = Holder::this_process();
    plant(run.path(), &Holder { started: Some(1), heartbeat: now(), ..me.clone() });
    assert_eq!(claims.take("k", None).unwrap().is_ok(), me.started.is_some());
    fs::write(run.path().join("claims/k.json"), "{").unwrap();
    assert!(claims.take("k", None).unwrap().is_ok());
}

#[test]
fn a_sign_of_life_keeps_an_old_claim() {
    let run = tempfile::tempdir().unwrap();
    let claims = open(run.path());
    plant(run.path(), &elsewhere(now() - 100_000));
    let sign = run.path().join("claims/.alive-other");
    fs::write(&sign, (now() - 30).to_string()).unwrap();
    assert!(claims.take("k", None).unwrap().is_err());
    assert_eq!(living(run.path(), Arc::new(|_| false)).unwrap().len(), 1);
    fs::write(&sign, (now() - STALE_SECS - 5).to_string()).unwrap();
    assert!(claims.take("k", None).unwrap().is_ok());
}

#[test]
fn whom_the_scheduler_calls_gone_holds_nothing() {
    let run = tempfile::tempdir().unwrap();
    let gone: Gone = Arc::new(|holder| holder.host == "elsewhere");
    let claims = Claims::open(run.path(), Holder::this_process(), gone.clone()).unwrap();
    plant(run.path(), &elsewhere(now()));
    assert!(living(run.path(), gone).unwrap().is_empty());
    assert!(claims.take("k", None).unwrap().is_ok());
    plant(run.path(), &Holder { host: "another".to_owned(), ..elsewhere(now()) });
    assert!(claims.take("k", None).unwrap().is_err(), "the control: nobody calls this one gone");
}

#[test]
fn a_claim_of_a_clock_ahead_ends_ten_minutes_after_it_was_written() {
    let run = tempfile::tempdir().unwrap();
    let claims = open(run.path());
    plant(run.path(), &elsewhere(now() + 86_400));
    assert!(claims.take("k", None).unwrap().is_err(), "just written");
    age(&run.path().join("claims/k.json"));
    assert!(claims.take("k", None).unwrap().is_ok(), "a day ahead, and silent");
}

#[test]
fn a_claim_that_was_lost_is_its_new_holder_s() {
    let run = tempfile::tempdir().unwrap();
    let claims = open(run.path());
    let held = claims.take("k", None).unwrap().ok().unwrap();
    let other = elsewhere(now());
    plant(run.path(), &other);
    claims.board.beat().unwrap();
    drop(held);
    assert_eq!(holder(run.path()), other);
}

#[test]
fn what_dead_processes_left_is_swept_and_the_living_s_is_not() {
    let run = tempfile::tempdir().unwrap();
    let claims = open(run.path());
    plant(run.path(), &elsewhere(now() - STALE_SECS - 1));
    let dir = run.path().join("claims");
    fs::write(dir.join("living.json"), serde_json::to_vec(&elsewhere(now())).unwrap()).unwrap();
    for name in [".alive-old", ".alive-new", ".void-x-k"] {
        fs::write(dir.join(name), "1").unwrap();
    }
    age(&dir.join(".alive-old"));
    age(&dir.join(".void-x-k"));
    claims.sweep().unwrap();
    let mut left = claims.board.folder.list().unwrap();
    left.retain(|name| *name != sign(&claims.board.me.token));
    left.sort();
    assert_eq!(left, [".alive-new", "living.json"]);
}
