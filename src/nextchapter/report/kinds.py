"""What each kind of language model is, in a sentence for someone who is no engineer."""

KINDS = {
    "uniform": "holds every word piece equally likely: what it costs to know nothing.",
    "unigram": "knows how often each word piece occurs, and looks at nothing that stands before.",
    "ngram": "counts which word pieces followed the last few in the books; it has no memory beyond these.",
    "feed-forward": "a network that sees the last few word pieces and nothing before them.",
    "hmm": "imagines that each word piece comes from one of some hidden states, and learns which state follows which.",
    "hmm-cloned": "a model with hidden states, each of which stands for one word piece in one kind of company.",
    "hmm-neural": "a model with hidden states whose tables a network works out.",
    "elman": "the simplest network that carries a memory: at each word it mixes what it read with what it remembers.",
    "gru": "a network with a memory and two gates, which decide what of it is kept.",
    "lstm": "a network with a memory apart, and gates that decide what is written to it, kept and read.",
    "mingru": "a GRU whose gates look at the word alone and not at the memory: faster, and more forgetful.",
    "minlstm": "an LSTM whose gates look at the word alone and not at the memory: faster, and more forgetful.",
    "slstm": "an LSTM whose gates may grow without limit, so that something new can outweigh all that came before.",
    "rlstm": "an LSTM wired anew: it decides what to forget by what it is about to write.",
    "mogrifier": "an LSTM in which word and memory turn each other up and down before they meet.",
    "cache": "another network that also keeps at hand what it has just read, and holds it likelier to come again.",
    "dynamic": "another network that goes on learning from the text that it is tested on, after each few words.",
    "ensemble": "several of the others asked together; their chances are averaged.",
}
"""By the name of the family, as the leaderboard's column `model` has it."""
NEW_KIND = "a kind that these words do not know yet."
