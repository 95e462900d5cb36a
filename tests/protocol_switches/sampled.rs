//! Switches of draws, crops and sentences.

use candle_core::Device;
use rpo_bench::data::DrawRule;
use rpo_bench::suite::World;
use rpo_bench::train::{Sampling, Views};

use super::{method, plan, prompt_of, ran, view_of};

fn sampling(id: &str, settings: &[&str]) -> Sampling {
    method(&plan(settings), id).sampling
}

#[test]
fn draws_are_coop_s_unless_told() {
    for (id, published) in [
        ("tip_adapter", DrawRule::WithReplacement),
        ("tip_adapter_f", DrawRule::WithReplacement),
        ("lp_plus_plus", DrawRule::WithReplacement),
        ("clip_lora", DrawRule::ValidationFirst),
    ] {
        assert_eq!(sampling(id, &[]).draw, DrawRule::Coop);
        assert_eq!(sampling(id, &["protocol=published"]).draw, published, "{id}");
    }
    assert_eq!(sampling("coop", &["protocol=published"]), Sampling::default());
    let world = World::open(None, None, &Device::Cpu).unwrap();
    let dataset = world.dataset("eurosat").unwrap();
    let draw = |rule, shots| dataset.draw(rule, shots, 1).unwrap().positions.clone();
    // Every class has enough images: filling up changes nothing, and validation first does.
    assert_eq!(draw(DrawRule::Coop, 2), draw(DrawRule::WithReplacement, 2));
    assert_ne!(draw(DrawRule::Coop, 2), draw(DrawRule::ValidationFirst, 2));
    let many = dataset.split.train.len() as u32;
    assert_eq!(draw(DrawRule::Coop, many).len(), dataset.split.train.len());
    assert_eq!(draw(DrawRule::WithReplacement, many).len(), many as usize * dataset.class_names.len());
    // A run draws by the rule of its method, and its record names another draw.
    let hash = |rule: &str| {
        let records = ran("tip_adapter", &[&format!("tip_adapter.draw={rule}")]);
        (records[0]["provenance"]["draw_sha256"].clone(), records[0]["training"]["images_sha256"].clone())
    };
    let [coop, first] = ["coop", "validation_first"].map(hash);
    assert!(coop.0.is_string() && coop.0 != first.0 && coop.1 != first.1, "{coop:?} {first:?}");
}

#[test]
fn crops_are_as_large_as_told() {
    for id in ["tip_adapter", "tip_adapter_f", "lp_plus_plus"] {
        assert_eq!(sampling(id, &[]).crop_scale, 0.5);
        assert_eq!(sampling(id, &["protocol=published"]).crop_scale, 0.5);
        assert_eq!(sampling(id, &[&format!("{id}.crop_scale=0.08")]), Sampling::default());
    }
    let own = view_of("", Views::Fresh, 3, Sampling::default().crop_scale);
    assert_eq!(own, view_of("", Views::Fresh, 3, 0.08));
    assert_ne!(own, view_of("", Views::Fresh, 3, 0.5));
    // Keys are made of views, so other crops are other memories; features of the others are never taken for them.
    let sha = |scale: &str| {
        let records = ran("tip_adapter", &[&format!("tip_adapter.crop_scale={scale}")]);
        records[0]["training"]["parameters_sha256"].clone()
    };
    let [large, small] = ["0.5", "0.08"].map(sha);
    assert!(large.is_string() && large != small, "{large} {small}");
}

#[test]
fn the_class_stands_last() {
    let [ours, published, coop_s] = [
        &[] as &[&str],
        &["protocol=published"],
        &["prograd.template=\"X X X X X X X X X X X X a photo of a {}.\"", "prograd.wordings=[\"dataset\"]"],
    ]
    .map(plan);
    let pets = |plan| prompt_of(plan, "prograd", "oxford_pets", "a photo of a {}, a type of pet.");
    assert_eq!(pets(&ours), "X X X X X X X X a type of pet, a photo of a golden retriever.");
    assert_eq!(pets(&published), pets(&ours));
    assert_eq!(pets(&coop_s), "X X X X X X X X X X X X a photo of a golden retriever.");
    let teacher =
        |plan| method(plan, "prograd").style.wordings("oxford_pets", "a photo of a {}, a type of pet.")[0];
    assert_eq!(teacher(&ours), "a type of pet, a photo of a {}.");
    assert_eq!(teacher(&coop_s), "a photo of a {}, a type of pet.");
}
