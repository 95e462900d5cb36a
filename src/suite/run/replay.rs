//! One training with everything random of it written down: what another program needs to take the very same steps.
//!
//! It goes through the loop, the views and the evaluation of every run, so it is the run of that cell, not an account
//! of it: a test holds its parameters and predictions against a record's. Easy to get wrong: a view is drawn once and
//! may serve many steps (a bank), and a method may read views for its initial values alone.
//!
//! Long because all that is written down of one training is here, in the order in which it happens.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use candle_core::Tensor;
use serde::Serialize;

use super::evaluate_file::{FileEvaluation, evaluate_named};
use super::life::drawn_shots::{DrawnShots, Pools, listed_pools, score};
use crate::backbone::Precision;
use crate::backbone::files::safetensors_write::safetensors_bytes;
use crate::data::{Classes, DrawRule, Item};
use crate::method::{Head, MethodError, Parameters, Pool, Shots};
use crate::record::Epoch;
use crate::suite::disk::trained::stored;
use crate::suite::error::SuiteError;
use crate::suite::plan::resolve::Plan;
use crate::suite::spec::overrides::Resolved;
use crate::suite::world::{BenchDataset, World};
use crate::train::{
    CheckpointState, FeatureStore, Fit, Keeper, Labelled, Member, Pick, Slots, Stepped, TrainError,
    TrainingImages, TrainingSet, fit, readable,
};
use crate::util::rng::Stream;

/// What happened in one step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Epoch, from 0.
    pub epoch: usize,
    /// Step within it, from 0.
    pub step: usize,
    /// Its learning rate.
    pub learning_rate: f64,
    /// Mean loss of the batch before the update (nats).
    pub loss: f64,
    /// `[item, view]` of each image of the batch, in order.
    pub batch: Vec<[usize; 2]>,
}

/// What is done to an image for one of its views: the box is cut out and resized, then mirrored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrawnView {
    /// Place of the image in the list of items.
    pub item: usize,
    /// Number of the view.
    pub view: usize,
    /// First row of the box.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Whether it is mirrored left to right.
    pub flip: bool,
}

/// An image trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayItem {
    /// Path relative to the data root.
    pub path: String,
    /// Label among the trained classes.
    pub label: u32,
}

impl ReplayItem {
    fn of(item: &Item, label: u32) -> Self {
        Self { path: item.path.clone(), label }
    }
}

/// Class names and token ids of the prompts of a half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplayTexts {
    /// Class names by label.
    pub class_names: Vec<String>,
    /// Token ids of each prompt, from SOS to EOS.
    pub token_ids: Vec<Vec<u32>>,
}

/// Everything random of a training, and what it led to.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// Dataset id.
    pub dataset: String,
    /// Method id.
    pub method: String,
    /// Seed.
    pub seed: u64,
    /// Images a class.
    pub shots: u32,
    /// Classes trained on.
    pub train_classes: Classes,
    /// Resolved settings: optimiser, schedule, sizes.
    pub config: BTreeMap<String, String>,
    /// Protocol switches.
    pub switches: BTreeMap<String, String>,
    /// SHA-256 of the frozen weights.
    pub weights_sha256: String,
    /// SHA-256 of the dataset's lists.
    pub split_sha256: String,
    /// Side of the square that a view is resized to.
    pub image_size: usize,
    /// Images in drawing order.
    pub items: Vec<ReplayItem>,
    /// Images that the method chose by, pool by pool in order; empty for most.
    pub validated: Vec<ReplayItem>,
    /// Prompts by half.
    pub texts: BTreeMap<String, ReplayTexts>,
    /// Names of the trained parameters, in the order of their draws; those of a second stage behind them.
    pub trained: Vec<String>,
    /// What another program must know beside all this, in a sentence; nothing for most methods.
    pub note: Option<String>,
    /// Views that the initial values were made of.
    pub initial_views: Vec<usize>,
    /// Every view that was used.
    pub views: Vec<DrawnView>,
    /// Every step, in order.
    pub steps: Vec<Step>,
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// Accuracies of the final parameters.
    pub evaluations: Vec<FileEvaluation>,
    /// Initial parameters, as safetensors.
    #[serde(skip)]
    pub initial: Vec<u8>,
    /// Final parameters, as safetensors.
    #[serde(skip)]
    pub last: Vec<u8>,
}

/// Writes steps down.
#[derive(Default)]
struct Scribe(Vec<Step>);

impl Keeper for Scribe {
    fn resume(&mut self, _: &Parameters) -> Result<Option<CheckpointState>, TrainError> {
        Ok(None)
    }

    fn due(&self) -> bool {
        false
    }

    fn keep(&mut self, _: &CheckpointState) -> Result<(), TrainError> {
        Ok(())
    }

    fn stepped(&mut self, step: &Stepped<'_>) {
        let (epoch, at) = step.at;
        let batch = step.picks.iter().map(|pick| [pick.index, pick.view]).collect();
        self.0.push(Step { epoch, step: at, learning_rate: step.learning_rate, loss: step.loss, batch });
    }
}

