"""Draw a run's network, unfolded in time over words of its test passage."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json


def draw_network(job: Job) -> None:
    """Write the drawing as SVG and PNG."""
    from nextchapter.report import network
    from nextchapter.report.figures import save_figure
    from nextchapter.report.predictions import read_predictions

    run, passage = read_json(job.path("provenance")), read_predictions(job.path("predictions"))
    save_figure(lambda: network.draw_network(run, passage), job.path("svg"), job.path("png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(draw_network, inputs=("provenance", "predictions"), outputs=("svg", "png"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
