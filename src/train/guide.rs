//! A second loss as a guide (ProGrad, arXiv 2205.14865): a step never goes against it.

use candle_core::backprop::GradStore;

use super::error::TrainError;
use super::gradients::{Gradients, Guided, not_finite, totals};
use crate::method::{Guide, Parameters};

/// Takes from each gradient g, where g·h < 0, `strength` times its part along the guide's gradient h. A guide without
/// gradient (h = 0) opposes nothing.
///
/// # Errors
/// Whatever candle reports; in the inner result a guide that is not finite or reaches no parameter.
pub(super) fn project(
    gradients: Gradients,
    parameters: &Parameters,
    guide: &Guide,
    store: &GradStore,
    at: (usize, usize),
) -> Result<Result<Gradients, TrainError>, TrainError> {
    let loss = totals(std::iter::once(&guide.loss))?[0];
    let mut guided = Guided { loss, own: gradients.tensors, guide: Vec::new(), opposed: Vec::new() };
    let mut tensors = Vec::new();
    for ((name, var), own) in parameters.iter().zip(&guided.own) {
        let Some(h) = store.get(var) else {
            return Ok(Err(TrainError::NoGradient(format!("{name} from the guide"))));
        };
        let products = totals([(own * h)?, h.sqr()?].iter())?;
        let [product, square] = [products[0], products[1]];
        if !(loss.is_finite() && product.is_finite() && square.is_finite()) {
            return Ok(Err(not_finite(&format!("guide of {name}"), at)));
        }
        let opposed = product < 0.0;
        tensors.push(match opposed {
            true => (own - (h * (guide.strength * product / square))?)?,
            false => own.clone(),
        });
        guided.guide.push(h.clone());
        guided.opposed.push(opposed);
    }
    Ok(Ok(Gradients { loss: gradients.loss, tensors, guided: Some(guided) }))
}
