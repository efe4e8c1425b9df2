"""Text in, attributes out: scorers of documents. No Ray, no storage, nothing of `pipeline`.

Start at `registry.SCORERS`; `base.Scorer` says what a scorer is and how to add one.
"""
