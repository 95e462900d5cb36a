//! Names and shapes of a ModifiedResNet's tensors, as OpenAI wrote them.

use crate::backbone::config::{ClipConfig, ResNetConfig};

/// Adds name and shape of every tensor of the image tower.
pub fn resnet_tensors(config: &ClipConfig, resnet: &ResNetConfig, add: &mut impl FnMut(String, &[usize])) {
    let width = resnet.width;
    for (at, (outputs, inputs)) in stem(width).into_iter().enumerate() {
        convolution(&format!("visual.conv{}", at + 1), (outputs, inputs, 3), add);
        batch_norm(&format!("visual.bn{}", at + 1), outputs, add);
    }
    for (name, inputs, planes) in blocks(resnet) {
        for (at, shape) in
            [(planes, inputs, 1), (planes, planes, 3), (4 * planes, planes, 1)].into_iter().enumerate()
        {
            convolution(&format!("{name}.conv{}", at + 1), shape, add);
            batch_norm(&format!("{name}.bn{}", at + 1), shape.0, add);
        }
        if name.ends_with(".0") {
            convolution(&format!("{name}.downsample.0"), (4 * planes, inputs, 1), add);
            batch_norm(&format!("{name}.downsample.1"), 4 * planes, add);
        }
    }
    let embed = config.vision.width;
    add("visual.attnpool.positional_embedding".to_owned(), &[config.image_tokens(), embed]);
    for (part, outputs) in [("q", embed), ("k", embed), ("v", embed), ("c", config.projection_dim)] {
        add(format!("visual.attnpool.{part}_proj.weight"), &[outputs, embed]);
        add(format!("visual.attnpool.{part}_proj.bias"), &[outputs]);
    }
}

/// Output and input channels of the stem's three convolutions.
pub(super) fn stem(width: usize) -> [(usize, usize); 3] {
    [(width / 2, 3), (width / 2, width / 2), (width, width / 2)]
}

/// Name, input channels and planes of every block, in order.
pub(super) fn blocks(resnet: &ResNetConfig) -> Vec<(String, usize, usize)> {
    let mut blocks = Vec::new();
    let mut inputs = resnet.width;
    for (stage, count) in resnet.layers.into_iter().enumerate() {
        let planes = resnet.width << stage;
        for block in 0..count {
            blocks.push((format!("visual.layer{}.{block}", stage + 1), inputs, planes));
            inputs = 4 * planes;
        }
    }
    blocks
}

fn convolution(
    name: &str,
    (outputs, inputs, side): (usize, usize, usize),
    add: &mut impl FnMut(String, &[usize]),
) {
    add(format!("{name}.weight"), &[outputs, inputs, side, side]);
}

fn batch_norm(name: &str, channels: usize, add: &mut impl FnMut(String, &[usize])) {
    for part in ["weight", "bias", "running_mean", "running_var"] {
        add(format!("{name}.{part}"), &[channels]);
    }
}
