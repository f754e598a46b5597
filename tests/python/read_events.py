"""Prints as JSON what TensorBoard finds in a run directory: read_events.py DIR"""

import io
import json
import math
import sys

from google.protobuf import json_format
from PIL import Image
from tensorboard import context
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, get_experiment, list_session_groups
from tensorboard.plugins.hparams.backend_context import Context
from tensorboard.util.tensor_util import make_ndarray


def number(value):
    """JSON knows no NaN and no infinity."""
    return value if math.isfinite(value) else str(value)


def histogram(event):
    found = vars(event.histogram_value)
    return {"step": event.step} | {
        key: [number(v) for v in value] if isinstance(value, list) else number(value)
        for key, value in found.items()
    }


def image(event):
    picture = Image.open(io.BytesIO(event.encoded_image_string))
    return {
        "step": event.step,
        "size": [event.width, event.height],
        "decoded_size": list(picture.size),
        "mode": picture.mode,
        # Of a large picture its size tells enough.
        "pixels": list(picture.tobytes()) if picture.size[0] < 300 else None,
    }


def texts(events, tag):
    return [[e.step, make_ndarray(e.tensor_proto).item().decode()] for e in events.Tensors(tag)]


def description(events, tag):
    try:
        return events.SummaryMetadata(tag).summary_description
    except KeyError:
        return ""


def layout(events, tags):
    """The charts of the custom-scalars tab: title and patterns of tags, by category."""
    tag = "custom_scalars__config__"
    if tag not in tags["tensors"]:
        return None
    value = make_ndarray(events.Tensors(tag)[0].tensor_proto).item()
    found = layout_pb2.Layout.FromString(value)
    return {c.title: [[chart.title, list(chart.multiline.tag)] for chart in c.chart] for c in found.category}


def hparams_tab(directory):
    """The HParams tab's answers to the browser."""
    multiplexer = EventMultiplexer().AddRunsFromDirectory(directory)
    multiplexer.Reload()
    backend = Context(TBContext(data_provider=MultiplexerDataProvider(multiplexer, directory)))
    statuses = api_pb2.Status.values()
    asked = api_pb2.ListSessionGroupsRequest(allowed_statuses=statuses, slice_size=100)
    groups = list_session_groups.Handler(context.RequestContext(), backend, "", asked)
    columns = get_experiment.Handler(
        context.RequestContext(), backend, "", api_pb2.GetExperimentRequest()
    )
    return {
        "groups": json_format.MessageToDict(groups.run()),
        "columns": json_format.MessageToDict(columns.run()),
    }


def main(directory):
    events = EventAccumulator(
        directory, size_guidance={"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}
    )
    events.Reload()
    tags = events.Tags()
    text_tags = [
        t for t in tags["tensors"] if events.SummaryMetadata(t).plugin_data.plugin_name == "text"
    ]
    found = {
        "file_version": events.file_version,
        "scalars": {t: [[e.step, number(e.value)] for e in events.Scalars(t)] for t in tags["scalars"]},
        "histograms": {t: [histogram(e) for e in events.Histograms(t)] for t in tags["histograms"]},
        "images": {t: [image(e) for e in events.Images(t)] for t in tags["images"]},
        "texts": {t: texts(events, t) for t in text_tags},
        "descriptions": {t: description(events, t) for t in tags["scalars"]},
        "layout": layout(events, tags),
        "hparams": hparams_tab(directory),
    }
    json.dump(found, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1])
