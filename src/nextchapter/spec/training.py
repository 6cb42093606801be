"""How long and how a model is trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nextchapter.spec.base import Spec

Positive = Annotated[int, Field(ge=1)]


class TrainingSpec(Spec):
    """Backpropagation through time: budgets, batches, optimiser, learning rate, averages.

    A model that counts (`ngram`, `unigram`, `uniform`) reads the training split once and heeds `device` alone. One that
    learns by EM (`hmm`, `hmm-cloned`) heeds the batches, the budgets, `device` and what is said of validation, log and
    checkpoints; the rest is for gradients.
    """

    batch_size: Annotated[int, Field(ge=1, le=65536)] = 16
    """Number of streams (or of whole chapters) in a step."""
    truncation: Positive | Literal["chapter"] = 48
    """Tokens through which the gradient runs back; `chapter` runs it through whole chapters."""
    micro_batches: Positive = 1
    """Parts of the streams of a step that are computed one after the other: less memory, the same gradient
    but for the masks of dropout."""
    optimiser: Literal["adamw", "sgd", "muon"] = "adamw"
    """What moves the weights; `muon` those of the recurrent matrices, and AdamW the others."""
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Of the gradients; null takes 0 for `sgd` and 0.95 for `muon`. `adamw` has its own."""
    learning_rate: Annotated[float, Field(gt=0, le=100)] = 5e-3
    """Peak learning rate, reached after the warm-up."""
    schedule: Literal["cosine", "constant", "plateau"] = "cosine"
    """What follows the warm-up; `plateau` multiplies the rate by `plateau_factor` at each validation that is not better
    than the best."""
    final_learning_rate_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of the peak at which the cosine ends."""
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """What the learning rate is multiplied by on a plateau."""
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    """Steps over which the learning rate rises linearly from zero."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.02
    """Weight decay of matrices, decoupled from the gradient but for `sgd`."""
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest global gradient norm (Pascanu et al., 2013); null does not clip."""
    average: Literal["ema", "nt-asgd", "two-tailed"] | None = None
    """Average of the weights that is validated beside the weights themselves; the better of them is kept."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Share of the old average that `ema` keeps at each step."""
    average_patience: Annotated[int, Field(ge=0)] = 5
    """Validations back, before which `nt-asgd` looks for a better one; it begins to average when it finds one."""
    rollbacks: Annotated[int, Field(ge=0)] = 3
    """Times that a run which diverges goes back to its best weights, at half the learning rate, before it gives up."""
    embedding_frozen_steps: Annotated[int, Field(ge=0)] | Literal["all"] = 0
    """Steps before the token vectors begin to be trained; 0 trains them from the start, `all` never. A model without
    token vectors passes it over."""
    max_steps: Positive | None = None
    """Budget in steps."""
    max_tokens: Positive | None = 4_000_000
    """Budget in training tokens."""
    max_epochs: Annotated[float, Field(gt=0)] | None = None
    """Budget in passes over the training split."""
    max_seconds: Annotated[float, Field(gt=0)] | None = None
    """Budget in seconds of training steps over all calls, without validation. The learning rate then follows the clock:
    the same run ends elsewhere on another machine. Of several budgets, the first to be spent ends the run."""
    target_loss_nats: Annotated[float, Field(gt=0)] | None = None
    """Stop once the validation loss, in nats a token, is at or below this threshold."""
    patience: Positive | None = 5
    """Stop after this many validations in a row without a better one; null never does."""
    valid_every_steps: Positive = 200
    """Steps between two validations."""
    log_every_steps: Positive = 10
    """Steps between two lines of the event log."""
    checkpoint_every_s: Annotated[float, Field(ge=0)] = 20.0
    """Seconds between two checkpoints; 0 saves one after each step."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; `auto` takes a CUDA device when there is one."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Processor threads of the run, at most those of `--cores`. Another number changes its last digits."""

    @model_validator(mode="after")
    def _has_an_end(self) -> "TrainingSpec":
        if (self.max_steps, self.max_tokens, self.max_epochs, self.max_seconds) == (None,) * 4:
            msg = "one of max_steps, max_tokens, max_epochs and max_seconds must be set: training needs a budget"
            raise ValueError(msg)
        return self
