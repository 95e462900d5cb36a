//! Claims on a simulated network file system: reads and listings half a minute old, no locks, clocks minutes apart; and
//! the traffic of two hundred processes on one folder, by a virtual clock.
//!
//! Long because it is one simulation with its disk, clocks and processes.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier, Mutex};

use super::claim::{Board, STALE_SECS, keys};
use super::claim_folder::{ClaimFolder, ClaimText};
use super::holder::Holder;
use super::survey::{CellSeen, Survey};
use crate::util::rng::Stream;

/// Answers may be this old.
const CACHE_SECS: u64 = 30;

/// What all machines agree on.
#[derive(Default)]
struct Server {
    clock: AtomicU64,
    files: Mutex<BTreeMap<String, ClaimText>>,
    /// Operations that reached the server, by kind.
    traffic: Mutex<BTreeMap<&'static str, u64>>,
}

impl Server {
    fn now(&self) -> u64 {
        self.clock.load(SeqCst)
    }

    fn count(&self, kind: &'static str, times: u64) {
        *self.traffic.lock().unwrap().entry(kind).or_default() += times;
    }
}

/// One machine, with its memory of old answers.
struct Client {
    server: Arc<Server>,
    /// How far this machine's clock is from the server's.
    skew_secs: i64,
    cache: Mutex<BTreeMap<String, (u64, Option<ClaimText>)>>,
    /// The control: creates by looking first.
    looks_first: bool,
}

impl Client {
    fn new(server: &Arc<Server>, skew_secs: i64) -> Self {
        Self { server: Arc::clone(server), skew_secs, cache: Mutex::default(), looks_first: false }
    }

    fn forget(&self, name: &str) {
        self.cache.lock().unwrap().remove(name);
    }
}

impl ClaimFolder for Client {
    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        std::thread::yield_now();
        if self.looks_first {
            let absent = self.read(name)?.is_none();
            if absent {
                self.replace(name, bytes)?;
            }
            return Ok(absent);
        }
        // The whole file under another name, the link, and the other name gone.
        self.server.count("create", 3);
        self.forget(name);
        let mut files = self.server.files.lock().unwrap();
        if files.contains_key(name) {
            return Ok(false);
        }
        files.insert(name.to_owned(), (bytes.to_vec(), Some(self.server.now())));
        Ok(true)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::thread::yield_now();
        self.server.count("replace", 2);
        self.forget(name);
        let file = (bytes.to_vec(), Some(self.server.now()));
        self.server.files.lock().unwrap().insert(name.to_owned(), file);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<bool> {
        std::thread::yield_now();
        self.server.count("rename", 1);
        self.forget(from);
        self.forget(to);
        let mut files = self.server.files.lock().unwrap();
        let Some(file) = files.remove(from) else { return Ok(false) };
        files.insert(to.to_owned(), file);
        Ok(true)
    }

    fn read(&self, name: &str) -> io::Result<Option<ClaimText>> {
        std::thread::yield_now();
        let (now, mut cache) = (self.server.now(), self.cache.lock().unwrap());
        if let Some((_, found)) = cache.get(name).filter(|(at, _)| now - at < CACHE_SECS) {
            return Ok(found.clone());
        }
        self.server.count("read", 1);
        let found = self.server.files.lock().unwrap().get(name).cloned();
        cache.insert(name.to_owned(), (now, found.clone()));
        Ok(found)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.server.count("remove", 1);
        self.forget(name);
        self.server.files.lock().unwrap().remove(name);
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.server.count("list", 1);
        Ok(self.server.files.lock().unwrap().keys().cloned().collect())
    }

    fn now(&self) -> u64 {
        self.server.now().saturating_add_signed(self.skew_secs)
    }
}

fn board(server: &Arc<Server>, name: &str, skew_secs: i64) -> Board<Client> {
    let me = Holder { host: name.to_owned(), token: name.to_owned(), ..Holder::default() };
    Board { folder: Client::new(server, skew_secs), me, gone: Arc::new(|_| false) }
}