/// Shots that note which views were read.
struct Noted<'a> {
    shots: DrawnShots<'a>,
    views: RefCell<BTreeSet<usize>>,
}

impl Shots for Noted<'_> {
    fn labels(&self) -> Vec<u32> {
        Shots::labels(&self.shots)
    }

    fn pooled(&self, view: usize) -> Result<Tensor, MethodError> {
        self.views.borrow_mut().insert(view);
        self.shots.pooled(view)
    }

    fn validation(&self, pool: Pool) -> Result<(Tensor, Vec<u32>), MethodError> {
        self.shots.validation(pool)
    }
}

/// Trains the one cell of `plan` (one method, dataset, seed and number of shots) and writes down how.
///
/// # Errors
/// [`SuiteError::Usage`] for a plan of another size or a method that draws nothing; whatever stops a training.
pub fn replay(world: &World, plan: &Plan, stop: &dyn Fn() -> bool) -> Result<Replay, SuiteError> {
    let world = &world.with_sizes(&plan.settings.globals);
    let suite = &plan.suite;
    let ([id], [seed], [shots]) = (&suite.datasets[..], &suite.seeds[..], &suite.shots[..]) else {
        return Err(SuiteError::Usage("replay: expected one dataset, seed and number of shots".to_owned()));
    };
    let [index] = plan.methods_of(id)[..] else {
        return Err(SuiteError::Usage("replay: expected one method".to_owned()));
    };
    let resolved = &plan.methods[index];
    if !resolved.method.draws() {
        return Err(SuiteError::Usage(format!(
            "replay: {} trains nothing and draws nothing, every run of it is the same",
            resolved.id
        )));
    }
    let (seed, shots) = (*seed, *shots);
    let dataset = world.dataset(id)?;
    let globals = &plan.settings.globals;
    let source = dataset.source.as_ref();
    let (items, _) = readable(
        globals.broken_images,
        source,
        drawn(&dataset, suite.train_classes, resolved.sampling.draw, (seed, shots))?,
        stop,
    )?;
    let owner = if globals.views_per_method { resolved.id } else { "" };
    let crop_scale = resolved.sampling.crop_scale;
    let set =
        TrainingSet { dataset: &dataset.id, seed, owner, items, source, views: globals.views, crop_scale };
    let features = FeatureStore::new(world.identity.sha256());
    let images = TrainingImages::new(&world.clip, &set, resolved.method.needs(), &features, stop)?;
    let listed = listed_pools(&dataset, plan, resolved, (seed, shots)).into_iter();
    let readable =
        listed.map(|(pool, items)| Ok((pool, readable(globals.broken_images, source, items, stop)?.0)));
    let pools = readable.collect::<Result<Pools<'_>, SuiteError>>()?;
    let validated = pools.values().flatten().map(|(item, label)| ReplayItem::of(item, *label)).collect();
    let drawn_shots = DrawnShots { images: &images, pools, source, clip: &world.clip };
    let noted = Noted { shots: drawn_shots, views: RefCell::default() };
    let texts = world.class_texts(&dataset, &resolved.style, suite.train_classes)?;
    let mut stream = Stream::new(&["init", &dataset.id, &seed.to_string(), resolved.id]);
    let mut parameters =
        resolved.method.init(&world.clip, &texts, Some(&noted), &mut stream).map_err(TrainError::from)?;
    let initial = bytes(&parameters)?;
    let mut scribe = Scribe::default();
    let name = seed.to_string();
    let stream = [dataset.id.as_str(), &name, resolved.id];
    let head = resolved.method.bind(&world.clip, &texts)?;
    let score = score(&world.clip, head.as_ref(), resolved.method.selection(), &noted)?;
    let member = Member {
        slot: 0,
        images: &images,
        stream,
        parameters: &mut parameters,
        keeper: &mut scribe,
        score: score.as_ref(),
    };
    let mut trained = names(member.parameters);
    let epochs = train(world, plan, (resolved, shots), head.as_ref(), member, stop)?;
    let second = names(&parameters).into_iter().filter(|name| !trained.contains(name)).collect::<Vec<_>>();
    trained.extend(second);
    let parameters =
        resolved.method.settle(&world.clip, &texts, &noted, parameters).map_err(TrainError::from)?;
    let initial_views: Vec<usize> = noted.views.into_inner().into_iter().collect();
    let values = parameters.values()?;
    let evaluated = suite
        .evaluate
        .iter()
        .filter(|classes| resolved.method.transfers() || **classes == suite.train_classes);
    let evaluated: Vec<Classes> = evaluated.copied().collect();
    let evaluate = |classes: &Classes| {
        let policy = globals.broken_images;
        evaluate_named(world, resolved, (&dataset, *classes), &values, (policy, plan.limit), stop, &|_, _| {})
    };
    Ok(Replay {
        dataset: dataset.id.clone(),
        method: resolved.id.to_owned(),
        seed,
        shots,
        train_classes: suite.train_classes,
        config: resolved.config.clone(),
        switches: resolved.switches.clone(),
        weights_sha256: world.identity.weights_sha256.clone(),
        split_sha256: dataset.split_sha256.clone(),
        image_size: world.clip.config.image_size,
        items: set.items.iter().map(|(item, label)| ReplayItem::of(item, *label)).collect(),
        validated,
        texts: all_texts(world, &dataset, resolved, &[&evaluated[..], &[suite.train_classes]].concat())?,
        trained,
        note: note(resolved),
        views: views(&set, &scribe.0, &initial_views)?,
        initial_views,
        steps: scribe.0,
        epochs,
        evaluations: evaluated.iter().map(evaluate).collect::<Result<_, _>>()?,
        initial,
        last: bytes(&parameters)?,
    })
}

