"""How long and how a model is trained."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from nextchapter.spec.base import Positive, Spec
from nextchapter.spec.models import Share

SHORTEST_RANDOM_TRUNCATION = 10
"""Below this the noise of 5 tokens would decide the length alone."""


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
    random_truncation: bool = False
    """Draw the length of each step: `truncation`, or with probability 0.05 half of it, with noise of 5 tokens; the
    learning rate follows the length (Merity et al., 2018)."""
    state_reset: Share = 0.0
    """Share of the streams that forget their state before a step and begin it from h_0, as a chapter is scored
    (Melis et al., 2018, whose experiments take 0.01). Whole chapters always begin so."""
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
    label_smoothing: Share = 0.0
    """Share of each target that goes to all tokens alike (Szegedy et al., 2016)."""
    sampled_softmax: Positive | None = None
    """Tokens drawn for each step that stand for the vocabulary in the softmax's denominator while training (Jean et
    al., 2015), for large vocabularies; null has all. Scores on validation and test are always exact."""
    sampled_from: Literal["unigram", "log-uniform"] = "unigram"
    """What they are drawn from: the tokens' counts in training, or Zipf's law over a vocabulary sorted by them."""
    activation_regularisation: Annotated[float, Field(ge=0)] = 0.0
    """AR: weight of the mean square of the last recurrent layer's outputs (Merity et al., 2017)."""
    temporal_activation_regularisation: Annotated[float, Field(ge=0)] = 0.0
    """TAR: weight of the mean square of their change from step to step (Merity et al., 2017)."""
    omega: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the regulariser against vanishing gradients (Pascanu et al., 2013, eq. 9), for the kind `elman`."""
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
    valid_every_epochs: Annotated[float, Field(gt=0)] | None = None
    """Passes over the training split between two validations, in place of `valid_every_steps`; null takes that."""
    log_every_steps: Positive = 10
    """Steps between two lines of the event log."""
    checkpoint_every_s: Annotated[float, Field(ge=0)] = 20.0
    """Seconds between two checkpoints; 0 saves one after each step."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Of the products of a training step; weights, losses and scores stay in float32. bfloat16 needs a CUDA device, and
    a network on torch's own loops (elman, gru, lstm, feed-forward)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; `auto` takes a CUDA device when there is one."""
    threads: Annotated[int, Field(ge=1, le=1024)] = 1
    """Processor threads of the run, at most those of `--cores`. Another number changes its last digits."""
    processes: Annotated[int, Field(ge=1, le=1024)] = 1
    """Processes that share the streams of each step, each on `threads` threads or a CUDA device of its own. A step has
    the same tokens for any number of them. A model that learns without gradients is always trained by one."""

    @property
    def ingredients(self) -> tuple[str, ...]:
        """The modules of losses and penalties that training loads by name, those that are switched off apart."""
        asked = {
            "losses.smoothed": self.label_smoothing,
            "losses.sampled": self.sampled_softmax,
            "penalties.activation": self.activation_regularisation or self.temporal_activation_regularisation,
            "penalties.omega": self.omega,
        }
        return tuple(f"nextchapter.training.{name}" for name, value in asked.items() if value)

    @model_validator(mode="after")
    def _random_truncation_has_room(self) -> "TrainingSpec":
        if self.random_truncation and (self.truncation == "chapter" or self.truncation < SHORTEST_RANDOM_TRUNCATION):
            found, allowed = f"truncation: found {self.truncation!r}", f"at least {SHORTEST_RANDOM_TRUNCATION} tokens"
            raise ValueError(f"{found}; with random_truncation it must be {allowed}")
        return self

    @model_validator(mode="after")
    def _one_loss(self) -> "TrainingSpec":
        if self.label_smoothing and self.sampled_softmax:
            found = f"label_smoothing: found {self.label_smoothing}"
            raise ValueError(f"{found}; with sampled_softmax it must be 0, since smoothing needs all logits")
        return self

    @model_validator(mode="after")
    def _each_process_has_a_stream(self) -> "TrainingSpec":
        if self.processes > self.batch_size:
            found = f"processes: found {self.processes}"
            raise ValueError(f"{found}; with a batch_size of {self.batch_size} there is work for no more than that")
        return self

    @model_validator(mode="after")
    def _has_an_end(self) -> "TrainingSpec":
        if (self.max_steps, self.max_tokens, self.max_epochs, self.max_seconds) == (None,) * 4:
            raise ValueError(
                "one of max_steps, max_tokens, max_epochs and max_seconds must be set: training needs a budget"
            )
        return self