/// What happened to the cells of a run: how often each was recorded, who works on which now, and how often two did.
#[derive(Default)]
struct Truth {
    records: BTreeMap<String, u64>,
    at_work: BTreeSet<String>,
    doubled: u64,
}

/// Eight machines, with clocks up to seven and a half minutes apart, work through forty cells in rounds. Between two of
/// them the clock jumps and the living give a sign of life. One round in ten ends with a machine's death, and its claims
/// stay. Real threads, so that every operation of one may fall between any two of another.
fn run(looks_first: bool, seed: u64) -> Truth {
    const MACHINES: usize = 8;
    let server = Arc::new(Server { clock: AtomicU64::new(1_000_000), ..Server::default() });
    let (truth, barrier) = (Mutex::new(Truth::default()), Barrier::new(MACHINES));
    let over = AtomicBool::new(false);
    let cells: Vec<String> = (0..40).map(|cell| format!("cell{cell}")).collect();
    let machine = |index: usize| {
        let mut random = Stream::new(&["claims", &seed.to_string(), &index.to_string()]);
        let mut life = 0;
        let start = |life: u32| {
            let mut board = board(&server, &format!("m{index}-{life}"), index as i64 * 64 - 240);
            board.folder.looks_first = looks_first;
            board.beat().unwrap();
            board
        };
        let mut board = start(life);
        while !over.load(SeqCst) {
            let mut mine = Vec::new();
            for _ in 0..10 {
                let key = &cells[random.below(cells.len() as u64) as usize];
                if truth.lock().unwrap().records.contains_key(key) || board.take(key, None).unwrap().is_err()
                {
                    continue;
                }
                let mut now = truth.lock().unwrap();
                now.doubled += u64::from(!now.at_work.insert(key.clone()));
                mine.push(key.clone());
            }
            barrier.wait();
            let dies = random.below(10) == 0;
            for key in mine {
                let mut now = truth.lock().unwrap();
                now.at_work.remove(&key);
                if !dies {
                    *now.records.entry(key.clone()).or_default() += 1;
                    drop(now);
                    board.release(&key).unwrap();
                }
            }
            if dies {
                life += 1;
                board = start(life);
            }
            board.beat().unwrap();
            if barrier.wait().is_leader() {
                server.clock.fetch_add(45, SeqCst);
                over.store(truth.lock().unwrap().records.len() == cells.len(), SeqCst);
            }
            barrier.wait();
        }
    };
    std::thread::scope(|scope| {
        for index in 0..MACHINES {
            let machine = &machine;
            scope.spawn(move || machine(index));
        }
    });
    truth.into_inner().unwrap()
}

#[test]
fn stale_answers_dead_machines_and_skewed_clocks_lose_and_double_nothing() {
    for seed in 0..5 {
        let truth = run(false, seed);
        assert_eq!((truth.records.len(), truth.doubled), (40, 0), "seed {seed}");
    }
    let careless: u64 = (0..5).map(|seed| run(true, seed).doubled).sum();
    assert!(careless > 0, "the control: looking before writing doubles");
}

#[test]
fn a_living_claim_that_an_old_answer_called_void_is_put_back() {
    let server = Arc::new(Server { clock: AtomicU64::new(1_000_000), ..Server::default() });
    let (dead, late, fast) =
        (board(&server, "dead", 0), board(&server, "late", 0), board(&server, "fast", 0));
    assert!(dead.take("k", None).unwrap().is_ok());
    server.clock.fetch_add(STALE_SECS + 1, SeqCst);
    // `late` remembers the dead claim; `fast` takes it over meanwhile.
    late.folder.read("k.json").unwrap();
    assert!(fast.take("k", None).unwrap().is_ok());
    assert_eq!(late.take("k", None).unwrap().unwrap_err().token, "fast");
    assert_eq!(late.take("k", None).unwrap().unwrap_err().token, "fast", "it is in its place again");
    fast.release("k").unwrap();
    assert!(server.files.lock().unwrap().is_empty());
}

