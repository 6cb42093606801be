"""Set what was found of all chapters side by side: a table and two figures."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def compare_chapters(job: Job) -> None:
    """Write the `chapters` table, the figure of `style` and that of the growing vocabulary, each as SVG and PNG."""
    import pandas as pd

    from nextchapter.report.examination import chapters_table
    from nextchapter.report.figures import save_figure
    from nextchapter.report.style import draw_style, draw_type_token

    examinations = [read_json(path) for path in job.paths("examinations")]
    runs = [read_json(path) for path in job.paths("provenance")]
    kinds = {run["run"]: run["model"]["kind"] for run in runs}
    curves = {
        one["run"]: pd.read_csv(path, dtype=float) for one, path in zip(examinations, job.paths("curves"), strict=True)
    }
    write_csv(job.path("chapters"), chapters_table(examinations), float_format="%.6g")
    save_figure(lambda: draw_style(examinations, kinds), job.path("style_svg"), job.path("style_png"))
    save_figure(lambda: draw_type_token(curves, kinds), job.path("growth_svg"), job.path("growth_png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["examinations*", "curves*", "provenance*"]
    outputs = ["chapters", "style_svg", "style_png", "growth_svg", "growth_png"]
    return execute(compare_chapters, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
