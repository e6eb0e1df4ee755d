"""What every kernel reads and writes: the places that its rows of a program can form.

A line says how a kernel uses an argument, and the set of places as a sum of terms:

    read    every place is read                       write    every place is written
    update  read and written                          add      written, and read too if ``accumulate``
    scratch written before it is read, useless after  total   written, with zeros where all that is read is 0

A term is a set of offsets, in elements of the argument:

    count:stride    0, stride, ..., (count - 1) stride; both are sums and products of arguments, and of
                    ``lanes`` and ``shards`` (those of a whole batch)
    count           the same with the stride 1
    =offset         this offset alone
    table.2         column 2 of a table
    table.low       the lower halves of the entries of a table that ends with END; ``table.high`` the upper halves
    table.both      both halves of every entry of a table without END
    numbers[0]      in a number: an entry of a table or constant
    table@4         the 4 x 4 values of each patch of a table of Winograd's algorithm, as far as they lie inside

``if argument`` at the end: only where this argument is not 0. Tables are read as a whole without being named.
The tests run every kernel in memory that is poisoned wherever it is not named here.
"""

from __future__ import annotations


def _runs(*arguments: str) -> str:
    """Return lines for values in runs: ``mode name`` of each argument, whose column is its number."""
    lines = []
    for column, argument in enumerate(arguments):
        name = argument.split()[1]
        lines.append(f"{argument}: blocks:{name}_block + runs.{column} + length:lanes + lanes")
    return "\n".join(lines)


_LOSS = """
    read outputs: blocks:outputs_block + features.0 + lanes
    write grad: blocks:grad_block + grad_features.0 + lanes
    read weights: blocks*lanes
    write losses: blocks*lanes
    write correct: blocks*lanes
"""
_LABELS = _LOSS + "read targets: blocks*lanes\n"
_VALUES = _LOSS + "read targets: blocks*count*lanes\n"
_WINDOWS = """
    read x: blocks:x_block + channels.0 + places.0 + taps.0 + lanes
    write out: blocks:out_block + channels.1 + places.1 + lanes
"""
_POOL_GRADIENT = """
    read x: blocks:x_block + channels.0 + places.0 + taps.0 + lanes
    read out: blocks:out_block + channels.1 + places.1 + lanes
    read grad_out: blocks:grad_out_block + channels.2 + places.2 + lanes
    add grad_x: blocks:grad_x_block + channels.3 + places.3 + taps.1 + lanes
"""


def _channels(mode_name: str, column: int, block: str | None = None) -> str:
    name = mode_name.split()[1]
    block = block or f"{name}_block"
    return f"{mode_name}: blocks:{block} + channels.{column} + runs.{column} + length:lanes + lanes\n"


def _update(numbers: int, *vectors: str) -> str:
    """Return lines for an optimizer that keeps some vectors."""
    kept = "".join(f"update {name}: count\n" for name in vectors)
    return f"update theta: count\nread gradient: count\n{kept}read numbers: {numbers}"


_LOAD = """
    read x: runs.0 + length
    read index: blocks*lanes
    write out: blocks:out_block + runs.1 + length:lanes + lanes
    read scale: runs.2
    read mean: runs.2
"""
_LOAD_ONE = """
    read x: runs.0 + length
    read index: 1
    write out: runs.1 + length
    read mean: runs.2
    read scale: runs.2
"""
_SOFTMAX = """
    read x: blocks:x_block + groups.0 + features.0 + lanes
    write out: blocks:out_block + groups.1 + features.1 + lanes
"""
_SOFTMAX_GRADIENT = """
    read y: blocks:y_block + groups.0 + features.0 + lanes
    read grad_y: blocks:grad_y_block + groups.1 + features.1 + lanes
    add grad_x: blocks:grad_x_block + groups.2 + features.2 + lanes
"""
_THREE = """
    read x: blocks:x_block + runs.0 + length:x_step + lanes
    read y: blocks:y_block + runs.1 + length:y_step + lanes
"""
_TRANSFORM = """
    write out: 36:step + channels:patch_count*lanes + patch_count*lanes
    scratch scratch: 72*lanes
"""