/// Figures of a run of `workers` on `cells` cells of five minutes each.
struct Figures {
    hours: f64,
    ideal_hours: f64,
    calls_a_cell: f64,
    listings_a_worker: f64,
    recorded: usize,
}

/// The order in which `suite` works in a task of an array (own place first, then the others'), with stub cells.
fn simulate(workers: usize, cells: usize) -> Figures {
    let server = Arc::new(Server { clock: AtomicU64::new(1_000_000), ..Server::default() });
    let names: Vec<String> = (0..cells).map(|cell| format!("{cell:064x}")).collect();
    let mut random = Stream::new(&["scale"]);
    let boards: Vec<_> = (0..workers).map(|index| board(&server, &format!("w{index}"), 0)).collect();
    let mut surveys: Vec<_> = (0..workers).map(|_| Survey::new(BTreeSet::new())).collect();
    let queue = |index: usize| (0..cells).map(move |at| (at + cells * index / workers) % cells);
    let mut queues: Vec<VecDeque<usize>> = (0..workers).map(|index| queue(index).collect()).collect();
    let mut records: BTreeSet<String> = BTreeSet::new();
    let (mut work_secs, mut finish, mut doing) = (0, 0, vec![None; workers]);
    let mut events: BinaryHeap<_> = (0..workers).map(|index| std::cmp::Reverse((1_000_000, index))).collect();
    while let Some(std::cmp::Reverse((time, index))) = events.pop() {
        server.clock.store(time, SeqCst);
        let (board, survey) = (&boards[index], &mut surveys[index]);
        if let Some(cell) = doing[index].take() {
            records.insert(names[cell as usize].clone());
            board.release(&names[cell as usize]).unwrap();
            finish = time;
        }
        while let Some(cell) = queues[index].pop_front() {
            let key = &names[cell];
            let list = || {
                server.count("listings of records", 1);
                Ok::<_, io::Error>((records.clone(), keys(board.folder.list()?)))
            };
            if survey.look(key, time, list).unwrap() != CellSeen::Open {
                continue;
            }
            if board.take(key, None).unwrap().is_err() {
                survey.surprise();
                continue;
            }
            server.count("record looked for", 1);
            if records.contains(key) {
                survey.surprise();
                board.release(key).unwrap();
                continue;
            }
            let secs = 200 + random.below(200);
            // A sign of life a minute.
            server.count("replace", 2 * (secs / 60));
            work_secs += secs;
            doing[index] = Some(cell as u32);
            events.push(std::cmp::Reverse((time + secs, index)));
            break;
        }
    }
    let traffic = server.traffic.lock().unwrap();
    let listings = traffic["listings of records"];
    let calls: u64 = traffic.values().sum();
    Figures {
        hours: (finish - 1_000_000) as f64 / 3600.0,
        ideal_hours: work_secs as f64 / workers as f64 / 3600.0,
        calls_a_cell: calls as f64 / cells as f64,
        listings_a_worker: listings as f64 / workers as f64,
        recorded: records.len(),
    }
}

#[test]
fn traffic_a_cell_does_not_grow_with_the_number_of_cells_and_workers() {
    for (workers, cells) in [(1, 100), (50, 5_000), (200, 20_000)] {
        let figures = simulate(workers, cells);
        println!(
            "{workers} workers, {cells} cells: {:.2} h (ideal {:.2} h), {:.1} calls a cell, {:.1} listings a worker",
            figures.hours, figures.ideal_hours, figures.calls_a_cell, figures.listings_a_worker
        );
        assert_eq!(figures.recorded, cells);
        assert!(figures.calls_a_cell < 30.0, "{} calls a cell", figures.calls_a_cell);
        assert!(figures.listings_a_worker < 30.0, "{} listings a worker", figures.listings_a_worker);
        assert!(figures.hours < 1.1 * figures.ideal_hours + 0.3, "{} h", figures.hours);
    }
}
