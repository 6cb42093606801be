"""What the numbers of a study say, in sentences for someone who is no engineer; all of it is HTML."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from nextchapter.report.predictions import percent
from nextchapter.report.results import Record, Results
from nextchapter.report.wording import bold, counted, duration, listed

NETWORKS_TOLD = 4
"""Of more networks than this, a caption names the best."""
BETTER_BY_CHANCE = "though what parts the two may be chance"


def opening(results: Results) -> str:
    """Return the study in three sentences: who foresees best, whether recurrence pays, and what was written."""
    sentences = [_who_is_best(results), _whether_recurrence_pays(results), _what_was_written(results)]
    return " ".join(sentence for sentence in sentences if sentence)


def _who_is_best(results: Results) -> str:
    board = results.leaderboard
    best, worst = board.iloc[0], board.iloc[-1]
    splits = results.quality["totals"]["splits"]
    read = f"{counted(len(board), 'network')} read {counted(splits['train']['chapters'], 'chapter')}"
    unseen = f"{counted(splits['test']['chapters'], 'chapter')} that {'none' if len(board) > 1 else 'it'} had"
    unseen += "" if len(board) > 1 else " not"
    if len(board) == 1:
        return f"{read}, and of {unseen} seen each letter costs it {bits(best)} yes-or-no questions."
    tied = board[board["rank"] == best["rank"]]["run"].tolist()[1:]
    shares = f", which shares its rank with {listed(tied)}," if tied else ""
    return (
        f"{read}; the best at foreseeing {unseen} seen is {bold(best['run'])}{shares} with {bits(best)} yes-or-no "
        f"questions a letter, where {bold(worst['run'])} needs {bits(worst)}."
    )


def _whether_recurrence_pays(results: Results) -> str:
    """Compare the best network with a memory with the best that has none; those made of others stay out."""
    board = results.leaderboard
    made = {record["run"] for record in results.provenance if record.get("members")}
    single = board[~board["run"].isin(made)]
    is_recurrent = single["run"].isin(results.parts["recurrent"])
    if not is_recurrent.any() or is_recurrent.all():
        return ""
    best, rival = single[is_recurrent].iloc[0], single[~is_recurrent].iloc[0]
    gain = rival["test_bits_per_character"] / best["test_bits_per_character"] - 1
    verdict = f"is {percent(abs(gain))} ahead of" if gain >= 0 else f"is {percent(abs(gain))} behind"
    chance = f", {BETTER_BY_CHANCE}" if best["rank"] == rival["rank"] else ""
    return (
        f"Of the single networks the best that carries a memory from word to word, {bold(best['run'])} "
        f"({bits(best)}), {verdict} the best of another kind, {bold(rival['run'])} ({bits(rival)}){chance}."
    )


def _what_was_written(results: Results) -> str:
    champion = results.champion
    copied = int(champion["longest_copied_words"])
    borrows = f"borrows at most {counted(copied, 'word')} in a row from the books" if copied else "copies nothing"
    return f"The next chapter, by {bold(champion['run'])}, {borrows}{reach_sentence(results)}."


def reach_sentence(results: Results) -> str:
    """Return how far back the farthest and the nearest network learn; nothing where fewer than two are measured."""
    reach = _reach(results.gradients)
    if len(reach) < 2:
        return ""
    (far, most), (near, least) = reach[0], reach[-1]
    return f"; in training, {bold(far)} traces a mistake back over {most} word pieces, {bold(near)} over {least}"


def _trained(gradients: Record | None) -> dict[str, Record]:
    """Return what the gradient lab says of the trained networks, by name; nothing where it is switched off."""
    return {entry["name"]: entry["trained"] for entry in (gradients or {}).get("measured", ()) if entry["trained"]}


def _reach(gradients: Record | None) -> list[tuple[str, str]]:
    """Return trained networks and how many word pieces back a mistake is felt, the farthest first."""
    lags = {name: measured["effective_memory"] for name, measured in _trained(gradients).items()}
    beyond, most = float("inf"), (gradients or {}).get("lags")
    ranked = sorted(lags, key=lambda name: -(beyond if lags[name] is None else lags[name]))
    return [(name, f"more than {most}" if lags[name] is None else str(lags[name])) for name in ranked]


def leaderboard_caption(results: Results) -> str:
    """Return what the figure of scores says."""
    board, champion = results.leaderboard, results.champion
    if len(board) == 1:
        return f"The only network needs {bits(board.iloc[0])} questions a letter; the bar says how sure that is."
    first, second = board.iloc[0], board.iloc[1]
    gap = second["test_bits_per_character"] - first["test_bits_per_character"]
    sure = BETTER_BY_CHANCE if first["rank"] == second["rank"] else "more than chance explains"
    star = " which was best on the chapters kept for choosing, too" if champion["run"] == first["run"] else ""
    return (
        f"Further left is better. {bold(first['run'])} is {gap:.3f} bits a letter ahead of {bold(second['run'])}, "
        f"{sure}. The star is the champion, {bold(champion['run'])},{star or ' chosen on other chapters than these'}. "
        "A bar shows how much of a score may be the luck of which chapters were tested."
    )


def costs_caption(results: Results) -> str:
    """Return who is worth its time."""
    front = results.costs[results.costs["on_front"]]
    cheapest, dearest = front.iloc[0], front.iloc[-1]
    if len(front) == 1:
        return f"{bold(cheapest['run'])} is both the fastest to train and the best."
    return (
        f"Down is better, left is cheaper. Nothing beats {listed(front['run'].tolist())} for their time: from "
        f"{bold(cheapest['run'])}, trained in {duration(cheapest['total_seconds'])}, to {bold(dearest['run'])}, which "
        f"takes {duration(dearest['total_seconds'])}. Whatever lies above the steps costs time and gains nothing."
    )


def curves_caption(results: Results) -> str:
    """Return how long the networks trained, and whether any stopped getting better."""
    learned = [record for record in results.provenance if not record.get("members")]
    slowest = max(learned, key=lambda record: record["train_seconds"])
    past = [record["run"] for record in learned if record["best_step"] < 0.8 * record["steps"]]
    ends = (
        f"The best moment of {listed(past[:6])} came well before the end: after that, more reading did not help, and "
        "the weights of that moment were kept."
        if past
        else "No network had stopped getting better long before the end: longer training may still help."
    )
    return (
        "Each line falls while its network learns; the further down it ends, the better. The longest training, that of "
        f"{bold(slowest['run'])}, took {duration(slowest['train_seconds'])}. {ends}"
    )


def gradients_caption(results: Results) -> str:
    """Return how far back each trained network still learns."""
    reach = _reach(results.gradients)
    if not reach:
        return "No recurrent network was trained here: the curves are those of fresh ones, for comparison."
    told = "; ".join(f"{bold(name)} {lags} word pieces back" for name, lags in reach[:8])
    return (
        "Left, networks as they start, some of them only for comparison; right, after training. From left to right in "
        "each: how many word pieces back. From top to bottom: how much of the lesson is left, each line of the grid a "
        f"tenth of the one above. One per cent is still felt so far: {told}."
    )


def jacobian_caption(results: Results) -> str:
    """Return by how much a step stretches."""
    measured = _trained(results.gradients)
    steps = [(name, found["jacobian"][-1]) for name, found in measured.items() if found["jacobian"]]
    told = "; ".join(f"{bold(name)} {step['largest_singular_value']:.2f}" for name, step in steps[:8])
    return (
        "What one step does to a small change of the memory: above the dotted line it grows, below it fades. "
        + (f"The most that a step stretches after training: {told}. " if told else "")
        + "A network all of whose line lies below 1 forgets everything at a fixed rate."
    )


def gates_caption(results: Results) -> str:
    """Return how often the gates that keep the memory stand open."""
    kept = [
        (name, gate, share["open"])
        for name, measured in _trained(results.gradients).items()
        for gate, share in measured["gates"].items()
        if gate in ("forget", "update")
    ]
    told = "; ".join(f"the {gate} gate of {bold(name)} {percent(share)} of the time" for name, gate, share in kept[:6])
    return (
        "A gate is a number between 0 (shut) and 1 (open) by which a part of the memory is multiplied. "
        + (f"Wide open after training: {told}. " if told else "")
        + "Fresh networks have decided nothing: nearly all their gates stand in between."
    )


def clipping_caption(results: Results) -> str:
    """Return when the run that was not clipped was lost, and how far the other came."""
    record = (results.gradients or {})["clipping"]
    losses = [loss for loss in record["clipped"]["loss_nats"] if loss is not None]
    failed = record["plain"]["failed_at"]
    lost = f"the numbers overflow at step {failed}" if failed is not None else "the run is thrown about"
    return (
        f"The same small network twice. Without a limit {lost}; with gradients cut to a length of "
        f"{record['clip_norm']:g}, its loss goes from {losses[0]:.1f} to {losses[-1]:.1f} nats in "
        f"{record['steps']} steps."
    )


def tasks_caption(results: Results) -> str:
    """Return how far the networks came in each task; of more than a few, the ones that came furthest."""
    found: dict[str, dict[str, int]] = {}
    for record in results.tasks:
        reached = max((trial["length"] for trial in record["trials"] if trial["passed"]), default=0)
        found.setdefault(record["task"], {})[record["network"]] = reached
    told = ". ".join(f"{task.replace('_', ' ').capitalize()}: {_furthest(reached)}" for task, reached in found.items())
    return f"Filled dots are lengths that a network learned. The greatest: {told}."


def _furthest(reached: Mapping[str, int]) -> str:
    most = max(reached.values())
    shown = reached if len(reached) <= NETWORKS_TOLD else {name: at for name, at in reached.items() if at == most}
    return ", ".join(f"{bold(name)} {at or 'none'}" for name, at in shown.items())


def calibration_caption(results: Results) -> str:
    """Return whose chances hold best and worst."""
    board = results.leaderboard.sort_values("test_expected_calibration_error", kind="stable")
    best, worst = board.iloc[0], board.iloc[-1]
    error = "test_expected_calibration_error"
    ends = f", those of {bold(worst['run'])} by {percent(worst[error])}" if len(board) > 1 else ""
    return (
        "Dots on the dashed line keep their promise: what was given a chance of 30 % comes true 30 times in 100. Below "
        f"it a network is too sure of itself, above it too modest. The chances of {bold(best['run'])} are off by "
        f"{percent(best[error])}{ends}."
    )


_LOSSES_TOLD = (
    "Above, from the beginning of a chapter on: a line that falls further than the others belongs to a network that "
    "makes more of what it read long ago. Middle: how much more than the best network the others pay for rare and for "
    "frequent words. Below: in training, blame is traced back no further than the last cut, one every few dozen word "
    "pieces; a flat line says that the memory outlives the cuts."
)


def losses_caption(results: Results) -> str:
    """Return what rare words cost the champion, and whether it warms up."""
    run = str(results.champion["run"])
    profile = results.profile(run)
    parts = [_LOSSES_TOLD, f"What {bold(run)}, the champion, pays."]
    places, words = profile["place"], profile["frequency"]
    if len(places) > 1:
        first, last = places[0]["bits_per_character"], places[-1]["bits_per_character"]
        parts.append(
            f"A letter: {first:.2f} bits at the beginning of a chapter, {last:.2f} after {places[-1]['low']:,} letters."
        )
    if len(words) > 1:
        rare, often = words[0], words[-1]
        seen = "that was never seen before" if rare["high"] == 0 else "of the rarest class"
        parts.append(
            f"A word {seen}: {rare['bits_per_word']:.1f} bits; one that stood in the books {often['low']:,} times or "
            f"more: {often['bits_per_word']:.1f}."
        )
    return " ".join(parts)


def style_caption(results: Results) -> str:
    """Return whether the champion's chapter lies among the author's."""
    found = results.examination(str(results.champion["run"]))
    delta, author = found["measures"]["delta_to_author"], escape(str(found["author"]))
    inside = delta["low"] <= delta["chapter"] <= delta["high"]
    return (
        f"Real chapters by {author} lie between {delta['low']:.2f} and {delta['high']:.2f}; the champion's "
        f"has {delta['chapter']:.2f}, {'which is among them' if inside else 'which is outside'}. It is measured by how "
        "often small words such as <i>the</i> and <i>of</i> stand, which says nothing about sense."
    )


def growth_caption(results: Results) -> str:
    """Return whether the champion repeats itself."""
    found = results.examination(str(results.champion["run"]))["measures"]["distinct_2"]
    return (
        f"In the champion's chapter {percent(found['chapter'])} of the word pairs are new where they stand; in real "
        f"passages of that length it is {percent(found['low'])} to {percent(found['high'])}. A line below the grey "
        "band repeats itself, one above it strings words together at random."
    )


def bits(row: "Record | pd.Series[Any]") -> str:
    """Return the score of a row of the leaderboard."""
    return f"{row['test_bits_per_character']:.3f}"
