"""What the library gensim fits on the CPU, with the same call as `skip_gram`, which is for every device.

gensim is faster on a CPU, and has nothing for a GPU.
"""

import numpy as np
import polars as pl

from hmgpu.parts.models.factors.skip_gram import Floats, Ints, Reading


def read(sentences: pl.Series, settings: Reading, device: str = "cpu") -> tuple[Ints, Floats, Floats]:
    """Return what `skip_gram.read` returns. By one thread: with more, each fit would be different."""
    from gensim.models.word2vec import Word2Vec

    texts = sentences.to_list()
    model = Word2Vec(
        vector_size=settings.dimensions,
        window=settings.window,
        shrink_windows=settings.shrink,
        sg=int(settings.skip_gram),
        negative=settings.negatives,
        ns_exponent=settings.negative_power,
        min_count=settings.support,
        alpha=settings.learning_rate,
        epochs=settings.epochs,
        workers=1,
        seed=settings.seed,
    )
    model.build_vocab(texts)
    if len(model.wv):
        model.train(texts, total_examples=model.corpus_count, epochs=model.epochs)
    return np.array(model.wv.index_to_key, dtype=np.int32), model.wv.vectors, model.syn1neg