fn names(parameters: &Parameters) -> Vec<String> {
    parameters.iter().map(|(name, _)| name.to_owned()).collect()
}

/// What a replay of a method leaves out.
fn note(resolved: &Resolved) -> Option<String> {
    let id = resolved.id;
    if resolved.recipe.is_none() {
        return Some(format!(
            "{id} takes no training step: what it computes from the images is in initial.safetensors, and final.safetensors \
             is the same"
        ));
    }
    let setting = resolved.method.step_noise()?;
    Some(format!(
        "{id} draws random numbers within its steps that are not written down: for a replay elsewhere add --set \
         {id}.{setting}=0"
    ))
}

/// The training itself; a method that trains nothing has no epoch.
fn train(
    world: &World,
    plan: &Plan,
    (resolved, shots): (&Resolved, u32),
    head: &dyn Head,
    member: Member<'_>,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<Epoch>, SuiteError> {
    let Some(recipe) = &resolved.recipe else { return Ok(Vec::new()) };
    let rounded = plan.settings.globals.rounded_parameters;
    let storage = if rounded { world.clip.precision() } else { Precision::F32 };
    let recipe = &recipe.for_shots(shots);
    let run =
        Fit { head, recipe, needs: resolved.method.needs(), storage, slots: Slots::Fixed(1), ahead: false };
    let outcome = fit(&run, &mut [member], stop, &mut |_| {})?.pop();
    let log = outcome.transpose()?.unwrap_or_default();
    Ok(log.iter().map(Epoch::from).collect())
}

/// The drawn items of the trained half. The draw comes before the halving.
fn drawn(
    dataset: &BenchDataset,
    classes: Classes,
    rule: DrawRule,
    (seed, shots): (u64, u32),
) -> Result<Labelled<'_>, SuiteError> {
    let draw = dataset.draw(rule, shots, seed)?;
    let items = draw.positions.iter().map(|position| &dataset.split.train[*position]);
    let kept = dataset.labels(classes).filter(items);
    Ok(kept.into_iter().map(|local| (local.item, local.local_label)).collect())
}

/// Box and flip of every view that a step or an initial value used.
fn views(set: &TrainingSet<'_>, steps: &[Step], initial: &[usize]) -> Result<Vec<DrawnView>, SuiteError> {
    let mut used: BTreeSet<[usize; 2]> = steps.iter().flat_map(|step| step.batch.iter().copied()).collect();
    used.extend(initial.iter().flat_map(|view| (0..set.items.len()).map(|item| [item, *view])));
    let mut sizes: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut views = Vec::new();
    for [item, view] in used {
        let (width, height) = match sizes.get(&item) {
            Some(size) => *size,
            None => {
                let image = set.source.image(set.items[item].0).map_err(TrainError::from)?;
                *sizes.entry(item).or_insert((image.width(), image.height()))
            }
        };
        let drawn = set.view(Pick { index: item, view }, (width, height));
        let crop = drawn.crop;
        let (top, left, height, width) = (crop.top, crop.left, crop.height, crop.width);
        views.push(DrawnView { item, view, top, left, height, width, flip: drawn.flip });
    }
    Ok(views)
}

fn all_texts(
    world: &World,
    dataset: &BenchDataset,
    resolved: &Resolved,
    halves: &[Classes],
) -> Result<BTreeMap<String, ReplayTexts>, SuiteError> {
    let of = |classes: &Classes| {
        let labels = dataset.labels(*classes);
        let name = |label: &u32| dataset.class_names[*label as usize].clone();
        let token_ids = world.class_prompts(dataset, &resolved.style, *classes)?;
        let class_names = labels.labels().iter().map(name).collect();
        Ok((classes.to_string(), ReplayTexts { class_names, token_ids }))
    };
    halves.iter().map(of).collect()
}

fn bytes(parameters: &Parameters) -> Result<Vec<u8>, SuiteError> {
    Ok(safetensors_bytes(&BTreeMap::new(), &stored(&parameters.values()?)?))
}