ACCESS = {
    "batch.load_bytes": _LOAD,
    "batch.load_floats": _LOAD,
    "batch.store_rows": """
        read x: blocks:x_block + features.0 + lanes
        write out: blocks*lanes:row + feature_count
    """,
    "batch.swap": "read x: outer*rows*columns\nwrite out: outer*rows*columns",
    "batch.gather": "read x: index.both\nwrite out: count",
    "broadcast.join": _THREE + "write out: blocks:out_block + runs.2 + length:out_step + lanes",
    "broadcast.product_sums": _THREE + "update out: blocks:out_block + runs.2 + lanes",
    "broadcast.add_products": _THREE + "add out: blocks:out_block + runs.2 + length:out_step + lanes",
    "broadcast.chosen_gradients": _THREE
    + """
        read grad: blocks:grad_block + runs.2 + length:grad_step + lanes
        update out: blocks:out_block + runs.3 + length:out_step + lanes
    """,
    "channels.correlate": """
        read image: blocks:image_block + outer_count:image_outer + rows.0 + taps.high
        read weights: blocks:weights_block + outer_count:weights_outer + places.0 + taps.low + lanes
        read bias: places.2 + lanes
        add out: blocks:out_block + places.1 + rows.1 + lanes
        read ending: 3
    """,
    "channels.correlate_neighbours": """
        read image: blocks:image_block + outer_count:image_outer + rows.0 + constant0:constant2 + taps.high
        read weights: blocks:weights_block + outer_count:weights_outer + places.0 + taps.low + lanes
        read bias: places.2 + lanes
        add out: blocks:out_block + places.1 + rows.1 + constant0:constant3 + lanes
        read ending: 3
    """,
    "channels.depthwise": """
        read x: channels.0 + places.0 + constant1:constant2 + taps.0 + lanes
        read weights: channels.2 + tap_count:lanes + lanes
        read bias: channels.3 + lanes
        write out: channels.1 + places.1 + constant1:constant3 + lanes
    """,
    "channels.affine": """
        read x: channels.0 + runs.0 + length:lanes + lanes
        write out: channels.1 + runs.1 + length:lanes + lanes
        read scale: channel_count*lanes
        read offset: channel_count*lanes
    """,
    "channels.softmax": """
        read x: places.0 + (count+lanes-1)//lanes:x_channel + lanes
        write out: places.1 + (count+lanes-1)//lanes:out_channel + lanes
    """,
    "channels.fold": """
        read weight: count if has_weight
        read bias: count if has_bias
        read mean: count if normalises
        read variance: count if normalises
        write scale: count
        write offset: count
    """,
    "channels.pack_filters": """
        read w: filters*terms
        read scale: filters if scaled
        write out: (filters+lanes-1)//lanes*lanes*terms
    """,
    "channels.pack_bias": """
        read bias: count if has_bias
        read scale: count if scaled
        read offset: count if scaled
        write out: (count+lanes-1)//lanes*lanes
    """,
    "channels.pack_winograd": """
        read w: 9*filters*channels
        read scale: filters if scaled
        write out: 36:-(-filters//lanes)*channels*lanes + filters//lanes*channels*lanes
        write out: =filters//lanes*lanes*channels + 36:-(-filters//lanes)*channels*lanes \
            + channels:lanes + filters%lanes
        scratch scratch: 18
    """,
    "channels.load_floats": _LOAD_ONE,
    "channels.load_bytes": _LOAD_ONE,
    "channels.move": "read x: runs.0 + length:x_step\nwrite out: runs.1 + length:out_step",
    "correlation.correlate": """
        read x: blocks:x_block + outer_count:x_outer + places.0 + taps.low + lanes
        read w: blocks:w_block + outer_count:w_outer + rows.0 + taps.high
        read bias: blocks:bias_block + rows.2
        add out: blocks:out_block + places.1 + rows.1 + lanes
        read floor: 1
    """,
    "correlation.correlate_runs": """
        read x: blocks:x_block + outer_count:x_outer + places.0 + taps.low + constant2:constant3 + lanes
        read w: blocks:w_block + outer_count:w_outer + rows.0 + taps.high + constant2:constant4
        read bias: blocks:bias_block + rows.2
        add out: blocks:out_block + places.1 + rows.1 + lanes
        read floor: 1
    """,
    "correlation.weight_gradient": """
        read x: blocks:x_block + places.low + taps.0 + lanes
        read grad_out: blocks:grad_block + places.high + rows.0 + lanes
        update grad_w: blocks:w_block + rows.1 + taps.1
    """,
    "correlation.weight_gradient_runs": """
        read x: blocks:x_block + places.low + constant2:constant3 + taps.0 + lanes
        read grad_out: blocks:grad_block + places.high + constant2:constant4 + rows.0 + lanes
        update grad_w: blocks:w_block + rows.1 + taps.1
    """,
    "elementwise.activation": _runs("read x", "write out"),
    "elementwise.activation_gradient": """
        read x: blocks:x_block + runs.0 + length:lanes + lanes
        read y: blocks:y_block + runs.1 + length:lanes + lanes
        read grad_y: blocks:grad_y_block + runs.2 + length:lanes + lanes
        add grad_x: blocks:grad_x_block + runs.3 + length:lanes + lanes
    """,
    "elementwise.copy": _runs("read x", "add out"),
    "elementwise.add": _runs("read x", "read y", "write out"),
    "elementwise.multiply": _runs("read x", "read y", "add out"),
    "elementwise.move": """
        read x: blocks:x_block + channels.0 + pairs.0 + lanes
        add out: blocks:out_block + channels.1 + pairs.1 + lanes
    """,
    "elementwise.fill": "write out: count",
    "elementwise.channel_sums": """
        read x: blocks:x_block + channels.0 + runs.0 + length:lanes + lanes
        write out: channels.1
    """,
    "embedding.look_up": """
        read x: blocks:x_block + positions.0 + lanes
        write out: blocks:out_block + positions.1 + dimensions:channel + lanes
        read weight: entries*dimensions
        read present: blocks*lanes
        update wrong: 2
    """,
    "embedding.look_up_gradient": """
        read x: blocks:x_block + positions.0 + lanes
        read grad_out: blocks:grad_out_block + positions.1 + dimensions:channel + lanes
        update grad_weight: entries*dimensions
    """,
    "label_loss.weighted_cross_entropy": _LABELS + "read numbers: 2+count",
    "label_loss.position_cross_entropy": _LOSS
    + "read targets: blocks*lanes*(count//int(numbers[0]))\nread numbers: 3+int(numbers[0])",
    "label_loss.binary_cross_entropy": _VALUES,
    "label_loss.weighted_binary_cross_entropy": _VALUES + "read numbers: 1+count",
    "label_loss.hinge": _LABELS + "read numbers: 1",
    "expression_loss.elementwise": _VALUES,
    "integer_weights.pack_sums": """
        read w: filters*filter_size
        read bias: filters
        read multiplier: filters
        write out_bias: (filters+lanes-1)//lanes*lanes
        write out_multiplier: (filters+lanes-1)//lanes*lanes
    """,
    "integer_weights.pack_weights": """
        read w: filters*filter_size
        write out: (filters+lanes-1)//lanes*lanes*term_count
    """,
    "integers.correlate": """
        read image: outer_count:image_outer + rows.0 + taps.high
        read weights: outer_count:weights_outer + places.0 + taps.low + lanes
        read bias: places.2 + rows.2 + lanes
        read multiplier: places.2 + lanes
        write out: places.1 + rows.1 + lanes//constant3
    """,
    "integers.to_floats": """
        read x: channels.0 + runs.0 + length:lanes//4 + lanes//4
        write out: channels.1 + runs.1 + length:lanes + lanes
    """,
    "integers.fill": "write out: count",
    "integers.max_pool": """
        read x: channels.0 + places.0 + taps.0 + lanes//4
        write out: channels.1 + places.1 + lanes//4
    """,
    "integers.quantise": """
        read x: channels.0 + runs.0 + length:lanes + lanes
        write out: channels.1 + runs.1 + length:lanes//4 + lanes//4
    """,
    "integers.quantise_planes": """
        read x: channel_count:x_channel + runs.0 + length
        write out: (channel_count+3)//4:out_channel + runs.1 + length
    """,
    "local_response.local_response": """
        read x: blocks:x_block + channel_count:x_channel + runs.0 + length:lanes + lanes
        write out: blocks:out_block + channel_count:out_channel + runs.1 + length:lanes + lanes
    """,
    "local_response.local_response_gradient": """
        read x: blocks:x_block + channel_count:x_channel + runs.0 + length:lanes + lanes
        read grad_out: blocks:grad_out_block + channel_count:grad_out_channel + runs.1 + length:lanes + lanes
        add grad_x: blocks:grad_x_block + channel_count:grad_x_channel + runs.2 + length:lanes + lanes
        scratch scratch: 2*channel_count*constant1*lanes
    """,
    "loss.softmax": _SOFTMAX,
    "loss.log_softmax": _SOFTMAX,
    "loss.softmax_gradient": _SOFTMAX_GRADIENT,
    "loss.log_softmax_gradient": _SOFTMAX_GRADIENT,
    "loss.softmax_cross_entropy": _LABELS,
    "loss.mean_squared_error": _VALUES,
    "norm_pooling.norm_pool": _WINDOWS,
    "norm_pooling.power_pool": _WINDOWS,
    "norm_pooling.norm_pool_gradient": _POOL_GRADIENT,
    "normalisation.channel_affine": _channels("read x", 0)
    + _channels("add out", 1)
    + "read scale: channel_count\nread offset: channel_count",
    "normalisation.channel_affine_gradient": _channels("read x", 0)
    + _channels("read grad_out", 1, "grad_block")
    + "update grad_scale: channel_count\nupdate grad_offset: channel_count",
    "normalisation.batch_moments": _channels("read x", 0)
    + "read present: blocks*lanes\nwrite moments: 2:step + channel_count",
    "normalisation.batch_statistics": """
        read moments: shards:stride + 2*channel_count
        read batch: 2
        read weight: channel_count if affine
        read bias: channel_count if affine
        update running_mean: channel_count
        update running_variance: channel_count
        write scale: channel_count
        write offset: channel_count
        write mean: channel_count
        write inverse: channel_count
    """,
    "normalisation.running_affine": """
        read weight: channel_count if affine
        read bias: channel_count if affine
        read running_mean: channel_count
        read running_variance: channel_count
        write scale: channel_count
        write offset: channel_count
    """,
    "normalisation.batch_gradient_sums": _channels("read x", 0)
    + _channels("read grad_out", 1, "grad_block")
    + """
        read mean: channel_count
        read inverse: channel_count
        write sums: 2:step + channel_count
        update grad_weight: channel_count if affine
        update grad_bias: channel_count if affine
    """,
    "normalisation.batch_gradient_factors": """
        read sums: shards:stride + 2*channel_count
        read batch: 2
        read weight: channel_count if affine
        read mean: channel_count
        read inverse: channel_count
        write factors: 3*channel_count
    """,
    "normalisation.batch_gradient": _channels("read x", 0)
    + _channels("read grad_out", 1)
    + _channels("add grad_x", 2)
    + "read factors: 3:step + channel_count\nread present: blocks*lanes",
    "parametric.parametric_relu": _channels("read x", 0)
    + _channels("write out", 1)
    + "read weight: channel_count:weight_step",
    "parametric.parametric_relu_gradient": _channels("read x", 0)
    + _channels("read grad_out", 1)
    + _channels("add grad_x", 2).rstrip()
    + " if spread\nread weight: channel_count:weight_step\nupdate grad_weight: channel_count:weight_step",
    "pooling.max_pool": _WINDOWS,
    "pooling.max_pool_gradient": _POOL_GRADIENT,
    "pooling.avg_pool": _WINDOWS,
    "pooling.avg_pool_gradient": """
        read grad_out: blocks:grad_out_block + channels.0 + places.0 + lanes
        add grad_x: blocks:grad_x_block + channels.1 + places.1 + taps.0 + lanes
    """,
    "radial_basis.radial_basis": """
        read x: blocks:x_block + features.0 + lanes
        write out: blocks:out_block + rows.0 + lanes
        read weight: row_count*feature_count
    """,
    "radial_basis.radial_basis_gradient": """
        read x: blocks:x_block + features.0 + lanes
        read grad_out: blocks:grad_out_block + rows.0 + lanes
        add grad_x: blocks:grad_x_block + features.1 + lanes
        read weight: row_count*feature_count
    """,
    "radial_basis.radial_basis_weight_gradient": """
        read x: blocks:x_block + features.0 + lanes
        read grad_out: blocks:grad_out_block + rows.0 + lanes
        read weight: row_count*feature_count
        update grad_weight: row_count*feature_count
    """,
    "regression_loss.mean_absolute_error": _VALUES,
    "regression_loss.huber": _VALUES + "read numbers: 1",
    "regression_loss.gaussian_negative_log_likelihood": _LOSS + "read targets: blocks*lanes*(count//2)",
    "regression_loss.poisson_negative_log_likelihood": _VALUES,
    "regularisation.dropout": """
        read x: blocks:x_block + elements.0 + length:lanes + lanes
        add out: blocks:out_block + elements.1 + length:lanes + lanes
        read keys: 1
    """,
    "regularisation.gaussian_noise": """
        read x: blocks:x_block + elements.0 + length:lanes + lanes
        write out: blocks:out_block + elements.1 + length:lanes + lanes
        read keys: 1
    """,
    "resampling.weighted_sums": """
        read x: blocks:x_block + channels.0 + sources.0 + lanes
        add out: blocks:out_block + channels.1 + places.0 + lanes
        read shares: len(sources)
    """,
    "sample_normalisation.normalise": """
        read x: blocks:x_block + groups.0 + members.0 + length:lanes + lanes
        write out: blocks:out_block + groups.1 + members.1 + length:lanes + lanes
        write statistics: blocks:statistics_block + 2*group_count*lanes
        read weight: groups.2 + members.2 + length:parameter_step
        read bias: groups.2 + members.2 + length:parameter_step
    """,
    "sample_normalisation.normalise_gradient": """
        read x: blocks:x_block + groups.0 + members.0 + length:lanes + lanes
        read grad_out: blocks:grad_out_block + groups.1 + members.1 + length:lanes + lanes
        add grad_x: blocks:grad_x_block + groups.2 + members.2 + length:lanes + lanes
        read statistics: blocks:statistics_block + 2*group_count*lanes
        read weight: groups.3 + members.3 + length:parameter_step
    """,
    "sample_normalisation.parameter_gradient": """
        read x: blocks:x_block + parameters.0 + runs.0 + length:lanes + lanes
        read grad_out: blocks:grad_out_block + parameters.1 + runs.1 + length:lanes + lanes
        read statistics: blocks:statistics_block + parameters.2 + runs.2 + length:statistics_step + 2*lanes
        update grad_weight: parameter_count
        update grad_bias: parameter_count
    """,
    "soft_loss.soft_cross_entropy": _VALUES,
    "soft_loss.kl_divergence": _VALUES,
    "subsampling.subsample": _WINDOWS + "read weight: channel_count\nread bias: channel_count",
    "subsampling.subsample_gradient": """
        read x: blocks:x_block + channels.0 + places.0 + taps.0 + lanes
        read grad_out: blocks:grad_out_block + channels.1 + places.1 + lanes
        add grad_x: blocks:grad_x_block + channels.2 + places.2 + taps.1 + lanes if spread
        read weight: channel_count
        update grad_weight: channel_count
        update grad_bias: channel_count
    """,
    "unpooling.unpool_gradient": """
        read source: blocks:source_block + channels.0 + places.0 + taps.0 + lanes
        read best: blocks:best_block + channels.1 + places.1 + lanes
        add grad_x: blocks:grad_x_block + channels.2 + places.2 + lanes
        read grad_out: blocks:grad_out_block + channels.3 + places.3 + taps.1 + lanes
    """,
    "update.sum_shards": "read shards: shard_count:stride + count\ntotal shards: shard_count:stride + count",
    "update.gradient_descent": _update(1),
    "update.momentum": _update(2, "first"),
    "update.nesterov": _update(2, "first"),
    "update.adam": _update(7, "first", "second"),
    "update.nadam": _update(6, "first", "second"),
    "update.radam": _update(5, "first", "second"),
    "update.adamax": _update(4, "first", "second"),
    "update.adadelta": _update(3, "first", "second"),
    "update.rmsprop": _update(3, "second"),
    "update.centred_rmsprop": _update(5, "first", "second", "mean"),
    "update.adagrad": _update(2, "second"),
    "update.amsgrad": _update(7, "first", "second", "largest"),
    "update.lamb": _update(7, "first", "second") + "\nwrite direction: count",
    "update.layer_step": """
        update theta: count
        read direction: count
        read sums: 2*piece_count
        read numbers: 1
    """,
    "update.squared_norms": "read theta: count\nread direction: count\nwrite sums: 2",
    "winograd.winograd_input": _TRANSFORM + "read x: channels:channel + patches@6 + lanes",
    "winograd.winograd_gradient": _TRANSFORM + "read grad: channels:channel + patches@4 + lanes",
    "winograd.winograd_output": """
        read products: 36:step + channels:patch_count*lanes + patch_count*lanes
        read bias: channels*(lanes if bias_vectors else 1)
        add out: channels:channel + patches@4 + lanes
        scratch scratch: 24*lanes
    """,
    "winograd.winograd_filters": """
        read w: filters.0 + 9
        write out: 36:step + filter_count
        scratch scratch: 9*lanes
    """,
    "winograd.winograd_filter_gradient": """
        read products: 36:step + count
        write grad_w: 9*count
        scratch scratch: 27*lanes
    """,
}
"""The lines of each kernel that programs call: "module.name"."""

