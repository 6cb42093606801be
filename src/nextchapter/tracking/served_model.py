"""The program of a registered model, which MLflow keeps beside the weights: it answers as the command line does.

MLflow reads this file as code (models from code), so that nothing of a model is pickled.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from nextchapter.evaluation.surprise import score_text
from nextchapter.generation.chapter import write_chapter
from nextchapter.models.registry import load_model
from nextchapter.spec.study import check_spec
from nextchapter.spec.writing import WritingSpec, lengths_for
from nextchapter.store.files import read_json
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.training.devices import prepare_torch


class ServedModel(PythonModel):
    """Chapters that begin with the given texts, or scores of these."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load weights and tokenizer."""
        files = {name: Path(path) for name, path in context.artifacts.items()}
        run = read_json(files["run"])
        self._names = {"run": run["run"], "study": run["study"]}
        self._model, self._tokenizer = load_model(files["model"]), load_tokenizer(files["tokenizer"])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Return a row for each text.

        Args:
            context: not looked at.
            model_input: a column `text`.
            params: those of the signature; `mode` is `write` or `score`, and the others are for writing.

        Raises:
            MlflowException: a text is empty, or a parameter not allowed; the message says which and what is. Of other
                exceptions the server would show a traceback.
        """
        del context
        prepare_torch(threads=1)  # a server answers from other threads than the one that loaded the model
        texts = model_input["text"].explode()  # {"text": ["one", "two"]} comes as a single cell
        try:
            return pd.DataFrame(self._answers(list(texts), dict(params or {})))
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def _answers(self, texts: list[str], asked: dict[str, Any]) -> list[dict[str, Any]]:
        mode = asked.pop("mode", "write")
        if mode not in ("write", "score"):
            raise ValueError(f"mode: found {mode!r}; allowed: write, score")
        rows = [self._write(text, asked) if mode == "write" else self._score(text) for text in texts]
        return [{**self._names, **row} for row in rows]

    def _write(self, opening: str, asked: dict[str, Any]) -> dict[str, Any]:
        values = {key: value for key, value in asked.items() if key != "words"}
        lengths = lengths_for(asked["words"]) if "words" in asked else {}
        spec = check_spec(WritingSpec, {**values, **lengths, "opening": opening}, whole="what was asked for")
        chapter = write_chapter(self._model, self._tokenizer, opening, spec)
        return {"text": chapter.text, "words": chapter.words}

    def _score(self, text: str) -> dict[str, Any]:
        return score_text(self._model, self._tokenizer, text).record()


set_model(ServedModel())
