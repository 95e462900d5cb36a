//! Command line of rpo-bench: parse, call, map errors to exit codes. Nothing else.

/// Towers allocate and free tens of megabytes per layer; the system allocator hands each back to the
/// kernel and pays for fresh pages every time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let out = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or_default());
    let pairs = std::env::args().nth(2).and_then(|p| p.parse().ok()).unwrap_or(12_800);
    let settings = rpo_bench::pretrain::PretrainSettings {
        pairs,
        batch: 128,
        learning_rate: 1.5e-3,
        seed: 1,
        checkpoint_every: 100,
    };
    let start = std::time::Instant::now();
    let result = rpo_bench::pretrain::pretrain(
        &out,
        &settings,
        &mut |p| {
            if p.step % 20 == 0 {
                eprintln!("{:?} {:.1}s", p, start.elapsed().as_secs_f64());
            }
        },
        &|| false,
    );
    eprintln!("{result:?}");
}