CUTS = {
    "batch.load_bytes": "run_count blocks",
    "batch.load_floats": "run_count blocks",
    "batch.store_rows": "feature_count",
    "batch.swap": "outer",
    "broadcast.join": "run_count blocks",
    "broadcast.add_products": "run_count blocks",
    "channels.affine": "run_count",
    "channels.correlate": "row_count*constant0 place_count*constant1",
    "channels.correlate_neighbours": "row_count place_count*constant1",
    "channels.depthwise": "place_count channel_count",
    "channels.load_bytes": "run_count",
    "channels.load_floats": "run_count",
    "channels.move": "run_count",
    "correlation.correlate": "blocks row_count*constant0 place_count*constant1",
    "correlation.correlate_runs": "blocks row_count*constant0 place_count*constant1",
    "correlation.weight_gradient": "row_count*constant0 tap_count*constant1",
    "correlation.weight_gradient_runs": "row_count*constant0 tap_count*constant1",
    "elementwise.activation": "run_count blocks",
    "elementwise.activation_gradient": "run_count blocks",
    "elementwise.add": "run_count blocks",
    "elementwise.channel_sums": "channel_count",
    "elementwise.copy": "run_count blocks",
    "elementwise.fill": "count*lanes",
    "elementwise.move": "channel_count pair_count blocks",
    "elementwise.multiply": "run_count blocks",
    "integers.correlate": "row_count*constant0 place_count*constant1",
    "integers.to_floats": "run_count",
    "integers.max_pool": "place_count",
    "integers.quantise": "run_count",
    "integers.quantise_planes": "run_count",
    "local_response.local_response": "run_count blocks",
    "local_response.local_response_gradient": "run_count blocks",
    "norm_pooling.norm_pool": "channel_count place_count blocks",
    "norm_pooling.norm_pool_gradient": "channel_count blocks",
    "norm_pooling.power_pool": "channel_count place_count blocks",
    "normalisation.batch_gradient": "channel_count blocks",
    "normalisation.batch_gradient_sums": "channel_count",
    "normalisation.batch_moments": "channel_count",
    "normalisation.channel_affine": "channel_count blocks",
    "normalisation.channel_affine_gradient": "channel_count",
    "pooling.avg_pool": "channel_count place_count blocks",
    "pooling.avg_pool_gradient": "channel_count blocks",
    "pooling.max_pool": "channel_count place_count blocks",
    "pooling.max_pool_gradient": "channel_count blocks",
    "regularisation.dropout": "element_count",
    "regularisation.gaussian_noise": "element_count",
    "resampling.weighted_sums": "channel_count blocks",
    "unpooling.unpool_gradient": "channel_count blocks",
    "winograd.winograd_filter_gradient": "count*lanes",
    "winograd.winograd_filters": "filter_count*lanes",
    "winograd.winograd_gradient": "channels",
    "winograd.winograd_input": "channels",
    "winograd.winograd_output": "channels",
}
"""The arguments of each kernel that count what it computes independently of each other: a call may be cut into
several of a part each, at multiples of what follows a ``*``. Where a table has an entry for each, ``run_count`` of
``runs``, its entries are cut too; how far other arguments move follows from the terms of ``ACCESS``."""
